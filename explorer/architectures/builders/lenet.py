"""LeNet-5 (LeCun, Bottou, Bengio & Haffner 1998): convolution, subsampling, convolution, subsampling, dense."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

from explorer.architectures.builders.arguments import one_of

SIDE = 32

# Table I of the paper: which of S2's six maps each of C3's sixteen maps looks at. Six take three neighbours,
# six take four neighbours, three take four that are not neighbours, the last takes all.
C3_SEES: tuple[tuple[int, ...], ...] = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip


def lenet5(variant: Literal["slides", "1998"] = "slides", classes: int = 10) -> keras.Model:
    """Return LeNet-5, as textbooks draw it or as the paper of 1998 built it.

    Args:
        variant: "slides" connects every map of the second convolution to all maps before it, pools by plain
            averages and ends in a softmax: 61,706 weights. "1998" has the paper's connection table for C3, a weight
            and a bias for each map in the subsampling layers, and the distances to ten fixed drawings of digits as
            its output: 60,000 trainable weights, and 840 fixed ones in the drawings.
        classes: units of the output; the variant of 1998 has its ten drawings, so 10 only.

    Returns:
        A model from pictures `(32, 32, 1)` to `(classes,)`: probabilities, or for 1998 distances with the sign
        turned, so that the largest wins.

    Raises:
        ValueError: if there is no such variant, or no drawings for that many classes.

    Differences from the paper, in the variant of 1998: the drawings of the digits are this project's own, 7 × 12 as
    the paper's, and the weights start as Keras' do.
    """
    one_of("variant", variant, ("slides", "1998"))
    if variant == "slides":
        return _slides(classes)
    one_of("classes", classes, (10,))
    return _of_1998()


def _slides(classes: int) -> keras.Model:
    picture = keras.Input((SIDE, SIDE, 1), name="picture")
    x = layers.Conv2D(6, 5, activation="tanh", name="conv1")(picture)
    x = layers.AveragePooling2D(2, name="pool1")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="conv2")(x)
    x = layers.AveragePooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="tanh", name="dense1")(x)
    x = layers.Dense(84, activation="tanh", name="dense2")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(picture, scores, name="lenet5")


def _of_1998() -> keras.Model:
    picture = keras.Input((SIDE, SIDE, 1), name="picture")
    x = layers.Conv2D(6, 5, activation=scaled_tanh, name="c1")(picture)
    x = layers.AveragePooling2D(2, name="s2_average")(x)
    x = WeightPerMap(activation=scaled_tanh, name="s2_weight")(x)
    x = PartialConvolution(C3_SEES, 5, activation=scaled_tanh, name="c3")(x)
    x = layers.AveragePooling2D(2, name="s4_average")(x)
    x = WeightPerMap(activation=scaled_tanh, name="s4_weight")(x)
    x = layers.Conv2D(120, 5, activation=scaled_tanh, name="c5")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, activation=scaled_tanh, name="f6")(x)
    scores = DigitDistances(name="distances")(x)
    return keras.Model(picture, scores, name="lenet5_1998")


@keras.saving.register_keras_serializable("explorer")
def scaled_tanh(x: Any) -> Any:
    """Return 1.7159 · tanh(2x/3), which passes through (1, 1) and (−1, −1) (appendix A of the paper)."""
    return 1.7159 * ops.tanh(x * (2 / 3))


@keras.saving.register_keras_serializable("explorer")
class PartialConvolution(layers.Layer):
    """A convolution without padding in which each filter sees only some of the maps before it.

    Args:
        sees: for each filter, the numbers of the maps that it looks at.
        kernel_size: side of the square kernel.
        activation: as in `keras.layers.Conv2D`.
        kwargs: as for every Keras layer.

    It owns kernel_size² weights for each pair in `sees` and a bias for each filter; no weight is kept for a pair
    that is not connected.
    """

    def __init__(self, sees: Any, kernel_size: int, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sees = tuple(tuple(maps) for maps in sees)
        self.filters = len(self.sees)
        self.kernel_size = (kernel_size, kernel_size)
        self.strides = self.dilation_rate = (1, 1)
        self.padding = "valid"
        self.activation = keras.activations.get(activation)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The (map, filter) that are connected, in the order in which `kernel` keeps them."""
        return [(number, to) for to, maps in enumerate(self.sees) for number in maps]

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the kernel `(height · width, pairs)` and the bias `(filters,)`."""
        pairs, maps, taps = self.pairs, input_shape[-1], math.prod(self.kernel_size)
        # Glorot's limit, which Keras takes for its own convolutions, for the connections that there are.
        limit = math.sqrt(6 * self.filters / (taps * len(pairs) * 2))
        self.kernel = self.add_weight(
            shape=(taps, len(pairs)), initializer=keras.initializers.RandomUniform(-limit, limit), name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        # Puts the weights that there are into a kernel of the usual shape, zeros between them.
        self.places = np.zeros((len(pairs), maps * self.filters), "float32")
        for row, (number, to) in enumerate(pairs):
            self.places[row, number * self.filters + to] = 1

    def call(self, inputs: Any) -> Any:
        """Return maps `(batch, height − k + 1, width − k + 1, filters)`."""
        kernel = ops.matmul(self.kernel, ops.cast(self.places, self.kernel.dtype))
        kernel = ops.reshape(kernel, (*self.kernel_size, -1, self.filters))
        kernel = ops.cast(kernel, inputs.dtype)
        outputs = ops.conv(inputs, kernel, padding="valid", data_format="channels_last")
        return self.activation(outputs + ops.cast(self.bias, inputs.dtype))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the maps, which lose kernel_size − 1 rows and columns."""
        sides = (
            None if side is None else side - size + 1
            for side, size in zip(input_shape[1:3], self.kernel_size, strict=True)
        )
        return (input_shape[0], *sides, self.filters)

    def multiply_adds(self, input_shapes: Any, output_shape: tuple[int, ...]) -> int:
        """Return the products that are added up: those of the connected pairs alone."""
        height, width, _ = output_shape[-3:]
        return height * width * math.prod(self.kernel_size) * len(self.pairs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        activation = keras.activations.serialize(self.activation)
        return {
            **super().get_config(),
            "sees": self.sees,
            "kernel_size": self.kernel_size[0],
            "activation": activation,
        }


@keras.saving.register_keras_serializable("explorer")
class WeightPerMap(layers.Layer):
    """What makes the subsampling of 1998 trainable: each map has one weight and one bias.

    Args:
        activation: as in `keras.layers.Conv2D`.
        kwargs: as for every Keras layer.

    The paper adds the four cells up before it weighs them; here an average comes before, so that the paper's weight
    is a quarter of this one.
    """

    def __init__(self, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make a weight and a bias for each map."""
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return maps of the same shape."""
        return self.activation(inputs * ops.cast(self.factor, inputs.dtype) + ops.cast(self.bias, inputs.dtype))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def multiply_adds(self, input_shapes: Any, output_shape: tuple[int, ...]) -> int:
        """Return the products that are added up: one for each cell."""
        return math.prod(output_shape[-3:])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "activation": keras.activations.serialize(self.activation)}


# Which strokes of a seven-segment display light up: top, upper left, upper right, middle, lower left, lower right,
# bottom.
_STROKES = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)


