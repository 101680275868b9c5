"""The stage: all maps side by side, growing in as they are computed; or first a picture to paint on."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import streamlit as st

from explorer.explanations import painting
from explorer.explanations.box import box_of
from explorer.explanations.results import Explained
from explorer.explanations.table import has_box
from explorer.interface import work
from explorer.interface.components.heat_maps import (
    HeatMap,
    HeatRow,
    Painting,
    heat_maps,
    mask_from_code,
    paint_grid,
)
from explorer.interface.explanations import cells, words
from explorer.interface.explanations.cells import Cell
from explorer.interface.explanations.page_state import STATE, Question, Row
from explorer.interface.figures.heat_scales import suited_rule
from explorer.interface.jobs import progress_line
from explorer.interface.network_choice import encoded
from explorer.networks import catalogue
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.preprocessing import fit_mask
from explorer.pictures.picture import Picture
from explorer.pictures.sources import mask_of

KEY = "explanations_stage"
POLL_SECONDS = 0.7
BOX_SHARE = 0.3
_DRAWN = "_explanations_drawn"
_PAINTED_OF = "_explanations_painted_of"
"""Of which picture and target the painted guess is."""
_CHANGED = "_explanations_changed"
"""Set by a click on the stage after which the whole page is another."""
_SEEN = "explanations.seen"


def painted(question: Question, row: Row) -> np.ndarray | None:
    """Return what was painted, bool (rows, columns), or None; what was meant for another question counts as none."""
    subject = (row.picture.sha256, row.target, question.network, question.fit)
    code = STATE.linked("painted")
    if code and st.session_state.setdefault(_PAINTED_OF, subject) != subject:
        STATE.set("painted", "")
        code = STATE.linked("painted")
    if not code:
        st.session_state.pop(_PAINTED_OF, None)
    found = mask_from_code(code)
    wanted = paint_grid(*catalogue.entry(question.network).input_size)
    return found if found is not None and found.shape == wanted else None


def _keep_painting() -> None:
    STATE.set("painted", st.session_state[KEY].paint or "")
    st.session_state[_CHANGED] = True


def show(question: Question, rows: Sequence[Row], names: Sequence[str]) -> bool:
    """Draw the stage of these rows and methods; return whether maps may be seen, since no guess is asked for first."""
    guess = painted(question, rows[0])
    asking = STATE.value("predict") and guess is None
    board: list[list[Cell]] = [[]]
    if asking:
        rows = rows[:1]
    elif names:
        with st.container():  # of the lines that tell what is waited for, however many
            board = cells.cells_of(question, rows, names)
    else:
        st.info("Choose a method above: each gives one map for each row.", icon=":material/touch_app:")
        return True
    st.session_state.pop(_CHANGED, None)
    # A fragment in any case: the browser would build the whole board anew where it gets into one or out of it.
    polled = _is_under_way(board)
    st.fragment(_stage, run_every=POLL_SECONDS if polled else None)(question, rows, board, guess, polled, asking)
    return not asking


def _is_under_way(board: list[list[Cell]]) -> bool:
    return any(cell.job is not None for row in board for cell in row)


def _stage(
    question: Question,
    rows: Sequence[Row],
    board: list[list[Cell]],
    guess: np.ndarray | None,
    polled: bool,
    asking: bool,
) -> None:
    """Draw the stage, again and again while maps are under way, and the whole page when all are there."""
    if st.session_state.pop(_CHANGED, False):
        st.rerun()
    if asking:
        _draw(question, rows, board, None, asking=True)
        return
    now = [[cells.looked_at_again(cell) for cell in row] for row in board] if polled else board
    _whole(question, rows, now, guess)
    if polled and not _is_under_way(now):
        st.rerun()


def _whole(question: Question, rows: Sequence[Row], board: list[list[Cell]], guess: np.ndarray | None) -> None:
    _draw(question, rows, board, guess if STATE.value("predict") else None)
    everything = [cell for row in board for cell in row]
    running = [cell for cell in everything if cell.job is not None]
    if running:
        with st.container(horizontal=True, vertical_alignment="center"):
            first = next((cell for cell in running if not cell.job.place), running[0])  # type: ignore[union-attr]
            assert first.job is not None
            progress_line(first.job)
            st.button("Stop", key="explanations_stop", icon=":material/stop:", on_click=cells.stop, args=(running,))
    elif any(map(cells.can_be_taken_up, everything)):
        st.button(
            "Compute what is missing",
            key="explanations_again",
            icon=":material/replay:",
            on_click=_again,
            args=(question, everything),
        )
    if STATE.value("predict") and guess is not None:
        _compared(guess, board[0])


def _again(question: Question, everything: Sequence[Cell]) -> None:
    cells.again(question, everything)
    st.session_state[_CHANGED] = True


def _compared(guess: np.ndarray, row: Sequence[Cell]) -> None:
    """Say how well the painted guess meets each map."""
    scored = [
        (cell.method.title, painting.agreement_with(guess, _values(cell))) for cell in row if cell.explained is not None
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, overlap in sorted(scored, key=lambda each: -np.nan_to_num(each[1], nan=-1)):
            st.metric(title, "no answer" if np.isnan(overlap) else f"{overlap:.2f}", width="content")
        st.metric("By chance", f"{painting.by_chance(guess):.2f}", width="content")
    st.caption(
        "IoU of what you painted with as many of each map's highest cells: 1 is the same place, 0 is another one."
    )


def _values(cell: Cell) -> np.ndarray:
    assert cell.explained is not None
    return cell.explained.explanation.maps[0]


def _heat(cell: Cell) -> HeatMap:
    """Return a cell as the component draws it."""
    title = cell.method.title
    if cell.explained is None:
        # Nothing here may change while one waits, or the whole board is sent again: a line below tells how far it is.
        note = cell.sentence or ("Stopped." if cell.stopped else "Computing …")
        return HeatMap(
            cell.method.name,
            title,
            signed=cell.method.signed,
            note=note,
            busy=cell.job is not None,
        )
    return _heat_of(cell.explained, title, cell.method.name)


def _heat_of(explained: Explained, title: str, name: str) -> HeatMap:
    """Return a finished map as the component draws it: one object for each result, since it finds scales once."""
    drawn: weakref.WeakKeyDictionary[Explained, HeatMap] = st.session_state.setdefault(
        _DRAWN, weakref.WeakKeyDictionary()
    )
    if explained not in drawn:
        explanation = explained.explanation
        values = explanation.maps[0]
        drawn[explained] = HeatMap(
            name,
            title,
            words.caption(explanation),
            values,
            explanation.signed,
            " ".join(explanation.notes),
            box_of(values, BOX_SHARE) if has_box(name) else None,
            rule=suited_rule(name),
        )
    return drawn[explained]


@lru_cache(maxsize=48)
def _mask(source: str) -> np.ndarray | None:
    return mask_of(source)


def mask_of_picture(picture: Picture) -> np.ndarray | None:
    """Return where a drawn picture's object is, bool at the picture's size; None where nobody knows."""
    return _mask(picture.source) if picture.is_drawn else None


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture as the network gets it, ready for the browser.

    Attributes:
        encoded: the fitted picture.
        outline: where a drawn picture's object is, bool at the size of the network's input; None where unknown.
    """

    encoded: bytes
    outline: np.ndarray | None


