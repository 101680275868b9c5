"""A pretrained base: its stages, what they say of pictures, and copies of it that end in a head for other classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry
from explorer.networks.copies import copy_of, untrained
from explorer.networks.loading import load
from explorer.networks.preprocessing import CAFFE_MEAN_BGR, TORCH_DEVIATION, TORCH_MEAN, fit
from explorer.networks.work_context import SentenceError

CLASSES_LAYER = "class_logits"
BATCH = 64

_PADDING = (keras.layers.ZeroPadding2D, keras.layers.Cropping2D)
_NORMALISING = (keras.layers.BatchNormalization, keras.layers.Normalization)


@dataclass(frozen=True, eq=False)
class Base:
    """A trained network whose own classes are of no interest.

    Attributes:
        entry: what the catalogue says about it.
        model: the whole network, shared: train copies only.
        stages: names of the layers at the end of its stages, the first stage first; see `stage_ends`.
    """

    entry: NetworkEntry
    model: keras.Model
    stages: tuple[str, ...]

    def copied(self) -> keras.Model:
        """Return a copy of the network that may be trained."""
        return copy_of(self.model)

    def untrained(self, seed: int) -> keras.Model:
        """Return a network of the same architecture with random weights."""
        return untrained(self.model, seed)

    def chosen(self, from_the_end: Sequence[int]) -> tuple[str, ...]:
        """Return the ends of some stages, earlier ones first.

        Args:
            from_the_end: 1 for the last stage, 2 for the one before it, …

        Raises:
            SentenceError: if there are not so many.
        """
        deepest = max(from_the_end)
        if deepest > len(self.stages):
            raise SentenceError(
                f"{self.entry.title} has only {len(self.stages)} stages: choose features of later stages."
            )
        return tuple(self.stages[-number] for number in sorted(from_the_end, reverse=True))


def load_base(name: str) -> Base:
    """Load a trained network as a base.

    Args:
        name: in the catalogue; "" for the default network.

    Raises:
        SentenceError: if there is no such network, its weights are missing, or it has no feature maps.
    """
    try:
        network = load(name or catalogue.DEFAULT_NETWORK)
    except KeyError as error:
        raise SentenceError(str(error.args[0])) from None
    stages = stage_ends(network.model)
    if not stages:
        raise SentenceError(f"{network.entry.title} has no feature maps to take features from: choose another base.")
    return Base(network.entry, network.model, stages)


def stage_ends(model: keras.Model) -> tuple[str, ...]:
    """Return for each halving of the picture's side the last layer of that size, the first stage first.

    Layers that look at the whole picture at once (1 × 1, as in squeeze-and-excitation) belong to no stage.
    """
    side = model.inputs[0].shape[1]
    ends: dict[int, str] = {}
    for layer in model.layers:
        shape = _output_shape(layer)
        if side is None or len(shape) != 4 or isinstance(layer, (keras.layers.InputLayer, *_PADDING)):
            continue
        if shape[1] is None or shape[1] < 2 or shape[1] > 0.75 * side:
            continue
        ends[round(math.log2(side / shape[1]))] = layer.name
    return tuple(ends[halvings] for halvings in sorted(ends))


def _output_shape(layer: keras.Layer) -> tuple[int | None, ...]:
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError, RuntimeError):  # several outputs, several calls, or none yet
        return ()
    return tuple(shape)


def fitted(pixels: np.ndarray, entry: NetworkEntry) -> np.ndarray:
    """Bring pictures to a network's input size; grey ones get three equal channels.

    Args:
        pixels: uint8 (n, height, width, channels), one or three channels.
        entry: the network.

    Returns:
        uint8 (n, *input_size, 3).
    """
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    if pixels.shape[1:3] == tuple(entry.input_size):
        return pixels
    return np.stack([fit(each, entry).pixels for each in pixels])


def preprocessing_layers(mode: str) -> list[keras.layers.Layer]:
    """Return layers that do to pictures from 0 to 1 what `explorer.networks.preprocessing.prepare` does to pixels.

    Args:
        mode: as in the catalogue.

    Raises:
        ValueError: if there is no such mode.
    """
    if mode == "zero_one":
        return []
    if mode == "tf":
        return [keras.layers.Rescaling(2.0, offset=-1.0)]
    if mode == "included":
        return [keras.layers.Rescaling(255.0)]
    if mode == "torch":
        variance = [deviation**2 for deviation in TORCH_DEVIATION]
        return [keras.layers.Normalization(axis=-1, mean=list(TORCH_MEAN), variance=variance)]
    if mode == "caffe":
        swapped = keras.layers.Conv2D(3, 1, trainable=False)
        swapped.build((None, None, None, 3))
        # Blue, green and red in the place of red, green and blue: a convolution of 1 × 1 can do that.
        swapped.set_weights([255.0 * np.eye(3)[::-1].reshape(1, 1, 3, 3), -np.array(CAFFE_MEAN_BGR)])
        return [swapped]
    raise ValueError(f"Unknown preprocessing {mode!r}.")


def feature_model(model: keras.Model, stages: Sequence[str]) -> keras.Model:
    """Return a model from a network's input to the averages of its channels at the ends of stages, side by side."""
    return keras.Model(model.inputs[0], _pooled(model, stages), name="features")


