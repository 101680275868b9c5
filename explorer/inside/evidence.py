"""Evidence among pictures as plain data: patches that drive a channel, neighbours of a picture (no Keras here)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Patch:
    """The place of one picture that a channel answers to most.

    Boxes are (top, left, bottom, right) in pixels of the network's input; bottom and right are exclusive.

    Attributes:
        pixels: uint8 (h, w, 3), the part of the network's input inside `window`.
        value: What the channel answers there (for a class: the logit).
        source: The picture as a link writes it ("drawn:cat:5003", "sample:chelsea"), or "own:<position>".
        title: The picture's name for people.
        own: Whether it is the visitor's.
        cell: (row, column) of the channel's map; None where the layer has no places.
        field: The part of the input that the cell depends on, inside the picture.
        window: What is shown: as large as the field would be without borders (at most the whole input), around the
            field, moved until it lies inside the picture.
        picture: uint8, all of the network's input, at most 96 pixels a side.
        rank: 1 for the strongest of all pictures that were looked at.
    """

    pixels: np.ndarray
    value: float
    source: str
    title: str
    own: bool
    cell: tuple[int, int] | None
    field: Box
    window: Box
    picture: np.ndarray
    rank: int


@dataclass(frozen=True, eq=False)
class ChannelEvidence:
    """What drives one channel or class.

    Attributes:
        channel: Number of the channel or class.
        patches: The strongest, one for each picture, the strongest first.
        own: The same of each of the visitor's pictures, in the order given, whatever its rank.
        highest: The largest value over all pictures.
        median: The median over the pictures of their largest values.
        note: "" or one sentence that a display must show, such as that nothing drives the channel.
    """

    channel: int
    patches: tuple[Patch, ...]
    own: tuple[Patch, ...]
    highest: float
    median: float
    note: str = ""


@dataclass(frozen=True, eq=False)
class TopPatches:
    """The pictures that drive channels of a layer, or classes.

    Attributes:
        kind: "channel", or "class" where logits were looked at.
        layer: Path of the layer; "" for classes.
        channels: One for each that was asked for, in that order.
        field_size: (height, width) in pixels of what one cell of the layer depends on, the input's border left out.
        pictures: How many pictures were looked at, the visitor's included.
        sentence: What was looked at, in a sentence.
        seconds: Of computing; next to nothing where the layer has been looked at before.
        device: What computed it, in words.
    """

    kind: Literal["channel", "class"]
    layer: str
    channels: tuple[ChannelEvidence, ...]
    field_size: tuple[int, int]
    pictures: int
    sentence: str
    seconds: float
    device: str


@dataclass(frozen=True, eq=False)
class Neighbour:
    """One picture near another.

    Attributes:
        picture: uint8, the network's input, at most 96 pixels a side.
        source: As in `Patch`.
        title: The picture's name for people.
        own: Whether it is the visitor's.
        distance: In this space, see `Neighbours`.
        other_rank: Its place in the other space, 1 for the nearest there.
        predicted: The class that the network sees in it; None where the network names none.
    """

    picture: np.ndarray
    source: str
    title: str
    own: bool
    distance: float
    other_rank: int
    predicted: int | None


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The pictures nearest to one, as pixels and as the network's features.

    Attributes:
        picture: uint8, the picture that was asked for as the network got it, at most 96 pixels a side.
        predicted: The class that the network sees in it, or None.
        pixels: The nearest by root mean square difference of pixels on [0, 1], the nearest first.
        features: The nearest by Euclidean distance of the features, divided by the mean length of the features of
            all pictures, so that the numbers of two networks compare.
        layer: Path of the layer whose values are the features.
        size: How many features there are.
        among: How many pictures were looked at.
        rank_agreement: Spearman's rank correlation of the two distances over all pictures.
        left_out: How many pictures were left out because they are this very picture.
        seconds: Of computing.
        device: What computed it, in words.
    """

    picture: np.ndarray
    predicted: int | None
    pixels: tuple[Neighbour, ...]
    features: tuple[Neighbour, ...]
    layer: str
    size: int
    among: int
    rank_agreement: float
    left_out: int
    seconds: float
    device: str

    def same_class(self) -> tuple[int, int]:
        """Return how many of the neighbours (as pixels, as features) get the picture's own predicted class."""
        if self.predicted is None:
            return 0, 0
        return (
            sum(one.predicted == self.predicted for one in self.pixels),
            sum(one.predicted == self.predicted for one in self.features),
        )
