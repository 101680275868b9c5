"""Pictures to learn from, in memory, with what is known of each; and how they are divided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Pictures of one size.

    Attributes:
        pixels: uint8 (n, height, width, channels), one or three channels.
        classes: names of the classes; for masks those of the classes of pixels, the first being the background.
        labels: int64 (n,), class of each picture; None where only pixels have classes.
        masks: uint8 (n, height, width), class of each pixel; None where there are none.
        names: what each picture is, for people and links: "drawn:boat:12", or a file's name.
    """

    pixels: np.ndarray
    classes: tuple[str, ...]
    labels: np.ndarray | None = None
    masks: np.ndarray | None = None
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    def inputs(self) -> np.ndarray:
        """Return the pixels as networks take them: float32 from 0 to 1."""
        return self.pixels.astype(np.float32) / 255.0

    def taken(self, which: np.ndarray) -> PictureSet:
        """Return some of the pictures, by index or by a mask of booleans."""
        index = np.flatnonzero(which) if np.asarray(which).dtype == bool else np.asarray(which)
        return replace(
            self,
            pixels=self.pixels[index],
            labels=None if self.labels is None else self.labels[index],
            masks=None if self.masks is None else self.masks[index],
            names=tuple(self.names[i] for i in index) if self.names else (),
        )


@dataclass(frozen=True, eq=False)
class Divided:
    """Pictures to learn from and pictures to be judged by.

    Attributes:
        training: for learning.
        validation: never learnt from.
        notes: sentences for the visitor, such as which files were skipped.
    """

    training: PictureSet
    validation: PictureSet
    notes: tuple[str, ...] = ()