def _pooled(model: keras.Model, stages: Sequence[str]) -> Any:
    means = [
        keras.layers.GlobalAveragePooling2D(name=f"mean_of_{name}")(model.get_layer(name).output) for name in stages
    ]
    return means[0] if len(means) == 1 else keras.layers.Concatenate(name="features_of_stages")(means)


def with_head(model: keras.Model, stages: Sequence[str], head: Sequence[keras.layers.Layer], name: str) -> keras.Model:
    """Return a network that ends in other layers, one flat graph from prepared input to the head's output.

    Args:
        model: a copy of a base; its layers are shared with the returned model.
        stages: whose averages the head gets.
        head: its layers in order, shared as well.
        name: of the returned model.
    """
    x = _pooled(model, stages)
    for layer in head:
        x = layer(x)
    return keras.Model(model.inputs[0], x, name=name)


def on_pictures(model: keras.Model, mode: str) -> keras.Model:
    """Return a model that takes pictures from 0 to 1, prepares them and hands them to `model`, whose layers it shares.

    Args:
        model: takes prepared input.
        mode: its preprocessing.
    """
    layers = preprocessing_layers(mode)
    if not layers:
        return model
    pictures = x = keras.Input(model.inputs[0].shape[1:], name="pictures")
    for layer in layers:
        x = layer(x)
    return keras.Model(pictures, model(x))


def unfreeze(model: keras.Model, last: int | None) -> tuple[keras.layers.Layer, ...]:
    """Let only the last layers with weights learn; batch normalisation never does.

    A layer of batch normalisation that does not learn also keeps to its moving statistics (Keras runs it in
    inference mode): the few pictures of a batch would spoil them.

    Args:
        model: changed in place; its layer of logits and other dense layers behind the base always learn.
        last: how many layers of the base; None for all.

    Returns:
        The layers of the base that learn, in order.
    """
    layers = [layer for layer in model.layers if layer.weights and not isinstance(layer, keras.layers.Normalization)]
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    behind = {layer.name for layer in _behind(model)}
    own = [layer for layer in layers if layer.name not in behind and not isinstance(layer, _NORMALISING)]
    learning = own if last is None else own[len(own) - min(last, len(own)) :]
    for layer in own:
        layer.trainable = layer in learning
    return tuple(learning)


def _behind(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers behind the averages of the stages."""
    names = [layer.name for layer in model.layers]
    last = max(index for index, name in enumerate(names) if name.startswith("mean_of_"))
    return list(model.layers[last + 1 :])


def cut(model: keras.Model, before: keras.layers.Layer) -> tuple[keras.Model, keras.Model] | None:
    """Return the part of a model up to a layer's input and the part from there on, which share its layers.

    Returns:
        None where other paths lead around that place, as a shortcut does.
    """
    try:
        place = before.input
        if isinstance(place, list | tuple):
            return None
        return keras.Model(model.inputs[0], place), keras.Model(place, model.outputs[0])
    except (ValueError, AttributeError, RuntimeError):
        return None


def outputs_of(model: keras.Model, inputs: np.ndarray, look: Callable[[], None], batch: int = BATCH) -> np.ndarray:
    """Return a model's outputs for many pictures.

    Args:
        model: one output.
        inputs: (n, …); uint8 pixels are handed over as floats from 0 to 1.
        look: called between batches; it raises where the run shall stop.
        batch: pictures at a time.
    """
    parts = []
    for start in range(0, len(inputs), batch):
        look()
        part = inputs[start : start + batch]
        if part.dtype == np.uint8:
            part = part.astype(np.float32) / 255
        # All batches of one size, the last one filled up: another size would be compiled anew.
        full = np.concatenate([part, np.repeat(part[:1], batch - len(part), axis=0)]) if len(part) < batch else part
        parts.append(np.asarray(keras.ops.convert_to_numpy(model.predict_on_batch(full)))[: len(part)])
    return np.concatenate(parts)