def seen(question: Question, picture: Picture) -> Seen:
    """Return a picture as the network gets it: fitted and encoded once, since the stage is drawn again and again.

    It is kept with this session's results: it may come from an upload.
    """
    # An upload may have the pixels of a drawn picture, of which alone it is known where the object is.
    identity = (question.network, question.fit, picture.sha256, picture.source)
    kept = work.find(_SEEN, identity)
    if isinstance(kept, Seen):
        return kept
    entry = catalogue.entry(question.network)
    mask = mask_of_picture(picture)
    made = Seen(
        encoded(fit_picture(picture.pixels, entry, question.fit).pixels),
        None if mask is None else fit_mask(mask, entry, question.fit),
    )
    work.keep(_SEEN, identity, made)
    return made


def _draw(
    question: Question,
    rows: Sequence[Row],
    board: Sequence[Sequence[Cell]],
    guess: np.ndarray | None,
    *,
    asking: bool = False,
) -> None:
    entry = catalogue.entry(question.network)
    heat_rows = []
    for row, cells_of_row in zip(rows, board, strict=True):
        picture = seen(question, row.picture)
        heat_rows.append(
            HeatRow(
                row.label if len(rows) > 1 else "",
                picture.encoded,
                tuple(_heat(cell) for cell in cells_of_row),
                alt=f"{row.picture.title}, as the network gets it",
                outline=picture.outline,
            )
        )
    painting_board = None
    if STATE.value("predict"):
        height, width = paint_grid(*entry.input_size)
        painting_board = Painting(
            height, width, guess, open=asking, words=f"Where does the network look for {rows[0].label}? Paint it."
        )
    heat_maps(heat_rows, painting=painting_board, key=KEY, on_paint=_keep_painting)
