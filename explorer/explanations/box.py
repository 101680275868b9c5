"""Where a map says that the object is: the box around its strongest connected region."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from explorer.explanations.results import Box

_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


def box_of(values: np.ndarray, share: float = 0.3) -> Box | None:
    """Return the smallest box around the largest connected region of a map above a share of its maximum.

    The rule of Selvaraju et al. 2017, section 4.1, with another share (theirs is 0.15). Places that touch by a
    corner belong together; of several regions of one size the one with the map's higher maximum counts.

    Args:
        values: The map, (height, width); NaN counts as nothing.
        share: Which share of the maximum a place must reach, above 0 and at most 1.

    Returns:
        (top, left, bottom, right) in places of the map, bottom and right exclusive; None for a map without
        positive values.

    Raises:
        ValueError: for a share outside its limits or values that are no map.
    """
    region = _strongest_region(values, share)
    if region is None:
        return None
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def above(values: np.ndarray, share: float = 0.3) -> np.ndarray:
    """Return where a map reaches a share of its maximum, bool (height, width); nowhere without positive values."""
    values = np.asarray(values, np.float32)
    if values.ndim != 2:
        raise ValueError(f"A map is (height, width), not of shape {values.shape}.")
    if not 0 < share <= 1:
        raise ValueError(f"A share of the maximum lies above 0 and is at most 1, not {share}.")
    values = np.nan_to_num(values, nan=0.0)
    peak = float(values.max()) if values.size else 0.0
    return values >= share * peak if peak > 0 else np.zeros(values.shape, bool)


def _strongest_region(values: np.ndarray, share: float) -> np.ndarray | None:
    labels, count = ndimage.label(above(values, share), structure=_EIGHT_NEIGHBOURS)
    if not count:
        return None
    numbers = np.arange(1, count + 1)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    peaks = ndimage.maximum(np.nan_to_num(values), labels, numbers)
    best = max(numbers, key=lambda number: (sizes[number - 1], peaks[number - 1]))
    return labels == best
