"""How the three colours of pictures hang together, and the matrix that takes this out of an image's numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from explorer.ascent.results import Colours

# Covariance of red, green and blue on [0, 1] over all pixels. ImageNet's root is the one that lucid publishes
# (lucid/optvis/param/color.py); the drawn world's is measured by `explorer.ascent.measure_colours`.
IMAGENET_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
DRAWN_COVARIANCE = (
    (0.0779, 0.0572, 0.0572),
    (0.0572, 0.0764, 0.0586),
    (0.0572, 0.0586, 0.0840),
)


def root(covariance: np.ndarray) -> np.ndarray:
    """Return a square root of a covariance, U·√S of its singular values: columns are uncorrelated colours."""
    vectors, values, _ = np.linalg.svd(np.asarray(covariance, np.float64))
    return vectors * np.sqrt(values)


@lru_cache(maxsize=8)
def colour_matrix(colours: Colours, channels: int = 3) -> np.ndarray:
    """Return the matrix from uncorrelated to real colours, its longest column of length 1.

    Args:
        colours: "drawn", "imagenet", or "none" for the identity.
        channels: Number of the picture's channels; only three have correlations to take out.

    Returns:
        float32 (channels, channels); multiply a column of values from the left.
    """
    if colours == "none" or channels != 3:
        return np.eye(channels, dtype=np.float32)
    matrix = np.array(IMAGENET_ROOT) if colours == "imagenet" else root(np.array(DRAWN_COVARIANCE))
    return (matrix / np.linalg.norm(matrix, axis=0).max()).astype(np.float32)
