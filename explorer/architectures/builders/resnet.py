"""ResNet (He, Zhang, Ren & Sun 2015): each block learns what to add to its input, which passes it unchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import keras
from keras import KerasTensor, layers, ops

from explorer.architectures.builders.arguments import at_least, one_of

Shortcut = Literal["projection", "identity"]
# What is done to a block's branch before it is added: (maps, name of the block) → maps.
OnBranch = Callable[[KerasTensor, str], KerasTensor]
# (maps, filters, strides, name of the block) → maps.
MakeBlock = Callable[[KerasTensor, int, int, str], KerasTensor]

SHORTCUTS = ("projection", "identity")
# Blocks in the four stages, table 1 of the paper.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
FILTERS = (64, 128, 256, 512)
CIFAR_FILTERS = (16, 32, 64)
# The deepest net that is built from pairs of 3 × 3 convolutions; deeper ones have bottlenecks.
_DEEPEST_BASIC = 34
# The value in keras.applications.
_EPSILON = 1.001e-5


def resnet(
    depth: int = 50,
    shortcut: Shortcut = "projection",
    bias: bool = False,
    input_side: int = 224,
    classes: int = 1000,
) -> keras.Model:
    """Return a residual net for ImageNet.

    Args:
        depth: layers with weights on the main path: 18 and 34 from basic blocks; 50, 101 and 152 from bottlenecks.
        shortcut: what a shortcut does where its ends have different shapes: "projection", a 1 × 1 convolution
            (option B of the paper), or "identity", every second row and column and zeros for the new maps (option
            A, without weights).
        bias: whether the convolutions have biases. The paper's have none, for batch normalisation takes any
            constant away again; those of keras.applications have them.
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities. Trainable weights with projections and
        without biases: 11,689,512, 21,797,672, 25,557,032, 44,549,160 and 60,192,808. With biases, 50, 101 and 152
        are layer by layer those of keras.applications, with 25,636,712 weights for 50. As there and in the paper's
        own code, a bottleneck that halves the map does so in its first 1 × 1 convolution.

    Raises:
        ValueError: if there is no such depth or shortcut.
    """
    one_of("depth", depth, BLOCKS)
    one_of("shortcut", shortcut, SHORTCUTS)
    at_least("input_side", input_side, 32)
    block = basic_block if depth <= _DEEPEST_BASIC else bottleneck_block
    image = keras.Input((input_side, input_side, 3), name="image")
    x = stem(image, bias)
    x = stages(x, BLOCKS[depth], FILTERS, partial(block, shortcut=shortcut, bias=bias))
    kind = "" if shortcut == "projection" else "_identity"
    return keras.Model(image, classifier(x, classes), name=f"resnet_{depth}{kind}")


def resnet_cifar(depth: int = 20, shortcut: Shortcut = "identity", classes: int = 10) -> keras.Model:
    """Return a residual net for pictures of 32 × 32 (section 4.2 of the paper).

    Args:
        depth: 6n + 2, such as 20, 32, 44, 56 and 110: three stages of n basic blocks with 16, 32 and 64 filters.
        shortcut: as in `resnet`; the paper has "identity" here.
        classes: units of the output.

    Returns:
        A model from pictures `(32, 32, 3)` to probabilities, with 269,722, 464,154, 658,586, 853,018 and 1,727,962
        trainable weights for the depths named.

    Raises:
        ValueError: if the depth is not 6n + 2, or there is no such shortcut.
    """
    one_of("shortcut", shortcut, SHORTCUTS)
    blocks = cifar_blocks(depth)
    image = keras.Input((32, 32, 3), name="image")
    x = conv_bn_relu(image, CIFAR_FILTERS[0], 3, "conv1")
    x = stages(x, blocks, CIFAR_FILTERS, partial(basic_block, shortcut=shortcut))
    return keras.Model(image, classifier(x, classes), name=f"resnet_cifar_{depth}")


def cifar_blocks(depth: int) -> tuple[int, int, int]:
    """Return how many blocks each of the three stages has in a net of depth 6n + 2: n.

    Raises:
        ValueError: if the depth is not of that form.
    """
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise ValueError(f"depth must be 6n + 2, such as 20, 32, 44, 56 or 110, not {depth}.")
    return blocks, blocks, blocks


def stem(image: KerasTensor, bias: bool = False) -> KerasTensor:
    """Return a quarter of the picture's size in 64 maps: a strided 7 × 7 convolution, then pooling."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=bias, name="conv1_conv")(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name="conv1_bn")(x)
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def stages(x: KerasTensor, blocks: Sequence[int], filters: Sequence[int], block: MakeBlock) -> KerasTensor:
    """Return the maps after all stages; each but the first starts with a block that halves their size."""
    for stage, (number_of_blocks, width) in enumerate(zip(blocks, filters, strict=True), start=2):
        for number in range(1, number_of_blocks + 1):
            strides = 2 if number == 1 and stage > 2 else 1
            x = block(x, width, strides, f"conv{stage}_block{number}")
    return x


