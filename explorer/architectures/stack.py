"""Build your own: a network as a stack of layers that can be edited, counted, put into a link and printed as Keras."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from explorer.architectures.blocks.block import Setting
from explorer.architectures.layer_rules import Shape
from explorer.architectures.results import NetworkTable
from explorer.architectures.sketch import Clash, Sketch, Tensor

MOST_LAYERS = 60
MOST_TEXT = 4000
LARGEST_SIDE = 1024
LARGEST_VECTOR = 1_000_000


class StackError(ValueError):
    """What cannot be done with a stack, in one sentence."""


@dataclass(frozen=True)
class LayerKind:
    """A kind of layer that a stack may hold.

    Attributes:
        name: In links.
        title: For people.
        arguments: What can be set, with limits.
        help: One sentence.
    """

    name: str
    title: str
    arguments: tuple[Setting, ...]
    help: str = ""

    def argument(self, name: str) -> Setting:
        """Return an argument by name.

        Raises:
            StackError: if the layer has no such argument.
        """
        for argument in self.arguments:
            if argument.name == name:
                return argument
        raise StackError(f"{self.title} has no argument {name!r}.")


def _count(name: str, label: str, default: int, high: int, low: int = 1, **more: Any) -> Setting:
    return Setting(name, label, "count", default, low=low, high=high, **more)


def _choice(name: str, label: str, *options: str, **more: Any) -> Setting:
    return Setting(name, label, "choice", options[0], options={option: option for option in options}, **more)


_ACTIVATIONS = ("relu", "linear", "elu", "gelu", "silu", "tanh", "sigmoid", "softmax")
_FILTERS = _count("filters", "Filters", 32, 4096)
_KERNEL = _count("kernel_size", "Kernel size", 3, 15)
_STRIDES = _count("strides", "Strides", 1, 8)
_PADDING = _choice("padding", "Padding", "same", "valid")
_DILATION = _count("dilation_rate", "Dilation rate", 1, 8, main=False)
_ACTIVATION = _choice("activation", "Activation", *_ACTIVATIONS)
_BIAS = Setting("use_bias", "Bias", "switch", True, main=False)

KINDS: Mapping[str, LayerKind] = MappingProxyType({
    kind.name: kind
    for kind in (
        LayerKind(
            "conv", "Convolution",
            (_FILTERS, _KERNEL, _STRIDES, _PADDING, _DILATION, _count("groups", "Groups", 1, 4096, main=False),
             _ACTIVATION, _BIAS),
            "Conv2D.",
        ),
        LayerKind(
            "separable", "Separable convolution",
            (_FILTERS, _KERNEL, _STRIDES, _PADDING, _DILATION, _ACTIVATION, _BIAS),
            "SeparableConv2D: depthwise, then 1×1.",
        ),
        LayerKind(
            "depthwise", "Depthwise convolution",
            (_KERNEL, _STRIDES, _PADDING, _count("multiplier", "Filters for each channel", 1, 16, main=False),
             _DILATION, _ACTIVATION, _BIAS),
            "DepthwiseConv2D: each channel has its own filters.",
        ),
        LayerKind(
            "pool", "Pooling",
            (_choice("of", "Of each window", "max", "average"), _count("window", "Window", 2, 15),
             _count("strides", "Strides", 2, 8), _choice("padding", "Padding", "valid", "same")),
            "MaxPooling2D or AveragePooling2D.",
        ),
        LayerKind(
            "global_pool", "Global pooling", (_choice("of", "Of each map", "average", "max"),),
            "One value for each map.",
        ),
        LayerKind("flatten", "Flatten", (), "All values in one vector."),
        LayerKind(
            "norm", "Normalisation", (_choice("of", "Over", "batch", "layer"),),
            "BatchNormalization or LayerNormalization.",
        ),
        LayerKind("activation", "Activation", (_ACTIVATION,)),
        LayerKind(
            "dropout", "Dropout", (Setting("rate", "Rate", "number", 0.5, low=0, high=0.95, step=0.05),),
            "Drops a share of the values in training.",
        ),
        LayerKind(
            "residual", "Residual block",
            (_FILTERS, _KERNEL, _STRIDES,
             Setting("shortcut", "Shortcut", "choice", "fitting", options={
                 "fitting": "1×1 convolution where shapes differ", "projection": "always a 1×1 convolution",
                 "identity": "as it is",
             }),
             Setting("norm", "Batch normalisation", "switch", True)),
            "Two convolutions, and a shortcut that is added.",
        ),
        LayerKind(
            "dense", "Dense", (_count("units", "Units", 10, 16384), _ACTIVATION, _BIAS),
            "Every unit reads all values of a vector; on maps it works at each cell, like a 1×1 convolution.",
        ),
    )
})  # fmt: skip


@dataclass(frozen=True)
class StackLayer:
    """One layer of a stack: a name in `KINDS`, and a value for every argument; `layer` fills in the defaults."""

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stack:
    """A network as one layer after another.

    Attributes:
        input_shape: (height, width, channels), or (values,).
        layers: From input to output, at most `MOST_LAYERS`.
    """

    input_shape: Shape
    layers: tuple[StackLayer, ...] = ()


@dataclass(frozen=True)
class StackRow:
    """One layer of a stack in the editor; everything is empty behind a broken layer.

    Attributes:
        index: Its place in the stack.
        kind: Its kind.
        title: "Convolution 32 · 3×3 · relu".
        shape: What it gives; None for a broken layer and those behind it.
        paths: Its layers in the table; a residual block has several.
        parameters: Weights.
        multiply_adds: For one picture.
        activations: Values in all its outputs.
        field: Receptive field in pixels; None where it has none.
        stride: In pixels, likewise.
        hint: What is worth knowing though it fits; empty for nothing.
    """

    index: int
    kind: str
    title: str
    shape: Shape | None = None
    paths: tuple[str, ...] = ()
    parameters: int = 0
    multiply_adds: int = 0
    activations: int = 0
    field: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    hint: str = ""


@dataclass(frozen=True)
class StackReport:
    """What a stack amounts to.

    Attributes:
        table: Its layers, up to and with a broken one.
        broken: Index of the layer whose shapes clash, or None.
        sentence: Why; empty if everything fits.
        rows: One for each layer of the stack.
    """

    table: NetworkTable
    broken: int | None
    sentence: str
    rows: tuple[StackRow, ...]


# --- layers and edits ---


def layer(kind: str, **arguments: Any) -> StackLayer:
    """Return a layer with the defaults for what is not given.

    Raises:
        StackError: if there is no such kind or argument, or a value is outside its limits.
    """
    known = _kind(kind)
    values = {argument.name: argument.default for argument in known.arguments}
    for name, value in arguments.items():
        values[name] = _taken(known, known.argument(name), value)
    return StackLayer(kind, values)


def checked(input_shape: Iterable[int], layers: Iterable[StackLayer] = ()) -> Stack:
    """Return a stack whose input and layers are checked.

    Raises:
        StackError: if the input or a layer is impossible in itself, or there are too many layers. Shapes that clash
            are no error here: `report` tells them.
    """
    shape = tuple(input_shape)
    if len(shape) not in (1, 3) or not all(isinstance(side, int) and not isinstance(side, bool) for side in shape):
        raise StackError("The input is height × width × channels, or a number of values.")
    high = LARGEST_VECTOR if len(shape) == 1 else LARGEST_SIDE
    if not all(1 <= side <= high for side in shape):
        what = "A vector has" if len(shape) == 1 else "Height, width and channels of the input are"
        raise StackError(f"{what} from 1 to {high:,}{' values' if len(shape) == 1 else ''}, not {max(shape):,}.")
    filled = tuple(layer(one.kind, **one.arguments) for one in layers)
    if len(filled) > MOST_LAYERS:
        raise StackError(f"A stack holds at most {MOST_LAYERS} layers, not {len(filled)}.")
    return Stack(shape, filled)


def add(stack: Stack, index: int, new: StackLayer) -> Stack:
    """Return the stack with a layer put in before place `index` (0 to the number of layers)."""
    if not 0 <= index <= len(stack.layers):
        raise StackError(f"There is no place {index} in a stack of {len(stack.layers)} layers.")
    if len(stack.layers) >= MOST_LAYERS:
        raise StackError(f"A stack holds at most {MOST_LAYERS} layers.")
    new = layer(new.kind, **new.arguments)
    return replace(stack, layers=(*stack.layers[:index], new, *stack.layers[index:]))


def delete(stack: Stack, index: int) -> Stack:
    """Return the stack without one layer."""
    _at(stack, index)
    return replace(stack, layers=(*stack.layers[:index], *stack.layers[index + 1 :]))


def move(stack: Stack, index: int, to: int) -> Stack:
    """Return the stack with one layer at another place: afterwards it is number `to`."""
    moved = _at(stack, index)
    _at(stack, to)
    return add(delete(stack, index), to, moved)


def copy(stack: Stack, index: int) -> Stack:
    """Return the stack with a copy of one layer behind it."""
    return add(stack, index + 1, _at(stack, index))


def changed(stack: Stack, index: int, **arguments: Any) -> Stack:
    """Return the stack with some arguments of one layer changed."""
    old = _at(stack, index)
    new = layer(old.kind, **(dict(old.arguments) | arguments))
    return replace(stack, layers=(*stack.layers[:index], new, *stack.layers[index + 1 :]))


def with_input(stack: Stack, input_shape: Iterable[int]) -> Stack:
    """Return the stack on another input."""
    return checked(input_shape, stack.layers)


_ON_MAPS = ("conv", "separable", "depthwise", "pool", "residual", "global_pool", "flatten")
_TO_VECTOR = ("flatten", "global_pool")


def usual_place(stack: Stack, kind: str) -> int:
    """Return before which layer a new one of a kind is put if nobody says where: it should fit, and not end the net.

    What works on maps stands before the layer that makes a vector of them, everything else before the head: a last
    dense layer, with its activation.
    """
    kinds = [one.kind for one in stack.layers]
    head = len(kinds)
    if head and kinds[-1] == "activation" and stack.layers[-1].arguments["activation"] == "softmax":
        head -= 1
    if head and kinds[head - 1] == "dense":
        head -= 1
    if kind in _ON_MAPS:
        return next((place for place, one in enumerate(kinds[:head]) if one in _TO_VECTOR), head)
    return head


def _at(stack: Stack, index: int) -> StackLayer:
    if not 0 <= index < len(stack.layers):
        raise StackError(f"There is no layer {index} in a stack of {len(stack.layers)} layers.")
    return stack.layers[index]


def _kind(name: str) -> LayerKind:
    if name not in KINDS:
        raise StackError(f"There is no layer of the kind {name!r}: it is one of {', '.join(KINDS)}.")
    return KINDS[name]


def _taken(kind: LayerKind, argument: Setting, value: Any) -> Any:
    if argument.kind == "number" and isinstance(value, float):
        value = round(value, 4)  # to the digits that a link holds
    if argument.takes(value):
        return value
    if argument.kind == "choice":
        raise StackError(f"{kind.title}: {argument.label} is one of {', '.join(argument.options)}, not {value!r}.")
    if argument.kind == "switch":
        raise StackError(f"{kind.title}: {argument.label} is on or off, not {value!r}.")
    what = "a whole number" if argument.kind == "count" else "a number"
    raise StackError(
        f"{kind.title}: {argument.label} is {what} from {argument.low:g} to {argument.high:g}, not {value!r}."
    )


# --- what it amounts to ---

_AT_EACH_CELL = "Works at each cell: put Flatten before it to read all values."


def report(stack: Stack) -> StackReport:
    """Return shapes, counts and what does not fit; see `StackReport`."""
    sketch, paths = _sketched(stack)
    table = sketch.table()
    broken = len(paths) - 1 if sketch.clash else None
    rows = []
    for index, one in enumerate(stack.layers):
        row = StackRow(index, one.kind, title(one))
        if index < len(paths) and index != broken:
            inner = paths[index]
            costs = [table.costs[path] for path in inner]
            last = table.structure.layers[inner[-1]]
            row = replace(
                row,
                shape=tuple(side for side in last.output_shape if side is not None),
                paths=inner,
                parameters=sum(cost.parameters for cost in costs),
                multiply_adds=sum(cost.multiply_adds for cost in costs),
                activations=sum(cost.activations for cost in costs),
                field=costs[-1].field,
                stride=costs[-1].stride,
                hint=_AT_EACH_CELL if one.kind == "dense" and len(last.output_shape) == 3 else "",
            )
        elif index == broken:
            row = replace(row, paths=paths[index])
        rows.append(row)
    return StackReport(table, broken, sketch.clash.sentence if sketch.clash else "", tuple(rows))


def sketch(stack: Stack) -> Sketch:
    """Return the stack as a sketch, up to and with a broken layer."""
    return _sketched(stack)[0]


def code(stack: Stack) -> str:
    """Return the program that builds the stack in Keras as `model`."""
    return sketch(stack).code()


def title(one: StackLayer) -> str:
    """Return a layer in a few words: "Convolution 32 · 3×3 · stride 2 · relu"."""
    given = one.arguments
    words: list[str] = []
    if one.kind in ("pool", "global_pool", "norm"):
        words.append({"max": "Max", "average": "Average", "batch": "Batch", "layer": "Layer"}[given["of"]])
        words[0] += {"pool": " pooling", "global_pool": " over each map", "norm": " normalisation"}[one.kind]
    elif one.kind == "activation":
        words.append(f"Activation {given['activation']}")
    elif one.kind == "dropout":
        words.append(f"Dropout {given['rate']:g}")
    else:
        size = given.get("filters", given.get("units"))
        words.append(KINDS[one.kind].title + ("" if size is None else f" {size}"))
    size = given.get("kernel_size", given.get("window"))
    if size is not None:
        words.append(f"{size}×{size}")
    if given.get("strides", 1) != given.get("window", 1):
        words.append(f"stride {given['strides']}")
    if given.get("groups", 1) > 1:
        words.append(f"{given['groups']} groups")
    if given.get("dilation_rate", 1) > 1:
        words.append(f"dilation {given['dilation_rate']}")
    if given.get("padding") == "valid" and one.kind != "pool":
        words.append("no padding")
    if "activation" in given and one.kind != "activation" and given["activation"] != "linear":
        words.append(given["activation"])
    return " · ".join(words)


def _sketched(stack: Stack) -> tuple[Sketch, list[tuple[str, ...]]]:
    """Return the sketch, and the paths that each layer of the stack became; the last is broken where it clashes."""
    s = Sketch("my_network")
    x = s.input(stack.input_shape)
    numbers: Counter[str] = Counter()
    paths: list[tuple[str, ...]] = []
    for one in stack.layers:
        numbers[one.kind] += 1
        before = len(s.paths)
        try:
            x = _drawn(s, x, one, numbers[one.kind])
        except Clash:
            paths.append(s.paths[before:])
            break
        paths.append(s.paths[before:])
    return s, paths


def _drawn(s: Sketch, x: Tensor, one: StackLayer, number: int) -> Tensor:
    given = dict(one.arguments)
    if given.get("activation") == "linear" and one.kind != "activation":
        del given["activation"]
    if one.kind == "conv":
        return s.conv(x, **given)
    if one.kind == "separable":
        return s.separable_conv(x, **given)
    if one.kind == "depthwise":
        return s.depthwise_conv(x, depth_multiplier=given.pop("multiplier"), **given)
    if one.kind == "pool":
        pool = s.max_pool if given["of"] == "max" else s.average_pool
        strides = None if given["strides"] == given["window"] else given["strides"]
        return pool(x, given["window"], strides, given["padding"])
    if one.kind == "global_pool":
        return s.global_max_pool(x) if given["of"] == "max" else s.global_average_pool(x)
    if one.kind == "flatten":
        return s.flatten(x)
    if one.kind == "norm":
        return s.batch_norm(x) if given["of"] == "batch" else s.layer_norm(x)
    if one.kind == "activation":
        return s.activation(x, given["activation"])
    if one.kind == "dropout":
        return s.dropout(x, given["rate"])
    if one.kind == "dense":
        return s.dense(x, **given)
    return _residual(s, x, number=number, **given)


def _residual(
    s: Sketch, x: Tensor, number: int, filters: int, kernel_size: int, strides: int, shortcut: str, norm: bool
) -> Tensor:
    def conv(y: Tensor, name: str, size: int, step: int = 1) -> Tensor:
        y = s.conv(y, filters, size, step, "same", use_bias=not norm, name=f"residual_{number}_{name}")
        return s.batch_norm(y, name=f"residual_{number}_{name}_norm") if norm else y

    y = s.activation(conv(x, "conv_1", kernel_size, strides), "relu", name=f"residual_{number}_relu_1")
    y = conv(y, "conv_2", kernel_size)
    if shortcut == "projection" or (shortcut == "fitting" and y.shape != x.shape):
        x = conv(x, "shortcut", 1, strides)
    y = s.add([y, x], name=f"residual_{number}_add", title=f"Residual block {number}")
    return s.activation(y, "relu", name=f"residual_{number}_relu_2")


# --- the text of a link ---

# What a link calls an argument: its first letter, but for those that would share it with another.
_LETTERS = {"use_bias": "b", "shortcut": "c"}
_NUMBER = re.compile(r"[0-9]{1,7}")
_DECIMAL = re.compile(r"[0-9](\.[0-9]{1,4})?")


def to_text(stack: Stack) -> str:
    """Return a stack as the text of a link: "28x28x1_conv-f8-k5_pool_flatten_dense-asoftmax".

    Layers stand between underscores, their arguments behind hyphens: a letter, then the value; what is at its default
    is left out.
    """
    words = ["x".join(str(side) for side in stack.input_shape)]
    for one in stack.layers:
        kind = _kind(one.kind)
        words.append(kind.name.replace("_", "") + "".join(
            f"-{_letter(argument)}{_value_text(one.arguments[argument.name])}"
            for argument in kind.arguments
            if one.arguments[argument.name] != argument.default
        ))  # fmt: skip
    return "_".join(words)


def from_text(text: str) -> Stack:
    """Return the stack of a link's text.

    Raises:
        StackError: with one sentence, for a text that is no stack.
    """
    if len(text) > MOST_TEXT:
        raise StackError(f"The link's stack has {len(text):,} characters; at most {MOST_TEXT:,} can be read.")
    head, *words = text.split("_")
    sides = head.split("x")
    if not all(_NUMBER.fullmatch(side) for side in sides):
        raise StackError("The link's stack must begin with the shape of its input, such as 28x28x1.")
    if len(words) > MOST_LAYERS:
        raise StackError(f"A stack holds at most {MOST_LAYERS} layers; the link has {len(words)}.")
    return checked([int(side) for side in sides], [_layer_of(word) for word in words])


def _letter(argument: Setting) -> str:
    return _LETTERS.get(argument.name, argument.name[0])


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _layer_of(word: str) -> StackLayer:
    name, *given = word.split("-")
    kinds = {kind.name.replace("_", ""): kind for kind in KINDS.values()}
    if name not in kinds:
        raise StackError(f"The link names a layer {name[:20]!r}, which there is not.")
    kind = kinds[name]
    arguments = {_letter(argument): argument for argument in kind.arguments}
    values: dict[str, Any] = {}
    for piece in given:
        argument = arguments.get(piece[:1])
        if argument is None or argument.name in values:
            raise StackError(f"The link says {piece[:20]!r} of a layer {kind.title!r}, which cannot be read.")
        values[argument.name] = _value_of(kind, argument, piece[1:])
    return layer(kind.name, **values)


def _value_of(kind: LayerKind, argument: Setting, text: str) -> Any:
    if argument.kind == "choice" and text in argument.options:
        return text
    if argument.kind == "switch" and text in ("0", "1"):
        return text == "1"
    if argument.kind == "count" and _NUMBER.fullmatch(text):
        return int(text)
    if argument.kind == "number" and _DECIMAL.fullmatch(text):
        return float(text)
    raise StackError(
        f"The link says {text[:20]!r} for {argument.label!r} of a layer {kind.title!r}, which cannot be read."
    )


# --- presets ---


def _lenet() -> Stack:
    return checked((32, 32, 1), [
        layer("conv", filters=6, kernel_size=5, padding="valid", activation="tanh"),
        layer("pool", of="average"),
        layer("conv", filters=16, kernel_size=5, padding="valid", activation="tanh"),
        layer("pool", of="average"),
        layer("flatten"),
        layer("dense", units=120, activation="tanh"),
        layer("dense", units=84, activation="tanh"),
        layer("dense", units=10, activation="softmax"),
    ])  # fmt: skip


def _cnn2() -> Stack:
    def convs(filters: int) -> list[StackLayer]:
        one = [layer("conv", filters=filters), layer("norm")]
        return [*one, *one, layer("pool")]

    return checked((28, 28, 1), [
        *convs(8), *convs(16), layer("flatten"), layer("dense", units=40), layer("norm"),
        layer("dense", units=10, activation="softmax"),
    ])  # fmt: skip


def _dense() -> Stack:
    return checked((784,), [
        layer("dense", units=500), layer("norm"), layer("dense", units=50), layer("norm"),
        layer("dense", units=10, activation="softmax"),
    ])  # fmt: skip


def _small_vgg() -> Stack:
    def stage(filters: int) -> list[StackLayer]:
        return [layer("conv", filters=filters), layer("conv", filters=filters), layer("pool")]

    return checked((32, 32, 3), [
        *stage(32), *stage(64), *stage(128), layer("flatten"), layer("dense", units=256), layer("dropout"),
        layer("dense", units=10, activation="softmax"),
    ])  # fmt: skip


def _small_resnet() -> Stack:
    def blocks(filters: int, strides: int) -> list[StackLayer]:
        return [layer("residual", filters=filters, strides=strides), layer("residual", filters=filters)]

    return checked((32, 32, 3), [
        layer("conv", filters=16, activation="linear", use_bias=False), layer("norm"), layer("activation"),
        *blocks(16, 1), *blocks(32, 2), *blocks(64, 2), layer("global_pool"),
        layer("dense", units=10, activation="softmax"),
    ])  # fmt: skip


@dataclass(frozen=True)
class StackPreset:
    """A stack to begin with."""

    name: str
    title: str
    stack: Stack


PRESETS: tuple[StackPreset, ...] = (
    StackPreset("cnn2", "The lecture's cnn2 (36,314 parameters)", _cnn2()),
    StackPreset("lenet5", "LeNet-5, the slides' (61,706)", _lenet()),
    StackPreset("dense", "The lecture's dense net, from a vector of 784 (420,260)", _dense()),
    StackPreset("small_vgg", "A small VGG", _small_vgg()),
    StackPreset("small_resnet", "A small residual net", _small_resnet()),
    StackPreset("empty", "Empty", Stack((28, 28, 1))),
)


def preset(name: str) -> Stack:
    """Return the stack of a preset; the first for a name that there is not."""
    return next((one.stack for one in PRESETS if one.name == name), PRESETS[0].stack)
