"""What one layer does to shapes, and what it costs: the rules of Keras' layers in plain arithmetic, without Keras.

A rule takes shapes without the batch and Keras' arguments. It raises `Mismatch`, with a sentence, where the layer
cannot be: what clashes, why, and what would mend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, prod
from typing import Any

from explorer.architectures.wording import counted

Shape = tuple[int, ...]
Size = int | tuple[int, int]
Pads = tuple[tuple[int, int], tuple[int, int]]

ACTIVATIONS = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid",
    "hard_sigmoid", "hard_silu", "softmax",
)  # fmt: skip


class Mismatch(Exception):
    """A layer that cannot be, said in one sentence."""


@dataclass(frozen=True)
class Outcome:
    """What a layer gives.

    Attributes:
        shape: Of its output.
        parameters: Its weights.
        trainable: Those that training changes.
        multiply_adds: For one picture.
        config: The telling arguments, as `explorer.networks.describe` tells them.
        window: Rows and columns of the input that one output cell reads, holes of a dilation included.
        step: Rows and columns of the input from one output cell to the next.
        before: Rows and columns by which the first cell's window begins before the input's first cell.
        paints: Whether each input cell paints a window of the output instead, as a transposed convolution's does:
            window, step and before then say where.
        gathers: Whether one value is made of a whole map.
        beside: Whether several inputs stand beside each other in rows or columns, so that cells read different ones.
    """

    shape: Shape
    parameters: int = 0
    trainable: int = 0
    multiply_adds: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    window: tuple[int, int] = (1, 1)
    step: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)
    paints: bool = False
    gathers: bool = False
    beside: bool = False


# --- words and checks ---


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as people read it: "28 × 28 × 256", or "120 values" for a vector."""
    if len(shape) == 1:
        return "1 value" if shape[0] == 1 else f"{shape[0]:,} values"
    return " × ".join(str(side) for side in shape)


def whole_number(value: Any, what: str, low: int = 1) -> int:
    """Return the value if it is a whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise Mismatch(f"{what} must be a whole number of at least {low}, not {value!r}.")
    return value


def pair(value: Any, what: str) -> tuple[int, int]:
    """Return (rows, columns) of an argument that may be one number for both."""
    both = (value, value) if not isinstance(value, tuple | list) else tuple(value)
    if len(both) != 2:
        raise Mismatch(f"{what} must be one whole number or two (rows, columns), not {value!r}.")
    return whole_number(both[0], what), whole_number(both[1], what)


def checked_activation(name: str | None) -> dict[str, str]:
    """Return the activation as the config tells it; nothing for None and "linear"."""
    if name is not None and name not in ACTIVATIONS:
        raise Mismatch(f"There is no activation {name!r}: choose one of {', '.join(ACTIVATIONS)}.")
    return {} if name in (None, "linear") else {"activation": str(name)}


def checked_padding(padding: str) -> str:
    """Return the padding if it is one of Keras' two words."""
    if padding not in ("valid", "same"):
        raise Mismatch(f'padding must be "valid" (none) or "same" (zeros around), not {padding!r}.')
    return padding


def map_of(shape: Shape, what: str) -> tuple[int, int, int]:
    """Return (height, width, channels) of an input that must be maps."""
    if len(shape) != 3:
        comes = "comes" if shape == (1,) else "come"
        raise Mismatch(
            f"{what} slides over maps (height × width × channels), but {shape_text(shape)} {comes} in: it fits before"
            " Flatten and global pooling, on an input that has height and width."
        )
    return shape[0], shape[1], shape[2]


