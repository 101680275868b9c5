"""A loaded network as a graph of layer calls: its structure, read once, and the layer object behind each path."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import Any

import keras

from explorer.inside import silence
from explorer.networks.describe import describe
from explorer.networks.loading import LoadedNetwork
from explorer.networks.structure import LayerInfo, Structure
from explorer.networks.tap import graph_of, is_container, parts_of
from explorer.networks.work_context import SentenceError


@dataclass(frozen=True, eq=False)
class LayerGraph:
    """A network's calls.

    Attributes:
        structure: The network as plain data; `structure.layers[path].inputs` are the edges.
        objects: The Keras layer (or operation) behind each path; calls of a shared layer have the same one.
        signed: For each path whether both signs carry an answer, see `explorer.inside.silence`.
        complete: Whether the edges come from Keras' graphs alone. False where a part of the network is only
            code: operations between its layers are then not known.
    """

    structure: Structure
    objects: dict[str, Any]
    signed: dict[str, bool]
    complete: bool

    def info(self, path: str) -> LayerInfo:
        """Return a layer's facts.

        Raises:
            SentenceError: if the network has no such layer.
        """
        try:
            return self.structure.layers[path]
        except KeyError:
            raise SentenceError(f"{self.structure.network} has no layer called {path!r}.") from None


_kept: weakref.WeakKeyDictionary[keras.Model, LayerGraph] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def layer_graph(loaded: LoadedNetwork) -> LayerGraph:
    """Return the graph of a loaded network; it is read at the first call and then kept with the model."""
    with _lock:
        found = _kept.get(loaded.model)
    if found is None:
        found = read_graph(loaded.model, loaded.entry.name, (*loaded.entry.input_size, 3))
        with _lock:
            found = _kept.setdefault(loaded.model, found)
    return found


def read_graph(model: keras.Model, name: str, input_shape: tuple[int | None, ...] | None = None) -> LayerGraph:
    """Read a model; `input_shape`, without the batch, is needed where the model is only code."""
    structure = describe(model, name, input_shape)
    objects, complete = _objects(model, "")
    by_path = {path: found for path in structure.layers if (found := objects.get(path.split("#", 1)[0])) is not None}
    return LayerGraph(structure, by_path, silence.signs(structure.layers), complete)


def _objects(container: Any, prefix: str) -> tuple[dict[str, Any], bool]:
    found: dict[str, Any] = {}
    complete = graph_of(container) is not None
    for part in parts_of(container):
        path = f"{prefix}{part.name}"
        found[path] = part
        if is_container(part):
            inner, inner_complete = _objects(part, f"{path}/")
            found |= inner
            complete = complete and inner_complete
    return found, complete
