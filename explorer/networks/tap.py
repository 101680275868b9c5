"""Look into a network while it runs: every layer's output passes by, under its path, and may be replaced.

A tap stands on the `call` of each layer object while a `with` block lasts. The network's graph is not
touched, so nested, residual, shared and subclassed networks are all alike. As the layers are changed for that
time, whoever taps holds the network's lock (see `lock_of`); taps inside taps are allowed.

A path is the layer's name, behind the names of the models that it is nested in ("outer/inner"). When a path
comes by a second time in one pass, "#2" follows, then "#3".
"""

from __future__ import annotations

import contextlib
import functools
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

import keras

See = Callable[[str, Any], Any]
Watch = Callable[[str, Any, list[Any], list[Any]], None]
_NOTHING = object()

_locks: weakref.WeakKeyDictionary[keras.Model, threading.RLock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


class Enough(BaseException):
    """Raised by whoever looks on, to end the pass early.

    It is no `Exception`, because Keras rewrites the exceptions that leave a layer's call.
    """


class _Carried(BaseException):
    """Carries what the onlooker raised past Keras, which would put the layer's arguments into its text."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def model_of(network: Any) -> keras.Model:
    """Return the model of a loaded network; a model is returned as it is."""
    return network if isinstance(network, keras.Model) else network.model


def lock_of(network: Any) -> threading.RLock:
    """Return the one lock of a network, whether it is given as a loaded network or as a model."""
    model = model_of(network)
    with _locks_lock:
        return _locks.setdefault(model, threading.RLock())


def graph_of(container: Any) -> keras.Function | None:
    """Return the graph that a model runs: a functional model itself, a Sequential's inner one, else None."""
    if isinstance(container, keras.Function):
        return container
    if isinstance(container, keras.Sequential):
        if not container.built:
            return None
        return getattr(container, "_functional", None)
    return None


def parts_of(container: Any) -> list[Any]:
    """Return the layers (and, of a graph, operations) directly inside a model or a composite layer."""
    graph = graph_of(container)
    if graph is not None:
        return list(graph.operations)
    return list(container._flatten_layers(include_self=False, recursive=False))


def is_container(layer: Any) -> bool:
    """Return whether a layer is looked into: a model, or somebody's own layer that is made of layers.

    Keras' own composite layers (MultiHeadAttention, Bidirectional, …) count as one layer.
    """
    if isinstance(layer, keras.Model):
        return True
    if not isinstance(layer, keras.Layer) or type(layer).__module__.split(".")[0] == "keras":
        return False
    return bool(layer._flatten_layers(include_self=False, recursive=False))


def input_layers(container: Any) -> list[Any]:
    """Return the input layers of a graph, in order; empty where there is no graph."""
    graph = graph_of(container)
    return [] if graph is None else [tensor._keras_history.operation for tensor in graph.inputs]


def first_tensor(output: Any) -> Any:
    """Return the first tensor of what a layer gave: itself, or the first of a list, tuple or dict."""
    flat = keras.tree.flatten(output)
    return flat[0] if flat else None


def _with_first(output: Any, replacement: Any) -> Any:
    if not isinstance(output, list | tuple | dict):
        return replacement
    flat = keras.tree.flatten(output)
    return keras.tree.pack_sequence_as(output, [replacement, *flat[1:]])


class _Pass:
    """What one tap knows while the network runs: where it is, and what came by how often."""

    def __init__(self, see: See, names: frozenset[str] | None, watch: Watch | None) -> None:
        self.see = see
        self.names = names
        self.watch = watch
        self.prefixes: list[str] = []
        self.counts: Counter[str] = Counter()

    def wants(self, name: str) -> bool:
        return self.names is None or name in self.names

    def show(self, layer: Any, given: Any, output: Any) -> Any:
        path = self.prefixes[-1] + layer.name if self.prefixes else layer.name
        self.counts[path] += 1
        if self.counts[path] > 1:
            path = f"{path}#{self.counts[path]}"
        try:
            if self.watch is not None:
                self.watch(path, layer, keras.tree.flatten(given), keras.tree.flatten(output))
            replacement = self.see(path, first_tensor(output))
        except Exception as error:
            raise _Carried(error) from error
        return output if replacement is None else _with_first(output, replacement)

    def leaf(self, layer: Any) -> Callable[..., Any]:
        call = layer.call

        @functools.wraps(call)
        def tapped_call(*args: Any, **kwargs: Any) -> Any:
            return self.show(layer, (args, kwargs), call(*args, **kwargs))

        return tapped_call

    def container(self, layer: Any, *, top: bool) -> Callable[..., Any]:
        call = layer.call
        inputs = input_layers(layer) if top or isinstance(layer, keras.Function) else []

        @functools.wraps(call)
        def tapped_call(*args: Any, **kwargs: Any) -> Any:
            if top:
                # A new pass: numbers of repeated calls start again.
                self.counts.clear()
                self.prefixes[:] = [""]
                if self.watch is not None:
                    self.watch("", layer, keras.tree.flatten((args, kwargs)), [])
            else:
                outer = self.prefixes[-1] if self.prefixes else ""
                self.prefixes.append(f"{outer}{layer.name}/")
            try:
                if args and any(self.wants(given.name) for given in inputs):
                    args = (self._show_inputs(args[0], inputs), *args[1:])
                output = call(*args, **kwargs)
            finally:
                self.prefixes.pop()
            if top or not self.wants(layer.name):
                return output
            return self.show(layer, (args, kwargs), output)

        return tapped_call

    def _show_inputs(self, given: Any, layers: list[Any]) -> Any:
        flat = keras.tree.flatten(given)
        seen = [
            self.show(layer, tensor, tensor) if self.wants(layer.name) else tensor
            for layer, tensor in zip(layers, flat, strict=False)
        ]
        seen += flat[len(seen) :]
        return seen[0] if len(flat) == 1 else keras.tree.pack_sequence_as(given, seen)


def _everything(container: Any, found: dict[int, Any] | None = None) -> dict[int, Any]:
    found = {} if found is None else found
    for part in parts_of(container):
        if id(part) not in found:
            found[id(part)] = part
            if is_container(part):
                _everything(part, found)
    return found


def plain_name(path: str) -> str:
    """Return the layer's own name from a path."""
    return path.rsplit("/", 1)[-1].split("#", 1)[0]


@contextlib.contextmanager
def tapped(
    network: Any,
    see: See,
    *,
    wanted: Collection[str] | None = None,
    free: bool = False,
    watch: Watch | None = None,
) -> Iterator[keras.Model]:
    """Show every layer's output to `see` whenever the network is called inside the `with` block.

    Args:
        network: A loaded network or a keras.Model.
        see: Called as `see(path, tensor)` with a tensor of the backend (of several outputs the first).
            A tensor that it returns takes the output's place; None leaves the output as it is.
            It may raise `Enough`. Input layers come by with what is fed to them, nested models with
            their output under their own path.
        wanted: Paths that matter; other layers may then not come by.
        free: Let go of each tensor of a functional network after its last use, as Keras itself does not
            (EfficientNetB7 holds 4 GB otherwise).
        watch: Called before `see` as `watch(path, layer, tensors in, tensors out)`, and once at the start
            with an empty path, the model, and what is fed to it.

    Yields:
        The model, to be called.
    """
    model = model_of(network)
    one_pass = _Pass(see, None if wanted is None else frozenset(map(plain_name, wanted)), watch)
    changed: list[tuple[Any, str, Any]] = []

    def put(target: Any, attribute: str, value: Any) -> None:
        changed.append((target, attribute, target.__dict__.get(attribute, _NOTHING)))
        target.__dict__[attribute] = value

    with lock_of(model):
        try:
            put(model, "call", one_pass.container(model, top=True))
            for part in _everything(model).values():
                if part is model:
                    continue
                if is_container(part):
                    put(part, "call", one_pass.container(part, top=False))
                elif one_pass.wants(part.name):
                    put(part, "call", one_pass.leaf(part))
            if free:
                for graph in filter(None, map(graph_of, [model, *_everything(model).values()])):
                    if hasattr(graph, "_nodes_by_depth"):
                        put(graph, "_run_through_graph", functools.partial(_run_and_free, graph))
            yield model
        except _Carried as carried:
            raise carried.error from None
        finally:
            for target, attribute, before in reversed(changed):
                if before is _NOTHING:
                    target.__dict__.pop(attribute, None)
                else:
                    target.__dict__[attribute] = before


def _run_and_free(
    graph: Any, inputs: Any, operation_fn: Callable = lambda operation: operation, call_fn: Any = None
) -> Any:
    """Run a graph in Keras' own order, letting go of each tensor after its last use."""
    if call_fn is not None:
        return type(graph)._run_through_graph(graph, inputs, operation_fn, call_fn)
    tensors = dict(zip(map(id, graph.inputs), keras.tree.flatten(inputs), strict=False))
    del inputs
    nodes = [
        node
        for depth in sorted(graph._nodes_by_depth, reverse=True)
        for node in graph._nodes_by_depth[depth]
        if node.operation and not node.is_input
    ]
    uses = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    uses.update(id(tensor) for tensor in graph.outputs)
    for node in nodes:
        if all(id(tensor) in tensors for tensor in node.input_tensors):
            args, kwargs = node.arguments.fill_in(tensors)
            outputs = operation_fn(node.operation)(*args, **kwargs)
            for reference, tensor in zip(node.outputs, keras.tree.flatten(outputs), strict=False):
                if uses[id(reference)]:
                    tensors[id(reference)] = tensor
            del args, kwargs, outputs
        for reference in node.input_tensors:
            uses[id(reference)] -= 1
            if not uses[id(reference)]:
                tensors.pop(id(reference), None)
    return keras.tree.pack_sequence_as(graph._outputs_struct, [tensors[id(tensor)] for tensor in graph.outputs])
