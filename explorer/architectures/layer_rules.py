"""What one layer does to shapes, and what it costs: the rules of Keras' layers in plain arithmetic, without Keras.

A rule takes shapes without the batch and Keras' arguments. It raises `Mismatch`, with a sentence, where the layer
cannot be: what clashes, why, and what would mend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, prod
from typing import Any, NamedTuple

Shape = tuple[int, ...]
Size = int | tuple[int, int]
Pads = tuple[tuple[int, int], tuple[int, int]]

ACTIVATIONS = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid",
    "hard_sigmoid", "hard_silu", "softmax",
)  # fmt: skip


class Mismatch(Exception):
    """A layer that cannot be, said in one sentence."""


class Formula(NamedTuple):
    """How a layer's weights and its work come about, with its numbers: "3 × 3 × 64 × 128 + 128 = 73,856"."""

    weights: str
    work: str


NOTHING = Formula("no weights", "no multiply-adds counted")


@dataclass(frozen=True)
class Outcome:
    """What a layer gives.

    Attributes:
        shape: Of its output.
        parameters: Its weights.
        trainable: Those that training changes.
        multiply_adds: For one picture.
        formula: How these numbers come about.
        config: The telling arguments, as `explorer.networks.describe` tells them.
        window: Rows and columns of the input that one output cell reads, holes of a dilation included.
        step: Rows and columns of the input from one output cell to the next; a fraction where the map grows.
        whole: Whether a cell reads the whole input.
    """

    shape: Shape
    parameters: int = 0
    trainable: int = 0
    multiply_adds: int = 0
    formula: Formula = NOTHING
    config: Mapping[str, Any] = field(default_factory=dict)
    window: tuple[int, int] = (1, 1)
    step: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))
    whole: bool = False


