"""DenseNet (Huang, Liu, van der Maaten & Weinberger 2016): every layer sees the maps of all layers before it."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least, one_of

# Layers in the four dense blocks, table 1 of the paper.
BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
GROWTH = 32
COMPRESSION = 0.5
_EPSILON = 1.001e-5


def densenet(depth: int = 121, input_side: int = 224, classes: int = 1000) -> keras.Model:
    """Return DenseNet-BC with growth rate 32.

    Args:
        depth: 121, 169 or 201, with 8,062,504, 14,307,880 and 20,242,984 weights.
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities, layer by layer that of
        keras.applications.

    Raises:
        ValueError: if there is no such depth.
    """
    one_of("depth", depth, BLOCKS)
    at_least("input_side", input_side, 32)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _bn_relu(x, "conv1_bn", "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, number_of_layers in enumerate(BLOCKS[depth], start=2):
        for number in range(1, number_of_layers + 1):
            x = dense_layer(x, f"conv{stage}_block{number}")
        if stage < 5:
            x = transition(x, f"pool{stage}")
    x = _bn_relu(x, "bn", "relu")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name=f"densenet_{depth}")


def dense_layer(x: KerasTensor, name: str) -> KerasTensor:
    """Return all maps so far and 32 new ones, made by a 3 × 3 convolution behind a 1 × 1 bottleneck."""
    new = _bn_relu(x, f"{name}_0_bn", f"{name}_0_relu")
    new = layers.Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _bn_relu(new, f"{name}_1_bn", f"{name}_1_relu")
    new = layers.Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def transition(x: KerasTensor, name: str) -> KerasTensor:
    """Return half as many maps at half the size."""
    x = _bn_relu(x, f"{name}_bn", f"{name}_relu")
    x = layers.Conv2D(int(x.shape[-1] * COMPRESSION), 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def _bn_relu(x: KerasTensor, bn_name: str, relu_name: str) -> KerasTensor:
    x = layers.BatchNormalization(epsilon=_EPSILON, name=bn_name)(x)
    return layers.ReLU(name=relu_name)(x)
