"""Read a Keras model as a structure that people can follow: stages, blocks, branches and shortcuts."""

from __future__ import annotations

import math
import os
import re
import weakref
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras

from explorer.networks.decomposition import ENTRY, Parallel, Part, Tangle, decompose
from explorer.networks.gradients import without_gradients
from explorer.networks.loading import LoadedNetwork, Weights, load
from explorer.networks.structure import Block, BlockKind, LayerInfo, LayerNode, Node, Structure, paths_of
from explorer.networks.tap import graph_of, is_container, parts_of, tapped
from explorer.networks.work_context import WorkContext

# Arguments that tell what a layer does, with the value at which they are not worth a word.
_TELLING: dict[str, Any] = {
    "filters": None, "units": None, "kernel_size": None, "strides": 1, "padding": None,
    "dilation_rate": 1, "groups": 1, "depth_multiplier": 1, "use_bias": True, "rate": None, "pool_size": None,
    "size": None, "axis": -1, "negative_slope": 0, "max_value": None, "threshold": 0, "target_shape": None,
    "dims": None, "cropping": None, "interpolation": None, "num_heads": None, "key_dim": None,
    "keepdims": False, "input_dim": None, "output_dim": None,
}  # fmt: skip
_ACTIVATING = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")
# What only changes the numbers of the picture, and so belongs to the input.
_PREPARING = ("Rescaling", "Normalization", "PreStem", "Resizing", "CenterCrop", "Random")
# A map that shrinks by less than this has only lost its border (convolutions without padding).
_STEP = 1.5
_SHORTCUT_LAYERS = 3
_SMALLEST_GROUP = 3
_STAGE = "Stage"
_FEWEST_NESTED_STAGES = 3
_ENDINGS = ("conv", "bn", "pad", "relu", "relu6", "act", "activation", "norm", "layernorm", "gelu", "ac")
_BLOCK_NAME = re.compile(r".*(?:block|cell|unit)_?\d+[a-z]?(?=_|$)|expanded_conv(?:_\d+)?(?=_|$)")


def describe(model: keras.Model, name: str, input_shape: tuple[int | None, ...] | None = None) -> Structure:
    """Return the structure of a model.

    Functional and sequential models, also nested ones, are read from their graphs. Models that are only code
    (subclassed) are run once on zeros and read from what goes into their layers and comes out. An operation
    between two layers that is no layer itself is then not seen: the layer called before is taken as input.

    Args:
        model: A built model, or a subclassed one.
        name: What the structure is called, for example the network's name in the catalogue.
        input_shape: Shape of one input without the batch; needed for a model without a graph.

    Returns:
        The structure; each layer occurs exactly once in its tree.

    Raises:
        ValueError: for a model without a graph, if no `input_shape` is given.
    """
    reader = _Reader(model, input_shape)
    inside = reader.read()
    nodes = _Tree(reader.layers, model.name).nodes(inside)
    return _with_stages(Structure(name, nodes, reader.layers))


def structure_of(context: WorkContext, network: str, weights: Weights = "trained") -> Structure:
    """Return the structure of a network of the catalogue (named work).

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".

    Raises:
        SentenceError: if the trained weights are missing or broken.
    """
    context.report(message="Loading the network")
    return described(load(network, weights))


_described: weakref.WeakKeyDictionary[LoadedNetwork, Structure] = weakref.WeakKeyDictionary()


def described(network: LoadedNetwork) -> Structure:
    """Return the structure of a loaded network, read once for as long as it is loaded."""
    with network.lock:
        structure = _described.get(network)
        if structure is None:
            shape = (*network.entry.input_size, 3)
            structure = _described[network] = describe(network.model, network.entry.name, shape)
        return structure


# --- reading: which layers, and which feeds which ---


@dataclass
class _Item:
    """One thing that a container runs: a layer, or a container with its own insides."""

    path: str
    output: str
    inside: _Inside | None = None


@dataclass
class _Inside:
    """What a container runs, in order, and for each item which items feed it."""

    items: list[_Item] = field(default_factory=list)
    before: list[set[int]] = field(default_factory=list)
    outputs: set[int] = field(default_factory=set)

    def add(self, item: _Item, before: Iterable[int]) -> int:
        self.items.append(item)
        self.before.append(set(before))
        return len(self.items) - 1


