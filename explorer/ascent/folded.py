"""Batch normalizations as part of the convolutions before them: a pass over the maps less, forward and backward.

After training a batch normalization multiplies each channel by a number and adds another. The first may as well be
multiplied into the convolution's kernel, which has some ten thousand numbers where the maps have a million.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from explorer.networks.gradients import leaves_out_what_nobody_uses
from explorer.networks.tap import lock_of, model_of


@contextlib.contextmanager
def folded(network: Any) -> Iterator[None]:
    """Let batch normalizations right behind a convolution be computed with it, inside the `with` block.

    A normalization that is given what a convolution has just put out convolves anew, with kernel and bias changed,
    what the convolution was given. So the convolution's own output stays what it is for whoever else looks at it;
    where nobody does, a compiled pass leaves it out. (Where there are no compiled passes, nothing is changed.)

    Args:
        network: A loaded network or a keras.Model. Its lock is held meanwhile.
    """
    before: list[tuple[Any, Any]] = []
    # What convolutions put out, by its id, and which convolution of what; kept, so that no other tensor has its id.
    convolved: dict[int, tuple[Any, Any, Any]] = {}
    with lock_of(network):
        try:
            for layer in model_of(network)._flatten_layers() if leaves_out_what_nobody_uses() else ():
                way = _WAYS.get(type(layer))
                if way is not None and layer.compute_dtype == "float32":
                    before.append((layer, layer.__dict__.get("call")))
                    layer.__dict__["call"] = way(layer, convolved)
            yield
        finally:
            for layer, call in before:
                if call is None:
                    layer.__dict__.pop("call", None)
                else:
                    layer.__dict__["call"] = call


def _watched(layer: Any, convolved: dict[int, tuple[Any, Any, Any]]) -> Callable[..., Any]:
    """Return a convolution's call, which also notes what it put out."""
    call = layer.call

    def watched_call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        put = call(inputs, *args, **kwargs)
        if layer.activation is keras.activations.linear:
            convolved[id(put)] = (layer, inputs, put)
        return put

    return watched_call


def _folded(layer: Any, convolved: dict[int, tuple[Any, Any, Any]]) -> Callable[..., Any]:
    """Return a batch normalization's call, which convolves instead where it can."""
    call = layer.call

    def folded_call(inputs: Any, training: Any = None, mask: Any = None) -> Any:
        found = convolved.get(id(inputs))
        if found is None or (training and layer.trainable) or layer.axis not in (-1, 3):
            return call(inputs, training=training, mask=mask)
        convolution, given, _ = found
        factor, shift = factor_and_shift(layer)
        if convolution.use_bias:
            shift = shift + convolution.bias * factor
        maps = convolution.convolution_op(given, convolution.kernel * factor)
        return keras.ops.add(maps, shift)  # not "+": as a bias, TensorFlow adds it, and what a ReLU does, in one go

    return folded_call


def factor_and_shift(layer: Any) -> tuple[Any, Any]:
    """Return what a batch normalization multiplies each channel by, and then adds, once it is trained.

    Its kept averages count, not the batch's.

    Returns:
        Two float32 tensors (channels,).
    """
    factor = keras.ops.rsqrt(layer.moving_variance + layer.epsilon)
    if layer.scale:
        factor = factor * layer.gamma
    shift = -layer.moving_mean * factor
    return factor, shift + layer.beta if layer.center else shift


_WAYS: dict[type, Callable[..., Callable[..., Any]]] = {
    keras.layers.Conv2D: _watched,
    keras.layers.BatchNormalization: _folded,
}
