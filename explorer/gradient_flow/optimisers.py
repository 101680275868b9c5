"""Update rules with the definitions, argument names and defaults of `keras.optimizers`, one small class each.

A rule changes an array of weights given their gradient; what it remembers between steps are arrays of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Memory = dict[str, np.ndarray]


class Optimiser(Protocol):
    """One update rule."""

    @property
    def learning_rate(self) -> float:
        """How long its steps are."""

    def begin(self, weights: np.ndarray) -> Memory:
        """Return what the rule remembers before the first step."""

    def update(self, weights: np.ndarray, gradient: np.ndarray, memory: Memory, step: int) -> np.ndarray:
        """Return the weights after a step; the memory is changed in place.

        Args:
            weights: of any shape.
            gradient: of the loss, of the same shape.
            memory: from `begin`.
            step: number of this step, from 1.
        """


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with momentum (Polyak 1964) or Nesterov's momentum (1983) where asked for."""

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def begin(self, weights: np.ndarray) -> Memory:
        """Return a velocity of zero."""
        return {"velocity": np.zeros_like(weights)} if self.momentum else {}

    def update(self, weights: np.ndarray, gradient: np.ndarray, memory: Memory, step: int) -> np.ndarray:
        """V ← βv − ηg; w ← w + v, or with Nesterov w ← w + βv − ηg."""
        if not self.momentum:
            return weights - self.learning_rate * gradient
        velocity = memory["velocity"] = self.momentum * memory["velocity"] - self.learning_rate * gradient
        if self.nesterov:
            return weights + self.momentum * velocity - self.learning_rate * gradient
        return weights + velocity


@dataclass(frozen=True)
class RMSprop:
    """Steps divided by a running root mean square of the gradient (Tieleman and Hinton 2012)."""

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7

    def begin(self, weights: np.ndarray) -> Memory:
        """Return a mean square of zero."""
        return {"square": np.zeros_like(weights)}

    def update(self, weights: np.ndarray, gradient: np.ndarray, memory: Memory, step: int) -> np.ndarray:
        """S ← ρs + (1 − ρ)g²; w ← w − ηg / √(s + ε)."""
        square = memory["square"] = self.rho * memory["square"] + (1 - self.rho) * gradient**2
        return weights - self.learning_rate * gradient / np.sqrt(square + self.epsilon)


@dataclass(frozen=True)
class Adam:
    """Running means of gradient and square, both corrected for their start at zero (Kingma and Ba 2015).

    As in Keras ε stands beside √v before the correction, not after it as in the paper's algorithm 1.
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def begin(self, weights: np.ndarray) -> Memory:
        """Return means of zero."""
        return {"mean": np.zeros_like(weights), "square": np.zeros_like(weights)}

    def update(self, weights: np.ndarray, gradient: np.ndarray, memory: Memory, step: int) -> np.ndarray:
        """M ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − η √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε)."""
        mean = memory["mean"] = memory["mean"] + (gradient - memory["mean"]) * (1 - self.beta_1)
        square = memory["square"] = memory["square"] + (gradient**2 - memory["square"]) * (1 - self.beta_2)
        rate = self.learning_rate * np.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return weights - rate * mean / (np.sqrt(square) + self.epsilon)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weights shrink by themselves, apart from the gradient (Loshchilov and Hutter 2019)."""

    weight_decay: float = 0.004

    def update(self, weights: np.ndarray, gradient: np.ndarray, memory: Memory, step: int) -> np.ndarray:
        """W ← w − ηλw, then as Adam."""
        shrunk = weights - weights * self.weight_decay * self.learning_rate
        return super().update(shrunk, gradient, memory, step)


@dataclass(frozen=True)
class Entry:
    """One optimiser as the page offers it.

    Attributes:
        title: as people write it.
        make: from a learning rate to the rule.
        adaptive: whether it divides by the size of the gradient.
        keras: how Keras makes the same, with `{rate}` for the learning rate.
    """

    title: str
    make: Callable[[float], Optimiser]
    adaptive: bool
    keras: str


MOMENTUM = 0.9

OPTIMISERS: dict[str, Entry] = {
    "sgd": Entry("SGD", lambda rate: SGD(rate), False, "SGD({rate})"),
    "momentum": Entry("Momentum", lambda rate: SGD(rate, MOMENTUM), False, "SGD({rate}, momentum=0.9)"),
    "nesterov": Entry(
        "Nesterov", lambda rate: SGD(rate, MOMENTUM, True), False, "SGD({rate}, momentum=0.9, nesterov=True)"
    ),
    "rmsprop": Entry("RMSprop", lambda rate: RMSprop(rate), True, "RMSprop({rate})"),
    "adam": Entry("Adam", lambda rate: Adam(rate), True, "Adam({rate})"),
    "adamw": Entry("AdamW", lambda rate: AdamW(rate), True, "AdamW({rate})"),
}
"""The optimisers by name, plain gradient descent first."""


def largest_stable_rate(name: str, curvature: float) -> float | None:
    """Return the learning rate above which an optimiser diverges on a quadratic whose largest curvature this is.

    With λ for the curvature and β for the momentum: 2/λ for plain gradient descent, 2(1 + β)/λ with momentum,
    2(1 + β)/((1 + 2β)λ) with Nesterov's. They follow from the roots of the recursion's characteristic polynomial,
    one of which passes −1 there. None for adaptive rules, whose steps have no bound of this kind.
    """
    beta = {"sgd": 0.0, "momentum": MOMENTUM, "nesterov": MOMENTUM}.get(name)
    if beta is None or curvature <= 0:
        return None
    if name == "nesterov":
        return 2 * (1 + beta) / ((1 + 2 * beta) * curvature)
    return 2 * (1 + beta) / curvature
