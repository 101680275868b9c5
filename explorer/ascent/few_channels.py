"""Some channels of a convolution alone: whoever wants 16 of 128 need not compute, and differentiate, the others.

The last layer of a pass is often the dearest (in the bundled networks a quarter of the whole), and an image that
ascends one of its channels asks for nothing else of it. So where a layer's maps are a convolution's, with nothing but
batch normalizations behind it, the pass ends before the convolution, and only the kernels asked for are applied.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from explorer.ascent.folded import factor_and_shift
from explorer.ascent.passing import called, passed
from explorer.networks.tap import Enough, plain_name, tapped


@dataclass(frozen=True)
class FewChannels:
    """How some channels of one layer are computed alone, before the activation.

    Attributes:
        maps: `maps(x, channels)`: the network's input (n, h, w, c) and int (k,) → maps (n, h', w', k).
        means: `means(x, channels)` → the maps' means (n, k).
    """

    maps: Callable[[Any, Any], Any]
    means: Callable[[Any, Any], Any]


def few_channels(network: Any, layer: str, kind: str) -> FewChannels | None:
    """Return how some channels of a layer's maps are computed alone, or None where it takes the whole layer.

    Args:
        network: A loaded network or a keras.Model; its lock is held when the functions are called.
        layer: Path of the layer.
        kind: Where its pre-activation is, see `passing.Preactivation`.
    """
    layers = passed(network, until=layer)
    path = layers[layer].source if kind == "before" else layer
    behind: list[Any] = []
    while path in layers and _normalizes_each_channel(layers[path].layer):
        behind.insert(0, layers[path].layer)
        path = layers[path].source
    if kind == "redirected" or path not in layers or not _is_plain_convolution(layers[path].layer):
        return None
    convolution = layers[path].layer
    if behind and kind == "inside":  # a batch normalization has no activation inside; its convolution may have one
        return None
    if kind != "inside" and convolution.activation is not keras.activations.linear:
        return None

    def maps(x: Any, channels: Any) -> Any:
        return finished(_convolved(convolution, _input_of(network, x, path), channels), channels)

    def means(x: Any, channels: Any) -> Any:
        if convolution.strides != (1, 1):
            return keras.ops.mean(maps(x, channels), axis=(1, 2))
        return finished(_convolved_mean(convolution, _input_of(network, x, path), channels), channels)

    def finished(values: Any, channels: Any) -> Any:
        for normalization in behind:
            values = _normalized(normalization, values, channels)
        return keras.ops.cast(values, "float32")

    return FewChannels(maps, means)


def _normalizes_each_channel(layer: Any) -> bool:
    return type(layer) is keras.layers.BatchNormalization and layer.axis in (-1, 3)


def _is_plain_convolution(layer: Any) -> bool:
    return type(layer) is keras.layers.Conv2D and layer.groups == 1 and layer.data_format == "channels_last"


def _input_of(network: Any, x: Any, path: str) -> Any:
    """Return what a layer is given; the pass ends there (a compiled one leaves the layer's own work out)."""
    found: list[Any] = []

    def watch(at: str, layer: Any, given: list[Any], put: list[Any]) -> None:
        if at == path:
            found.append(given[0])
            raise Enough

    with (
        tapped(network, lambda at, tensor: None, wanted=(path, plain_name(path)), watch=watch) as model,
        contextlib.suppress(Enough),
    ):
        called(model, x)
    return found[-1]


def _convolved(layer: Any, given: Any, channels: Any) -> Any:
    kernel = keras.ops.cast(keras.ops.take(layer.kernel, channels, axis=3), layer.compute_dtype)
    maps = keras.ops.conv(
        keras.ops.cast(given, layer.compute_dtype),
        kernel,
        strides=list(layer.strides),
        padding=layer.padding,
        data_format=layer.data_format,
        dilation_rate=layer.dilation_rate,
    )
    if layer.use_bias:
        maps = maps + keras.ops.cast(keras.ops.take(layer.bias, channels, axis=0), layer.compute_dtype)
    return maps


def _convolved_mean(layer: Any, given: Any, channels: Any) -> Any:
    """Return the mean of a convolution's maps, which is the convolution of means.

    Each weight meets the whole input but for a border, always the same: so it is enough to know the input's mean over
    the places that each weight of the kernel meets.
    """
    given = keras.ops.cast(given, layer.compute_dtype)
    spans = [
        rate * (size - 1) for rate, size in zip(layer.dilation_rate, layer.kernel.shape[:2], strict=True)
    ]  # fmt: skip
    if layer.padding == "same":
        given = keras.ops.pad(given, ((0, 0), *((span // 2, span - span // 2) for span in spans), (0, 0)))
    window = tuple(int(side) - span for side, span in zip(given.shape[1:3], spans, strict=True))
    met = keras.ops.average_pool(
        given, window, strides=layer.dilation_rate, padding="valid", data_format=layer.data_format
    )
    kernel = keras.ops.cast(keras.ops.take(layer.kernel, channels, axis=3), layer.compute_dtype)
    means = keras.ops.matmul(
        keras.ops.reshape(met, (met.shape[0], -1)), keras.ops.reshape(kernel, (-1, kernel.shape[3]))
    )
    if layer.use_bias:
        means = means + keras.ops.cast(keras.ops.take(layer.bias, channels, axis=0), layer.compute_dtype)
    return means


def _normalized(layer: Any, maps: Any, channels: Any) -> Any:
    """Apply a batch normalization as it is after training to maps of some channels."""
    factor, shift = (keras.ops.take(each, channels, axis=0) for each in factor_and_shift(layer))
    return keras.ops.cast(maps, "float32") * factor + shift
