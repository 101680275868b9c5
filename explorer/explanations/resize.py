"""From a layer's coarse grid to the picture's pixels: linear enlarging, in NumPy, the same on every backend."""

from __future__ import annotations

import functools

import numpy as np


def enlarge(maps: np.ndarray, size: tuple[int, int], *, aligned: bool = False) -> np.ndarray:
    """Return maps enlarged (or reduced) by linear interpolation between cells.

    Args:
        maps: float (n, height, width).
        size: (height, width) wanted.
        aligned: The corner cells' centres fall on the corner pixels' centres ("align_corners"), as Score-CAM's
            masks want. Otherwise cells and pixels cover the same area, and beyond the outermost centres the
            value stays (half-pixel centres; what TensorFlow, OpenCV and PyTorch do).

    Returns:
        float32 (n, *size).
    """
    rows = _weights(maps.shape[1], size[0], aligned)
    columns = _weights(maps.shape[2], size[1], aligned)
    return np.matmul(np.matmul(rows, np.asarray(maps, np.float32)), columns.T)


@functools.lru_cache(maxsize=64)
def _weights(cells: int, pixels: int, aligned: bool) -> np.ndarray:
    """Return the share of each cell in each pixel, float32 (pixels, cells)."""
    if aligned:
        at = np.arange(pixels) * ((cells - 1) / max(1, pixels - 1))
    else:
        at = np.clip((np.arange(pixels) + 0.5) * (cells / pixels) - 0.5, 0, cells - 1)
    before = np.minimum(at.astype(int), max(0, cells - 2))
    share = at - before
    weights = np.zeros((pixels, cells), np.float32)
    weights[np.arange(pixels), before] = 1 - share
    if cells > 1:
        weights[np.arange(pixels), before + 1] += share
    weights.flags.writeable = False
    return weights
