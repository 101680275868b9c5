"""Parts that several scenes are made of: boards of a trace, the order of steps, how much fits a stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.convolution.formulas import size_text
from explorer.convolution.stage import Board, Fact, Role, Steps
from explorer.convolution.sum_line import ACTIVATION_WORDS
from explorer.convolution.tracing import Trace

MOST_TERMS = 16_000
"""Products on one stage: what the browser gets in one message of 300 KB."""

MOST_CELLS = 1_600
"""Cells on one stage: what it draws without a hitch."""
MOST_NUMBERS = 600
"""More edited numbers would make a link longer than 4 KB."""

ACTIVATIONS = {"linear": "None", **ACTIVATION_WORDS}
PADDINGS = {"valid": "none (valid)", "same": "same", "explicit": "a number"}
PADDING_MODES = {"zeros": "zeros", "reflect": "reflected", "edge": "edge repeated", "circular": "wrapped around"}


def too_much(terms: int, cells: int, numbers: int = 0) -> str | None:
    """Return the sentence why a stage would be too large, or its link too long, or None.

    Args:
        terms: products that are traced.
        cells: cells on all boards.
        numbers: cells that can be edited, which a link carries.
    """
    if terms > MOST_TERMS:
        return f"that makes {terms:,} products; the stage shows {MOST_TERMS:,} at most"
    if cells > MOST_CELLS:
        return f"that makes {cells:,} cells; the stage shows {MOST_CELLS:,} at most"
    if numbers > MOST_NUMBERS:
        return f"that makes {numbers:,} numbers to edit; a link carries {MOST_NUMBERS:,} at most"
    return None


def shape_text(values: np.ndarray) -> str:
    """Return the size of a board as its title gives it, planes left out where there is one."""
    shape = values.shape if values.shape[2] > 1 else values.shape[:2]
    return size_text(shape)


def source_board(trace: Trace, name: str, title: str, *, role: Role = "input", **more: Any) -> Board:
    """Return the board of what a trace reads; its title gets the size without padding and inserted zeros."""
    inside = trace.source[np.ix_(trace.own.any(axis=1), trace.own.any(axis=0))]
    own = None if trace.own.all() else trace.own
    return Board(
        name,
        f"{title} {shape_text(inside)}",
        role,
        trace.source,
        own=own,
        first=trace.first,
        every=trace.every,
        **more,
    )


def kernel_board(name: str, title: str, weights: np.ndarray, **more: Any) -> Board:
    """Return the board of a kernel of 2 to 4 axes; all axes after the second one become planes."""
    planes = weights.reshape(*weights.shape[:2], -1)
    return Board(name, f"{title} {shape_text(planes)}", "weight", planes, **({"shaded": True} | more))


def target_board(trace: Trace, name: str, title: str, *, role: Role = "output", **more: Any) -> Board:
    """Return the board of what a trace makes."""
    return Board(name, f"{title} {shape_text(trace.target)}", role, trace.target, **more)


def by_row(trace: Trace, link: int = 0, plane_names: tuple[str, ...] = ()) -> Steps:
    """Return the steps through all target cells, one filter after the other, each row by row."""
    height, width, filters = trace.target.shape
    numbers = np.arange(trace.target.size, dtype=np.int32).reshape(height, width, filters)
    order = np.moveaxis(numbers, 2, 0).reshape(-1)
    if filters == 1:
        marks = tuple((row * width, f"row {row + 1}") for row in range(height))
    else:
        names = plane_names or tuple(f"filter {number + 1}" for number in range(filters))
        marks = tuple((number * height * width, name) for number, name in enumerate(names))
    return Steps(link, "target", order, marks)


def size_fact(trace: Trace, calculation: str, label: str = "Output") -> Fact:
    """Return the fact of the output's size that *Predict first* asks for."""
    size = trace.target.shape[:2]
    return Fact(label, size_text(size), calculation, "size", tuple(float(part) for part in size))


def count_text(count: int) -> str:
    """Return a count as a student reads it: 960, 25.6 k, 138.4 M."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if count >= limit:
            return f"{count / (1000 if unit == 'k' else limit):.1f} {unit}"
    return f"{count:,}"


def has(values: np.ndarray | None, numbers: np.ndarray) -> bool:
    """Return whether a grid holds exactly these numbers."""
    return values is not None and values.shape == numbers.shape and bool(np.array_equal(values, numbers))


def single_terms(
    source: np.ndarray,
    own: np.ndarray,
    shape: tuple[int, int, int],
    targets: Iterable[int],
    sources: Iterable[int],
    *,
    first: tuple[int, int] = (0, 0),
    every: tuple[int, int] = (1, 1),
) -> Trace:
    """Return the trace of cells that are only moved: each target cell is one source cell, or 0 where none goes.

    Args:
        source: `(h, w, c)`.
        own: bool `(h, w)` of the source.
        shape: of the target.
        targets: ascending flat numbers of the target cells that get one.
        sources: flat numbers of the source cells that they get.
        first: of the source.
        every: of the source.
    """
    targets, sources = np.fromiter(targets, dtype=np.int64), np.fromiter(sources, dtype=np.int32)
    counts = np.zeros(int(np.prod(shape)), dtype=np.int64)
    counts[targets] = 1
    target = np.zeros(shape)
    target.reshape(-1)[targets] = source.reshape(-1)[sources]
    return Trace(
        operation="conv2d",
        source=source,
        own=own,
        first=first,
        every=every,
        weights=None,
        bias=None,
        before=target,
        target=target,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        sources=sources,
        weight_cells=np.full(sources.size, -1, dtype=np.int32),
        factors=np.ones(sources.size),
        decided=np.full(counts.size, -1, dtype=np.int32),
    )


def without_padding(traced: Trace) -> Trace:
    """Return a trace whose source has no padding: terms that read zeros out of it are left out.

    A board that one link makes and another reads can have no padding of its own.
    """
    rows, columns = np.flatnonzero(traced.own.any(axis=1)), np.flatnonzero(traced.own.any(axis=0))
    if rows.size == traced.own.shape[0] and columns.size == traced.own.shape[1]:
        return traced
    numbers = np.full(traced.source.shape, -1, dtype=np.int32)
    source = np.ascontiguousarray(traced.source[np.ix_(rows, columns)])
    numbers[np.ix_(rows, columns)] = np.arange(source.size, dtype=np.int32).reshape(source.shape)
    sources = numbers.reshape(-1)[traced.sources]
    kept = sources >= 0
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int32)
    decided = np.where(traced.decided >= 0, before[np.maximum(traced.decided, 0)], -1).astype(np.int32)
    return replace(
        traced,
        source=source,
        own=np.ones(source.shape[:2], dtype=bool),
        first=(0, 0),
        starts=before[traced.starts],
        sources=sources[kept],
        weight_cells=traced.weight_cells[kept],
        factors=traced.factors[kept],
        decided=decided,
    )
