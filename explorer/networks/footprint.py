"""How much memory a picture takes while a network computes, and so how many pictures fit at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from explorer.networks.gradients import device_seen, kept, without_gradients
from explorer.networks.tap import graph_of, lock_of, model_of, tapped

BUDGET = 256e6
GPU_BUDGET = 2e9
# How many times the budget whoever asks for a batch of their own may have: links, too, carry that wish.
ASKED_TIMES = 4
# More at a time is no faster, and makes a stop wait: a batch is what is finished after it.
MOST = {"CPU": 64, "GPU": 256}


@dataclass(frozen=True)
class Footprint:
    """What one picture's pass through a network holds in memory, in bytes.

    Attributes:
        forward: Largest sum of what goes into a layer and what comes out; doubled, since convolutions want
            room to work.
        kept: Everything that all layers put out, which the way back needs.
    """

    forward: int
    kept: int


def footprint(network: Any, size: tuple[int, int] | None = None) -> Footprint:
    """Return what one picture takes, counted from the tensors of one pass (made once for each size).

    Args:
        network: A loaded network or a keras.Model.
        size: (height, width) of the pictures; None for the network's own.
    """
    return kept(network, ("footprint", size), lambda: _Lazy(network, size)).get()


def bytes_per_picture(network: Any, *, gradients: bool, size: tuple[int, int] | None = None) -> int:
    """Return an estimate of the bytes that one picture takes, forward only or with gradients.

    Args:
        network: A loaded network or a keras.Model.
        gradients: Whether the pass goes back as well; all activations then stay.
        size: (height, width) of the pictures; None for the network's own.
    """
    found = footprint(network, size)
    return found.kept + found.forward if gradients else found.forward


def batch_for(
    network: Any,
    *,
    gradients: bool,
    budget: float | None = None,
    size: tuple[int, int] | None = None,
    asked: int | None = None,
) -> int:
    """Return how many pictures to compute at a time, at least 1.

    Args:
        network: A loaded network or a keras.Model.
        gradients: Whether the pass goes back as well.
        budget: Bytes; None for 256 MB on a CPU, 2 GB on a GPU.
        size: (height, width) of the pictures; None for the network's own.
        asked: How many somebody wants; it is that many as far as `ASKED_TIMES` the budget goes.
    """
    kind = device_seen().kind
    bytes_there = budget if budget is not None else GPU_BUDGET if kind == "GPU" else BUDGET
    each = bytes_per_picture(network, gradients=gradients, size=size)
    if asked is not None:
        return int(max(1, min(asked, ASKED_TIMES * bytes_there // max(1, each))))
    return int(min(max(1, bytes_there // max(1, each)), MOST[kind]))


class _Lazy:
    """Counts when it is first asked: building what is kept for a network must not wait for the network's lock."""

    def __init__(self, network: Any, size: tuple[int, int] | None) -> None:
        self._model = model_of(network)
        self._size = size
        entry = getattr(network, "entry", None)
        self._own = (*entry.input_size, 3) if entry is not None else None
        self._made: Footprint | None = None

    def get(self) -> Footprint:
        with lock_of(self._model):
            if self._made is None:
                self._made = _count(self._model, self._shape())
            return self._made

    def _shape(self) -> tuple[int, ...]:
        graph = graph_of(self._model)
        shape = list(graph.inputs[0].shape[1:]) if graph is not None else list(self._own or (None, None, 3))
        for axis in range(min(2, len(shape))):
            if self._size is not None:
                shape[axis] = self._size[axis]
            elif shape[axis] is None and self._own is not None:
                shape[axis] = self._own[axis]
        if None in shape:
            raise ValueError("The network takes pictures of any size, so a size must be given.")
        return tuple(shape)


def _count(model: keras.Model, shape: tuple[int, ...]) -> Footprint:
    most = total = 0
    inputs = np.zeros((1, *shape), np.float32)

    def watch(path: str, layer: Any, given: list[Any], output: list[Any]) -> None:
        nonlocal most, total
        if not path or isinstance(layer, keras.Model):
            return
        new = [tensor for tensor in output if not any(tensor is each for each in given)]
        total += sum(map(_bytes, new))
        most = max(most, sum(map(_bytes, [*filter(keras.ops.is_tensor, given), *new])))

    with without_gradients():
        if not model.built:
            model(inputs)
        with tapped(model, lambda path, tensor: None, watch=watch, free=True):
            model(inputs)
    return Footprint(forward=2 * most, kept=total)


def _bytes(tensor: Any) -> int:
    name = keras.backend.standardize_dtype(tensor.dtype)
    return math.prod(tensor.shape) * (2 if name in ("bfloat16", "float16") else np.dtype(name).itemsize)
