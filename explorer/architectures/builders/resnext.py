"""ResNeXt (Xie, Girshick, Dollár, Tu & He 2016): a bottleneck split into many thin branches, as grouped convolution."""

from __future__ import annotations

from functools import partial

import keras
from keras import KerasTensor

from explorer.architectures.builders.arguments import at_least, one_of
from explorer.architectures.builders.resnet import (
    BLOCKS,
    FILTERS,
    OnBranch,
    classifier,
    conv_bn,
    conv_bn_relu,
    joined,
    shortcut_of,
    stages,
    stem,
)

DEPTHS = (50, 101, 152)


def resnext(
    depth: int = 50, cardinality: int = 32, width: int = 4, input_side: int = 224, classes: int = 1000
) -> keras.Model:
    """Return a ResNeXt.

    Args:
        depth: 50, 101 or 152, with as many blocks as the ResNet of that depth.
        cardinality: branches of each block, C in the paper.
        width: filters of each branch in the first stage, d in the paper; they double from stage to stage.
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities; 32 × 4d has 25,028,904 trainable
        weights at depth 50 and 44,177,704 at 101, 64 × 4d has 83,455,272 at 101. Cardinality 1 and width 64 is
        ResNet, but for the halving, which happens in the 3 × 3 convolution here.

    Raises:
        ValueError: if there is no such depth.
    """
    one_of("depth", depth, DEPTHS)
    at_least("input_side", input_side, 32)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = stem(image)
    x = stages(x, BLOCKS[depth], FILTERS, partial(resnext_block, cardinality=cardinality, width=width))
    return keras.Model(image, classifier(x, classes), name=f"resnext_{depth}_{cardinality}x{width}d")


def resnext_block(
    x: KerasTensor,
    filters: int,
    strides: int,
    name: str,
    cardinality: int,
    width: int,
    on_branch: OnBranch | None = None,
) -> KerasTensor:
    """Return x + `cardinality` bottlenecks of x, written as one with a grouped convolution (figure 3c)."""
    inner = cardinality * width * filters // FILTERS[0]
    skip = shortcut_of(x, 4 * filters, strides, name)
    x = conv_bn_relu(x, inner, 1, f"{name}_1")
    x = conv_bn_relu(x, inner, 3, f"{name}_2", strides, groups=cardinality)
    x = conv_bn(x, 4 * filters, 1, f"{name}_3")
    return joined(skip, x, name, on_branch)
