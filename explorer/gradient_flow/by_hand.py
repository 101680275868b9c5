"""Backpropagation by hand: two tiny networks, every number forward and backward, one operation at a time.

A `Walk` is a list of boards of numbers and a list of steps; a step writes one number, says which numbers it reads, and
has the formula with these numbers put in. After the way back comes one step of gradient descent, and the loss again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Kind = Literal["input", "weight", "activation", "gradient"]
Place = tuple[str, int]
"""A board's name and the flat number of a cell on it."""

Piece = tuple[str, str]
"""A part of a formula: its text, and the kind of quantity that it is, "" for signs."""

LARGEST = 1000.0
"""The largest magnitude of a number that can be put in."""


@dataclass(frozen=True, eq=False)
class Board:
    """A grid of numbers.

    Attributes:
        name: in steps and links.
        title: on the screen.
        kind: of quantity, which is its colour.
        values: (rows, columns); what the walk computes and what is given alike.
        labels: a letter for each cell, row by row; empty where the place says enough.
        given: whether the numbers are put in and not computed.
        column: what stands in one column of the screen: a quantity, its gradient, its new value.
        row: 0 for what goes forward, 1 for gradients, 2 for what comes after the step of gradient descent.
    """

    name: str
    title: str
    kind: Kind
    values: np.ndarray
    labels: tuple[str, ...] = ()
    given: bool = False
    column: str = ""
    row: int = 0


