"""One run on the stage: live while it learns, and then what it found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.interface import runs_service
from explorer.interface.current_picture import plain
from explorer.interface.state import show_in
from explorer.interface.training import about, asking, items, learning, live, mistakes, take_along, try_it, words
from explorer.interface.training.page_state import PANELS, STATE
from explorer.interface.training.reading import curves_of, outcome_of
from explorer.interface.training.runs_table import ask_to_delete
from explorer.interface.training.starting import again, edit
from explorer.runs.folder import LONGEST_TITLE
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.record import FINAL, Run


def show(run: Run) -> None:
    """Draw a run."""
    lesson = words.lesson_of(run)
    items.prepare()
    _head(run, lesson)
    if run.state not in FINAL:
        live.show(run, lesson)
    else:
        _ended(run, lesson)
    take_along.show(run, lesson, outcome_of(run.folder))


def _head(run: Run, lesson: Lesson | None) -> None:
    """Draw what the run is, and what can be done with it."""
    word, icon, colour = words.STATES[run.state]
    with st.container(horizontal=True, vertical_alignment="center", key="training_head"):
        st.button(
            "Lessons", icon=":material/arrow_back:", key="training_back", type="tertiary",
            on_click=lambda: STATE.set("run", ""),
        )  # fmt: skip
        symbol = lesson.icon if lesson is not None else ":material/model_training:"
        st.markdown(f"{symbol} **{plain(words.title_of(run))}**", width="content")
        if asking.owns(run):
            _rename(run)
        st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]
        if not asking.owns(run):
            st.badge("shared with you", icon=":material/visibility:", color="gray", help="You may look, and no more.")
        st.space("stretch")
        with STATE.part("actions"):
            _actions(run)


def _rename(run: Run) -> None:
    """Draw what gives an own run another name."""
    key = f"training_rename_{run.id}"
    show_in(key, words.title_of(run))
    with st.popover("Rename", icon=":material/edit_note:", type="tertiary", key="training_rename", help="Rename"):
        st.text_input(
            "Name of the run",
            key=key,
            max_chars=LONGEST_TITLE,
            on_change=lambda: asking.attempt(runs_service.rename, run.id, str(st.session_state[key] or "")),
            help="To find it again in the table of runs, and where its networks are chosen.",
        )


def _actions(run: Run) -> None:
    with st.container(horizontal=True, width="content", key="training_run_actions"):
        if asking.owns(run) and run.state not in FINAL:
            live.stop_button(run)
        if run.state in FINAL:
            st.button(
                "Run again", icon=":material/replay:", key="training_run_again", on_click=again, args=(run,),
                help="The same once more, with the same seed",
            )  # fmt: skip
        st.button(
            "Edit a copy", icon=":material/edit:", key="training_run_edit", on_click=edit, args=(run,),
            help="Take its settings into the set-up, and change some",
        )  # fmt: skip
        deletable = asking.owns(run) and run.state in FINAL
        if deletable and st.button("Delete", icon=":material/delete:", key="training_run_delete"):
            ask_to_delete([run.id], [words.title_of(run)])


def panels_of(run: Run, outcome: Sequence[Any]) -> list[str]:
    """Return the panels that have something to show."""
    curves = curves_of(run.folder)
    there = {
        "result": bool(items.below_the_numbers(outcome)),
        "learned": bool(curves.raw or curves.moments),
        "mistakes": bool(mistakes.confusions(outcome)),
        "try": bool(try_it.models_of(run)),
        "about": True,
    }
    return [name for name in PANELS if there[name]]


def _ended(run: Run, lesson: Lesson | None) -> None:
    about.reason(run)
    outcome = outcome_of(run.folder)
    items.top(outcome, run.folder)
    there = panels_of(run, outcome)
    panel = _panel(there)
    with st.container(key="training_panel_body"):
        if panel == "result":
            result(run, outcome)
        elif panel == "learned":
            curves = curves_of(run.folder)
            learning.controls(curves)
            st.fragment(learning.show)(run, lesson, learning.chosen_metric(curves), live=False)
        elif panel == "mistakes":
            mistakes.show(run, lesson, outcome)
        elif panel == "try":
            try_it.show(run, lesson)
        else:
            about.show(run, lesson)


def _panel(there: list[str]) -> str:
    """Draw the choice of what to look at, and return it."""
    wanted = STATE.linked("panel")
    chosen = wanted if wanted in there else there[0]
    key = "training_panel_shown"
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen

    def changed() -> None:
        if (name := st.session_state[key]) is not None:
            STATE.set("panel", name)

    with STATE.part("panel"):
        st.segmented_control(
            "What to look at", there, format_func=PANELS.__getitem__, key=key, on_change=changed, required=True,
            label_visibility="collapsed",
        )  # fmt: skip
    return chosen


def result(run: Run, outcome: Sequence[Any]) -> None:
    """Draw the items of an outcome, small ones two by two."""
    rest = items.below_the_numbers(outcome)
    position = 0
    while position < len(rest):
        pair = rest[position : position + 2]
        if len(pair) == 2 and all(items.is_narrow(item, run.folder) for item in pair):
            for column, item, number in zip(st.columns(2, gap="medium"), pair, (position, position + 1), strict=True):
                with column:
                    items.show(item, run.folder, f"result_{number}")
            position += 2
        else:
            items.show(rest[position], run.folder, f"result_{position}")
            position += 1