@dataclass
class _Call:
    """A call of a layer that was seen while the model ran."""

    path: str
    layer: Any
    given: list[Any]
    output: list[Any]


class _Reader:
    def __init__(self, model: keras.Model, input_shape: tuple[int | None, ...] | None) -> None:
        self.model = model
        self.input_shape = input_shape
        self.layers: dict[str, LayerInfo] = {}
        self.counts: Counter[str] = Counter()
        self.known: set[int] = set()
        # Of the run, where one was needed: calls inside each container, and which layer gave each tensor.
        self.calls: dict[str, list[_Call]] | None = None
        self.givers: dict[int, str] = {}

    def read(self) -> _Inside:
        graph = graph_of(self.model)
        if graph is None:
            return self.from_run("")
        return self.from_graph(graph, "")[0]

    def path(self, prefix: str, name: str) -> str:
        self.counts[prefix + name] += 1
        count = self.counts[prefix + name]
        return prefix + name if count == 1 else f"{prefix}{name}#{count}"

    def add(self, path: str, layer: Any, shape: Sequence[int | None], inputs: Iterable[str]) -> None:
        """Note one call of a layer; shape is without the batch."""
        first = id(layer) not in self.known
        self.known.add(id(layer))
        shown = parts_of(layer) if is_container(layer) else []
        elsewhere = {id(weight) for part in shown for weight in getattr(part, "weights", [])}
        weights = [weight for weight in getattr(layer, "weights", []) if id(weight) not in elsewhere]
        trainable = {id(weight) for weight in getattr(layer, "trainable_weights", [])}
        self.layers[path] = LayerInfo(
            path=path,
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=tuple(shape),
            parameters=sum(math.prod(weight.shape) for weight in weights) if first else 0,
            trainable=any(id(weight) in trainable for weight in weights),
            channels=shape[-1] if len(shape) else None,
            inputs=tuple(dict.fromkeys(inputs)),
            config=_telling(layer),
        )

    def from_graph(
        self, graph: Any, prefix: str, feeds: Sequence[str] | None = None, *, inputs_are_layers: bool = True
    ) -> tuple[_Inside, list[str]]:
        """Read a graph in the order in which Keras runs it.

        Args:
            graph: The functional model.
            prefix: What its layers' paths begin with.
            feeds: Paths of the layers whose outputs go in; None for the network itself.
            inputs_are_layers: False for a Sequential in another model, which starts with its first layer.

        Returns:
            What is inside, and the paths of the layers that give the graph's outputs.
        """
        inside = _Inside()
        givers: dict[int, tuple[str, int]] = {}
        for number, tensor in enumerate(graph.inputs):
            outer = [] if feeds is None else [feeds[min(number, len(feeds) - 1)]]
            if not inputs_are_layers:
                givers[id(tensor)] = (outer[0], ENTRY)
                continue
            layer = tensor._keras_history.operation
            path = self.path(prefix, layer.name)
            self.add(path, layer, tensor.shape[1:], outer)
            givers[id(tensor)] = (path, inside.add(_Item(path, path), {ENTRY}))
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if node.operation and not node.is_input:
                    self._read_node(node, prefix, inside, givers)
        outputs = [givers[id(tensor)] for tensor in graph.outputs]
        inside.outputs = {item for _, item in outputs if item != ENTRY}
        return inside, [path for path, _ in outputs]

    def _read_node(self, node: Any, prefix: str, inside: _Inside, givers: dict[int, tuple[str, int]]) -> None:
        layer = node.operation
        sources = [givers[id(tensor)] for tensor in node.input_tensors]
        feeds = [path for path, _ in sources]
        shape = node.outputs[0].shape[1:]
        path = self.path(prefix, layer.name)
        graph = graph_of(layer) if is_container(layer) else None
        if graph is not None:
            within, outputs = self.from_graph(
                graph, f"{prefix}{layer.name}/", feeds, inputs_are_layers=isinstance(layer, keras.Function)
            )
            item = _Item(path, outputs[0], within)
        else:
            inner = self.from_run(path) if is_container(layer) else None
            self.add(path, layer, shape, feeds)
            outputs = [path] * len(node.outputs)
            if inner is not None:
                inner.add(_Item(path, path), {len(inner.items) - 1})
            item = _Item(path, path, inner)
        number = inside.add(item, {source for _, source in sources})
        for tensor, output in zip(node.outputs, outputs, strict=False):
            givers[id(tensor)] = (output, number)

    def from_run(self, path: str) -> _Inside:
        """Read what a container without a graph runs, from one run of the whole model on zeros."""
        if self.calls is None:
            self.calls = self._run()
        inside = _Inside()
        local: dict[int, int] = {}
        for call in self.calls.get(path, []):
            previous = len(inside.items) - 1
            tensors = [tensor for tensor in call.given if hasattr(tensor, "shape")]
            before = {local.get(id(tensor), previous) for tensor in tensors} or {previous}
            inputs = [self.givers[id(tensor)] for tensor in tensors if id(tensor) in self.givers]
            if not inputs and previous >= 0:
                inputs = [inside.items[previous].output]
            within = self.from_run(call.path) if is_container(call.layer) else None
            opens = within is not None and graph_of(call.layer) is not None
            output = call.path
            if opens and within is not None and within.items:
                output = within.items[-1].output
            else:
                shape = call.output[0].shape[1:] if call.output else ()
                self.add(call.path, call.layer, tuple(shape), inputs)
                if within is not None:
                    within.add(_Item(call.path, call.path), {len(within.items) - 1})
            number = inside.add(_Item(call.path, output, within), before)
            for tensor in call.output:
                local[id(tensor)] = number
                self.givers[id(tensor)] = output
        return inside

    def _run(self) -> dict[str, list[_Call]]:
        """Run the model on zeros and return the calls directly inside each container, by its path."""
        inside: dict[str, list[_Call]] = {}
        waiting: list[_Call] = []

        def watch(path: str, layer: Any, given: list[Any], output: list[Any]) -> None:
            if not path:
                return
            call = _Call(path, layer, given, output)
            if is_container(layer):
                prefix = path.split("#")[0] + "/"
                inside[path] = [inner for inner in waiting if inner.path.startswith(prefix)]
                waiting[:] = [inner for inner in waiting if not inner.path.startswith(prefix)]
            waiting.append(call)

        batch = self._zeros()
        with without_gradients():
            if not self.model.built:
                self.model(batch)
            with tapped(self.model, lambda path, tensor: None, watch=watch) as model:
                model(batch)
        inside[""] = waiting
        return inside

    def _zeros(self) -> Any:
        graph = graph_of(self.model)
        if graph is not None:
            tensors = [keras.ops.zeros((1, *(side or 32 for side in t.shape[1:]))) for t in graph.inputs]
            return tensors[0] if len(tensors) == 1 else tensors
        if self.input_shape is None:
            raise ValueError("A model that is only code is described by running it: give its input_shape.")
        return keras.ops.zeros((1, *(side or 32 for side in self.input_shape)))


