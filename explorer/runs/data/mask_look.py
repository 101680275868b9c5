"""Tells masks from pictures by what is in the files, where the names of folders alone may mislead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.pictures.archive import Packed
from explorer.pictures.intake import decode, decode_mask
from explorer.pictures.picture import PictureError
from explorer.settings import Settings

MOST_VALUES = 32
"""A picture with more values than these has shades, and a mask has none but at smooth edges."""

LOOKED_AT = 9
NEAR_AN_END = 16
SHARE_AT_THE_ENDS = 0.75
_EXACT_SIDE = 4096


def are_masks(supposed: Sequence[tuple[Packed | None, Packed]], settings: Settings) -> bool:
    """Tell whether files are masks, from a few of them: most of those that can be read must look like masks.

    Args:
        supposed: (picture of the same name or None, what would be its mask) of each.
        settings: the limits of one file.

    Returns:
        True as well where none can be read: then there is nothing against the names of the folders.
    """
    step = max(1, len(supposed) // LOOKED_AT)
    votes = [vote for pair in supposed[::step][:LOOKED_AT] if (vote := _looks_like_a_mask(*pair, settings)) is not None]
    return not votes or 2 * sum(votes) > len(votes)


def _looks_like_a_mask(picture: Packed | None, mask: Packed, settings: Settings) -> bool | None:
    """Tell what one file looks like, None where it cannot be read.

    It is a mask with few values; with many where they are grey and lie at the two ends, as smooth edges do; or where
    they are stored without colours beside a picture of the same size that has some.
    """
    try:
        content = mask.read()
    except PictureError:
        return None
    values = _values(content, settings)
    if values is not None:
        if len(np.unique(values)) <= MOST_VALUES or _at_the_ends(values):
            return True
        return picture is not None and _has_colours(picture, values.shape, settings)
    pixels = _pixels(content, settings)
    if pixels is None:
        return None
    if (pixels == pixels[..., :1]).all():
        return _at_the_ends(pixels[..., 0])
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    return len(np.unique(packed)) <= MOST_VALUES


def _values(content: bytes, settings: Settings) -> np.ndarray | None:
    try:
        return decode_mask(content, settings=settings)
    except PictureError:
        return None


def _pixels(content: bytes, settings: Settings) -> np.ndarray | None:
    try:
        # Made smaller it would have shades that are not in the file.
        return decode(content, settings=settings.model_copy(update={"picture_side": _EXACT_SIDE})).pixels
    except PictureError:
        return None


def _at_the_ends(values: np.ndarray) -> bool:
    """Tell whether grey values are nearly all black or white, and some of them each."""
    low, high = values < NEAR_AN_END, values > 255 - NEAR_AN_END
    return bool(low.any() and high.any() and (low | high).mean() >= SHARE_AT_THE_ENDS)


def _has_colours(picture: Packed, size: tuple[int, ...], settings: Settings) -> bool:
    try:
        pixels = _pixels(picture.read(), settings)
    except PictureError:
        return False
    return pixels is not None and pixels.shape[:2] == size and bool((pixels != pixels[..., :1]).any())
