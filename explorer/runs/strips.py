"""Sheets of small pictures with a few words on them, for the moments and outcomes of runs.

Between the pictures a sheet is transparent, and its words are of a middle grey, so that it suits a light page and a
dark one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK = (118, 118, 118, 255)
TEXT, LARGEST_TEXT = 15, 26
LINES_OF_TEXT = 48
"""A sheet is about so many times as wide as its words are high: a page shows wide sheets reduced."""
GAP = 6
LEAST_SIDE = 132
"""Pixels of a picture on a sheet at least: smaller ones are enlarged by whole numbers, so that each pixel is seen."""

# Okabe and Ito's colours; vermilion is left out, which marks what is wrong.
CLASS_COLOURS: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("sky blue", (86, 180, 233)),
    ("orange", (230, 159, 0)),
    ("green", (0, 158, 115)),
    ("purple", (204, 121, 167)),
    ("yellow", (240, 228, 66)),
    ("blue", (0, 114, 178)),
)
WRONG = (213, 94, 0)

Legend = Sequence[tuple[str, tuple[int, int, int]]]


def sheet(
    rows: Sequence[Sequence[np.ndarray]],
    row_titles: Sequence[str] = (),
    column_titles: Sequence[str] = (),
    legend: Legend = (),
    least_side: int = LEAST_SIDE,
    gap: int = GAP,
) -> Image.Image:
    """Return pictures in rows and columns.

    Args:
        rows: of pictures of one size, uint8 (h, w, 3), or (h, w, 1) for grey ones.
        row_titles: at the left of each row.
        column_titles: above each column.
        legend: words and the colours that stand for them, below.
        least_side: of a picture on the sheet, in pixels.
        gap: between pictures, in pixels.

    Returns:
        A picture with transparency.
    """
    height, width = rows[0][0].shape[:2]
    zoom = max(1, -(-least_side // min(height, width)))
    tall, wide = height * zoom, width * zoom
    columns = max(len(row) for row in rows)
    size = min(max(TEXT, columns * (wide + gap) // LINES_OF_TEXT), LARGEST_TEXT)
    font = ImageFont.load_default(size)
    if column_titles and columns > 1:  # they stand above their columns and not in each other's way
        longest = max(font.getlength(title) for title in column_titles)
        size = max(TEXT, min(size, int(size * wide / longest)))
        font = ImageFont.load_default(size)
    left = max((round(font.getlength(title)) for title in row_titles), default=-2 * GAP) + 2 * GAP
    top = size + 2 * GAP if column_titles else 0
    right = left + columns * (wide + gap) - gap
    bottom = top + len(rows) * (tall + gap) - gap
    whole = max(right, round(max((font.getlength(title) for title in column_titles), default=0)))
    lines = _legend_lines(legend, whole - left, font, size)
    image = Image.new("RGBA", (whole, bottom + len(lines) * (size + 2 * GAP)), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for number, title in enumerate(row_titles):
        draw.text((0, top + number * (tall + gap) + tall // 2), title, INK, font, anchor="lm")
    for number, title in enumerate(column_titles):
        draw.text((left + number * (wide + gap) + wide // 2, GAP), title, INK, font, anchor="ma")
    for line, row in enumerate(rows):
        for column, pixels in enumerate(row):
            place = (left + column * (wide + gap), top + line * (tall + gap))
            image.paste(_enlarged(pixels, zoom), place)
    for number, line_of_legend in enumerate(lines):
        _write_legend(draw, line_of_legend, left, bottom + GAP + number * (size + 2 * GAP), font, size)
    return image


def _enlarged(pixels: np.ndarray, zoom: int) -> Image.Image:
    coloured = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    return Image.fromarray(np.ascontiguousarray(coloured.repeat(zoom, axis=0).repeat(zoom, axis=1)))


_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _legend_width(words: str, font: _Font, size: int) -> int:
    return size + GAP + round(font.getlength(words)) + 3 * GAP


def _legend_lines(legend: Legend, width: int, font: _Font, size: int) -> list[list[tuple[str, tuple[int, int, int]]]]:
    lines: list[list[tuple[str, tuple[int, int, int]]]] = []
    free = 0
    for words, colour in legend:
        if _legend_width(words, font, size) > free:
            lines.append([])
            free = width
        lines[-1].append((words, colour))
        free -= _legend_width(words, font, size)
    return lines


def _write_legend(draw: ImageDraw.ImageDraw, line: Legend, x: int, y: int, font: _Font, size: int) -> None:
    for words, colour in line:
        draw.rectangle((x, y, x + size - 2, y + size - 2), fill=colour)
        draw.text((x + size + GAP, y + size // 2), words, INK, font, anchor="lm")
        x += _legend_width(words, font, size)


# --- what a network says about each pixel ---


def class_colours(count: int) -> np.ndarray:
    """Return uint8 (count, 3), a colour for each class of pixels; the first, the background, is grey.

    From the seventh object on the colours come again, darker.
    """
    colours = [(118, 118, 118)]
    for number in range(count - 1):
        around, place = divmod(number, len(CLASS_COLOURS))
        colours.append(tuple(round(value * 0.6**around) for value in CLASS_COLOURS[place][1]))  # type: ignore[arg-type]
    return np.array(colours[:count], np.uint8)


def colour_words(classes: Sequence[str]) -> str:
    """Return which colour stands for which object, for a caption; the first class is the background."""
    objects = list(enumerate(classes[1:]))
    around = len(CLASS_COLOURS)
    return ", ".join(
        f"{'dark ' * (number // around)}{CLASS_COLOURS[number % around][0]} {name}" for number, name in objects
    )


def legend_of(classes: Sequence[str], wrong: bool = False) -> Legend:
    """Return the legend for masks of these classes, the first being the background, which has no colour."""
    colours = class_colours(len(classes))
    named = [(name, _triple(colours[number])) for number, name in enumerate(classes) if number]
    return [*named, *([("wrong", WRONG)] if wrong else [])]


def _triple(colour: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in colour)
    return red, green, blue


def overlaid(pixels: np.ndarray, mask: np.ndarray, colours: np.ndarray, share: float = 0.6) -> np.ndarray:
    """Return a picture in pale grey with its objects tinted and their boundaries in the full colour.

    Args:
        pixels: uint8 (h, w, 3) or (h, w, 1).
        mask: (h, w), class of each pixel, 0 the background.
        colours: uint8 (classes, 3).
        share: of the tint.

    Returns:
        uint8 (h, w, 3).
    """
    from skimage.segmentation import find_boundaries

    grey = _pale(pixels)
    tint = colours[mask].astype(np.float32)
    objects = (mask > 0)[..., None]
    result = np.where(objects, grey * (1 - share) + tint * share, grey)
    edges = (find_boundaries(mask, mode="inner") & (mask > 0))[..., None]
    return np.where(edges, tint, result).astype(np.uint8)


def mistakes(pixels: np.ndarray, truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Return a picture in pale grey, uint8 (h, w, 3), in which the pixels of a wrong class are vermilion."""
    wrong = (truth != answer)[..., None]
    return np.where(wrong, np.array(WRONG, np.float32), _pale(pixels)).astype(np.uint8)


def _pale(pixels: np.ndarray) -> np.ndarray:
    grey = pixels.astype(np.float32)
    if pixels.shape[2] == 3:
        grey = grey @ np.array([[0.299], [0.587], [0.114]], np.float32)
    return np.repeat(110 + grey * 0.55, 3, axis=2)
