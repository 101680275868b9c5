"""ShuffleNet (Zhang, Zhou, Lin & Sun 2017): grouped 1 × 1 convolutions, with a shuffle so that groups meet."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from explorer.architectures.builders.arguments import at_least, one_of

# Maps that stage 2 puts out, by the number of groups (table 1 of the paper); stages 3 and 4 double them. More groups
# leave room for more maps at the same work.
FIRST_MAPS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
UNITS = (4, 8, 4)
STEM_FILTERS = 24


def shufflenet(groups: int = 3, scale: float = 1.0, input_side: int = 224, classes: int = 1000) -> keras.Model:
    """Return ShuffleNet (the first version).

    Args:
        groups: groups of the 1 × 1 convolutions: 1, 2, 3, 4 or 8, with 1,531,936, 1,733,848, 1,865,728, 1,968,344
            and 2,434,768 trainable weights.
        scale: how many of the filters each layer has, s in the paper, the first convolution included (whose number
            is rounded up to a multiple of the groups). For 1.5 the authors' later code leaves that one at 24.
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    Raises:
        ValueError: if there is no such number of groups, or the groups do not divide the scaled bottlenecks.
    """
    one_of("groups", groups, FIRST_MAPS)
    at_least("input_side", input_side, 32)
    # A multiple of the groups, so that what the first unit appends to these maps can be parted too.
    stem = math.ceil(STEM_FILTERS * scale / groups) * groups
    first = int(FIRST_MAPS[groups] * scale)
    if first < 1 or first % (4 * groups):
        raise ValueError(f"With scale {scale} the bottlenecks cannot be parted into {groups} groups; change either.")
    image = keras.Input((input_side, input_side, 3), name="image")
    x = layers.Conv2D(stem, 3, 2, padding="same", use_bias=False, name="conv1")(image)
    x = layers.BatchNormalization(name="conv1_bn")(x)
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    for stage, units in enumerate(UNITS, start=2):
        maps = first * 2 ** (stage - 2)
        for number in range(1, units + 1):
            x = shuffle_unit(x, maps, groups, 2 if number == 1 else 1, f"stage{stage}_unit{number}")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name=f"shufflenet_g{groups}_{scale:g}".replace(".", "_"))


def shuffle_unit(x: KerasTensor, maps: int, groups: int, strides: int, name: str) -> KerasTensor:
    """Return a bottleneck of grouped and depthwise convolutions, added to x or, halving, appended (figure 2)."""
    inner = maps // 4
    # Too few maps come into the very first unit to be parted.
    first_groups = 1 if x.shape[-1] < inner else groups
    branch = _pointwise_bn(x, inner, first_groups, f"{name}_1")
    branch = layers.ReLU(name=f"{name}_1_relu")(branch)
    if groups > 1:
        branch = ChannelShuffle(groups, name=f"{name}_shuffle")(branch)
    branch = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False, name=f"{name}_2_depthwise")(branch)
    branch = layers.BatchNormalization(name=f"{name}_2_bn")(branch)
    if strides == 1:
        branch = _pointwise_bn(branch, maps, groups, f"{name}_3")
        x = layers.Add(name=f"{name}_add")([x, branch])
    else:
        branch = _pointwise_bn(branch, maps - x.shape[-1], groups, f"{name}_3")
        skip = layers.AveragePooling2D(3, strides=strides, padding="same", name=f"{name}_0_pool")(x)
        x = layers.Concatenate(name=f"{name}_concat")([skip, branch])
    return layers.ReLU(name=f"{name}_out")(x)


def _pointwise_bn(x: KerasTensor, filters: int, groups: int, name: str) -> KerasTensor:
    x = layers.Conv2D(filters, 1, groups=groups, use_bias=False, name=f"{name}_conv")(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


def shuffled(channels: int, groups: int) -> np.ndarray:
    """Return which channel comes to each place: the first of every group, then the second of every group, …"""
    return np.arange(channels).reshape(groups, channels // groups).T.ravel()


@keras.saving.register_keras_serializable("explorer")
class ChannelShuffle(layers.Layer):
    """Deal the channels out anew, so that the next layer's groups each get some of every group before.

    Args:
        groups: number of groups that the channels come in.
        kwargs: as for every Keras layer.
    """

    def __init__(self, groups: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = groups

    def call(self, inputs: Any) -> Any:
        """Return maps of the same shape in another order."""
        return ops.take(inputs, shuffled(inputs.shape[-1], self.groups), axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "groups": self.groups}
