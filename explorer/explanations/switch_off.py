"""Which channels of a layer carry a prediction: switch them off, and see the logits move."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from explorer.explanations.passes import batch_size, batches
from explorer.explanations.results import ChannelEffects, SwitchedOff
from explorer.networks.activations import activations
from explorer.networks.footprint import batch_for
from explorer.networks.gradients import Compiled, as_array, kept, probe_gradient
from explorer.networks.predictions import giving_logits, softmax
from explorer.networks.tap import lock_of, tapped
from explorer.networks.work_context import NO_CONTEXT, SentenceError, Stopped, WorkContext

MOST_CHANNELS = 256
CLASSES_TOLD = 5


def switched_off(network: Any, picture: np.ndarray, layer: str, channels: Sequence[int]) -> SwitchedOff:
    """Return the logits of a picture before and after channels of a layer are set to zero.

    What follows the layer gets zeros in their place, wherever the layer's output goes; nothing is rescaled.

    Args:
        network: A loaded network or a keras.Model with one vector of classes as (first) output.
        picture: The prepared input, (1, height, width, channels).
        layer: Path of the layer whose output is changed, best one after its activation.
        channels: Numbers of the channels, along the output's last axis.

    Raises:
        SentenceError: if there is no such layer or channel.
    """
    total = _channels_of(network, picture, layer)
    _check(channels, total, layer)
    keep = np.ones((2, total), np.float32)
    keep[1, list(channels)] = 0
    before, after = _logits_without(network, picture, layer, keep)
    return SwitchedOff(before, after, softmax(before), softmax(after))


def channel_effects_of(
    network: Any,
    picture: np.ndarray,
    layer: str,
    index: int | None = None,
    *,
    most: int = MOST_CHANNELS,
    limit: int | None = None,
    context: WorkContext = NO_CONTEXT,
) -> ChannelEffects:
    """Switch off the channels of a layer one at a time and rank them by what the class loses.

    Where a layer has more than `most` channels, those are tried whose Σ places of activation × gradient, the
    first-order estimate of what their loss costs, is furthest from zero.

    Args:
        network: A loaded network or a keras.Model with one vector of classes as (first) output.
        picture: The prepared input, (1, height, width, channels).
        layer: Path of the layer.
        index: The class; None is the predicted one.
        most: Channels that are tried at most.
        limit: Pictures at a time, at most; None for what memory bears.
        context: Hears of the progress in channels.

    Returns:
        The effects, the channel first whose loss lowers the class's logit most.

    Raises:
        SentenceError: if there is no such layer or class.
        Stopped: if the context asked to stop.
    """
    started = time.perf_counter()
    total = _channels_of(network, picture, layer)
    base = _logits_without(network, picture, layer, np.ones((1, total), np.float32))[0]
    if index is None:
        index = int(base.argmax())
    if not 0 <= index < len(base):
        raise SentenceError(f"The network has no class {index}; its classes are numbered from 0 to {len(base) - 1}.")
    context.raise_if_stopped()
    if limit is None:
        limit = batch_for(network, gradients=False, size=(picture.shape[1], picture.shape[2]))
    tried = np.arange(total)
    if total > most:
        estimate = _estimated(network, picture, layer, index)
        tried = np.sort(np.argsort(-np.abs(estimate), kind="stable")[:most])
    keep = np.ones((len(tried), total), np.float32)
    keep[np.arange(len(tried)), tried] = 0
    logits = np.empty((len(tried), len(base)), np.float32)
    done = 0
    for at in batches(
        len(tried), batch_size(len(tried), limit), context=context, unit="channels", message="Switching channels off"
    ):
        logits[at] = _logits_without(network, picture, layer, keep[at])
        done = int(at[-1]) + 1
    if done < len(tried):
        raise Stopped
    told = [index, *(int(other) for other in np.argsort(-base, kind="stable") if other != index)][:CLASSES_TOLD]
    order = np.argsort(logits[:, index], kind="stable")
    return ChannelEffects(
        layer=layer,
        classes=tuple(told),
        base=base[told],
        channels=tuple(int(channel) for channel in tried[order]),
        logits=logits[order][:, told],
        estimated=total > most,
        total=total,
        seconds=time.perf_counter() - started,
    )


def _channels_of(network: Any, picture: np.ndarray, layer: str) -> int:
    try:
        return int(activations(network, picture, [layer], reduce=lambda path, values: values.shape[-1])[layer])
    except KeyError:
        raise SentenceError(f"The network has no layer {layer!r} whose channels could be switched off.") from None


def _check(channels: Sequence[int], total: int, layer: str) -> None:
    wrong = next((channel for channel in channels if not 0 <= channel < total), None)
    if wrong is not None:
        raise SentenceError(f"{layer} has no channel {wrong}; its channels are numbered from 0 to {total - 1}.")


def _logits_without(network: Any, picture: np.ndarray, layer: str, keep: np.ndarray) -> np.ndarray:
    """Return the logits (b, classes) with the layer's channels multiplied by each row of keep, (b, channels)."""

    def run(picture: Any, keep: Any) -> Any:
        def see(path: str, tensor: Any) -> Any:
            if path != layer:
                return None
            shape = (-1, *(1,) * (len(tensor.shape) - 2), keep.shape[-1])
            return tensor * keras.ops.cast(keras.ops.reshape(keep, shape), tensor.dtype)

        # The first calls are eager, and would else keep the activations of all layers for a whole batch.
        with giving_logits(network) as model, tapped(network, see, wanted=[layer], free=True):
            output = model(keras.ops.repeat(picture, keep.shape[0], axis=0))
        return keras.tree.flatten(output)[0]

    kernel: Compiled = kept(network, ("switch_off", layer), lambda: Compiled(run, network=network))
    with lock_of(network):
        logits = as_array(kernel(np.asarray(picture, np.float32), keep))
    if logits.ndim != 2:
        raise SentenceError("Switching channels off needs a network that gives one vector of classes.")
    return logits


def _estimated(network: Any, picture: np.ndarray, layer: str, index: int) -> np.ndarray:
    with giving_logits(network):
        probed = probe_gradient(
            network, picture, layer, lambda output: keras.ops.sum(keras.tree.flatten(output)[0][:, index])
        )
    product = probed.activation * probed.gradient
    return product.reshape(-1, product.shape[-1]).sum(axis=0)
