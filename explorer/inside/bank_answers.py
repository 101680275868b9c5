"""What a network answers to pictures, reduced to what evidence needs: each channel's peak, features and logits.

What it answers to the bank is kept with the network; what it answers to a visitor's pictures never is.
"""

from __future__ import annotations

import contextlib
import math
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np

from explorer.inside.bank import Bank
from explorer.inside.layer_graph import LayerGraph, layer_graph
from explorer.networks.catalogue import is_large
from explorer.networks.gradients import Compiled, as_array, kept
from explorer.networks.loading import LoadedNetwork
from explorer.networks.predictions import giving_logits
from explorer.networks.preprocessing import prepare
from explorer.networks.tap import Enough, lock_of, tapped
from explorer.networks.work_context import SentenceError, WorkContext

KEPT_BYTES = 48_000_000
"""What one network's answers to the bank may take; the least recently used are let go."""

_PIXELS_AT_ONCE = 32 * 96 * 96


@dataclass(frozen=True, eq=False)
class Peaks:
    """Where each channel of a layer answers most, picture by picture.

    Attributes:
        values: float32 (n, channels), the largest value of each channel in each picture; a value that is not a number
            counts as −inf.
        places: int32 (n, channels), where: number of the cell in the flattened map.
        shape: The layer's axes of places, () for a vector.
    """

    values: np.ndarray
    places: np.ndarray
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.values.nbytes + self.places.nbytes


@dataclass(frozen=True, eq=False)
class Features:
    """What a network's last classifying layer reads of each picture, and what it answers.

    Attributes:
        values: float32 (n, features).
        logits: float32 (n, classes), or (n, 0) where the network does not end in a vector.
        layer: Path of the layer whose values these are.
    """

    values: np.ndarray
    logits: np.ndarray
    layer: str

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.values.nbytes + self.logits.nbytes


Answer = TypeVar("Answer", Peaks, Features)


# --- one run over pictures ---


def peaks(loaded: LoadedNetwork, layer: str, pixels: np.ndarray, context: WorkContext) -> Peaks:
    """Return the strongest place of every channel of a layer in each picture.

    Args:
        loaded: The network.
        layer: Path of the layer; "" for the logits.
        pixels: uint8 (n, height, width, 3) at the network's input size.
        context: Hears of the progress; stops between batches.

    Raises:
        SentenceError: if the network has no such layer, or does not end in a vector of classes.
    """
    if layer:
        layer_graph(loaded).info(layer)
        run = kept(loaded, ("peaks", layer), lambda: Compiled(_peaks_function(loaded, layer), network=loaded))
        parts = _each_batch(loaded, run, pixels, context, f"Looking at {layer.rsplit('/', 1)[-1]}")
        shapes = [tuple(int(side) for side in np.asarray(part[2])) for part in parts]
        values = np.concatenate([part[0] for part in parts])
        places = np.concatenate([part[1] for part in parts]).astype(np.int32)
        return Peaks(values, places, shapes[0])
    logits = features(loaded, pixels, context).logits
    if not logits.shape[1]:
        raise SentenceError("This network does not end in a vector of classes: choose one of its layers instead.")
    clean = np.where(np.isnan(logits), np.float32(-np.inf), logits)
    return Peaks(clean, np.zeros(logits.shape, np.int32), ())


def features(loaded: LoadedNetwork, pixels: np.ndarray, context: WorkContext) -> Features:
    """Return features and logits of each picture, from one pass.

    Args:
        loaded: The network.
        pixels: uint8 (n, height, width, 3) at the network's input size.
        context: Hears of the progress; stops between batches.
    """
    layer = feature_layer(layer_graph(loaded))
    run = kept(loaded, ("features", layer), lambda: Compiled(_features_function(loaded, layer), network=loaded))
    parts = _each_batch(loaded, run, pixels, context, "Comparing pictures")
    values = np.concatenate([part[0] for part in parts])
    logits = np.concatenate([part[1] for part in parts])
    return Features(values, logits if logits.ndim == 2 else np.zeros((len(values), 0), np.float32), layer)


def feature_layer(graph: LayerGraph) -> str:
    """Return the layer whose output the last layer with weights reads: the penultimate layer.

    Behind a softmax, reshaping or flattening the walk goes on; of a network whose edges are not known, the layer
    before the last one with weights counts.
    """
    layers = graph.structure.layers
    path = next(reversed(layers))
    seen = set()
    while path not in seen and layers[path].inputs and not layers[path].parameters:
        seen.add(path)
        path = layers[path].inputs[0]
    if layers[path].inputs:
        return layers[path].inputs[0]
    order = list(layers)
    with_weights = [number for number, name in enumerate(order) if layers[name].parameters]
    return order[max(0, with_weights[-1] - 1)] if with_weights else order[-1]


