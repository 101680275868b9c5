"""What an ascent has to know of a network beforehand: its layers as they are called, and where ReLUs stand."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import keras
import numpy as np

from explorer.networks.gradients import without_gradients
from explorer.networks.preprocessing import CAFFE_MEAN_BGR, TORCH_DEVIATION, TORCH_MEAN
from explorer.networks.tap import Enough, lock_of, model_of, tapped
from explorer.networks.work_context import SentenceError

Size = tuple[int, int]
Fact = TypeVar("Fact")
Kind = Literal["before", "inside", "redirected", "as it is"]

OPEN_SIDE = 96
"""Side of the images for a network that takes every size."""

# Layers and operations that do nothing but apply a function to each value: what goes in is the pre-activation.
_ACTIVATIONS = frozenset(
    "Activation ReLU LeakyReLU PReLU ELU Relu Relu6 LeakyRelu Elu Selu Gelu Silu Sigmoid Tanh HardSilu HardSigmoid "
    "HardTanh Softplus Softsign Celu Glu Mish".split()
)
_RECTIFIERS = frozenset(["ReLU", "Relu", "Relu6"])


@dataclass(frozen=True)
class Passed:
    """One layer as a picture passed it.

    Attributes:
        layer: The layer (or operation) itself.
        shape: Of its first output, the batch left out.
        source: Path of the layer whose output it was given first, or "".
    """

    layer: Any
    shape: tuple[int, ...]
    source: str


@dataclass(frozen=True)
class Preactivation:
    """Where the values before a layer's activation function are found.

    Attributes:
        kind: "before": the layer is nothing but an activation, and what goes in is meant; "inside": the activation
            is one of the layer's arguments; "redirected": neither, but ReLUs stand before it, whose gradients are
            redirected in the first steps; "as it is": there is no ReLU.
    """

    kind: Kind

    @property
    def note(self) -> str:
        """One sentence for whoever looks at the images; empty where there is nothing to say."""
        if self.kind != "redirected":
            return ""
        return "This layer has no pre-activation of its own: for the first steps, ReLUs pass every gradient on."


def input_shape(network: Any) -> tuple[int | None, int | None, int]:
    """Return (height, width, channels) of what a network takes; None where a side is open.

    Raises:
        SentenceError: if it does not take one picture.
    """
    model = model_of(network)
    shape = getattr(model, "input_shape", None)
    if shape is None:  # a subclassed model knows no shape, a catalogue's entry does
        entry = getattr(network, "entry", None)
        shape = (None, *(entry.input_size if entry is not None else (None, None)), 3)
    if isinstance(shape, dict):
        shape = list(shape.values())
    if isinstance(shape, list) and len(shape) == 1:
        shape = shape[0]
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise SentenceError("Images can only be grown for a network that takes one picture.")
    return shape[1], shape[2], int(shape[3] or 3)


def picture_shape(network: Any, size: int = 0) -> tuple[int, int, int]:
    """Return (height, width, channels) of the images to grow.

    Args:
        network: A loaded network or a keras.Model.
        size: Longer side, the proportions being the network's; 0 for the network's own input.
    """
    height, width, channels = input_shape(network)
    entry = getattr(network, "entry", None)
    usual: Size = entry.input_size if entry is not None else (OPEN_SIDE, OPEN_SIDE)
    height, width = height or usual[0], width or usual[1]
    if size:
        ratio = size / max(height, width)
        height, width = max(1, round(ratio * height)), max(1, round(ratio * width))
    return height, width, channels


def prepared(network: Any, pictures: Any) -> Any:
    """Turn pictures on [0, 1] into a network's input, as tensors (see `explorer.networks.preprocessing.prepare`).

    Args:
        network: A loaded network; a model of one's own is fed [0, 1].
        pictures: Tensor (n, h, w, channels).
    """
    entry = getattr(network, "entry", None)
    mode = "zero_one" if entry is None else entry.preprocessing
    if mode == "tf":
        return pictures * 2.0 - 1.0
    if mode == "torch":
        return (pictures - _constant(TORCH_MEAN)) / _constant(TORCH_DEVIATION)
    if mode == "caffe":
        return keras.ops.flip(pictures, axis=3) * 255.0 - _constant(CAFFE_MEAN_BGR)
    return pictures * 255.0 if mode == "included" else pictures


def _constant(values: tuple[float, ...]) -> Any:
    return keras.ops.convert_to_tensor(np.array(values, np.float32))


def called(model: keras.Model, pictures: Any) -> Any:
    """Call a model, also with pictures of another size than it was made for.

    A functional model refuses these at its door, though all but its dense layers may well take them.

    Raises:
        SentenceError: if the network cannot take this size.
    """
    declared = getattr(model, "input_shape", None)
    shape = tuple(pictures.shape)
    sides = declared[1:3] if isinstance(declared, tuple) and len(declared) == 4 else (None, None)
    if all(side in (None, own) for side, own in zip(sides, shape[1:3], strict=True)):
        return model(pictures)
    try:
        with _open_doors(model):
            return model(pictures)
    except ValueError as error:
        raise SentenceError(
            f"{getattr(model, 'name', 'This network')} cannot take pictures of {shape[1]} × {shape[2]}; "
            "choose the network's own size."
        ) from error


@contextmanager
def _open_doors(model: keras.Model) -> Iterator[None]:
    """Let a model, and the models inside it, take pictures of every size inside the `with` block."""
    name = "_assert_input_compatibility"
    doors = [
        layer for layer in model._flatten_layers() if isinstance(layer, keras.Model) and name not in layer.__dict__
    ]
    with lock_of(model):
        for layer in doors:
            layer.__dict__[name] = lambda *args, **kwargs: None
        try:
            yield
        finally:
            for layer in doors:
                layer.__dict__.pop(name, None)


def passed(network: Any, size: Size | None = None, until: str = "") -> dict[str, Passed]:
    """Return every layer by its path, in the order in which a picture passes them; run once and kept.

    Args:
        network: A loaded network or a keras.Model.
        size: (height, width) of the picture; None for the network's own.
        until: Path of the last layer that matters: the pass ends there, and so do the layers that are returned. What
            comes behind it takes no time, and may refuse the size. With a path that never comes by, all are returned.
    """
    height, width, channels = picture_shape(network)
    if size is not None:
        height, width = size
    facts = _facts.setdefault(model_of(network), {})
    whole, begun = ("passed", height, width), ("passed until", height, width)
    if whole in facts:
        return _up_to(facts[whole], until)
    if until and until in facts.get(begun, ()):
        return _up_to(facts[begun], until)
    found = _passed(network, (height, width, channels), until)
    facts[begun if until in found else whole] = found
    return found


def _up_to(found: dict[str, Passed], until: str) -> dict[str, Passed]:
    if until not in found:
        return found
    paths = list(found)
    return {path: found[path] for path in paths[: paths.index(until) + 1]}


_facts: weakref.WeakKeyDictionary[keras.Model, dict[Hashable, Any]] = weakref.WeakKeyDictionary()


def remembered(network: Any, key: Hashable, find: Callable[[], Fact]) -> Fact:
    """Return a fact about a network, found out once; two threads may both find it out, but none waits.

    Args:
        network: A loaded network or a keras.Model.
        key: What is asked.
        find: Called without arguments; it may take the network's lock.
    """
    facts = _facts.setdefault(model_of(network), {})
    if key not in facts:
        facts[key] = find()
    return facts[key]


def _passed(network: Any, shape: tuple[int, int, int], until: str) -> dict[str, Passed]:
    found: dict[str, Passed] = {}
    sources: dict[int, str] = {}
    alive: list[Any] = []  # while a tensor lives, no other has its id

    def watch(path: str, layer: Any, given: list[Any], put: list[Any]) -> None:
        if path and put and hasattr(put[0], "shape"):
            source = sources.get(id(given[0]), "") if given else ""
            found[path] = Passed(layer, tuple(int(side or 0) for side in put[0].shape[1:]), source)
            sources[id(put[0])] = path
            alive.append(put[0])
            if path == until:
                raise Enough

    with lock_of(network), without_gradients():
        blank = keras.ops.zeros((1, *shape))
        if not model_of(network).built:
            model_of(network)(blank)
        with tapped(network, lambda path, tensor: None, watch=watch) as model, suppress(Enough):
            try:
                called(model, blank)
            except SentenceError:
                # Layers before the one that insists on a size can be looked at all the same (VGG's convolutions).
                if not found:
                    raise
    return found


def layer_passed(network: Any, path: str, size: Size | None = None) -> Passed:
    """Return one layer of `passed`.

    Raises:
        SentenceError: if the network calls no such layer.
    """
    found = passed(network, size, path).get(path)
    if found is None:
        raise SentenceError(f"The network has no layer {path!r}; choose one of its layers.")
    return found


def activation_of(layer: Any) -> Any:
    """Return the activation function among a layer's arguments, or None for none, linear, and softmax."""
    if type(layer).__name__ in _ACTIVATIONS or hasattr(layer, "recurrent_activation"):
        return None
    function = getattr(layer, "activation", None)
    if not callable(function) or function in (keras.activations.linear, keras.activations.softmax):
        return None
    return function


