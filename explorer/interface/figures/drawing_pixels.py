"""A drawing as pixels, with Pillow, and in the font of the page where it can be found."""

from __future__ import annotations

import io
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import streamlit
from PIL import Image, ImageDraw, ImageFont

from explorer.interface.figures.drawing import Band, Drawing, Outline, Part, Raster, Run, Tile, Words

_PLAIN = str.maketrans(
    {"−": "-", "×": "x", "·": "*", "⌊": "[", "⌋": "]", "²": "^2", "√": "sqrt", "→": "->", "∗": "*", "≈": "~", "–": "-"}
)
_WORDS = str.maketrans({"∗": "*", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")"})


@cache
def _font_file() -> bytes | None:
    """Return the font that Streamlit sends to the browser, so that a picture looks like the page."""
    media = Path(streamlit.__file__).parent / "static" / "static" / "media"
    for file in sorted(media.glob("SourceSansVF-Upright*.woff2")):
        data = file.read_bytes()
        try:
            ImageFont.truetype(io.BytesIO(data), 20).set_variation_by_axes([400])
        except (OSError, NotImplementedError, ValueError):
            continue
        return data
    return None


@lru_cache(maxsize=64)
def _font(size: float, bold: bool) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    data = _font_file()
    if data is None:
        return ImageFont.load_default(size)
    font = ImageFont.truetype(io.BytesIO(data), size)
    font.set_variation_by_axes([600 if bold else 400])
    return font


@lru_cache(maxsize=2048)
def _has(character: str) -> bool:
    font = _font(20, False)
    return character == " " or bytes(font.getmask(character)) != bytes(font.getmask("\U0010fffe"))


@lru_cache(maxsize=20_000)
def _drawable(text: str) -> str:
    """Return text with other signs for those that the font lacks: "Σᵢ" becomes "Σi"."""
    text = text.translate(_WORDS if _font_file() is not None else _PLAIN)
    if text.isascii() or all(_has(character) for character in text):
        return text
    parts = (c if _has(c) else unicodedata.normalize("NFKD", c) for c in text)
    return "".join(c if _has(c) else "?" for part in parts for c in part)


@lru_cache(maxsize=20_000)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a text is in pixels."""
    return float(_font(size, bold).getlength(_drawable(text)))


@lru_cache(maxsize=4096)
def _text_mask(text: str, size: float, bold: bool) -> tuple[Image.Image, int, int]:
    """Return a text's coverage, and where its left and top are from the start of its middle line."""
    font = _font(size, bold)
    drawable = _drawable(text)
    left, top, right, bottom = font.getbbox(drawable)
    # The middle of digits and capitals, as in SVG: a third of the size above the base line.
    _, cap_top, _, base = font.getbbox("0")
    image = Image.new("L", (max(1, round(right) + 2), max(1, round(bottom) + 2)), 0)
    ImageDraw.Draw(image).text((0, 0), drawable, fill=255, font=font)
    return image, 0, round((cap_top + base) / 2)