# --- words and checks ---


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as people read it: "28 × 28 × 256", or "120 values" for a vector."""
    if len(shape) == 1:
        return "1 value" if shape[0] == 1 else f"{shape[0]:,} values"
    return " × ".join(str(side) for side in shape)


def times(*factors: int | str) -> str:
    """Return a product as people write it, large factors with commas."""
    return " × ".join(f"{factor:,}" if isinstance(factor, int) else factor for factor in factors)


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
        raise Mismatch(
            f"{what} slides over maps (height × width × channels), but {shape_text(shape)} come in: put it before"
            " Flatten and global pooling, or bring the values into maps with Reshape."
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


def _dilated(kernel: tuple[int, int], strides: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """Return the window of a dilated kernel."""
    if max(strides) > 1 and max(dilation) > 1:
        raise Mismatch(
            f"Keras takes strides={max(strides)} or dilation_rate={max(dilation)}, not both at once: set one of them"
            " to 1."
        )
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def _steps(strides: tuple[int, int]) -> tuple[Fraction, Fraction]:
    return Fraction(strides[0]), Fraction(strides[1])


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
    each = times(*kernel, channels) if groups == 1 else times(*kernel, f"({channels:,} / {groups})")
    return Outcome(
        shape=(*places, filters),
        parameters=weights + filters * use_bias,
        trainable=weights + filters * use_bias,
        multiply_adds=work,
        formula=Formula(
            f"{each} × {filters:,}{_plus(filters * use_bias)} = {weights + filters * use_bias:,}",
            f"{times(*places, filters)} × ({each}) = {work:,}",
        ),
        config=_told(
            filters=filters, kernel_size=kernel, strides=strides, padding=padding, dilation_rate=dilation,
            groups=groups, use_bias=use_bias,
        ) | checked_activation(activation),
        window=window,
        step=_steps(strides),
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
    each = times(*kernel, channels, *([multiplier] if multiplier > 1 else []))
    return Outcome(
        shape=(*places, filters),
        parameters=weights + filters * use_bias,
        trainable=weights + filters * use_bias,
        multiply_adds=weights * prod(places),
        formula=Formula(
            f"{each}{_plus(filters * use_bias)} = {weights + filters * use_bias:,}",
            f"{times(*places)} × ({each}) = {weights * prod(places):,}",
        ),
        config=_told(
            kernel_size=kernel, strides=strides, padding=padding, depth_multiplier=multiplier,
            dilation_rate=dilation, use_bias=use_bias,
        ) | checked_activation(activation),
        window=window,
        step=_steps(strides),
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
    kernel, places, between = pair(kernel_size, "kernel_size"), depthwise.shape[:2], depthwise.shape[2]
    first = times(*kernel, shape[2], *([depth_multiplier] if depth_multiplier > 1 else []))
    second = times(between, filters)
    config = dict(depthwise.config) | dict(pointwise.config) | {"kernel_size": kernel, "padding": padding}
    if use_bias:
        config.pop("use_bias", None)
    return Outcome(
        shape=pointwise.shape,
        parameters=parameters,
        trainable=parameters,
        multiply_adds=work,
        formula=Formula(
            f"{first} + {second}{_plus(filters * use_bias)} = {parameters:,}",
            f"{times(*places)} × ({first} + {second}) = {work:,}",
        ),
        config=config,
        window=depthwise.window,
        step=depthwise.step,
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
    more = (0, 0)
    if checked_padding(padding) == "valid":
        more = (max(kernel[0] - strides[0], 0), max(kernel[1] - strides[1], 0))
    weights = prod(kernel) * channels * filters
    work = height * width * weights
    each = times(*kernel, channels, filters)
    return Outcome(
        shape=(height * strides[0] + more[0], width * strides[1] + more[1], filters),
        parameters=weights + filters * use_bias,
        trainable=weights + filters * use_bias,
        multiply_adds=work,
        formula=Formula(
            f"{each}{_plus(filters * use_bias)} = {weights + filters * use_bias:,}",
            f"{times(height, width)} × ({each}) = {work:,}",
        ),
        config=_told(filters=filters, kernel_size=kernel, strides=strides, padding=padding, use_bias=use_bias)
        | checked_activation(activation),
        window=(ceil(kernel[0] / strides[0]), ceil(kernel[1] / strides[1])),
        step=(Fraction(1, strides[0]), Fraction(1, strides[1])),
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
        formula=Formula(
            f"{times(values, units)}{_plus(units * use_bias)} = {weights + units * use_bias:,}",
            f"{times(*cells, values, units)} = {work:,}",
        ),
        config=_told(units=units, use_bias=use_bias) | checked_activation(activation),
        whole=not cells,
    )


def batch_norm(shape: Shape) -> Outcome:
    """BatchNormalization: scale and shift are trained, mean and variance are kept, for each channel."""
    parameters, trained = 4 * shape[-1], 2 * shape[-1]
    formula = f"{times(4, shape[-1])} = {parameters:,}"
    return Outcome(
        shape, parameters, trained, formula=Formula(f"{formula}, of which {trained:,} are trained", NOTHING.work)
    )


def layer_norm(shape: Shape) -> Outcome:
    """LayerNormalization over the channels: one scale and one shift for each."""
    parameters = 2 * shape[-1]
    return Outcome(
        shape, parameters, parameters, formula=Formula(f"{times(2, shape[-1])} = {parameters:,}", NOTHING.work)
    )


# --- layers without weights ---


def pool(shape: Shape, pool_size: Size = 2, strides: Size | None = None, padding: str = "valid") -> Outcome:
    """MaxPooling2D and AveragePooling2D; without strides the windows lie side by side."""
    window = pair(pool_size, "pool_size")
    steps = window if strides is None else pair(strides, "strides")
    what = f"The {window[0]} × {window[1]} pooling"
    height, width, channels = map_of(shape, what)
    places = window_places((height, width), window, steps, padding, what)
    config = _told(pool_size=window, strides=steps, padding=padding)
    return Outcome((*places, channels), config=config, window=window, step=_steps(steps))


def global_pool(shape: Shape, keepdims: bool = False) -> Outcome:
    """GlobalAveragePooling2D and GlobalMaxPooling2D: one value for each map."""
    channels = map_of(shape, "Global pooling")[2]
    shape = (1, 1, channels) if keepdims else (channels,)
    return Outcome(shape, config={"keepdims": True} if keepdims else {}, whole=True)


def flatten(shape: Shape) -> Outcome:
    """Flatten: all values in one vector."""
    return Outcome((prod(shape),), whole=len(shape) > 1)


def reshape(shape: Shape, target_shape: Sequence[int]) -> Outcome:
    """Reshape: the same values in another shape; one side may be -1 and is then worked out."""
    wanted = tuple(target_shape)
    if (
        not wanted
        or wanted.count(-1) > 1
        or any(side != -1 and (not isinstance(side, int) or side < 1) for side in wanted)
    ):
        raise Mismatch(f"target_shape must hold whole numbers of at least 1, at most one of them -1, not {wanted}.")
    known = prod(side for side in wanted if side != -1)
    values = prod(shape)
    if values % known or (-1 not in wanted and values != known):
        raise Mismatch(
            f"Reshape keeps every value, but {shape_text(shape)} are {values:,} values and {wanted} holds"
            f" {'a multiple of ' if -1 in wanted else ''}{known:,}: the sides must multiply to {values:,}."
        )
    result = tuple(values // known if side == -1 else side for side in wanted)
    return Outcome(result, config={"target_shape": wanted}, whole=len(shape) > 1 and result != shape)


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
    return Outcome((height + top + bottom, width + left + right, channels), config=config)


def up_sampling(shape: Shape, size: Size = 2, interpolation: str = "nearest") -> Outcome:
    """UpSampling2D: every cell becomes several, copied or interpolated."""
    height, width, channels = map_of(shape, "Up-sampling")
    rows, columns = pair(size, "size")
    if interpolation not in ("nearest", "bilinear"):
        raise Mismatch(f'interpolation must be "nearest" or "bilinear", not {interpolation!r}.')
    config = {"size": (rows, columns), "interpolation": interpolation}
    window = (1, 1) if interpolation == "nearest" else (1 + (rows > 1), 1 + (columns > 1))
    step = (Fraction(1, rows), Fraction(1, columns))
    return Outcome((height * rows, width * columns, channels), config=config, window=window, step=step)


# --- layers that join several inputs ---


def element_wise(shapes: Sequence[Shape], what: str) -> Outcome:
    """Add, Subtract, Multiply and Average: value by value; as in Keras, a side of 1 is stretched.

    Keras also takes different numbers of axes, which is hardly ever meant; here they clash.
    """
    _need_two(shapes, what)
    ranks = {len(shape) for shape in shapes}
    sides = [{side for side in axis if side != 1} for axis in zip(*shapes, strict=False)]
    if len(ranks) > 1 or any(len(axis) > 1 for axis in sides):
        raise Mismatch(_unequal(shapes, what))
    return Outcome(tuple(max(axis, default=1) for axis in sides))


def concatenate(shapes: Sequence[Shape], axis: int = -1) -> Outcome:
    """Concatenate: one behind the other along an axis (the channels), which must be all that differs."""
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
            raise Mismatch(
                f"Concatenate stacks the channels and needs equal heights and widths, but gets {_listed(shapes)}: zero"
                f' padding of the smaller maps to {tallest} × {widest}, or padding="same" in every branch, would fit.'
            )
        along = "the last axis" if position == -1 else f"axis {axis}"
        raise Mismatch(
            f"Concatenate joins along {along} and needs all other axes equal, but gets {_listed(shapes)}: Flatten,"
            " Reshape or global pooling would fit."
        )
    total = sum(shape[position] for shape in shapes)
    shape = tuple(total if number == rank + position else side for number, side in enumerate(shapes[0]))
    return Outcome(shape, config={} if axis == -1 else {"axis": axis})


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
            return text + f"a dense layer with {own[0]} units {where} would fit."
        return text + "a vector and maps have no cells in common."
    if own[:2] == other[:2]:
        return text + f"a 1×1 convolution with {_filters(own[2])} {where} would fit."
    if own[0] > other[0] or own[1] > other[1]:
        return text + f"{names[1]}'s map is the smaller one: up-sampling it, or less shrinking before it, would fit."
    strides = tuple(round(large / small) for small, large in zip(own[:2], other[:2], strict=True))
    strided = tuple(ceil(large / stride) for stride, large in zip(strides, other[:2], strict=True))
    if max(strides) == 1 or strided != own[:2]:
        return text + 'the block loses its border: padding="same" in its layers would keep the size of the map.'
    step = strides[0] if strides[0] == strides[1] else strides
    return text + f"a 1×1 convolution with {_filters(own[2])} and strides={step} {where} would fit."


def _filters(count: int) -> str:
    return "1 filter" if count == 1 else f"{count} filters"


def _plus(biases: int) -> str:
    return f" + {biases:,}" if biases else ""
