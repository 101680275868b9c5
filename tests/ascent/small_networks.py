"""Small networks on pictures for which an ascent's outcome can be told beforehand."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers as L

SIDE = 12


def filled(model: keras.Model, seed: int = 0) -> keras.Model:
    """Give a model weights that depend on the seed alone."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        values = random.normal(scale=0.3, size=variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return model


def head(x, softmax: bool = False):
    x = L.GlobalAveragePooling2D(name="average")(x)
    return L.Dense(5, activation="softmax" if softmax else None, name="logits")(x)


def plain(shape=(SIDE, SIDE, 3), activation="relu", norm="batch", softmax=False, own_layer=True) -> keras.Model:
    """Two convolutions, with the activation as a layer or as an argument."""
    picture = keras.Input(shape, name="picture")
    x = picture
    for number, filters in ((1, 6), (2, 8)):
        argument = None if own_layer else activation
        x = L.Conv2D(filters, 3, strides=number, padding="same", activation=argument, name=f"conv_{number}")(x)
        if norm == "batch":
            x = L.BatchNormalization(name=f"norm_{number}")(x)
        elif norm == "layer":
            x = L.LayerNormalization(name=f"norm_{number}")(x)
        if own_layer:
            x = L.Activation(activation, name=f"act_{number}")(x)
    return filled(keras.Model(picture, head(x, softmax), name="plain"))


def nested() -> keras.Model:
    inner = plain(norm="none")
    features = keras.Model(inner.input, inner.get_layer("act_2").output, name="base")
    picture = keras.Input((SIDE, SIDE, 3), name="photo")
    return filled(keras.Model(picture, head(features(picture)), name="nested"))


def sequential() -> keras.Model:
    return filled(
        keras.Sequential(
            [
                keras.Input((SIDE, SIDE, 3)),
                L.Conv2D(6, 3, activation="relu", name="conv_1"),
                L.MaxPooling2D(2, name="pool"),
                L.Flatten(name="flat"),
                L.Dense(5, name="logits"),
            ],
            name="sequential",
        )
    )


def dead() -> keras.Model:
    """A network whose channel 0 of "relu" is shut for every picture, the others never."""
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    conv = L.Conv2D(4, 3, padding="same", name="conv")
    relu = L.ReLU(name="relu")
    joined = L.Concatenate(name="joined")
    x = relu(conv(picture))
    x = joined([x, x])
    model = filled(keras.Model(picture, head(x), name="dead"))
    kernel, bias = conv.get_weights()
    bias[:] = (-1.0, 2.0, 2.0, 2.0)
    kernel[..., 0] *= 0.01
    conv.set_weights([kernel, bias])
    return model


def linear(classes: int = 3, shape=(SIDE, SIDE, 3)) -> tuple[keras.Model, np.ndarray]:
    """Logits that are weighted sums of the pixels, and the weights (pixels, classes)."""
    model = keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(classes, name="logits")], name="linear")
    filled(model)
    return model, model.get_weights()[0]
