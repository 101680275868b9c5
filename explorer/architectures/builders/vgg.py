"""VGG (Simonyan & Zisserman 2014): nothing but 3 × 3 convolutions, deeper and deeper, and three dense layers."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least, one_of

# Convolutions in each of the five blocks: columns A, B, D and E of the paper's table 1.
CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
FILTERS = (64, 128, 256, 512, 512)


def vgg(depth: int = 16, batch_norm: bool = False, input_side: int = 224, classes: int = 1000) -> keras.Model:
    """Return a VGG net.

    Args:
        depth: layers with weights: 11, 13, 16 or 19, with 132,863,336, 133,047,848, 138,357,544 and 143,667,240
            weights.
        batch_norm: whether each convolution is followed by batch normalisation (not in the paper, but often met).
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities; 16 and 19 are layer by layer those of
        keras.applications. The paper drops out half of the two hidden dense layers in training; as in Keras,
        nothing is dropped here.

    Raises:
        ValueError: if there is no such depth, or the picture is too small for five poolings.
    """
    one_of("depth", depth, CONVOLUTIONS)
    at_least("input_side", input_side, 32)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = image
    for block, (convolutions, filters) in enumerate(zip(CONVOLUTIONS[depth], FILTERS, strict=True), start=1):
        for number in range(1, convolutions + 1):
            x = _convolution(x, filters, f"block{block}_conv{number}", batch_norm)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name=f"vgg{depth}_bn" if batch_norm else f"vgg{depth}")


def _convolution(x: KerasTensor, filters: int, name: str, batch_norm: bool) -> KerasTensor:
    if not batch_norm:
        return layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
    x = layers.Conv2D(filters, 3, padding="same", name=name)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