def window_places(
    side: tuple[int, int], window: tuple[int, int], strides: tuple[int, int], padding: str, what: str
) -> tuple[int, int]:
    """Return (rows, columns) of places that a window takes on a map.

    Args:
        side: Rows and columns of the map.
        window: Of the window, holes of a dilation included.
        strides: From one place to the next.
        padding: "valid" or "same".
        what: The layer, for the sentence.
    """
    if checked_padding(padding) == "same":
        return ceil(side[0] / strides[0]), ceil(side[1] / strides[1])
    if window[0] > side[0] or window[1] > side[1]:
        raise Mismatch(
            f"{what} has a window of {window[0]} × {window[1]}, but the map that comes in is only"
            f' {side[0]} × {side[1]}: no place for it without padding. padding="same", a smaller window, or less'
            " shrinking before it would fit."
        )
    return (side[0] - window[0]) // strides[0] + 1, (side[1] - window[1]) // strides[1] + 1


def _before(side: tuple[int, int], window: tuple[int, int], strides: tuple[int, int], padding: str) -> tuple[int, int]:
    """Return the rows and columns of zeros before the first cell; Keras puts one more behind where they are odd."""
    if padding == "valid":
        return 0, 0
    rows, columns = (
        max((ceil(length / step) - 1) * step + size - length, 0) // 2
        for length, size, step in zip(side, window, strides, strict=True)
    )
    return rows, columns


