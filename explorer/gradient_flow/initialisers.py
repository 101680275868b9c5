"""First weights of a dense layer, by the definitions and names of `keras.initializers`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, ndtri

_TRUNCATED_SPREAD = 0.87962566103423978
"""Standard deviation of a standard normal distribution that is cut off at ±2."""

Drawn = Callable[[int, int, np.random.Generator], np.ndarray]


def _truncated(spread: float, size: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Draw from a normal distribution cut off at two of its standard deviations, with this spread after the cut."""
    uniform = random.uniform(ndtr(-2.0), ndtr(2.0), size)
    return ndtri(uniform) * spread / _TRUNCATED_SPREAD


def _glorot_uniform(fan_in: int, fan_out: int, random: np.random.Generator) -> np.ndarray:
    limit = np.sqrt(6 / (fan_in + fan_out))
    return random.uniform(-limit, limit, (fan_in, fan_out))


def _orthogonal(fan_in: int, fan_out: int, random: np.random.Generator) -> np.ndarray:
    rows, columns = max(fan_in, fan_out), min(fan_in, fan_out)
    q, r = np.linalg.qr(random.standard_normal((rows, columns)))
    q *= np.sign(np.diag(r))  # without it the distribution would not be uniform (Saxe et al. 2014)
    return q if fan_in >= fan_out else q.T


INITIALISERS: dict[str, Drawn] = {
    "glorot_uniform": _glorot_uniform,
    "he_normal": lambda fan_in, fan_out, random: _truncated(np.sqrt(2 / fan_in), (fan_in, fan_out), random),
    "lecun_normal": lambda fan_in, fan_out, random: _truncated(np.sqrt(1 / fan_in), (fan_in, fan_out), random),
    "orthogonal": _orthogonal,
    "small_normal": lambda fan_in, fan_out, random: 0.01 * random.standard_normal((fan_in, fan_out)),
    "large_normal": lambda fan_in, fan_out, random: random.standard_normal((fan_in, fan_out)),
    "zeros": lambda fan_in, fan_out, random: np.zeros((fan_in, fan_out)),
}
"""From fan-in, fan-out and a source of chance to weights (fan-in, fan-out), by name."""

TITLES = {
    "glorot_uniform": "Glorot uniform",
    "he_normal": "He normal",
    "lecun_normal": "LeCun normal",
    "orthogonal": "orthogonal",
    "small_normal": "normal, spread 0.01",
    "large_normal": "normal, spread 1",
    "zeros": "zeros",
}
"""What people call them."""


def dense_batch(initialiser: str, fan_in: int, seed: int, *, units: int = 64, examples: int = 64) -> np.ndarray:
    """Return the pre-activations of one dense layer without biases whose inputs have mean 0 and spread 1.

    Args:
        initialiser: a name of `INITIALISERS`.
        fan_in: inputs of each unit, at least 1.
        seed: of inputs and weights.
        units: of the layer.
        examples: of the batch.

    Returns:
        (examples · units,).

    Raises:
        KeyError: for an unknown initialiser.
    """
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((examples, fan_in))
    return (inputs @ INITIALISERS[initialiser](fan_in, units, random)).ravel()
