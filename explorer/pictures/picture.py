"""A picture as every page and every topic holds it: sRGB pixels, and where they came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np


class PictureError(ValueError):
    """A picture that cannot be had; its text is one sentence for the visitor, saying what to do."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, safe to show and to compute with.

    Attributes:
        pixels: uint8 (height, width, 3), sRGB, read-only.
        source: Where it came from, as a link writes it (see `explorer.pictures.sources.resolve`):
            `drawn:<class>:<index>`, `scene:<index>`, `digit:<digit>:<index>:<world>:<noise>`, `sample:<name>`,
            `upload:<sha256 of the file>` or `webcam:<sha256 of the file>`.
        title: A short name for people.
        original_size: (height, width) before it was reduced to the size that is kept.
        notes: What was done to it on the way in, each in plain words without a full stop.
    """

    pixels: np.ndarray
    source: str
    title: str
    original_size: tuple[int, int]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pixels = np.ascontiguousarray(self.pixels)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            raise TypeError(f"pixels must be uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}")
        if pixels is self.pixels and pixels.flags.writeable:
            pixels = pixels.copy()  # whoever gave the array may still write into it
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)

    @cached_property
    def sha256(self) -> str:
        """The hexadecimal SHA-256 of shape and pixels: equal pictures have equal keys in a cache."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(self.pixels.data)
        return digest.hexdigest()

    @property
    def is_drawn(self) -> bool:
        """Whether the picture comes from the drawn world, which the bundled networks know."""
        return self.source.startswith(("drawn:", "scene:"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Picture):
            return NotImplemented
        return self.source == other.source and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash((self.source, self.sha256))
