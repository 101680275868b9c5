"""Digits in many hands, drawn by code: every one a function of its seed, its index and which digit it is.

A digit is one or a few strokes through control points that chance moves; then it is slanted, bent and written with a
pen of some width. Like MNIST's (LeCun et al., 1998) they are 28 × 28, white on black, in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from explorer.pictures.drawn_world.chance import Roll
from explorer.pictures.drawn_world.shapes import arc, joined, polygon, smooth

SIDE = 28

_DIGITS_WORLD = 20240608
_SAMPLES = 4
_MARGIN = 0.12  # of the picture's side: half of the thickest pen, and a pixel

Strokes = list[np.ndarray]


def draw_digit(seed: int, index: int, label: int, *, noise: float = 0.1) -> np.ndarray:
    """Draw a digit.

    Args:
        seed: Which world of digits, 0 or more.
        index: Which digit of it, 0 or more.
        label: 0 to 9.
        noise: Standard deviation of what is added to each pixel, where black is 0 and white is 1.

    Returns:
        uint8 (28, 28), white on black.

    Raises:
        ValueError: for a digit that there is not, and for a negative seed or index.
    """
    if not 0 <= label <= 9:
        raise ValueError(f"There is no digit {label}; there are 0 to 9.")
    roll = Roll(_DIGITS_WORLD, seed, index, label)
    strokes = _placed(_HANDS[label](roll), roll)
    values = _inked(strokes, roll)
    if noise:
        # Four uniform numbers add up to something close to a normal one, of variance 1/3.
        grain = roll.units(4 * SIDE * SIDE).reshape(4, SIDE, SIDE).sum(axis=0) - 2
        values = values + (255 * noise * math.sqrt(3)) * grain
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


def _placed(strokes: Strokes, roll: Roll) -> Strokes:
    """Bend, slant, turn and scale strokes as a hand does; return them in units of the picture's side."""
    swing, often = roll.between(0.0, 0.09), roll.between(2.0, 4.0)
    first, second = roll.between(0, 6.3), roll.between(0, 6.3)
    turn, slant = roll.around(0.0, 0.28), roll.around(-0.12, 0.5)
    wide, tall = roll.between(0.19, 0.32), roll.between(0.28, 0.37)
    cos, sin = math.cos(turn), math.sin(turn)
    placed = []
    for points in strokes:
        x, y = points[:, 0], points[:, 1]
        x, y = x + swing * np.sin(often * y + first), y + swing * np.sin(often * x + second)
        x = x + slant * y
        x, y = wide * (x * cos - y * sin), tall * (x * sin + y * cos)
        placed.append(np.stack([x, y], axis=1))
    every = np.concatenate(placed)
    low, high = every.min(axis=0), every.max(axis=0)
    shift = np.array([0.5 + roll.around(0.0, 0.1), 0.5 + roll.around(0.0, 0.09)])
    # Nothing is cut off: what is too large for the picture is written smaller, and what would stick out moves in.
    room = 0.5 - _MARGIN
    half = (high - low) / 2
    shrink = min(1.0, room / float(half.max()))
    half = half * shrink
    shift = np.clip(shift, _MARGIN + half, 1 - _MARGIN - half)
    return [(points - (low + high) / 2) * shrink + shift for points in placed]


def _inked(strokes: Strokes, roll: Roll) -> np.ndarray:
    """Write the strokes; return float (28, 28), 0 to 255."""
    side = SIDE * _SAMPLES
    canvas = Image.new("L", (side, side))
    drawing = ImageDraw.Draw(canvas)
    width = roll.between(0.05, 0.125) * side
    pressure = roll.between(0.0, 0.3)
    for points in strokes:
        _stroke(drawing, points * side - 0.5, width, pressure, roll.between(0, 6.3))
    ink = np.asarray(canvas.reduce(_SAMPLES)).astype(np.float64)
    return ink * roll.between(0.75, 1.0)


