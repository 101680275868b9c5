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

    Where parameters are of shape (…, parameters) they are those of several networks, which see the same pictures: in
    one call they cost little more than one.

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
        several = parameters.shape[:-1]
        first, first_bias, second, second_bias = np.split(parameters, ends, axis=-1)
        return (
            first.reshape(*several, PIXELS, self.hidden),
            first_bias,
            second.reshape(*several, self.hidden, CLASSES),
            second_bias,
        )

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
        """Return the mean cross-entropy of a batch and its gradient at all parameters; arguments as of `gradient`."""
        logits, gradient = self._there_and_back(parameters, pictures, labels, kept)
        return cross_entropy(logits, labels), gradient

    def gradient(
        self, parameters: np.ndarray, pictures: np.ndarray, labels: np.ndarray, kept: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the gradient of the mean cross-entropy of a batch at all parameters, of one network or of several.

        Args:
            parameters: (…, parameters), each as of `begin`.
            pictures: (n, 64).
            labels: (n,).
            kept: (…, n, hidden), what each hidden value is multiplied by (dropout); None for 1.

        Returns:
            (…, parameters).
        """
        return self._there_and_back(parameters, pictures, labels, kept)[1]

    def _there_and_back(
        self, parameters: np.ndarray, pictures: np.ndarray, labels: np.ndarray, kept: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the logits (…, n, 10) and the gradient at all parameters."""
        first, first_bias, second, second_bias = self.parts(parameters)
        activation = ACTIVATIONS[self.activation]
        z = dense(pictures, first, first_bias[..., None, :])
        hidden = activation.value(z)
        passed = hidden if kept is None else hidden * kept
        logits = dense(passed, second, second_bias[..., None, :])
        at_logits = cross_entropy_backward(logits, labels)
        at_passed, at_second, at_second_bias = dense_backward(at_logits, passed, second)
        at_hidden = at_passed if kept is None else at_passed * kept
        at_z = at_hidden * activation.derivative(z)
        # What arrives at the pixels is nobody's to change, so it is not computed.
        at_first, at_first_bias = pictures.T @ at_z, at_z.sum(axis=-2)
        several = parameters.shape[:-1]
        flat = (at_first.reshape(*several, -1), at_first_bias, at_second.reshape(*several, -1), at_second_bias)
        return logits, np.concatenate(flat, axis=-1)

    def judge(self, parameters: np.ndarray, pictures: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
        """Return mean cross-entropy and accuracy on pictures; both not a number where the network has overflowed."""
        if not np.all(np.isfinite(parameters)):
            return float("nan"), float("nan")
        with np.errstate(over="ignore", invalid="ignore"):
            logits = self.logits(parameters, pictures)
            if not np.all(np.isfinite(logits)):
                return float("nan"), float("nan")
            return cross_entropy(logits, labels), float(np.mean(logits.argmax(axis=1) == labels))
