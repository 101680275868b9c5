"""Which layers an activation map can look at, and which one it takes when nobody chooses."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.explanations.layer_choices import LayerChoice
from explorer.explanations.survey import survey
from explorer.networks.tap import graph_of, model_of
from explorer.networks.work_context import SentenceError


def choices(network: Any, size: tuple[int, ...] | None = None) -> tuple[LayerChoice, ...]:
    """Return every layer with more than one place, in the order of the calls.

    Args:
        network: A loaded network or a keras.Model.
        size: (height, width, channels) of the pictures; None for the network's own.
    """
    return tuple(
        LayerChoice(path, *shape)  # type: ignore[call-arg]
        for path, shape in survey(network, size).layers.items()
        if len(shape) == 3 and shape[0] * shape[1] > 1
    )


def default_layer(network: Any, size: tuple[int, ...] | None = None) -> str:
    """Return the path of the last layer that has places: after its activation, before all places become one.

    Args:
        network: A loaded network or a keras.Model.
        size: (height, width, channels) of the pictures; None for the network's own.

    Raises:
        SentenceError: if no layer has places.
    """
    found = choices(network, size)
    if not found:
        raise SentenceError("No layer of this network has maps with more than one cell, so none can tell places.")
    return found[-1].path


def checked(network: Any, layer: str | None, pictures: np.ndarray) -> str:
    """Return the path of the layer that was chosen, or of the default one for None; never another one.

    Raises:
        SentenceError: if there is no such layer, or if its maps cannot tell places apart.
    """
    size = pictures.shape[1:]
    if layer is None:
        return default_layer(network, size)
    shape = survey(network, size).layers.get(layer)
    if shape is None:
        raise SentenceError(f"The network has no layer {layer!r} with an output of its own.")
    if len(shape) != 3:
        raise SentenceError(f"The layer {layer} has no maps: its output has shape {shape}; choose an earlier one.")
    if shape[0] * shape[1] == 1:
        raise SentenceError(
            f"The maps of {layer} have a single cell, so they cannot tell one place from another; "
            "choose an earlier layer."
        )
    return layer


def ready(network: Any, pictures: np.ndarray) -> None:
    """Build a network that was never called, and see that it takes these pictures.

    Raises:
        SentenceError: if it takes pictures of another shape, or several inputs.
    """
    graph = graph_of(model_of(network))
    if graph is None:
        return
    if len(graph.inputs) != 1:
        raise SentenceError(f"The network takes {len(graph.inputs)} inputs; only networks with one can be explained.")
    wanted = tuple(graph.inputs[0].shape)[1:]
    given = pictures.shape[1:]
    if len(wanted) != 3 or any(side not in (None, own) for side, own in zip(wanted, given, strict=True)):
        raise SentenceError(f"The network takes pictures of shape {wanted}, not {given}.")
