"""Small networks of every kind that an explanation must be right on, with weights that depend on a seed alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from tests.networks import model_kinds

CLASSES = 5


@dataclass(frozen=True)
class Specimen:
    """One network of the zoo.

    Attributes:
        build: Makes it.
        shape: (height, width, channels) of its pictures.
        layer: Path of its last layer that has places.
        rectifiers: How many ReLUs it runs.
        outputs: How many outputs it has.
    """

    build: Callable[[], keras.Model]
    shape: tuple[int, int, int] = (8, 8, 3)
    layer: str = "last"
    rectifiers: int = 0
    outputs: int = 1

    def made(self, seed: int = 1) -> keras.Model:
        model = self.build()
        random = np.random.default_rng(seed)
        for variable in model.weights:
            values = random.normal(scale=0.4, size=variable.shape)
            variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
        return model

    def pictures(self, count: int = 2, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).uniform(-1, 1, size=(count, *self.shape)).astype(np.float32)


def ended(inputs: keras.KerasTensor, x: keras.KerasTensor, activation: str | None = None) -> keras.Model:
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, layers.Dense(CLASSES, activation=activation, name="logits")(x))


def batch_norm() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(name="last")(layers.BatchNormalization()(x))
    return ended(inputs, layers.Dropout(0.5)(x))


def layer_norm() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 2, strides=2)(inputs)
    x = layers.LayerNormalization()(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.LayerNormalization()(x)
    return ended(inputs, layers.Dense(6, activation="gelu", name="last")(x))


def relu6() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu6")(inputs)
    x = layers.ReLU(6.0)(layers.Conv2D(4, 3, padding="same")(x))
    return ended(inputs, layers.ReLU(max_value=6, name="last")(layers.Conv2D(4, 3, padding="same")(x)))


def silu() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="silu")(inputs)
    return ended(inputs, layers.Conv2D(4, 3, padding="same", activation="silu", name="last")(x))


def gelu() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Activation("gelu")(layers.Conv2D(4, 3, padding="same")(inputs))
    return ended(inputs, layers.Activation("gelu", name="last")(layers.Conv2D(4, 3, padding="same")(x)))


def non_square() -> keras.Model:
    inputs = keras.Input((6, 10, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    return ended(inputs, layers.MaxPooling2D(2, name="last")(x))


def one_channel() -> keras.Model:
    inputs = keras.Input((8, 8, 1))
    return ended(inputs, layers.Conv2D(4, 3, activation="relu", name="last")(inputs))


def flattened() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2, name="last"),
            layers.Flatten(),
            layers.Dense(7, activation="relu"),
            layers.Dense(CLASSES),
        ]
    )


def softmax_head() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    return ended(inputs, layers.Conv2D(4, 3, activation="tanh", name="last")(inputs), "softmax")


def softmax_layer() -> keras.Model:
    inner = gelu()
    return keras.Sequential([inner, layers.Softmax()])


def softmax_operation() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    inner = ended(inputs, layers.Conv2D(4, 3, activation="tanh", name="last")(inputs))
    return keras.Model(inputs, keras.ops.softmax(inner(inputs)))


def several_outputs() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="tanh")(inputs)
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh", name="last")(x)
    x = layers.GlobalAveragePooling2D()(x)
    first = layers.Dense(CLASSES, activation="softmax", name="first")(x)
    second = layers.Dense(3, activation="softmax", name="second")(x)
    return keras.Model(inputs, {"first": first, "second": second})


def inception() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    branches = [
        layers.Conv2D(2, 1, activation="relu")(x),
        layers.Conv2D(3, 3, padding="same", activation="relu")(layers.Conv2D(2, 1, activation="relu")(x)),
        layers.Conv2D(2, 1, activation="relu")(layers.MaxPooling2D(3, strides=1, padding="same")(x)),
    ]
    return ended(inputs, layers.Concatenate(name="last")(branches))


def transfer() -> keras.Model:
    """A base as a layer inside a model, as transfer learning makes it."""
    base_input = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(base_input)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(6, 3, strides=2, padding="same")(x)
    base = keras.Model(base_input, layers.ReLU(name="last")(layers.BatchNormalization()(x)), name="base")
    inputs = keras.Input((8, 8, 3))
    x = layers.Rescaling(2.0, offset=-0.5)(inputs)
    return ended(inputs, base(x, training=False))


class OwnCode(keras.Model):
    """A subclassed network with its ReLU as an operation in code and a softmax at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.one = layers.Conv2D(4, 3, padding="same", name="one")
        self.two = layers.Conv2D(4, 3, padding="same", activation="relu", name="last")
        self.average = layers.GlobalAveragePooling2D()
        self.top = layers.Dense(CLASSES, activation="softmax", name="top")

    def call(self, x: object) -> object:
        x = keras.ops.relu(self.one(x))
        return self.top(self.average(self.two(x)))


def own_code() -> keras.Model:
    model = OwnCode()
    model(np.zeros((1, 8, 8, 3), np.float32))
    return model


def one_class() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="last")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


_KINDS = {
    "sequential": "pool",
    "functional": "act",
    "nested": "inner/conv_2",
    "residual": "block2_out",
    "branches": "mixed",
    "shared_layer": "conv#2",
    "shared_model": "difference",
    "subclassed": "more_2",
    "composite": "block",
}
ZOO: dict[str, Specimen] = {
    **{name: Specimen(model_kinds.KINDS[name], layer=layer) for name, layer in _KINDS.items()},
    "batch_norm": Specimen(batch_norm, rectifiers=2),
    "layer_norm": Specimen(layer_norm),
    "relu6": Specimen(relu6, rectifiers=3),
    "silu": Specimen(silu),
    "gelu": Specimen(gelu),
    "non_square": Specimen(non_square, (6, 10, 3), rectifiers=1),
    "one_channel": Specimen(one_channel, (8, 8, 1), rectifiers=1),
    "flattened": Specimen(flattened, rectifiers=2),
    "softmax_head": Specimen(softmax_head),
    "softmax_layer": Specimen(softmax_layer, layer="*/last"),
    "softmax_operation": Specimen(softmax_operation, layer="*/last"),
    "several_outputs": Specimen(several_outputs, outputs=2),
    "inception": Specimen(inception, rectifiers=5),
    "transfer": Specimen(transfer, layer="base/last", rectifiers=2),
    "own_code": Specimen(own_code, rectifiers=2),
    "one_class": Specimen(one_class, rectifiers=1),
}
_made: dict[str, keras.Model] = {}


def kept(name: str) -> keras.Model:
    """Return a network of the zoo, built once: explaining leaves it as it was."""
    if name not in _made:
        _made[name] = ZOO[name].made()
    return _made[name]
