"""What the page shows, in link and session: the scene, its preset, what was changed, edited and pinned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import streamlit as st

from explorer.convolution import settings as convolution_settings
from explorer.convolution.scene import Scene
from explorer.convolution.scenes.table import SCENES, scene
from explorer.convolution.stage import Board, Stage
from explorer.interface.state import Item, PageState

PREDICT = {
    "": "Predict first: off",
    "value": "Predict a number",
    "size": "Predict the size",
    "count": "Predict the count",
}
_OWN = ("scene", "preset", "predict", "question", "cell")
_KEPT = "_convolution_kept"
_SHOWN = "_convolution_shown"
_COMPLAINT = "_convolution_complaint"


def _control_items() -> Iterator[Item]:
    labels: dict[str, str] = {}
    for one in SCENES:
        for control in one.controls:
            labels.setdefault(control.name, control.label)
    for name, label in labels.items():
        assert name not in _OWN, name
        yield Item(name, "", label)


STATE = PageState(
    "convolution",
    [
        Item("scene", "", "Scene"),
        Item("preset", "", "Example", help="Numbers to start from; everything can be changed afterwards."),
        Item("predict", "", "Predict first", help="Hides the answer until you have given yours."),
        Item("question", "", "Question"),
        Item("cell", "", "Pinned cell"),
        *_control_items(),
    ],
)


def choice(
    name: str,
    titles: Mapping[str, str],
    draw: Callable[..., Any],
    on_change: Callable[[], None] = lambda: None,
    **more: Any,
) -> str:
    """Draw a choice whose link says the option's name in code, and return that name.

    A widget bound to the address would write the printed title there, and drop a name that a person or a program
    has written. So an unseen text is bound, and the widget shows what it says.

    Args:
        name: the property.
        titles: by the option's name what is printed; the first is the default.
        draw: `st.selectbox` or `st.segmented_control`.
        on_change: called after a change, when the property has its new value.
        more: passed to the widget.
    """
    options = list(titles)
    key = f"_convolution_choose_{name}"
    text = STATE.text(name, unseen=True)
    by_title = {title: option for option, title in titles.items()}
    chosen = text if text in titles else by_title.get(text, options[0])

    def changed() -> None:
        picked = st.session_state.get(key)
        # Pressed again, a segment lets go: it stays pressed.
        STATE.set(name, picked if picked in titles and picked != options[0] else "")
        if picked is not None:
            on_change()

    st.session_state[key] = chosen
    # The unseen text has the name of the property; hidden, the widget needs another.
    with st.container(key=f"{'unseen' if STATE.hidden(name) else 'seen'}_convolution_choose_{name}", width="content"):
        draw(
            STATE.items[name].label,
            options,
            format_func=titles.__getitem__,
            key=key,
            help=STATE.items[name].help,
            on_change=changed,
            **more,
        )
    return chosen


def scene_of(text: str) -> Scene:
    """Return the scene of a name; the first where there is none."""
    return next((one for one in SCENES if text in (one.name, one.title)), SCENES[0])


def current() -> Scene:
    """Return the scene that link or session ask for, before its widget is drawn."""
    key = STATE.key("scene")
    return scene_of(str(st.session_state.get(key, st.query_params.get(key, ""))))


def texts(chosen: Scene) -> dict[str, str]:
    """Draw the unseen fields that bind a scene's settings to the link, and return what they say."""
    with st.container(key="unseen_convolution_texts"):
        return {control.name: STATE.text(control.name) for control in chosen.controls}


def complain(name: str, text: str, sentence: str) -> None:
    """Keep the sentence why a wish cannot be, for the next run alone."""
    st.session_state[_COMPLAINT] = (name, text, sentence)


def complaint() -> tuple[str, str, str]:
    """Return and forget that sentence: (control, typed text, sentence)."""
    found: tuple[str, str, str] = st.session_state.pop(_COMPLAINT, ("", "", ""))
    return found


