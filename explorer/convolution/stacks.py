"""Stacks of layers on one axis: one trace for each layer, such that each layer's output is the next one's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.convolution import geometry
from explorer.convolution.geometry import Growth, LayerShape
from explorer.convolution.padding import padding_amounts
from explorer.convolution.stage import Board, Link, Role
from explorer.convolution.tracing import Trace, trace


@dataclass(frozen=True)
class Layer:
    """One layer of a stack.

    Attributes:
        shape: what decides about sizes.
        kernel: `(k,)`; None for a layer without weights, which adds its window up.
        bias: added to each sum.
        activation: Keras' name.
    """

    shape: LayerShape
    kernel: np.ndarray | None = None
    bias: float = 0.0
    activation: str = "linear"


def zeros(shapes: Sequence[LayerShape], grown: Sequence[Growth]) -> list[tuple[int, int]]:
    """Return how many cells of padding stand before and after what each layer reads.

    Args:
        shapes: the layers.
        grown: their growth, the input's first.
    """
    return [
        padding_amounts(layer.padding, before.size, layer.kernel_size, layer.strides, layer.dilation_rate)
        for layer, before in zip(shapes, grown, strict=False)
    ]


def traces(x: np.ndarray, layers: Sequence[Layer]) -> list[Trace]:
    """Return the traces of a stack over a sequence `(steps,)`, each padding included.

    The target of a trace is padded as the next layer reads it, so that both can share one board; cells of padding
    have no terms.

    Raises:
        ConvolutionError: if a layer does not fit.
    """
    shapes = [layer.shape for layer in layers]
    pads = [*zeros(shapes, geometry.growth(shapes, x.size)), (0, 0)]
    current = np.asarray(x, dtype=np.float64)
    made: list[Trace] = []
    for number, layer in enumerate(layers):
        shape = layer.shape
        weights = np.ones(shape.kernel_size) if layer.kernel is None else layer.kernel
        one = trace(
            "conv1d",
            current[:, None],
            weights[:, None, None],
            np.array([layer.bias]),
            strides=shape.strides,
            padding=pads[number],
            dilation_rate=shape.dilation_rate,
            activation=layer.activation,
        )
        current = one.target.reshape(-1)
        if layer.kernel is None:
            one = replace(one, weights=None, weight_cells=np.full_like(one.weight_cells, -1))
        made.append(_with_padding(one, *pads[number + 1]))
    return made


def _with_padding(traced: Trace, before: int, after: int) -> Trace:
    """Return a trace whose target has cells of padding around it, made of no terms."""
    if not before and not after:
        return traced
    around = ((0, 0), (before, after), (0, 0))
    starts = np.concatenate([np.zeros(before), traced.starts, np.full(after, traced.starts[-1])])
    return replace(
        traced,
        before=np.pad(traced.before, around),
        target=np.pad(traced.target, around),
        starts=starts.astype(np.int32),
        decided=np.pad(traced.decided, (before, after), constant_values=-1),
    )


def layer_board(
    name: str, title: str, values: np.ndarray, padding: tuple[int, int], *, role: Role = "output", **more: object
) -> Board:
    """Return the board of a row `(1, cells, 1)` of which the outer cells are padding."""
    own = np.ones(values.shape[:2], dtype=bool)
    own[:, : padding[0]] = False
    own[:, values.shape[1] - padding[1] :] = False
    return Board(name, title, role, values, own=None if own.all() else own, first=(0, -padding[0]), **more)  # type: ignore[arg-type]


def seen(made: Sequence[Trace], cell: int) -> np.ndarray:
    """Return the cells of the first trace's source that a target cell of the last one sees."""
    cells = np.array([cell])
    for one in reversed(made):
        cells = np.unique(one.sources[np.isin(one.targets, cells)])
    return cells


def paths(made: Sequence[Trace], cell: int) -> np.ndarray:
    """Return how many paths lead from each cell of the first trace's source to a target cell of the last one.

    From padding there are none: what it holds is 0.
    """
    counts: np.ndarray = np.zeros(made[-1].target.size)
    counts[cell] = 1
    for one in reversed(made):
        counts = np.bincount(one.sources, weights=counts[one.targets], minlength=one.source.size)
    return counts.reshape(made[0].source.shape) * made[0].own[..., None]


def reach_text(grown: Growth) -> str:
    """Return how far a cell sees before and after its own time: "← 3 back, 2 ahead →"."""
    before, after = back(grown), ahead(grown)
    return f"{f'← {before}' if before else 'none'} back, {f'{after} ahead →' if after else 'none ahead'}"


def back(grown: Growth) -> int:
    """Return how many steps before its own time a cell sees; the time of cell i is i times the jump."""
    return -grown.start


def ahead(grown: Growth) -> int:
    """Return how many steps after its own time a cell sees."""
    return grown.start + grown.receptive_field - 1


def links(made: Sequence[Trace], names: Sequence[str], kernels: Sequence[str | None], words: str) -> tuple[Link, ...]:
    """Return the links of a stack: `names` are the boards from the input on, `kernels` those of the weights."""
    return tuple(
        Link(one, names[number], names[number + 1], kernels[number], words if kernels[number] else "pooling")
        for number, one in enumerate(made)
    )
