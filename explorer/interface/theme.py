"""The one home of colours and sizes: which colour means which quantity, in the light and the dark theme.

The hues are those of Okabe and Ito, "Color Universal Design" (2008), which stay apart for the common kinds of
colour blindness. On a dark page the same hues are lighter, so that text and thin lines in them keep a contrast
of at least 4.5 : 1 there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as `#rrggbb`; one hue per kind of quantity, the same on every page.

    `lines` tells apart things that are of one kind, such as the curves of several methods: each has a contrast of at
    least 3 : 1 to the page.
    """

    input: str
    weight: str
    activation: str
    gradient: str
    highlight: str
    text: str
    muted: str
    background: str
    panel: str
    border: str
    error: str
    lines: tuple[str, ...]


LIGHT = Palette(
    input="#0072B2",
    weight="#D55E00",
    activation="#009E73",
    gradient="#CC79A7",
    highlight="#E69F00",
    text="#0B141C",
    muted="#5B6B7A",
    background="#FFFFFF",
    panel="#F2F5F8",
    border="#D5DDE5",
    error="#B3261E",
    lines=("#D55E00", "#0072B2", "#A4477C", "#009E73", "#8A6100", "#0B141C"),
)
DARK = Palette(
    input="#56B4E9",
    weight="#F08A45",
    activation="#2FC79B",
    gradient="#DD9CC2",
    highlight="#F2B84B",
    text="#E6ECF2",
    muted="#9AA9B8",
    background="#12181F",
    panel="#1C252F",
    border="#33414F",
    error="#F28B82",
    lines=("#F08A45", "#56B4E9", "#DD9CC2", "#2FC79B", "#F2D04B", "#E6ECF2"),
)
PALETTES: dict[ThemeName, Palette] = {"light": LIGHT, "dark": DARK}

SEQUENTIAL_COLOURS = "viridis"
"""Colour map for quantities without a sign."""

DIVERGING_COLOURS = "RdBu_r"
"""Colour map for signed quantities, always centred on 0."""

THUMBNAIL_PIXELS = 96
"""Side of a picture's thumbnail."""


def theme_name() -> ThemeName:
    """Return which theme the visitor's browser shows; light where it has not said yet."""
    return "dark" if st.context.theme.type == "dark" else "light"


def palette() -> Palette:
    """Return the colours of the theme that the visitor sees."""
    return PALETTES[theme_name()]


# In the dark theme the accent is light, so that selected words in it are readable on the dark page. Streamlit
# writes white on a primary button in both themes; this writes dark on the light accent (8 : 1).
_BUTTON_TEXT = """<style>
[data-testid="stBaseButton-primary"] { color: light-dark(#FFFFFF, #0B1620); }
</style>"""


def apply_theme() -> None:
    """Add what .streamlit/config.toml cannot say; the shell calls this on every page."""
    st.html(_BUTTON_TEXT)
