"""Small networks of many equal layers as plain arrays: what they are made of, and what they begin with.

A stem brings a picture of 8 × 8 to `width` numbers, `depth` layers of width × width follow, and an output layer ends in
ten classes. In a convolutional network these are `width` channels at each of 4 × 4 positions, stem and layers are
convolutions of 3 × 3 (edges padded with 0), the stem's with stride 2, and the output layer follows a global average
pooling. Layer l is h ← skip · h + W act(norm(h)) + b, with the activation in front as in He, Zhang, Ren and Sun,
"Identity Mappings in Deep Residual Networks" (2016). So a plain network (skip 0) and a residual one (skip 1) differ in
the sum alone, and with weights of zero a residual layer is the identity.

All weights of one kind lie in one array whose first axis is the layer: a loop over layers is then traced once and not a
hundred times. Between that axis and the last two there may be another: networks that run beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.gradient_flow.digits import CLASSES, PIXELS, SIDE
from explorer.gradient_flow.initialisers import INITIALISERS

Weights = dict[str, Any]
"""float32 arrays or tensors: "stem" (…, 64, w), "stem_bias" (…, 1, w), "kernel" (depth, …, w, w), "bias" (depth, …, 1,
w), "gamma" and "beta" (depth + 1, …, 1, w; the last before the output layer), "head" (…, w, 10), "head_bias" (…, 1,
10). Without batch normalisation there is neither gamma nor beta. In a convolutional network "stem" is (…, 9, w) and
"kernel" (depth, …, 9 w, w): row by row of the 3 × 3 kernel, as Keras' kernels (3, 3, w, w) reshaped."""

PER_LAYER = ("kernel", "bias", "gamma", "beta", "mean", "variance")
"""Kinds whose first axis is the layer."""

MOST_LAYERS = 100
KERNEL_SIDE = 3
"""Of the kernels of a convolutional network."""

STEM_STRIDE = 2
"""Of its stem."""


@dataclass(frozen=True)
class Stack:
    """What a network is made of.

    Attributes:
        depth: layers between stem and output layer, at least 1.
        activation: name that Keras knows.
        batch_norm: batch normalisation before each activation.
        width: numbers in a layer; in a convolutional network, channels.
        convolutional: whether stem and layers are convolutions of 3 × 3.
    """

    depth: int
    activation: str = "relu"
    batch_norm: bool = False
    width: int = 32
    convolutional: bool = False

    @property
    def positions(self) -> int:
        """Places of a picture at which a layer has its numbers."""
        return (SIDE // STEM_STRIDE) ** 2 if self.convolutional else 1

    @property
    def inputs(self) -> int:
        """Numbers that one number of a layer is computed from: rows of a kernel."""
        return KERNEL_SIDE**2 * self.width if self.convolutional else self.width

    @property
    def stem_inputs(self) -> int:
        """The same of the stem."""
        return KERNEL_SIDE**2 if self.convolutional else PIXELS


def begun(stack: Stack, initialiser: str, seed: int) -> Weights:
    """Return the weights that one network begins with.

    Args:
        stack: What it is made of.
        initialiser: A name of `INITIALISERS`, for the layers; stem and output layer always begin with Glorot's, and
            biases with 0.
        seed: Of the draw. Layers draw one after the other, so that a deeper network begins with a shallower one's.
    """
    width, random = stack.width, np.random.default_rng(seed)
    glorot = INITIALISERS["glorot_uniform"]
    weights = {
        "stem": glorot(stack.stem_inputs, width, random),
        "stem_bias": np.zeros((1, width)),
        "head": glorot(width, CLASSES, random),
        "head_bias": np.zeros((1, CLASSES)),
        "kernel": np.stack([INITIALISERS[initialiser](stack.inputs, width, random) for _ in range(stack.depth)]),
        "bias": np.zeros((stack.depth, 1, width)),
    }
    if stack.batch_norm:
        weights["gamma"] = np.ones((stack.depth + 1, 1, width))
        weights["beta"] = np.zeros((stack.depth + 1, 1, width))
    return {name: value.astype(np.float32) for name, value in weights.items()}


def beside(several: Sequence[Weights]) -> Weights:
    """Return the weights of several networks of one make as one, which then run beside each other."""
    return {
        name: np.stack([np.asarray(each[name]) for each in several], axis=1 if name in PER_LAYER else 0)
        for name in several[0]
    }


def alone(weights: Weights, number: int) -> Weights:
    """Return one of the networks that lie beside each other; the opposite of `beside`."""
    return {
        name: np.asarray(value)[:, number] if name in PER_LAYER else np.asarray(value)[number]
        for name, value in weights.items()
    }
