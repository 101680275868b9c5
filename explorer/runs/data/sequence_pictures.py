"""Draws sequences as small pictures, so that what stands behind a cell of a table can be looked at."""

from __future__ import annotations

import textwrap
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WAVE_SIZE = (96, 288)
TEXT_SIZE = (96, 288)
_FINER = 2
_INK = (0, 114, 178)  # the app's hue for inputs
_FAINT = (214, 220, 226)
_TEXT = (40, 44, 52)


def waveform(values: np.ndarray, limit: float, size: tuple[int, int] = WAVE_SIZE) -> np.ndarray:
    """Return the channels of a recording below each other, all on the same scale.

    Args:
        values: (steps, channels).
        limit: the value that reaches the edge of a channel's strip; larger ones are cut.
        size: (height, width).

    Returns:
        uint8 (height, width, 3).
    """
    height, width = (side * _FINER for side in size)
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    strip = height / values.shape[1]
    for channel, line in enumerate(values.T):
        middle = strip * (channel + 0.5)
        draw.line([(0, middle), (width, middle)], fill=_FAINT, width=_FINER)
        x = np.linspace(0, width - 1, len(line))
        y = middle - np.clip(line / limit, -1, 1) * (strip / 2 - 2 * _FINER)
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=_INK, width=_FINER + 1)
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.LANCZOS))


def written(text: str, size: tuple[int, int] = TEXT_SIZE) -> np.ndarray:
    """Return a text as a picture, broken into lines; what does not fit ends in an ellipsis.

    Args:
        text: words with blanks between them.
        size: (height, width).

    Returns:
        uint8 (height, width, 3).
    """
    picture = Image.new("RGB", (size[1], size[0]), "white")
    font = _font()
    letter = font.getlength("abcdefghijklmnopqrstuvwxyz ") / 27
    lines = textwrap.wrap(text, int((size[1] - 8) / letter), max_lines=max(1, (size[0] - 8) // 14), placeholder=" …")
    ImageDraw.Draw(picture).multiline_text((4, 4), "\n".join(lines), fill=_TEXT, font=font, spacing=3)
    return np.asarray(picture)


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=11)
