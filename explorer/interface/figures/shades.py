"""A shade for each weight of a kernel, so that the cells it covers can be told apart without words."""

from __future__ import annotations

from functools import cache

import numpy as np

_LIGHT, _DARK = 0.93, 0.5
_HUES = (350.0, 105.0)
_CHROMA = 0.13

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


def _colour(lightness: float, hue: float) -> np.ndarray:
    """Return the sRGB colour `(3,)` of that lightness and hue, as colourful as it can be up to a limit."""
    chroma = _CHROMA
    while chroma > 0 and not ((_linear(lightness, chroma, hue) >= 0) & (_linear(lightness, chroma, hue) <= 1)).all():
        chroma -= 0.005
    linear = np.clip(_linear(lightness, max(chroma, 0), hue), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2)."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@cache
def shades(rows: int, columns: int) -> tuple[tuple[str, ...], ...]:
    """Return the colours `#rrggbb` of a kernel's cells, row by row.

    Rows differ in lightness, columns in hue, from rose over vermilion and amber to yellow: all of them the warm
    colours of a weight. Up to 7 × 7 stay apart also for eyes that do not tell red from green.
    """
    lights = np.linspace(_LIGHT, _DARK, rows) if rows > 1 else [0.72]
    start, end = _HUES
    turn = (end - start) % 360
    hues = [(start + turn * share) % 360 for share in (np.linspace(0, 1, columns) if columns > 1 else [0.5])]
    return tuple(
        tuple("#" + "".join(f"{round(float(part) * 255):02x}" for part in _colour(light, hue)) for hue in hues)
        for light in lights
    )


def text_on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour; the contrast is at least 4.5 : 1."""
    return "#000000" if (luminance(colour) + 0.05) / 0.05 >= 1.05 / (luminance(colour) + 0.05) else "#ffffff"
