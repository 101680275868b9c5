"""What all libraries are asked: one network, some pictures, one class for each, the same random draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Case:
    """One question.

    Attributes:
        name: Of the network, see `networks.build`.
        model: The keras.Model; it gives logits.
        pictures: float32 (n, height, width, channels), prepared.
        classes: int (n,), what is explained.
        layer: Path of the layer for the activation maps.
        absent: What stands for absence, one prepared number for all channels.
        window: Side of the occluding window in pixels.
        stride: From one window to the next.
        samples: How many of each sampling method.
        noise: float32 (n, smoothgrad's samples, height, width, channels), what is added to the pictures.
        segments: int (n, height, width), the superpixels.
        cut: Makes the superpixels of one picture anew, which is part of LIME and so of what it takes.
        masks: float32 (rise's samples, height, width), what RISE shows.
        seed: LIME's.
    """

    name: str
    model: Any
    pictures: np.ndarray
    classes: np.ndarray
    layer: str
    absent: float
    window: int
    stride: int
    samples: dict[str, int] = field(default_factory=dict)
    noise: np.ndarray | None = None
    segments: np.ndarray | None = None
    cut: Callable[[int], np.ndarray] | None = None
    masks: np.ndarray | None = None
    seed: int = 0

    @property
    def one_hot(self) -> np.ndarray:
        """float32 (n, classes)."""
        return np.eye(self.model.output_shape[-1], dtype=np.float32)[self.classes]


@dataclass(frozen=True, eq=False)
class Way:
    """One library's way to one method.

    Attributes:
        run: Calls the library as its users do, with everything that can be kept between calls already made.
        raw: Returns (n, h, w) in our convention, before resizing or stretching.
        same: Whether it is the same definition as ours. Otherwise only speed is compared, and the correlation told.
        note: The convention, in a few words.
    """

    run: Callable[[], Any]
    raw: Callable[[], np.ndarray]
    same: bool = True
    note: str = ""


def strongest(gradients: Any) -> np.ndarray:
    """Return the largest absolute value over the channels, (n, height, width): how the lecture reduces them."""
    return np.abs(np.asarray(gradients)).max(axis=-1)
