"""Which channels of a layer are silent, by one rule for ReLU, smooth and signed activations.

A channel's *strength* for a picture is its peak over all places. Where the layer comes out of an activation
with a floor (ReLU, ReLU6, swish, GELU, hard swish, mish, ELU, sigmoid, softplus, …), an off unit rests at or
below zero, so the peak is the largest value, and negative values count as 0: a swish map between -0.28 and 0
has strength 0, just as a ReLU map of zeros. Where both signs carry an answer (convolutions without activation,
batch normalisation, sums, tanh), the peak is the largest absolute value.

A channel is *silent* when its strength is at most 1 % of the mean strength of the layer's channels. To compare
with the layer's mean follows the dormant neurons of Sokar, Agarwal, Castro and Evci, "The Dormant Neuron
Phenomenon in Deep Reinforcement Learning" (ICML 2023, section 3), who compare a unit's mean absolute activation
over many inputs with the mean over the layer. Here the peak stands in place of their mean, because a map that
fires at one place has found something; and one picture in place of many, because the question is what this
picture leaves silent. (A unit that is zero for *every* input is called dead; that cannot be seen from one
picture.) The mean, unlike the layer's largest strength, does not let one huge channel declare all others silent;
the median would be 0 in a layer that is mostly silent. Below 1e-30 a layer counts as zero: all of it is silent.

The same limit tells how sparse a layer is: the share of all its values that rest, being at most the limit.

A constant map that is not zero is not silent: it answers, everywhere the same. It is flagged as constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.networks.structure import LayerInfo

SHARE = 0.01
ZERO = 1e-30
# Values of a constant map may differ by rounding: this many times its size.
ROUNDING = 1e-6

# Activations with a floor at which an off unit rests.
_WITH_FLOOR = frozenset({
    "relu", "relu6", "silu", "swish", "gelu", "hard_silu", "hard_swish", "mish", "elu", "selu", "celu",
    "softplus", "exponential", "sigmoid", "hard_sigmoid", "softmax", "sparse_plus", "squareplus",
    "threshold", "sparse_sigmoid", "sparsemax",
})  # fmt: skip
_LAYERS_WITH_FLOOR = {"ReLU": True, "ELU": True, "Softmax": True, "LeakyReLU": False, "PReLU": False}
# Layers whose values have a floor when all of their inputs do.
_PASSING = frozenset({
    "Concatenate", "Add", "Average", "Maximum", "Minimum", "Multiply", "Dropout", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "ActivityRegularization", "Flatten",
    "Reshape", "Permute", "RepeatVector", "Identity", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D",
    "StochasticDepth", "Transpose", "Squeeze", "ExpandDims", "GetItem",
})  # fmt: skip
_PASSING_STARTS = ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "AdaptiveMax", "AdaptiveAverage")


def strengths(minimum: np.ndarray, maximum: np.ndarray, *, signed: bool) -> np.ndarray:
    """Return each channel's strength, from its smallest and largest value.

    Args:
        minimum: (channels,) smallest values.
        maximum: (channels,) largest values.
        signed: whether both signs carry an answer (see this module).

    Returns:
        float32 (channels,), none negative.
    """
    peaks = np.maximum(np.asarray(maximum, np.float32), np.float32(0))
    return np.maximum(peaks, -np.asarray(minimum, np.float32)) if signed else peaks


def threshold_of(strength: np.ndarray) -> float:
    """Return the strength up to which a channel is silent: 1 % of the mean, and at least 1e-30."""
    finite = np.asarray(strength, np.float64)
    finite = finite[np.isfinite(finite)]
    return max(SHARE * float(finite.mean()), ZERO) if finite.size else ZERO


def share_resting(values: np.ndarray, threshold: float, *, signed: bool) -> float:
    """Return the share of values that are not above the threshold, in a signed layer by their size.

    What is not a number is not at rest.
    """
    if not values.size:
        return 0.0
    active = np.count_nonzero(values > threshold) + np.count_nonzero(np.isnan(values))
    if signed:
        active += np.count_nonzero(values < -threshold)
    return 1 - active / values.size


def constant_channels(minimum: np.ndarray, maximum: np.ndarray) -> np.ndarray:
    """Return bool (channels,): the channel has the same value everywhere, but for rounding."""
    low, high = np.asarray(minimum, np.float64), np.asarray(maximum, np.float64)
    with np.errstate(invalid="ignore"):
        return high - low <= ROUNDING * np.maximum(np.abs(low), np.abs(high))


def rule_sentence(threshold: float, *, signed: bool) -> str:
    """Return the rule with its numbers, as it is printed on the page."""
    what = "largest absolute value" if signed else "largest value"
    if threshold <= ZERO:
        return f"Every channel is silent: no {what} is above {ZERO:.0e}."
    return (
        f"Silent: the channel's {what} is at most {threshold:.3g}, {SHARE:.0%} of the mean over the layer's channels."
    )


def is_signed(layers: Mapping[str, LayerInfo], path: str) -> bool:
    """Return whether both signs of a layer's values carry an answer.

    Args:
        layers: All layers of the network, as in `Structure.layers`.
        path: The layer.

    Returns:
        False where the values come out of an activation with a floor, directly or through layers that keep
        it (pooling, concatenation, sums of such values, …); True for everything else and where it is unknown.
    """
    return _signed(layers, path, {})


def signs(layers: Mapping[str, LayerInfo]) -> dict[str, bool]:
    """Return `is_signed` for every layer."""
    known: dict[str, bool] = {}
    for path in layers:
        _signed(layers, path, known)
    return known


def _signed(layers: Mapping[str, LayerInfo], path: str, known: dict[str, bool]) -> bool:
    # Not recursive: networks are deeper than Python's stack.
    pending = [path]
    while pending:
        here = pending[-1]
        layer = layers.get(here)
        if here in known or layer is None:
            known.setdefault(here, True)
            pending.pop()
            continue
        own = _own_sign(layer)
        if own is not None or not layer.inputs:
            known[here] = True if own is None else own
            pending.pop()
            continue
        unknown = [source for source in layer.inputs if source not in known]
        if unknown:
            # A loop cannot happen in a graph that was called; if it does, it counts as signed.
            known.update({source: True for source in unknown if source in pending})
            pending += [source for source in unknown if source not in pending]
            continue
        known[here] = any(known[source] for source in layer.inputs)
        pending.pop()
    return known[path]


def _own_sign(layer: LayerInfo) -> bool | None:
    """Return whether a layer is signed by itself, or None where that depends on its inputs."""
    if layer.kind in _LAYERS_WITH_FLOOR:
        floor = _LAYERS_WITH_FLOOR[layer.kind]
        return not floor or bool(layer.config.get("negative_slope"))
    name = _activation(layer.config.get("activation"))
    if name is not None and name != "linear":
        return name not in _WITH_FLOOR
    if layer.kind in _PASSING or layer.kind.startswith(_PASSING_STARTS):
        return None
    # Operations on tensors are called like the activations ("Relu", "Sigmoid", "HardSilu").
    return _snake(layer.kind) not in _WITH_FLOOR


def _activation(given: Any) -> str | None:
    if given is None:
        return None
    if isinstance(given, dict):
        given = given.get("config", given.get("class_name"))
    return _snake(str(given))


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
