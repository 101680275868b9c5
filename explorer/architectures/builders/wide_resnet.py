"""Wide ResNet (Zagoruyko & Komodakis 2016): fewer blocks with k times as many filters."""

from __future__ import annotations

from functools import partial

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.resnet import CIFAR_FILTERS, stages


def wide_resnet(depth: int = 28, k: int = 10, dropout: float = 0.0, classes: int = 10) -> keras.Model:
    """Return WRN-depth-k for pictures of 32 × 32.

    Args:
        depth: 6n + 4, such as 16, 22, 28 and 40: three stages of n blocks.
        k: how many times wider than a ResNet each stage is: 16k, 32k and 64k filters.
        dropout: share of the values between a block's two convolutions that training drops; 0 leaves the layer out.
        classes: units of the output.

    Returns:
        A model from pictures `(32, 32, 3)` to probabilities; 36,479,194 trainable weights for 28-10, 2,243,546 for
        40-2, 17,116,634 for 16-10.

    Raises:
        ValueError: if the depth is not 6n + 4.
    """
    blocks, rest = divmod(depth - 4, 6)
    if rest or blocks < 1:
        raise ValueError(f"depth must be 6n + 4, such as 16, 22, 28 or 40, not {depth}.")
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(CIFAR_FILTERS[0], 3, padding="same", use_bias=False, name="conv1")(image)
    x = stages(x, (blocks,) * 3, [k * filters for filters in CIFAR_FILTERS], partial(wide_block, dropout=dropout))
    x = _bn_relu(x, "post")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name=f"wide_resnet_{depth}_{k}")


def wide_block(x: KerasTensor, filters: int, strides: int, name: str, dropout: float = 0.0) -> KerasTensor:
    """Return x + two 3 × 3 convolutions, each after its normalisation and ReLU; nothing follows the sum."""
    branch = _bn_relu(x, f"{name}_1")
    # Where the shape changes, the projection takes the normalised maps too, as in the authors' code.
    skip = x if strides == 1 and x.shape[-1] == filters else _conv(branch, filters, 1, f"{name}_0", strides)
    branch = _conv(branch, filters, 3, f"{name}_1", strides)
    branch = _bn_relu(branch, f"{name}_2")
    if dropout:
        branch = layers.Dropout(dropout, name=f"{name}_dropout")(branch)
    branch = _conv(branch, filters, 3, f"{name}_2")
    return layers.Add(name=f"{name}_add")([skip, branch])


def _bn_relu(x: KerasTensor, name: str) -> KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _conv(x: KerasTensor, filters: int, kernel_size: int, name: str, strides: int = 1) -> KerasTensor:
    return layers.Conv2D(filters, kernel_size, strides, padding="same", use_bias=False, name=f"{name}_conv")(x)
