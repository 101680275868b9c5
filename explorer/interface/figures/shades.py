"""A shade for each weight of a kernel, so that the cells it covers can be told apart without words."""

from __future__ import annotations

from functools import cache

import numpy as np

# Found by a search for 7 × 7 colours that stay as far apart as possible (CIEDE2000) for usual eyes, deuteranopes and
# protanopes alike. Columns differ in lightness, too: hue alone is lost on eyes that do not tell red from green.
_LIGHT, _DARK = 0.949, 0.364
_SLANT = 0.562
_HUES = (341.4, 455.8)
_HUE_POWER = 1.85
_CHROMAS = (0.102, 0.119)

# Björn Ottosson, "A perceptual color space for image processing" (2020): OKLab to linear sRGB.
_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)


def _linear(lightness: float, chroma: float, hue: float) -> np.ndarray:
    angle = np.deg2rad(hue)
    return _TO_RGB @ (_TO_LMS @ np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])) ** 3


def _colour(lightness: float, chroma: float, hue: float) -> str:
    """Return the colour of that lightness and hue, with less chroma where screens cannot show as much."""
    while chroma > 0 and not ((_linear(lightness, chroma, hue) >= 0) & (_linear(lightness, chroma, hue) <= 1)).all():
        chroma -= 0.002
    linear = np.clip(_linear(lightness, max(chroma, 0), hue), 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in rgb)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2)."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@cache
def shades(rows: int, columns: int) -> tuple[tuple[str, ...], ...]:
    """Return the colours `#rrggbb` of a kernel's cells, row by row.

    Rows differ in lightness, columns in hue, from rose over vermilion and amber to yellow: all of them the warm
    colours of a weight. Up to 7 × 7 stay apart also for eyes that do not tell red from green; fewer need less
    dark ones.
    """
    depth = min(1.0, 0.4 + 0.1 * max(rows, columns))
    downs = np.linspace(0, 1, rows) if rows > 1 else np.array([0.35])
    turns = np.linspace(0, 1, columns) if columns > 1 else np.array([0.5])
    return tuple(tuple(_shade(float(down) * depth, float(turn), depth) for turn in turns) for down in downs)


def _shade(down: float, turn: float, depth: float) -> str:
    lightness = _LIGHT + (_DARK - _LIGHT) * (down + _SLANT * depth * (1 - turn)) / (1 + _SLANT)
    hue = _HUES[0] + (_HUES[1] - _HUES[0]) * turn**_HUE_POWER
    return _colour(lightness, _CHROMAS[0] + (_CHROMAS[1] - _CHROMAS[0]) * turn, hue)


def text_on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour; the contrast is at least 4.5 : 1."""
    return "#000000" if (luminance(colour) + 0.05) / 0.05 >= 1.05 / (luminance(colour) + 0.05) else "#ffffff"
