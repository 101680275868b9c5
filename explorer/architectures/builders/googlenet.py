"""GoogLeNet (Szegedy et al. 2014): inception modules, which look at several scales at once, with 1 × 1 reductions."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least
from explorer.architectures.builders.local_response_normalization import LocalResponseNormalization

# Table 1 of the paper, filters of: 1×1; reduction before 3×3, 3×3; reduction before 5×5, 5×5; 1×1 after the pooling.
STAGES: dict[int, dict[str, tuple[int, int, int, int, int, int]]] = {
    3: {
        "a": (64, 96, 128, 16, 32, 32),
        "b": (128, 128, 192, 32, 96, 64),
    },
    4: {
        "a": (192, 96, 208, 16, 48, 64),
        "b": (160, 112, 224, 24, 64, 64),
        "c": (128, 128, 256, 24, 64, 64),
        "d": (112, 144, 288, 32, 64, 64),
        "e": (256, 160, 320, 32, 128, 128),
    },
    5: {
        "a": (256, 160, 320, 32, 128, 128),
        "b": (384, 192, 384, 48, 128, 128),
    },
}
# The modules that an auxiliary output looks at.
AUXILIARIES = {"4a": "aux1", "4d": "aux2"}


def googlenet(auxiliary: bool = False, input_side: int = 224, classes: int = 1000) -> keras.Model:
    """Return GoogLeNet, also known as Inception v1: 6,998,552 weights, 13,378,280 with the auxiliary outputs.

    Args:
        auxiliary: whether the two side outputs are there, which lend the early layers a gradient in training
            (their losses count 0.3 each) and are thrown away afterwards.
        input_side: height and width of the picture.
        classes: units of each output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities; with `auxiliary` to three of them, the
        main one first.

    Raises:
        ValueError: if the picture is too small: for four halvings, or for the windows of the auxiliary outputs.

    The paper says where local response normalisation stands, but not with which constants: they are AlexNet's here.
    """
    at_least("input_side", input_side, 65 if auxiliary else 32)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = _conv(image, 64, 7, "conv1", strides=2)
    x = _halved(x, "pool1")
    x = LocalResponseNormalization(name="norm1")(x)
    x = _conv(x, 64, 1, "conv2_reduce")
    x = _conv(x, 192, 3, "conv2")
    x = LocalResponseNormalization(name="norm2")(x)
    x = _halved(x, "pool2")
    side_outputs = []
    for stage, modules in STAGES.items():
        for letter, filters in modules.items():
            x = inception(x, filters, f"inception_{stage}{letter}")
            name = AUXILIARIES.get(f"{stage}{letter}")
            if auxiliary and name:
                side_outputs.append(_auxiliary_output(x, classes, name))
        if stage < 5:
            x = _halved(x, f"pool{stage}")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    if auxiliary:
        return keras.Model(image, [scores, *side_outputs], name="googlenet_auxiliary")
    return keras.Model(image, scores, name="googlenet")


def inception(x: KerasTensor, filters: tuple[int, int, int, int, int, int], name: str) -> KerasTensor:
    """Return the maps of four branches side by side (figure 2b), one above the other in the channels."""
    one, three_reduce, three, five_reduce, five, pooled = filters
    point = _conv(x, one, 1, f"{name}_1x1")
    middle = _conv(_conv(x, three_reduce, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3")
    wide = _conv(_conv(x, five_reduce, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5")
    pool = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    pool = _conv(pool, pooled, 1, f"{name}_pool_1x1")
    return layers.Concatenate(name=name)([point, middle, wide, pool])


def _auxiliary_output(x: KerasTensor, classes: int, name: str) -> KerasTensor:
    x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)
    x = _conv(x, 128, 1, f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(1024, activation="relu", name=f"{name}_dense")(x)
    x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
    return layers.Dense(classes, activation="softmax", name=f"{name}_predictions")(x)


def _conv(x: KerasTensor, filters: int, kernel_size: int, name: str, strides: int = 1) -> KerasTensor:
    return layers.Conv2D(filters, kernel_size, strides, padding="same", activation="relu", name=name)(x)


def _halved(x: KerasTensor, name: str) -> KerasTensor:
    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)
