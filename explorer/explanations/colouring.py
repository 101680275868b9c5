"""Which colour a heat map's value gets, on the page, in the report and in downloaded pictures alike.

Zero is nearly black, and lightness (OKLab) rises evenly away from it: upwards through the purple of attributions to
cream, below zero through blue to a pale one. So over a picture the important places look lit and the others dimmed,
a signed and an unsigned map show the same positive value in the same colour, and the order survives grey paper and
the common kinds of colour blindness.
"""

from __future__ import annotations

from functools import cache

import numpy as np

STEPS = 255
"""Colours of a scale; odd, so that zero is exactly the middle of a signed one."""

NOT_A_NUMBER = STEPS
"""Colour number of a value that is not a number."""

NOT_A_NUMBER_RGB = (64, 255, 64)
"""A colour that no scale has."""

ZERO_RGB = (7, 5, 18)

# From zero to the end of the scale, at equal distances; both arms have the same lightness at the same distance.
_POSITIVE = (
    ZERO_RGB, (41, 13, 63), (88, 20, 95), (137, 33, 112), (183, 60, 124), (222, 99, 117), (244, 148, 115),
    (250, 200, 145), (255, 246, 211),
)  # fmt: skip
_NEGATIVE = (
    ZERO_RGB, (13, 24, 72), (17, 51, 117), (21, 83, 153), (29, 118, 188), (51, 154, 216), (95, 189, 235),
    (159, 221, 244), (228, 250, 255),
)  # fmt: skip


@cache
def table(signed: bool) -> np.ndarray:
    """Return the 255 colours of a scale, and behind them the one of what is not a number.

    Args:
        signed: whether the scale runs from −end over 0 to end, or from 0 to end.

    Returns:
        uint8 (256, 3) sRGB, read-only.
    """
    if signed:
        half = STEPS // 2
        below = _between(_NEGATIVE, half + 1)[:0:-1]
        colours = np.concatenate([below, _between(_POSITIVE, half + 1)])
    else:
        colours = _between(_POSITIVE, STEPS)
    found = np.vstack([colours, [NOT_A_NUMBER_RGB]]).astype(np.uint8)
    found.flags.writeable = False
    return found


def _between(anchors: tuple[tuple[int, int, int], ...], count: int) -> np.ndarray:
    """Return `count` colours from the first anchor to the last, each channel linear between two anchors."""
    places, wanted = np.linspace(0, 1, len(anchors)), np.linspace(0, 1, count)
    given = np.array(anchors, np.float64)
    return np.rint(np.stack([np.interp(wanted, places, given[:, channel]) for channel in range(3)], axis=-1))


def centred(values: np.ndarray, signed: bool) -> bool:
    """Return whether a map's scale is centred on zero: where its sign has a meaning, or any value is below zero.

    An unsigned map may still have values below zero (RISE whose average was kept, of logits): dark, they would look
    like zero.
    """
    values = np.asarray(values)
    return signed or bool((values[np.isfinite(values)] < 0).any())


def scale_end(values: np.ndarray) -> float:
    """Return where a map's own scale ends: its largest size.

    0 for a map without any (all zero, or nothing finite): such a map has the colour of zero everywhere.

    Args:
        values: The map, any shape.
    """
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def numbers(values: np.ndarray, signed: bool, end: float | None = None) -> np.ndarray:
    """Return the colour number of each value.

    The scale always holds 0 and is never stretched between a map's extremes, so that a constant map has one
    colour, and a map of zeros the colour of zero.

    Args:
        values: Any shape.
        signed: Whether the sign has a meaning; the scale then runs from −end to end, as for any map that is `centred`.
        end: Where the scale ends; by default `scale_end(values)`. Beyond it the colour stays.

    Returns:
        uint8 of the same shape, indices into `table(centred(values, signed))`.
    """
    values = np.asarray(values, np.float64)
    signed = centred(values, signed)
    end = scale_end(values) if end is None else float(end)
    low = -end if signed else 0.0
    unreal = np.isnan(values)
    zero = STEPS // 2 if signed else 0
    if end > 0:
        inside = np.where(unreal, 0.0, np.clip(values, low, end))
        found = np.floor((inside - low) / (end - low) * (STEPS - 1) + 0.5).astype(np.uint8)
    else:
        found = np.full(values.shape, zero, np.uint8)
    found[unreal] = NOT_A_NUMBER
    return found


def coloured(values: np.ndarray, signed: bool, end: float | None = None) -> np.ndarray:
    """Return a map as a picture.

    Args:
        values: float (h, w), or any shape.
        signed: Whether the sign has a meaning: zero is then the middle of the scale, as for any map that is `centred`.
        end: Where the scale ends; by default at the map's own largest size.

    Returns:
        uint8 (h, w, 3) sRGB.
    """
    return table(centred(values, signed))[numbers(values, signed, end)]


def css_gradient(signed: bool, steps: int = 17) -> str:
    """Return the scale as a CSS `linear-gradient`, its low end on the left."""
    colours = table(signed)
    stops = [colours[round(i * (STEPS - 1) / (steps - 1))] for i in range(steps)]
    return "linear-gradient(to right, " + ", ".join(f"rgb({r},{g},{b})" for r, g, b in stops) + ")"