def _peaks_function(loaded: LoadedNetwork, layer: str) -> Callable[[Any], Any]:
    def run(batch: Any) -> Any:
        found: list[Any] = []

        def see(path: str, tensor: Any) -> None:
            if path == layer and tensor is not None:
                found.append(tensor)
                raise Enough

        with tapped(loaded, see, wanted=[layer], free=True) as model, contextlib.suppress(Enough):
            model(batch)
        if not found:
            raise SentenceError(f"The network has no layer {layer!r} that was called.")
        values = found[0]
        shape = tuple(int(side) for side in values.shape[1:])
        values = keras.ops.cast(values, "float32")
        places = shape[:-1] if shape else ()
        channels = shape[-1] if shape else 1
        flat = keras.ops.reshape(values, (-1, math.prod(places), channels))
        flat = keras.ops.where(keras.ops.isnan(flat), float("-inf"), flat)
        # The shape travels as a tensor: compiled functions return nothing else.
        told = keras.ops.convert_to_tensor(np.array(places, np.int32))
        return keras.ops.max(flat, axis=1), keras.ops.argmax(flat, axis=1), told

    return run


def _features_function(loaded: LoadedNetwork, layer: str) -> Callable[[Any], Any]:
    def run(batch: Any) -> Any:
        found: list[Any] = []

        def see(path: str, tensor: Any) -> None:
            if path == layer and tensor is not None:
                found.append(tensor)

        with giving_logits(loaded) as ready, tapped(loaded, see, wanted=[layer], free=True):
            output = keras.tree.flatten(ready(batch))[0]
        values = keras.ops.cast(found[0], "float32")
        if len(values.shape) > 2:
            # Places are averaged out, as a global pooling would: a shift of the picture shall not count.
            values = keras.ops.mean(values, axis=tuple(range(1, len(values.shape) - 1)))
        return values, keras.ops.cast(output, "float32")

    return run


def _each_batch(
    loaded: LoadedNetwork, run: Compiled, pixels: np.ndarray, context: WorkContext, message: str
) -> list[tuple[np.ndarray, ...]]:
    """Run a function over all pictures; every batch has the same size, so that it is compiled once."""
    count = len(pixels)
    height, width = loaded.entry.input_size
    most = max(1, _PIXELS_AT_ONCE // (height * width))
    if is_large(loaded.entry):
        most = min(most, 2)
    # A few pictures of a visitor's are no reason to compute a whole batch.
    size = most if count > most // 2 else max(1, count)
    found: list[tuple[np.ndarray, ...]] = []
    for start in range(0, count, size):
        context.raise_if_stopped()
        part = pixels[start : start + size]
        padded = part if len(part) == size else np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
        batch = prepare(padded, loaded.entry)
        with lock_of(loaded):
            answers = run(batch)
        arrays = [as_array(answer) for answer in answers]
        found.append((arrays[0][: len(part)], arrays[1][: len(part)], *arrays[2:]))
        context.report(start + len(part), count, "pictures", message)
    return found


# --- what is kept of the bank ---


class _Store:
    """One network's answers to banks, within a number of bytes."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Hashable, Any] = OrderedDict()
        self.lock = threading.Lock()
        self.busy: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable) -> Any:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: Hashable, answer: Any) -> None:
        with self.lock:
            self.kept[key] = answer
            while len(self.kept) > 1 and sum(each.nbytes for each in self.kept.values()) > KEPT_BYTES:
                self.kept.popitem(last=False)

    def turn(self, key: Hashable) -> threading.Lock:
        with self.lock:
            return self.busy.setdefault(key, threading.Lock())


_stores: weakref.WeakKeyDictionary[keras.Model, _Store] = weakref.WeakKeyDictionary()
_stores_lock = threading.Lock()


def bank_peaks(loaded: LoadedNetwork, layer: str, pictures: Bank, context: WorkContext) -> Peaks:
    """Return `peaks` of the bank, computed once for each layer and kept."""
    return _once(loaded, ("peaks", layer), pictures, context, lambda: peaks(loaded, layer, pictures.pixels, context))


def bank_features(loaded: LoadedNetwork, pictures: Bank, context: WorkContext) -> Features:
    """Return `features` of the bank, computed once and kept."""
    return _once(loaded, ("features",), pictures, context, lambda: features(loaded, pictures.pixels, context))


def _once(
    loaded: LoadedNetwork, key: tuple, pictures: Bank, context: WorkContext, compute: Callable[[], Answer]
) -> Answer:
    with _stores_lock:
        store = _stores.setdefault(loaded.model, _Store())
    # The bank's own identity would be reused once it is gone; its digest cannot be.
    whole = (*key, pictures.digest)
    turn = store.turn(whole)
    # Whoever asks for the same at the same time waits for it, and may still stop.
    while not turn.acquire(timeout=0.2):
        context.raise_if_stopped()
        context.report(message="Waiting for the same computation of another visitor")
    try:
        found = store.get(whole)
        if found is None:
            found = compute()
            store.put(whole, found)
        return found
    finally:
        turn.release()
