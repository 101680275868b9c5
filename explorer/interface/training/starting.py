"""Putting a run in line, putting it in line again, and taking a run's settings into the set-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.interface import runs_service
from explorer.interface.training import asking, settings_link, words
from explorer.interface.training.page_state import STATE, open_run
from explorer.networks.work_context import SentenceError
from explorer.runs.data.sources import source
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.record import Run


def start(
    lesson: Lesson,
    *,
    title: str,
    settings: Mapping[str, Any],
    data: Mapping[str, Any],
    network: str,
    seed: int,
) -> Run | None:
    """Put a run in line; None where it was refused, which the page then says."""
    used = {knob.name: settings[knob.name] for knob in lesson.knobs}
    return asking.attempt(
        runs_service.submit, lesson.name, title=title, data=data, network=network, settings=used, seed=seed
    )


def again(run: Run) -> None:
    """Put the same run in line once more and look at it, from a callback."""
    if (repeated := asking.attempt(runs_service.again, run.id, runs_service.link_keys())) is not None:
        open_run(repeated.id)


def edit(run: Run) -> None:
    """Take a run's settings into the set-up, from a callback."""
    lesson = words.lesson_of(run)
    if lesson is None:
        asking.refuse("This version of the app does not have the lesson of this run.")
        return
    base = lesson.settings(lesson.presets[0].settings)
    changes: dict[str, Any] = {}
    for knob in lesson.knobs:
        if knob.name in run.config.settings:
            try:
                value = knob.checked(run.config.settings[knob.name])
            except SentenceError:
                continue
            if value != base[knob.name]:
                changes[knob.name] = value
    STATE.set("lesson", lesson.name)
    STATE.set("preset", "")
    STATE.set("settings", settings_link.text_of(lesson.knobs, changes))
    STATE.set("network", run.config.network)
    STATE.set("seed", run.config.seed)
    _edit_data(run)
    STATE.set("run", "")
    STATE.set("compared", "")


def _edit_data(run: Run) -> None:
    given = dict(run.config.data)
    name = str(given.pop("source", ""))
    STATE.set("source", name)
    try:
        knobs = source(name).knobs
    except SentenceError:
        STATE.set("data", "")
        return
    changes = {}
    for knob in knobs:
        if knob.name in given:
            try:
                changes[knob.name] = knob.checked(given[knob.name])
            except SentenceError:
                continue
    STATE.set("data", settings_link.text_of(knobs, changes))
