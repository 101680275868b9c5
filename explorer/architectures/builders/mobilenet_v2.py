"""MobileNetV2 (Sandler et al. 2018): blocks that widen, look and narrow again, shortcuts between the narrow."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least

# Table 2 of the paper: expansion t, channels c, blocks n, strides s of the first.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
LAST = 1280


def mobilenet_v2(alpha: float = 1.0, input_side: int = 224, classes: int = 1000) -> keras.Model:
    """Return MobileNetV2 with 3,538,984 weights for alpha 1, as in keras.applications.

    There, four layers more pad the maps with zeros before convolutions with stride 2; here, these convolutions do so
    themselves.

    Args:
        alpha: width multiplier; filters are rounded to a multiple of 8, and the last convolution never narrows.
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    Raises:
        ValueError: if alpha leaves nothing, or the picture is too small for five halvings.
    """
    at_least("alpha", alpha, 1 / 32)
    at_least("input_side", input_side, 32)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = layers.Conv2D(multiple_of_8(32 * alpha), 3, 2, padding="same", use_bias=False, name="Conv1")(image)
    x = _bn_relu6(x, "bn_Conv1", "Conv1_relu")
    number = 0
    for expansion, channels, blocks, first_strides in STAGES:
        for block in range(blocks):
            strides = first_strides if block == 0 else 1
            name = f"block_{number}" if number else "expanded_conv"
            x = inverted_residual(x, expansion, multiple_of_8(int(channels * alpha)), strides, name)
            number += 1
    x = layers.Conv2D(multiple_of_8(LAST * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
    x = _bn_relu6(x, "Conv_1_bn", "out_relu")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name=f"mobilenet_v2_{alpha:.2f}")


def inverted_residual(x: KerasTensor, expansion: int, filters: int, strides: int, name: str) -> KerasTensor:
    """Return a depthwise convolution between a 1 × 1 that widens and one that narrows, added to x where it fits.

    Nothing is rectified at the narrow end: cutting away negative values there would lose too much.
    """
    narrow = x
    if expansion > 1:
        x = layers.Conv2D(expansion * x.shape[-1], 1, use_bias=False, name=f"{name}_expand")(x)
        x = _bn_relu6(x, f"{name}_expand_BN", f"{name}_expand_relu")
    x = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = _bn_relu6(x, f"{name}_depthwise_BN", f"{name}_depthwise_relu")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = layers.BatchNormalization(momentum=0.999, name=f"{name}_project_BN")(x)
    if strides == 1 and narrow.shape[-1] == filters:
        x = layers.Add(name=f"{name}_add")([narrow, x])
    return x


def multiple_of_8(filters: float) -> int:
    """Return the nearest multiple of 8, the next one up where that would take more than a tenth away."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def _bn_relu6(x: KerasTensor, bn_name: str, relu_name: str) -> KerasTensor:
    x = layers.BatchNormalization(momentum=0.999, name=bn_name)(x)
    return layers.ReLU(max_value=6, name=relu_name)(x)
