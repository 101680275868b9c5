"""Guided backprop: the gradient, of which every ReLU lets only the positive part back."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from explorer.explanations.question import Answer, Question, filled_up, strongest
from explorer.networks.gradients import WithGradient, as_array
from explorer.networks.guided_relu import guided_relu
from explorer.networks.work_context import SentenceError


def maps(question: Question) -> Answer:
    """Return max over channels of the absolute guided gradient (Springenberg et al. 2014, section 3.4).

    A ReLU counts wherever it stands: as a layer, as an activation, as an operation, or as ReLU6.

    Args:
        question: Pictures and target.

    Returns:
        Maps (n, height, width), nowhere negative; `extra["rectifiers"]` tells how many ReLUs were changed.

    Raises:
        SentenceError: if there is no ReLU on the way: the map would only be the plain gradient.
    """
    gradients, rectifiers = guided_gradients(question)
    return Answer(strongest(gradients), extra={"rectifiers": rectifiers})


def guided_gradients(question: Question) -> tuple[np.ndarray, int]:
    """Return the guided gradient of all pictures, float32 like the pictures, and the number of ReLUs.

    Raises:
        SentenceError: if there is no ReLU on the way.
    """
    kernel = question.kernel(("guided gradients",), lambda: _Guided(question))
    parts = []
    fill = question.rows(question.count, gradients=True)
    for start, stop in question.chunks(question.count, gradients=True):
        rows = question.pictures[start:stop]
        who = question.pair(filled_up(question.asked()[start:stop], fill))
        _, (picked, score), gradient = question.call(
            kernel, filled_up(rows, fill), *who, forward=len(rows), backward=len(rows)
        )
        if not kernel.rectifiers:
            raise SentenceError(
                "Guided backprop found no ReLU in this network (its activations are others, such as GELU or SiLU), "
                "so its map would only be the plain gradient."
            )
        parts.append([as_array(each)[: len(rows)] for each in (picked, score, gradient)])
    picked, score, gradients = (np.concatenate(each) for each in zip(*parts, strict=True))
    question.found(picked, score)
    return gradients, kernel.rectifiers


class _Guided:
    """The gradient of a score by the pictures with guided ReLUs, which counts them when it is traced."""

    def __init__(self, question: Question) -> None:
        self.rectifiers = 0
        function = question.score_function

        def of_rows(x: Any, index: Any, against: Any) -> tuple[Any, Any]:
            picked, score = function(x, index, against)
            return keras.ops.sum(score), (picked, score)

        self._run = WithGradient(of_rows, network=question.network)

    def __call__(self, *arguments: Any) -> Any:
        with guided_relu() as found:
            result = self._run(*arguments)
        # A call of what is compiled already runs no Python, and so counts nothing.
        self.rectifiers = max(self.rectifiers, found.count)
        return result