def basic_block(
    x: KerasTensor,
    filters: int,
    strides: int,
    name: str,
    shortcut: Shortcut = "projection",
    bias: bool = False,
    on_branch: OnBranch | None = None,
) -> KerasTensor:
    """Return x + two 3 × 3 convolutions of x (figure 5, left)."""
    skip = shortcut_of(x, filters, strides, name, shortcut, bias)
    x = conv_bn_relu(x, filters, 3, f"{name}_1", strides, bias=bias)
    x = conv_bn(x, filters, 3, f"{name}_2", bias=bias)
    return joined(skip, x, name, on_branch)


def bottleneck_block(
    x: KerasTensor,
    filters: int,
    strides: int,
    name: str,
    shortcut: Shortcut = "projection",
    bias: bool = False,
    on_branch: OnBranch | None = None,
) -> KerasTensor:
    """Return x + a 3 × 3 convolution between two of 1 × 1, which narrow and widen by four (figure 5, right)."""
    skip = shortcut_of(x, 4 * filters, strides, name, shortcut, bias)
    x = conv_bn_relu(x, filters, 1, f"{name}_1", strides, bias=bias)
    x = conv_bn_relu(x, filters, 3, f"{name}_2", bias=bias)
    x = conv_bn(x, 4 * filters, 1, f"{name}_3", bias=bias)
    return joined(skip, x, name, on_branch)


def shortcut_of(
    x: KerasTensor,
    filters: int,
    strides: int,
    name: str,
    shortcut: Shortcut = "projection",
    bias: bool = False,
    kernel_size: int = 1,
) -> KerasTensor:
    """Return x itself, or x brought to the shape that a block puts out."""
    if strides == 1 and x.shape[-1] == filters:
        return x
    if shortcut == "projection":
        return conv_bn(x, filters, kernel_size, f"{name}_0", strides, bias=bias)
    if strides > 1:
        # A window of one cell keeps it: this takes every second row and column.
        x = layers.MaxPooling2D(1, strides=strides, name=f"{name}_0_subsample")(x)
    return ZeroPadChannels(filters, name=f"{name}_0_zeros")(x)


def joined(skip: KerasTensor, branch: KerasTensor, name: str, on_branch: OnBranch | None = None) -> KerasTensor:
    """Return the sum of shortcut and branch, rectified."""
    if on_branch is not None:
        branch = on_branch(branch, name)
    x = layers.Add(name=f"{name}_add")([skip, branch])
    return layers.ReLU(name=f"{name}_out")(x)


def conv_bn_relu(
    x: KerasTensor, filters: int, kernel_size: int, name: str, strides: int = 1, groups: int = 1, bias: bool = False
) -> KerasTensor:
    """Return a convolution, normalised and rectified."""
    return layers.ReLU(name=f"{name}_relu")(conv_bn(x, filters, kernel_size, name, strides, groups, bias))


def conv_bn(
    x: KerasTensor, filters: int, kernel_size: int, name: str, strides: int = 1, groups: int = 1, bias: bool = False
) -> KerasTensor:
    """Return a convolution, normalised."""
    x = layers.Conv2D(filters, kernel_size, strides, padding="same", groups=groups, use_bias=bias, name=f"{name}_conv")(
        x
    )
    return layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)


def classifier(x: KerasTensor, classes: int) -> KerasTensor:
    """Return probabilities from the mean of each map."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return layers.Dense(classes, activation="softmax", name="predictions")(x)


@keras.saving.register_keras_serializable("explorer")
class ZeroPadChannels(layers.Layer):
    """Append maps of zeros until there are as many as asked for.

    Args:
        filters: number of maps in the output.
        kwargs: as for every Keras layer.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters

    def call(self, inputs: Any) -> Any:
        """Return maps `(batch, height, width, filters)`."""
        missing = self.filters - inputs.shape[-1]
        return ops.pad(inputs, [(0, 0)] * (len(inputs.shape) - 1) + [(0, missing)])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape with `filters` maps."""
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "filters": self.filters}
