"""Backpropagation by hand through a picture of 6 × 6, two filters, ReLU, max pooling, a dense layer and softmax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from explorer.gradient_flow.activations import softmax
from explorer.gradient_flow.backpropagation import (
    convolve,
    convolve_backward,
    cross_entropy,
    dense,
    dense_backward,
    max_pool,
    max_pool_backward,
)
from explorer.gradient_flow.by_hand import Book, Piece, Place, Walk, descent_note, index, loss_again, number

PICTURE_SIDE = 6
KERNEL_SIDE = 3
FILTERS = 2
CLASSES = 3
_MAP_SIDE = PICTURE_SIDE - KERNEL_SIDE + 1
_POOLED_SIDE = _MAP_SIDE // 2
_FEATURES = FILTERS * _POOLED_SIDE**2


def conv_parameters(seed: int | None = None) -> dict[str, np.ndarray]:
    """Return numbers to put into the convolutional network.

    Args:
        seed: of random ones; None for a picture with a vertical edge and two edge detectors, which the scene opens
            with.

    Returns:
        "x" (6, 6), "k" (2, 3, 3), "a" (2,) biases of the filters, "w" (8, 3), "b" (3,), "t" (1,), number of the true
        class.
    """
    random = np.random.default_rng(0 if seed is None else seed)
    weights = np.round(0.3 * random.standard_normal((_FEATURES, CLASSES)), 2)
    if seed is None:
        picture = np.zeros((PICTURE_SIDE, PICTURE_SIDE))
        picture[:, :3] = 1.0
        picture[4:, 3:] = 0.5
        vertical = np.array([[1.0, 0.0, -1.0]] * 3) / 2
        return {
            "x": picture, "k": np.stack([vertical, vertical.T]), "a": np.array([0.0, 0.1]), "w": weights,
            "b": np.zeros(CLASSES), "t": np.array([0.0]),
        }  # fmt: skip
    found = {
        "x": random.uniform(0, 1, (PICTURE_SIDE, PICTURE_SIDE)),
        "k": 0.5 * random.standard_normal((FILTERS, KERNEL_SIDE, KERNEL_SIDE)),
        "a": 0.1 * random.standard_normal(FILTERS),
        "w": weights,
        "b": 0.1 * random.standard_normal(CLASSES),
        "t": np.array([float(random.integers(CLASSES))]),
    }
    return {name: np.round(values, 2) for name, values in found.items()}


def conv_loss(p: Mapping[str, np.ndarray]) -> float:
    """Return the cross-entropy of the convolutional network on its picture."""
    pooled, _ = max_pool(np.maximum(convolve(p["x"], p["k"], p["a"]), 0.0))
    return cross_entropy(dense(pooled.reshape(1, -1), p["w"], p["b"]), _true_class(p))


def _true_class(p: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.array([int(p["t"].flat[0])])


def conv_walk(p: Mapping[str, np.ndarray], rate: float = 0.1) -> Walk:
    """Return every step of 6 × 6 → two filters of 3 × 3 → ReLU → 2 × 2 max pooling → dense → softmax, cross-entropy.

    Args:
        p: as of `conv_parameters`.
        rate: of the step of gradient descent.
    """
    true = int(p["t"].flat[0])
    maps = convolve(p["x"], p["k"], p["a"])
    active = np.maximum(maps, 0.0)
    pooled, which = max_pool(active)
    features = pooled.reshape(1, -1)
    logits = dense(features, p["w"], p["b"])
    probabilities = softmax(logits)[0]
    loss = cross_entropy(logits, _true_class(p))
    at_logits = probabilities - np.eye(CLASSES)[true]
    at_features, at_w, at_b = dense_backward(at_logits[None], features, p["w"])
    at_pooled = at_features.reshape(pooled.shape)
    at_active = max_pool_backward(at_pooled, which)
    at_maps = at_active * (maps > 0)
    at_x, at_k, at_a = convolve_backward(at_maps, p["x"], p["k"])
    gradients = {"x": at_x, "k": at_k, "a": at_a, "w": at_w, "b": at_b}
    trained = {name: p[name] - rate * gradients[name] for name in ("k", "a", "w", "b")}
    after = conv_loss({**p, **trained})

    book = Book()
    _conv_boards(book, p, maps, active, pooled, logits[0], probabilities, loss)
    _conv_gradient_boards(book, at_logits, at_pooled, at_active, at_maps, gradients)
    for filter_ in range(FILTERS):
        book.board(f"new_k{filter_}", f"New kernel {filter_ + 1}", "weight", trained["k"][filter_],
                   _kernel_letters(filter_))  # fmt: skip
    book.board("new_a", "New a", "weight", trained["a"][:, None], [f"a{index(f)}" for f in range(FILTERS)])
    book.board("new_w", "New w", "weight", trained["w"], _dense_letters())
    book.board("new_b", "New b", "weight", trained["b"][:, None], [f"b{index(c)}" for c in range(CLASSES)])
    book.board("loss_after", "Loss after", "activation", np.array([after]), ["L"])
    _conv_forward(book, maps, active, which, true)
    _conv_backward(book, maps, which, true)
    for name, gradient in (("w", "at_w"), ("b", "at_b"), ("k0", "at_k0"), ("k1", "at_k1"), ("a", "at_a")):
        book.descend("Gradient descent", name, f"new_{name}", gradient, rate)
    loss_again(book, after, loss, ["new_w", "new_b", "new_k0", "new_k1", "new_a"])
    notes = (*_peculiar(maps, active), *descent_note(loss, after, rate, {n: gradients[n] for n in trained}))
    return Walk(book.boards, tuple(book.steps), loss, after, gradients, notes)


def _kernel_letters(filter_: int) -> list[str]:
    return [f"k{index(filter_)},{index(r, c)}" for r in range(KERNEL_SIDE) for c in range(KERNEL_SIDE)]


def _dense_letters() -> list[str]:
    return [f"w{index(f, c)}" for f in range(_FEATURES) for c in range(CLASSES)]


def _peculiar(maps: np.ndarray, active: np.ndarray) -> tuple[str, ...]:
    """Say where the derivative is a matter of convention: ties in the pooling, and values of exactly zero."""
    windows = active.reshape(FILTERS, _POOLED_SIDE, 2, _POOLED_SIDE, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 4)
    ties = int(np.sum(np.sum(windows == windows.max(axis=1, keepdims=True), axis=1) > 1))
    zeros = int(np.sum(maps == 0))
    said = []
    if ties:
        many = "one window has" if ties == 1 else f"{ties} windows have"
        said.append(
            f"Ties in the pooling: {many} several largest values; the first in reading order gets the gradient."
        )
    if zeros:
        many = "one value is" if zeros == 1 else f"{zeros} values are"
        said.append(f"ReLU at 0: {many} exactly zero, where it has a kink; its slope is taken as 0 there.")
    return tuple(said)


def _conv_boards(
    book: Book, p: Mapping[str, np.ndarray], maps: np.ndarray, active: np.ndarray, pooled: np.ndarray,
    logits: np.ndarray, probabilities: np.ndarray, loss: float,
) -> None:  # fmt: skip
    cells = [f"x{index(r, c)}" for r in range(PICTURE_SIDE) for c in range(PICTURE_SIDE)]
    book.board("x", "Picture x", "input", p["x"], cells, given=True)
    for filter_ in range(FILTERS):
        book.board(f"k{filter_}", f"Kernel {filter_ + 1}", "weight", p["k"][filter_], _kernel_letters(filter_),
                   given=True)  # fmt: skip
    book.board("a", "Bias a", "weight", p["a"][:, None], [f"a{index(f)}" for f in range(FILTERS)], given=True)
    for filter_ in range(FILTERS):
        book.board(f"z{filter_}", f"Map {filter_ + 1}", "activation", maps[filter_])
    for filter_ in range(FILTERS):
        book.board(f"r{filter_}", f"ReLU {filter_ + 1}", "activation", active[filter_])
    for filter_ in range(FILTERS):
        book.board(f"p{filter_}", f"Pooled {filter_ + 1}", "activation", pooled[filter_])
    book.board("w", "Weights w", "weight", p["w"], _dense_letters(), given=True)
    book.board("b", "Bias b", "weight", p["b"][:, None], [f"b{index(c)}" for c in range(CLASSES)], given=True)
    book.board("s", "Logit s", "activation", logits[:, None], [f"s{index(c)}" for c in range(CLASSES)])
    book.board("q", "p, softmax", "activation", probabilities[:, None], [f"p{index(c)}" for c in range(CLASSES)])
    book.board("t", "True class", "input", p["t"] + 1, ["t"], given=True)
    book.board("loss", "Loss L", "activation", np.array([loss]), ["L"])


def _conv_gradient_boards(
    book: Book, at_logits: np.ndarray, at_pooled: np.ndarray, at_active: np.ndarray, at_maps: np.ndarray,
    gradients: Mapping[str, np.ndarray],
) -> None:  # fmt: skip
    book.board("at_s", "∂L/∂s", "gradient", at_logits[:, None])
    book.board("at_w", "∂L/∂w", "gradient", gradients["w"])
    book.board("at_b", "∂L/∂b", "gradient", gradients["b"][:, None])
    for filter_ in range(FILTERS):
        book.board(f"at_p{filter_}", f"∂L/∂pooled {filter_ + 1}", "gradient", at_pooled[filter_])
    for filter_ in range(FILTERS):
        book.board(f"at_r{filter_}", f"∂L/∂ReLU {filter_ + 1}", "gradient", at_active[filter_])
    for filter_ in range(FILTERS):
        book.board(f"at_z{filter_}", f"∂L/∂map {filter_ + 1}", "gradient", at_maps[filter_])
    for filter_ in range(FILTERS):
        book.board(f"at_k{filter_}", f"∂L/∂kernel {filter_ + 1}", "gradient", gradients["k"][filter_])
    book.board("at_a", "∂L/∂a", "gradient", gradients["a"][:, None])
    book.board("at_x", "∂L/∂x", "gradient", gradients["x"])


def _conv_forward(book: Book, maps: np.ndarray, active: np.ndarray, which: np.ndarray, true: int) -> None:
    for filter_ in range(FILTERS):
        for cell in range(_MAP_SIDE**2):
            row, column = divmod(cell, _MAP_SIDE)
            pairs: list[tuple[Place, Place]] = [
                (("x", (row + r) * PICTURE_SIDE + column + c), (f"k{filter_}", r * KERNEL_SIDE + c))
                for r in range(KERNEL_SIDE)
                for c in range(KERNEL_SIDE)
            ]
            book.products("Forward: convolution", (f"z{filter_}", cell),
                          f"map {filter_ + 1} at row {row + 1}, column {column + 1} = Σ x · kernel {filter_ + 1} + "
                          f"a{index(filter_)}", pairs, ("a", filter_))  # fmt: skip
    for filter_ in range(FILTERS):
        for cell in range(_MAP_SIDE**2):
            at: Place = (f"z{filter_}", cell)
            zero = maps[filter_].flat[cell] == 0
            book.step("Forward: ReLU", (f"r{filter_}", cell), "max(0, z)",
                      [("max(0, ", ""), (number(book.value(at)), "activation"), (")", "")], [at],
                      "Exactly zero: the kink of ReLU." if zero else "")  # fmt: skip
    for filter_ in range(FILTERS):
        for cell in range(_POOLED_SIDE**2):
            window = _window(filter_, cell)
            values = [book.value(place) for place in window]
            pieces: list[Piece] = [("max(", "")]
            for place in window:
                pieces += [(", ", "")] if len(pieces) > 1 else []
                pieces.append((number(book.value(place)), "activation"))
            tie = values.count(max(values)) > 1
            book.step("Forward: max pooling", (f"p{filter_}", cell), "the largest of four", [*pieces, (")", "")],
                      window, "A tie: the first in reading order counts as the largest." if tie else "")  # fmt: skip
    for class_ in range(CLASSES):
        book.products("Forward: dense layer", ("s", class_), f"s{index(class_)} = Σ pooled · w + b{index(class_)}",
                      [(_pooled(f), ("w", f * CLASSES + class_)) for f in range(_FEATURES)], ("b", class_))  # fmt: skip
    logits: list[Place] = [("s", class_) for class_ in range(CLASSES)]
    for class_ in range(CLASSES):
        below: list[Piece] = []
        for place in logits:
            below += [(" + ", "")] if below else []
            below += [("e^", ""), book.factor(place)]
        book.step("Forward: softmax", ("q", class_), f"p{index(class_)} = e^s{index(class_)} / Σ e^s",
                  [("e^", ""), book.factor(("s", class_)), (" / (", ""), *below, (")", "")], logits)  # fmt: skip
    book.step("Loss", ("loss", 0), f"L = −ln p{index(true)}, the true class's probability",
              [("−ln ", ""), book.factor(("q", true))], [("q", true), ("t", 0)])  # fmt: skip


def _window(filter_: int, cell: int) -> list[Place]:
    """Return the four places that a pooled value looks at."""
    row, column = divmod(cell, _POOLED_SIDE)
    return [(f"r{filter_}", (2 * row + r) * _MAP_SIDE + 2 * column + c) for r in range(2) for c in range(2)]


def _pooled(feature: int) -> Place:
    """Return where an input of the dense layer stands."""
    filter_, cell = divmod(feature, _POOLED_SIDE**2)
    return f"p{filter_}", cell


def _conv_backward(book: Book, maps: np.ndarray, which: np.ndarray, true: int) -> None:
    for class_ in range(CLASSES):
        is_true = class_ == true
        book.step("Backward: softmax and cross-entropy", ("at_s", class_),
                  f"∂L/∂s{index(class_)} = p{index(class_)} − {int(is_true)}",
                  [book.factor(("q", class_)), (f" − {int(is_true)}", "")], [("q", class_), ("t", 0)],
                  "1 is taken from the true class." if is_true else "")  # fmt: skip
    for feature in range(_FEATURES):
        for class_ in range(CLASSES):
            book.products("Backward: weights of the dense layer", ("at_w", feature * CLASSES + class_),
                          f"∂L/∂w{index(feature, class_)} = pooled · ∂L/∂s{index(class_)}",
                          [(_pooled(feature), ("at_s", class_))])  # fmt: skip
    for class_ in range(CLASSES):
        book.total("Backward: weights of the dense layer", ("at_b", class_),
                   f"∂L/∂b{index(class_)} = ∂L/∂s{index(class_)}", [("at_s", class_)])  # fmt: skip
    for feature in range(_FEATURES):
        filter_, cell = divmod(feature, _POOLED_SIDE**2)
        book.products("Backward: dense layer", (f"at_p{filter_}", cell), "∂L/∂pooled = Σ w · ∂L/∂s",
                      [(("w", feature * CLASSES + c), ("at_s", c)) for c in range(CLASSES)])  # fmt: skip
    for filter_ in range(FILTERS):
        for cell in range(_POOLED_SIDE**2):
            for number_, place in enumerate(_window(filter_, cell)):
                chosen = number_ == which[filter_].flat[cell]
                source: Place = (f"at_p{filter_}", cell)
                book.step("Backward: max pooling", (f"at_r{filter_}", place[1]),
                          "all to the largest of the window, nothing to the others",
                          [book.factor(source), (f" · {int(chosen)}", "")], [source, place],
                          "This was the largest." if chosen else "This was not the largest.")  # fmt: skip
    for filter_ in range(FILTERS):
        for cell in range(_MAP_SIDE**2):
            on = maps[filter_].flat[cell] > 0
            source, at = (f"at_r{filter_}", cell), (f"z{filter_}", cell)
            book.step("Backward: ReLU", (f"at_z{filter_}", cell), "passed on where z > 0, else 0",
                      [book.factor(source), (f" · {int(on)}", "")], [source, at],
                      "" if on else "z is not above zero: nothing comes through.")  # fmt: skip
    _conv_backward_kernels(book)


def _conv_backward_kernels(book: Book) -> None:
    for filter_ in range(FILTERS):
        for cell in range(KERNEL_SIDE**2):
            row, column = divmod(cell, KERNEL_SIDE)
            pairs: list[tuple[Place, Place]] = [
                ((f"at_z{filter_}", r * _MAP_SIDE + c), ("x", (row + r) * PICTURE_SIDE + column + c))
                for r in range(_MAP_SIDE)
                for c in range(_MAP_SIDE)
            ]
            _nonzero(book, "Backward: kernels", (f"at_k{filter_}", cell),
                     "Σ over the map of ∂L/∂map · the pixel under this weight", pairs)  # fmt: skip
    for filter_ in range(FILTERS):
        every: list[Place] = [(f"at_z{filter_}", cell) for cell in range(_MAP_SIDE**2)]
        there = [place for place in every if book.value(place) != 0]
        note = "" if len(there) == len(every) else "Zeros are left out."
        if there:
            book.total("Backward: kernels", ("at_a", filter_), f"∂L/∂a{index(filter_)} = Σ ∂L/∂map", there, note)
        else:
            book.step("Backward: kernels", ("at_a", filter_), f"∂L/∂a{index(filter_)} = Σ ∂L/∂map", [("0", "")], every,
                      "No gradient comes through.")  # fmt: skip
    for cell in range(PICTURE_SIDE**2):
        row, column = divmod(cell, PICTURE_SIDE)
        pairs = [
            ((f"k{f}", r * KERNEL_SIDE + c), (f"at_z{f}", (row - r) * _MAP_SIDE + column - c))
            for f in range(FILTERS)
            for r in range(KERNEL_SIDE)
            for c in range(KERNEL_SIDE)
            if 0 <= row - r < _MAP_SIDE and 0 <= column - c < _MAP_SIDE
        ]
        _nonzero(book, "Backward: picture", ("at_x", cell), "Σ over all maps of weight · ∂L/∂map", pairs)


def _nonzero(book: Book, phase: str, writes: Place, formula: str, pairs: Sequence[tuple[Place, Place]]) -> None:
    """Add a sum of products whose zero terms are left out of the formula, though they are read."""
    there = [pair for pair in pairs if book.value(pair[0]) != 0 and book.value(pair[1]) != 0]
    if there:
        left_out = "" if len(there) == len(pairs) else "Products with a zero are left out."
        book.products(phase, writes, formula, there, note=left_out)
    else:
        book.step(phase, writes, formula, [("0", "")], [place for pair in pairs for place in pair],
                  "Every product has a zero in it.")  # fmt: skip
