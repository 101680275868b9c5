"""What stands on the stage: grids of numbers, how they follow from one another, and what is said about them.

Plain data. The browser component draws it and the exports print it; none of them computes a layer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from explorer.convolution.tracing import Trace

Role = Literal["input", "weight", "output"]


@dataclass(frozen=True)
class Board:
    """One grid of numbers.

    Cells are numbered flat, in C order of `values`: `(row * width + column) * planes + plane`.

    Attributes:
        name: unique on its stage.
        title: what stands above it, short: "Input 6 × 6".
        role: which kind of quantity it holds, and so its hue.
        values: float64 `(height, width, planes)`, padding and inserted zeros included. NaN has no number to show.
        own: bool `(height, width)`, False where a cell is padding or an inserted zero; None when all are its own.
        first: row and column number of cell (0, 0) in the array's own counting, before division by `every`.
        every: by how many cells the array's own rows and columns are apart (above 1 with inserted zeros). An own
            cell at board row r has the number `(r + first[0]) / every[0]`.
        plane_names: one for each plane; empty where there is one plane.
        plane_grid: plane numbers as they stand on screen, row by row; empty for all beside each other.
        editable: whether a visitor may change the numbers that are its own.
        shaded: whether each cell has a shade of its own, which the cells that it multiplies take on.
        marked: bool like `values`: cells that are pointed out (those that a shift has changed), or None.
        mark_words: what the mark means, for legend and screen reader.
        stands_for: name of a board of the same size whose cells these are another view of (overlap counts of the
            output): hovering here is hovering there.
        small: draw the cells small and without numbers (matrices).
    """

    name: str
    title: str
    role: Role
    values: np.ndarray
    own: np.ndarray | None = None
    first: tuple[int, int] = (0, 0)
    every: tuple[int, int] = (1, 1)
    plane_names: tuple[str, ...] = ()
    plane_grid: tuple[tuple[int, ...], ...] = ()
    editable: bool = False
    shaded: bool = False
    marked: np.ndarray | None = None
    mark_words: str = ""
    stands_for: str | None = None
    small: bool = False


@dataclass(frozen=True)
class Link:
    """How one board follows from another: a trace whose arrays are boards of the stage.

    Attributes:
        trace: the terms; its source, weights and target cells are counted as those boards count theirs.
        source: board whose cells are read.
        target: board whose cells are made.
        weights: board of the weights, or None where the operation has none.
        words: the operation in a word or two: "convolution", "max pooling", "ReLU".
    """

    trace: Trace
    source: str
    target: str
    weights: str | None = None
    words: str = "convolution"


@dataclass(frozen=True)
class Steps:
    """In which order the animation goes through the terms of one link.

    Attributes:
        link: number of the link in `Stage.links`.
        by: one step for each target cell (a window is summed) or for each source cell (it stamps the kernel).
        order: flat numbers of those cells.
        marks: (step, label) where a row or a filter starts, for the scrub bar.
    """

    link: int
    by: Literal["target", "source"]
    order: np.ndarray
    marks: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Matrix:
    """A board that shows a link as a matrix, lit by the same hover.

    Attributes:
        board: its board, role "weight", `small`, of shape (targets, sources, 1), or its transpose.
        link: number of the link whose terms are its cells.
        transposed: whether rows are source cells and columns target cells.
    """

    board: str
    link: int
    transposed: bool = False


@dataclass(frozen=True)
class Lit:
    """Cells of a board that a letter of the formula stands for."""

    board: str
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Letter:
    """A piece of the formula: plain text, or a letter that lights up what it stands for.

    Attributes:
        text: what is printed.
        meaning: what the letter stands for, with its value: "p: rows of padding on each side = 1"; empty for
            plain text.
        lights: the cells it stands for.
    """

    text: str
    meaning: str = ""
    lights: tuple[Lit, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A number said beside the stage.

    Attributes:
        label: what it counts: "Weights and biases".
        value: as it is printed: "138.4 M".
        exact: the exact number or the calculation behind it: "3 · 3 · 3 · 16 + 16 = 448".
        ask: "size" or "count" where *Predict first* may ask for it.
        answer: the exact number or numbers asked for: (4, 4) for a size.
    """

    label: str
    value: str
    exact: str = ""
    ask: Literal["", "size", "count"] = ""
    answer: tuple[float, ...] = ()


@dataclass(frozen=True)
class Stage:
    """All that one scene shows with one set of numbers.

    Attributes:
        boards: the grids.
        links: how they follow from one another; a board may be target of one link and source of others.
        rows: names of the boards that stand beside each other, row by row.
        steps: what the animation goes through.
        result: name of the board that *Show the code* computes and *Predict first* hides (with all that follow).
        layout: "flow" for boards beside each other; "stack" for one row of cells below the other with the
            connections drawn between them (each board then has height 1 or is drawn as its only row).
        matrices: boards that show a link as a matrix.
        formula: the formula, letter by letter; several lines are separated by a letter whose text is a line feed.
        facts: numbers beside the stage.
        notes: sentences below it ("a well-known slide prints 83 and 127").
    """

    boards: tuple[Board, ...]
    links: tuple[Link, ...]
    rows: tuple[tuple[str, ...], ...]
    steps: Steps
    result: str
    layout: Literal["flow", "stack"] = "flow"
    matrices: tuple[Matrix, ...] = ()
    formula: tuple[Letter, ...] = ()
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def board(self, name: str) -> Board:
        """Return the board of that name."""
        return next(board for board in self.boards if board.name == name)

    def hidden_with_result(self) -> tuple[str, ...]:
        """Return the result board and all boards that follow from it or are views of it."""
        hidden = {self.result}
        for _ in self.boards:
            hidden |= {link.target for link in self.links if link.source in hidden}
            hidden |= {board.name for board in self.boards if board.stands_for in hidden}
        return tuple(board.name for board in self.boards if board.name in hidden)
