"""The architecture of the bundled networks: a small convolutional network for the drawn world.

Eight convolutions, each followed by batch normalization and ReLU as layers of their own, so that every
step of the arithmetic can be looked at by name. For a 96×96 input:

====================  ==========  ===============  ==================
layer                 output      receptive field  multiply-adds
====================  ==========  ===============  ==================
stem (7×7, stride 2)  48×48×24    7                8.1 M
reduce (3×3, 2)       24×24×32    11               4.0 M
shapes_1, shapes_2    24×24×48    19, 27           8.0 M + 11.9 M
pool (2×2)            12×12×48    31               —
parts_1, parts_2      12×12×96    47, 63           6.0 M + 11.9 M
objects_1, objects_2  12×12×128   79, 95           15.9 M + 21.2 M
average, logits       128, 12     all              —
====================  ==========  ===============  ==================
"""

from __future__ import annotations

import keras

from explorer.networks.drawn.weights import NAMES
from explorer.pictures.drawn_world import PRETRAINING_CLASSES

SIDE = 96
STEM_LAYER = "stem_conv"
LAST_CONVOLUTION = "objects_2_relu"
LOGITS_LAYER = "logits"


def build(
    name: str = "drawn_plain", *, side: int | None = SIDE, classes: int = len(PRETRAINING_CLASSES)
) -> keras.Model:
    """Build the untrained network.

    Args:
        name: "drawn_plain" or "drawn_robust"; both have the same architecture, the name is the model's.
        side: height and width of the input in pixels; `None` leaves both open (the network is fully
            convolutional up to its pooling).
        classes: number of logits.

    Returns:
        A functional model from pictures `(n, side, side, 3)` in [0, 1] to logits `(n, classes)`.

    Raises:
        ValueError: if the name is neither of the two.
    """
    if name not in NAMES:
        raise ValueError(f"There is no drawn network {name!r}; the names are {', '.join(NAMES)}.")
    inputs = keras.Input((side, side, 3), name="picture")
    x = _convolution(inputs, "stem", filters=24, kernel_size=7, strides=2)
    x = _convolution(x, "reduce", filters=32, strides=2)
    x = _convolution(x, "shapes_1", filters=48)
    x = _convolution(x, "shapes_2", filters=48)
    x = keras.layers.MaxPooling2D(2, name="pool")(x)
    x = _convolution(x, "parts_1", filters=96)
    x = _convolution(x, "parts_2", filters=96)
    x = _convolution(x, "objects_1", filters=128)
    x = _convolution(x, "objects_2", filters=128)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    # Always in full precision, also where the network is trained in a mixed one.
    logits = keras.layers.Dense(classes, dtype="float32", name=LOGITS_LAYER)(x)
    return keras.Model(inputs, logits, name=name)


def _convolution(
    x: keras.KerasTensor, name: str, *, filters: int, kernel_size: int = 3, strides: int = 1
) -> keras.KerasTensor:
    # The batch statistics of a short schedule need a quick moving average: 0.99 would lag behind.
    x = keras.layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = keras.layers.BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