def _telling(layer: Any) -> dict[str, Any]:
    """Return the few arguments of a layer that tell what it does."""
    if not isinstance(layer, keras.Layer) or is_container(layer):
        return {}
    try:
        config = layer.get_config()
    except (NotImplementedError, TypeError, ValueError):
        return {}
    told: dict[str, Any] = {}
    for argument, silent in _TELLING.items():
        value = config.get(argument)
        if isinstance(value, list | tuple):
            value = tuple(tuple(part) if isinstance(part, list | tuple) else part for part in value)
            dull = silent is not None and all(part == silent for part in value)
        else:
            dull = value is None or value == silent
        plain = isinstance(value, str | bool | int | float | tuple)
        if not dull and plain and not (argument == "axis" and "Normalization" in type(layer).__name__):
            told[argument] = value
    activation = getattr(layer, "activation", None)
    if activation is not None:
        name = getattr(activation, "__name__", None) or getattr(activation, "name", type(activation).__name__)
        if name != "linear":
            told["activation"] = name
    if type(layer).__name__ == "Rescaling":
        told |= {name: value for name in ("scale", "offset") if isinstance(value := config.get(name), int | float)}
    return told


# --- the tree: stages, blocks, branches ---


class _Tree:
    def __init__(self, layers: dict[str, LayerInfo], model_name: str) -> None:
        self.layers = layers
        self.model_name = model_name

    def nodes(self, inside: _Inside, *, nested: bool = False) -> tuple[Node, ...]:
        """Return the nodes of a container, grouped into stages where it holds maps of several sizes."""
        return self.staged(self.sequence(decompose(inside.before, inside.outputs), inside), nested)

    def sequence(self, parts: Sequence[Part], inside: _Inside) -> list[Node]:
        nodes: list[Node] = []
        for part in parts:
            if isinstance(part, Parallel):
                nodes += self.parallel(part, inside)
            elif isinstance(part, Tangle):
                nodes += self.tangle(part, inside)
            else:
                nodes.append(self.item(inside.items[part]))
        return self.with_trailing_activations(nodes)

    def item(self, item: _Item) -> Node:
        if item.inside is None:
            return LayerNode(item.path)
        children = self.nodes(item.inside, nested=True)
        name = item.path.rsplit("/", 1)[-1]
        return self.block(f"Nested model {self.short(name)}", "nested", children, output=item.output)

    def tangle(self, part: Tangle, inside: _Inside) -> list[Node]:
        nodes = [self.item(inside.items[number]) for number in part.items]
        if len(nodes) < _SMALLEST_GROUP:
            return nodes
        last = inside.items[part.items[-1]].output
        return [self.block(f"Cell up to {self.short(self.layers[last].name)}", "block", nodes)]

    def parallel(self, part: Parallel, inside: _Inside) -> list[Node]:
        end = None if part.merge is None else inside.items[part.merge]
        merge = end.path if end is not None and end.inside is None else None
        branches = [tuple(self.sequence(branch, inside)) for branch in part.branches]
        if merge is not None:
            # In the order in which the merging layer takes them, a direct connection last.
            order = self.layers[merge].inputs
            branches.sort(
                key=lambda branch: (
                    order.index(path) if branch and (path := self.output(branch[-1])) in order else len(order)
                )
            )
        sizes = [len(list(paths_of(branch))) for branch in branches]
        kind, title = self.reading(branches, sizes, merge)
        if kind == "residual":
            # The main path first, so that a page can call all others shortcuts.
            branches.sort(key=lambda branch: -len(list(paths_of(branch))))
        block = self.block(title, kind, (), tuple(branches), merge)
        return [block] if end is None or merge is not None else [block, self.item(end)]

    def reading(
        self, branches: Sequence[tuple[Node, ...]], sizes: Sequence[int], merge: str | None
    ) -> tuple[BlockKind, str]:
        """Return what sort of block some branches are, and its title."""
        if merge is None:
            return "branches", f"{len(branches)} branches"
        paths = [path for branch in branches for path in paths_of(branch)]
        kind = self.layers[merge].kind
        name = self.shared_name([*paths, merge]) or self.short(self.layers[merge].name)
        if kind == "Concatenate":
            if len(branches) > 2:
                return "branches", f"Inception module {self.short(self.layers[merge].name)}"
            return "branches", f"{'Dense connection' if 0 in sizes else 'Two branches'} {name}"
        if kind in ("Multiply", "Dot"):
            pools = any("Pooling" in self.layers[path].kind for path in paths)
            if 0 in sizes:
                return "branches", f"{'Squeeze and excite' if pools else 'Gate'} {name}"
            return "branches", f"Product {name}"
        if min(sizes) == 0 or (len(sizes) == 2 and min(sizes) <= _SHORTCUT_LAYERS and max(sizes) > min(sizes)):
            return "residual", f"Residual block {name}"
        return "branches", f"{len(branches)} branches {name}"

    def with_trailing_activations(self, nodes: list[Node]) -> list[Node]:
        """Put an activation that follows a shortcut's sum into the residual block, where it belongs."""
        result: list[Node] = []
        for node in nodes:
            last = result[-1] if result else None
            if (
                isinstance(node, LayerNode)
                and isinstance(last, Block)
                and last.kind == "residual"
                and not last.children
                and self.layers[node.path].kind in _ACTIVATING
            ):
                result[-1] = replace(
                    last, children=(node,), output=node.path, output_shape=self.layers[node.path].output_shape
                )
            else:
                result.append(node)
        return result

    def block(
        self,
        title: str,
        kind: BlockKind,
        children: Sequence[Node],
        branches: tuple[tuple[Node, ...], ...] = (),
        merge: str | None = None,
        output: str | None = None,
    ) -> Block:
        inner = [node for branch in branches for node in branch] + list(children)
        paths = [*paths_of(inner), *([merge] if merge else [])]
        output = output or merge or (self.output(inner[-1]) if inner else paths[-1])
        parameters = sum(self.layers[path].parameters for path in paths)
        shape = self.layers[output].output_shape
        return Block(title, kind, tuple(children), branches, output, parameters, shape, merge)

    def output(self, node: Node) -> str:
        return node.path if isinstance(node, LayerNode) else node.output

    def first(self, node: Node) -> LayerInfo:
        return self.layers[next(paths_of([node]))]

    # names

    def short(self, name: str) -> str:
        """Return a name without the network's own, which every layer of ConvNeXt carries."""
        prefix = f"{self.model_name}_"
        return name[len(prefix) :] if name.startswith(prefix) and len(name) > len(prefix) else name

    def shared_name(self, paths: Sequence[str]) -> str:
        """Return what the given names of some layers begin with, such as "conv3_block2"."""
        names = [layer.name for path in paths if not _is_automatic(layer := self.layers[path])]
        if len(names) < 2:
            return ""
        prefix = os.path.commonprefix(names)
        if any(name != prefix and not name[len(prefix) :].startswith("_") for name in names):
            prefix = prefix.rpartition("_")[0]
        return self.short(prefix.rstrip("_"))

    def group_key(self, node: Node) -> str:
        """Return the name of the block that a node's name says it belongs to, or an empty string."""
        keys = {_block_of(self.layers[path]) for path in paths_of([node])} - {None}
        return keys.pop() or "" if len(keys) == 1 else ""

    def grouped(self, nodes: Sequence[Node]) -> list[Node]:
        """Gather neighbours whose names say that they are one block."""
        keys = [self.group_key(node) for node in nodes]
        for index in range(1, len(nodes)):
            # A layer that Keras named stands in a block if the layers named around it do.
            following = next((key for key in keys[index:] if key), "")
            if not keys[index] and keys[index - 1] == following:
                keys[index] = following
        runs: list[tuple[str, list[Node]]] = []
        for key, node in zip(keys, nodes, strict=True):
            if runs and key and runs[-1][0] == key:
                runs[-1][1].append(node)
            else:
                runs.append((key, [node]))
        if len(runs) == 1:
            return list(nodes)
        result: list[Node] = []
        for key, run in runs:
            if len(run) < 2 or len(list(paths_of(run))) < _SMALLEST_GROUP:
                result += run
            else:
                result.append(self.block(f"Block {self.short(key)}", "block", run))
        return result

    # stages

    def side(self, node: Node) -> tuple[int, int] | None:
        """Return (height, width) of what a node puts out, or None for vectors and for unknown sizes."""
        shape = self.layers[self.output(node)].output_shape
        if len(shape) != 3 or shape[0] is None or shape[1] is None or max(shape[0], shape[1]) <= 1:
            return None
        if isinstance(node, Block) and node.kind == "block" and len(node.children) > 1:
            # A block that ends with pooling, as those of VGG, belongs where it works, not where it leads.
            last = node.children[-1]
            if isinstance(last, LayerNode) and "Pooling" in self.layers[last.path].kind:
                return self.side(node.children[-2])
        return shape[0], shape[1]

    def staged(self, nodes: Sequence[Node], nested: bool) -> tuple[Node, ...]:
        """Group nodes by the size of their maps; a network without maps, or with one size, stays as it is."""
        nodes = self.grouped(nodes)
        stages = self.split(nodes)
        if sum(kind == "stage" for kind, _, _ in stages) < (_FEWEST_NESTED_STAGES if nested else 2):
            return tuple(nodes)
        result: list[Node] = []
        for kind, members, size in stages:
            if kind == "input":
                title = "Input" if size is None else f"Input · {size[0]} × {size[1]}"
                result += members if len(members) == 1 else [self.block(title, "stage", members)]
            elif kind == "alone":
                result += members
            elif kind == "head":
                result.append(self.block(self.head_title(members), "stage", members))
            else:
                title = f"{_STAGE} · {size[0]} × {size[1]}" if size else _STAGE
                only = members[0] if len(members) == 1 else None
                if isinstance(only, Block) and only.kind == "block":
                    members = list(only.children)
                result.append(self.block(title, "stage", members))
        return tuple(result)

    def head_title(self, nodes: Sequence[Node]) -> str:
        width = self.layers[self.output(nodes[-1])].channels
        return f"Classifier · {width} outputs" if width else "Classifier"

    def split(self, nodes: Sequence[Node]) -> list[tuple[str, list[Node], tuple[int, int] | None]]:
        """Return (what it is, its nodes, size of its maps) for the input, each stage and the head."""
        found: list[tuple[str, list[Node], tuple[int, int] | None]] = []
        preparing, padding = True, []  # type: bool, list[Node]
        for node in nodes:
            kind = self.first(node).kind
            size = self.side(node)
            single = isinstance(node, LayerNode)
            preparing = preparing and single and kind.startswith(("InputLayer", *_PREPARING))
            if preparing:
                if not found:
                    found.append(("input", [], size))
                found[-1][1].append(node)
            elif single and kind.startswith("ZeroPadding"):
                padding.append(node)
            elif isinstance(node, Block) and node.kind == "nested" and self.holds_stages(node):
                found.append(("alone", [*padding, node], size))
                padding = []
            elif size is None:
                if not found or found[-1][0] != "head":
                    found.append(("head", [], None))
                found[-1][1].extend([*padding, node])
                padding = []
            else:
                current = found[-1] if found and found[-1][0] == "stage" else None
                if current is None or self.steps(current[2], size):
                    current = ("stage", [], size)
                    found.append(current)
                current[1].extend([*padding, node])
                padding = []
        if padding:
            found.append(("head", padding, None))
        return found

    @staticmethod
    def holds_stages(node: Block) -> bool:
        return any(isinstance(child, Block) and child.kind == "stage" for child in node.children)

    @staticmethod
    def steps(before: tuple[int, int] | None, now: tuple[int, int]) -> bool:
        if before is None:
            return True
        ratio = max(before) / max(now)
        return ratio >= _STEP or ratio <= 1 / _STEP


