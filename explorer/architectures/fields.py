"""How large a part of the input one cell of each layer depends on, computed from input to output.

For a chain of convolutions and pools this is the recurrence of Araujo, Norris and Sim, "Computing Receptive Fields
of Convolutional Neural Networks" (Distill 2019): the field grows by (kernel - 1) times the product of the strides so
far. Here not only the size but the two ends of the field are followed, so that branches whose fields lie beside each
other are united and not just compared, and cells of enlarged maps, which do not all look alike, are followed one by
one until they repeat. Borders are left out: fields are as large as they would be in an endless picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import keras

Shape = tuple[int, ...]

_GATHERING = ("GlobalAveragePooling", "GlobalMaxPooling")
_ATTENDING = (
    "MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention", "Attention", "AdditiveAttention",
    "GroupNormalization",
)  # fmt: skip
# These look at all places where they are not told to look along the channels alone.
_BY_AXIS = ("LayerNormalization", "RMSNormalization", "UnitNormalization", "Softmax")
_MIXING = ("Lambda", "RepeatVector", "Dot", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Attention")
_OPERATIONS_BY_PLACE = frozenset({
    "Add", "Subtract", "Multiply", "Divide", "TrueDivide", "FloorDivide", "Power", "Maximum", "Minimum", "Average",
    "Concatenate", "Relu", "Relu6", "Sigmoid", "HardSigmoid", "Silu", "Swish", "HardSilu", "HardSwish", "Gelu", "Elu",
    "Selu", "Celu", "Mish", "LeakyRelu", "Softplus", "Softsign", "Tanh", "Exp", "Expm1", "Log", "Log1p", "Sqrt",
    "Rsqrt", "Square", "Absolute", "Abs", "Negative", "Clip", "Cast", "Sign", "Where", "Erf", "Reciprocal", "GetItem",
    "Identity",
})  # fmt: skip
# More cells than this until an enlarged map repeats itself, and the field is not told.
_LONGEST_PERIOD = 4096


class _Unknown(Exception):
    """Raised where a layer's geometry is not known."""


@dataclass(frozen=True)
class Axis:
    """Which pixels the cells along one axis depend on.

    The cell `k * len(low) + i` depends on the pixels from `low[i] + k * shift` to `high[i] + k * shift`.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    shift: int

    @property
    def size(self) -> int:
        """Pixels that the most far-sighted cell depends on."""
        return max(high - low for low, high in zip(self.low, self.high, strict=True)) + 1

    @property
    def stride(self) -> Fraction:
        """Pixels from one cell to the next, on average."""
        return Fraction(self.shift, len(self.low))

    def first(self, cell: int) -> int:
        """Return the first pixel that a cell depends on; cells beyond the map count as if it went on."""
        turns, place = divmod(cell, len(self.low))
        return self.low[place] + turns * self.shift

    def last(self, cell: int) -> int:
        """Return the last pixel that a cell depends on."""
        turns, place = divmod(cell, len(self.high))
        return self.high[place] + turns * self.shift


_PIXELS = Axis((0,), (0,), 1)


@dataclass(frozen=True)
class Field:
    """What one cell of a layer depends on.

    Attributes:
        axes: For each axis of places; None where the layer has none, or they cannot be followed.
        sees_all: Whether it also depends on the whole input, by global pooling, flattening or a gate.
        flat: Whether the places of a map stand here as channels (behind Flatten): one value is still one
            place, but whoever mixes them sees everything.
        gate: Whether one value stands for a whole channel, to be spread over a map.
    """

    axes: tuple[Axis, ...] | None
    sees_all: bool = False
    flat: bool = False
    gate: bool = False

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) in pixels; (length, 1) for a sequence; None where there is none."""
        if self.axes is None or len(self.axes) > 2:
            return None
        sizes = (*(axis.size for axis in self.axes), 1)
        return sizes[0], sizes[1]

    @property
    def stride(self) -> tuple[int, int] | None:
        """Pixels by which it moves from one cell to the next; None where there is none or it is no whole number."""
        if self.axes is None or len(self.axes) > 2:
            return None
        strides = (*(axis.stride for axis in self.axes), Fraction(1))
        return (int(strides[0]), int(strides[1])) if all(one.denominator == 1 for one in strides) else None


NOTHING = Field(None)


def of_input(shape: Shape) -> Field:
    """Return the field of a pixel of the input, of shape (*places, channels)."""
    return Field((_PIXELS,) * (len(shape) - 1)) if len(shape) > 1 else Field(None, flat=True)


