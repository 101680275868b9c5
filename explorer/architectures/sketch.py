"""A network on paper: layers with Keras' names and arguments, their shapes and costs at once, and no Keras.

    s = Sketch("bottleneck")
    x = s.input((28, 28, 256))
    y = s.conv(x, 64, 1)
    s.conv(y, 192, 3, padding="same")
    s.table().multiply_adds        # 99,549,184
    print(s.code())                # the same in Keras

A layer that cannot be raises `Clash`, with a sentence that says why and what would mend it, and stays in the sketch
as a broken layer, so that a diagram can show where it stands.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from explorer.architectures import layer_rules as rules
from explorer.architectures.axes import PIXELS, Axis, Unknown, painted, united, windowed
from explorer.architectures.layer_rules import ACTIVATIONS, Mismatch, Outcome, Pads, Shape, Size
from explorer.architectures.results import Cost, NetworkTable
from explorer.networks.decomposition import ENTRY, Parallel, Part, Tangle, decompose
from explorer.networks.structure import Block, BlockKind, LayerInfo, LayerNode, Node, Structure, paths_of

__all__ = ["ACTIVATIONS", "Clash", "LayerCall", "Sketch", "Tensor"]

_COUNTED = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Dense")
_ACTIVATING = ("Activation",)
# A map that shrinks by less has only lost its border, and the stage goes on.
_STAGE_STEP = 1.5
_SHORTCUT_LAYERS = 3
_LINE = 100


@dataclass(frozen=True)
class Tensor:
    """What a layer puts out.

    Attributes:
        shape: (height, width, channels), or (values,) for a vector; the batch is left out.
        path: The layer that gives it.
    """

    shape: Shape
    path: str


class Clash(Exception):
    """A layer that cannot be: impossible arguments, or shapes that do not fit.

    Attributes:
        sentence: What clashes, why, and what would mend it.
        path: Of the broken layer in the sketch.
    """

    def __init__(self, sentence: str, path: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.path = path


@dataclass(frozen=True)
class LayerCall:
    """A layer as Keras is asked for it: `keras.layers.<kind>(*positional, **named)` on the outputs of `inputs`.

    Attributes:
        path: Of the layer in the sketch.
        kind: Class name; "InputLayer" for an input.
        positional: Arguments without a name.
        named: Arguments by name; those at Keras' defaults are left out.
        inputs: Paths of the layers whose outputs go in.
        joins: Whether the layer takes a list of tensors.
        given_name: Whether the layer was given a name, which Keras then gets too.
    """

    path: str
    kind: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any]
    inputs: tuple[str, ...]
    joins: bool = False
    given_name: bool = False


@dataclass(frozen=True)
class _Sight:
    """What a value of a layer depends on.

    Attributes:
        reach: Which pixels its rows and columns depend on; None for vectors, and where it cannot be told.
        sees_all: Whether it depends on the whole input besides.
        flat: Whether the places of a map stand here as channels: whoever mixes them sees everything.
    """

    reach: tuple[Axis, Axis] | None = None
    sees_all: bool = False
    flat: bool = False

    @property
    def size(self) -> tuple[int, int] | None:
        return None if self.reach is None else (self.reach[0].size, self.reach[1].size)

    @property
    def stride(self) -> tuple[int, int] | None:
        """Whole pixels from one cell to the next; None where a map grew beyond the picture."""
        if self.reach is None or any(axis.stride.denominator > 1 for axis in self.reach):
            return None
        return int(self.reach[0].stride), int(self.reach[1].stride)


@dataclass(frozen=True)
class _Layer:
    call: LayerCall
    shape: Shape
    info: LayerInfo
    cost: Cost
    sight: _Sight
    depth: int


@dataclass
class Sketch:
    """Layers that are put down one by one; see the module.

    Every method that puts down a layer takes the tensors that go in and Keras' arguments with Keras' defaults, and
    returns the `Tensor` that comes out. `name` is the layer's name and path (without "/"); without one it is Keras'
    automatic name. `title` of a layer that joins branches is what people call the block that ends there.

    Raises (all of them):
        Clash: if the layer cannot be with these arguments on these shapes.
        ValueError: if the name is taken or unusable, or a tensor is not of this sketch.
    """

    name: str
    clash: Clash | None = None
    _layers: dict[str, _Layer] = field(default_factory=dict)
    _titles: dict[str, str] = field(default_factory=dict)
    _automatic: Counter[str] = field(default_factory=Counter)

    # --- layers ---

    def input(self, shape: Sequence[int], name: str | None = None) -> Tensor:
        """Input of one picture, (height, width, channels), or of a vector, (values,)."""

        def rule() -> Outcome:
            if len(shape) not in (1, 3):
                raise Mismatch(f"An input is (height, width, channels) or (values,), not {tuple(shape)}.")
            return Outcome(tuple(rules.whole_number(side, "Each side of the input") for side in shape))

        return self._put("InputLayer", (tuple(shape),), {}, (), name, rule)

    def conv(
        self, x: Tensor, filters: int, kernel_size: Size, strides: Size = 1, padding: str = "valid",
        dilation_rate: Size = 1, groups: int = 1, activation: str | None = None, use_bias: bool = True,
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        """Conv2D."""
        return self._on(
            "Conv2D", rules.conv, x, name, filters, kernel_size, strides=strides, padding=padding,
            dilation_rate=dilation_rate, groups=groups, activation=activation, use_bias=use_bias,
        )  # fmt: skip

    def depthwise_conv(
        self, x: Tensor, kernel_size: Size, strides: Size = 1, padding: str = "valid", depth_multiplier: int = 1,
        dilation_rate: Size = 1, activation: str | None = None, use_bias: bool = True, name: str | None = None,
    ) -> Tensor:  # fmt: skip
        """DepthwiseConv2D."""
        return self._on(
            "DepthwiseConv2D", rules.depthwise_conv, x, name, kernel_size, strides=strides, padding=padding,
            depth_multiplier=depth_multiplier, dilation_rate=dilation_rate, activation=activation, use_bias=use_bias,
        )  # fmt: skip

    def separable_conv(
        self, x: Tensor, filters: int, kernel_size: Size, strides: Size = 1, padding: str = "valid",
        dilation_rate: Size = 1, depth_multiplier: int = 1, activation: str | None = None, use_bias: bool = True,
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        """SeparableConv2D: depthwise, then 1×1."""
        return self._on(
            "SeparableConv2D", rules.separable_conv, x, name, filters, kernel_size, strides=strides, padding=padding,
            dilation_rate=dilation_rate, depth_multiplier=depth_multiplier, activation=activation, use_bias=use_bias,
        )  # fmt: skip

    def conv_transpose(
        self, x: Tensor, filters: int, kernel_size: Size, strides: Size = 1, padding: str = "valid",
        activation: str | None = None, use_bias: bool = True, name: str | None = None,
    ) -> Tensor:  # fmt: skip
        """Conv2DTranspose."""
        return self._on(
            "Conv2DTranspose", rules.conv_transpose, x, name, filters, kernel_size, strides=strides,
            padding=padding, activation=activation, use_bias=use_bias,
        )  # fmt: skip

    def dense(
        self, x: Tensor, units: int, activation: str | None = None, use_bias: bool = True, name: str | None = None
    ) -> Tensor:  # fmt: skip
        """Dense, on the last axis."""
        return self._on("Dense", rules.dense, x, name, units, activation=activation, use_bias=use_bias)

    def max_pool(
        self, x: Tensor, pool_size: Size = 2, strides: Size | None = None, padding: str = "valid",
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        """MaxPooling2D; without strides the windows lie side by side."""
        return self._on("MaxPooling2D", rules.pool, x, name, pool_size, strides=strides, padding=padding)

    def average_pool(
        self, x: Tensor, pool_size: Size = 2, strides: Size | None = None, padding: str = "valid",
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        """AveragePooling2D; without strides the windows lie side by side."""
        return self._on("AveragePooling2D", rules.pool, x, name, pool_size, strides=strides, padding=padding)

    def global_average_pool(self, x: Tensor, keepdims: bool = False, name: str | None = None) -> Tensor:
        """GlobalAveragePooling2D."""
        return self._on("GlobalAveragePooling2D", rules.global_pool, x, name, keepdims=keepdims)

    def global_max_pool(self, x: Tensor, keepdims: bool = False, name: str | None = None) -> Tensor:
        """GlobalMaxPooling2D."""
        return self._on("GlobalMaxPooling2D", rules.global_pool, x, name, keepdims=keepdims)

    def flatten(self, x: Tensor, name: str | None = None) -> Tensor:
        """Flatten."""
        return self._on("Flatten", rules.flatten, x, name)

    def batch_norm(self, x: Tensor, name: str | None = None) -> Tensor:
        """BatchNormalization."""
        return self._on("BatchNormalization", rules.batch_norm, x, name)

    def layer_norm(self, x: Tensor, name: str | None = None) -> Tensor:
        """LayerNormalization over the last axis."""
        return self._on("LayerNormalization", rules.layer_norm, x, name)

    def activation(self, x: Tensor, activation: str, name: str | None = None) -> Tensor:
        """Activation."""
        return self._on("Activation", rules.activation, x, name, activation)

    def dropout(self, x: Tensor, rate: float, name: str | None = None) -> Tensor:
        """Dropout."""
        return self._on("Dropout", rules.dropout, x, name, rate)

    def rescaling(self, x: Tensor, scale: float, offset: float = 0.0, name: str | None = None) -> Tensor:
        """Rescaling: scale · x + offset."""
        return self._on("Rescaling", rules.rescaling, x, name, scale, offset=offset)

    def zero_padding(self, x: Tensor, padding: int | tuple[int, int] | Pads = 1, name: str | None = None) -> Tensor:
        """ZeroPadding2D: one number, (rows, columns), or ((top, bottom), (left, right))."""
        return self._on("ZeroPadding2D", rules.zero_padding, x, name, padding)

    def add(self, tensors: Sequence[Tensor], name: str | None = None, title: str = "") -> Tensor:
        """Add; of two tensors the first is the block's own, the second its shortcut."""
        return self._join("Add", tensors, name, title)

    def multiply(self, tensors: Sequence[Tensor], name: str | None = None, title: str = "") -> Tensor:
        """Multiply; a side of 1 is stretched, as a gate's."""
        return self._join("Multiply", tensors, name, title)

    def concatenate(
        self, tensors: Sequence[Tensor], axis: int = -1, name: str | None = None, title: str = ""
    ) -> Tensor:
        """Concatenate along the channels, or along another axis (Keras counts the batch as axis 0)."""
        branches = any(tensor.path in self._layers and self._layers[tensor.path].call.inputs for tensor in tensors)
        return self._put(
            "Concatenate", (), {"axis": axis}, tuple(tensors), name,
            lambda: rules.concatenate([one.shape for one in tensors], axis, branches), title, joins=True,
        )  # fmt: skip

    def _join(self, kind: str, tensors: Sequence[Tensor], name: str | None, title: str) -> Tensor:
        return self._put(
            kind, (), {}, tuple(tensors), name, lambda: rules.element_wise([one.shape for one in tensors], kind),
            title, joins=True,
        )  # fmt: skip

    # --- what it amounts to ---

    def table(self) -> NetworkTable:
        """Return shapes, costs and the tree of blocks, as counting a Keras model gives them.

        A broken layer has the output shape () and `config["clash"]`, the sentence, which is among the notes too.
        """
        layers = {path: layer.info for path, layer in self._layers.items()}
        inputs = [layer.shape for layer in self._layers.values() if layer.call.kind == "InputLayer"]
        # A gate's own layers are deeper than the map beside it: what counts is where the ways end.
        ends = [self._layers[path].depth for path in self.outputs()]
        return NetworkTable(
            structure=Structure(self.name, _Tree(layers, self._titles).nodes(), layers),
            costs={path: layer.cost for path, layer in self._layers.items()},
            input_shape=inputs[0] if inputs else (),
            depth=max(ends, default=0),
            notes=(self.clash.sentence,) if self.clash else (),
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the layers so far, a broken one with them."""
        return tuple(self._layers)

    def calls(self) -> tuple[LayerCall, ...]:
        """Return the layers as Keras is asked for them, in order, without a broken one."""
        broken = self.clash.path if self.clash else None
        return tuple(layer.call for path, layer in self._layers.items() if path != broken)

    def outputs(self) -> tuple[str, ...]:
        """Return the paths of the layers whose outputs nothing takes: the network's outputs."""
        used = {path for call in self.calls() for path in call.inputs}
        return tuple(call.path for call in self.calls() if call.path not in used)

    def code(self) -> str:
        """Return the program that builds the network with Keras' functional API, as `model`.

        A broken layer stands in it as a comment, and the program builds what comes before.
        """
        calls, outputs = self.calls(), self.outputs()
        variables = _variables(calls, outputs)
        lines = ["import keras", "from keras import layers", ""]
        for call in calls:
            lines += _assignment(variables[call.path], call, variables)
        if self.clash is not None:
            broken = self._layers[self.clash.path].call
            known = variables | {broken.path: "x"}
            lines += ["# This layer does not fit: " + self.clash.sentence]
            lines += [f"# {line}" for line in _assignment("x", broken, known)]
        inputs = [variables[call.path] for call in calls if call.kind == "InputLayer"]
        model = f"{_listed(inputs)}, {_listed([variables[path] for path in outputs])}"
        return "\n".join([*lines, f"model = keras.Model({model}, name={_quoted(_identifier(self.name))})", ""])

    # --- putting down ---

    def _on(
        self, kind: str, rule: Callable[..., Outcome], x: Tensor, name: str | None, *positional: Any, **named: Any
    ) -> Tensor:
        """Put down a layer with one input: its rule takes the shape, and the arguments that Keras takes."""
        return self._put(kind, positional, named, (x,), name, lambda: rule(x.shape, *positional, **named))

    def _put(
        self,
        kind: str,
        positional: tuple[Any, ...],
        named: Mapping[str, Any],
        tensors: tuple[Tensor, ...],
        name: str | None,
        rule: Callable[[], Outcome],
        title: str = "",
        joins: bool = False,
    ) -> Tensor:
        if self.clash is not None:
            raise ValueError("A sketch with a broken layer does not go on.")
        if any(tensor.path not in self._layers for tensor in tensors):
            raise ValueError("A tensor of another sketch went in.")
        path = self._path(kind, name)
        told = {key: value for key, value in named.items() if value is not None and value != _default(kind, key)}
        inputs = tuple(tensor.path for tensor in tensors)
        call = LayerCall(path, kind, positional, told, inputs, joins, name is not None)
        if title:
            self._titles[path] = title
        try:
            outcome = rule()
        except Mismatch as mismatch:
            self.clash = Clash(str(mismatch), path)
            info = self._info(call, Outcome((), config={"clash": str(mismatch)}))
            self._layers[path] = _Layer(call, (), info, Cost(0, 0, 0, 0), _Sight(), 0)
            raise self.clash from None
        self._layers[path] = self._layer(call, outcome)
        return Tensor(outcome.shape, path)

    def _path(self, kind: str, name: str | None) -> str:
        if name is None:
            base = _snake(kind)
            while True:
                path = f"{base}_{self._automatic[base]}" if self._automatic[base] else base
                self._automatic[base] += 1
                if path not in self._layers:
                    return path
        if not name or "/" in name or name in self._layers:
            raise ValueError(f"A layer cannot be called {name!r} here: the name is taken, empty or has a slash.")
        return name

    def _layer(self, call: LayerCall, outcome: Outcome) -> _Layer:
        before = [self._layers[path] for path in call.inputs]
        sight = _seen(call, outcome, before)
        cost = Cost(
            outcome.parameters, outcome.trainable, outcome.multiply_adds, prod(outcome.shape),
            sight.size, sight.stride, sight.sees_all,
        )  # fmt: skip
        return _Layer(call, outcome.shape, self._info(call, outcome), cost, sight, _depth(call, before))

    def _info(self, call: LayerCall, outcome: Outcome) -> LayerInfo:
        before = [self._layers[path].info for path in call.inputs]
        stage = max((info.stage for info in before), default=0)
        sides = [max(tensor[:2]) for path in call.inputs if len(tensor := self._layers[path].shape) == 3]
        if len(outcome.shape) == 3 and sides and max(sides) / max(outcome.shape[:2]) >= _STAGE_STEP:
            stage += 1
        return LayerInfo(
            path=call.path,
            name=call.path,
            kind=call.kind,
            output_shape=outcome.shape,
            parameters=outcome.parameters,
            trainable=outcome.trainable > 0,
            channels=outcome.shape[-1] if outcome.shape else None,
            inputs=tuple(dict.fromkeys(call.inputs)),
            config=dict(outcome.config),
            stage=stage,
        )


def _depth(call: LayerCall, before: Sequence[_Layer]) -> int:
    """Return how many layers with a kernel stand on the longest way up to a layer and with it.

    The way through a gate is left out where a map goes on beside it.
    """
    ways = [(layer.depth, prod(layer.shape[:-1])) for layer in before]
    widest = max((places for _, places in ways), default=1)
    passing = [depth for depth, places in ways if places == widest or places > 1]
    return max(passing, default=0) + (call.kind in _COUNTED)


def _seen(call: LayerCall, outcome: Outcome, before: Sequence[_Layer]) -> _Sight:
    """Return what a layer's values depend on, as `explorer.architectures.fields` tells it of Keras' layers."""
    if not before:
        return _Sight((PIXELS, PIXELS)) if len(outcome.shape) == 3 else _Sight(flat=True)
    sights = [layer.sight for layer in before]
    sees_all, flat = any(sight.sees_all for sight in sights), any(sight.flat for sight in sights)
    if outcome.gathers:
        return _Sight(sees_all=True)
    if all(sight.reach is None for sight in sights):
        return _Sight(sees_all=sees_all or flat) if call.kind == "Dense" else _Sight(None, sees_all, flat)
    if call.kind == "Flatten":
        return _Sight(None, sees_all, flat=prod(before[0].shape[:-1]) > 1)
    joined: tuple[Axis, Axis] | None = None
    try:
        for layer in before:
            reach = layer.sight.reach
            if reach is None and layer.sight.sees_all:
                continue  # a gate
            if reach is None or outcome.beside:
                raise Unknown
            if call.joins and layer.shape[:2] != outcome.shape[:2]:
                if prod(layer.shape[:2]) > 1:
                    raise Unknown
                sees_all = True  # a map of one cell, spread over all places
                continue
            joined = reach if joined is None else (united(joined[0], reach[0]), united(joined[1], reach[1]))
        return _Sight(None if joined is None else _through(outcome, joined), sees_all)
    except Unknown:
        return _Sight(None, sees_all)


def _through(outcome: Outcome, reach: tuple[Axis, Axis]) -> tuple[Axis, Axis]:
    """Return what the rows and columns behind a layer depend on."""
    rows, columns = (
        painted(axis, window, step, 1, before) if outcome.paints else windowed(axis, window, step, before)
        for axis, window, step, before in zip(reach, outcome.window, outcome.step, outcome.before, strict=True)
    )
    return rows, columns


# Keras' defaults other than None, which a call need not say.
_DEFAULTS: dict[str, Any] = {
    "strides": 1, "padding": "valid", "dilation_rate": 1, "groups": 1, "use_bias": True, "depth_multiplier": 1,
    "keepdims": False, "axis": -1, "offset": 0.0,
}  # fmt: skip


def _default(kind: str, argument: str) -> Any:
    # Pooling without strides lays its windows side by side, so strides of 1 must be said.
    return None if argument == "strides" and "Pooling" in kind else _DEFAULTS.get(argument)


def _snake(kind: str) -> str:
    """Return Keras' automatic name for a class: "conv2d_transpose"."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


# --- the program ---


def _variables(calls: Sequence[LayerCall], outputs: Sequence[str]) -> dict[str, str]:
    """Return the variable of each layer's output: x where only the next line takes it, else a name of its own."""
    takers: dict[str, set[int]] = {call.path: set() for call in calls}
    for number, call in enumerate(calls):
        for path in call.inputs:
            takers[path].add(number)
    inputs = sum(call.kind == "InputLayer" for call in calls)
    taken = {"x", "inputs", "outputs", "layers", "keras", "model"}
    variables = {}
    for number, call in enumerate(calls):
        if call.kind == "InputLayer" and inputs == 1:
            variable = "inputs"
        elif outputs == (call.path,):
            variable = "outputs"
        elif takers[call.path] == {number + 1} and call.kind != "InputLayer":
            variable = "x"
        else:
            variable = _identifier(call.path)
            while variable in taken:
                variable += "_"
            taken.add(variable)
        variables[call.path] = variable
    return variables


def _assignment(variable: str, call: LayerCall, variables: Mapping[str, str]) -> list[str]:
    """Return the lines that make one layer and call it."""
    arguments = [_literal(value) for value in call.positional]
    arguments += [f"{name}={_literal(value)}" for name, value in call.named.items()]
    if call.given_name:
        arguments.append(f"name={_quoted(call.path)}")
    if call.kind == "InputLayer":
        return [f"{variable} = keras.Input({', '.join(arguments)})"]
    given = [variables[path] for path in call.inputs]
    tail = f")([{', '.join(given)}])" if call.joins else f")({given[0]})"
    head = f"{variable} = layers.{call.kind}("
    line = head + ", ".join(arguments) + tail
    if len(line) <= _LINE:
        return [line]
    return [head, f"    {', '.join(arguments)}", tail]


def _literal(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _listed(variables: Sequence[str]) -> str:
    return variables[0] if len(variables) == 1 else f"[{', '.join(variables)}]"


def _identifier(text: str) -> str:
    """Return a Python name that reads like the text; Keras takes it as a name too."""
    word = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "layer"
    return f"layer_{word}" if word[0].isdigit() or keyword.iskeyword(word) else word


# --- the tree ---


class _Tree:
    """Branches and shortcuts, read from what feeds what."""

    def __init__(self, layers: Mapping[str, LayerInfo], titles: Mapping[str, str]) -> None:
        self.layers = layers
        self.paths = list(layers)
        self.titles = titles

    def nodes(self) -> tuple[Node, ...]:
        number = {path: index for index, path in enumerate(self.paths)}
        before = [{number[path] for path in info.inputs} or {ENTRY} for info in self.layers.values()]
        return tuple(self.sequence(decompose(before)))

    def sequence(self, parts: Sequence[Part]) -> list[Node]:
        nodes: list[Node] = []
        for part in parts:
            if isinstance(part, Parallel):
                nodes.append(self.parallel(part))
            elif isinstance(part, Tangle):
                inner = tuple(LayerNode(self.paths[item]) for item in part.items)
                nodes.append(self.block(self.title(inner[-1].path, "Block"), "block", inner))
            else:
                self.follow(nodes, self.paths[part])
        return nodes

    def follow(self, nodes: list[Node], path: str) -> None:
        """Add a layer; the activation behind a shortcut's sum belongs into the residual block."""
        last = nodes[-1] if nodes else None
        if (
            isinstance(last, Block)
            and last.kind == "residual"
            and not last.children
            and self.layers[path].kind in _ACTIVATING
        ):
            shape = self.layers[path].output_shape
            nodes[-1] = replace(last, children=(LayerNode(path),), output=path, output_shape=shape)
        else:
            nodes.append(LayerNode(path))

    def parallel(self, part: Parallel) -> Block:
        branches = [tuple(self.sequence(branch)) for branch in part.branches]
        merge = None if part.merge is None else self.paths[part.merge]
        if merge is not None:
            # In the order in which the merging layer takes them, a direct connection last.
            order = self.layers[merge].inputs
            ends = [branch[-1] if branch else None for branch in branches]
            where = [order.index(path) if end and (path := _output(end)) in order else len(order) for end in ends]
            branches = [branch for _, branch in sorted(zip(where, branches, strict=True), key=lambda pair: pair[0])]
        sizes = [len(list(paths_of(branch))) for branch in branches]
        kind: BlockKind = "branches"
        if merge is not None and self.layers[merge].kind == "Add":
            short = len(sizes) == 2 and min(sizes) <= _SHORTCUT_LAYERS and max(sizes) > min(sizes)
            if min(sizes) == 0 or short:
                kind = "residual"
                branches.sort(key=lambda branch: -len(list(paths_of(branch))))
        titles = {"Concatenate": "Branches, concatenated", "Multiply": "Gate"}
        plain = "Residual block" if kind == "residual" else titles.get(self.kind(merge), f"{len(branches)} branches")
        return self.block(self.title(merge, plain), kind, (), tuple(branches), merge)

    def kind(self, path: str | None) -> str:
        return "" if path is None else self.layers[path].kind

    def title(self, path: str | None, otherwise: str) -> str:
        return self.titles.get(path or "", otherwise)

    def block(
        self,
        title: str,
        kind: BlockKind,
        children: tuple[Node, ...],
        branches: tuple[tuple[Node, ...], ...] = (),
        merge: str | None = None,
    ) -> Block:
        inner = [*paths_of([*children, *(node for branch in branches for node in branch)]), *([merge] if merge else [])]
        output = merge or _output(children[-1] if children else branches[-1][-1])
        parameters = sum(self.layers[path].parameters for path in inner)
        return Block(title, kind, children, branches, output, parameters, self.layers[output].output_shape, merge)


def _output(node: Node) -> str:
    return node.path if isinstance(node, LayerNode) else node.output
