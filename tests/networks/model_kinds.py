"""Small models of every kind that the tap must see through, with smooth activations and fixed weights."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

SHAPE = (8, 8, 3)


def picture(count: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *SHAPE)).astype(np.float32)


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(SHAPE, name="picture"),
            layers.Conv2D(4, 3, padding="same", activation="tanh", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.AveragePooling2D(2, name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(5, name="logits"),
        ],
        name="sequential_kind",
    )


def functional() -> keras.Model:
    picture = keras.Input(SHAPE, name="picture")
    x = layers.Conv2D(4, 3, padding="same", name="conv")(picture)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Activation("gelu", name="act")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="functional_kind")


def nested() -> keras.Model:
    inner_input = keras.Input((8, 8, 4), name="inner_input")
    x = layers.Conv2D(4, 3, padding="same", activation="tanh", name="conv")(inner_input)
    inner = keras.Model(inner_input, layers.Conv2D(6, 3, strides=2, name="conv_2")(x), name="inner")
    tail = keras.Sequential([layers.Flatten(name="flat"), layers.Dense(7, activation="tanh", name="wide")], name="tail")
    picture = keras.Input(SHAPE, name="picture")
    x = layers.Conv2D(4, 1, name="conv")(picture)
    x = tail(inner(x))
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="nested_kind")


def residual() -> keras.Model:
    picture = keras.Input(SHAPE, name="picture")
    x = layers.Conv2D(4, 3, padding="same", name="stem")(picture)
    for number in (1, 2):
        y = layers.Conv2D(4, 3, padding="same", activation="tanh", name=f"block{number}_conv1")(x)
        y = layers.Conv2D(4, 3, padding="same", name=f"block{number}_conv2")(y)
        x = layers.Add(name=f"block{number}_add")([x, y])
        x = layers.Activation("tanh", name=f"block{number}_out")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="residual_kind")


def branches() -> keras.Model:
    picture = keras.Input(SHAPE, name="picture")
    a = layers.Conv2D(2, 1, activation="tanh", name="one")(picture)
    b = layers.Conv2D(3, 3, padding="same", activation="tanh", name="three")(picture)
    c = layers.AveragePooling2D(3, strides=1, padding="same", name="smooth")(picture)
    c = layers.Conv2D(2, 1, name="after")(c)
    x = layers.Concatenate(name="mixed")([a, b, c])
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="branches_kind")


def shared_layer() -> keras.Model:
    picture = keras.Input(SHAPE, name="picture")
    conv = layers.Conv2D(3, 3, padding="same", activation="tanh", name="conv")
    x = conv(conv(picture))
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="shared_layer_kind")


def shared_model() -> keras.Model:
    inner_input = keras.Input(SHAPE, name="inner_input")
    inner = keras.Model(
        inner_input, layers.Conv2D(3, 3, padding="same", activation="tanh", name="conv")(inner_input), name="inner"
    )
    picture = keras.Input(SHAPE, name="picture")
    x = layers.Subtract(name="difference")([inner(inner(picture)), picture])
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="shared_model_kind")


def operations() -> keras.Model:
    picture = keras.Input(SHAPE, name="picture")
    x = layers.Conv2D(4, 3, padding="same", name="conv")(picture)
    x = keras.ops.tanh(x) * 2.0 + keras.ops.sigmoid(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="operations_kind")


class Squeezed(layers.Layer):
    """Somebody's own layer made of layers: x + out(tanh(conv(x)))."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, padding="same", activation="tanh", name="conv")
        self.out = layers.Conv2D(4, 1, name="out")

    def call(self, x: object) -> object:
        return x + self.out(self.conv(x))


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="subclassed_kind")
        self.stem = layers.Conv2D(4, 3, padding="same", name="stem")
        self.block = Squeezed(name="block")
        self.more = [layers.Conv2D(4, 3, padding="same", activation="tanh", name=f"more_{n}") for n in (1, 2)]
        self.head = keras.Sequential(
            [layers.GlobalAveragePooling2D(name="average"), layers.Dense(5, name="logits")], name="head"
        )

    def call(self, x: object) -> object:
        x = self.block(self.stem(x))
        for layer in self.more:
            x = layer(x) + x
        return self.head(x)


def subclassed() -> keras.Model:
    model = Subclassed()
    model(np.zeros((1, *SHAPE), np.float32))
    return model


def composite() -> keras.Model:
    picture = keras.Input(SHAPE, name="picture")
    x = layers.Conv2D(4, 1, name="stem")(picture)
    x = Squeezed(name="block")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, layers.Dense(5, name="logits")(x), name="composite_kind")


KINDS: dict[str, Callable[[], keras.Model]] = {
    kind.__name__: kind
    for kind in (
        sequential,
        functional,
        nested,
        residual,
        branches,
        shared_layer,
        shared_model,
        operations,
        subclassed,
        composite,
    )
}


def made(kind: str, seed: int = 1) -> keras.Model:
    """Build one kind with weights that depend on the seed alone."""
    model = KINDS[kind]()
    random = np.random.default_rng(seed)
    for variable in model.weights:
        values = random.normal(scale=0.4, size=variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return model
