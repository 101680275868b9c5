"""Where names stand in a chart of discs, so that none lies over a disc, the front, or another name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

LETTER_WIDTH = 5.2
"""Of the average letter at 11 pixels, in pixels."""

SIDES = ("top left", "top center", "top right", "middle left", "middle right", "bottom right", "bottom center")
"""Where a name may stand, the best first: what nothing beats has nothing above it to the left."""

_AIR = 1.5


@dataclass(frozen=True)
class Disc:
    """A disc in pixels from the left upper corner of the plot.

    Attributes:
        x: Of its centre.
        y: Likewise, downwards.
        radius: In pixels.
    """

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Return whether two rectangles share a place."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )  # fmt: skip

    def meets_disc(self, disc: Disc) -> bool:
        """Return whether a disc reaches into the rectangle."""
        across = max(self.left - disc.x, 0.0, disc.x - self.right)
        down = max(self.top - disc.y, 0.0, disc.y - self.bottom)
        return hypot(across, down) < disc.radius


def box_of(name: str, disc: Disc, side: str, size: float) -> Box:
    """Return where Plotly writes a name beside a disc.

    Args:
        name: One line.
        disc: Its disc; Plotly keeps a quarter of the radius and a pixel between the two.
        side: One of `SIDES`.
        size: Of the letters in pixels.
    """
    width = LETTER_WIDTH * len(name) * size / 11
    away = 1.25 * disc.radius + 1
    upright, level = side.split()
    left = disc.x + {"left": -away - width, "center": -width / 2, "right": away}[level]
    top = disc.y + {"top": -away - size, "middle": -size / 2, "bottom": away}[upright]
    return Box(left, top, left + width, top + size)


def place_names(
    names: Sequence[tuple[int, str]],
    discs: Sequence[Disc],
    lines: Sequence[Box],
    width: float,
    height: float,
    size: float,
) -> dict[int, str]:
    """Return on which side of its disc each name stands; a name without a free place is left out.

    Args:
        names: Position of the disc and the name, the most important first.
        discs: All discs of the chart.
        lines: What else must stay free, as thin rectangles.
        width: Of the plot in pixels. On a wider one the discs lie further apart and the names fit still better.
        height: Of the plot in pixels.
        size: Of the letters in pixels.
    """
    taken = list(lines)
    found: dict[int, str] = {}
    for at, name in names:
        for side in SIDES:
            box = box_of(name, discs[at], side, size)
            inside = box.left >= 0 and box.right <= width and box.top >= -size and box.bottom <= height
            wide = Box(box.left - _AIR, box.top - _AIR, box.right + _AIR, box.bottom + _AIR)
            if inside and not any(map(wide.meets, taken)) and not any(map(wide.meets_disc, discs)):
                found[at] = side
                taken.append(wide)
                break
    return found
