"""A run on its way: its place in line, how far it is, its learning rate, and the button that stops it."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from explorer.interface import runs_service
from explorer.interface.current_picture import plain
from explorer.interface.state import show_in
from explorer.interface.training import about, asking, learning, timing, words
from explorer.interface.training.knobs import factors
from explorer.interface.training.page_state import STATE
from explorer.interface.training.reading import RunCurves, curves_of
from explorer.networks.work_context import SentenceError
from explorer.runs.folder import STOP, read_wishes
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.record import ACTIVE, Run
from explorer.runs.time_left import Expected, seconds_left, share_learnt

LOOK_SECONDS = 1.0
LOWEST_RATE, HIGHEST_RATE = 1e-6, 1.0


def show(run: Run, lesson: Lesson | None) -> None:
    """Draw a run that waits or is at work; the page is drawn once more when it comes to something new."""
    curves = curves_of(run.folder)
    metric = learning.chosen_metric(curves)
    before = _shape(run, curves)
    expected = timing.expected_here(run, lesson, asking.everybodys().runs)

    @st.fragment(run_every=LOOK_SECONDS)
    def look() -> None:
        try:
            now = asking.find(run.id)
        except SentenceError:
            st.rerun()
        if _shape(now, curves_of(now.folder)) != before:
            st.rerun()
        state_line(now, expected)
        if now.state == "queued":
            _while_waiting(now, lesson)
        else:
            learning.show(now, lesson, metric, live=True)

    look()
    if run.state in ACTIVE:
        with st.container(horizontal=True, vertical_alignment="bottom", key="training_live_controls"):
            if asking.owns(run):
                _rate_control(run, lesson, curves)
            with st.container(width="content"):
                learning.controls(curves)


def _shape(run: Run, curves: RunCurves) -> tuple[Any, ...]:
    """Return what the page around the moving part depends on."""
    return run.state, run.config.title, bool(curves.raw), tuple(curves.metrics()), "learning_rate" in curves.latest


def state_line(run: Run, expected: Expected | None) -> None:
    """Draw where a run stands, with its numbers.

    Args:
        run: which.
        expected: of it on this machine, for the time left.
    """
    progress = run.status.progress
    stopping = run.state in ACTIVE and (run.folder / STOP).exists()
    if run.state == "queued":
        keeper = runs_service.runs_keeper().state()
        st.progress(0.0, words.waiting_words(runs_service.place_of(run.id), keeper))
        return
    message = plain(progress.message)
    if stopping:
        said = "Stopping; what was learned until now is kept …"
    elif run.state == "starting":
        said = "Starting: the process loads its libraries …"
    else:
        what = f"**{message[0].upper()}{message[1:]}**" if message else ""
        left = seconds_left(progress, expected, max(0.0, time.time() - (run.status.began or time.time())))
        said = " · ".join(filter(None, [what, words.progress_words(progress, left)])) or "At work …"
    st.progress(share_learnt(progress, expected), said)
    where = f"computes on {plain(run.status.device)}" if run.status.device else ""
    st.caption(" · ".join(filter(None, [where, f"{words.took(run)} so far"])))


def _while_waiting(run: Run, lesson: Lesson | None) -> None:
    at_work, waiting = asking.others_busy()
    parts = []
    if at_work:
        parts.append(f"{at_work} {'run of others is' if at_work == 1 else 'runs of others are'} at work")
    if waiting:
        parts.append(f"{waiting} of others {'waits' if waiting == 1 else 'wait'}")
    st.caption(
        (f"{' and '.join(parts)}. " if parts else "")
        + "You may leave this page or close the tab: the run keeps its place."
    )
    with st.expander("What was asked for", icon=":material/list_alt:"):
        about.asked_for(run, lesson, titled=False)


def _rate_control(run: Run, lesson: Lesson | None, curves: RunCurves) -> None:
    """Draw the learning rate, which may be changed while the network learns."""
    known = lesson is not None and any(knob.name == "learning_rate" for knob in lesson.knobs)
    if not known and "learning_rate" not in curves.latest:
        return
    wished = read_wishes(run.folder).get("learning_rate")
    begun = run.config.settings.get("learning_rate", curves.latest.get("learning_rate", 1e-3))
    now = wished if isinstance(wished, int | float) and not isinstance(wished, bool) else begun
    if not isinstance(now, int | float) or not LOWEST_RATE <= now <= HIGHEST_RATE:
        now = 1e-3
    key = f"training_rate_{run.id}"
    if key not in st.session_state:
        show_in(key, float(now))
    options = factors(LOWEST_RATE, HIGHEST_RATE, False, float(st.session_state[key]))
    with STATE.part("rate"), st.container(width=300):
        st.select_slider(
            "Learning rate, now", options, format_func=lambda rate: f"{rate:g}", key=key,
            on_change=lambda: asking.attempt(runs_service.wish, run.id, learning_rate=st.session_state[key]),
            help="The run follows within a batch, and keeps to it for networks still to come. Too large, and the loss "
            "jumps; too small, and it crawls.",
        )  # fmt: skip


def stop_button(run: Run) -> None:
    """Draw the button that stops a run."""
    stopping = run.state in ACTIVE and (run.folder / STOP).exists()
    st.button(
        "Take it out of the line" if run.state == "queued" else "Stop",
        key="training_stop",
        icon=":material/stop:",
        disabled=stopping,
        on_click=lambda: asking.attempt(runs_service.stop, run.id),
        help=None if run.state == "queued" else "What was learned until now is kept.",
    )
