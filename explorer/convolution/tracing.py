"""Every step of a layer as plain data: what each output is made of, and what each input and weight reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Rule = Literal["sum", "max", "min", "l2"]


@dataclass(frozen=True)
class Trace:
    """All terms of one operation on one picture.

    A sequence `(steps, channels)` is traced as a picture of height 1. Cells are flat numbers in C order of the
    arrays below. The terms of target cell t are `starts[t]` to `starts[t + 1]`, in the order of summation.

    Attributes:
        operation: "conv2d", "conv2d_transpose", "depthwise_conv2d", "conv1d", "pool2d" or "activation".
        source: float64 `(h, w, c)`: what is read, padding or inserted zeros included.
        own: bool `(h, w)`: False where a source cell is padding or an inserted zero.
        first: number, in the input's own counting, of the source's row and column 0: −1 with one row of padding.
        every: by how many cells the input's own rows and columns are apart (above 1 with inserted zeros).
        weights: the kernel as Keras keeps it (flipped where it is applied flipped), or None.
        bias: float64 `(channels of the target,)` or None.
        before: float64 `(oh, ow, filters)`: sum and bias, before the activation.
        target: float64 like `before`: the result.
        starts: int32 `(targets + 1,)`.
        sources: int32 `(terms,)`: source cell of each term.
        weight_cells: int32 `(terms,)`: cell of `weights` of each term, −1 without one.
        factors: float64 `(terms,)`: what the source cell is multiplied by (1 for maximum and minimum, 1/n for the
            average; 1 for L2, whose terms are squared).
        decided: int32 `(targets,)`: the term that is the maximum or minimum; −1 for other rules.
        rule: how terms become one number; "l2" is the root of the sum of squares.
        activation: Keras' name of the activation, "linear" for none.
    """

    operation: str
    source: np.ndarray
    own: np.ndarray
    first: tuple[int, int]
    every: tuple[int, int]
    weights: np.ndarray | None
    bias: np.ndarray | None
    before: np.ndarray
    target: np.ndarray
    starts: np.ndarray
    sources: np.ndarray
    weight_cells: np.ndarray
    factors: np.ndarray
    decided: np.ndarray
    rule: Rule = "sum"
    activation: str = "linear"
