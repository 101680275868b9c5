"""What looking inside a network gives: plain data that travels from the worker to the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from explorer.networks.preprocessing import Fitted
from explorer.networks.structure import Structure

Box = tuple[float, float, float, float]
MapsKind = Literal["maps", "vector", "input"]
FilterKind = Literal["first layer colour", "per input channel", "depthwise", "dense", "none"]


@dataclass(frozen=True)
class Prediction:
    """One class of a network's answer.

    Attributes:
        index: Number of the output.
        name: Its name, or None where the names are not on this machine.
        probability: Softmax over all outputs.
        logit: The score before the softmax, or None where the network itself ends in a softmax.
    """

    index: int
    name: str | None
    probability: float
    logit: float | None


@dataclass(frozen=True)
class LayerSummary:
    """What one layer answered to a picture, in a few numbers.

    Attributes:
        path: The layer's path.
        minimum: Smallest value of the layer.
        maximum: Largest value of the layer.
        channels: Number of channels.
        silent: How many of them are silent (see `explorer.inside.silence`).
        threshold: Strength up to which a channel of this layer is silent.
        spatial: Whether the layer has maps (else it is a vector).
        signed: Whether the layer answers with both signs, so that a channel's strength is its largest
            absolute value; else it comes out of an activation with a floor, and negative values are rest.
        is_input: Whether this is what goes into the network.
        share_resting: Share of all the layer's values that are not above the threshold (in a signed layer: whose
            size is not): how sparse its maps are. Grows with depth also where no channel is silent altogether.
    """

    path: str
    minimum: float
    maximum: float
    channels: int
    silent: int
    threshold: float
    spatial: bool
    signed: bool = False
    is_input: bool = False
    share_resting: float = 0.0

    @property
    def share_silent(self) -> float:
        """Silent channels over channels."""
        return self.silent / self.channels if self.channels else 0.0


@dataclass(frozen=True, eq=False)
class Overview:
    """What a whole network answered to a picture.

    Attributes:
        structure: The network.
        predictions: The five most probable classes, most probable first; empty where the network does not
            end in a vector.
        layers: One summary for each layer, in the order in which the network calls them, input first.
        fitted: The picture as the network got it, and the way back to the picture's own coordinates.
        seconds: How long the forward pass took, reading the statistics included.
        device: What it ran on, such as "CPU, 2 cores".
    """

    structure: Structure
    predictions: tuple[Prediction, ...]
    layers: tuple[LayerSummary, ...]
    fitted: Fitted
    seconds: float
    device: str


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """All that one layer computed for a picture.

    Attributes:
        layer: The layer's path.
        kind: "maps", "vector", or "input" for what goes into the network.
        values: float32, exactly what the layer computed: (height, width, channels), or (channels,) for a
            vector. A sequence (time, channels) stands as (time, 1, channels).
        minimum: float32 (channels,), smallest value of each channel.
        maximum: float32 (channels,), largest value of each channel.
        mean: float32 (channels,), mean of each channel.
        strength: float32 (channels,), the channel's peak: its largest value, not below 0; in a signed layer
            its largest absolute value.
        silent: bool (channels,), strength is not above the threshold.
        threshold: Strength up to which a channel is silent.
        threshold_rule: The rule in a sentence, with its numbers, to be printed.
        signed: See `LayerSummary`.
        constant: bool (channels,), the same value at every place; such a channel tells nothing about the
            place, but is not silent unless that value is small.
        share_resting: See `LayerSummary`.
        seconds: How long the pass took.
    """

    layer: str
    kind: MapsKind
    values: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    mean: np.ndarray
    strength: np.ndarray
    silent: np.ndarray
    threshold: float
    threshold_rule: str
    signed: bool = False
    constant: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    share_resting: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the network's input that one cell of a layer depends on.

    Boxes are (top, left, bottom, right) in pixels of the network's input, continuous as in
    `explorer.networks.preprocessing.Fitted`: pixel 0 reaches from 0 to 1. `Fitted.to_picture` leads on to
    the picture.

    Attributes:
        box: What the cell depends on: the box around all pixels that take part. (0, 0, 0, 0) where the cell
            sees nothing but padding.
        unclipped: The same if the input had no border; reaches beyond it at the edges.
        size: (height, width) of `unclipped`, in pixels.
        stride: How far the field moves from one cell to the next, in pixels, (down, right).
        whole_input: Whether the cell depends on every pixel, because something on the way looks at
            everything at once (global pooling, a dense layer, a squeeze-and-excitation gate).
        local_box: Where the cell depends on everything only through such gates: the box without them, which
            is where its place in the picture is. Else the same as `box`.
        local_size: (height, width) of that box without the input's border.
        method: "layers": computed from the layers' geometry; "gradient": seen in gradients, because part of
            the network is only code.
        sentence: What to say about it.
    """

    box: Box
    unclipped: Box
    size: tuple[int, int]
    stride: tuple[float, float]
    whole_input: bool
    local_box: Box = (0.0, 0.0, 0.0, 0.0)
    local_size: tuple[int, int] = (0, 0)
    method: Literal["layers", "gradient"] = "layers"
    sentence: str = ""


@dataclass(frozen=True, eq=False)
class FilterView:
    """The filter behind one channel.

    Attributes:
        kind: "first layer colour": the inputs are red, green and blue; "per input channel"; "depthwise": one
            input channel only; "dense": weights of a dense layer; "none": there is none to show.
        kernel: float32 (height, width, inputs); red, green, blue for a first layer, whatever order the
            network itself wants. For a dense layer behind a flattened map the weights in the shape of that map,
            else (1, 1, inputs). None for kind "none".
        sentence: What it is, and what can be read from it.
        layer: Path of the layer that the filter belongs to; "" for kind "none".
        bias: The bias that is added, or None.
        channel: The channel of that layer.
        input_channels: Which channels of the layer's input the kernel's last axis stands for.
        others: Paths of further layers whose channel of the same number is added in.
    """

    kind: FilterKind
    kernel: np.ndarray | None
    sentence: str
    layer: str
    bias: float | None
    channel: int = 0
    input_channels: tuple[int, ...] = ()
    others: tuple[str, ...] = ()