def is_activation(layer: Any) -> bool:
    """Return whether a layer is nothing but an activation function."""
    return type(layer).__name__ in _ACTIVATIONS


def is_rectifier(layer: Any) -> bool:
    """Return whether a layer is, or ends in, a ReLU or ReLU6, which passes no gradient where it is shut."""
    if type(layer).__name__ in _RECTIFIERS:
        return True
    function = getattr(layer, "activation", None)
    return function in (keras.activations.relu, keras.activations.relu6)


def preactivation(network: Any, layer: str) -> Preactivation:
    """Tell where the values before a layer's activation are: on ReLU's outputs many ascents never start.

    Where a ReLU is shut over the whole image it passes no gradient on: of 32 channels, 11 never left the noise
    they began with; on pre-activations none.

    Args:
        network: A loaded network or a keras.Model.
        layer: Path of the layer.

    Raises:
        SentenceError: if the network calls no such layer.
    """
    target = layer_passed(network, layer).layer
    if is_activation(target):
        return Preactivation("before")
    if activation_of(target) is not None:
        return Preactivation("inside")
    for path, one in passed(network, until=layer).items():
        if path == layer:
            break
        if is_rectifier(one.layer):
            return Preactivation("redirected")
    return Preactivation("as it is")


def redirected(layer: Any, given: Any, put: Any, leak: Any) -> Any:
    """Return a ReLU's output whose gradient passes also where the ReLU is shut.

    Args:
        layer: The layer (unused but for its kind).
        given: What went in.
        put: What came out: the values are these.
        leak: Share of the straight gradient, 0 to 1; 0 is the ReLU's own.
    """
    straight = given - put
    return put + leak * (straight - keras.ops.stop_gradient(straight))


@contextmanager
def without_activation(layers: list[Any]) -> Iterator[None]:
    """Let layers with an activation among their arguments put out what stands before it, inside the `with` block.

    Whoever calls holds the network's lock.
    """
    before = [(layer, layer.activation) for layer in layers]
    try:
        for layer, _ in before:
            layer.activation = keras.activations.linear
        yield
    finally:
        for layer, function in before:
            layer.activation = function
