"""Where a person thinks the network looks, against where a map says it does."""

from __future__ import annotations

import numpy as np


def agreement_with(painted: np.ndarray, values: np.ndarray) -> float:
    """Return how well a painted guess meets a map: the IoU of the painted cells with as many of the map's highest.

    Both areas have the same size, so that neither a timid nor a generous brush decides. The map is averaged over
    the cells of the painting; which of equal cells count is drawn at random, the same way each time.

    Args:
        painted: bool (rows, columns), the painted cells.
        values: float (h, w), the map over the same picture; a cell with a value that is none counts as lowest.

    Returns:
        0 (nothing in common) to 1 (the same cells); NaN if nothing is painted, or the map is the same everywhere and
        so says of no cell that it is higher.
    """
    painted = np.asarray(painted, bool)
    count = int(painted.sum())
    values = np.asarray(values, np.float64)
    finite = values[np.isfinite(values)]
    if not count or not finite.size or (finite.size == values.size and finite.min() == finite.max()):
        return float("nan")
    lowest, span = finite.min(), float(np.ptp(finite)) or 1.0
    # Rounded, so that means of the same values over cells of several sizes are equal.
    cells = np.round(averaged((np.where(np.isfinite(values), values, np.nan) - lowest) / span, painted.shape), 9)
    cells = np.nan_to_num(cells, nan=-1.0).ravel()
    top = np.zeros(painted.size, bool)
    top[np.lexsort((np.random.default_rng(0).random(cells.size), -cells))[:count]] = True
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
