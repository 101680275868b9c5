"""What a Keras model costs, layer by layer, from its graph: no weight is looked at, and none need be allocated."""

from __future__ import annotations

import importlib
import math
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras

from explorer.architectures import fields
from explorer.architectures.products import Uncounted, has_kernel, multiply_adds
from explorer.architectures.results import Card, Cost, NetworkTable
from explorer.networks.describe import describe
from explorer.networks.gradients import without_gradients
from explorer.networks.structure import LayerNode, Node, Structure
from explorer.networks.tap import graph_of, is_container, parts_of, tapped

Shape = tuple[int, ...]


@dataclass(frozen=True)
class _Call:
    """The shapes of one call of a layer, without the batch."""

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]


def count(model: keras.Model, name: str | None = None, input_shape: Shape | None = None) -> NetworkTable:
    """Return what each layer of a model costs for one picture.

    Parameters are those that Keras counts. A later call of a shared layer has none, but works and gives values like
    the first. What counts as work says `explorer.architectures.products`; what a field is,
    `explorer.architectures.fields`.

    Args:
        model: Any Keras model: functional, sequential, nested; one that is only code (subclassed) is run once on
            zeros to be read, and needs its weights.
        name: What the table is called; by default the model's own name.
        input_shape: Shape of the first input without the batch, where the model leaves it open or is only code. Further
            inputs must have shapes of their own.

    Raises:
        ValueError: if `input_shape` is missing, contradicts the model's own, or a further input is left open.
    """
    source = _input_shape(model, input_shape)
    structure = describe(model, name or model.name, source)
    calls = _calls(model, source)
    notes: list[str] = []
    structure = _with_shapes(structure, calls)
    costs, depth = _costs(model, structure, calls, source, notes)
    counted_weights, weights = sum(cost.parameters for cost in costs.values()), model.count_params()
    if counted_weights != weights:
        notes.append(f"{weights - counted_weights:,} of {weights:,} weights belong to no layer of the graph.")
    return NetworkTable(structure, costs, source, depth, tuple(notes))


def counted(card: Card) -> NetworkTable:
    """Return the table of a network of the catalogue, built without allocating its weights.

    It is built in a thread of its own: Keras numbers unnamed layers per thread, so names always start at 0.
    """
    found: list[NetworkTable] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                found.append(count(built(card), card.name, card.input_shape))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name=f"count {card.name}")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


def built(card: Card) -> keras.Model:
    """Build a card's network, with random weights."""
    module, _, function = card.builder.partition(":")
    return getattr(importlib.import_module(module), function)(**card.arguments)


# --- shapes ---


def _input_shape(model: keras.Model, given: Shape | None) -> Shape:
    graph = graph_of(model)
    if graph is None:
        if given is None:
            raise ValueError("A model that is only code is counted by running it: give its input_shape.")
        return tuple(given)
    for tensor in graph.inputs[1:]:
        if None in (further := tuple(tensor.shape[1:])):
            name = tensor._keras_history.operation.name
            raise ValueError(
                f"{model.name} leaves the shape of its further input {name!r} open, {further}: build it with a full "
                "shape to count it."
            )
    own = tuple(graph.inputs[0].shape[1:])
    if given is None:
        if None in own:
            raise ValueError(f"{model.name} takes inputs of shape {own}: say with input_shape what to count for.")
        return own
    fits = len(own) == len(given) and all(a in (None, b) for a, b in zip(own, given, strict=True))
    if not fits:
        raise ValueError(f"{model.name} takes inputs of shape {own}, not {tuple(given)}.")
    return tuple(given)


def _complete(container: Any) -> bool:
    inner = (part for part in parts_of(container) if is_container(part))
    return graph_of(container) is not None and all(map(_complete, inner))


