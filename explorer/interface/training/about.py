"""What is known of a run besides its outcome: what was asked for, its states, its versions, what its process said."""

from __future__ import annotations

import os

import streamlit as st

from explorer.interface.current_picture import plain
from explorer.interface.training import asking, card, items, words
from explorer.interface.training.reading import curves_of
from explorer.runs.folder import LOG
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.outcome import Table
from explorer.runs.record import Run

LOG_BYTES = 16_000
LOG_LINES = 40


def show(run: Run, lesson: Lesson | None) -> None:
    """Draw settings, states and versions."""
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        asked_for(run, lesson)
    with right:
        zone = st.context.timezone
        rows = [(words.STATES[state][0], words.clock(at, zone)) for state, at in run.status.log]
        rows.append(("took", words.took(run)))
        rows.append(("computed on", run.status.device or run.status.slot or "–"))
        if run.config.again_of:
            rows.append(("repeats", run.config.again_of))
        items.table(Table(title="What happened", columns=("What", "Value"), rows=tuple(rows)))
        items.table(
            Table(title="Versions", columns=("Library", "Version"), rows=tuple(sorted(run.config.versions.items())))
        )
    if asking.owns(run) and run.state != "failed":  # whose log stands above
        log_lines(run)


def asked_for(run: Run, lesson: Lesson | None, titled: bool = True) -> None:
    """Draw all settings that matter."""
    rows = tuple(card.settings_rows(run, lesson))
    items.table(Table(title="What was asked for" if titled else "", columns=("Setting", "Value"), rows=rows))


def log_lines(run: Run) -> None:
    """Draw the last lines that the run's process wrote; for the owner only."""
    text = last_lines(run)
    if not text:
        return
    with st.expander("The last lines of the log", icon=":material/terminal:"):
        st.code(text, language=None)
        st.download_button(
            "Whole log", (run.folder / LOG).read_bytes, f"{run.id}.txt", "text/plain", on_click="ignore",
            icon=":material/download:", key="training_log_file",
        )  # fmt: skip


def last_lines(run: Run) -> str:
    """Return the end of what the run's process wrote."""
    try:
        with open(run.folder / LOG, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - LOG_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_LINES:])


def _way_on(run: Run) -> str:
    """Return where a run failed, what is left of it, and what can be done."""
    at = plain(run.status.progress.message)
    where = f"It was at “{at}”. " if at else ""
    kept = "What was learnt before is kept below. " if curves_of(run.folder).raw else ""
    return f"{where}{kept}**Edit a copy** takes its settings into the set-up, where you can change them."


def reason(run: Run) -> None:
    """Say why a run ended as it did, where there is something to say."""
    said = plain(run.status.reason)
    if run.status.restarts:
        st.caption("The server was restarted while this ran, so it began anew, with the same seed.")
    if run.state == "failed":
        st.error(said or "This run failed; the log says more.", icon=":material/error:")
        st.caption(_way_on(run))
        if asking.owns(run):
            log_lines(run)
    elif run.state == "interrupted":
        st.warning(said or "This run ended without a word.", icon=":material/power_off:")
        kept = "What was learnt before is kept below. " if curves_of(run.folder).raw else ""
        st.caption(f"{kept}**Run again** starts the same once more, with the same seed.")
    elif run.state == "stopped":
        st.info(said or "This run was stopped; what it had learned by then is kept.", icon=":material/stop_circle:")
