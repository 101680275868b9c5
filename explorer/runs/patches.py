"""Small pictures for super-resolution: reduced copies, and patches of both sizes that show the same."""

from __future__ import annotations

import numpy as np
from PIL import Image

LOOKS = 3
"""Of so many places that chance proposes the one with most edges is taken: a plain patch teaches nothing."""


def resized(pictures: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return pictures at another size by bicubic interpolation, which also blurs enough where it makes them smaller.

    Args:
        pictures: uint8 (n, h, w, channels), one or three channels.
        height: in pixels.
        width: in pixels.

    Returns:
        uint8 (n, height, width, channels).
    """
    grey = pictures.shape[-1] == 1
    images = (Image.fromarray(each[..., 0] if grey else each) for each in pictures)
    arrays = [np.asarray(image.resize((width, height), Image.Resampling.BICUBIC)) for image in images]
    return np.stack(arrays).reshape(len(pictures), height, width, pictures.shape[-1])


def reduced(pictures: np.ndarray, scale: int) -> np.ndarray:
    """Return pictures, uint8 (n, h, w, channels), at 1/scale of their sides."""
    return resized(pictures, pictures.shape[1] // scale, pictures.shape[2] // scale)


def patches(large: np.ndarray, small: np.ndarray, count: int, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return patches of reduced pictures and the same places in the full ones.

    Args:
        large: uint8 (n, h, w, channels).
        small: the same at 1/scale of the sides, see `reduced`.
        count: how many patches.
        side: of a small patch, in pixels.
        seed: of the choice.

    Returns:
        Small patches uint8 (count, side, side, channels), large ones uint8 (count, scale·side, scale·side, channels).
    """
    generator = np.random.default_rng((seed, 5))
    scale = large.shape[1] // small.shape[1]
    found = []
    for _ in range(count):
        places = []
        for _ in range(LOOKS):
            which = generator.integers(len(small))
            row, column = (generator.integers(room + 1) for room in np.array(small.shape[1:3]) - side)
            patch = small[which, row : row + side, column : column + side]
            places.append((np.abs(np.diff(patch.astype(np.int16), axis=0)).sum(), which, row, column))
        _, which, row, column = max(places)
        below, right = scale * row, scale * column
        found.append(
            (
                small[which, row : row + side, column : column + side],
                large[which, below : below + scale * side, right : right + scale * side],
            )
        )
    return np.stack([low for low, _ in found]), np.stack([high for _, high in found])