def wish(chosen: Scene, settings: Mapping[str, Any], given: Mapping[str, Any], name: str, text: str) -> None:
    """Take a value that a hand has set, or keep the sentence why it cannot be (call from a callback)."""
    if name not in {control.name for control in chosen.controls}:
        return
    sentence = convolution_settings.refusal(chosen, settings, name, text)
    if sentence is not None:
        complain(name, text, sentence)
        return
    control = chosen.control(name)
    value = convolution_settings.from_text(control, text)
    preset = chosen.settings(str(STATE.value("preset") or ""), **given)[name]
    same = control.kind != "grid" and value == preset
    STATE.set(name, "" if same else convolution_settings.to_text(control, value))
    STATE.set("cell", "")


def own_values(board: Board) -> np.ndarray:
    """Return a board's own numbers `(h, w, planes)`, without padding and inserted zeros."""
    if board.own is None:
        return board.values
    rows = np.flatnonzero(board.own.any(axis=1))
    columns = np.flatnonzero(board.own.any(axis=0))
    return board.values[np.ix_(rows, columns)]


def edit(chosen: Scene, stage: Stage, change: Any) -> None:
    """Write a block of numbers, as the browser sends it, into the grid of its board (call from a callback)."""
    if not isinstance(change, Mapping):
        return
    board = next((one for one in stage.boards if one.name == change.get("board") and one.editable), None)
    names = {control.name for control in chosen.controls if control.kind == "grid"}
    if board is None or board.name not in names:
        return
    try:
        block = np.array(change["values"], dtype=np.float64)
        row, column, plane = (int(change.get(part, 0)) for part in ("row", "column", "plane"))
    except (KeyError, TypeError, ValueError, OverflowError):
        complain("", "", "These numbers cannot be read.")
        return
    values = own_values(board).copy()
    height, width, planes = values.shape
    if block.ndim != 2 or not (0 <= row < height and 0 <= column < width and 0 <= plane < planes):
        return
    if not np.isfinite(block).all() or np.abs(block).max(initial=0) > 1e9:
        complain("", "", "A cell takes a finite number up to a thousand million.")
        return
    block = block[: height - row, : width - column]
    values[row : row + block.shape[0], column : column + block.shape[1], plane] = block
    control = chosen.control(board.name)
    STATE.set(board.name, convolution_settings.to_text(control, values[..., 0] if planes == 1 else values))


def preset_chosen(chosen: Scene) -> None:
    """Forget what was changed: the preset alone speaks (call from a callback)."""
    for control in chosen.controls:
        STATE.set(control.name, "")
    STATE.set("cell", "")


def scene_chosen() -> None:
    """Bring back what the scene showed when it was left (call from a callback)."""
    kept: dict[str, dict[str, Any]] = st.session_state.setdefault(_KEPT, {})
    left = st.session_state.get(_SHOWN)
    names = ["preset", "cell"]
    if left is not None:
        kept[left] = {name: STATE.value(name) for name in [*names, *(c.name for c in scene(left).controls)]}
    coming = scene_of(STATE.value("scene"))
    before = kept.get(coming.name, {})
    for control in coming.controls:
        STATE.set(control.name, before.get(control.name, ""))
    STATE.set("preset", before.get("preset", ""))
    STATE.set("cell", before.get("cell", ""))
    st.session_state.pop(_COMPLAINT, None)


def scene_shown(chosen: Scene) -> None:
    """Remember which scene the visitor sees."""
    st.session_state[_SHOWN] = chosen.name


def pinned_number() -> int | None:
    """Return the number of the cell that the link pins, whether or not the stage has it, or None."""
    text = str(STATE.value("cell") or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None


def pinned_cell(stage: Stage) -> int | None:
    """Return which cell of the animated link's target the link pins, or None."""
    number = pinned_number()
    most = stage.links[stage.steps.link].trace.target.size if stage.links else 0
    return number if number is not None and number < most else None


def pin(stage: Stage, cell: Any) -> None:
    """Keep a cell that was clicked, or none (call from a callback)."""
    most = stage.links[stage.steps.link].trace.target.size if stage.links else 0
    good = isinstance(cell, int | float) and 0 <= cell < most
    STATE.set("cell", str(int(cell)) if good else "")


def pin_pixel(row: int, column: int) -> None:
    """Keep the pixel of the photo that was clicked (call from a callback)."""
    for name, value in (("row", row), ("column", column)):
        if name in STATE.items:
            STATE.set(name, str(int(value)))
