"""Python's door to the walk: backpropagation by hand, stepped in the browser, its given numbers changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer.gradient_flow.by_hand import LARGEST, Place, Walk
from explorer.interface.components.packing import pack
from explorer.interface.components.registration import digest_of, register
from explorer.interface.theme import Palette, palette

_walk = register("walk")
_HEARD = "_walk_edits"
_KIND_LETTERS = {"": ".", "input": "i", "weight": "w", "activation": "a", "gradient": "g"}

FEW_CELLS = 80
"""Up to so many cells their numbers have room for three decimals, else for two."""


def message(walk: Walk, colours: Palette) -> bytes:
    """Return what the browser needs to show and step through a walk.

    Args:
        walk: what is shown.
        colours: of the theme.
    """
    places: dict[Place, int] = {}
    boards = []
    for board in walk.boards.values():
        for cell in range(board.values.size):
            places[board.name, cell] = len(places)
        rows, columns = board.values.shape
        boards.append(
            {
                "name": board.name,
                "title": board.title,
                "kind": board.kind,
                "rows": rows,
                "columns": columns,
                "labels": list(board.labels),
                "given": board.given,
                "column": board.column,
                "row": board.row,
                "classes": _classes(walk) if board.name == "t" else 0,
            }
        )
    phases = list(dict.fromkeys(step.phase for step in walk.steps))
    steps = [
        {
            "phase": phases.index(step.phase),
            "writes": places[step.writes],
            "reads": sorted({places[place] for place in step.reads}),
            "formula": step.formula,
            "pieces": [_KIND_LETTERS[kind] + text for text, kind in step.pieces],
            "note": step.note,
        }
        for step in walk.steps
    ]
    values = np.concatenate([board.values.ravel() for board in walk.boards.values()]).astype("<f8").tobytes()
    few = len(places) <= FEW_CELLS
    header: dict[str, Any] = {
        "digest": digest_of(values, repr(steps).encode()),
        "structure": digest_of(repr((boards, phases, [step["writes"] for step in steps])).encode()),
        "boards": boards,
        "phases": phases,
        "steps": steps,
        "digits": 3 if few else 2,
        "largest": int(LARGEST),
        "cell": {"w": "54px", "h": "34px", "font": "13px", "titles": "2.4em"}
        if few
        else {"w": "31px", "h": "23px", "font": "11px", "titles": "2.4em"},
        "hues": {
            "input": colours.input,
            "weight": colours.weight,
            "activation": colours.activation,
            "gradient": colours.gradient,
            "highlight": colours.highlight,
        },
    }
    return pack(header, {"values": values})


def _classes(walk: Walk) -> int:
    """Return how many classes there are to be the true one; 0 where the target is a number like any other."""
    return len(walk.boards["q"].values) if "q" in walk.boards else 0


def edit_of(event: Any, walk: Walk) -> tuple[Place, float] | None:
    """Return the cell and the number that the browser tells of; None where there is no such cell to write in."""
    if not isinstance(event, dict):
        return None
    name, cell, value = event.get("board"), event.get("cell"), event.get("value")
    board = walk.boards.get(name) if isinstance(name, str) else None
    if board is None or not board.given or not isinstance(cell, int) or not 0 <= cell < board.values.size:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        return None
    return (board.name, cell), float(value)


def walk(shown: Walk, *, key: str, on_edit: Callable[[Place, float], None]) -> Any:
    """Show a walk; stepping and playing happen in the browser, a changed number asks for another walk.

    Args:
        shown: the walk.
        key: Streamlit key of the element.
        on_edit: called with the cell and its new number.
    """

    def heard() -> None:
        event = st.session_state[key].edit
        found = edit_of(event, shown)
        known = st.session_state.setdefault(_HEARD, {})
        if found is not None and known.get(key) != event.get("at"):
            known[key] = event.get("at")
            on_edit(*found)

    return _walk(key=key, data=message(shown, palette()), on_edit_change=heard)
