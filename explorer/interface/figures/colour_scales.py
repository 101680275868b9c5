"""The app's colour scales: which colour a value gets, and the legend that says so."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import plotly.colors

from explorer.interface.theme import DIVERGING_COLOURS, SEQUENTIAL_COLOURS

STEPS = 255
"""Colours of a scale; an odd number, so that zero is exactly the middle of a diverging one."""

NOT_A_NUMBER = STEPS
"""Colour number of a value that is not a number: a colour that no scale has."""
_NOT_A_NUMBER_RGB = (255, 0, 255)


@cache
def lookup_table(diverging: bool) -> np.ndarray:
    """Return the 255 colours of a scale, and behind them the one of what is not a number.

    Args:
        diverging: the scale for signed values (zero in the middle), else the one for values from 0 up.

    Returns:
        uint8 `(256, 3)` sRGB.
    """
    positions = [i / (STEPS - 1) for i in range(STEPS)]
    colours = plotly.colors.sample_colorscale(
        DIVERGING_COLOURS if diverging else SEQUENTIAL_COLOURS, positions, colortype="tuple"
    )
    return np.vstack([np.rint(np.array(colours) * 255), [_NOT_A_NUMBER_RGB]]).astype(np.uint8)


@dataclass(frozen=True)
class ColourScale:
    """Values from `low` to `high` over 255 colours; what lies outside takes the colour of the end.

    A diverging scale is symmetric about zero, a sequential one starts at zero.
    """

    low: float
    high: float

    @property
    def diverging(self) -> bool:
        """Whether the scale shows signed values around zero."""
        return self.low < 0

    def indices(self, values: np.ndarray) -> np.ndarray:
        """Return the colour number of each value, uint8, same shape.

        An empty scale (all values zero) shows zero: the middle of a diverging scale, the start of a sequential one.
        What is not a number has a colour of its own, so that a network that overflows is seen to do so.
        """
        unreal = np.isnan(values)
        span = self.high - self.low
        if span > 0:
            inside = np.where(unreal, self.low, np.clip(values, self.low, self.high))
            numbers = np.rint((inside - np.float32(self.low)) * np.float32((STEPS - 1) / span)).astype(np.uint8)
        else:
            numbers = np.zeros(values.shape, np.uint8)
        numbers[unreal] = NOT_A_NUMBER
        return numbers

    def css_gradient(self, steps: int = 17) -> str:
        """Return the scale as a CSS `linear-gradient`, low end on the left."""
        table = lookup_table(self.diverging)
        stops = [table[round(i * (STEPS - 1) / (steps - 1))] for i in range(steps)]
        return "linear-gradient(to right, " + ", ".join(f"rgb({r},{g},{b})" for r, g, b in stops) + ")"
