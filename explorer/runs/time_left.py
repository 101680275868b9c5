"""How far a whole run is, and how long it will still take: what its lesson expects, corrected by what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.networks.work_context import SentenceError
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.record import Progress

TRUST = 0.25
"""Share of a run by whose end its own pace counts as much as the pace that was expected of it."""


@dataclass(frozen=True)
class Expected:
    """What is expected of a run before it starts.

    Attributes:
        seconds: of the whole run.
        parts: seconds of each part, in the order in which they are trained; what is left of `seconds` comes before.
    """

    seconds: float
    parts: tuple[float, ...] = ()

    def scaled(self, factor: float) -> Expected:
        """Return the same on a machine that takes `factor` times as long."""
        return Expected(self.seconds * factor, tuple(part * factor for part in self.parts))


def expected_of(lesson: Lesson, settings: Mapping[str, Any], data: Mapping[str, Any]) -> Expected | None:
    """Return what a lesson expects, in seconds on two cores of a laptop; None where these settings have no estimate."""
    from explorer.runs.data.sources import checked  # it brings Pillow, which those who start runs do without

    try:
        whole = checked(data) if data.get("source") else dict(data)
        every = lesson.settings(settings)
        seconds = float(lesson.estimate(every, whole))
        parts = () if lesson.parts is None else tuple(map(float, lesson.parts(every, whole)))
    except (SentenceError, ArithmeticError, KeyError, TypeError, ValueError):
        return None
    return Expected(seconds, parts) if 0 < seconds < 1e7 else None


def share_done(progress: Progress, expected: Expected | None) -> float:
    """Return how much of the work of a run lies behind it, 0 to 1; before its first part nothing does.

    Args:
        progress: where it stands; a task that names no parts has one.
        expected: tells how long its parts are beside each other; None: equally long.
    """
    if progress.part is None or not progress.parts:
        return progress.part_done
    first, lengths = _lengths(expected, progress.parts)
    return (first + sum(lengths) * share_learnt(progress, expected)) / (first + sum(lengths))


def share_learnt(progress: Progress, expected: Expected | None) -> float:
    """Return how much of what is to be trained has been, 0 to 1; what comes before does not count. See `share_done`."""
    if progress.part is None or not progress.parts:
        return progress.part_done
    _, lengths = _lengths(expected, progress.parts)
    at = min(progress.part, progress.parts) - 1
    return min(1.0, (sum(lengths[:at]) + lengths[at] * progress.part_done) / sum(lengths))


def _lengths(expected: Expected | None, count: int) -> tuple[float, Sequence[float]]:
    """Return how long a run takes before its parts, and for each of them."""
    if expected is None:
        return 0.0, [1.0] * count
    known = sum(expected.parts)
    if known <= 0.0:
        return 0.0, [expected.seconds / count] * count
    first = max(0.0, expected.seconds - known)
    return first, expected.parts if len(expected.parts) == count else [known / count] * count


def seconds_left(progress: Progress, expected: Expected | None, elapsed: float) -> float | None:
    """Return how long a run will still take; None where nothing tells.

    The seconds expected of what is still to be done, times by how much slower or faster than expected the run was up
    to here. A quarter of the whole counts as if it had gone as expected, so that a slow beginning does not frighten.
    Nothing in this sum jumps where a part ends and the next one begins.

    Args:
        progress: where it stands.
        expected: of the whole run, on this machine.
        elapsed: seconds since it was given a process.
    """
    if progress.part is None and progress.epoch is not None:
        return progress.seconds_left
    done = share_done(progress, expected)
    if expected is None:
        return elapsed * (1.0 - done) / done if done > 0.0 else None
    if progress.part is None:  # data are drawn, networks loaded: as far as was expected of this time
        done = min(elapsed, _lengths(expected, 1)[0]) / expected.seconds
    credit = TRUST * expected.seconds
    slower = (credit + elapsed) / (credit + done * expected.seconds)
    return (1.0 - done) * expected.seconds * slower
