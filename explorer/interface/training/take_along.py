"""What a visitor takes along of a run: the script, the link, the networks, the numbers, the card."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from explorer.interface.runs_service import LINK_PARAMETER
from explorer.interface.training import asking, card, words
from explorer.interface.training.page_state import STATE
from explorer.interface.training.reading import curves_of
from explorer.runs.folder import METRICS
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.record import FINAL, Config, Run, new_config
from explorer.runs.trained import TrainedModel, read_models

LARGEST_METRICS = 64_000_000

log = logging.getLogger(__name__)


def script_of(lesson: Lesson, config: Config) -> str | None:
    """Return the Keras script of what a run trains, None where the lesson cannot write one for these settings."""
    try:
        return lesson.script(config)
    except Exception:
        log.exception("The script of %s could not be written", config.id)
        return None


def curves_csv(folder: Path) -> bytes:
    """Return all that a run has reported, one row a report, as CSV; names of columns come from the run."""
    rows, columns = [], {}
    try:
        with open(folder / METRICS, encoding="utf-8") as stream:
            for line in stream.read(LARGEST_METRICS).splitlines():
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if isinstance(row, dict):
                    rows.append(row)
                    columns.update(dict.fromkeys(row))
    except OSError:
        pass
    target = io.StringIO()
    writer = csv.DictWriter(target, list(columns), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode()


def share_link(run: Run) -> str:
    """Return the address with which whoever has it may look at a run."""
    address = (st.context.url or "").split("?")[0]
    return f"{address}?{urlencode({STATE.key('run'): run.id, LINK_PARAMETER: run.config.link_key})}"


def file_name(run: Run, ending: str) -> str:
    """Return a plain name for a file about a run."""
    name = re.sub(r"[^\w -]+", "", words.title_of(run)).strip()[:60] or "run"
    return f"{name} {run.id[:15]}{ending}"


def models_there(run: Run) -> list[TrainedModel]:
    """Return the networks of a run whose files are there."""
    return [model for model in read_models(run.folder).models if (run.folder / model.file).is_file()]


def show(run: Run, lesson: Lesson | None, outcome: Sequence[Any]) -> None:
    """Draw what can be kept of a run."""
    with st.container(horizontal=True, key="training_take_along"):
        script = None if lesson is None else script_of(lesson, run.config)
        if script is not None:
            with st.popover("Show the code", icon=":material/code:"), st.container(width=620):
                st.caption("Plain Keras: this script trains the same network.")
                st.code(script, height=420)
                st.download_button(
                    "Script", script, file_name(run, ".py"), "text/x-python", on_click="ignore",
                    icon=":material/download:", key="training_script",
                )  # fmt: skip
        with st.popover("Link", icon=":material/link:"), st.container(width=460):
            _links(run)
        with st.popover("Download", icon=":material/download:"):
            _downloads(run, lesson, outcome)


def show_plan(lesson: Lesson, **asked: Any) -> None:
    """Draw the script and the link of what the set-up asks for.

    Args:
        lesson: which.
        **asked: fields of the config: data, network, settings, seed.
    """
    config = new_config(task=lesson.name, owner="nobody", versions={}, **asked)
    with st.container(horizontal=True, key="training_plan_along"):
        script = script_of(lesson, config)
        if script is not None:
            with st.popover("Show the code", icon=":material/code:"), st.container(width=620):
                st.caption("Plain Keras: this script trains the same network.")
                st.code(script, height=420)
        with st.popover("Link", icon=":material/link:"), st.container(width=460):
            st.code(STATE.link(), language=None, wrap_lines=True)
            st.caption("With lesson, data and all settings. Add &hide=data,more or the name of a setting to hide it.")


def _links(run: Run) -> None:
    if asking.owns(run):
        st.markdown("**To look at this run**")
        st.code(share_link(run), language=None, wrap_lines=True)
        st.caption(
            "Whoever has this link sees curves, outcome and pictures, may keep them and may start a run like it. "
            "They cannot stop, change or delete this one."
        )
    else:
        st.code(share_link(run), language=None, wrap_lines=True)


def _downloads(run: Run, lesson: Lesson | None, outcome: Sequence[Any]) -> None:
    models = models_there(run) if run.state in FINAL else []
    for model in models:
        path = run.folder / model.file
        st.download_button(
            f"Network{f', {model.title}' if model.title else ''} ({path.stat().st_size / 1e6:.1f} MB)",
            path.read_bytes, file_name(run, f" {model.variant}.keras" if model.variant else ".keras"),
            "application/octet-stream", on_click="ignore", icon=":material/download:",
            key=f"training_model_{model.variant}", help="For keras.models.load_model",
        )  # fmt: skip
    others = sorted(path.name for path in run.folder.glob("model*.keras") if path.name not in {m.file for m in models})
    for name in others if run.state in FINAL else []:
        path = run.folder / name
        st.download_button(
            f"{name} ({path.stat().st_size / 1e6:.1f} MB)", path.read_bytes, file_name(run, f" {name}"),
            "application/octet-stream", on_click="ignore", icon=":material/download:", key=f"training_file_{name}",
        )  # fmt: skip
    st.download_button(
        "Curves (CSV)", lambda: curves_csv(run.folder), file_name(run, ".csv"), "text/csv", on_click="ignore",
        icon=":material/download:", key="training_csv",
    )  # fmt: skip
    st.download_button(
        "Card (Markdown)", lambda: card.card(run, lesson, outcome, curves_of(run.folder), models),
        file_name(run, ".md"), "text/markdown", on_click="ignore", icon=":material/download:", key="training_card_file",
        help="Everything that was asked for and found out",
    )  # fmt: skip
