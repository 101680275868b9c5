"""How each cell of a stage looks at one step: lit or pale, known or not yet, and in which shade."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explorer.convolution.stage import Board, Link, Stage


@dataclass
class Look:
    """What is lit on a stage.

    Attributes:
        read: by board, the source cells that the step reads, each with its weight's cell, −1 without one.
        used: by board, the weights that it uses.
        made: by board, the cells that it makes.
        stamped: by board, the weight that a step by source cells brings to each cell that it makes.
        decided: by board, the source cells that are a maximum or minimum.
        known: by board, bool `(cells,)`: what has been computed so far; all of a board that is not named.
        partial: by board, float64 `(cells,)`: numbers so far, where they are not yet the final ones.
    """

    read: dict[str, dict[int, int]] = field(default_factory=dict)
    used: dict[str, set[int]] = field(default_factory=dict)
    made: dict[str, set[int]] = field(default_factory=dict)
    stamped: dict[str, dict[int, int]] = field(default_factory=dict)
    decided: dict[str, set[int]] = field(default_factory=dict)
    known: dict[str, np.ndarray] = field(default_factory=dict)
    partial: dict[str, np.ndarray] = field(default_factory=dict)

    def pairs(self) -> set[tuple[str, int]]:
        """Return all lit source and target cells with their boards."""
        lit = {(board, cell) for board, cells in self.read.items() for cell in cells}
        return lit | {(board, cell) for board, cells in self.made.items() for cell in cells}


def terms_of(stage: Stage, step: int) -> np.ndarray:
    """Return the numbers of the terms that a step goes through."""
    trace = stage.links[stage.steps.link].trace
    cell = int(stage.steps.order[step])
    if stage.steps.by == "target":
        return np.arange(trace.starts[cell], trace.starts[cell + 1])
    return np.flatnonzero(trace.sources == cell)


def look_at(stage: Stage, step: int | None) -> Look:
    """Return what is lit at a step of a stage that has been computed; nothing without a step."""
    look = Look()
    if step is None or not stage.links or not 0 <= step < len(stage.steps.order):
        return look
    link = stage.links[stage.steps.link]
    cell = int(stage.steps.order[step])
    terms = terms_of(stage, step)
    _light(look, link, terms)
    if stage.steps.by == "target":
        look.made.setdefault(link.target, set()).add(cell)
    else:
        targets = np.searchsorted(link.trace.starts, terms, side="right") - 1
        look.stamped[link.target] = dict(zip(targets.tolist(), link.trace.weight_cells[terms].tolist(), strict=True))
        look.read[link.source] = {cell: -1}
    if stage.layout == "stack":
        _light_what_it_sees(look, stage, link.source)
    return look


def _light(look: Look, link: Link, terms: np.ndarray) -> None:
    """Light the source cells, weights and target cells of terms of a link."""
    trace = link.trace
    cells, weights = trace.sources[terms].tolist(), trace.weight_cells[terms].tolist()
    targets = np.searchsorted(trace.starts, terms, side="right") - 1
    if terms.size:
        look.read.setdefault(link.source, {}).update(zip(cells, weights, strict=True))
        look.made.setdefault(link.target, set()).update(targets.tolist())
    if link.weights is not None:
        look.used.setdefault(link.weights, set()).update(weight for weight in weights if weight >= 0)
    decided = trace.decided[targets]
    if terms.size and trace.rule in ("max", "min"):
        look.decided.setdefault(link.source, set()).update(trace.sources[decided[decided >= 0]].tolist())


def _light_what_it_sees(look: Look, stage: Stage, board: str) -> None:
    """Follow a lit board back through the layers below it."""
    for link in reversed(stage.links):
        if link.target != board:
            continue
        starts = link.trace.starts
        terms = [np.arange(starts[cell], starts[cell + 1]) for cell in look.read.get(board, {})]
        _light(look, link, np.concatenate(terms) if terms else np.zeros(0, np.int64))
        if link.source != board:
            _light_what_it_sees(look, stage, link.source)


def look_so_far(stage: Stage, step: int) -> Look:
    """Return what is lit at a step of a running animation: what comes later is not known yet."""
    look = look_at(stage, step)
    link = stage.links[stage.steps.link]
    done = stage.steps.order[: step + 1]
    if stage.steps.by == "target":
        known = np.zeros(link.trace.target.size, bool)
        known[done] = True
        # Cells that the animation does not go through have been there before it.
        known[np.setdiff1d(np.arange(known.size), stage.steps.order)] = True
    else:
        known = np.full(link.trace.target.size, step + 1 >= len(stage.steps.order))
        look.partial[link.target] = _stamped(link, done)
    look.known[link.target] = known
    pending = [link.target]
    while pending:
        name = pending.pop()
        for after in (one for one in stage.links if one.source == name and one.target not in look.known):
            look.known[after.target] = _follows(after, look.known[name])
            pending.append(after.target)
    if stage.steps.by == "source":
        # The board itself shows its numbers so far.
        del look.known[link.target]
    return look


def _stamped(link: Link, done: np.ndarray) -> np.ndarray:
    """Return the sums of a link's targets after the source cells `done`."""
    trace = link.trace
    terms = np.isin(trace.sources, done)
    targets = np.repeat(np.arange(trace.target.size), np.diff(trace.starts))[terms]
    if trace.rule != "sum" or len(done) == trace.source.size:
        return np.asarray(trace.target.reshape(-1))
    products = trace.source.reshape(-1)[trace.sources[terms]] * trace.factors[terms]
    sums = np.bincount(targets, products, minlength=trace.target.size)
    if trace.bias is not None:
        sums = sums + np.tile(trace.bias, trace.target.size // trace.bias.size)
    return sums


def _follows(link: Link, known: np.ndarray) -> np.ndarray:
    """Return which target cells are known when these source cells are."""
    unknown = np.concatenate([[0], np.cumsum(~known[link.trace.sources])])
    return np.asarray(unknown[link.trace.starts[1:]] == unknown[link.trace.starts[:-1]])


def windows(board: Board, cells: dict[int, int] | set[int]) -> list[tuple[int, int, int, int, int]]:
    """Return, for each plane, the box around these cells: plane, top, left, bottom, right (included)."""
    _, width, planes = board.values.shape
    boxes: dict[int, list[int]] = {}
    for cell in cells:
        place, plane = divmod(cell, planes)
        row, column = divmod(place, width)
        box = boxes.setdefault(plane, [row, column, row, column])
        box[0], box[1] = min(box[0], row), min(box[1], column)
        box[2], box[3] = max(box[2], row), max(box[3], column)
    return [(plane, *box) for plane, box in sorted(boxes.items())]  # type: ignore[misc]