def _dilated(kernel: tuple[int, int], strides: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """Return the window of a dilated kernel."""
    if max(strides) > 1 and max(dilation) > 1:
        raise Mismatch(
            f"Keras takes strides={max(strides)} or dilation_rate={max(dilation)}, not both at once: set one of them"
            " to 1."
        )
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def _told(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that are worth a word: strides and dilation other than 1, no bias, several groups."""
    silent: dict[str, Any] = {
        "strides": (1, 1), "dilation_rate": (1, 1), "groups": 1, "use_bias": True, "depth_multiplier": 1
    }  # fmt: skip
    return {name: value for name, value in arguments.items() if name not in silent or value != silent[name]}


# --- layers with weights ---


def conv(
    shape: Shape,
    filters: int,
    kernel_size: Size,
    strides: Size = 1,
    padding: str = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    activation: str | None = None,
    use_bias: bool = True,
) -> Outcome:
    """Conv2D: each filter reads a window of kh × kw × (channels / groups) at every place."""
    filters, groups = whole_number(filters, "filters"), whole_number(groups, "groups")
    kernel, strides = pair(kernel_size, "kernel_size"), pair(strides, "strides")
    dilation = pair(dilation_rate, "dilation_rate")
    what = f"The {kernel[0]} × {kernel[1]} convolution"
    height, width, channels = map_of(shape, what)
    both = f"{channels} and {filters}" if channels != filters else str(channels)
    for number, name in ((channels, "channels that come in"), (filters, "filters")):
        if number % groups:
            raise Mismatch(
                f"{groups} groups must share the channels and the filters evenly, but the {number} {name} cannot be"
                f" divided by {groups}: a number of groups that divides {both} would fit."
            )
    window = _dilated(kernel, strides, dilation)
    places = window_places((height, width), window, strides, padding, what)
    weights = prod(kernel) * (channels // groups) * filters
    work = weights * prod(places)
    return Outcome(
        shape=(*places, filters),
        parameters=weights + filters * use_bias,
        trainable=weights + filters * use_bias,
        multiply_adds=work,
        config=_told(
            filters=filters, kernel_size=kernel, strides=strides, padding=padding, dilation_rate=dilation,
            groups=groups, use_bias=use_bias,
        ) | checked_activation(activation),
        window=window,
        step=strides,
        before=_before((height, width), window, strides, padding),
    )  # fmt: skip


def depthwise_conv(
    shape: Shape,
    kernel_size: Size,
    strides: Size = 1,
    padding: str = "valid",
    depth_multiplier: int = 1,
    dilation_rate: Size = 1,
    activation: str | None = None,
    use_bias: bool = True,
) -> Outcome:
    """DepthwiseConv2D: each channel has `depth_multiplier` filters of its own, which read nothing else."""
    multiplier = whole_number(depth_multiplier, "depth_multiplier")
    kernel, strides = pair(kernel_size, "kernel_size"), pair(strides, "strides")
    dilation = pair(dilation_rate, "dilation_rate")
    what = f"The {kernel[0]} × {kernel[1]} depthwise convolution"
    height, width, channels = map_of(shape, what)
    window = _dilated(kernel, strides, dilation)
    places = window_places((height, width), window, strides, padding, what)
    filters = channels * multiplier
    weights = prod(kernel) * filters
    return Outcome(
        shape=(*places, filters),
        parameters=weights + filters * use_bias,
        trainable=weights + filters * use_bias,
        multiply_adds=weights * prod(places),
        config=_told(
            kernel_size=kernel, strides=strides, padding=padding, depth_multiplier=multiplier,
            dilation_rate=dilation, use_bias=use_bias,
        ) | checked_activation(activation),
        window=window,
        step=strides,
        before=_before((height, width), window, strides, padding),
    )  # fmt: skip


def separable_conv(
    shape: Shape,
    filters: int,
    kernel_size: Size,
    strides: Size = 1,
    padding: str = "valid",
    dilation_rate: Size = 1,
    depth_multiplier: int = 1,
    activation: str | None = None,
    use_bias: bool = True,
) -> Outcome:
    """SeparableConv2D: a depthwise convolution without bias, then a 1×1 convolution."""
    depthwise = depthwise_conv(shape, kernel_size, strides, padding, depth_multiplier, dilation_rate, None, False)
    pointwise = conv(depthwise.shape, filters, 1, activation=activation, use_bias=use_bias)
    parameters = depthwise.parameters + pointwise.parameters
    work = depthwise.multiply_adds + pointwise.multiply_adds
    config = dict(depthwise.config) | dict(pointwise.config)
    config |= {"kernel_size": pair(kernel_size, "kernel_size"), "padding": padding}
    if use_bias:
        config.pop("use_bias", None)
    return Outcome(
        shape=pointwise.shape,
        parameters=parameters,
        trainable=parameters,
        multiply_adds=work,
        config=config,
        window=depthwise.window,
        step=depthwise.step,
        before=depthwise.before,
    )


def conv_transpose(
    shape: Shape,
    filters: int,
    kernel_size: Size,
    strides: Size = 1,
    padding: str = "valid",
    activation: str | None = None,
    use_bias: bool = True,
) -> Outcome:
    """Conv2DTranspose: each input cell spreads a whole kernel over the output.

    Its multiply-adds are the products that are computed: every input cell with every weight.
    """
    filters = whole_number(filters, "filters")
    kernel, strides = pair(kernel_size, "kernel_size"), pair(strides, "strides")
    height, width, channels = map_of(shape, f"The {kernel[0]} × {kernel[1]} transposed convolution")
    more = tuple(max(size - step, 0) for size, step in zip(kernel, strides, strict=True))
    same = checked_padding(padding) == "same"
    weights = prod(kernel) * channels * filters
    return Outcome(
        shape=(height * strides[0] + more[0] * (not same), width * strides[1] + more[1] * (not same), filters),
        parameters=weights + filters * use_bias,
        trainable=weights + filters * use_bias,
        multiply_adds=height * width * weights,
        config=_told(filters=filters, kernel_size=kernel, strides=strides, padding=padding, use_bias=use_bias)
        | checked_activation(activation),
        window=kernel,
        step=strides,
        before=(more[0] // 2 * same, more[1] // 2 * same),
        paints=True,
    )


def dense(shape: Shape, units: int, activation: str | None = None, use_bias: bool = True) -> Outcome:
    """Dense: on a vector every unit reads all values; on maps it works at every cell, like a 1×1 convolution."""
    units = whole_number(units, "units")
    values, cells = shape[-1], shape[:-1]
    weights = values * units
    work = weights * prod(cells)
    return Outcome(
        shape=(*cells, units),
        parameters=weights + units * use_bias,
        trainable=weights + units * use_bias,
        multiply_adds=work,
        config=_told(units=units, use_bias=use_bias) | checked_activation(activation),
    )


def batch_norm(shape: Shape) -> Outcome:
    """BatchNormalization: scale and shift are trained, mean and variance are kept, for each channel."""
    return Outcome(shape, parameters=4 * shape[-1], trainable=2 * shape[-1])


def layer_norm(shape: Shape) -> Outcome:
    """LayerNormalization over the channels: one scale and one shift for each."""
    return Outcome(shape, parameters=2 * shape[-1], trainable=2 * shape[-1])


# --- layers without weights ---


def pool(shape: Shape, pool_size: Size = 2, strides: Size | None = None, padding: str = "valid") -> Outcome:
    """MaxPooling2D and AveragePooling2D; without strides the windows lie side by side."""
    window = pair(pool_size, "pool_size")
    steps = window if strides is None else pair(strides, "strides")
    what = f"The {window[0]} × {window[1]} pooling"
    height, width, channels = map_of(shape, what)
    places = window_places((height, width), window, steps, padding, what)
    config = _told(pool_size=window, strides=steps, padding=padding)
    before = _before((height, width), window, steps, padding)
    return Outcome((*places, channels), config=config, window=window, step=steps, before=before)


def global_pool(shape: Shape, keepdims: bool = False) -> Outcome:
    """GlobalAveragePooling2D and GlobalMaxPooling2D: one value for each map."""
    channels = map_of(shape, "Global pooling")[2]
    shape = (1, 1, channels) if keepdims else (channels,)
    return Outcome(shape, config={"keepdims": True} if keepdims else {}, gathers=True)


def flatten(shape: Shape) -> Outcome:
    """Flatten: all values in one vector."""
    return Outcome((prod(shape),))


def activation(shape: Shape, name: str) -> Outcome:
    """Activation: the same function on every value."""
    return Outcome(shape, config=checked_activation(name))


def dropout(shape: Shape, rate: float) -> Outcome:
    """Dropout: in training it sets a share of the values to zero, afterwards it does nothing."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise Mismatch(f"rate is the share of values that are dropped, from 0 to 1, not {rate!r}.")
    return Outcome(shape, config={"rate": rate})


def rescaling(shape: Shape, scale: float, offset: float = 0.0) -> Outcome:
    """Rescaling: scale · x + offset."""
    return Outcome(shape, config={"scale": scale, "offset": offset})


def zero_padding(shape: Shape, padding: int | tuple[int, int] | Pads = 1) -> Outcome:
    """ZeroPadding2D: zeros around the map; one number, (rows, columns), or ((top, bottom), (left, right))."""
    height, width, channels = map_of(shape, "Zero padding")
    both: tuple[Any, ...] = (padding, padding) if isinstance(padding, int) else tuple(padding)
    sides = [(side, side) if isinstance(side, int) else tuple(side) for side in both]
    if len(sides) != 2 or any(len(side) != 2 for side in sides):
        raise Mismatch(
            f"padding must be one number, (rows, columns) or ((top, bottom), (left, right)), not {padding!r}."
        )
    (top, bottom), (left, right) = (tuple(whole_number(amount, "padding", 0) for amount in side) for side in sides)
    config = {"padding": ((top, bottom), (left, right))}
    return Outcome((height + top + bottom, width + left + right, channels), config=config, before=(top, left))


# --- layers that join several inputs ---


def element_wise(shapes: Sequence[Shape], what: str) -> Outcome:
    """Add and Multiply: value by value; as in Keras, a side of 1 is stretched.

    Keras also takes different numbers of axes, which is hardly ever meant; here they clash.
    """
    _need_two(shapes, what)
    ranks = {len(shape) for shape in shapes}
    sides = [{side for side in axis if side != 1} for axis in zip(*shapes, strict=False)]
    if len(ranks) > 1 or any(len(axis) > 1 for axis in sides):
        raise Mismatch(_unequal(shapes, what))
    return Outcome(tuple(max(axis, default=1) for axis in sides))


def concatenate(shapes: Sequence[Shape], axis: int = -1, branches: bool = True) -> Outcome:
    """Concatenate: one behind the other along an axis (the channels), which must be all that differs.

    Args:
        shapes: Of the inputs.
        axis: As Keras counts: the batch is axis 0.
        branches: Whether layers that might pad stand before it.
    """
    _need_two(shapes, "Concatenate")
    rank = len(shapes[0])
    # Keras counts the batch as axis 0.
    position = axis if axis < 0 else axis - 1 - rank
    if not -rank <= position < 0:
        raise Mismatch(f"Concatenate cannot join along axis {axis}: the inputs have {rank} axes beside the batch.")
    rests = {tuple(side for number, side in enumerate(shape) if number != rank + position) for shape in shapes}
    if len({len(shape) for shape in shapes}) > 1 or len(rests) > 1:
        if position == -1 and all(len(shape) == 3 for shape in shapes):
            tallest, widest = max(shape[0] for shape in shapes), max(shape[1] for shape in shapes)
            other = ', or padding="same" in every branch,' if branches else ""
            raise Mismatch(
                f"Concatenate stacks the channels and needs equal heights and widths, but gets {_listed(shapes)}: zero"
                f" padding of the smaller maps to {tallest} × {widest}{other} would fit."
            )
        along = "the last axis" if position == -1 else f"axis {axis}"
        raise Mismatch(
            f"Concatenate joins along {along} and needs all other axes equal, but gets {_listed(shapes)}: Flatten"
            " or global pooling of the maps would fit."
        )
    total = sum(shape[position] for shape in shapes)
    shape = tuple(total if number == rank + position else side for number, side in enumerate(shapes[0]))
    return Outcome(shape, config={} if axis == -1 else {"axis": axis}, beside=position < -1)


def _need_two(shapes: Sequence[Shape], what: str) -> None:
    if len(shapes) < 2:
        raise Mismatch(f"{what} joins at least two inputs.")


def _listed(shapes: Sequence[Shape]) -> str:
    texts = [shape_text(shape) for shape in shapes]
    return ", ".join(texts[:-1]) + f" and {texts[-1]}"


def _unequal(shapes: Sequence[Shape], what: str) -> str:
    """Return why shapes cannot be joined value by value, with what would mend it."""
    text = f"{what} needs equal shapes"
    if len(shapes) != 2:
        return f"{text}, but gets {_listed(shapes)}: only inputs of one shape fit."
    own, other = shapes
    names = ("the gated maps are", "the gate") if what == "Multiply" else ("the block gives", "the shortcut")
    text += f": {names[0]} {shape_text(own)}, {names[1]} {shape_text(other)}; "
    where = names[1].replace("the", "on the", 1)
    if len(own) != 3 or len(other) != 3:
        if len(own) == len(other) == 1:
            return text + f"a dense layer with {counted(own[0], 'units')} {where} would fit."
        return text + "a vector and maps have no cells in common."
    if own[:2] == other[:2]:
        return text + f"a 1×1 convolution with {_filters(own[2])} {where} would fit."
    if own[0] > other[0] or own[1] > other[1]:
        return text + f"{names[1]}'s map is the smaller one: less shrinking before it would fit."
    strides = tuple(round(large / small) for small, large in zip(own[:2], other[:2], strict=True))
    strided = tuple(ceil(large / stride) for stride, large in zip(strides, other[:2], strict=True))
    if max(strides) == 1 or strided != own[:2]:
        return text + 'the block loses its border: padding="same" in its layers would keep the size of the map.'
    step = strides[0] if strides[0] == strides[1] else strides
    return text + f"a 1×1 convolution with {_filters(own[2])} and strides={step} {where} would fit."


def _filters(count: int) -> str:
    return counted(count, "filters")
