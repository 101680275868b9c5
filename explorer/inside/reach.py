"""Which cells of its input a single layer reads for given cells of its output: the geometry, layer by layer.

A layer's output has axes of places (rows and columns of a map, steps of a sequence) and channels last. Cells are
followed backwards on each axis for itself, as a set of indices inside the input, together with the interval that
would be read if maps had no borders. "same" padding is TensorFlow's, which all Keras backends keep: of
max((out - 1) * stride + reach - in, 0) cells half, rounded down, stand before the first one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import keras
import numpy as np

Shape = tuple[int, ...]


class UnknownGeometry(Exception):  # noqa: N818 - a question that is answered in another way
    """Raised for a layer whose geometry is not known here."""


@dataclass(frozen=True, eq=False)
class Span:
    """Cells along one axis.

    Attributes:
        cells: bool (length,), the cells inside the map that are read.
        low: First cell that would be read if the map had no border.
        high: Last such cell.
        step: How far that interval moves when the observed cell moves by one; 0 where it does not.
    """

    cells: np.ndarray
    low: int
    high: int
    step: Fraction

    def __or__(self, other: Span) -> Span:
        """Return the cells of both."""
        return Span(
            self.cells | other.cells, min(self.low, other.low), max(self.high, other.high), max(self.step, other.step)
        )

    @property
    def empty(self) -> bool:
        """Whether nothing inside the map is read."""
        return not self.cells.any()


# One span for each axis of places; () for a vector.
Region = tuple[Span, ...]


def single(index: int, length: int) -> Span:
    """Return one cell."""
    cells = np.zeros(length, bool)
    cells[index] = True
    return Span(cells, index, index, Fraction(1))


def whole(length: int) -> Span:
    """Return all cells of an axis."""
    return Span(np.ones(length, bool), 0, length - 1, Fraction(0))


def united(first: Region | None, second: Region) -> Region:
    """Return the cells of both regions."""
    if first is None:
        return second
    return tuple(a | b for a, b in zip(first, second, strict=True))


def padding_before(length: int, out: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Return how many cells of padding a window layer puts before the first cell."""
    reach = (kernel - 1) * dilation + 1
    if padding == "same":
        return max((out - 1) * stride + reach - length, 0) // 2
    if padding == "causal":
        return reach - 1
    return 0


def window(span: Span, length: int, kernel: int, stride: int, dilation: int, padding: str) -> Span:
    """Return what a convolution or pooling reads: output o reads o * stride - before + k * dilation."""
    before = padding_before(length, len(span.cells), kernel, stride, dilation, padding)
    outputs = np.flatnonzero(span.cells)
    places = outputs[:, None] * stride - before + dilation * np.arange(kernel)
    low = span.low * stride - before
    high = span.high * stride - before + (kernel - 1) * dilation
    return Span(_marked(places, length), low, high, span.step * stride)