class Sheet:
    """Pixels on which parts are drawn at a scale.

    Attributes:
        image: RGB.
    """

    def __init__(self, width: float, height: float, background: str, scale: float) -> None:
        self._scale = scale
        self._background = background
        self.image = Image.new("RGB", (self._px(width), self._px(height)), background)
        self._pen = ImageDraw.Draw(self.image)

    def _px(self, length: float) -> int:
        return round(length * self._scale)

    def box(self, part: Part) -> tuple[int, int, int, int]:
        """Return the pixels that a part may change: left, top, right, bottom (not included)."""
        match part:
            case Words():
                width = sum(text_width(run.text, part.size, run.bold) for run in part.runs)
                left = part.x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[part.anchor]
                edges = (left - 2, part.y - part.size, left + width + 3, part.y + part.size)
            case Raster():
                columns = len(part.rows[0]) if part.rows else 0
                edges = (part.x, part.y, part.x + columns * part.cell, part.y + len(part.rows) * part.cell)
            case _:
                edges = (part.x, part.y, part.x + part.width, part.y + part.height)
        left, top, right, bottom = (self._px(edge) for edge in edges)
        return max(0, left), max(0, top), min(self.image.width, right), min(self.image.height, bottom)

    def clear(self, part: Part) -> None:
        """Put background where a part was."""
        self.image.paste(self._background, self.box(part))

    def draw(self, part: Part) -> None:
        """Draw a part."""
        match part:
            case Tile():
                self._tile(part)
            case Outline():
                left, top, right, bottom = self.box(part)
                self._pen.rectangle(
                    (left, top, right - 1, bottom - 1), outline=part.colour, width=max(1, self._px(part.edge))
                )
            case Words():
                self._words(part)
            case Band():
                self._band(part)
            case Raster():
                self._raster(part)

    def _tile(self, tile: Tile) -> None:
        left, top, right, bottom = self.box(tile)
        edge = max(1, self._px(tile.edge)) if tile.stroke else 0
        outline = tile.stroke if tile.stroke and not tile.dashed else None
        self._pen.rectangle((left, top, right - 1, bottom - 1), fill=tile.fill, outline=outline, width=edge or 1)
        if tile.stroke and tile.dashed:
            self._dashes(left, top, right, bottom, tile.stroke, edge)
        if tile.text:
            middle = (tile.x + tile.width / 2, tile.y + tile.height / 2)
            self._words(Words(*middle, (Run(tile.text, tile.ink, tile.bold),), tile.size, "middle"))

    def _dashes(self, left: int, top: int, right: int, bottom: int, colour: str, edge: int) -> None:
        dash, gap = max(2, self._px(3)), max(1, self._px(2))
        for x in range(left, right, dash + gap):
            end = min(x + dash, right) - 1
            self._pen.rectangle((x, top, end, top + edge - 1), fill=colour)
            self._pen.rectangle((x, bottom - edge, end, bottom - 1), fill=colour)
        for y in range(top, bottom, dash + gap):
            end = min(y + dash, bottom) - 1
            self._pen.rectangle((left, y, left + edge - 1, end), fill=colour)
            self._pen.rectangle((right - edge, y, right - 1, end), fill=colour)

    def _words(self, words: Words) -> None:
        size = words.size * self._scale
        widths = [text_width(run.text, size, run.bold) for run in words.runs]
        x = words.x * self._scale - sum(widths) * {"start": 0.0, "middle": 0.5, "end": 1.0}[words.anchor]
        for run, width in zip(words.runs, widths, strict=True):
            if run.text.strip():
                mask, left, middle = _text_mask(run.text, size, run.bold)
                self.image.paste(run.colour, (round(x) + left, round(words.y * self._scale) - middle), mask)
            x += width

    def _band(self, band: Band) -> None:
        """Draw lines three times as large and shrink them: Pillow's own have steps."""
        left, top, right, bottom = self.box(band)
        if right <= left or bottom <= top:
            return
        finer = 3
        image = Image.new("RGB", ((right - left) * finer, (bottom - top) * finer), band.fill)
        pen = ImageDraw.Draw(image)
        factor = self._scale * finer
        for stroke in band.strokes:
            ends = [
                ((x * self._scale - left) * finer, (y * self._scale - top) * finer)
                for x, y in ((stroke.x1, stroke.y1), (stroke.x2, stroke.y2))
            ]
            pen.line(ends, fill=stroke.colour, width=max(1, round(stroke.width * factor)))
        self.image.paste(image.reduce(finer), (left, top))

    def _raster(self, raster: Raster) -> None:
        left, top, right, bottom = self.box(raster)
        numbers = np.array([np.frombuffer(row, np.uint8) for row in raster.rows])
        colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in raster.colours], np.uint8)
        image = Image.fromarray(colours[numbers])
        self.image.paste(image.resize((right - left, bottom - top), Image.Resampling.NEAREST), (left, top))


def pixels(drawing: Drawing, scale: float) -> Image.Image:
    """Return the drawing as an RGB picture."""
    sheet = Sheet(drawing.width, drawing.height, drawing.background, scale)
    for part in drawing.parts.values():
        sheet.draw(part)
    return sheet.image
