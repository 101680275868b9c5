"""What every layer of a network answers to a picture: all layers in a few numbers, or one layer in full."""

from __future__ import annotations

import math
import time
from typing import Any, Literal

import keras
import numpy as np

from explorer.inside import silence
from explorer.inside.layer_graph import LayerGraph, layer_graph
from explorer.inside.results import LayerMaps, LayerSummary, MapsKind, Overview, Prediction
from explorer.networks import catalogue
from explorer.networks.activations import activations
from explorer.networks.gradients import as_array, device_label, without_gradients
from explorer.networks.loading import LoadedNetwork, load
from explorer.networks.predictions import ends_in_softmax, scores, scores_of
from explorer.networks.preprocessing import Fit, prepare
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.structure import LayerInfo
from explorer.networks.tap import tapped
from explorer.networks.work_context import WorkContext

Weights = Literal["trained", "random"]
TOP = 5


def overview(context: WorkContext, network: str, weights: Weights, pixels: np.ndarray, fit: Fit = "pad") -> Overview:
    """Run a network on a picture once and sum up every layer (named work).

    Each layer is reduced to its numbers as it answers, so that the maps of a large network are never in
    memory together.

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        fit: How it is brought to the network's input size, see `explorer.networks.preprocessing.fit`.

    Returns:
        Structure, predictions and a summary of each layer.

    Raises:
        SentenceError: if the network cannot be loaded.
    """
    context.report(message="Loading the network")
    loaded = load(network, weights)
    context.raise_if_stopped()
    graph = layer_graph(loaded)
    fitted = fit_picture(pixels, loaded.entry, fit)
    batch = prepare(fitted.pixels, loaded.entry)
    context.report(0, len(graph.structure.layers), "layers", "Computing all layers")
    started = time.perf_counter()
    layers, output = _all_layers(loaded, graph, batch, context)
    seconds = time.perf_counter() - started
    return Overview(
        structure=graph.structure,
        predictions=_predictions(loaded, batch, output),
        layers=layers,
        fitted=fitted,
        seconds=seconds,
        device=device_label(),
    )


def layer_maps(
    context: WorkContext, network: str, weights: Weights, pixels: np.ndarray, layer: str, fit: Fit = "pad"
) -> LayerMaps:
    """Return all that one layer computes for a picture (named work).

    The network runs only as far as that layer.

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        layer: Path of the layer, see `explorer.networks.structure`.
        fit: How the picture is brought to the network's input size.

    Returns:
        The values with their statistics. A layer gives maps where it has places, a vector where it has none
        or only one; a sequence (time, channels) counts as maps one cell wide, and of a volume the
        slices stand below each other.

    Raises:
        SentenceError: if the network cannot be loaded or has no such layer.
    """
    context.report(message="Loading the network")
    loaded = load(network, weights)
    context.raise_if_stopped()
    graph = layer_graph(loaded)
    info = graph.info(layer)
    batch = prepare(fit_picture(pixels, loaded.entry, fit).pixels, loaded.entry)
    context.report(message=f"Computing {info.name}")
    started = time.perf_counter()
    values = as_maps(activations(loaded, batch, [layer])[layer][0])
    seconds = time.perf_counter() - started
    return maps_of(layer, values, kind=_kind(info, values), signed=graph.signed[layer], seconds=seconds)


def as_maps(values: np.ndarray) -> np.ndarray:
    """Return what a layer gave for one picture as maps (height, width, channels) or a vector (channels,).

    Args:
        values: A layer's output without the batch, of any rank.
    """
    values = np.asarray(values, np.float32)
    if values.ndim <= 1:
        return values.reshape(-1)
    channels = values.shape[-1]
    if values.ndim == 2:
        values = values[:, None, :]
    elif values.ndim > 3:
        values = values.reshape(-1, values.shape[-2], channels)
    return values.reshape(channels) if values.shape[:2] == (1, 1) else values


