"""Many maps as one picture: coloured tiles composed in NumPy and encoded once."""

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from explorer.interface.figures.colour_scales import ColourScale, lookup_table


def _palette_png(indices: np.ndarray, diverging: bool) -> bytes:
    """Encode colour numbers `(h, w)` as a PNG with the scale's palette: a third of the bytes of RGB."""
    image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    image.putpalette(lookup_table(diverging).tobytes())
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=1)
    return target.getvalue()


def map_png(values: np.ndarray, scale: ColourScale) -> bytes:
    """Encode one map `(h, w)` as a PNG, one cell a pixel."""
    return _palette_png(scale.indices(values), scale.diverging)


def sheet_columns(tiles: int) -> int:
    """Return how many tiles stand beside each other in a sheet of so many."""
    return max(1, math.ceil(math.sqrt(tiles)))


def sheet_png(values: np.ndarray, scale: ColourScale) -> bytes:
    """Encode maps as one PNG without gaps, one cell a pixel, row by row.

    Args:
        values: float `(n, h, w)`.
        scale: the scale all tiles share.
    """
    count, height, width = values.shape
    columns = sheet_columns(count)
    rows = -(-count // columns)
    board = np.zeros((rows * columns, height, width), np.uint8)
    board[:count] = scale.indices(values)
    board = board.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    return _palette_png(board, scale.diverging)


def sheet_for_print(
    values: np.ndarray,
    scale: ColourScale,
    *,
    channels: list[int],
    silent: list[bool],
    title: str,
    legend: str,
) -> bytes:
    """Draw the tiles with gaps, channel numbers, title and legend, as a PNG to keep.

    Args:
        values: float `(n, h, w)`.
        scale: the scale all tiles share.
        channels: channel number of each tile.
        silent: whether each channel is silent; such a number is put in brackets.
        title: first line of the picture.
        legend: what the scale means, in words; the bar stands beside it.
    """
    count, height, width = values.shape
    zoom = max(1, round(96 / max(height, width)))
    columns = min(count, 8)
    rows = -(-count // columns)
    gap, text = 6, 14
    cell_w, cell_h = width * zoom + gap, height * zoom + gap + text
    page_w = max(columns * cell_w + gap, 560)
    page = Image.new("RGB", (page_w, rows * cell_h + gap + 58), "white")
    pen = ImageDraw.Draw(page)
    font, small = ImageFont.load_default(15), ImageFont.load_default(11)
    pen.text((gap, 6), title, fill="black", font=font)
    table = lookup_table(scale.diverging)
    bar = Image.fromarray(np.tile(table[None], (10, 1, 1)))
    page.paste(bar.resize((160, 10)), (gap, 34))
    pen.text((gap + 170, 32), legend, fill="black", font=small)
    for position in range(count):
        x = gap + position % columns * cell_w
        y = 58 + position // columns * cell_h
        tile = Image.fromarray(table[scale.indices(values[position])])
        page.paste(tile.resize((width * zoom, height * zoom), Image.Resampling.NEAREST), (x, y))
        name = f"({channels[position]})" if silent[position] else str(channels[position])
        pen.text((x, y + height * zoom + 1), name, fill="black", font=small)
    target = io.BytesIO()
    page.save(target, "PNG")
    return target.getvalue()


def labelled_row(tiles: Sequence[np.ndarray], titles: Sequence[str], side: int = 224, gap: int = 6) -> np.ndarray:
    """Put pictures beside each other, each with a title above.

    Args:
        tiles: uint8 `(h, w, 3)` each.
        titles: one for each tile; cut off where they are too long.
        side: least longer side of a tile in pixels; smaller ones are enlarged by a whole number.
        gap: pixels between tiles.

    Returns:
        uint8 `(height, width, 3)` on white.
    """
    text, font = 20, ImageFont.load_default(13)
    zooms = [max(1, round(side / max(tile.shape[:2]))) for tile in tiles]
    sizes = [(tile.shape[1] * zoom, tile.shape[0] * zoom) for tile, zoom in zip(tiles, zooms, strict=True)]
    width = sum(w for w, _ in sizes) + gap * (len(tiles) + 1)
    page = Image.new("RGB", (width, max(h for _, h in sizes) + text + gap), "white")
    pen = ImageDraw.Draw(page)
    x = gap
    for tile, title, size in zip(tiles, titles, sizes, strict=True):
        while title and pen.textlength(title, font=font) > size[0]:
            title = title[:-2] + "…" if len(title) > 2 else ""
        pen.text((x, 2), title, fill="black", font=font)
        page.paste(Image.fromarray(tile).resize(size, Image.Resampling.NEAREST), (x, text))
        x += size[0] + gap
    return np.asarray(page)
