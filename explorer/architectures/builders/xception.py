"""Xception (Chollet 2016): channels and space are looked at apart, by separable convolutions with shortcuts."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least

MIDDLE_BLOCKS = 8


def xception(input_side: int = 299, classes: int = 1000) -> keras.Model:
    """Return Xception as the paper's figure 5 draws it, layer by layer that of keras.applications: 22,910,480 weights.

    Args:
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    Raises:
        ValueError: if the picture is too small.
    """
    at_least("input_side", input_side, 71)
    image = keras.Input((input_side, input_side, 3), name="image")

    # Entry flow
    x = _conv_bn_relu(image, 32, "block1_conv1", strides=2)
    x = _conv_bn_relu(x, 64, "block1_conv2")
    x = _halving_block(x, (128, 128), "block2", starts_active=True)
    x = _halving_block(x, (256, 256), "block3")
    x = _halving_block(x, (728, 728), "block4")

    # Middle flow
    for number in range(5, 5 + MIDDLE_BLOCKS):
        name = f"block{number}"
        branch = x
        for step in (1, 2, 3):
            branch = _relu_separable_bn(branch, 728, f"{name}_sepconv{step}")
        x = layers.Add(name=f"{name}_add")([branch, x])

    # Exit flow
    x = _halving_block(x, (728, 1024), "block13")
    x = _separable_bn_relu(x, 1536, "block14_sepconv1")
    x = _separable_bn_relu(x, 2048, "block14_sepconv2")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name="xception")


def _halving_block(x: KerasTensor, filters: Sequence[int], name: str, starts_active: bool = False) -> KerasTensor:
    skip = layers.Conv2D(filters[-1], 1, 2, padding="same", use_bias=False, name=f"{name}_shortcut_conv")(x)
    skip = layers.BatchNormalization(name=f"{name}_shortcut_bn")(skip)
    for step, width in enumerate(filters, start=1):
        if step == 1 and starts_active:
            # What comes in has just been rectified.
            x = _separable_bn(x, width, f"{name}_sepconv{step}")
        else:
            x = _relu_separable_bn(x, width, f"{name}_sepconv{step}")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, skip])


def _relu_separable_bn(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    return _separable_bn(layers.ReLU(name=f"{name}_act")(x), filters, name)


def _separable_bn_relu(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    return layers.ReLU(name=f"{name}_act")(_separable_bn(x, filters, name))


def _separable_bn(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


def _conv_bn_relu(x: KerasTensor, filters: int, name: str, strides: int = 1) -> KerasTensor:
    x = layers.Conv2D(filters, 3, strides, use_bias=False, name=name)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_act")(x)
