"""Sketches and stacks as Keras models: for workers, since the web process must not import Keras."""

from __future__ import annotations

import keras

from explorer.architectures import stack as stacks
from explorer.architectures.sketch import Sketch


def build(sketch: Sketch) -> keras.Model:
    """Return the Keras model of a sketch, with fresh weights; the layers have the sketch's names.

    Raises:
        Clash: if a layer of the sketch is broken.
    """
    if sketch.clash is not None:
        raise sketch.clash
    outputs = {}
    inputs = []
    for call in sketch.calls():
        if call.kind == "InputLayer":
            outputs[call.path] = keras.Input(*call.positional, name=call.path)
            inputs.append(outputs[call.path])
            continue
        layer = getattr(keras.layers, call.kind)(*call.positional, **call.named, name=call.path)
        given = [outputs[path] for path in call.inputs]
        outputs[call.path] = layer(given if call.joins else given[0])
    last = [outputs[path] for path in sketch.outputs()]
    return keras.Model(inputs, last[0] if len(last) == 1 else last, name=sketch.name)


def build_stack(text: str) -> keras.Model:
    """Return the Keras model of a stack's text, as `explorer.architectures.stack.to_text` writes it.

    Raises:
        StackError: if the text is no stack.
        Clash: if shapes clash in it.
    """
    return build(stacks.sketch(stacks.from_text(text)))
