"""The app's colour scales: which colour a value gets, and the legend that says so."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import plotly.colors

from explorer.interface.theme import DIVERGING_COLOURS, SEQUENTIAL_COLOURS


@cache
def lookup_table(diverging: bool) -> np.ndarray:
    """Return the 256 colours of a scale.

    Args:
        diverging: the scale for signed values (zero in the middle), else the one for values from 0 up.

    Returns:
        uint8 `(256, 3)` sRGB.
    """
    positions = [i / 255 for i in range(256)]
    colours = plotly.colors.sample_colorscale(
        DIVERGING_COLOURS if diverging else SEQUENTIAL_COLOURS, positions, colortype="tuple"
    )
    return np.rint(np.array(colours) * 255).astype(np.uint8)


@dataclass(frozen=True)
class ColourScale:
    """Values from `low` to `high` over 256 colours; what lies outside takes the colour of the end.

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
        """
        span = self.high - self.low
        if not span > 0:
            return np.zeros(values.shape, np.uint8)
        inside = np.nan_to_num(np.clip(values, self.low, self.high), nan=self.low)
        return np.rint((inside - np.float32(self.low)) * np.float32(255 / span)).astype(np.uint8)

    def css_gradient(self, steps: int = 17) -> str:
        """Return the scale as a CSS `linear-gradient`, low end on the left."""
        table = lookup_table(self.diverging)
        stops = [table[round(i * 255 / (steps - 1))] for i in range(steps)]
        return "linear-gradient(to right, " + ", ".join(f"rgb({r},{g},{b})" for r, g, b in stops) + ")"
