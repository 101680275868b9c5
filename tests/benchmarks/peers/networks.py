"""Networks that all libraries are asked about, built by name on whichever backend Keras runs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from explorer.networks import catalogue
from explorer.networks.loading import load


def _plain() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="first"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(12, 3, padding="same", activation="relu", name="last"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, activation="relu"),
            keras.layers.Dense(5),
        ]
    )


def _residual() -> keras.Model:
    """Batch normalisation, a shortcut, ReLU as a layer, a picture that is not square."""
    inputs = keras.Input((20, 28, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = shortcut = keras.layers.ReLU(name="first")(x)
    x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Add()([x, shortcut])
    x = keras.layers.ReLU(name="last")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(4)(x))


def _grey() -> keras.Model:
    """ReLU6 and one channel."""
    inputs = keras.Input((24, 16, 1))
    x = keras.layers.Conv2D(6, 5, padding="same", name="convolution")(inputs)
    x = keras.layers.ReLU(max_value=6.0, name="first")(x)
    x = keras.layers.DepthwiseConv2D(3, padding="same", strides=2)(x)
    x = keras.layers.ReLU(max_value=6.0, name="last")(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


def _changed(variable: keras.Variable, random: np.random.Generator) -> np.ndarray:
    value = keras.ops.convert_to_numpy(variable)
    if variable.name in ("gamma", "moving_variance"):
        return value * random.uniform(0.5, 1.5, value.shape)
    return value + random.normal(0, 0.1, value.shape)


TOYS = {"toy_plain": _plain, "toy_residual": _residual, "toy_grey": _grey}


def build(name: str, weights: list[np.ndarray] | None = None) -> Any:
    """Return a toy as a keras.Model, or a loaded network of the catalogue.

    Toys get random weights, all of them (biases and the statistics of batch normalisation too, since zeros hide
    mistakes); networks of the catalogue are trained where they come with the app, else random.

    Args:
        name: A toy's or the catalogue's.
        weights: Those of another backend's network, to be taken over.
    """
    if name in TOYS:
        keras.utils.set_random_seed(3)
        network = model = TOYS[name]()
        random = np.random.default_rng(3)
        values = [_changed(variable, random) for variable in model.weights]
    else:
        network = load(name, "trained" if catalogue.entry(name).weights.kind == "bundled" else "random")
        model, values = network.model, None
    if weights is not None or values is not None:
        model.set_weights(weights if weights is not None else values)
    return network
