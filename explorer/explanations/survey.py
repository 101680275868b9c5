"""What one pass through a network tells about it: the layers with their shapes, the outputs and what ends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from explorer.networks.gradients import kept, without_gradients
from explorer.networks.predictions import last_layer
from explorer.networks.tap import graph_of, lock_of, model_of, tapped


@dataclass(frozen=True, eq=False)
class Survey:
    """A network as it was seen while it ran on one picture.

    Attributes:
        layers: Shape without the batch of what each layer puts out, by path, in the order of the calls. Layers
            that hand on what they were given (Dropout outside training, the input) are left out.
        outputs: Shape of each of the network's outputs, without the batch.
        heads: The layer that gave each output, or None where only code would tell.
        probabilities: For each output whether its values are nowhere negative and sum to 1.
    """

    layers: dict[str, tuple[int, ...]]
    outputs: tuple[tuple[int, ...], ...]
    heads: tuple[Any, ...]
    probabilities: tuple[bool, ...]


def survey(network: Any, size: tuple[int, ...] | None = None) -> Survey:
    """Return what a network consists of, found by one pass over noise, once for each size of picture.

    Args:
        network: A loaded network or a keras.Model; one that was never called is built by this.
        size: (height, width, channels) of the pictures; None for the network's own.

    Raises:
        ValueError: with a sentence, if the network leaves its size open and none is given.
    """
    shape = tuple(size) if size is not None else own_size(network)
    return kept(network, ("survey", shape), lambda: _Lazy(network, shape)).get()


def own_size(network: Any) -> tuple[int, int, int]:
    """Return (height, width, channels) of a network's input.

    Raises:
        ValueError: with a sentence, if it leaves them open.
    """
    graph = graph_of(model_of(network))
    shape = None if graph is None else tuple(graph.inputs[0].shape[1:])
    entry = getattr(network, "entry", None)
    if entry is not None and (shape is None or None in shape):
        shape = (*entry.input_size, 3)
    if shape is None or len(shape) != 3 or None in shape:
        raise ValueError("The network takes pictures of any size, so a size must be given.")
    return shape


class _Lazy:
    """Makes the survey when it is first asked for: what is kept for a network is built under a lock of all."""

    def __init__(self, network: Any, shape: tuple[int, ...]) -> None:
        self._model = model_of(network)
        self._shape = shape
        self._made: Survey | None = None

    def get(self) -> Survey:
        with lock_of(self._model):
            if self._made is None:
                self._made = _survey(self._model, self._shape)
            return self._made


def _survey(model: keras.Model, shape: tuple[int, ...]) -> Survey:
    noise = np.random.default_rng(0).uniform(size=(1, *shape)).astype(np.float32)
    inputs = keras.ops.convert_to_tensor(noise)
    found: dict[str, tuple[int, ...]] = {}
    endings: list[tuple[Any, Any]] = []
    before: Any = None

    def watch(path: str, layer: Any, given: list[Any], output: list[Any]) -> None:
        nonlocal before
        if not path or not output:
            return
        first = output[0]
        # A nested model's output is its last layer's; a Dropout's is what went in.
        if first is not before and not any(first is each for each in given):
            found[path] = tuple(first.shape[1:])
        if not isinstance(layer, keras.Model):
            endings.extend((tensor, layer) for tensor in output if len(tensor.shape) <= 2)
        before = first

    with without_gradients():
        if not model.built or (isinstance(model, keras.Sequential) and graph_of(model) is None):
            model(inputs)
        with tapped(model, lambda path, tensor: None, watch=watch, free=True):
            outputs = keras.tree.flatten(model(inputs))
    return Survey(
        layers=found,
        outputs=tuple(tuple(output.shape[1:]) for output in outputs),
        heads=tuple(_head(model, number, output, endings) for number, output in enumerate(outputs)),
        probabilities=tuple(_probabilities(keras.ops.convert_to_numpy(output)) for output in outputs),
    )


def _head(model: keras.Model, number: int, output: Any, endings: list[tuple[Any, Any]]) -> Any:
    head = last_layer(model, number)
    if head is not None:
        return head
    return next((layer for tensor, layer in reversed(endings) if tensor is output), None)


def _probabilities(values: np.ndarray) -> bool:
    several = values.ndim == 2 and values.shape[1] > 1
    return bool(several and values.min() >= 0 and np.allclose(values.sum(axis=-1), 1, atol=1e-4))
