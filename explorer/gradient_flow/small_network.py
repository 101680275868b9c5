"""A network of one hidden layer in NumPy, which every optimiser and every regulariser starts from alike.

All its parameters are one long vector, so that an update rule sees one array.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.gradient_flow.activations import ACTIVATIONS
from explorer.gradient_flow.backpropagation import (
    cross_entropy,
    cross_entropy_backward,
    dense,
    dense_backward,
)
from explorer.gradient_flow.digits import CLASSES, PIXELS
from explorer.gradient_flow.initialisers import INITIALISERS


@dataclass(frozen=True)
class SmallNetwork:
    """64 pixels, one hidden layer, ten classes; cross-entropy.

    Attributes:
        hidden: units of the hidden layer.
        activation: of the hidden layer, a name of `ACTIVATIONS`.
    """

    hidden: int = 32
    activation: str = "relu"

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Return how many numbers first weights, first biases, second weights and second biases are."""
        return PIXELS * self.hidden, self.hidden, self.hidden * CLASSES, CLASSES

    def begin(self, seed: int) -> np.ndarray:
        """Return first parameters: weights by Glorot's uniform rule, biases zero."""
        random = np.random.default_rng(seed)
        draw = INITIALISERS["glorot_uniform"]
        first, second = draw(PIXELS, self.hidden, random), draw(self.hidden, CLASSES, random)
        return np.concatenate([first.ravel(), np.zeros(self.hidden), second.ravel(), np.zeros(CLASSES)])

    def parts(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return views of the first weights (64, hidden), first biases, second weights (hidden, 10), second biases."""
        ends = np.cumsum(self.sizes)[:-1]
        first, first_bias, second, second_bias = np.split(parameters, ends)
        return first.reshape(PIXELS, self.hidden), first_bias, second.reshape(self.hidden, CLASSES), second_bias

    def is_weight(self) -> np.ndarray:
        """Return which parameters are weights and no biases, as booleans."""
        return np.repeat([True, False, True, False], self.sizes)

    def logits(self, parameters: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """Return the logits (n, 10) of pictures (n, 64)."""
        first, first_bias, second, second_bias = self.parts(parameters)
        hidden = ACTIVATIONS[self.activation].value(dense(pictures, first, first_bias))
        return dense(hidden, second, second_bias)

    def loss_and_gradient(
        self, parameters: np.ndarray, pictures: np.ndarray, labels: np.ndarray, kept: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """Return the mean cross-entropy of a batch and its gradient at all parameters.

        Args:
            parameters: as of `begin`.
            pictures: (n, 64).
            labels: (n,).
            kept: (n, hidden), what each hidden value is multiplied by (dropout); None for 1.
        """
        first, first_bias, second, second_bias = self.parts(parameters)
        activation = ACTIVATIONS[self.activation]
        z = dense(pictures, first, first_bias)
        hidden = activation.value(z)
        passed = hidden if kept is None else hidden * kept
        logits = dense(passed, second, second_bias)
        at_logits = cross_entropy_backward(logits, labels)
        at_passed, at_second, at_second_bias = dense_backward(at_logits, passed, second)
        at_hidden = at_passed if kept is None else at_passed * kept
        _, at_first, at_first_bias = dense_backward(at_hidden * activation.derivative(z), pictures, first)
        gradient = np.concatenate([at_first.ravel(), at_first_bias, at_second.ravel(), at_second_bias])
        return cross_entropy(logits, labels), gradient

    def judge(self, parameters: np.ndarray, pictures: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
        """Return mean cross-entropy and accuracy on pictures; both not a number where the network has overflowed."""
        if not np.all(np.isfinite(parameters)):
            return float("nan"), float("nan")
        with np.errstate(over="ignore", invalid="ignore"):
            logits = self.logits(parameters, pictures)
            if not np.all(np.isfinite(logits)):
                return float("nan"), float("nan")
            return cross_entropy(logits, labels), float(np.mean(logits.argmax(axis=1) == labels))