def _stroke(drawing: ImageDraw.ImageDraw, points: np.ndarray, width: float, pressure: float, phase: float) -> None:
    """Draw a line with round joints whose width swells and fades along its way."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(2, int(way[-1] / (0.2 * width)) + 1)
    at = np.linspace(0, way[-1], count)
    x, y = np.interp(at, way, points[:, 0]), np.interp(at, way, points[:, 1])
    radii = width / 2 * (1 + pressure * np.sin(phase + 5 * at / max(way[-1], 1e-9)))
    for px, py, r in zip(x.tolist(), y.tolist(), radii.tolist(), strict=True):
        drawing.ellipse((px - r, py - r, px + r, py + r), fill=255)


def _curve(roll: Roll, *coordinates: float, loose: float = 0.07, closed: bool = False) -> np.ndarray:
    """Return the smooth curve through points that each lie a little beside where they should."""
    moved = [value + roll.around(0.0, loose * 2) for value in coordinates]
    return smooth(*moved, closed=closed, steps=8)


def _lines(roll: Roll, *coordinates: float, loose: float = 0.06) -> np.ndarray:
    return polygon(*(value + roll.around(0.0, loose * 2) for value in coordinates))


def _zero(roll: Roll) -> Strokes:
    start = roll.between(-130, -50)
    reach = roll.between(335, 385)  # not every hand closes the ring, some overshoot
    narrow = roll.between(0.62, 1.0)
    drift = np.linspace(0, roll.around(0.0, 0.15), 40)[:, None]
    return [arc(0, 0, narrow, 1.0, start, start + reach, 40) * (1 - np.abs(drift)) + drift]


def _one(roll: Roll) -> Strokes:
    stem = _curve(roll, 0.05, -1.0, 0.0, 0.0, 0.0, 1.0, loose=0.04)
    if roll.happens(0.5):
        return [stem]
    flag = _lines(roll, -0.45, -0.55, *stem[0].tolist(), loose=0.05)
    flag[1] = stem[0]
    strokes = [joined((flag[:1], stem))]
    if roll.happens(0.35):
        strokes.append(_lines(roll, -0.5, 1.0, 0.5, 1.0, loose=0.04))
    return strokes


def _two(roll: Roll) -> Strokes:
    if roll.happens(0.4):  # with a loop below
        return [
            _curve(
                roll,
                *(-0.75, -0.55, -0.3, -0.98, 0.45, -0.9, 0.65, -0.4, 0.2, 0.25, -0.45, 0.85),
                *(-0.75, 0.85, -0.6, 0.6, -0.1, 0.75, 0.4, 0.98, 0.85, 0.8),
                loose=0.06,
            )
        ]
    top = _curve(roll, -0.75, -0.55, -0.35, -0.98, 0.4, -0.95, 0.65, -0.45, 0.2, 0.2, -0.8, 0.95)
    foot = _lines(roll, 0.8, 0.95)
    return [joined((top, foot))]


def _three(roll: Roll) -> Strokes:
    if roll.happens(0.2):  # with a flat roof
        roof = _lines(roll, -0.65, -0.95, 0.6, -0.95, -0.05, -0.2)
        bowl = _curve(roll, 0.05, -0.2, 0.65, 0.05, 0.65, 0.65, 0.05, 1.0, -0.7, 0.75)
        return [joined((roof, bowl))]
    upper = _curve(roll, -0.65, -0.7, -0.2, -1.0, 0.5, -0.85, 0.5, -0.35, -0.15, -0.08)
    lower = _curve(roll, 0.15, -0.02, 0.72, 0.3, 0.55, 0.85, -0.1, 1.0, -0.75, 0.7)
    return [joined((upper, lower))]


def _four(roll: Roll) -> Strokes:
    x = roll.between(0.15, 0.45)
    bar = roll.between(0.1, 0.4)
    if roll.happens(0.45):  # closed above
        slope = _lines(roll, x, -1.0, -0.85, bar, 0.85, bar)
        return [slope, _lines(roll, x, -1.0, x, 1.0)]
    slope = _curve(roll, -0.55, -0.95, -0.75, -0.2, -0.7, bar)
    slope = joined((slope, _lines(roll, 0.8, bar)))
    return [slope, _curve(roll, x + 0.1, -0.95, x, 0.0, x - 0.05, 1.0)]


def _five(roll: Roll) -> Strokes:
    low = roll.between(-0.3, -0.1)
    belly = _curve(roll, -0.5, low, 0.1, low - 0.12, 0.7, 0.2, 0.6, 0.75, 0.0, 1.0, -0.7, 0.75)
    neck = _lines(roll, -0.4, -0.92)
    roof = _lines(roll, -0.4, -0.92, 0.7, -0.95)
    roof[0] = neck[0]
    if roll.happens(0.6):
        return [joined((roof[::-1], belly))]
    return [joined((neck, belly)), roof + (0.0, roll.around(0.0, 0.1))]


def _six(roll: Roll) -> Strokes:
    waist = roll.between(0.0, 0.2)
    return [
        _curve(
            roll,
            *(0.45, -1.0, -0.2, -0.6, -0.65, 0.1, -0.55, 0.75, 0.0, 1.0),
            *(0.6, 0.7, 0.55, waist + 0.1, 0.05, waist - 0.05, -0.55, waist + 0.4),
            loose=0.05,
        )
    ]


def _seven(roll: Roll) -> Strokes:
    bend = roll.between(-0.1, 0.15)
    body = joined(
        (
            _curve(roll, -0.75, -0.88, 0.0, -0.88, 0.7, -0.92, loose=0.05),
            _curve(roll, 0.65, -0.85, 0.15 + bend, 0.0, -0.25, 1.0, loose=0.05),
        )
    )
    strokes = [body]
    if roll.happens(0.3):
        strokes.append(_lines(roll, -0.35, 0.05, 0.55, 0.0))
    elif roll.happens(0.2):
        strokes.append(_lines(roll, -0.75, -0.88, -0.75, -0.55, loose=0.04))
    return strokes


def _eight(roll: Roll) -> Strokes:
    if roll.happens(0.3):  # two rings
        upper, lower = roll.between(0.42, 0.55), roll.between(0.5, 0.68)
        return [
            arc(roll.around(0, 0.08), -0.5, upper, 0.48, 90, 460, 28),
            arc(roll.around(0, 0.08), 0.5, lower, 0.5, -90, 280, 28),
        ]
    return [
        _curve(
            roll,
            *(0.5, -0.72, 0.0, -1.0, -0.5, -0.6, 0.0, -0.08, 0.6, 0.5, 0.0, 1.0),
            *(-0.6, 0.5, 0.0, -0.05, 0.55, -0.55, 0.3, -0.9),
            loose=0.05,
        )
    ]


def _nine(roll: Roll) -> Strokes:
    ring = roll.between(-0.1, 0.1)
    ring_points = (0.5, -0.6, 0.1, -1.0, -0.5, -0.75, -0.5, ring - 0.2, 0.0, ring, 0.5, -0.45)
    if roll.happens(0.5):  # a straight tail
        return [
            _curve(roll, *ring_points, 0.55, -0.8, loose=0.05),
            _curve(roll, 0.55, -0.8, 0.45, 0.1, 0.25, 1.0, loose=0.04),
        ]
    return [_curve(roll, *ring_points, 0.58, -0.1, 0.4, 0.7, -0.1, 1.0, -0.55, 0.75, loose=0.05)]


_HANDS: Sequence[Callable[[Roll], Strokes]] = (
    _zero,
    _one,
    _two,
    _three,
    _four,
    _five,
    _six,
    _seven,
    _eight,
    _nine,
)
