"""One step of a layer as a line of text: what is multiplied, what is added, what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.convolution.tracing import Trace

PieceRole = Literal["", "input", "padding", "weight", "output"]

ACTIVATION_WORDS = {
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
}
"""Activations by Keras' names, as the field writes them."""


@dataclass(frozen=True)
class Piece:
    """A piece of the line.

    Attributes:
        text: what is printed.
        role: which quantity it is, and so its hue; "" for signs.
        cell: flat number of its source cell, weight or target cell, by role; −1 for signs.
    """

    text: str
    role: PieceRole = ""
    cell: int = -1


def number_text(value: float) -> str:
    """Return a number as it is printed: whole ones in full, others with four significant digits, "−" as minus."""
    value = float(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    # Rounding in the last bits, from adding up tenths, is not worth a digit.
    nearest = round(value)
    if size < 1e9 and abs(value - nearest) <= 1e-9 * max(1.0, size):
        return str(nearest).replace("-", "−")
    if size >= 1e9 or size < 1e-3:
        return f"{value:.2e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "−")
    text = f"{value:.{max(1, shown_decimals(value))}f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def shown_decimals(value: float) -> int:
    """Return how many decimals four significant digits of `value` leave, at least 0."""
    return max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0


def activation_word(name: str) -> str:
    """Return an activation as the field writes it: "ReLU", "tanh"."""
    return ACTIVATION_WORDS.get(name, name)


def is_average(trace: Trace, cell: int) -> bool:
    """Return whether a target cell is the plain mean of its terms."""
    here = slice(int(trace.starts[cell]), int(trace.starts[cell + 1]))
    factors, weights = trace.factors[here], trace.weight_cells[here]
    count = factors.size
    return trace.rule == "sum" and count > 1 and bool((weights < 0).all()) and bool(np.allclose(factors, 1 / count))


def pieces(trace: Trace, cell: int, *, most: int = 27) -> tuple[Piece, ...]:
    """Return the line for one target cell, piece by piece.

    Args:
        trace: the operation.
        cell: flat number of the target cell.
        most: above so many terms, products of 0 are only counted, and what is still too much is left out in the
            middle.
    """
    start, stop = int(trace.starts[cell]), int(trace.starts[cell + 1])
    channel = cell % trace.target.shape[-1]
    before, value = float(trace.before.flat[cell]), float(trace.target.flat[cell])
    if trace.operation == "activation" and stop - start == 1:
        source = _source(trace, start)
        return (Piece(activation_word(trace.activation) + "("), source, Piece(") = "), _output(value, cell))
    line: list[Piece] = []
    bias = 0.0 if trace.bias is None else float(trace.bias[channel])
    if stop == start and before != bias:
        # The next layer's padding, which stands on the board that this one makes.
        return (Piece("padding = "), _output(value, cell))
    if stop == start:
        line.append(Piece("no term reaches this cell"))
    elif trace.rule in ("max", "min"):
        line += [Piece(f"{trace.rule}("), *_listed(trace, start, stop, most), Piece(")")]
    elif trace.rule == "l2":
        line += [Piece("√("), *_added(trace, start, stop, most, squared=True), Piece(")")]
    elif is_average(trace, cell):
        line += [Piece("("), *_added(trace, start, stop, most), Piece(f") / {stop - start}")]
    else:
        line += _added(trace, start, stop, most)
    if bias:
        line.append(Piece(" − " if bias < 0 else " + "))
        line.append(Piece(number_text(abs(bias)) + " (bias)", "weight"))
    line.append(Piece(" = "))
    if trace.activation == "linear":
        return (*line, _output(value, cell))
    return (
        *line,
        Piece(number_text(before)),
        Piece(f"; {activation_word(trace.activation)}({number_text(before)}) = "),
        _output(value, cell),
    )


def sum_text(trace: Trace, cell: int, *, most: int = 27) -> str:
    """Return the line for one target cell as plain text: "1 × 2 + 3 × (−1) + 1 (bias) = 0"."""
    return "".join(piece.text for piece in pieces(trace, cell, most=most))


def stamp_pieces(trace: Trace, source_cell: int, terms: np.ndarray) -> tuple[Piece, ...]:
    """Return the line for one source cell that is multiplied into many targets.

    Args:
        trace: the operation.
        source_cell: flat number of the source cell.
        terms: numbers of its terms.
    """
    value = Piece(number_text(float(trace.source.flat[source_cell])), "input", source_cell)
    count = len(terms)
    if count == 0:
        return (value, Piece(" reaches no output"))
    cells = "1 output cell" if count == 1 else f"{count} output cells"
    return (value, Piece(" × "), Piece("each weight", "weight"), Piece(" is added to "), Piece(cells, "output"))


def _output(value: float, cell: int) -> Piece:
    return Piece(number_text(value), "output", cell)


def _source(trace: Trace, term: int, *, bracketed: bool = False) -> Piece:
    cell = int(trace.sources[term])
    text = number_text(float(trace.source.flat[cell]))
    role: PieceRole = "input" if trace.own.flat[cell // trace.source.shape[-1]] else "padding"
    return Piece(f"({text})" if bracketed and text.startswith("−") else text, role, cell)


def _kept(trace: Trace, start: int, stop: int, most: int) -> tuple[list[int], int, int]:
    """Return the terms to print, after how many of them some are left out (−1: none), and how many zeros are not."""
    terms = list(range(start, stop))
    zeros = 0
    if len(terms) > most:
        products = trace.source.reshape(-1)[trace.sources[start:stop]] * trace.factors[start:stop]
        if trace.rule in ("sum", "l2"):
            telling = [start + int(i) for i in np.flatnonzero(products)] or terms[:1]
            zeros = len(terms) - len(telling)
            terms = telling
    if len(terms) <= most:
        return terms, -1, zeros
    front = most * 2 // 3
    return terms[:front] + terms[front - most :], front, zeros


def _listed(trace: Trace, start: int, stop: int, most: int) -> list[Piece]:
    terms = list(range(start, stop))
    if len(terms) > most:
        # The one that decides is never left out.
        decided = int(trace.decided[np.searchsorted(trace.starts, start, side="right") - 1])
        front = most // 2
        terms = sorted({*terms[:front], decided, *terms[front + 1 - most :]})
    line: list[Piece] = []
    for before, term in zip([start - 1, *terms], terms, strict=False):
        line.append(Piece(("" if term == start else ", ") + ("" if term == before + 1 else "…, ")))
        line.append(_source(trace, term))
    return line[1:]


def _added(trace: Trace, start: int, stop: int, most: int, *, squared: bool = False) -> list[Piece]:
    terms, gap, zeros = _kept(trace, start, stop, most)
    plain = squared or bool((trace.weight_cells[start:stop] < 0).all())
    line: list[Piece] = []
    for place, term in enumerate(terms):
        line.append(Piece((" + … + " if place == gap else " + ") if place else ""))
        line.append(_source(trace, term, bracketed=squared or place > 0))
        if squared:
            line.append(Piece("²"))
        elif not plain:
            text = number_text(float(trace.factors[term]))
            line.append(Piece(" × "))
            line.append(Piece(f"({text})" if text.startswith("−") else text, "weight", int(trace.weight_cells[term])))
    if zeros:
        line.append(Piece(f" + {zeros} {'product' if zeros == 1 else 'products'} of 0"))
    return line[1:]
