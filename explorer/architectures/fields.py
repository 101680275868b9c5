"""How large a part of the input one cell of each layer depends on, computed from input to output.

For a chain of convolutions and pools this is the recurrence of Araujo, Norris and Sim, "Computing Receptive Fields
of Convolutional Neural Networks" (Distill 2019): the field grows by (kernel - 1) times the product of the strides so
far; `explorer.architectures.axes` says how that goes on behind branches and enlarged maps. Borders are left out: fields
are as large as they would be in an endless picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import keras

from explorer.architectures.axes import PIXELS, Axis, Unknown, moved, painted, reading, united, windowed

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
    return Field((PIXELS,) * (len(shape) - 1)) if len(shape) > 1 else Field(None, flat=True)


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
    except Unknown:
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
    # Recurrent convolutions have windows too, but read all times before theirs.
    if kind in _MIXING or (axes is not None and _channels_first(layer)):
        raise Unknown
    if axes is not None and kind.startswith("ZeroPadding"):
        return replace(first, axes=_each(axes, _before(layer.padding), lambda axis, by: moved(axis, -by)))
    if axes is not None and kind.startswith("Cropping"):
        return replace(first, axes=_each(axes, _before(layer.cropping), moved))
    if axes is not None and kind.startswith("UpSampling"):
        return replace(first, axes=_resized(axes, given, output, getattr(layer, "interpolation", "nearest")))
    if axes is not None and kind == "Resizing":
        if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
            raise Unknown
        return replace(first, axes=_resized(axes, given, output, layer.interpolation))
    if axes is not None and kind.endswith("Transpose") and hasattr(layer, "kernel_size"):
        return replace(first, axes=_transposed(layer, axes, given, output))
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if axes is not None and window is not None and isinstance(layer, keras.Layer):
        return replace(first, axes=_windowed(layer, window, axes, given, output))
    if kind == "Concatenate" and _joined_axis(layer, output) < len(output) - 1:
        raise Unknown
    if _each_place_alone(layer, kind, max(len(field.axes or ()) for field in fields)):
        return _together(fields, inputs, output)
    raise Unknown


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
    if isinstance(layer, keras.layers.RNN | keras.layers.Wrapper):
        return False
    # The project's own layers that keep their map's size and have no window work on each place alone.
    return type(layer).__module__.startswith(("keras.", "explorer."))


def _together(fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
    """Return what is seen by a layer that joins its inputs place by place."""
    sees_all, joined = any(field.sees_all for field in fields), None
    for field, shape in zip(fields, inputs, strict=True):
        if field.axes is None:
            if not (field.gate or field.sees_all) and len(shape) > 1:
                raise Unknown
            continue
        if not _keeps_places(field, shape, output):
            if math.prod(shape[: len(field.axes)]) == 1:  # a map of one cell, spread over all places
                sees_all = True
                continue
            raise Unknown
        joined = field.axes if joined is None else tuple(map(united, joined, field.axes))
    return Field(joined, sees_all)


def _each(axes: Sequence[Axis], amounts: Sequence[int], change: Any) -> tuple[Axis, ...]:
    if len(amounts) == 1:
        amounts = [*amounts] * len(axes)
    if len(amounts) != len(axes):
        raise Unknown
    return tuple(change(axis, amount) for axis, amount in zip(axes, amounts, strict=True))


def _before(amounts: Any) -> list[int]:
    """Return what a padding or cropping layer adds or takes before the first cell of each axis."""
    if isinstance(amounts, int):
        return [amounts]
    if all(isinstance(amount, int) for amount in amounts):
        return [amounts[0]]
    return [amount[0] for amount in amounts]


def _tuple(value: Any, length: int) -> tuple[int, ...]:
    """Return a number for each axis; a layer of another rank than the maps works on some of their axes only."""
    numbers = (value,) * length if isinstance(value, int) else tuple(value)
    if len(numbers) != length:
        raise Unknown
    return numbers


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

        found.append(windowed(axis, reach + 1, stride, before))
    return tuple(found)


def _transposed(layer: Any, axes: Sequence[Axis], given: Shape, output: Shape) -> tuple[Axis, ...]:
    rank = len(axes)
    kernels, strides = _tuple(layer.kernel_size, rank), _tuple(layer.strides, rank)
    dilations = _tuple(layer.dilation_rate, rank)
    found = []
    for axis, kernel, stride, dilation, length, out in zip(
        axes, kernels, strides, dilations, given[:rank], output[:rank], strict=True
    ):
        reach = (kernel - 1) * dilation + 1
        before = max((length - 1) * stride + reach - out, 0) // 2 if layer.padding == "same" else 0

        found.append(painted(axis, kernel, stride, dilation, before))
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
            raise Unknown
        found.append(reading(axis, scale.denominator, scale, reads))
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
