"""Three small nets for handwritten digits: dense, one convolution, and a small stack of them."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

SIDE = 28


def dense_mnist(classes: int = 10) -> keras.Model:
    """Return the dense net 784–500–50–10: every pixel has a weight of its own to every unit.

    Args:
        classes: units of the output.

    Returns:
        A model from digits `(28, 28, 1)` to probabilities; 420,260 weights, 1,100 of them the running means and
        variances of batch normalisation, which training's gradient does not change.
    """
    digit = keras.Input((SIDE, SIDE, 1), name="digit")
    x = layers.Flatten(name="flatten")(digit)
    for number, units in enumerate((500, 50), start=1):
        x = layers.Dense(units, name=f"dense{number}")(x)
        x = layers.BatchNormalization(name=f"dense{number}_bn")(x)
        x = layers.ReLU(name=f"dense{number}_relu")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(digit, scores, name="dense_mnist")


def conv_mnist(classes: int = 10) -> keras.Model:
    """Return one layer of 32 filters and a dense output: 320 weights look, 250,890 weigh what was seen.

    Args:
        classes: units of the output.

    Returns:
        A model from digits `(28, 28, 1)` to probabilities, with 251,210 weights.
    """
    digit = keras.Input((SIDE, SIDE, 1), name="digit")
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1")(digit)
    x = layers.Flatten(name="flatten")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(digit, scores, name="conv_mnist")


def cnn2(classes: int = 10) -> keras.Model:
    """Return two blocks of two convolutions: deeper than `conv_mnist`, with a seventh of its weights.

    Args:
        classes: units of the output.

    Returns:
        A model from digits `(28, 28, 1)` to probabilities, with 36,314 weights.
    """
    digit = keras.Input((SIDE, SIDE, 1), name="digit")
    x = digit
    for block, filters in enumerate((8, 16), start=1):
        for number in (1, 2):
            x = _conv_bn_relu(x, filters, f"block{block}_conv{number}")
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(40, name="dense1")(x)
    x = layers.BatchNormalization(name="dense1_bn")(x)
    x = layers.ReLU(name="dense1_relu")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(digit, scores, name="cnn2")


def _conv_bn_relu(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    x = layers.Conv2D(filters, 3, padding="same", name=name)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