def _calls(model: keras.Model, source: Shape) -> dict[str, _Call]:
    """Return the shapes of every call, by the paths that `describe` gives."""
    if not _complete(model):
        return _calls_of_run(model, source)
    graph = graph_of(model)
    assert graph is not None
    reader = _Reader(fixed=all(None not in tensor.shape[1:] for tensor in graph.inputs))
    tensors = [
        keras.KerasTensor((1, *(source if number == 0 else tensor.shape[1:])), tensor.dtype)
        for number, tensor in enumerate(graph.inputs)
    ]
    reader.read(graph, "", graph.inputs if reader.fixed else tensors)
    return reader.calls


class _Reader:
    """Reads the shapes of all calls from the graphs; where sizes are left open, works them out layer by layer."""

    def __init__(self, *, fixed: bool) -> None:
        self.fixed = fixed
        self.calls: dict[str, _Call] = {}
        self.counts: Counter[str] = Counter()

    def path(self, prefix: str, name: str) -> str:
        self.counts[prefix + name] += 1
        count_so_far = self.counts[prefix + name]
        return prefix + name if count_so_far == 1 else f"{prefix}{name}#{count_so_far}"

    def read(self, graph: Any, prefix: str, given: Sequence[Any], *, inputs_are_layers: bool = True) -> list[Any]:
        known = {id(tensor): fed for tensor, fed in zip(graph.inputs, given, strict=True)}
        for tensor, fed in zip(graph.inputs, given, strict=True):
            if inputs_are_layers:
                path = self.path(prefix, tensor._keras_history.operation.name)
                self.calls[path] = _Call((), (_shape(fed),))
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if node.operation and not node.is_input:
                    outputs = self._run(node, prefix, known)
                    known |= {id(tensor): output for tensor, output in zip(node.outputs, outputs, strict=False)}
        return [known[id(tensor)] for tensor in graph.outputs]

    def _run(self, node: Any, prefix: str, known: dict[int, Any]) -> list[Any]:
        layer = node.operation
        given = [known[id(tensor)] for tensor in node.input_tensors]
        path = self.path(prefix, layer.name)
        inner = graph_of(layer) if is_container(layer) else None
        if inner is not None:
            inside = f"{prefix}{layer.name}/"
            return self.read(inner, inside, given, inputs_are_layers=isinstance(layer, keras.Function))
        outputs = list(node.outputs)
        if not self.fixed:
            arguments, named = node.arguments.fill_in(known)
            outputs = keras.tree.flatten(layer.compute_output_spec(*arguments, **named))
        self.calls[path] = _Call(tuple(map(_shape, given)), tuple(map(_shape, outputs)))
        return outputs


def _shape(tensor: Any) -> Shape:
    return tuple(int(side) if side is not None else 1 for side in tensor.shape[1:])


def _calls_of_run(model: keras.Model, source: Shape) -> dict[str, _Call]:
    """Run a model that is only code once on zeros."""
    calls: dict[str, _Call] = {}

    def watch(path: str, layer: Any, given: list[Any], output: list[Any]) -> None:
        shapes = [tuple(map(_shape, (one for one in side if hasattr(one, "shape")))) for side in (given, output)]
        if path:
            calls[path] = _Call(*shapes)

    batch = keras.ops.zeros((1, *source))
    with without_gradients(), tapped(model, lambda path, tensor: None, watch=watch) as tap:
        tap(batch)
    return calls


def _with_shapes(structure: Structure, calls: dict[str, _Call]) -> Structure:
    """Fill in the sizes that the model leaves open."""
    if all(None not in layer.output_shape for layer in structure.layers.values()):
        return structure
    layers = {}
    for path, layer in structure.layers.items():
        shape = calls[path].outputs[0] if path in calls else layer.output_shape
        layers[path] = replace(layer, output_shape=shape, channels=shape[-1] if shape else None)

    def filled(node: Node) -> Node:
        if isinstance(node, LayerNode):
            return node
        return replace(
            node,
            children=tuple(map(filled, node.children)),
            branches=tuple(tuple(map(filled, branch)) for branch in node.branches),
            output_shape=layers[node.output].output_shape,
        )

    return Structure(structure.network, tuple(map(filled, structure.nodes)), layers)


# --- costs ---


