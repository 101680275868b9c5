"""A drawing as a list of simple parts, from which SVG and pixels are made; lengths are in pixels at scale 1."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache

from explorer.interface.figures import shades

Key = Hashable
"""What a part is, so that two frames of an animation can be compared part by part."""


@dataclass(frozen=True)
class Tile:
    """A cell: a filled box with a number in its middle; it draws nothing outside its box.

    Attributes:
        stroke: colour of the edge, "" for none.
        dashed: whether the edge is dashed.
        edge: width of the edge, drawn inside the box.
    """

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = ""
    dashed: bool = False
    edge: float = 1
    text: str = ""
    ink: str = ""
    size: float = 15
    bold: bool = False


@dataclass(frozen=True)
class Outline:
    """A frame that lies inside its box, where nothing but background is."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    edge: float


@dataclass(frozen=True)
class Run:
    """A piece of a line of text in one colour."""

    text: str
    colour: str
    bold: bool = False


@dataclass(frozen=True)
class Words:
    """A line of text.

    Attributes:
        x: where it starts, has its middle or ends, by `anchor`.
        y: its middle.
        runs: its pieces.
        anchor: "start", "middle" or "end".
    """

    x: float
    y: float
    runs: tuple[Run, ...]
    size: float = 15
    anchor: str = "start"


@dataclass(frozen=True)
class Stroke:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    width: float = 1


@dataclass(frozen=True)
class Band:
    """A box of background with lines in it."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True)
class Raster:
    """Small cells without numbers, one colour each.

    Attributes:
        cell: side of a cell.
        rows: number of the colour of each cell, row by row.
        colours: the colours.
    """

    x: float
    y: float
    cell: float
    rows: tuple[bytes, ...]
    colours: tuple[str, ...]


Part = Tile | Outline | Words | Band | Raster


@dataclass(frozen=True)
class Drawing:
    """All parts, in the order in which they are drawn.

    Attributes:
        width: of the whole.
        height: of the whole.
        background: its colour.
        parts: by what they are.
        words: what the drawing shows, for those who cannot see it.
    """

    width: int
    height: int
    background: str
    parts: dict[Key, Part] = field(default_factory=dict)
    words: str = ""


@lru_cache(maxsize=4096)
def mixed(colour: str, other: str, share: float) -> str:
    """Return `colour` with a share of `other` in it, both and the result `#rrggbb`."""
    parts = (round(int(colour[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share) for i in (1, 3, 5))
    return "#" + "".join(f"{part:02X}" for part in parts)


@lru_cache(maxsize=4096)
def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2), 1 to 21."""
    low, high = sorted((shades.luminance(one), shades.luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=4096)
def text_on(fill: str) -> str:
    """Return black or white, whichever reads better on a colour."""
    return shades.text_on(fill)