def _is_automatic(layer: LayerInfo) -> bool:
    """Return whether Keras made up the name: the class name in snake case, with a number."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", layer.kind)
    plain = re.sub(r"_\d+$", "", layer.name)
    return plain.replace("_", "") == snake.replace("_", "").lower()


def _block_of(layer: LayerInfo) -> str | None:
    """Return the block that a layer's name says it belongs to; None for a name that says nothing."""
    if _is_automatic(layer):
        return None
    match = _BLOCK_NAME.match(layer.name)
    if match:
        return match.group()
    name = layer.name.removeprefix("bn_")
    while "_" in name and name.rpartition("_")[2].lower() in _ENDINGS:
        name = name.rpartition("_")[0]
    return name


def _with_stages(structure: Structure) -> Structure:
    """Number the stages from input to output, and the layers by the stage that they stand in."""
    numbers: dict[str, int] = {}
    stage = 0

    def numbered(nodes: Iterable[Node]) -> tuple[Node, ...]:
        return tuple(numbered_node(node) for node in nodes)

    def numbered_node(node: Node) -> Node:
        nonlocal stage
        if isinstance(node, LayerNode):
            numbers[node.path] = stage
            return node
        title = node.title
        if node.kind == "stage" and not title.startswith("Input"):
            stage += 1
            title = title.replace(_STAGE, f"{_STAGE} {stage}", 1)
        branches = tuple(numbered(branch) for branch in node.branches)
        if node.merge is not None:
            numbers[node.merge] = stage
        return replace(node, title=title, branches=branches, children=numbered(node.children))

    nodes = numbered(structure.nodes)
    layers = {path: replace(layer, stage=numbers[path]) for path, layer in structure.layers.items()}
    return replace(structure, nodes=nodes, layers=layers)
