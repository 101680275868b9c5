"""Stochastic depth (Huang, Sun, Liu, Sedra & Weinberger 2016): training skips blocks at random, testing uses all."""

from __future__ import annotations

from typing import Any

import keras
from keras import KerasTensor, layers, ops

from explorer.architectures.builders.resnet import (
    CIFAR_FILTERS,
    ZeroPadChannels,
    cifar_blocks,
    classifier,
    conv_bn,
    conv_bn_relu,
    joined,
    stages,
)


def stochastic_depth_resnet(depth: int = 110, last_survival: float = 0.5, classes: int = 10) -> keras.Model:
    """Return a residual net for pictures of 32 × 32 whose blocks training leaves out at random.

    Args:
        depth: 6n + 2, as in `resnet_cifar`.
        last_survival: probability that the last block takes part in a step of training, p_L in the paper; the
            earlier ones lie on the line from 1, before the first block, to it.
        classes: units of the output.

    Returns:
        A model from pictures `(32, 32, 3)` to probabilities, with the weights of `resnet_cifar`: 1,727,962 trainable
        ones at depth 110. As in the authors' code, and unlike `resnet_cifar`, a shortcut that halves the map takes
        the mean of each 2 × 2 cells before it appends maps of zeros.

    Raises:
        ValueError: if the depth is not 6n + 2, or the probability not in (0, 1].
    """
    if not 0 < last_survival <= 1:
        raise ValueError(f"last_survival must be above 0 and at most 1, not {last_survival}.")
    blocks = cifar_blocks(depth)
    survivals = iter(survival_probabilities(sum(blocks), last_survival))

    def block(x: KerasTensor, filters: int, strides: int, name: str) -> KerasTensor:
        return _block(x, filters, strides, name, next(survivals))

    image = keras.Input((32, 32, 3), name="image")
    x = conv_bn_relu(image, CIFAR_FILTERS[0], 3, "conv1")
    x = stages(x, blocks, CIFAR_FILTERS, block)
    return keras.Model(image, classifier(x, classes), name=f"stochastic_depth_{depth}")


def survival_probabilities(blocks: int, last_survival: float = 0.5) -> list[float]:
    """Return the probability that each block takes part: p_l = 1 − (l/L) · (1 − p_L), equation 4 of the paper."""
    return [1 - number / blocks * (1 - last_survival) for number in range(1, blocks + 1)]


def _block(x: KerasTensor, filters: int, strides: int, name: str, survival: float) -> KerasTensor:
    skip = x
    if strides > 1:
        skip = layers.AveragePooling2D(strides, name=f"{name}_0_average")(skip)
        skip = ZeroPadChannels(filters, name=f"{name}_0_zeros")(skip)
    x = conv_bn_relu(x, filters, 3, f"{name}_1", strides)
    x = conv_bn(x, filters, 3, f"{name}_2")
    x = RandomSurvival(survival, name=f"{name}_survival")(x)
    return joined(skip, x, name)


@keras.saving.register_keras_serializable("explorer")
class RandomSurvival(layers.Layer):
    """Let a block's branch through or not: in training by one toss for the whole batch, in testing by its mean.

    Args:
        survival: probability to let it through; in testing the branch is multiplied by it.
        seed: of the tosses; None for others each time.
        kwargs: as for every Keras layer.
    """

    def __init__(self, survival: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.survival = survival
        self.seed = seed
        self.tosses = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return maps of the same shape: all of them as they are or all zero in training, p times them in testing."""
        if not training:
            return inputs * self.survival
        survives = keras.random.uniform((), seed=self.tosses) < self.survival
        return inputs * ops.cast(survives, inputs.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "survival": self.survival, "seed": self.seed}
