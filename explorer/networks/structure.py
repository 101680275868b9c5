"""The structure of a network as plain data: what a page needs to draw it, without Keras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

BlockKind = Literal["stage", "block", "residual", "branches", "nested"]


@dataclass(frozen=True)
class LayerInfo:
    """One call of one layer.

    Attributes:
        path: Layer names joined by "/" through nested models; "#2", "#3" follow for later calls of one layer.
        name: The layer's own name.
        kind: Its class name, such as "Conv2D"; an operation without a layer has the operation's class name.
        output_shape: Shape of its (first) output without the batch; None where it depends on the input.
        parameters: Number of weights that the layer owns; a later call of a shared layer counts 0.
        trainable: Whether training would change them.
        channels: Size of the last axis of the output, or None where there is none.
        inputs: Paths of the layers whose outputs go in, in order.
        config: The few telling arguments, such as filters, kernel_size, strides, activation.
        stage: Number of the spatial resolution that the layer works at: 0 for the input's own, one more
            each time that the map gets smaller.
    """

    path: str
    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int
    trainable: bool
    channels: int | None
    inputs: tuple[str, ...]
    config: dict[str, Any] = field(default_factory=dict)
    stage: int = 0


@dataclass(frozen=True)
class LayerNode:
    """A leaf of the tree: one layer, named by its path."""

    path: str


@dataclass(frozen=True)
class Block:
    """A group of layers that is read as one thing.

    A block of kind "residual" or "branches" runs its `branches` side by side from the same input (an empty
    branch hands the input on unchanged), then `merge` joins them, then its `children`, if any, follow. All
    other kinds only have `children`, one after the other.

    Attributes:
        title: For people: "Stage 3 · 28 × 28", "Inception module mixed3".
        kind: What sort of group it is.
        children: What follows one after the other (for residual and branches: after the merge).
        branches: What runs side by side; in a residual block first the main path, then the shortcuts.
        output: Path of the layer whose output leaves the block.
        parameters: Number of weights inside.
        output_shape: Shape of that output without the batch.
        merge: Path of the layer that joins the branches, for residual and branches.
    """

    title: str
    kind: BlockKind
    children: tuple[Node, ...]
    branches: tuple[tuple[Node, ...], ...]
    output: str
    parameters: int
    output_shape: tuple[int | None, ...]
    merge: str | None = None


Node = LayerNode | Block


def paths_of(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the paths of all layers below some nodes, in the order in which the tree shows them."""
    for node in nodes:
        if isinstance(node, LayerNode):
            yield node.path
            continue
        for branch in node.branches:
            yield from paths_of(branch)
        if node.merge is not None:
            yield node.merge
        yield from paths_of(node.children)


def blocks_of(nodes: Iterable[Node]) -> Iterator[Block]:
    """Yield all blocks below some nodes, each before the blocks inside it."""
    for node in nodes:
        if isinstance(node, Block):
            yield node
            for branch in node.branches:
                yield from blocks_of(branch)
            yield from blocks_of(node.children)


@dataclass(frozen=True)
class Structure:
    """A network as a tree of blocks over its layers.

    Attributes:
        network: The catalogue's name.
        nodes: The top of the tree, from input to output; every layer occurs in it exactly once.
        layers: Every layer by its path, in the order in which the network calls them.
    """

    network: str
    nodes: tuple[Node, ...]
    layers: dict[str, LayerInfo]

    @property
    def parameters(self) -> int:
        """Number of weights of the whole network."""
        return sum(layer.parameters for layer in self.layers.values())
