"""Networks out of plain, residual and separable blocks with equal numbers of weights, and the small Xception."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

STAGES = 3
XCEPTION_BLOCKS = 5


def widths(block: str, filters: int, depth: int, channels: int, classes: int, batch_norm: bool) -> tuple[int, ...]:
    """Return the filters of each stage, such that the network has nearly as many weights as the plain one.

    Args:
        block: "plain", "residual" or "separable".
        filters: of the plain network's first stage.
        depth: see `build`.
        channels: of a picture.
        classes: how many.
        batch_norm: see `build`.
    """
    plain = tuple(filters * 2**stage for stage in range(STAGES))
    if block != "separable":
        return plain
    budget = parameters("plain", plain, depth, channels, classes, batch_norm)

    def off(first: int) -> int:
        return abs(parameters(block, _separable_widths(first), depth, channels, classes, batch_norm) - budget)

    return _separable_widths(min(range(2, 4 * filters + 1), key=off))


def _separable_widths(first: int) -> tuple[int, ...]:
    return tuple(first * 2**stage for stage in range(STAGES))


def parameters(block: str, filters: Sequence[int], depth: int, channels: int, classes: int, batch_norm: bool) -> int:
    """Return how many weights a network of `build` has, running means and variances among them."""
    total, before = 9 * channels * filters[0] + (0 if batch_norm else filters[0]), filters[0]
    for stage, width in enumerate(filters):
        for number in range(depth // STAGES):
            total += 9 * before + before * width if block == "separable" else 9 * before * width
            total += 4 * before if batch_norm else width
            if stage > 0 and number == 0 and block != "plain":
                total += (before + 1) * width  # the shortcut
            before = width
    return total + (4 * before if batch_norm else 0) + (before + 1) * classes


def build(
    block: str,
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: int,
    filters: int,
    batch_norm: bool,
    dropout: float = 0.0,
) -> keras.Model:
    """Return a network of one kind of block, with logits.

    Args:
        block: "plain", "residual", "separable" or "xception".
        input_shape: (height, width, channels).
        classes: how many.
        depth: convolutions of all blocks together, two in each block, a third of them at each size.
        filters: of the plain network's first stage; the others are scaled to as many weights.
        batch_norm: before each activation.
        dropout: before the last layer.

    Raises:
        ValueError: if `depth` is no multiple of 6.
    """
    if depth % (2 * STAGES):
        raise ValueError(f"the depth is a multiple of {2 * STAGES}, not {depth}")
    if block == "xception":
        plain = widths("plain", filters, depth, input_shape[-1], classes, batch_norm)
        budget = parameters("plain", plain, depth, input_shape[-1], classes, batch_norm)
        return small_xception(input_shape, classes, xception_filters(budget, input_shape[-1], classes), dropout)
    found = widths(block, filters, depth, input_shape[-1], classes, batch_norm)
    return _staged(block, input_shape, classes, depth, found, batch_norm, dropout)


def _staged(
    block: str,
    input_shape: tuple[int, int, int],
    classes: int,
    depth: int,
    filters: Sequence[int],
    batch_norm: bool,
    dropout: float,
) -> keras.Model:
    import keras
    from keras import layers

    picture = keras.Input(input_shape, name="picture")
    x: Any = layers.Rescaling(2.0, -1.0, name="around_zero")(picture)
    x = layers.Conv2D(
        filters[0], 3, 2, padding="same", use_bias=not batch_norm, kernel_initializer="he_normal", name="stem"
    )(x)
    for stage, width in enumerate(filters, start=1):
        for number in range(1, depth // (2 * STAGES) + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = _block(x, block, width, strides, batch_norm, f"stage{stage}_block{number}")
    x = _activated(x, batch_norm, "last")
    return keras.Model(picture, _head(x, classes, dropout), name=block)


def _block(x: Any, block: str, filters: int, strides: int, batch_norm: bool, name: str) -> Any:
    """Return two convolutions with their activations in front, with or without what goes past them untouched.

    He and others, "Identity Mappings in Deep Residual Networks" (2016).
    """
    from keras import layers

    shortcut = x
    for number in (1, 2):
        x = _activated(x, batch_norm, f"{name}_{number}")
        # A residual branch that begins at 0 makes the block begin as the identity, so that nothing grows with depth.
        begins = "zeros" if number == 2 and block != "plain" and not batch_norm else "he_normal"
        x = _convolution(x, block, filters, strides if number == 1 else 1, batch_norm, begins, f"{name}_conv{number}")
    if block == "plain":
        return x
    if shortcut.shape[1:] != x.shape[1:]:
        shortcut = layers.Conv2D(filters, 1, strides, padding="same", name=f"{name}_shortcut")(shortcut)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _convolution(x: Any, block: str, filters: int, strides: int, batch_norm: bool, begins: str, name: str) -> Any:
    from keras import layers

    if block == "separable":
        return layers.SeparableConv2D(
            filters,
            3,
            strides,
            padding="same",
            use_bias=not batch_norm,
            depthwise_initializer="he_normal",
            pointwise_initializer=begins,
            name=name,
        )(x)
    return layers.Conv2D(
        filters, 3, strides, padding="same", use_bias=not batch_norm, kernel_initializer=begins, name=name
    )(x)


def _activated(x: Any, batch_norm: bool, name: str) -> Any:
    from keras import layers

    if batch_norm:
        # Runs are short: the running statistics must follow within a few dozen steps.
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _head(x: Any, classes: int, dropout: float) -> Any:
    from keras import layers

    x = layers.GlobalAveragePooling2D(name="over_the_map")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return layers.Dense(classes, name="classes")(x)


def small_xception(input_shape: tuple[int, int, int], classes: int, filters: int, dropout: float = 0.0) -> keras.Model:
    """Return the small Xception of chapter 9 of Chollet's "Deep Learning with Python" (2nd edition), scaled.

    A 5 × 5 convolution, then five blocks of normalisation, ReLU and separable convolution, twice, and pooling, beside
    a strided 1 × 1 convolution. Pictures come from 0 to 1, so that there is nothing to rescale.

    Args:
        input_shape: (height, width, channels).
        classes: how many.
        filters: of the first block, twice as many in each further one; 32 in the book.
        dropout: before the last layer; 0.5 in the book.
    """
    import keras
    from keras import layers

    picture = keras.Input(input_shape, name="picture")
    x: Any = layers.Conv2D(filters, 5, padding="same", use_bias=False, name="stem")(picture)
    for block in range(XCEPTION_BLOCKS):
        width, name = filters * 2**block, f"block{block + 1}"
        shortcut = layers.Conv2D(width, 1, 2, padding="same", use_bias=False, name=f"{name}_shortcut")(x)
        for step in (1, 2):
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm{step}")(x)
            x = layers.ReLU(name=f"{name}_relu{step}")(x)
            x = layers.SeparableConv2D(width, 3, padding="same", use_bias=False, name=f"{name}_conv{step}")(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
        x = layers.Add(name=f"{name}_add")([x, shortcut])
    return keras.Model(picture, _head(x, classes, dropout), name="small_xception")


def xception_parameters(filters: int, channels: int, classes: int) -> int:
    """Return how many weights the small Xception has, running means and variances among them."""
    total, before = 25 * channels * filters, filters
    for block in range(XCEPTION_BLOCKS):
        width = filters * 2**block
        total += before * width  # the shortcut
        total += 4 * before + 9 * before + before * width
        total += 4 * width + 9 * width + width * width
        before = width
    return total + (before + 1) * classes


def xception_filters(budget: int, channels: int, classes: int) -> int:
    """Return the filters of the first block for which the small Xception comes nearest to a number of weights."""
    most = max(2, math.isqrt(budget))
    return min(range(1, most + 1), key=lambda each: abs(xception_parameters(each, channels, classes) - budget))


def multiply_adds(model: keras.Model) -> int:
    """Return the multiplications of weights with values for one picture, in convolutions and dense layers."""
    total = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind not in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense"):
            continue
        places = math.prod(layer.output.shape[1:-1])
        separable = kind == "SeparableConv2D"
        kernels = [layer.depthwise_kernel, layer.pointwise_kernel] if separable else [layer.kernel]
        total += places * sum(math.prod(kernel.shape) for kernel in kernels)
    return total