def digit_drawings() -> np.ndarray:
    """Return ten drawings of digits `(10, 12, 7)`, +1 for ink and −1 for paper."""
    segments: tuple[Any, ...] = (
        np.s_[1, 1:6], np.s_[1:7, 1], np.s_[1:7, 5], np.s_[6, 1:6], np.s_[6:11, 1], np.s_[6:11, 5], np.s_[10, 1:6],
    )  # fmt: skip
    drawings = -np.ones((10, 12, 7), "float32")
    for drawing, strokes in zip(drawings, _STROKES, strict=True):
        for segment, lit in zip(segments, strokes, strict=True):
            if lit == "1":
                drawing[segment] = 1
    return drawings


@keras.saving.register_keras_serializable("explorer")
class DigitDistances(layers.Layer):
    """The output of 1998: minus the squared distance of 84 values to ten fixed drawings of 7 × 12 cells.

    The paper's radial basis units put out the distance itself, so that the smallest wins; the sign is turned here,
    because everywhere else the largest does.
    """

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keep the drawings as weights `(10, 84)` that training does not change."""
        self.codes = self.add_weight(
            shape=(10, 84),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(digit_drawings().reshape(shape), dtype),
            trainable=False,
            name="codes",
        )

    def call(self, inputs: Any) -> Any:
        """Return scores `(batch, 10)` of values `(batch, 84)`."""
        return -ops.sum(ops.square(inputs[:, None, :] - ops.cast(self.codes, inputs.dtype)), axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of ten scores."""
        return (input_shape[0], 10)

    def multiply_adds(self, input_shapes: Any, output_shape: tuple[int, ...]) -> int:
        """Return the products that are added up: a square for each of the 84 differences, ten times."""
        return 10 * 84
