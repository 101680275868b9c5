"""Activation functions in closed form: value, derivative, where they saturate, and what they do to a batch.

Everything is NumPy and SciPy, so that a page can draw it at every move of a slider. The definitions and defaults are
those of `keras.activations`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import erf, expit

SATURATED_BELOW = 0.05
"""An activation counts as saturated where its slope is below this share of its largest one."""

NEGATIVE_SLOPE = 0.2
"""Slope of leaky ReLU below zero, the default of Keras."""

_STEEPEST_GELU = 0.5 * (1 + float(erf(1.0))) + float(np.sqrt(2) * np.exp(-1) / np.sqrt(2 * np.pi))
_STEEPEST_SILU = 1.0998393201288672
"""Slope of SiLU at z = 2.39935728, where its second derivative σ'(z)(2 + z(1 − 2σ(z))) is zero."""

Elementwise = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Activation:
    """One elementwise activation function.

    Attributes:
        name: as `keras.activations.get` knows it.
        title: as people write it.
        value: φ(z), of any shape.
        derivative: φ'(z), of the same shape; at a kink the one that TensorFlow takes.
        steepest: the largest |φ'| anywhere.
        saturates: on which sides its slope tends to zero.
        formula: φ in TeX.
        slope_formula: φ' in TeX.
    """

    name: str
    title: str
    value: Elementwise
    derivative: Elementwise
    steepest: float
    saturates: Literal["both sides", "below zero", "nowhere"]
    formula: str
    slope_formula: str

    def saturated(self, z: np.ndarray, below: float = SATURATED_BELOW) -> np.ndarray:
        """Tell where |φ'(z)| is below a share of its largest value, as booleans of the same shape."""
        return np.abs(self.derivative(z)) < below * self.steepest


def _density(z: np.ndarray) -> np.ndarray:
    """Return the density of the standard normal distribution."""
    return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def _distribution(z: np.ndarray) -> np.ndarray:
    """Return the distribution function of the standard normal distribution."""
    return 0.5 * (1 + erf(z / np.sqrt(2)))


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + e⁻ᶻ)."""
    return expit(z)


def sigmoid_derivative(z: np.ndarray) -> np.ndarray:
    """Return σ(z)(1 − σ(z)); written with σ(−z), which keeps its digits far out."""
    return expit(z) * expit(-z)


def _elu(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def _elu_derivative(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0)))


def _silu_derivative(z: np.ndarray) -> np.ndarray:
    return expit(z) * (1 + z * expit(-z))


ACTIVATIONS: dict[str, Activation] = {
    one.name: one
    for one in (
        Activation(
            "sigmoid", "Sigmoid", sigmoid, sigmoid_derivative, 0.25, "both sides",
            r"\sigma(z) = \frac{1}{1 + e^{-z}}", r"\sigma(z)\,(1 - \sigma(z)) \le \tfrac{1}{4}",
        ),
        Activation(
            "tanh", "tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2, 1.0, "both sides",
            r"\tanh z = 2\,\sigma(2z) - 1", r"1 - \tanh^2 z \le 1",
        ),
        Activation(
            "relu", "ReLU", lambda z: np.maximum(z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0), 1.0, "below zero",
            r"\max(0, z)", r"1 \text{ where } z > 0, \text{ else } 0",
        ),
        Activation(
            "leaky_relu", "Leaky ReLU", lambda z: np.where(z > 0, z, NEGATIVE_SLOPE * z),
            lambda z: np.where(z > 0, 1.0, NEGATIVE_SLOPE), 1.0, "nowhere",
            r"z \text{ where } z > 0, \text{ else } 0.2\,z", r"1 \text{ where } z > 0, \text{ else } 0.2",
        ),
        Activation(
            "elu", "ELU", _elu, _elu_derivative, 1.0, "below zero",
            r"z \text{ where } z > 0, \text{ else } e^z - 1", r"1 \text{ where } z > 0, \text{ else } e^z",
        ),
        Activation(
            "gelu", "GELU", lambda z: z * _distribution(z), lambda z: _distribution(z) + z * _density(z),
            _STEEPEST_GELU, "below zero",
            r"z\,\Phi(z) = \tfrac{z}{2}\left(1 + \operatorname{erf}\tfrac{z}{\sqrt 2}\right)",
            r"\Phi(z) + z\,\tfrac{1}{\sqrt{2\pi}}\,e^{-z^2/2}",
        ),
        Activation(
            "silu", "SiLU", lambda z: z * expit(z), _silu_derivative, _STEEPEST_SILU, "below zero",
            r"z\,\sigma(z)", r"\sigma(z)\,\bigl(1 + z\,(1 - \sigma(z))\bigr)",
        ),
    )
}  # fmt: skip
"""The elementwise activations by name, in the order in which the field came to them."""


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return the probabilities e^(zᵢ/T) / Σ e^(zⱼ/T) along the last axis.

    Args:
        logits: of any shape.
        temperature: T > 0; large ones make the classes alike, small ones leave only the largest logit.

    Raises:
        ValueError: for a temperature that is not above zero.
    """
    if not temperature > 0:
        raise ValueError("A temperature is above zero.")
    scaled = np.asarray(logits, float) / temperature
    # The largest logit taken off changes no probability and keeps the exponentials finite.
    grown = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def softmax_jacobian(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return ∂pᵢ/∂zⱼ = pᵢ(δᵢⱼ − pⱼ)/T as a symmetric (n, n) matrix whose rows add up to zero.

    Args:
        logits: (n,).
        temperature: as of `softmax`.
    """
    p = softmax(logits, temperature)
    return (np.diag(p) - np.outer(p, p)) / temperature


@dataclass(frozen=True, eq=False)
class Passed:
    """What an activation makes of a batch of pre-activations.

    Attributes:
        activation: which.
        after: φ(z), the shape of the batch.
        saturated: share of values where the slope is below the threshold, 0 to 1.
        mean_slope: mean of |φ'(z)|: by what the activation multiplies a gradient on its way back, on average.
        spread: standard deviation of φ(z).
    """

    activation: Activation
    after: np.ndarray
    saturated: float
    mean_slope: float
    spread: float

    def left_after(self, layers: int) -> float:
        """Return the mean slope to the power of `layers`: what so many activations in a row leave of a gradient."""
        return self.mean_slope**layers

    def at_most(self, layers: int) -> float:
        """Return the largest slope to the power of `layers`, which no batch can exceed."""
        return self.activation.steepest**layers


def passed(activation: Activation, z: np.ndarray, below: float = SATURATED_BELOW) -> Passed:
    """Send a batch through an activation.

    Args:
        activation: which.
        z: pre-activations of any shape, at least one.
        below: share of the largest slope under which a value counts as saturated.
    """
    after = activation.value(z)
    return Passed(
        activation,
        after,
        float(np.mean(activation.saturated(z, below))),
        float(np.mean(np.abs(activation.derivative(z)))),
        float(np.std(after)),
    )


def normal_batch(mean: float, spread: float, seed: int, count: int = 4096) -> np.ndarray:
    """Return `count` pre-activations from a normal distribution with this mean and standard deviation."""
    return mean + spread * np.random.default_rng(seed).standard_normal(count)
