"""Where a person thinks the network looks, against where a map says it does."""

from __future__ import annotations

import numpy as np


def agreement_with(painted: np.ndarray, values: np.ndarray) -> float:
    """Return how well a painted guess meets a map: the IoU of the painted cells with as many of the map's highest.

    Both areas have the same size, so that neither a timid nor a generous brush decides. The map is averaged over
    the cells of the painting; of equal cells the first ones count.

    Args:
        painted: bool (rows, columns), the painted cells.
        values: float (h, w), the map over the same picture; not-a-number counts as lowest.

    Returns:
        0 (nothing in common) to 1 (the same cells); NaN if nothing is painted.
    """
    painted = np.asarray(painted, bool)
    count = int(painted.sum())
    if not count:
        return float("nan")
    cells = averaged(np.nan_to_num(np.asarray(values, np.float64), nan=-np.inf, neginf=-1e300), painted.shape)
    top = np.zeros(painted.size, bool)
    top[np.argsort(-cells.ravel(), kind="stable")[:count]] = True
    both = top.reshape(painted.shape) & painted
    return float(both.sum() / (2 * count - both.sum()))


def by_chance(painted: np.ndarray) -> float:
    """Return the IoU that as many cells drawn at random would have on average, to first order.

    With a share p painted, a random area of the same size meets p of it: IoU p / (2 − p).
    """
    share = float(np.mean(np.asarray(painted, bool)))
    return share / (2 - share)


def averaged(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return a map (h, w) as means over a grid of cells; sizes need not divide."""
    rows = np.linspace(0, values.shape[0], shape[0] + 1).round().astype(int)
    columns = np.linspace(0, values.shape[1], shape[1] + 1).round().astype(int)
    return np.array(
        [
            [values[top : max(top + 1, bottom), left : max(left + 1, right)].mean() for left, right in _pairs(columns)]
            for top, bottom in _pairs(rows)
        ]
    )


def _pairs(edges: np.ndarray) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]
