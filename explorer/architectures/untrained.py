"""Builds the project's own architectures for the other pages: colour pictures in, logits out, random weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from explorer.architectures.cards import card
from explorer.architectures.counting import built
from explorer.networks.grey import COLOURS, on_colour_pictures


def build(name: str) -> keras.Model:
    """Build one of the project's own architectures with random weights.

    A network for grey pictures gets a layer in front that makes them grey. Of several outputs only the first stays, and
    a softmax or sigmoid at the end is left out, also where every pixel has one: all pages compute their own from
    logits.

    Args:
        name: Of its card.

    Raises:
        KeyError: with a sentence, if there is no network of that name.
    """
    return for_pages(built(card(name)))


def for_pages(model: keras.Model) -> keras.Model:
    """Return a model of the same layers that takes colour pictures and gives logits."""
    channels = model.inputs[0].shape[-1]
    model = with_logits(model)
    return model if channels == COLOURS else on_colour_pictures(model)


def with_logits(model: keras.Model) -> keras.Model:
    """Return a model of the same layers whose first output, without softmax or sigmoid, is the only one."""
    output = _logits(model.outputs[0])
    unchanged = output is model.outputs[0] and len(model.outputs) == 1
    return model if unchanged else keras.Model(model.inputs[0], output, name=model.name)


def _logits(output: Any) -> Any:
    """Return the tensor before a softmax layer; of a layer with softmax or sigmoid as its activation take that away."""
    layer = output._keras_history.operation
    if isinstance(layer, layers.Softmax):
        return layer.input
    if getattr(layer, "activation", None) in (keras.activations.softmax, keras.activations.sigmoid):
        layer.activation = keras.activations.linear
    return output