@dataclass(frozen=True)
class Step:
    """One operation.

    Attributes:
        phase: of the walk, in few words.
        writes: the number that comes out.
        reads: the numbers that go in.
        formula: with letters, in plain text.
        pieces: the same with numbers put in, and the result.
        note: what is worth saying about it; "" for nothing.
    """

    phase: str
    writes: Place
    reads: tuple[Place, ...]
    formula: str
    pieces: tuple[Piece, ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Walk:
    """All of a network's way forward and back.

    Attributes:
        boards: by name, in the order in which they are filled.
        steps: one after another.
        loss: before the step of gradient descent.
        loss_after: after it.
        gradients: of the loss, by the name of what they belong to: arrays shaped as it.
        notes: what is peculiar about these numbers: ties, values at zero, a loss that has grown.
    """

    boards: dict[str, Board]
    steps: tuple[Step, ...]
    loss: float
    loss_after: float
    gradients: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()


def number(value: float) -> str:
    """Return a number as it stands on a board: four decimals at most, a real minus sign."""
    size = abs(value)
    text = f"{value:.2e}" if size >= 1e5 or 0 < size < 5e-5 else f"{value:.4f}".rstrip("0").rstrip(".")
    return ("0" if text in ("", "-0") else text).replace("-", "−")


def _wrapped(value: float) -> str:
    """Return a number as a factor: a negative one in brackets."""
    return f"({number(value)})" if value < 0 else number(value)


@dataclass(eq=False)
class Book:
    """Boards and steps as they come, while a walk is written."""

    boards: dict[str, Board] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def board(
        self, name: str, title: str, kind: Kind, values: np.ndarray, labels: Sequence[str] = (), *, given: bool = False,
    ) -> None:  # fmt: skip
        """Add a board; a gradient's name begins with "at_", that of a new value with "new_"."""
        shaped = np.atleast_2d(np.asarray(values, float))
        about = name.removeprefix("at_").removeprefix("new_").removesuffix("_after").rstrip("0123456789")
        row = 1 if kind == "gradient" else 2 if name.startswith("new_") or name.endswith("_after") else 0
        self.boards[name] = Board(name, title, kind, shaped, tuple(labels), given, about, row)

    def value(self, place: Place) -> float:
        """Return the number at a place."""
        return float(self.boards[place[0]].values.flat[place[1]])

    def factor(self, place: Place) -> Piece:
        """Return a number as a piece of a formula."""
        return _wrapped(self.value(place)), self.boards[place[0]].kind

    def step(
        self, phase: str, writes: Place, formula: str, pieces: Sequence[Piece], reads: Sequence[Place], note: str = ""
    ) -> None:
        """Add a step, with the result at the end of its formula."""
        result = (number(self.value(writes)), self.boards[writes[0]].kind)
        self.steps.append(Step(phase, writes, tuple(reads), formula, (*pieces, (" = ", ""), result), note))

    def products(
        self, phase: str, writes: Place, formula: str, pairs: Sequence[tuple[Place, Place]],
        plus: Place | None = None, note: str = "",
    ) -> None:  # fmt: skip
        """Add a step that is a sum of products and perhaps one summand more."""
        pieces: list[Piece] = []
        for one, other in pairs:
            pieces += [(" + ", "")] if pieces else []
            pieces += [self.factor(one), (" · ", ""), self.factor(other)]
        reads = [place for pair in pairs for place in pair]
        if plus is not None:
            pieces += [(" + ", ""), self.factor(plus)]
            reads.append(plus)
        self.step(phase, writes, formula, pieces, reads, note)

    def total(self, phase: str, writes: Place, formula: str, summands: Sequence[Place], note: str = "") -> None:
        """Add a step that is a sum."""
        pieces: list[Piece] = []
        for place in summands:
            pieces += [(" + ", "")] if pieces else []
            pieces.append(self.factor(place))
        if len(summands) == 1:
            pieces = [(number(self.value(summands[0])), self.boards[summands[0][0]].kind)]
        self.step(phase, writes, formula, pieces, summands, note)

    def descend(self, phase: str, old: str, new: str, gradient: str, rate: float) -> None:
        """Add a step of gradient descent for each number of a board."""
        labels = self.boards[old].labels
        for cell in range(self.boards[old].values.size):
            name = labels[cell] if labels else "w"
            at, slope = (old, cell), (gradient, cell)
            self.step(
                phase, (new, cell), f"{name} ← {name} − η · ∂L/∂{name}",
                [self.factor(at), (" − ", ""), (number(rate), ""), (" · ", ""), self.factor(slope)], [at, slope],
            )  # fmt: skip


SUBSCRIPTS = "₁₂₃₄₅₆₇₈₉"


def index(*numbers: int) -> str:
    """Return small numbers counted from 0 as an index counted from 1."""
    return "".join(SUBSCRIPTS[one] for one in numbers)


def parameter_of(board: str) -> tuple[str, int | None]:
    """Return which parameter the board of that name shows, and which part of it: kernels have a board each."""
    return ("k", int(board[1:])) if board in ("k0", "k1") else (board, None)


def with_edits(parameters: Mapping[str, np.ndarray], edits: Mapping[Place, float]) -> dict[str, np.ndarray]:
    """Return parameters in which single numbers are others.

    Args:
        parameters: of either network.
        edits: a number for each changed cell; what is on no board that is put in, or is too large, is left out. The
            true class counts from 1, as it stands on its board.
    """
    found = {name: np.array(values, float) for name, values in parameters.items()}
    classes = len(found["b"]) if "k" in found else 0
    for (board, cell), value in edits.items():
        name, part = parameter_of(board)
        if name not in found or not (np.isfinite(value) and abs(value) <= LARGEST):
            continue
        values = found[name] if part is None else found[name][part]
        if name == "t" and classes:
            if value not in range(1, classes + 1):
                continue
            value -= 1
        if 0 <= cell < values.size:
            values.reshape(-1)[cell] = value
    return found


def loss_again(book: Book, after: float, before: float, changed: Sequence[str]) -> None:
    """Add the last step: the loss with the new weights.

    Args:
        book: of the walk, in which the board "loss_after" is.
        after: the loss with the new weights.
        before: the loss with the old ones.
        changed: boards of the new weights.
    """
    reads = [(name, cell) for name in changed for cell in range(book.boards[name].values.size)]
    less = "less" if after < before else "no less"
    book.step("Loss after the step", ("loss_after", 0), "L with the new weights, forward once more",
              [("forward once more", "")], reads, f"Before it was {number(before)}: {less} than before.")  # fmt: skip


def descent_note(before: float, after: float, rate: float, gradients: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Say what is peculiar about a step of gradient descent: nothing to learn, a loss that stays or has grown.

    Args:
        before: the loss before it.
        after: the loss after it.
        rate: the learning rate.
        gradients: of what was changed.
    """
    if all(np.all(one == 0) for one in gradients.values()):
        return ("All gradients are zero: nothing can be learnt from here.",)
    if after == before and rate > 0:
        return (
            f"The loss stays at {number(after)} to the last digit: the gradients are so small that the step changes "
            "nothing.",
        )
    if not after < before and rate > 0:
        return (
            f"The loss has not become less ({number(before)} before, {number(after)} after): a learning rate of "
            f"{number(rate)} is too large a step here.",
        )
    return ()
