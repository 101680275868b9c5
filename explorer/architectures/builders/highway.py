"""Highway networks (Srivastava, Greff & Schmidhuber 2015): a gate in each layer says how much of it to use."""

from __future__ import annotations

from typing import Any

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import one_of

# Filters of the convolutions between two poolings: those of FitNet 4 (Romero et al. 2014, table 5).
FILTERS = {19: ((32, 32, 32, 48, 48), (80,) * 6, (128,) * 6)}
FC_UNITS = 500


def highway(depth: int = 19, transform_bias: float = -2.0, classes: int = 10) -> keras.Model:
    """Return the convolutional net "Highway B" for pictures of 32 × 32 ("Training very deep networks", table 2).

    Args:
        depth: layers with weights; 19 is the one whose widths are known.
        transform_bias: what the gates' biases start with. The paper wants it negative, between −1 and −10, so that
            at first most of a layer's input is carried past it.
        classes: units of the output.

    Returns:
        A model from pictures `(32, 32, 3)` to probabilities, with 2,342,406 weights; the paper says about 2.3 million.

    Raises:
        ValueError: if there is no such depth.

    A layer that changes the number of maps cannot carry its input past itself: the first convolution and the three
    that widen are plain ones. The paper names FitNet's architecture as its model and prints no table of its own;
    that the poolings take maxima and the hidden dense layer has 500 units follows FitNet.
    """
    one_of("depth", depth, FILTERS)
    image = keras.Input((32, 32, 3), name="image")
    x = image
    for stage, widths in enumerate(FILTERS[depth], start=1):
        for number, filters in enumerate(widths, start=1):
            x = _layer(x, filters, f"conv{stage}_{number}", transform_bias)
        if stage < len(FILTERS[depth]):
            x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = layers.GlobalMaxPooling2D(name="max_pool")(x)
    x = layers.Dense(FC_UNITS, activation="relu", name="fc")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name=f"highway_{depth}")


def highway_mnist(width: int = 16, transform_bias: float = -2.0, classes: int = 10) -> keras.Model:
    """Return the ten-layer highway net for digits (table 1 of the paper): nine convolutions and the output.

    Args:
        width: filters of every convolution; the paper has 16 (38,730 weights, printed as 39K) and 32 (151,178,
            printed as 151K).
        transform_bias: as in `highway`.
        classes: units of the output.

    Returns:
        A model from digits `(28, 28, 1)` to probabilities. The paper does not say where it pools; a pooling after
        every third convolution gives its counts to the digit that it prints.
    """
    digit = keras.Input((28, 28, 1), name="digit")
    x = digit
    for stage in (1, 2, 3):
        for number in (1, 2, 3):
            x = _layer(x, width, f"conv{stage}_{number}", transform_bias)
        x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(digit, scores, name=f"highway_mnist_{width}")


def _layer(x: KerasTensor, filters: int, name: str, transform_bias: float) -> KerasTensor:
    if x.shape[-1] == filters:
        return highway_layer(x, name, transform_bias)
    return layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)


def highway_layer(x: KerasTensor, name: str, transform_bias: float) -> KerasTensor:
    """Return H(x) · T(x) + x · (1 − T(x)): T = 1 is a plain layer, T = 0 hands x on (equation 3)."""
    filters = x.shape[-1]
    transformed = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_transform")(x)
    gate = layers.Conv2D(
        filters,
        3,
        padding="same",
        activation="sigmoid",
        bias_initializer=keras.initializers.Constant(transform_bias),
        name=f"{name}_gate",
    )(x)
    return GatedSum(name=f"{name}_sum")([transformed, gate, x])


@keras.saving.register_keras_serializable("explorer")
class GatedSum(layers.Layer):
    """Mix what a layer made of its input with the input itself, as a gate between 0 and 1 says."""

    def call(self, inputs: Any) -> Any:
        """Return h · t + x · (1 − t) of a list (h, t, x) of maps of one shape."""
        transformed, gate, carried = inputs
        return transformed * gate + carried * (1 - gate)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of each of the three."""
        return tuple(input_shape[0])
