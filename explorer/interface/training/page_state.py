"""What makes a view of the training page: its declared settings, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.interface.state import Item, PageState
from explorer.interface.training import settings_link
from explorer.runs.lessons import lessons
from explorer.runs.lessons.lesson import Lesson, Preset

PANELS = {
    "result": "Result",
    "learned": "How it learned",
    "mistakes": "Mistakes",
    "try": "Try it",
    "about": "About this run",
}
MOST_COMPARED = 6
LARGEST_SEED = 2**31 - 1

STATE = PageState(
    "training",
    [
        Item("lesson", "", "Lesson"),
        Item("preset", "", "Preset"),
        Item("settings", "", "Settings"),
        Item("source", "", "Data"),
        Item("data", "", "Settings of the data"),
        Item("network", "", "Network"),
        Item(
            "seed",
            0,
            "Seed",
            help="Of everything random: data, division, first weights, order. The same seed gives the same run.",
        ),
        Item("run", "", "Run"),
        Item("panel", "result", "What to look at", options=tuple(PANELS)),
        Item(
            "smooth",
            False,
            "Smooth",
            help="An exponential moving average over the raw curve, which stays to be seen, pale.",
        ),
        Item("log", False, "Log scale", help="Loss on a logarithmic scale: each step down is a factor."),
        Item("metric", "", "Metric"),
        Item("mistakes", "", "Which network's mistakes"),
        Item("tried", "", "Which network"),
        Item("cell", "", "Cell of the table"),
        Item("compared", "", "Runs to compare"),
    ],
)


@dataclass(frozen=True)
class Plan:
    """What the set-up asks for just now.

    Attributes:
        lesson: which.
        preset: which of its presets.
        settings: a value for every knob.
        refused: a sentence for each setting of the link that cannot be.
    """

    lesson: Lesson
    preset: Preset
    settings: Mapping[str, Any]
    refused: tuple[str, ...] = ()


def chosen_lesson() -> Lesson | None:
    """Return the lesson that the page shows, the first one where the link names none; None if there are none."""
    there = lessons()
    wanted = STATE.linked("lesson")
    return next((each for each in there if each.name == wanted), there[0] if there else None)


def plan_of(lesson: Lesson) -> Plan:
    """Return what the set-up of a lesson asks for: the preset's settings, and what the link changes."""
    preset = lesson.preset(STATE.linked("preset"))
    changes, refused = settings_link.changes_of(lesson.knobs, STATE.linked("settings"))
    return Plan(lesson, preset, lesson.settings({**preset.settings, **changes}), tuple(refused))


def set_setting(lesson: Lesson, name: str, value: Any) -> None:
    """Change a setting of the lesson, from a callback; the link holds only what the preset does not say."""
    plan = plan_of(lesson)
    asked = {**plan.settings, name: value}
    base = lesson.settings(plan.preset.settings)
    changes = {key: asked[key] for key in asked if asked[key] != base[key]}
    STATE.set("settings", settings_link.text_of(lesson.knobs, changes))


def choose_lesson(name: str) -> None:
    """Show another lesson as its first preset has it, from a callback."""
    STATE.set("lesson", name)
    for each in ("preset", "settings", "source", "data", "network"):
        STATE.set(each, "")


def choose_preset(name: str) -> None:
    """Take another preset, from a callback; what was changed by hand is let go of."""
    STATE.set("preset", name)
    for each in ("settings", "source", "data"):
        STATE.set(each, "")


def open_run(run_id: str) -> None:
    """Look at a run, from a callback."""
    STATE.set("run", run_id)
    for name in ("cell", "mistakes", "metric", "tried"):
        STATE.set(name, "")
    STATE.set("panel", "result")
