"""Every step of a stage as a table for a spreadsheet: one line for each term of each sum."""

from __future__ import annotations

import csv as csv_format
import io

import numpy as np

from explorer.convolution.stage import Board, Link, Stage
from explorer.convolution.tracing import Trace

COLUMNS = (
    "operation",
    "step",
    "target",
    "target_row",
    "target_column",
    "target_channel",
    "term",
    "source",
    "source_row",
    "source_column",
    "source_channel",
    "padding",
    "source_value",
    "weight_row",
    "weight_column",
    "weight_channel",
    "weight_filter",
    "factor",
    "product",
    "running",
    "bias",
    "before_activation",
    "activation",
    "value",
)
"""What each line holds.

Rows, columns, channels and steps count from 0, as in NumPy. Padding has negative numbers or numbers past the end; a
zero inserted between cells 0 and 1 has the number 0.5. `running` is the sum, largest, smallest or root so far;
`bias`, `before_activation`, `activation` and `value` belong to the whole target cell and stand on each of its lines.
"""


def csv(stage: Stage) -> str:
    """Return the table, its first line the names of the columns; about 100 bytes for each term."""
    target = io.StringIO()
    writer = csv_format.writer(target, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for number, link in enumerate(stage.links):
        order = stage.steps.order if number == stage.steps.link else np.zeros(0, dtype=np.int64)
        by_source = number == stage.steps.link and stage.steps.by == "source"
        writer.writerows(zip(*_columns(stage, link, order, by_source=by_source), strict=True))
    return target.getvalue()


def _columns(stage: Stage, link: Link, order: np.ndarray, *, by_source: bool) -> list[list[object]]:
    trace = link.trace
    targets = np.repeat(np.arange(trace.target.size), np.diff(trace.starts))
    products, running = _products(trace)
    steps_of = np.arange(max(trace.target.size, trace.source.size))
    if order.size:
        steps_of[order] = np.arange(order.size)
    count = len(targets)
    bias = np.zeros(trace.target.shape[-1]) if trace.bias is None else trace.bias
    arrays = [
        steps_of[trace.sources if by_source else targets],
        *_place(stage.board(link.target), targets),
        np.arange(count) - trace.starts[targets],
    ]
    sources = _place(stage.board(link.source), trace.sources)
    padding = ~trace.own.reshape(-1)[trace.sources // trace.source.shape[-1]]
    of_target = [bias[targets % trace.target.shape[-1]], trace.before.reshape(-1)[targets]]
    return [
        [link.words] * count,
        arrays[0].tolist(),
        [link.target] * count,
        *(_plain(array) for array in arrays[1:]),
        [link.source] * count,
        *(_plain(array) for array in sources),
        np.where(padding, "yes", "no").tolist(),
        _plain(trace.source.reshape(-1)[trace.sources]),
        *_weight_places(trace),
        _plain(trace.factors),
        _plain(products),
        _plain(running),
        *(_plain(array) for array in of_target),
        [trace.activation] * count,
        _plain(trace.target.reshape(-1)[targets]),
    ]


def _products(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """Return what each term adds to its sum, and how far the sum is with it, both `(terms,)`."""
    values = trace.source.reshape(-1)[trace.sources]
    products = np.square(values) if trace.rule == "l2" else values * trace.factors
    running = np.empty_like(products)
    accumulate = {"max": np.maximum.accumulate, "min": np.minimum.accumulate}.get(trace.rule, np.add.accumulate)
    for start, stop in zip(trace.starts[:-1].tolist(), trace.starts[1:].tolist(), strict=True):
        running[start:stop] = accumulate(products[start:stop])
    return products, np.sqrt(running) if trace.rule == "l2" else running


def _place(board: Board, cells: np.ndarray) -> list[np.ndarray]:
    _, width, planes = board.values.shape
    rows, columns = np.divmod(cells // planes, width)
    return [
        (rows + board.first[0]) / board.every[0],
        (columns + board.first[1]) / board.every[1],
        cells % planes,
    ]


def _weight_places(trace: Trace) -> list[list[object]]:
    """Return row, column, channel and filter of each term's weight, empty where it has none."""
    if trace.weights is None:
        return [[""] * len(trace.sources)] * 4
    shape = (1,) * (4 - trace.weights.ndim) + trace.weights.shape
    cells = trace.weight_cells
    places = np.unravel_index(np.maximum(cells, 0), shape)
    return [np.where(cells < 0, "", place.astype(str)).tolist() for place in places]


def _plain(array: np.ndarray) -> list[object]:
    """Return numbers as a spreadsheet takes them: whole ones without a point, others with twelve digits."""
    return [int(value) if float(value).is_integer() else float(f"{value:.12g}") for value in array.tolist()]
