"""Python's door to the table of confusions: a heat map of counts whose cells are clicked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from explorer.interface.components.packing import pack
from explorer.interface.components.registration import digest_of, register
from explorer.interface.theme import Palette, palette

_table = register("confusion_table")
_HEARD = "_confusion_clicks"
_CELL = re.compile(r"([0-9]{1,4})-([0-9]{1,4})")


def cell_of(text: str, classes: int) -> tuple[int, int] | None:
    """Return (truth, answer) of a cell's name, None where there is no such cell."""
    found = _CELL.fullmatch(text)
    if found is None:
        return None
    truth, answer = int(found[1]), int(found[2])
    return (truth, answer) if truth < classes and answer < classes else None


def _mixed(colour: str, ground: str, share: float) -> str:
    parts = [(int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in parts)


def _luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb" (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def shades(count: int, total: int, right: bool, colours: Palette) -> tuple[str, str]:
    """Return background and text of a cell: green for right answers, vermilion for wrong ones, by the share of its row.

    Args:
        count: of the cell.
        total: of its row, so that the shade says how often a picture of this class got this answer.
        right: whether truth and answer are the same.
        colours: of the theme.
    """
    if not count:
        return colours.panel, colours.muted
    share = 0.18 + 0.82 * (count / total)
    background = _mixed(colours.activation if right else colours.weight, colours.background, share)
    light = _luminance(background)
    # Black reads better than white from here on: both then have a contrast of at least 4.5 : 1 with the other choice.
    return background, "#0B141C" if (light + 0.05) / 0.056 > 1.05 / (light + 0.05) else "#FFFFFF"


def confusion_table(
    classes: Sequence[str],
    matrix: Sequence[Sequence[int]],
    *,
    name: str,
    key: str,
    picked: str = "",
    on_pick: Callable[[str], None],
) -> Any:
    """Draw a table of confusions; a click on a cell picks it.

    Args:
        classes: names of the classes.
        matrix: counts, (truth, answer).
        name: of the table, for those who cannot see it.
        key: Streamlit key of the element.
        picked: the cell that is open, "truth-answer" by number.
        on_pick: called with the name of the cell that was clicked.
    """
    colours = palette()
    cells = []
    for truth, row in enumerate(matrix):
        total = max(1, sum(row))
        line = []
        for answer, count in enumerate(row):
            background, colour = shades(count, total, truth == answer, colours)
            line.append({"count": count, "total": sum(row), "background": background, "colour": colour})
        cells.append(line)
    header = {
        "digest": digest_of(repr((list(classes), cells, name)).encode()),
        "classes": list(classes),
        "cells": cells,
        "name": name,
        "picked": picked,
        "pick": colours.highlight,
    }

    def heard() -> None:
        event = st.session_state[key].pick
        if not isinstance(event, dict):
            return
        known = st.session_state.setdefault(_HEARD, {})
        # Streamlit may tell a click twice, where a part of the page that is drawn again and again is interrupted.
        if known.get(key) != event.get("at") and cell_of(str(event.get("id", "")), len(classes)) is not None:
            known[key] = event.get("at")
            on_pick(str(event["id"]))

    return _table(key=key, data=pack(header, {}), on_pick_change=heard)
