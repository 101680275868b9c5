"""What is asked of gradient ascent and what it gives: plain data that travels between page and worker (no Keras)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Objective = Literal["class", "class_evidence", "channel", "neuron", "direction", "layer"]
Parameterisation = Literal["fourier", "pixels"]
Colours = Literal["drawn", "imagenet", "none"]
Start = Literal["noise", "grey", "picture", "sheet"]


@dataclass(frozen=True)
class Transforms:
    """How the image is shaken before every step, so that what it shows does not hang on one pixel.

    Attributes:
        pad: Grey pixels put around first, for each 96 of the side.
        jitter: Largest shift in pixels, for each 96 of the side.
        scale: Largest change of scale, 0.1 for ±10 %.
        rotate: Largest turn in degrees.
    """

    pad: float = 0.0
    jitter: float = 8.0
    scale: float = 0.2
    rotate: float = 15.0


NO_TRANSFORMS = Transforms(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Regularisers:
    """What is held against an image, by weight; each is named after what it keeps small.

    Smoothness, l2 and variation are means over the image, in units of the objective's own slope, so that one weight
    suits every layer: 1 takes as much from a picture whose every pixel is wrong by 1 as the objective could give it.

    Attributes:
        smoothness: Squared differences of neighbouring pixels (total variation, squared).
        l2: Squared distance from grey.
        decay: Share by which the parameters shrink at every step (weight decay).
        blur: Deviation in pixels of a Gaussian blur of the image every few steps; 0 for none.
        variation: Absolute differences of neighbouring pixels (total variation): plain areas, sharp edges.
    """

    smoothness: float = 0.0
    l2: float = 0.03
    decay: float = 0.0
    blur: float = 0.0
    variation: float = 0.2


@dataclass(frozen=True)
class Plan:
    """One ascent: what is wanted and how.

    Attributes:
        network: Name in the catalogue.
        weights: "trained" or "random".
        objective: "class" a logit; "class_evidence" a class's evidence at the centre of the last maps, against
            the other classes; "channel" the mean of a channel of `layer`; "neuron" its central (or given) value;
            "direction" along a vector of channels; "layer" the mean square of the layer (DeepDream).
        layer: Path of the layer for all but the class objectives. Pre-activations are ascended: for a ReLU the
            layer before it, or where there is none, its redirected gradient.
        targets: Classes or channels, one image for each (up to 16), or for "layer" empty.
        parameterisation: "fourier" or "pixels".
        spectrum: Exponent d of the Fourier image's 1/f^d spectrum.
        colours: Whose colour correlations are taken out: the drawn world's, ImageNet's, or none.
        start: "noise", "grey", the visitor's "picture", or the "sheet" that comes with the app.
        transforms: How it is shaken.
        regularisers: What is held against it.
        steps: Of Adam.
        learning_rate: Of Adam.
        size: Side of the image in pixels; 0 for the network's own input.
        seed: Of noise and transforms.
        copies: Images for each target, held apart by `diversity`.
        diversity: Weight of the term that makes copies unlike each other.
        cell: (row, column) of the neuron; None for the central one.
        direction: Weights of channels, for "direction".
    """

    network: str
    weights: Literal["trained", "random"] = "trained"
    objective: Objective = "class_evidence"
    layer: str = ""
    targets: tuple[int, ...] = (0,)
    parameterisation: Parameterisation = "fourier"
    spectrum: float = 1.0
    colours: Colours = "drawn"
    start: Start = "noise"
    transforms: Transforms = Transforms()
    regularisers: Regularisers = Regularisers()
    steps: int = 160
    learning_rate: float = 0.1
    size: int = 0
    seed: int = 0
    copies: int = 1
    diversity: float = 0.0
    cell: tuple[int, int] | None = None
    direction: tuple[float, ...] = ()


@dataclass(frozen=True)
class DreamPlan:
    """DeepDream on a picture, octave by octave.

    Attributes:
        network: Name in the catalogue.
        weights: "trained" or "random".
        layers: (path, weight) of the layers that are mixed; their activations' mean squares are ascended.
        octaves: How many sizes, the smallest first.
        octave_scale: Ratio of neighbouring sizes.
        steps: In each octave.
        step_size: Largest change of a pixel (on [0, 1]) in a step, the gradient being divided by its mean size.
        jitter: Largest shift in pixels before a step.
        size: Longer side of the result in pixels.
        seed: Of the jitter.
    """

    network: str
    weights: Literal["trained", "random"] = "trained"
    layers: tuple[tuple[str, float], ...] = ()
    octaves: int = 4
    octave_scale: float = 1.4
    steps: int = 20
    step_size: float = 0.02
    jitter: int = 16
    size: int = 384
    seed: int = 0


LEAST_OCTAVE = 32
"""Octaves are no smaller: most networks see nothing in less."""


def octave_sizes(height: int, width: int, octaves: int, scale: float) -> tuple[tuple[int, int], ...]:
    """Return the sizes (height, width) that a picture dreams at, the smallest first, the last its own.

    Args:
        height: Of the result, in pixels.
        width: Likewise.
        octaves: How many; fewer where the smallest would be below `LEAST_OCTAVE`.
        scale: Ratio of neighbouring sizes.
    """
    sizes = []
    for number in range(octaves - 1, -1, -1):
        size = (round(height / scale**number), round(width / scale**number))
        if min(size) >= LEAST_OCTAVE or number == 0:
            sizes.append(size)
    return tuple(sizes)


@dataclass(frozen=True)
class Quality:
    """How good one image is, in numbers beside it.

    Attributes:
        start: The objective's own value (without regularisers and transforms) on the start image.
        clean: The same on the finished image, unshaken.
        shaken: Its mean under 16 fresh transforms; None where that was not looked at, as in a dream or a stopped run.
        high_frequency: Share of the spectrum's power above a quarter of the sampling frequency, 0 to 1.
        flat: Whether it never started from noise or grey: nothing that the picture shows then means anything.
    """

    start: float
    clean: float
    shaken: float | None
    high_frequency: float
    flat: bool


@dataclass(frozen=True, eq=False)
class Frame:
    """The images at one step, for watching and for the GIF.

    Attributes:
        step: Number of the step, from 0.
        images: uint8 (n, h, w, 3).
    """

    step: int
    images: np.ndarray


@dataclass(frozen=True, eq=False)
class Growing:
    """What is told while images grow (the payload of a progress report).

    Attributes:
        plan: Which of the plans, by position.
        step: Steps done.
        steps: Steps planned.
        images: uint8 (n, h, w, 3).
        curve: float32 (step, n), the objective at every step so far (thinned to at most 200 rows).
        seconds_left: Estimated, for all plans.
        learning_rate: In use.
    """

    plan: int
    step: int
    steps: int
    images: np.ndarray
    curve: np.ndarray
    seconds_left: float
    learning_rate: float


@dataclass(frozen=True, eq=False)
class Grown:
    """Images as one ascent left them, finished or stopped.

    Attributes:
        plan: What was asked (with the learning rate that was in use last).
        images: uint8 (n, h, w, 3), n = targets × copies, targets outermost.
        targets: The target of each image.
        quality: One for each image; empty where it was not looked at.
        curve: float32 (steps done, n).
        step: Steps done.
        frames: At most 48, for the GIF, the first and the last among them.
        state: What `grow` needs to go on from here; opaque arrays.
        seconds: Of computing, all parts together.
        device: What computed it, in words.
        finished: Whether all steps were done.
    """

    plan: Plan | DreamPlan
    images: np.ndarray
    targets: tuple[int, ...]
    quality: tuple[Quality, ...]
    curve: np.ndarray
    step: int
    frames: tuple[Frame, ...]
    state: dict[str, Any] | None
    seconds: float
    device: str
    finished: bool
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class Sheet:
    """Images that come with the app.

    Attributes:
        network: Whose.
        layer: Path of the layer, or "" for the classes.
        plan: How they were made (its targets are all of them).
        images: uint8 (n, h, w, 3).
        targets: Channel or class of each image.
        quality: One for each.
    """

    network: str
    layer: str
    plan: Plan
    images: np.ndarray
    targets: tuple[int, ...]
    quality: tuple[Quality, ...]
