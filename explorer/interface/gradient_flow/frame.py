"""What every scene of the gradient flow page has: a row of controls, the lecture's sentence, what one takes along."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.interface import jobs
from explorer.interface.gradient_flow import link_reading, places
from explorer.interface.gradient_flow.page_state import STATE
from explorer.interface.jobs import Job
from explorer.interface.numbers import seconds_text

_Kind = TypeVar("_Kind")

PLAIN = {"displayModeBar": False}
"""Options of every chart."""


@contextmanager
def controls() -> Iterator[DeltaGenerator]:
    """Open the row of main controls of a scene; more can be put into it later by `with` and what this hands out."""
    row = st.container(horizontal=True, vertical_alignment="bottom", key="gradient_flow_controls")
    with row:
        yield row


@contextmanager
def more() -> Iterator[None]:
    """Open the menu of lesser controls, which stands at the end of the row."""
    with (
        STATE.part("more"),
        st.popover("More", icon=":material/tune:", key="gradient_flow_more"),
        st.container(width=380),
    ):
        yield
        st.button("Reset this page", on_click=_begin_anew, key="gradient_flow_reset", icon=":material/restart_alt:")


def _begin_anew() -> None:
    places.reset()
    link_reading.forget()


_BADGES = {
    True: ":green-badge[:material/check: holds here]",
    False: ":orange-badge[:material/close: does not hold here]",
    None: ":gray-badge[:material/question_mark: not decided here]",
}

Decided = tuple[str, str, bool | None, str]
"""A sentence as the lecture says it; the numbers that decide it, in Markdown; whether they bear it out here, None where
they say neither; and what follows or why it does not hold, in a sentence or two."""


def verdict(sentence: str, numbers: str, holds: bool | None, because: str = "") -> None:
    """Draw the lecture's sentence beside the numbers that decide it; see `Decided`."""
    with st.container(border=True, key="gradient_flow_verdict"):
        _decided(sentence, numbers, holds, because)


def verdicts(key: str, several: Iterable[Decided]) -> None:
    """Draw several sentences of the lecture, close to each other.

    Args:
        key: of what they are about.
        several: the sentences.
    """
    for number, decided in enumerate(several):
        with st.container(border=True, key=f"gradient_flow_verdict_{key}_{number}", gap="xsmall"):
            _decided(*decided)


def _decided(sentence: str, numbers: str, holds: bool | None, because: str) -> None:
    st.markdown(f"**{sentence}** {_BADGES[holds]}")
    st.markdown(numbers)
    if because:
        st.caption(because)


def work(
    key: str,
    name: str,
    *,
    label: str,
    button: str,
    identity: tuple,
    draw: Callable[[Any, bool], None],
    at_once: bool = True,
    effort: str = "",
    **arguments: Any,
) -> None:
    """Draw what a piece of long work has found, so far or at the end, below its button and its progress.

    Args:
        key: of the job.
        name: in the engine's table of work.
        label: what is being done, for the progress line.
        button: what starts it.
        identity: what it is about; where that differs from the job's, the button is the thing to press.
        draw: draws a result, or a payload of the running work; told as second whether it is of these settings.
        at_once: whether it starts by itself where nothing has been computed yet.
        effort: how long it takes, a sentence that is said before the start.
        **arguments: handed to the work.
    """

    def begin() -> None:
        st.session_state.pop(f"{key}_refused", None)
        try:
            jobs.start(key, name, label=label, identity=identity, **arguments)
        except jobs.JobRefused as refusal:
            st.session_state[f"{key}_refused"] = str(refusal)

    refused = f"{key}_refused"
    if at_once and jobs.job(key) is None and not jobs.let_go(key) and refused not in st.session_state:
        begin()
    watched = jobs.job(key)
    if watched is None:
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_idle"):
            st.button(button, key=f"{key}_start", icon=":material/play_arrow:", type="primary", on_click=begin)
            st.caption(st.session_state.get(refused, jobs.LET_GO if jobs.let_go(key) else effort))
        return

    def body(job: Job) -> None:
        fits = job.identity == identity
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_bar"):
            if job.running:
                st.button(
                    "Stop", key=f"{key}_stop", icon=":material/stop:", on_click=job.stop,
                    disabled=job.state == "stopping",
                )  # fmt: skip
                with st.container(width="stretch"):
                    jobs.progress_line(job)
            else:
                st.button(
                    button, key=f"{key}_start", icon=":material/play_arrow:", on_click=begin,
                    type="secondary" if fits and not job.sentence else "primary",
                )  # fmt: skip
                ending = _ending(job, fits, st.session_state.get(refused, ""))
                st.caption(ending if fits or not effort else f"{ending} {effort}")
        shown = job.payload if job.running or job.result is None else job.result
        if shown is not None:
            draw(shown, fits)

    jobs.poll(watched, body)


def result_of(key: str, kind: type[_Kind]) -> _Kind | None:
    """Return what the work under a key has ended with, if it is of this kind; None while there is nothing."""
    job = jobs.job(key)
    result = None if job is None else job.result
    return result if isinstance(result, kind) else None


def _ending(job: Job, fits: bool, refused: str) -> str:
    """Say how a job has ended, or why it no longer is what the settings ask for."""
    if refused or job.sentence:
        return refused or job.sentence
    if not fits:
        return "The settings have changed since; what is shown is of the former ones."
    return f"{how_it_ended(job)}."


def how_it_ended(job: Job) -> str:
    """Say whether work came to its end or was stopped, and how long it took."""
    if job.state != "stopped" and getattr(job.result, "finished", True):
        return f"Computed in {seconds_text(job.seconds)}"
    return f"Stopped after {seconds_text(job.seconds)}" if job.seconds else "Stopped before it began"


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV, as spreadsheets read it.

    Args:
        header: names of the columns.
        rows: their values.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return ("\ufeff" + text.getvalue()).encode()


def take_along(scene: str, code: str | None, table: Callable[[], bytes] | None = None) -> None:
    """Draw *Show the code*, *Link* and *Download*.

    Args:
        scene: its name, for the keys and the file.
        code: the lines that give the same numbers in a notebook; None where the settings give none.
        table: makes the CSV file when it is asked for; None while there is nothing to download.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="gradient_flow_take_along"):
        if code is not None:
            with st.popover("Show the code", icon=":material/code:"):
                st.code(code, language="python")
        with st.popover("Link", icon=":material/link:"):
            st.code(STATE.link(), language=None, wrap_lines=True)
            st.caption(
                "Whoever opens it finds this scene, these settings and this seed. "
                "Append `&hide=scene,more` to hide controls, by their names in links."
            )
        if table is not None:
            st.download_button(
                "Download (CSV)", table, f"{scene}.csv", "text/csv", on_click="ignore",
                key=f"gradient_flow_{scene}_csv", icon=":material/download:",
            )  # fmt: skip


def background(text: str) -> None:
    """Draw formulas and sources, folded."""
    with st.expander("Background, formulas and sources", icon=":material/menu_book:"):
        st.markdown(text)
