"""The filter behind a channel: the weights of the layer that gives it, found by walking back where needed.

Activations, normalisations, pooling, padding and the like hand each channel on as it is; the walk goes through
those to the layer whose weights make the channel. A concatenation leads into the branch that the channel comes
from; a sum has several filters, of which the one on the longest way is shown and the others are named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from explorer.inside.layer_graph import LayerGraph, layer_graph
from explorer.inside.results import FilterView
from explorer.networks.catalogue import Preprocessing
from explorer.networks.gradients import as_array
from explorer.networks.loading import load
from explorer.networks.work_context import SentenceError, WorkContext

Weights = Literal["trained", "random"]

COLOURS = ("red", "green", "blue")

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
_WITH_FILTERS = (*_CONVOLUTIONS, *_TRANSPOSED, *_DEPTHWISE, *_SEPARABLE, keras.layers.Dense)

_SUMS = frozenset({"Add", "Subtract", "Average", "Maximum", "Minimum", "CustomScaleLayer"})
# Layers and operations that hand each channel on: none mixes channels, but for a normalisation by their common
# size.
_HANDING_ON = frozenset({
    "InputLayer", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "BatchNormalization",
    "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization", "Normalization", "Rescaling",
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "GaussianNoise",
    "AlphaDropout", "ActivityRegularization", "Identity", "LayerScale", "StochasticDepth", "ZeroPadding1D",
    "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "UpSampling1D", "UpSampling2D",
    "UpSampling3D", "Resizing", "CenterCrop", "Multiply", "Divide", "TrueDivide", "Relu", "Relu6", "Sigmoid",
    "HardSigmoid", "Silu", "HardSilu", "Gelu", "Elu", "Selu", "Tanh", "Exp", "Sqrt", "Square", "Negative", "Abs",
    "Absolute", "Clip", "Cast",
})  # fmt: skip
_HANDING_ON_STARTS = ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool")


@dataclass(frozen=True)
class Origin:
    """Where a channel comes from.

    Attributes:
        path: The layer that makes it.
        channel: Which of that layer's channels it is.
        kind: "filter", "picture" (the network's input), "sum" (a further sum that the walk does not enter) or
            "mixed" (a layer without a filter for each channel).
        through: Paths of the layers that handed it on, from the one asked for backwards.
    """

    path: str
    channel: int
    kind: Literal["filter", "picture", "sum", "mixed"]
    through: tuple[str, ...] = ()


def filter_of(context: WorkContext, network: str, weights: Weights, layer: str, channel: int) -> FilterView:
    """Return the filter behind one channel of a layer (named work).

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        layer: Path of the layer.
        channel: Number of the channel, from 0.

    Raises:
        SentenceError: if the network cannot be loaded, or the layer or channel does not exist.
    """
    loaded = load(network, weights)
    return view_of(layer_graph(loaded), layer, channel, loaded.entry.preprocessing)


def view_of(graph: LayerGraph, layer: str, channel: int, preprocessing: Preprocessing = "zero_one") -> FilterView:
    """Return the filter behind one channel.

    Args:
        graph: The network.
        layer: Path of the layer.
        channel: Number of the channel, from 0.
        preprocessing: How pixels become input: "caffe" turns the colours round to blue, green, red.

    Raises:
        SentenceError: if the layer or the channel does not exist.
    """
    info = graph.info(layer)
    if not 0 <= channel < (info.channels or 0):
        raise SentenceError(f"{info.name} has {info.channels or 0} channels; there is no channel {channel}.")
    found = origins(graph, layer, channel)
    filters = [origin for origin in found if origin.kind == "filter"]
    if not filters:
        return FilterView("none", None, _without_filter(graph, found[0], preprocessing), "", None)
    # Of several the one that computes last: the main path of a block rather than its shortcut.
    order = {path: number for number, path in enumerate(graph.structure.layers)}
    first = max(filters, key=lambda origin: order[origin.path])
    kind, kernel, inputs, words = _kernel(graph, first, preprocessing)
    sentence = _way(first, len(found)) + words + _others(found, first)
    bias = getattr(graph.objects[first.path], "bias", None)
    return FilterView(
        kind=kind,
        kernel=np.ascontiguousarray(kernel, np.float32),
        sentence=sentence,
        layer=first.path,
        bias=None if bias is None else float(as_array(bias[first.channel])),
        channel=first.channel,
        input_channels=inputs,
        others=tuple(dict.fromkeys(origin.path for origin in found if origin != first)),
    )


# --- the way back ---


def origins(graph: LayerGraph, layer: str, channel: int) -> tuple[Origin, ...]:
    """Return where a channel comes from: several origins where the layer, or one behind it, is a sum."""
    return tuple(_back(graph, layer, channel, (), in_sum=False))


def _back(graph: LayerGraph, path: str, channel: int, through: tuple[str, ...], *, in_sum: bool) -> list[Origin]:
    layers = graph.structure.layers
    while True:
        info, layer = layers[path], graph.objects.get(path)
        kind = type(layer).__name__
        if isinstance(layer, _WITH_FILTERS):
            return [Origin(path, channel, "filter", through)]
        if not info.inputs:
            return [Origin(path, channel, "picture", through)]
        known = type(layer).__module__.split(".")[0] == "keras"
        if not known or not graph.complete:
            return [Origin(path, channel, "mixed", through)]
        sources = [name for name in info.inputs if _same_map(layers[name].output_shape, info.output_shape)]
        if kind == "Concatenate":
            step = _branch(graph, info.inputs, info.output_shape, layer, channel)
            if step is None:
                return [Origin(path, channel, "mixed", through)]
            next_path, channel = step
        elif len(sources) > 1 and (kind in _SUMS or kind == "Multiply"):
            if in_sum:
                return [Origin(path, channel, "sum", through)]
            way = (*through, path)
            return [origin for name in sources for origin in _back(graph, name, channel, way, in_sum=True)]
        elif kind in _SUMS or kind in _HANDING_ON or kind.startswith(_HANDING_ON_STARTS):
            next_path = (sources or list(info.inputs))[0]
            if layers[next_path].channels != info.channels:
                return [Origin(path, channel, "mixed", through)]
        elif kind in ("Flatten", "Reshape") and _keeps_channels(layers[info.inputs[0]].output_shape, info.output_shape):
            next_path = info.inputs[0]
            channel %= layers[next_path].channels or 1
        else:
            return [Origin(path, channel, "mixed", through)]
        through, path = (*through, path), next_path


def _same_map(source: Sequence[int | None], output: Sequence[int | None]) -> bool:
    """Return whether an input is a full partner in the output: not one number for each channel, spread out."""
    return tuple(source) == tuple(output)


def _keeps_channels(source: Sequence[int | None], output: Sequence[int | None]) -> bool:
    channels, out = source[-1] if source else None, output[-1]
    return bool(channels) and bool(out) and (out == channels or len(output) == 1)


def _branch(
    graph: LayerGraph, inputs: Sequence[str], output: Sequence[int | None], layer: Any, channel: int
) -> tuple[str, int] | None:
    """Return which input of a concatenation a channel comes from, and which of its channels it is."""
    layers = graph.structure.layers
    if layer.axis not in (-1, len(output)):
        # Joined side by side: the channel is the same in each part, the first stands for all.
        return inputs[0], channel
    sizes = [layers[name].channels for name in inputs]
    if None in sizes or sum(size or 0 for size in sizes) != output[-1]:
        return None
    for name, size in zip(inputs, sizes, strict=True):
        if channel < (size or 0):
            return name, channel
        channel -= size or 0
    return None


def _reads_picture(graph: LayerGraph, path: str, channels: int) -> bool:
    """Return whether a layer's input channels are the colours of the picture."""
    inputs = graph.structure.layers[path].inputs
    if channels != len(COLOURS) or len(inputs) != 1:
        return False
    return all(
        [(origin.kind, origin.channel) for origin in origins(graph, inputs[0], number)] == [("picture", number)]
        for number in range(channels)
    )


def _reads_brightness(graph: LayerGraph, path: str) -> bool:
    """Return whether a layer's one input channel is the picture's brightness."""
    layers = graph.structure.layers
    here = path
    while len(layers[here].inputs) == 1:
        here = layers[here].inputs[0]
        kind = type(graph.objects.get(here)).__name__
        if kind == "Grey":
            return True
        if kind not in _HANDING_ON:
            return False
    return here != path and not layers[here].inputs and layers[here].channels == 1


def _flattened(graph: LayerGraph, path: str, units: int) -> tuple[int, int, int] | None:
    """Return (height, width, channels) of the map that was flattened into a dense layer's input, if one was."""
    layers = graph.structure.layers
    here = layers[path].inputs[0]
    while layers[here].inputs and layers[here].kind != "Flatten":
        if type(graph.objects.get(here)).__name__ not in _HANDING_ON or len(layers[here].output_shape) != 1:
            return None
        here = layers[here].inputs[0]
    if layers[here].kind != "Flatten":
        return None
    shape = layers[layers[here].inputs[0]].output_shape
    if len(shape) != 3 or None in shape or math.prod(int(side or 0) for side in shape) != units:
        return None
    return int(shape[0] or 0), int(shape[1] or 0), int(shape[2] or 0)


# --- the weights ---

_Found = tuple[
    Literal["first layer colour", "per input channel", "depthwise", "dense"], np.ndarray, tuple[int, ...], str
]


def _kernel(graph: LayerGraph, origin: Origin, preprocessing: Preprocessing) -> _Found:
    layer = graph.objects[origin.path]
    if isinstance(layer, _DEPTHWISE):
        return _depthwise(graph, origin, layer)
    if isinstance(layer, _SEPARABLE):
        return _separable(graph, origin, layer)
    if isinstance(layer, keras.layers.Dense):
        return _dense(graph, origin, layer)
    if isinstance(layer, _TRANSPOSED):
        kernel = _as_picture(as_array(layer.kernel[..., origin.channel, :]))
        return _deeper(kernel, range(kernel.shape[-1]), painting=True)
    kernel = _as_picture(as_array(layer.kernel[..., origin.channel]))
    inputs = kernel.shape[-1]
    if layer.groups == 1 and _reads_picture(graph, origin.path, inputs):
        return _colour(kernel, preprocessing)
    if inputs == 1 and layer.groups == 1 and _reads_brightness(graph, origin.path):
        return "per input channel", kernel, (0,), _BRIGHTNESS.format(size=_size(kernel))
    start = origin.channel // (layer.filters // layer.groups) * inputs
    return _deeper(kernel, range(start, start + inputs), groups=layer.groups)


def _as_picture(kernel: np.ndarray) -> np.ndarray:
    """Return a kernel (…, inputs) as (height, width, inputs); a volume's slices stand below each other."""
    if kernel.ndim == 2:
        return kernel[:, None, :]
    return kernel.reshape(-1, *kernel.shape[-2:])


def _size(kernel: np.ndarray) -> str:
    return f"{kernel.shape[0]} × {kernel.shape[1]}"


def _colour(kernel: np.ndarray, preprocessing: Preprocessing) -> _Found:
    turned = preprocessing == "caffe"
    words = (
        f"Its {_size(kernel)} × 3 weights stand for red, green and blue, so it is a small picture of what it answers "
        "to most strongly: bright where a colour raises the answer, dark where it lowers it, grey where it does not "
        "count."
    )
    if turned:
        words += " (This network takes its colours as blue, green, red; they are turned round here.)"
        kernel = kernel[..., ::-1]
    return "first layer colour", kernel, (2, 1, 0) if turned else (0, 1, 2), words


_BRIGHTNESS = (
    "Its {size} weights stand for the picture's brightness, the network's only input channel: it is a small grey "
    "picture of what it answers to most strongly, bright where light raises the answer, dark where light lowers it."
)


def _unreadable(count: int) -> str:
    if count == 1:
        return "It cannot be read as a picture: the channel that it weighs is an abstract answer, not a colour."
    return (
        f"They cannot be read as a picture: each weighs one of {count} channels, which are not colours but answers of "
        "the layers before."
    )


def _deeper(kernel: np.ndarray, inputs: range, *, groups: int = 1, painting: bool = False) -> _Found:
    count = len(inputs)
    words = f"It has {_size(kernel)} weights for each of {count} input channels. {_unreadable(count)}"
    if painting:
        words += " As the layer is transposed, it paints with these weights around a place instead of reading there."
    if groups > 1:
        words += (
            f" The layer works in {groups} groups: this filter sees input channels {inputs[0]} to {inputs[-1]} only."
        )
    return "per input channel", kernel, tuple(inputs), words


def _depthwise(graph: LayerGraph, origin: Origin, layer: Any) -> _Found:
    source, copy = divmod(origin.channel, layer.depth_multiplier)
    kernel = _as_picture(as_array(layer.kernel[..., source, copy])[..., None])
    words = f"A depthwise filter: its {_size(kernel)} weights read channel {source} of the input alone. "
    if _reads_picture(graph, origin.path, _channels_in(graph, origin.path)):
        words += "That channel is a colour of the picture."
    else:
        words += _unreadable(1)
    return "depthwise", kernel, (source,), words


def _separable(graph: LayerGraph, origin: Origin, layer: Any) -> _Found:
    depthwise = as_array(layer.depthwise_kernel)
    pointwise = as_array(layer.pointwise_kernel[..., origin.channel]).reshape(depthwise.shape[-2:])
    kernel = _as_picture((depthwise * pointwise).sum(axis=-1))
    _, _, inputs, words = _deeper(kernel, range(kernel.shape[-1]))
    return (
        "per input channel",
        kernel,
        inputs,
        f"The layer does this in two steps, one filter for each input channel and then a weighted sum; shown is their "
        f"product. {words}",
    )


def _dense(graph: LayerGraph, origin: Origin, layer: Any) -> _Found:
    weights = as_array(layer.kernel[:, origin.channel])
    count = len(weights)
    places = len(graph.structure.layers[origin.path].output_shape) > 1
    source = graph.structure.layers[graph.structure.layers[origin.path].inputs[0]]
    if places:
        kernel, words = weights[None, None], f"Applied at each place, a 1 × 1 filter. {_unreadable(count)}"
        return "per input channel", kernel, tuple(range(count)), words
    flattened = _flattened(graph, origin.path, count)
    if flattened is not None:
        height, width, channels = flattened
        words = (
            f"{count} weights, one for each cell of the {height} × {width} × {channels} maps that were flattened; they "
            f"stand in the shape of those maps. {_unreadable(channels)}"
        )
        return "dense", weights.reshape(flattened), tuple(range(channels)), words
    words = f"{count} weights, one for each channel of {source.name}: how much that channel speaks for this unit."
    return "dense", weights[None, None], tuple(range(count)), words


def _channels_in(graph: LayerGraph, path: str) -> int:
    layers = graph.structure.layers
    return layers[layers[path].inputs[0]].channels or 0


# --- words ---


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _way(origin: Origin, count: int) -> str:
    if not origin.through:
        return ""
    if count > 1:
        return f"Channel {origin.channel} of {_name(origin.path)}. "
    names = [_name(path) for path in reversed(origin.through)]
    if len(names) > 3:
        names = [names[0], "…", names[-1]]
    return f"Channel {origin.channel} of {_name(origin.path)}, handed on by {', '.join(names)}. "


def _others(found: Sequence[Origin], first: Origin) -> str:
    others = [origin for origin in found if origin != first]
    if not others:
        return ""
    words = []
    for origin in others:
        if origin.kind == "filter":
            words.append(f"channel {origin.channel} of {_name(origin.path)}")
        elif origin.kind == "picture":
            words.append("the picture itself")
        elif origin.kind == "sum":
            words.append(f"by the shortcut all that {_name(origin.path)} holds")
        else:
            words.append(f"what {_name(origin.path)} gives")
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f" This filter is only one part of the channel; joined with it is {listed}."


def _without_filter(graph: LayerGraph, origin: Origin, preprocessing: Preprocessing) -> str:
    name = _name(origin.path)
    if origin.kind == "picture":
        if graph.structure.layers[origin.path].channels == len(COLOURS):
            colour = COLOURS[::-1][origin.channel] if preprocessing == "caffe" else COLOURS[origin.channel]
            return f"There is no filter behind this: it is the picture's {colour} as the network gets it."
        return "There is no filter behind this: it is what goes into the network."
    if origin.kind == "sum":
        return f"There is no single filter behind this channel: {name} adds up sums."
    return f"There is no filter behind this channel: {name} makes it from many channels in another way."
