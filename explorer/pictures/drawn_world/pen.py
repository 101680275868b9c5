"""From a list of painted outlines to antialiased pixels with an exact coverage mask."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from explorer.pictures.drawn_world.palette import Paint, Palette
from explorer.pictures.drawn_world.shapes import circle

SUPERSAMPLING = 4
"""Every pixel is the mean of this many squared samples."""

_SHARP_OUTLINE = 16
"""Outlines of at most this many points may have corners, so the strokes along them get round joins."""


class Pen:
    """Collects what an object consists of: filled outlines and strokes, the later ones above the earlier."""

    __slots__ = ("palette", "parts")

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self.parts: list[tuple[np.ndarray, Paint, float, bool]] = []

    def fill(self, outline: np.ndarray, paint: Paint, edged: bool = True) -> None:
        """Paint the inside of an outline and, where the palette has edges, draw the edge."""
        self.parts.append((outline, paint, 0.0, True))
        if edged and self.palette.edge:
            self.parts.append((outline, self.palette.ink, self.palette.edge, True))

    def stroke(self, line: np.ndarray, paint: Paint, width: float, closed: bool = False) -> None:
        """Draw along a line with round ends; width in units of the object."""
        self.parts.append((line, paint, width, closed))

    def bar(self, line: np.ndarray, paint: Paint, width: float, closed: bool = False) -> None:
        """Draw a thick line that has an edge of its own, like a tube."""
        if self.palette.edge:
            self.parts.append((line, self.palette.ink, width + 2 * self.palette.edge, closed))
        self.parts.append((line, paint, width, closed))

    def dot(self, x: float, y: float, radius: float, paint: Paint, edged: bool = False) -> None:
        """Paint a small disc."""
        self.fill(circle(x, y, radius, 16 if radius < 0.15 else 28), paint, edged)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an object stands in the picture, in units of the picture's side.

    Attributes:
        x, y: The place of the object's middle.
        matrix: Row-major 2×2 matrix from object units to picture sides.
        wobble: Amplitude, frequency and two phases of the bend that makes lines look drawn by hand.
    """

    x: float
    y: float
    matrix: tuple[float, float, float, float]
    wobble: tuple[float, float, float, float]

    @property
    def scale(self) -> float:
        """Picture sides per object unit."""
        a, b, c, d = self.matrix
        return math.sqrt(abs(a * d - b * c))

    def place(self, points: np.ndarray) -> np.ndarray:
        """Return object points (n, 2) in units of the picture's side."""
        amplitude, frequency, first, second = self.wobble
        x, y = points[:, 0], points[:, 1]
        x, y = x + amplitude * np.sin(frequency * y + first), y + amplitude * np.sin(frequency * x + second)
        a, b, c, d = self.matrix
        return np.stack([self.x + a * x + b * y, self.y + c * x + d * y], axis=1)


@dataclass(frozen=True, slots=True)
class Sprite:
    """An object's pixels: colours already multiplied by coverage, over a part of the picture.

    Attributes:
        top, left: Place of the first pixel in the picture.
        colours: float32 (h, w, 3), 0 to 255, multiplied by coverage; patterned parts are still black.
        coverage: uint8 (h, w), 255 where the object covers the whole pixel.
        patterned: float32 (h, w), share of each pixel that the pattern will cover, or None.
    """

    top: int
    left: int
    colours: np.ndarray
    coverage: np.ndarray
    patterned: np.ndarray | None


def rasterise(pen: Pen, pose: Pose, size: int) -> Sprite:
    """Draw what the pen collected at `size` pixels a side and return the part of the picture it touches."""
    parts = pen.parts
    scale = pose.scale * size
    placed = pose.place(np.concatenate([part[0] for part in parts])) * size
    margin = max(part[2] for part in parts) * scale / 2 + 1.5
    low = placed.min(axis=0) - margin
    high = placed.max(axis=0) + margin
    left, top = (min(max(int(v), 0), size - 1) for v in low.tolist())
    right, bottom = (min(max(int(v) + 1, at + 1), size) for v, at in zip(high.tolist(), (left, top), strict=True))
    width, height = (right - left) * SUPERSAMPLING, (bottom - top) * SUPERSAMPLING
    # Pillow names a pixel by its middle, hence the half.
    samples = (placed - (left, top)) * SUPERSAMPLING - 0.5
    # Four plain channels: Pillow averages them independently, unlike those of "RGBA".
    canvas = Image.new("CMYK", (width, height))
    drawing = ImageDraw.Draw(canvas)
    with_pattern = pen.palette.pattern is not None
    pattern_canvas = Image.new("L", (width, height)) if with_pattern else None
    pattern_drawing = ImageDraw.Draw(pattern_canvas) if pattern_canvas is not None else None
    at = 0
    for points, paint, stroke, closed in parts:
        flat = samples[at : at + len(points)].ravel().tolist()
        at += len(points)
        patterned = with_pattern and paint[3]
        _trace(drawing, flat, (0, 0, 0, 255) if patterned else (*paint[:3], 255), stroke * scale, closed)
        if pattern_drawing is not None:
            _trace(pattern_drawing, flat, 255 if patterned else 0, stroke * scale, closed)
    small = np.asarray(canvas.reduce(SUPERSAMPLING))
    return Sprite(
        top=top,
        left=left,
        colours=small[..., :3].astype(np.float32),
        coverage=small[..., 3],
        patterned=(
            np.asarray(pattern_canvas.reduce(SUPERSAMPLING)).astype(np.float32) / 255
            if pattern_canvas is not None
            else None
        ),
    )


def _trace(
    drawing: ImageDraw.ImageDraw,
    flat: list[float],
    ink: int | tuple[int, int, int, int],
    stroke: float,
    closed: bool,
) -> None:
    """Fill (stroke 0) or stroke one outline given as x0, y0, x1, …; stroke in pixels of the final picture."""
    if not stroke:
        drawing.polygon(flat, fill=ink)
        return
    thickness = max(1, round(stroke * SUPERSAMPLING))
    if closed:
        flat = flat + flat[:2]
    drawing.line(flat, fill=ink, width=thickness)
    if thickness > 2:
        r = thickness / 2 - 0.5
        # Where the outline bends, two segments leave a wedge of about thickness times angle between them.
        wedged = len(flat) <= 2 * _SHARP_OUTLINE or thickness * 2 * math.pi > len(flat) / 2
        ends = range(0, len(flat), 2) if wedged else (0, len(flat) - 2)
        for k in ends:
            x, y = flat[k], flat[k + 1]
            drawing.ellipse((x - r, y - r, x + r, y + r), fill=ink)