def maps_of(layer: str, values: np.ndarray, *, kind: MapsKind, signed: bool, seconds: float = 0.0) -> LayerMaps:
    """Return values with their statistics by channel.

    Args:
        layer: The layer's path.
        values: float32 (height, width, channels) or (channels,).
        kind: What they are.
        signed: Whether both signs carry an answer.
        seconds: How long they took to compute.
    """
    by_place = values.reshape(-1, values.shape[-1])
    minimum, maximum = _extremes(by_place)
    strength = silence.strengths(minimum, maximum, signed=signed)
    threshold = silence.threshold_of(strength)
    several = len(by_place) > 1
    return LayerMaps(
        layer=layer,
        kind=kind,
        values=values,
        minimum=minimum,
        maximum=maximum,
        mean=by_place.mean(axis=0, dtype=np.float64).astype(np.float32),
        strength=strength,
        silent=strength <= threshold,
        threshold=threshold,
        threshold_rule=silence.rule_sentence(threshold, signed=signed),
        signed=signed,
        constant=silence.constant_channels(minimum, maximum) & several,
        share_resting=silence.share_resting(by_place, threshold, signed=signed),
        seconds=seconds,
    )


def _is_input(info: LayerInfo) -> bool:
    return info.kind == "InputLayer" and not info.inputs


def _kind(info: LayerInfo, values: np.ndarray) -> MapsKind:
    if _is_input(info):
        return "input"
    return "vector" if values.ndim == 1 else "maps"


def _all_layers(
    loaded: LoadedNetwork, graph: LayerGraph, batch: np.ndarray, context: WorkContext
) -> tuple[tuple[LayerSummary, ...], np.ndarray]:
    """Run the network once; return the summary of each layer in the order of the structure, and the output."""
    found: dict[str, LayerSummary] = {}
    layers = graph.structure.layers

    def see(path: str, tensor: Any) -> None:
        info = layers.get(path)
        if info is None or tensor is None or path in found:
            return
        found[path] = summary_of(info, as_array(tensor)[0], signed=graph.signed[path])
        if len(found) % 16 == 0:
            context.raise_if_stopped()
            context.report(len(found), len(layers), "layers", "Computing all layers")

    with without_gradients(), tapped(loaded, see, free=True) as model:
        output = model(batch)
    return tuple(found[path] for path in layers if path in found), as_array(keras.tree.flatten(output)[0])[0]


def summary_of(info: LayerInfo, values: np.ndarray, *, signed: bool) -> LayerSummary:
    """Return a layer's numbers from its values for one picture, (…, channels)."""
    by_place = values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)
    minimum, maximum = _extremes(by_place)
    strength = silence.strengths(minimum, maximum, signed=signed)
    threshold = silence.threshold_of(strength)
    return LayerSummary(
        path=info.path,
        minimum=float(minimum.min()),
        maximum=float(maximum.max()),
        channels=len(strength),
        silent=int(np.count_nonzero(strength <= threshold)),
        threshold=threshold,
        spatial=len(by_place) > 1,
        signed=signed,
        is_input=_is_input(info),
        share_resting=silence.share_resting(by_place, threshold, signed=signed),
    )


def _extremes(by_place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each channel's smallest and largest value from values (places, channels)."""
    places, channels = by_place.shape
    # NumPy takes short rows one at a time; several places side by side are twice as fast.
    together = math.gcd(places, max(1, 256 // channels))
    wide = by_place.reshape(places // together, together * channels)
    low, high = (extreme.reshape(together, channels) for extreme in (wide.min(axis=0), wide.max(axis=0)))
    return low.min(axis=0), high.max(axis=0)


def _predictions(loaded: LoadedNetwork, batch: np.ndarray, output: np.ndarray) -> tuple[Prediction, ...]:
    """Return the most probable classes; empty where the output is no vector of them."""
    if output.ndim != 1 or len(output) < 2:
        return ()
    # The pass for the maps kept a softmax at the end, so that its layer shows what it computes; its logits need
    # a pass of their own.
    softened = ends_in_softmax(loaded.model)
    answer = scores(loaded, batch) if softened else scores_of(loaded.model, output[None])
    names = catalogue.class_names(loaded.entry)
    if names is not None and len(names) != len(output):
        names = None
    return tuple(
        Prediction(one.index, None if names is None else names[one.index], one.probability, one.logit)
        for one in answer.top(TOP)
    )
