"""Padding: how many cells are added on each side of a picture, and what stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

AxisPadding = str | int | tuple[int, int]
Padding = str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
PaddingMode = Literal["zeros", "reflect", "edge", "circular"]
PADDING_MODES: dict[str, str] = {"zeros": "constant", "reflect": "reflect", "edge": "edge", "circular": "wrap"}


def padding_amounts(
    padding: AxisPadding, size: int, kernel_size: int, strides: int = 1, dilation_rate: int = 1
) -> tuple[int, int]:
    """Return how many cells are added before and after one axis.

    "same" is TensorFlow's rule: as many as give ⌈size / strides⌉ outputs, an odd one behind. "causal" puts all
    before, so that no output sees what comes after it.

    Args:
        padding: "valid", "same", "causal", a number for both sides, or (before, after).
        size: cells of the input along the axis.
        kernel_size: cells of the kernel.
        strides: step of the window.
        dilation_rate: distance between neighbouring weights.

    Raises:
        ValueError: for another name, or negative amounts.
    """
    spanned = dilation_rate * (kernel_size - 1) + 1
    if isinstance(padding, str):
        if padding == "valid":
            return 0, 0
        if padding == "causal":
            return spanned - 1, 0
        if padding == "same":
            total = max(0, (-(-size // strides) - 1) * strides + spanned - size)
            return total // 2, total - total // 2
        raise ValueError(f'padding is "valid", "same", "causal" or a number of cells, not {padding!r}')
    before, after = (padding, padding) if isinstance(padding, int | np.integer) else padding
    if before < 0 or after < 0:
        raise ValueError(f"{min(before, after)} cells of padding: a picture cannot be padded by less than nothing")
    return int(before), int(after)


def axis_paddings(padding: Padding) -> tuple[AxisPadding, AxisPadding]:
    """Return the padding of rows and of columns."""
    if isinstance(padding, str | int | np.integer):
        return padding, padding  # type: ignore[return-value]
    rows, columns = padding
    return rows, columns


def pad(x: np.ndarray, amounts: Sequence[tuple[int, int]], padding_mode: str = "zeros") -> np.ndarray:
    """Return `x` `(h, w, c)` with (before, after) cells added along rows and columns.

    Args:
        x: the picture.
        amounts: for rows and for columns.
        padding_mode: "zeros"; "reflect" mirrors without repeating the edge; "edge" repeats it; "circular" wraps round.

    Raises:
        ValueError: for another mode, or where the picture is too small to be mirrored or wrapped that far.
    """
    if padding_mode not in PADDING_MODES:
        raise ValueError(f"padding_mode is one of {', '.join(PADDING_MODES)}, not {padding_mode!r}")
    for (before, after), size in zip(amounts, x.shape, strict=False):
        if padding_mode == "reflect" and max(before, after) >= size:
            raise ValueError(f"reflecting {max(before, after)} cells needs more than that; the input has {size}")
        if padding_mode == "circular" and max(before, after) > size:
            raise ValueError(f"wrapping {max(before, after)} cells round needs as many; the input has {size}")
    if not any(map(any, amounts)):
        return x
    widths = [*amounts, *[(0, 0)] * (x.ndim - len(amounts))]
    return np.pad(x, widths, mode=PADDING_MODES[padding_mode])  # type: ignore[call-overload]
