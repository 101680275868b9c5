"""The colours of one object, chosen so that it can be told from a background of a known brightness."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

from explorer.pictures.drawn_world.chance import Roll

Paint = tuple[int, int, int, bool]
"""Red, green, blue from 0 to 255, and whether the object's pattern covers it."""


def colour(hue: float, saturation: float, value: float, patterned: bool = False) -> Paint:
    """Return a paint from hue (turns, any real), saturation and value (0 to 1)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return int(red * 255), int(green * 255), int(blue * 255), patterned


@dataclass(slots=True)
class Palette:
    """The paints an object may use, and how its edges are drawn.

    Attributes:
        main, second, accent: The object's own colours; `main` carries the pattern where there is one.
        ink: For outlines and lines on the object.
        line: For lines that lie on the background and must be told from it.
        pale, dark: Near white and near black.
        edge: Width of the outline in units of the object, 0 for none.
        pattern: The two colours of the pattern, or None where the fills are plain.
        hue: Hue of `main`, in turns.
    """

    main: Paint
    second: Paint
    accent: Paint
    ink: Paint
    line: Paint
    pale: Paint
    dark: Paint
    edge: float
    pattern: tuple[Paint, Paint] | None
    hue: float

    def shade(self, hue: float, saturation: float, value: float) -> Paint:
        """Return a colour of its own for a detail, never patterned."""
        return colour(hue, saturation, value)


def choose(roll: Roll, hues: tuple[tuple[float, float], ...], tone: float) -> Palette:
    """Choose the colours of an object.

    Args:
        roll: Where chance comes from.
        hues: Ranges of hue (turns) that are usual for this kind of object; three of ten objects ignore them.
        tone: Brightness of the background, 0 to 1.
    """
    free = roll.happens(0.3) or not hues
    low, high = (0.0, 1.0) if free else roll.pick(hues)
    hue = roll.between(low, high)
    saturation = roll.between(0.5, 1.0)
    if roll.happens(0.12):
        value = roll.between(0.25, 1.0)
    elif tone > 0.62:
        value = roll.between(0.4, 0.85)
    elif tone < 0.38:
        value = roll.between(0.75, 1.0)
    else:
        value = roll.between(0.86, 1.0) if roll.happens(0.65) else roll.between(0.22, 0.4)
    turn = roll.pick((0.08, -0.08, 0.33, 0.5, -0.33, 0.17, -0.17))
    second_value = roll.between(0.35, 1.0)
    patterned = roll.happens(0.48)
    main = colour(hue, saturation, value, patterned)
    second = colour(hue + turn, roll.between(0.4, 0.95), second_value)
    accent = colour(hue + roll.between(0.25, 0.75), roll.between(0.6, 1.0), roll.between(0.6, 1.0))
    contrast_value = value * roll.between(0.45, 0.72) if value > 0.6 else min(1.0, value + roll.between(0.25, 0.45))
    other = colour(hue + roll.around(0.0, 0.12), saturation * roll.between(0.4, 1.0), contrast_value)
    if patterned and roll.happens(0.25):
        other = second
    dark = colour(roll.unit(), 0.4, roll.between(0.04, 0.16))
    pale = colour(roll.unit(), roll.between(0.0, 0.12), roll.between(0.93, 1.0))
    white_ink = tone < 0.5 and value < 0.6 or (tone < 0.38 and roll.happens(0.15))
    light_line = colour(roll.unit(), roll.between(0.0, 0.5), roll.between(0.65, 1.0))
    edged = roll.happens(0.7)
    edge = roll.between(0.035, 0.075) if edged else 0.0
    return Palette(
        main=main,
        second=second,
        accent=accent,
        ink=pale if white_ink else dark,
        line=light_line if tone < 0.38 else dark,
        pale=pale,
        dark=dark,
        edge=edge,
        pattern=((*main[:3], False), other) if patterned else None,
        hue=hue,
    )