def _objects(container: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts_of(container):
        path = f"{prefix}{part.name}"
        found[path] = part
        if is_container(part):
            found |= _objects(part, f"{path}/")
    return found


def _costs(
    model: keras.Model, structure: Structure, calls: dict[str, _Call], source: Shape, notes: list[str]
) -> tuple[dict[str, Cost], int]:
    """Return what each layer costs, and the network's depth."""
    objects = _objects(model)
    for tensor in getattr(graph_of(model), "inputs", []):
        objects.setdefault(tensor._keras_history.operation.name, tensor._keras_history.operation)
    costs: dict[str, Cost] = {}
    seen: set[int] = set()
    field_of: dict[str, fields.Field] = {}
    depths: dict[str, int] = {}
    unknown: dict[str, int] = {}
    own_codes = not _complete(model)
    for path, info in structure.layers.items():
        layer = objects.get(path.split("#", 1)[0])
        output = tuple(side or 1 for side in info.output_shape)
        inputs = [tuple(side or 1 for side in structure.layers[name].output_shape) for name in info.inputs]
        call = calls.get(path)
        given = list(call.inputs) if call is not None and call.inputs else inputs
        parameters, trainable = _new_weights(layer, seen)
        work = 0
        fed = info.kind == "InputLayer" and bool(info.inputs)
        if layer is not None and given and not fed and not is_container(layer):
            try:
                work = multiply_adds(layer, given, output)
            except Uncounted:
                unknown[info.kind] = unknown.get(info.kind, 0) + 1
        feeding = [field_of[name] for name in info.inputs]
        if not info.inputs:
            field = fields.of_input(output)
        elif fed:
            field = feeding[0]
        elif layer is None or own_codes:
            # What stands between the layers of a model that is only code is not seen.
            field = fields.NOTHING
        else:
            field = fields.after(layer, feeding, inputs, output)
        field_of[path] = field
        depths[path] = _depth(layer, info.inputs, inputs, output, depths)
        values = 0 if fed else sum(map(math.prod, call.outputs if call is not None and call.outputs else (output,)))
        costs[path] = Cost(parameters, trainable, work, values, field.size, field.stride, field.sees_all)
    for kind, times in unknown.items():
        notes.append(f"What {times} × {kind} computes is not counted: no rule for it is known here.")
    # A gate's own layers are deeper than the map beside it: what counts is where the ways end.
    feeding_others = {source for info in structure.layers.values() for source in info.inputs}
    ends = [depth for path, depth in depths.items() if path not in feeding_others]
    return costs, max(ends, default=0)


def _new_weights(layer: Any, seen: set[int]) -> tuple[int, int]:
    """Return (all, trainable) weights of a layer that nobody before it owned."""
    if layer is None or not isinstance(layer, keras.Layer):
        return 0, 0
    inner: Iterable[Any] = parts_of(layer) if is_container(layer) else ()
    elsewhere = {id(weight) for part in inner for weight in getattr(part, "weights", [])}
    mine = [weight for weight in layer.weights if id(weight) not in elsewhere | seen]
    trained = {id(weight) for weight in layer.trainable_weights}
    seen |= {id(weight) for weight in mine}
    sizes = [(math.prod(weight.shape), id(weight) in trained) for weight in mine]
    return sum(size for size, _ in sizes), sum(size for size, yes in sizes if yes)


def _depth(layer: Any, sources: Sequence[str], given: Sequence[Shape], output: Shape, depths: dict[str, int]) -> int:
    """Return how many layers with a kernel stand on the longest way up to a layer and with it.

    The way through a gate is left out where a map goes on beside it: SE-ResNet-50 is called 50 deep.
    """
    ways = [(depths[source], math.prod(shape[:-1])) for source, shape in zip(sources, given, strict=True)]
    widest = max((places for _, places in ways), default=1)
    passing = [depth for depth, places in ways if places == widest or places > 1]
    return max(passing, default=0) + (layer is not None and bool(sources) and has_kernel(layer))
