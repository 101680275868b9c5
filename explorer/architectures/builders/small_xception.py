"""The small Xception of chapter 9 of Chollet's "Deep Learning with Python" (2nd edition): cats or dogs."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least

FILTERS = (32, 64, 128, 256, 512)


def small_xception(input_side: int = 180, classes: int = 1) -> keras.Model:
    """Return five blocks of normalisation → ReLU → separable convolution with strided shortcuts.

    Args:
        input_side: height and width of the picture.
        classes: units of the output; one says how sure the net is of the second of two classes.

    Returns:
        A model from pictures `(input_side, input_side, 3)` of values from 0 to 255 to probabilities, with 721,857
        weights, 3,008 of them running means and variances (which the book calls trainable too). The book's random
        changes to the training pictures are left out.

    Raises:
        ValueError: if the picture is too small.
    """
    at_least("input_side", input_side, 36)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    # The channels of a picture belong together, so that the first layer is not a separable one.
    x = layers.Conv2D(32, 5, use_bias=False, name="conv1")(x)
    for number, filters in enumerate(FILTERS, start=1):
        x = separable_block(x, filters, f"block{number}")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    activation = "sigmoid" if classes == 1 else "softmax"
    scores = layers.Dense(classes, activation=activation, name="predictions")(x)
    return keras.Model(image, scores, name="small_xception")


def separable_block(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """Return half the size in `filters` maps: two separable convolutions and pooling, beside a strided 1 × 1."""
    skip = layers.Conv2D(filters, 1, 2, padding="same", use_bias=False, name=f"{name}_shortcut")(x)
    for step in (1, 2):
        x = layers.BatchNormalization(name=f"{name}_bn{step}")(x)
        x = layers.ReLU(name=f"{name}_relu{step}")(x)
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_sepconv{step}")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, skip])
