"""Networks for grey pictures, brought to take the colour pictures that every page has."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

COLOURS = 3
# What red, green and blue add to brightness (ITU-R BT.601).
_BRIGHTNESS = (0.299, 0.587, 0.114)


@keras.saving.register_keras_serializable("explorer")
class Grey(layers.Layer):
    """Turn colour pictures into grey ones of one channel."""

    def call(self, inputs: Any) -> Any:
        """Return (batch, height, width, 1) for (batch, height, width, 3)."""
        weights = ops.convert_to_tensor(_BRIGHTNESS, inputs.dtype)
        return ops.sum(inputs * weights, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape with one channel."""
        return (*input_shape[:-1], 1)


def on_colour_pictures(model: keras.Model) -> keras.Model:
    """Return a model of the same layers that makes colour pictures grey first; (h, w, 3) in, the same out."""
    height, width, _ = model.inputs[0].shape[1:]
    picture = keras.Input((height, width, COLOURS), name="colour_picture")
    grey = Grey(name="grey")(picture)
    graph = model if isinstance(model, keras.Function) else getattr(model, "_functional", None)
    # A graph's layers are called once more, on the grey picture, so that the new graph is as flat as the old one.
    outputs = model(grey) if graph is None else graph._run_through_graph(grey, operation_fn=lambda operation: operation)
    return keras.Model(picture, outputs, name=model.name)