def after(layer: Any, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
    """Return the field of a layer's output from those of what goes in.

    Args:
        layer: The Keras layer, or operation of a functional model.
        fields: Field of each input.
        inputs: Shape of each input without the batch.
        output: Shape of the output without the batch.
    """
    sees_all = any(field.sees_all for field in fields)
    if not fields:
        return NOTHING
    try:
        return _after(layer, fields, inputs, output, sees_all)
    except _Unknown:
        return Field(None, sees_all)


def _after(layer: Any, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape, sees_all: bool) -> Field:
    kind = type(layer).__name__
    first, given = fields[0], inputs[0]
    if kind.startswith(_GATHERING):
        return Field(None, sees_all=True, gate=True)
    if kind in ("Flatten", "Reshape") and (first.axes is None or not _keeps_places(first, given, output)):
        return _reshaped(first, given, output, sees_all)
    if isinstance(layer, keras.layers.Dense) and first.axes is None:
        return Field(None, sees_all or first.flat, gate=first.gate)
    if first.axes is None and all(field.axes is None for field in fields):
        return Field(None, sees_all, any(f.flat for f in fields), any(f.gate for f in fields))
    if kind in _ATTENDING or (kind in _BY_AXIS and not _last_axis_only(layer, len(output))):
        return replace(_together(fields, inputs, output), sees_all=True)
    axes = first.axes
    if axes is not None and _channels_first(layer):
        raise _Unknown
    if axes is not None and kind.startswith("ZeroPadding"):
        return replace(first, axes=_each(axes, _before(layer.padding), lambda axis, by: _moved(axis, -by)))
    if axes is not None and kind.startswith("Cropping"):
        return replace(first, axes=_each(axes, _before(layer.cropping), _moved))
    if axes is not None and kind.startswith("UpSampling"):
        return replace(first, axes=_resized(axes, given, output, getattr(layer, "interpolation", "nearest")))
    if axes is not None and kind == "Resizing":
        if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
            raise _Unknown
        return replace(first, axes=_resized(axes, given, output, layer.interpolation))
    if axes is not None and kind.endswith("Transpose") and hasattr(layer, "kernel_size"):
        return replace(first, axes=_transposed(layer, axes, given, output))
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if axes is not None and window is not None and isinstance(layer, keras.Layer):
        return replace(first, axes=_windowed(layer, window, axes, given, output))
    if kind == "Concatenate" and _joined_axis(layer, output) < len(output) - 1:
        raise _Unknown
    if _each_place_alone(layer, kind, max(len(field.axes or ()) for field in fields)):
        return _together(fields, inputs, output)
    raise _Unknown


def _keeps_places(field: Field, given: Shape, output: Shape) -> bool:
    places = len(field.axes or ())
    return len(output) > places and output[:places] == given[:places]


def _reshaped(field: Field, given: Shape, output: Shape, sees_all: bool) -> Field:
    if field.axes is None:
        # Global pooling's vector as a map of one cell, to be spread over a map.
        return Field(None, sees_all, field.flat, field.gate)
    spread = math.prod(given[: len(field.axes)]) > 1
    return Field(None, sees_all, flat=spread or field.flat)


def _each_place_alone(layer: Any, kind: str, places: int) -> bool:
    """Return whether a layer keeps what stands at one place at that place, as far as is known."""
    if not isinstance(layer, keras.Layer):
        return type(layer).__module__.startswith("keras.") and kind in _OPERATIONS_BY_PLACE
    if kind == "Permute":
        return tuple(layer.dims[:places]) == tuple(range(1, places + 1))
    if kind in _MIXING or isinstance(layer, keras.layers.RNN | keras.layers.Wrapper):
        return False
    # The project's own layers that keep their map's size and have no window work on each place alone.
    return type(layer).__module__.startswith(("keras.", "explorer."))


def _together(fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
    """Return what is seen by a layer that joins its inputs place by place."""
    sees_all, joined = any(field.sees_all for field in fields), None
    for field, shape in zip(fields, inputs, strict=True):
        if field.axes is None:
            if not (field.gate or field.sees_all) and len(shape) > 1:
                raise _Unknown
            continue
        if not _keeps_places(field, shape, output):
            if math.prod(shape[: len(field.axes)]) == 1:  # a map of one cell, spread over all places
                sees_all = True
                continue
            raise _Unknown
        joined = field.axes if joined is None else tuple(map(_united, joined, field.axes))
    return Field(joined, sees_all)


def _united(first: Axis, second: Axis) -> Axis:
    if first.stride != second.stride:
        raise _Unknown
    period = math.lcm(len(first.low), len(second.low))
    if period > _LONGEST_PERIOD:
        raise _Unknown
    return Axis(
        tuple(min(first.first(cell), second.first(cell)) for cell in range(period)),
        tuple(max(first.last(cell), second.last(cell)) for cell in range(period)),
        int(first.stride * period),
    )


def _moved(axis: Axis, by: int) -> Axis:
    """Return the axis whose cell o is the given one's cell o + by."""
    return _reading(axis, 1, Fraction(1), lambda cell: (cell + by, cell + by))


def _reading(axis: Axis, period: int, rate: Fraction, reads: Any) -> Axis:
    """Return the axis of cells that read from others.

    Args:
        axis: The axis that is read.
        period: After so many cells the reading repeats itself,
        rate: moved by so many cells for each.
        reads: Gives (first, last) cell that a cell reads.
    """
    # Repeats only when both repeat: `period * k * rate` cells must be a whole number of the axis' own periods.
    step = period * rate
    assert step.denominator == 1
    own = len(axis.low)
    turns = own // math.gcd(own, int(step)) if step else 1
    length = period * turns
    if length > _LONGEST_PERIOD:
        raise _Unknown
    ends = [reads(cell) for cell in range(length)]
    return Axis(
        tuple(axis.first(low) for low, _ in ends),
        tuple(axis.last(high) for _, high in ends),
        int(axis.stride * step * turns),
    )


def _each(axes: Sequence[Axis], amounts: Sequence[int], change: Any) -> tuple[Axis, ...]:
    if len(amounts) == 1:
        amounts = [*amounts] * len(axes)
    return tuple(change(axis, amount) for axis, amount in zip(axes, amounts, strict=True))


def _before(amounts: Any) -> list[int]:
    """Return what a padding or cropping layer adds or takes before the first cell of each axis."""
    if isinstance(amounts, int):
        return [amounts]
    if all(isinstance(amount, int) for amount in amounts):
        return [amounts[0]]
    return [amount[0] for amount in amounts]


def _tuple(value: Any, length: int) -> tuple[int, ...]:
    return (value,) * length if isinstance(value, int) else tuple(value)


def _windowed(layer: Any, window: Any, axes: Sequence[Axis], given: Shape, output: Shape) -> tuple[Axis, ...]:
    rank = len(axes)
    kernels = _tuple(window, rank)
    strides = _tuple(getattr(layer, "strides", None) or 1, rank)
    dilations = _tuple(getattr(layer, "dilation_rate", None) or 1, rank)
    padding = str(getattr(layer, "padding", "valid"))
    found = []
    for axis, kernel, stride, dilation, length, out in zip(
        axes, kernels, strides, dilations, given[:rank], output[:rank], strict=True
    ):
        reach = (kernel - 1) * dilation
        before = {"same": max((out - 1) * stride + reach + 1 - length, 0) // 2, "causal": reach}.get(padding, 0)

        def reads(cell: int, stride: int = stride, before: int = before, reach: int = reach) -> tuple[int, int]:
            return cell * stride - before, cell * stride - before + reach

        found.append(_reading(axis, 1, Fraction(stride), reads))
    return tuple(found)


def _transposed(layer: Any, axes: Sequence[Axis], given: Shape, output: Shape) -> tuple[Axis, ...]:
    """Input i paints the cells i * stride - before + k * dilation."""
    rank = len(axes)
    kernels, strides = _tuple(layer.kernel_size, rank), _tuple(layer.strides, rank)
    dilations = _tuple(layer.dilation_rate, rank)
    found = []
    for axis, kernel, stride, dilation, length, out in zip(
        axes, kernels, strides, dilations, given[:rank], output[:rank], strict=True
    ):
        reach = (kernel - 1) * dilation + 1
        before = max((length - 1) * stride + reach - out, 0) // 2 if layer.padding == "same" else 0

        def reads(
            cell: int, kernel: int = kernel, stride: int = stride, dilation: int = dilation, before: int = before
        ) -> tuple[int, int]:
            painters = [
                (cell + before - k * dilation) // stride
                for k in range(kernel)
                if (cell + before - k * dilation) % stride == 0
            ]
            # A cell that nobody paints (stride larger than the kernel) is given the one before it.
            return (min(painters), max(painters)) if painters else (cell // stride, cell // stride)

        found.append(_reading(axis, stride, Fraction(1, stride), reads))
    return tuple(found)


def _resized(axes: Sequence[Axis], given: Shape, output: Shape, interpolation: str) -> tuple[Axis, ...]:
    """Cell centres lie at half-integers, as Keras has it."""
    found = []
    for axis, length, out in zip(axes, given[: len(axes)], output[: len(axes)], strict=True):
        scale = Fraction(length, out)

        def reads(cell: int, scale: Fraction = scale) -> tuple[int, int]:
            centre = scale * (2 * cell + 1) / 2
            if interpolation == "nearest":
                return math.floor(centre), math.floor(centre)
            low = math.floor(centre - Fraction(1, 2))
            return low, low + (centre - Fraction(1, 2) != low)

        if interpolation not in ("nearest", "bilinear"):
            raise _Unknown
        found.append(_reading(axis, scale.denominator, scale, reads))
    return tuple(found)


def _channels_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first"


def _joined_axis(layer: Any, output: Shape) -> int:
    axis = getattr(layer, "axis", -1)
    return axis - 1 if axis > 0 else axis + len(output)


def _last_axis_only(layer: Any, rank: int) -> bool:
    axis = getattr(layer, "axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return all(one in (-1, rank) for one in axes)
