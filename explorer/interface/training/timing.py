"""How long a run will take here: the lesson's own estimate, corrected by what earlier runs took on this machine."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.runs.lessons import lessons
from explorer.runs.lessons.lesson import Lesson, Preset
from explorer.runs.record import Run
from explorer.runs.time_left import Expected, expected_of

REMEMBERED = 20
FASTEST, SLOWEST = 1 / 50, 50.0


@dataclass(frozen=True)
class Pace:
    """How this machine compares with the two cores of a laptop that estimates are about.

    Attributes:
        factor: seconds here for each estimated second, over all lessons.
        by_lesson: the same for single lessons, where runs of them have ended.
    """

    factor: float
    by_lesson: Mapping[str, float]

    def of(self, lesson: Lesson) -> float:
        """Return the factor for a lesson."""
        return self.by_lesson.get(lesson.name, self.factor)

    @property
    def where(self) -> str:
        """Say what an estimate is about."""
        return "here" if self.by_lesson else "on two cores"


def pace(runs: Iterable[Run]) -> Pace:
    """Return the pace of this machine, from the last runs that went to their end."""
    ended = [run for run in runs if run.state == "done" and run.status.seconds]
    factors: dict[str, list[float]] = {}
    by_name = {lesson.name: lesson for lesson in lessons()}
    for run in sorted(ended, key=lambda run: run.status.ended or 0.0)[-5 * REMEMBERED :]:
        lesson = by_name.get(run.config.task)
        expected = None if lesson is None else estimate(lesson, run.config.settings, run.config.data)
        if expected and run.status.seconds:
            factors.setdefault(run.config.task, []).append(run.status.seconds / expected)
    by_lesson = {
        name: min(SLOWEST, max(FASTEST, statistics.median(each[-REMEMBERED:]))) for name, each in factors.items()
    }
    return Pace(statistics.median(by_lesson.values()) if by_lesson else 1.0, by_lesson)


def estimate(lesson: Lesson, settings: Mapping[str, Any], data: Mapping[str, Any]) -> float | None:
    """Return a lesson's own estimate in seconds, None where these settings have none."""
    expected = expected_of(lesson, settings, data)
    return None if expected is None else expected.seconds


def expected_here(run: Run, lesson: Lesson | None, runs: Iterable[Run]) -> Expected | None:
    """Return what is expected of a run on this machine, None where nothing is known.

    Args:
        run: which.
        lesson: its lesson, where this version has it.
        runs: all that this machine has seen.
    """
    expected = None if lesson is None else expected_of(lesson, run.config.settings, run.config.data)
    return None if lesson is None or expected is None else expected.scaled(pace(runs).of(lesson))


def preset_seconds(lesson: Lesson, preset: Preset, here: Pace) -> float:
    """Return how long a preset takes here."""
    source = {"source": lesson.data[0]} if lesson.data else {}
    return (estimate(lesson, preset.settings, {**source, **preset.data}) or 60.0) * here.of(lesson)
