"""Some channels of a convolution alone: whoever wants 16 of 128 need not compute, and differentiate, the others.

The last layer of a pass is often the dearest (in the bundled networks a quarter of the whole), and an image that
ascends one of its channels asks for nothing else of it. So where a layer's maps are a convolution's, with nothing but
batch normalizations behind it, the pass ends before the convolution, and only the kernels asked for are applied.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import keras

from explorer.ascent.passing import called, passed
from explorer.networks.tap import Enough, plain_name, tapped

FewChannels = Callable[[Any, Any], Any]
"""`few(x, channels)`: the network's input (n, h, w, c) and int (k,) → maps (n, h, w, k), before the activation."""


def few_channels(network: Any, layer: str, kind: str) -> FewChannels | None:
    """Return a function that computes some channels of a layer's maps, or None where it takes the whole layer.

    Args:
        network: A loaded network or a keras.Model; its lock is held when the function is called.
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

    def few(x: Any, channels: Any) -> Any:
        maps = _convolved(convolution, _input_of(network, x, path), channels)
        for normalization in behind:
            maps = _normalized(normalization, maps, channels)
        return keras.ops.cast(maps, "float32")

    return few


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


def _normalized(layer: Any, maps: Any, channels: Any) -> Any:
    """Apply a batch normalization as it is after training: its kept averages count, not the batch's."""
    mean, variance = (keras.ops.take(each, channels, axis=0) for each in (layer.moving_mean, layer.moving_variance))
    factor = keras.ops.rsqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * keras.ops.take(layer.gamma, channels, axis=0)
    shift = -mean * factor
    if layer.center:
        shift = shift + keras.ops.take(layer.beta, channels, axis=0)
    return keras.ops.cast(maps, "float32") * factor + shift
