"""Backpropagation by hand through the lectures' network: two inputs, two hidden sigmoids, one or two outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.gradient_flow.activations import sigmoid
from explorer.gradient_flow.by_hand import Book, Kind, Piece, Place, Walk, descent_note, index, loss_again, number

TRAINED = ("v", "c", "w", "b")
"""What gradient descent changes, in the order of the way back."""


def sigmoid_parameters(seed: int | None = None, outputs: int = 2) -> dict[str, np.ndarray]:
    """Return numbers to put into the sigmoid network.

    Args:
        seed: of random ones, of spread 1; None for the round ones that the scene opens with.
        outputs: 1 or 2.

    Returns:
        "x" (2,), "w" (2, 2) with row h and column i, "b" (2,), "v" (outputs, 2), "c" (outputs,), "t" (outputs,).
    """
    if seed is None:
        return {
            "x": np.array([0.5, -1.0]),
            "w": np.array([[0.8, 0.2], [-0.4, 0.6]]),
            "b": np.array([0.1, -0.1]),
            "v": np.array([[1.0, -0.5], [0.3, 0.7]])[:outputs],
            "c": np.array([0.2, -0.3])[:outputs],
            "t": np.array([1.0, 0.0])[:outputs],
        }
    random = np.random.default_rng(seed)
    found = {
        "x": random.standard_normal(2),
        "w": random.standard_normal((2, 2)),
        "b": random.standard_normal(2),
        "v": random.standard_normal((outputs, 2)),
        "c": random.standard_normal(outputs),
        "t": np.eye(2)[random.integers(2)][:outputs],
    }
    return {name: np.round(values, 2) for name, values in found.items()}


def sigmoid_loss(p: Mapping[str, np.ndarray]) -> float:
    """Return ½ Σ (o − t)² of the sigmoid network."""
    hidden = sigmoid(p["w"] @ p["x"] + p["b"])
    return float(0.5 * np.sum((sigmoid(p["v"] @ hidden + p["c"]) - p["t"]) ** 2))


def sigmoid_walk(p: Mapping[str, np.ndarray], rate: float = 0.5) -> Walk:
    """Return every step of two inputs, two hidden sigmoids and one or two sigmoid outputs under squared error.

    Args:
        p: as of `sigmoid_parameters`.
        rate: of the step of gradient descent.
    """
    z = p["w"] @ p["x"] + p["b"]
    h = sigmoid(z)
    s = p["v"] @ h + p["c"]
    o = sigmoid(s)
    at_o = o - p["t"]
    at_s = at_o * o * (1 - o)
    at_h = p["v"].T @ at_s
    at_z = at_h * h * (1 - h)
    gradients = {
        "v": np.outer(at_s, h), "c": at_s, "w": np.outer(at_z, p["x"]), "b": at_z, "x": p["w"].T @ at_z
    }  # fmt: skip
    trained = {name: p[name] - rate * gradients[name] for name in TRAINED}
    before, after = sigmoid_loss(p), sigmoid_loss({**p, **trained})
    book = Book()
    _boards(book, p, {"z": z, "h": h, "s": s, "o": o, "loss": np.array([before])})
    for name, values in (("o", at_o), ("s", at_s), ("v", gradients["v"]), ("c", gradients["c"]), ("h", at_h),
                         ("z", at_z), ("w", gradients["w"]), ("b", gradients["b"])):  # fmt: skip
        book.board(f"at_{name}", f"∂L/∂{name}", "gradient", values if values.ndim == 2 else values[:, None])
    for name, values in trained.items():
        letters = book.boards[name].labels
        book.board(f"new_{name}", f"New {name}", "weight", values if values.ndim == 2 else values[:, None], letters)
    book.board("loss_after", "Loss after", "activation", np.array([after]), ["L"])
    outputs = len(p["c"])
    _forward(book, outputs)
    _backward_output(book, outputs)
    _backward_hidden(book, outputs)
    for name in TRAINED:
        book.descend("Gradient descent", name, f"new_{name}", f"at_{name}", rate)
    loss_again(book, after, before, [f"new_{name}" for name in TRAINED])
    return Walk(book.boards, tuple(book.steps), before, after, gradients, descent_note(before, after, rate, gradients))


_TITLES = {
    "x": "Input x", "w": "Weights w", "b": "Biases b", "z": "z = wx + b", "h": "h = σ(z)", "v": "Weights v",
    "c": "Biases c", "s": "s = vh + c", "o": "o = σ(s)", "t": "Target t", "loss": "Loss L",
}  # fmt: skip
_KINDS: dict[str, Kind] = {"x": "input", "t": "input", "w": "weight", "b": "weight", "v": "weight", "c": "weight"}


def _boards(book: Book, p: Mapping[str, np.ndarray], computed: Mapping[str, np.ndarray]) -> None:
    """Add the boards of what goes forward."""
    for name, title in _TITLES.items():
        values = p[name] if name in p else computed[name]
        if values.ndim == 2:
            letters = [f"{name}{index(row, column)}" for row, column in np.ndindex(values.shape)]
        else:
            letters = ["L"] if name == "loss" else [f"{name}{index(row)}" for row in range(len(values))]
            values = values[:, None]
        book.board(name, title, _KINDS.get(name, "activation"), values, letters, given=name in p)


def _sigmoid_of(book: Book, phase: str, source: Place, target: Place, name: str, of: str) -> None:
    value = (number(book.value(source)), "activation")
    book.step(phase, target, f"{name} = σ({of})", [("σ(", ""), value, (")", "")], [source])


def _forward(book: Book, outputs: int) -> None:
    phase = "Forward: hidden layer"
    for i in range(2):
        n = index(i)
        book.products(phase, ("z", i), f"z{n} = w{n}₁ x₁ + w{n}₂ x₂ + b{n}",
                      [(("w", 2 * i + j), ("x", j)) for j in range(2)], ("b", i))  # fmt: skip
        _sigmoid_of(book, phase, ("z", i), ("h", i), f"h{n}", f"z{n}")
    phase = "Forward: output"
    for k in range(outputs):
        n = index(k)
        book.products(phase, ("s", k), f"s{n} = v{n}₁ h₁ + v{n}₂ h₂ + c{n}",
                      [(("v", 2 * k + i), ("h", i)) for i in range(2)], ("c", k))  # fmt: skip
        _sigmoid_of(book, phase, ("s", k), ("o", k), f"o{n}", f"s{n}")
    pieces: list[Piece] = [("½ · (", "")]
    for k in range(outputs):
        pieces += [(" + ", "")] if k else []
        pieces += [("(", ""), book.factor(("o", k)), (" − ", ""), book.factor(("t", k)), (")²", "")]
    read = [(name, k) for k in range(outputs) for name in ("o", "t")]
    book.step("Loss", ("loss", 0), "L = ½ Σ (o − t)²", [*pieces, (")", "")], read)


def _slope(book: Book, phase: str, target: Place, above: Place, value: Place, formula: str, note: str = "") -> None:
    """Add a step back through a sigmoid: the gradient above times σ(1 − σ)."""
    pieces = [book.factor(above), (" · ", ""), book.factor(value), (" · (1 − ", ""), book.factor(value), (")", "")]
    book.step(phase, target, formula, pieces, [above, value], note)


def _backward_output(book: Book, outputs: int) -> None:
    phase = "Backward: output"
    for k in range(outputs):
        n = index(k)
        pieces = [book.factor(("o", k)), (" − ", ""), book.factor(("t", k))]
        book.step(phase, ("at_o", k), f"∂L/∂o{n} = o{n} − t{n}", pieces, [("o", k), ("t", k)])
        _slope(book, phase, ("at_s", k), ("at_o", k), ("o", k), f"∂L/∂s{n} = ∂L/∂o{n} · o{n} (1 − o{n})",
               "The sigmoid's slope is σ(1 − σ), at most ¼.")  # fmt: skip
    phase = "Backward: weights of the output"
    for k in range(outputs):
        n = index(k)
        for i in range(2):
            m = index(i)
            book.products(phase, ("at_v", 2 * k + i), f"∂L/∂v{n}{m} = ∂L/∂s{n} · h{m}", [(("at_s", k), ("h", i))])
        book.total(phase, ("at_c", k), f"∂L/∂c{n} = ∂L/∂s{n}", [("at_s", k)])


def _backward_hidden(book: Book, outputs: int) -> None:
    phase = "Backward: hidden layer"
    for i in range(2):
        n = index(i)
        formula = " + ".join(f"v{index(k)}{n} ∂L/∂s{index(k)}" for k in range(outputs))
        book.products(phase, ("at_h", i), f"∂L/∂h{n} = {formula}",
                      [(("v", 2 * k + i), ("at_s", k)) for k in range(outputs)])  # fmt: skip
        _slope(book, phase, ("at_z", i), ("at_h", i), ("h", i), f"∂L/∂z{n} = ∂L/∂h{n} · h{n} (1 − h{n})")
    phase = "Backward: weights of the hidden layer"
    for i in range(2):
        n = index(i)
        for j in range(2):
            m = index(j)
            book.products(phase, ("at_w", 2 * i + j), f"∂L/∂w{n}{m} = ∂L/∂z{n} · x{m}", [(("at_z", i), ("x", j))])
        book.total(phase, ("at_b", i), f"∂L/∂b{n} = ∂L/∂z{n}", [("at_z", i)])