def transposed_window(span: Span, length: int, kernel: int, stride: int, dilation: int, padding: str) -> Span:
    """Return what a transposed convolution reads: input i paints i * stride - before + k * dilation."""
    out = len(span.cells)
    reach = (kernel - 1) * dilation + 1
    before = max((length - 1) * stride + reach - out, 0) // 2 if padding == "same" else 0

    def places_for(outputs: np.ndarray) -> np.ndarray:
        painted = outputs[:, None] + before - dilation * np.arange(kernel)
        return painted[painted % stride == 0] // stride

    free = places_for(np.arange(span.low, span.high + 1))
    low, high = (int(free.min()), int(free.max())) if free.size else (span.low // stride, span.high // stride)
    return Span(_marked(places_for(np.flatnonzero(span.cells)), length), low, high, span.step / stride)


def moved(span: Span, length: int, by: int) -> Span:
    """Return what padding (negative) or cropping (positive) reads: output o reads o + by."""
    return Span(_marked(np.flatnonzero(span.cells) + by, length), span.low + by, span.high + by, span.step)


def resized(span: Span, length: int, interpolation: str) -> Span:
    """Return what resizing reads, with cell centres at half-integers, as Keras has it.

    Raises:
        UnknownGeometry: for another interpolation than "nearest" and "bilinear".
    """
    out = len(span.cells)
    scale = Fraction(length, out)

    def places_for(outputs: np.ndarray) -> np.ndarray:
        centres = [scale * (2 * int(o) + 1) / 2 for o in outputs]
        if interpolation == "nearest":
            return np.array([math.floor(centre) for centre in centres], int)
        lower = [math.floor(centre - Fraction(1, 2)) for centre in centres]
        between = [centre - Fraction(1, 2) != low for centre, low in zip(centres, lower, strict=True)]
        return np.array(
            [low + more for low, is_between in zip(lower, between, strict=True) for more in range(1 + is_between)]
        )

    if interpolation not in ("nearest", "bilinear"):
        raise UnknownGeometry(f"{interpolation} interpolation")
    free = places_for(np.array([span.low, span.high]))
    # Beyond the border the nearest cell is repeated.
    inside = np.clip(places_for(np.flatnonzero(span.cells)), 0, length - 1)
    return Span(_marked(inside, length), int(free.min()), int(free.max()), span.step * scale)


def _marked(places: np.ndarray, length: int) -> np.ndarray:
    cells = np.zeros(length, bool)
    places = np.asarray(places, int)
    cells[places[(places >= 0) & (places < length)]] = True
    return cells


# --- layers ---


@dataclass(frozen=True)
class Reading:
    """What a layer reads of one input.

    Attributes:
        region: The cells, or None where it reads nothing of it.
        gate: Whether the input acts on all places alike (one number per channel is spread over the map), or
            the layer looks at all places for its statistics: the reading is everything, but tells nothing of
            the place.
        beside: For a layer that looks at all places beside each cell itself: what is read without that.
    """

    region: Region | None
    gate: bool = False
    beside: Region | None = None


_WINDOWS = (
    keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D, keras.layers.SeparableConv1D, keras.layers.SeparableConv2D,
)  # fmt: skip
_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_POOLS = (
    keras.layers.MaxPooling1D, keras.layers.MaxPooling2D, keras.layers.MaxPooling3D,
    keras.layers.AveragePooling1D, keras.layers.AveragePooling2D, keras.layers.AveragePooling3D,
)  # fmt: skip
_PADDINGS = (keras.layers.ZeroPadding1D, keras.layers.ZeroPadding2D, keras.layers.ZeroPadding3D)
_CROPPINGS = (keras.layers.Cropping1D, keras.layers.Cropping2D, keras.layers.Cropping3D)
_UPSAMPLINGS = (keras.layers.UpSampling1D, keras.layers.UpSampling2D, keras.layers.UpSampling3D)
_ATTENTIONS = ("MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention", "Attention", "AdditiveAttention")
_BY_PLACE = frozenset({
    "InputLayer", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Dropout", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization", "Identity", "Rescaling", "Normalization", "BatchNormalization", "LayerScale",
    "StochasticDepth", "CustomScaleLayer", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dense",
    # operations on tensors
    "Divide", "TrueDivide", "FloorDivide", "Power", "Relu", "Relu6", "Sigmoid", "HardSigmoid", "Silu", "Swish",
    "HardSilu", "HardSwish", "Gelu", "Elu", "Selu", "Celu", "Mish", "LeakyRelu", "Softplus", "Softsign", "Tanh",
    "Exp", "Expm1", "Log", "Log1p", "Sqrt", "Rsqrt", "Square", "Absolute", "Abs", "Negative", "Clip", "Cast", "Sign",
    "Where", "Erf", "Reciprocal",
})  # fmt: skip
_BY_CHANNEL_AXIS = ("LayerNormalization", "RMSNormalization", "UnitNormalization", "Softmax")


def readings(layer: Any, inputs: Sequence[Shape], output: Shape, region: Region) -> list[Reading]:
    """Return what a layer reads of each of its inputs for a region of its output.

    Args:
        layer: The Keras layer or operation.
        inputs: Shape of each input without the batch.
        output: Shape of the output without the batch.
        region: The cells of the output.

    Raises:
        UnknownGeometry: if the layer's geometry is not known.
    """
    kind = type(layer).__name__
    if not isinstance(layer, keras.Layer) and not type(layer).__module__.startswith("keras."):
        raise UnknownGeometry(kind)
    for types, rule in _RULES:
        if isinstance(layer, types):
            return [Reading(rule(layer, shape, region)) for shape in inputs]
    if kind == "Concatenate":
        return _concatenated(layer, inputs, output, region)
    if kind.startswith(("GlobalAveragePool", "GlobalMaxPool")):
        return [_everything(shape) for shape in inputs]
    if kind in ("Flatten", "Reshape"):
        return [Reading(_reshaped(shape, output, region)) for shape in inputs]
    if kind in _ATTENTIONS or kind == "GroupNormalization":
        return [_beside(shape, output, region) for shape in inputs]
    if kind in _BY_CHANNEL_AXIS:
        if _last_axis_only(layer, len(output)):
            return [_spread(shape, output, region) for shape in inputs]
        return [_beside(shape, output, region) for shape in inputs]
    if kind in _BY_PLACE and (type(layer).__module__.startswith("keras.") or kind == "InputLayer"):
        return [_spread(shape, output, region) for shape in inputs]
    raise UnknownGeometry(kind)


def _conv(layer: Any, shape: Shape, region: Region) -> Region:
    arguments = zip(
        shape[:-1], _tuple(layer.kernel_size), _tuple(layer.strides), _tuple(layer.dilation_rate), strict=False
    )
    return tuple(
        window(span, length, kernel, stride, dilation, layer.padding)
        for span, (length, kernel, stride, dilation) in zip(region, arguments, strict=True)
    )


def _transposed(layer: Any, shape: Shape, region: Region) -> Region:
    arguments = zip(
        shape[:-1], _tuple(layer.kernel_size), _tuple(layer.strides), _tuple(layer.dilation_rate), strict=False
    )
    return tuple(
        transposed_window(span, length, kernel, stride, dilation, layer.padding)
        for span, (length, kernel, stride, dilation) in zip(region, arguments, strict=True)
    )


def _pool(layer: Any, shape: Shape, region: Region) -> Region:
    arguments = zip(shape[:-1], _tuple(layer.pool_size), _tuple(layer.strides), strict=False)
    return tuple(
        window(span, length, kernel, stride, 1, layer.padding)
        for span, (length, kernel, stride) in zip(region, arguments, strict=True)
    )


def _before(amounts: Any) -> list[int]:
    """Return what a padding or cropping layer adds or takes before the first cell of each axis."""
    if isinstance(amounts, int):
        return [amounts]
    if all(isinstance(amount, int) for amount in amounts):
        return [amounts[0]]
    return [amount[0] for amount in amounts]


def _padded(layer: Any, shape: Shape, region: Region) -> Region:
    before = _before(layer.padding)
    return tuple(moved(span, n, -by) for span, n, by in zip(region, shape[:-1], before, strict=True))


def _cropped(layer: Any, shape: Shape, region: Region) -> Region:
    before = _before(layer.cropping)
    return tuple(moved(span, n, by) for span, n, by in zip(region, shape[:-1], before, strict=True))


def _upsampled(layer: Any, shape: Shape, region: Region) -> Region:
    interpolation = getattr(layer, "interpolation", "nearest")
    return tuple(resized(span, n, interpolation) for span, n in zip(region, shape[:-1], strict=True))


_RULES: tuple[tuple[tuple[type, ...], Callable[[Any, Shape, Region], Region]], ...] = (
    (_TRANSPOSED, _transposed),
    (_WINDOWS, _conv),
    (_POOLS, _pool),
    (_PADDINGS, _padded),
    (_CROPPINGS, _cropped),
    (_UPSAMPLINGS, _upsampled),
)


def _tuple(value: Any) -> tuple[int, ...]:
    return (value,) * 3 if isinstance(value, int) else tuple(value)


def _everything(shape: Shape) -> Reading:
    return Reading(tuple(whole(length) for length in shape[:-1]))


def _beside(shape: Shape, output: Shape, region: Region) -> Reading:
    """All places count (attention, statistics over the map), the cell itself most of all."""
    beside = region if shape[:-1] == output[:-1] else None
    return replace(_everything(shape), gate=True, beside=beside)


def _spread(shape: Shape, output: Shape, region: Region) -> Reading:
    """The same place of each input; an axis of length 1 is spread over all places, as are missing axes."""
    places, outer = shape[:-1], output[:-1]
    if len(places) > len(outer):
        raise UnknownGeometry("broadcast")
    region = region[len(outer) - len(places) :]
    spans, gate = [], len(places) < len(outer) and any(length > 1 for length in outer)
    for span, length, out in zip(region, places, outer[len(outer) - len(places) :], strict=True):
        if length == out:
            spans.append(span)
        elif length == 1:
            spans.append(whole(1))
            gate = True
        else:
            raise UnknownGeometry("broadcast")
    return Reading(tuple(spans), gate=gate)


def _concatenated(layer: Any, inputs: Sequence[Shape], output: Shape, region: Region) -> list[Reading]:
    axis = layer.axis - 1 if layer.axis > 0 else layer.axis + len(output)
    if axis == len(output) - 1:
        return [Reading(region) for _ in inputs]
    if sum(shape[axis] for shape in inputs) != output[axis]:
        raise UnknownGeometry("Concatenate of one layer with itself")
    found, start = [], 0
    for shape in inputs:
        part = moved(region[axis], shape[axis], -start)
        start += shape[axis]
        # What lies in another input must not count as this one's outside.
        inside = np.flatnonzero(part.cells)
        if not len(inside):
            found.append(Reading(None))
            continue
        part = replace(part, low=int(inside[0]), high=int(inside[-1]))
        found.append(Reading((*region[:axis], part, *region[axis + 1 :])))
    return found


def _reshaped(shape: Shape, output: Shape, region: Region) -> Region:
    if shape[:-1] == output[:-1]:
        return region
    places, outer = shape[:-1], output[:-1]
    if shape[-1] != output[-1] or math.prod(places) != math.prod(outer) or not places or not outer:
        return tuple(whole(length) for length in places)
    product = np.ones(outer, bool)
    for axis, span in enumerate(region):
        product &= span.cells.reshape([-1 if other == axis else 1 for other in range(len(outer))])
    product = product.reshape(places)
    spans = []
    for axis in range(len(places)):
        cells = np.asarray(product.any(axis=tuple(other for other in range(len(places)) if other != axis)))
        marked = np.flatnonzero(cells)
        low, high = (int(marked[0]), int(marked[-1])) if len(marked) else (0, 0)
        spans.append(Span(cells, low, high, Fraction(0)))
    return tuple(spans)


def _last_axis_only(layer: Any, rank: int) -> bool:
    axis = getattr(layer, "axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return all(one in (-1, rank) for one in axes)
