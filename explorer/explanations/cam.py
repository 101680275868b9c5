"""What all activation maps start from: a layer's activations, and the gradient of the score there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from explorer.explanations.question import Answer, Question, filled_up
from explorer.explanations.resize import enlarge
from explorer.explanations.survey import survey
from explorer.networks.gradients import Compiled, WithGradient, as_array
from explorer.networks.tap import Enough, tapped
from explorer.networks.work_context import SentenceError

Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]


def raw_maps(question: Question, formula: Formula) -> np.ndarray:
    """Return the maps that a formula makes of the layer's activations A and of ∂S/∂A, on the layer's own grid.

    A probe of zeros is added to the layer's output by a tap; the way back ends there, and never goes through
    the layers before it. Of all pictures only the maps are kept: an early layer's activations are large.

    Args:
        question: Pictures, target and layer.
        formula: From activations and gradients, float32 (m, h, w, channels) each, to maps (m, h, w).

    Returns:
        float32 (n, h, w).

    Raises:
        SentenceError: if the target's layer is computed before the chosen one.
    """
    # What is kept with the network must not hold the question, and with it a visitor's picture.
    network, layer = question.network, question.layer
    _in_order(question)
    function = question.score_function

    def of_probe(probe: Any, x: Any, index: Any, against: Any) -> tuple[Any, Any]:
        found: list[Any] = []

        def see(path: str, tensor: Any) -> Any:
            if path != layer:
                return None
            found.append(tensor)
            return tensor + keras.ops.cast(probe, tensor.dtype)

        with tapped(network, see, wanted=[layer]):
            picked, score = function(x, index, against)
        return keras.ops.sum(score), (found[0], picked, score)

    kernel = question.kernel(("layer gradients", layer), lambda: WithGradient(of_probe, network=network))
    shape = survey(network, question.pictures.shape[1:]).layers[layer]
    chunks = question.chunks(question.count, gradients=True)
    fill = question.rows(question.count, gradients=True)
    probe = np.zeros((fill, *shape), np.float32)
    parts = []
    for start, stop in chunks:
        rows = question.pictures[start:stop]
        who = question.pair(filled_up(question.asked()[start:stop], fill))
        _, (activation, picked, score), gradient = question.call(
            kernel, probe, filled_up(rows, fill), *who, forward=len(rows), backward=len(rows)
        )
        values, slopes, *rest = (as_array(each)[: len(rows)] for each in (activation, gradient, picked, score))
        parts.append((formula(values, slopes), *rest))
    raw, picked, score = (np.concatenate(each) for each in zip(*parts, strict=True))
    question.found(picked, score)
    return raw


def activations(question: Question, number: int) -> np.ndarray:
    """Return the layer's activations for one picture, float32 (h, w, channels), by a pass that ends there."""
    network, layer = question.network, question.layer

    def of_rows(x: Any) -> Any:
        found: list[Any] = []

        def see(path: str, tensor: Any) -> None:
            if path == layer:
                found.append(tensor)
                raise Enough

        with tapped(network, see, wanted=[layer], free=True) as model, contextlib.suppress(Enough):
            model(x)
        return found[0]

    kernel = question.kernel(("activations", layer), lambda: Compiled(of_rows, network=network))
    return as_array(question.call(kernel, question.pictures[number : number + 1], forward=1))[0]


def answer(question: Question, raw: np.ndarray) -> Answer:
    """Return an activation map's answer: the raw grid, and enlarged to the pictures' size.

    Args:
        question: What was asked.
        raw: float32 (n, h, w), nowhere negative.
    """
    return Answer(enlarge(raw, question.size), raw, notes=notes(question, raw))


def notes(question: Question, raw: np.ndarray) -> tuple[str, ...]:
    """Return what must be said of raw maps (n, h, w) that are zero everywhere."""
    empty = [number + 1 for number, values in enumerate(raw) if not values.any()]
    if not empty:
        return ()
    which = "" if question.count == 1 else f" for picture {', '.join(map(str, empty))}"
    return (f"The map is zero everywhere{which}: no place of {question.layer} speaks for the target.",)


def _in_order(question: Question) -> None:
    target = question.target
    if target.kind == "class":
        return
    order = list(survey(question.network, question.pictures.shape[1:]).layers)
    if order.index(question.layer) > order.index(target.layer):
        raise SentenceError(
            f"{target.layer} is computed before {question.layer} and does not depend on it; "
            f"look at {target.layer} itself or at an earlier layer."
        )
