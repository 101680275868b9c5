"""The training page from top to bottom: lessons and set-up, or one run on the stage; below them the table of runs."""

from __future__ import annotations

import streamlit as st

from explorer.interface import jobs, state, work
from explorer.interface.narrow_screens import fit_narrow_screens
from explorer.interface.page_frame import page_head
from explorer.interface.training import asking, elsewhere, items, lesson_cards, one_run, runs_table, set_up
from explorer.interface.training.page_state import STATE, chosen_lesson
from explorer.networks.work_context import SentenceError
from explorer.runs.record import Run


def _opened(refused: str) -> Run | None:
    """Return the run that the link names; say so where this visitor sees no such run, unless it is said already."""
    wanted = STATE.linked("run")
    if not wanted:
        return None
    try:
        return asking.find(wanted)
    except SentenceError as failure:
        if str(failure) != refused:
            st.warning(str(failure), icon=":material/search_off:")
        return None


def show() -> None:
    """Draw the page."""
    elsewhere.follow()
    state.hide_unseen()
    jobs.begin_look()
    work.let_go_of_others()
    fit_narrow_screens("training")
    page_head("Training", "How does a network learn, and what does it learn?")
    run = _opened(asking.say_refused())
    if run is not None:
        one_run.show(run)
    else:
        items.prepare()
        _set_up()
    runs_table.show(run.id if run is not None else "")
    _background(run)


def _set_up() -> None:
    lesson = chosen_lesson()
    if lesson is None:
        st.info("This installation has no lessons.", icon=":material/school:")
        return
    runs = asking.everybodys().runs
    lesson_cards.show(lesson, runs)
    set_up.show(lesson, runs)


def _background(run: Run | None) -> None:
    from explorer.interface.training import words

    lesson = chosen_lesson() if run is None else words.lesson_of(run)
    if lesson is not None and lesson.background:
        with st.expander("Background, formulas and sources", icon=":material/menu_book:"):
            st.markdown(lesson.background)
