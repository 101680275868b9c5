"""The blocks of the lab, in the order in which they are shown: roughly that of the papers."""

from __future__ import annotations

from explorer.architectures.blocks import (
    bottleneck,
    bottleneck_residual,
    dense_block,
    depth_concat,
    global_pooling,
    grouped,
    highway,
    inception,
    inverted_residual,
    residual,
    resnext,
    separable,
    small_filters,
    squeeze_excitation,
    stochastic_depth,
    stride_pooling,
)
from explorer.architectures.blocks.block import Block

BLOCKS: tuple[Block, ...] = (
    small_filters.BLOCK,
    bottleneck.BLOCK,
    inception.BLOCK,
    depth_concat.BLOCK,
    global_pooling.BLOCK,
    stride_pooling.BLOCK,
    highway.BLOCK,
    residual.BLOCK,
    bottleneck_residual.BLOCK,
    stochastic_depth.BLOCK,
    dense_block.BLOCK,
    resnext.BLOCK,
    squeeze_excitation.BLOCK,
    grouped.BLOCK,
    separable.BLOCK,
    inverted_residual.BLOCK,
)


def block(name: str) -> Block:
    """Return the block of that name; the first for a name that there is not."""
    return next((one for one in BLOCKS if one.name == name), BLOCKS[0])
