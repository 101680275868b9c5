"""Which pixels the cells along one axis depend on, from layer to layer: the arithmetic of receptive fields, no Keras.

Not only the size of a field but its two ends are followed, so that branches whose fields lie beside each other are
united and not just compared, and cells of enlarged maps, which do not all look alike, are followed one by one until
they repeat. `explorer.architectures.fields` applies it to Keras' layers, `explorer.architectures.sketch` to layers on
paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

# More cells than this until an enlarged map repeats itself, and the field is not told.
LONGEST_PERIOD = 4096


class Unknown(Exception):
    """Raised where a layer's geometry is not known."""


@dataclass(frozen=True)
class Axis:
    """Which pixels the cells along one axis depend on.

    The cell `k * len(low) + i` depends on the pixels from `low[i] + k * shift` to `high[i] + k * shift`.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    shift: int

    @property
    def size(self) -> int:
        """Pixels that the most far-sighted cell depends on."""
        return max(high - low for low, high in zip(self.low, self.high, strict=True)) + 1

    @property
    def stride(self) -> Fraction:
        """Pixels from one cell to the next, on average."""
        return Fraction(self.shift, len(self.low))

    def first(self, cell: int) -> int:
        """Return the first pixel that a cell depends on; cells beyond the map count as if it went on."""
        turns, place = divmod(cell, len(self.low))
        return self.low[place] + turns * self.shift

    def last(self, cell: int) -> int:
        """Return the last pixel that a cell depends on."""
        turns, place = divmod(cell, len(self.high))
        return self.high[place] + turns * self.shift


PIXELS = Axis((0,), (0,), 1)


def united(first: Axis, second: Axis) -> Axis:
    """Return the axis of cells that depend on what those of two axes depend on.

    Raises:
        Unknown: if the cells of the two do not move on alike.
    """
    if first.stride != second.stride:
        raise Unknown
    period = math.lcm(len(first.low), len(second.low))
    if period > LONGEST_PERIOD:
        raise Unknown
    return Axis(
        tuple(min(first.first(cell), second.first(cell)) for cell in range(period)),
        tuple(max(first.last(cell), second.last(cell)) for cell in range(period)),
        int(first.stride * period),
    )


def moved(axis: Axis, by: int) -> Axis:
    """Return the axis whose cell o is the given one's cell o + by."""
    return reading(axis, 1, Fraction(1), lambda cell: (cell + by, cell + by))


def reading(axis: Axis, period: int, rate: Fraction, reads: Callable[[int], tuple[int, int]]) -> Axis:
    """Return the axis of cells that read from others.

    Args:
        axis: The axis that is read.
        period: After so many cells the reading repeats itself,
        rate: moved by so many cells for each.
        reads: Gives (first, last) cell that a cell reads.

    Raises:
        Unknown: if so many cells differ that it is not told.
    """
    # Repeats only when both repeat: `period * k * rate` cells must be a whole number of the axis' own periods.
    step = period * rate
    assert step.denominator == 1
    own = len(axis.low)
    turns = own // math.gcd(own, int(step)) if step else 1
    length = period * turns
    if length > LONGEST_PERIOD:
        raise Unknown
    ends = [reads(cell) for cell in range(length)]
    return Axis(
        tuple(axis.first(low) for low, _ in ends),
        tuple(axis.last(high) for _, high in ends),
        int(axis.stride * step * turns),
    )


def windowed(axis: Axis, window: int, stride: int, before: int) -> Axis:
    """Return the axis behind a layer whose cell o reads from o * stride - before on.

    Args:
        axis: The axis that is read.
        window: Cells that are read, the holes of a dilation included.
        stride: From one cell's window to the next one's.
        before: Cells of zeros that the first window begins with.
    """
    return reading(
        axis, 1, Fraction(stride), lambda cell: (cell * stride - before, cell * stride - before + window - 1)
    )


def painted(axis: Axis, kernel: int, stride: int, dilation: int, before: int) -> Axis:
    """Return the axis behind a transposed convolution: cell i paints the cells i * stride - before + k * dilation."""

    def reads(cell: int) -> tuple[int, int]:
        painters = [
            (cell + before - k * dilation) // stride
            for k in range(kernel)
            if (cell + before - k * dilation) % stride == 0
        ]
        # A cell that nobody paints (stride larger than the kernel) is given the one before it.
        return (min(painters), max(painters)) if painters else (cell // stride, cell // stride)

    return reading(axis, stride, Fraction(1, stride), reads)
