"""Draws the app's icon and the wordmark of the sidebar: `python -m explorer.interface.icon`.

Three planes behind one another, as text books draw the feature maps of a network: the input, a first layer
and a deeper one. Both files are made from the same numbers and live beside the page pictures.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from explorer.interface.theme import LIGHT

FOLDER = Path(__file__).parent / "pictures"
SIDE = 64
NAME = "CNN Explorer"
PLANES: tuple[tuple[tuple[tuple[int, int], ...], str], ...] = (
    (((32, 8), (58, 16), (58, 48), (32, 40)), LIGHT.activation),
    (((20, 12), (42, 19), (42, 50), (20, 43)), LIGHT.highlight),
    (((6, 14), (30, 22), (30, 58), (6, 50)), LIGHT.input),
)
"""Corners of each plane in a square of 64, from the back to the front, and its colour."""

WORD_COLOUR = "#2B7FB8"
"""Readable on the sidebar of both themes: 4.0 : 1 on the light one, 4.3 : 1 on the dark one."""


def draw_icon(side: int = 128, enlarge: int = 4) -> Image.Image:
    """Return the icon, RGBA with transparent corners, drawn larger and reduced for smooth edges."""
    scale = side * enlarge / SIDE
    image = Image.new("RGBA", (side * enlarge, side * enlarge), (255, 255, 255, 0))
    pen = ImageDraw.Draw(image)
    for corners, colour in PLANES:
        outline = [(x * scale, y * scale) for x, y in corners]
        pen.polygon(outline, fill=colour)
        pen.line([*outline, outline[0], outline[1]], fill="white", width=round(2.4 * scale), joint="curve")
    return image.resize((side, side), Image.Resampling.LANCZOS)


def draw_wordmark(height: int = 96) -> Image.Image:
    """Return the sidebar's wordmark, RGBA: the icon and the app's name in the font that comes with Pillow."""
    font = ImageFont.load_default(round(0.46 * height))
    left, _, right, _ = font.getbbox(NAME, stroke_width=1)
    image = Image.new("RGBA", (round(1.12 * height + right - left + 4), height), (255, 255, 255, 0))
    image.paste(draw_icon(height))
    pen = ImageDraw.Draw(image)
    # The font has one weight only; an outline of its own colour makes it bold.
    pen.text((1.12 * height, height / 2), NAME, fill=WORD_COLOUR, font=font, anchor="lm", stroke_width=1.2)
    return image


def main() -> None:
    """Write both files."""
    draw_icon().save(FOLDER / "icon.png", optimize=True)
    draw_wordmark().save(FOLDER / "wordmark.png", optimize=True)


if __name__ == "__main__":
    main()
