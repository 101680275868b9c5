"""Named work that judges maps: scores beside a random map, the sanity check, channels switched off."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from explorer.explanations.faithfulness import judged
from explorer.explanations.results import ChannelEffects, Sanity, Score, Scores, SwitchedOff, Target
from explorer.explanations.sanity import sanity_check
from explorer.explanations.switch_off import channel_effects_of, switched_off
from explorer.networks.loading import LoadedNetwork, Weights, load
from explorer.networks.preprocessing import Fit, Fitted, fit_mask, prepare
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.work_context import SentenceError, WorkContext


def judge(
    context: WorkContext,
    network: str,
    weights: Weights,
    pixels: np.ndarray,
    fit: Fit,
    target: Target,
    maps: dict[str, np.ndarray],
    mask: np.ndarray | None = None,
    seed: int = 0,
) -> Scores:
    """Score the maps of one picture and target, and a random map beside them (named work).

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        fit: How it was brought to the network's input size.
        target: What the maps explain; for a class its probability is followed, else the target's value.
        maps: By method, each (h, w) at the size of the network's input.
        mask: Where the object truly is, bool of the picture's size; None if nobody knows.
        seed: Of the random map and of the order of places with one value.

    Returns:
        One row for each map in their order, and last the random one.

    Raises:
        SentenceError: if the network cannot be loaded or a map has another size.
        Stopped: if the visitor asked to stop.
    """
    context.report(message="Loading the network")
    loaded = load(network, weights)
    context.raise_if_stopped()
    fitted = fit_picture(pixels, loaded.entry, fit)
    return judged(
        loaded,
        prepare(fitted.pixels, loaded.entry),
        target,
        maps,
        None if mask is None else fitted_mask(mask, fitted, loaded, fit),
        seed=seed,
        context=context,
    )


def sanity(
    context: WorkContext,
    network: str,
    weights: Weights,
    pixels: np.ndarray,
    fit: Fit,
    target: Target,
    methods: tuple[str, ...],
    layer: str | None = None,
    seed: int = 0,
    options: dict[str, dict[str, Any]] | None = None,
    score: Score = "logits",
) -> Sanity:
    """Randomise a copy of the network from the top down and watch the maps (named work).

    Each step is a payload part of its own, a tuple of one `SanityStep`; a stopped check returns the steps so far.

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        fit: How it is brought to the network's input size.
        target: What is explained.
        methods: Names in `explorer.explanations.table`.
        layer: For methods that look at a layer.
        seed: Of the drawn weights and of the methods.
        options: Knobs of methods, by method.
        score: "logits" or "softmax".

    Raises:
        SentenceError: if the network cannot be loaded or copied, or a method cannot explain it.
    """
    context.report(message="Loading the network")
    loaded = load(network, weights)
    context.raise_if_stopped()
    try:
        return sanity_check(
            loaded,
            prepare(fit_picture(pixels, loaded.entry, fit).pixels, loaded.entry),
            methods,
            target,
            layer=layer,
            score=score,
            seed=seed,
            options=options,
            context=context,
        )
    finally:
        # The copy and its compiled functions hold one another, and would stay until Python happens to look.
        gc.collect()


def channel_effects(
    context: WorkContext,
    network: str,
    weights: Weights,
    pixels: np.ndarray,
    fit: Fit,
    layer: str,
    index: int | None = None,
) -> ChannelEffects:
    """Rank a layer's channels by what a class's logit loses without each of them (named work).

    Args:
        context: The work's context; progress is in channels.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        fit: How it is brought to the network's input size.
        layer: Path of the layer.
        index: The class; None is the predicted one.

    Raises:
        SentenceError: if the network cannot be loaded or has no such layer or class.
        Stopped: if the visitor asked to stop.
    """
    loaded, picture = _loaded(context, network, weights, pixels, fit)
    return channel_effects_of(loaded, picture, layer, index, context=context)


def switch_off(
    context: WorkContext,
    network: str,
    weights: Weights,
    pixels: np.ndarray,
    fit: Fit,
    layer: str,
    channels: tuple[int, ...],
) -> SwitchedOff:
    """Return a picture's logits before and after channels of a layer are set to zero (named work).

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        fit: How it is brought to the network's input size.
        layer: Path of the layer.
        channels: Numbers of the channels.

    Raises:
        SentenceError: if the network cannot be loaded or has no such layer or channel.
    """
    loaded, picture = _loaded(context, network, weights, pixels, fit)
    return switched_off(loaded, picture, layer, channels)


def fitted_mask(mask: np.ndarray, fitted: Fitted, network: LoadedNetwork, fit: Fit) -> np.ndarray:
    """Bring a picture's mask to the network's input as the picture was, bool (h, w); bars beside it are false.

    Raises:
        SentenceError: if the mask has not the picture's size.
    """
    mask = np.asarray(mask, bool)
    if mask.shape != fitted.picture_size:
        mask_size, size = (" × ".join(map(str, each[::-1])) for each in (mask.shape, fitted.picture_size))
        raise SentenceError(f"The mask has the size {mask_size}, but the picture {size}.")
    return fit_mask(mask, network.entry, fit)


def _loaded(
    context: WorkContext, network: str, weights: Weights, pixels: np.ndarray, fit: Fit
) -> tuple[LoadedNetwork, np.ndarray]:
    context.report(message="Loading the network")
    loaded = load(network, weights)
    context.raise_if_stopped()
    return loaded, prepare(fit_picture(pixels, loaded.entry, fit).pixels, loaded.entry)
