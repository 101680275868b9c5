"""What counting gives: plain data about layers and networks that travels between worker, files and page (no Keras)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from explorer.networks.structure import Structure

Origin = Literal["keras", "own"]


@dataclass(frozen=True)
class Cost:
    """What one call of one layer costs, for one picture.

    Attributes:
        parameters: Weights that the layer owns, trainable or not; 0 for a later call of a shared layer.
        trainable: How many of these training changes.
        multiply_adds: Products that are added up (multiply-accumulates, half of what some call FLOPs): those of
            convolutions and dense layers, and of what else multiplies weights or maps with each other, as attention,
            recurrent layers, LeNet-5's subsampling and its comparison with drawn digits do
            (`explorer.architectures.products` says how). Additions of shortcuts, biases, normalisation, activations
            and pooling count 0, as in the papers.
        activations: Values in the layer's output.
        field: (height, width) in pixels of the receptive field of one output cell, borders left out; None where it
            has none (a vector) or where it cannot be told.
        stride: (rows, columns) in pixels that the field moves by from one cell to the next; None likewise.
        sees_all: Whether the cell depends on the whole input: behind global pooling, flattening, or a
            squeeze-and-excitation gate.
    """

    parameters: int
    trainable: int
    multiply_adds: int
    activations: int
    field: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    sees_all: bool = False


@dataclass(frozen=True)
class NetworkTable:
    """A network, layer by layer.

    Attributes:
        structure: Its layers, what feeds what, and the tree of stages and blocks.
        costs: What each layer costs, by its path, in the order in which the network calls them.
        input_shape: (height, width, channels) that was counted for; (length, channels) or (n,) for others.
        depth: Layers with weights (convolutions, transposed ones, dense) on the longest way from input to output:
            what the 16 of VGG16 and the 50 of ResNet50 count.
        notes: Sentences that belong beside the numbers.
    """

    structure: Structure
    costs: dict[str, Cost]
    input_shape: tuple[int, ...]
    depth: int
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.structure.network

    @property
    def parameters(self) -> int:
        """Weights of the whole network."""
        return sum(cost.parameters for cost in self.costs.values())

    @property
    def trainable(self) -> int:
        """Weights that training changes."""
        return sum(cost.trainable for cost in self.costs.values())

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one picture."""
        return sum(cost.multiply_adds for cost in self.costs.values())

    @property
    def activations(self) -> int:
        """Values in all layers' outputs; an activation or a padding written as a layer of its own counts again.

        A framework that works in place, or fuses layers, keeps fewer of them for the way back.
        """
        return sum(cost.activations for cost in self.costs.values())


@dataclass(frozen=True)
class Card:
    """What is known of one network beside its layers.

    Attributes:
        name: Its name in links and code; for keras.applications that of the function.
        title: For people: "GoogLeNet", "ResNet-50".
        family: The group that it is shown in.
        year: Of the paper's first appearance; None for a network that no paper describes.
        paper: "Authors, “Title”, venue year", or where else it comes from.
        url: Of the paper (arXiv where there is one); empty where it is not to be had.
        idea: What was new, in one sentence.
        builder: "package.module:function".
        origin: "keras" (keras.applications) or "own" (explorer.architectures.builders).
        arguments: Given to the builder by name.
        input_shape: (height, width, channels) that it was made for.
        top1: Accuracy on ImageNet's validation set in percent, one crop, or None where none was published.
        top5: Likewise.
        accuracy_source: Where these two come from, in a few words; empty without them.
        note: What differs from the paper, or a number on well-known slides that is wrong; empty for nothing.
        more_data: Whether the weights of that accuracy were first trained on more than ImageNet's 1,000 classes, so
            that it cannot be held against the others'.
        twin: Name of the card of which this is the same network, written a second time; empty for most.
    """

    name: str
    title: str
    family: str
    year: int | None
    paper: str
    url: str
    idea: str
    builder: str
    origin: Origin
    arguments: dict[str, object] = field(default_factory=dict)
    input_shape: tuple[int, ...] = (224, 224, 3)
    top1: float | None = None
    top5: float | None = None
    accuracy_source: str = ""
    note: str = ""
    more_data: bool = False
    twin: str = ""


@dataclass(frozen=True)
class Totals:
    """The numbers of one network in the catalogue's list.

    Attributes:
        name: Of the card.
        parameters: Weights.
        trainable: Those that training changes.
        multiply_adds: For one picture of `input_shape`.
        activations: Values in all layers' outputs.
        depth: Layers with weights on the longest way.
        layers: Number of layer calls.
        input_shape: What was counted for.
    """

    name: str
    parameters: int
    trainable: int
    multiply_adds: int
    activations: int
    depth: int
    layers: int
    input_shape: tuple[int, ...]
