"""SENet (Hu, Shen, Albanie, Sun & Wu 2017): each block weighs its maps by a glance at all of them at once."""

from __future__ import annotations

from functools import partial

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least, one_of
from explorer.architectures.builders.resnet import (
    BLOCKS,
    FILTERS,
    basic_block,
    bottleneck_block,
    classifier,
    conv_bn,
    conv_bn_relu,
    joined,
    shortcut_of,
    stages,
    stem,
)
from explorer.architectures.builders.resnext import resnext_block

RESNEXT_DEPTHS = (50, 101)


def se_resnet(
    depth: int = 50, reduction: int = 16, gate_bias: bool = True, input_side: int = 224, classes: int = 1000
) -> keras.Model:
    """Return a ResNet with a squeeze-and-excitation gate on every branch.

    Args:
        depth: as in `resnet`.
        reduction: how many times narrower the gate's hidden layer is than the maps that it weighs, r in the paper.
        gate_bias: whether the gates' dense layers have biases. The paper's formula leaves them out (2,514,944
            weights more than ResNet-50), its released nets have them (2,530,992 more).
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities, with 28,088,024, 49,326,872 and
        66,821,848 trainable weights at depth 50, 101 and 152.

    Raises:
        ValueError: if there is no such depth.
    """
    one_of("depth", depth, BLOCKS)
    at_least("input_side", input_side, 32)
    gate = partial(squeeze_and_excitation, reduction=reduction, bias=gate_bias)
    block = basic_block if depth <= 34 else bottleneck_block
    image = keras.Input((input_side, input_side, 3), name="image")
    x = stem(image)
    x = stages(x, BLOCKS[depth], FILTERS, partial(block, on_branch=gate))
    return keras.Model(image, classifier(x, classes), name=f"se_resnet_{depth}")


def se_resnext(
    depth: int = 50, cardinality: int = 32, width: int = 4, input_side: int = 224, classes: int = 1000
) -> keras.Model:
    """Return a ResNeXt with a squeeze-and-excitation gate on every branch.

    Args:
        depth: 50 or 101, with 27,559,896 and 48,955,416 trainable weights.
        cardinality: as in `resnext`.
        width: as in `resnext`.
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    Raises:
        ValueError: if there is no such depth.
    """
    one_of("depth", depth, RESNEXT_DEPTHS)
    at_least("input_side", input_side, 32)
    block = partial(resnext_block, cardinality=cardinality, width=width, on_branch=squeeze_and_excitation)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = stem(image)
    x = stages(x, BLOCKS[depth], FILTERS, block)
    return keras.Model(image, classifier(x, classes), name=f"se_resnext_{depth}")


def senet154(input_side: int = 224, classes: int = 1000) -> keras.Model:
    """Return SENet-154, which won ILSVRC 2017 as part of an ensemble: 115,088,984 trainable weights.

    Args:
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    It is an SE-ResNeXt-152 of 64 branches with these changes (the paper's appendix): three 3 × 3 convolutions instead
    of the 7 × 7 one, half as many filters in each block's first convolution, 3 × 3 instead of 1 × 1 convolutions in
    the shortcuts that halve the map, and dropout before the output.
    """
    at_least("input_side", input_side, 32)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = conv_bn_relu(image, 64, 3, "conv1_1", strides=2)
    x = conv_bn_relu(x, 64, 3, "conv1_2")
    x = conv_bn_relu(x, 128, 3, "conv1_3")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = stages(x, BLOCKS[152], FILTERS, _senet154_block)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name="senet_154")


def squeeze_and_excitation(x: KerasTensor, name: str, reduction: int = 16, bias: bool = True) -> KerasTensor:
    """Return the maps, each times a factor between 0 and 1 that two dense layers make of all maps' means."""
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_se_squeeze")(x)
    gate = layers.Dense(channels // reduction, "relu", use_bias=bias, name=f"{name}_se_reduce")(gate)
    gate = layers.Dense(channels, "sigmoid", use_bias=bias, name=f"{name}_se_excite")(gate)
    return layers.Multiply(name=f"{name}_se_scale")([x, gate])


def _senet154_block(x: KerasTensor, filters: int, strides: int, name: str) -> KerasTensor:
    skip = shortcut_of(x, 4 * filters, strides, name, kernel_size=3 if strides > 1 else 1)
    x = conv_bn_relu(x, 2 * filters, 1, f"{name}_1")
    x = conv_bn_relu(x, 4 * filters, 3, f"{name}_2", strides, groups=64)
    x = conv_bn(x, 4 * filters, 1, f"{name}_3")
    return joined(skip, x, name, squeeze_and_excitation)
