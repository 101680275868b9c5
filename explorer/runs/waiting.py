"""Who is next: the order of waiting runs, a visitor's share, the place in line, and when a run may start."""

from __future__ import annotations

import heapq
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.networks.work_context import SentenceError
from explorer.runs.folder import create
from explorer.runs.listing import listing
from explorer.runs.lock import LockHeld, hold
from explorer.runs.record import ACTIVE, Config, Run
from explorer.runs.tasks import is_task
from explorer.runs.time_left import Expected, seconds_left

SUBMIT_LOCK = ".submit.lock"
SUBMIT_SECONDS = 10.0
REMEMBERED = 20


@dataclass(frozen=True)
class Place:
    """Where a waiting run stands.

    Attributes:
        place: 1 is next.
        seconds: until it starts, as far as one can tell; None where no such run has ended yet.
    """

    place: int
    seconds: float | None


def submit(
    root: Path,
    config: Config,
    *,
    waiting_limit: int = 3,
    free_megabytes: int = 1000,
    task_exists: Callable[[str], bool] = is_task,
) -> Run:
    """Put a run in line.

    Args:
        root: folder of all runs.
        config: what is asked for.
        waiting_limit: how many runs of one visitor may wait.
        free_megabytes: what must be free on the disk, in MB.
        task_exists: tells whether there is such a task.

    Raises:
        SentenceError: if the visitor has as many waiting already, the disk is nearly full, or there is no such task.
    """
    root = Path(root)
    if not task_exists(config.task):
        raise SentenceError("There is no such lesson.")
    root.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(root).free < free_megabytes * 1e6:
        raise SentenceError("The disk of the server is nearly full; delete old runs first.")
    try:
        # Counting and adding is one step: two tabs may press the button at once.
        with hold(root / SUBMIT_LOCK, SUBMIT_SECONDS):
            mine = sum(run.state == "queued" and run.owner == config.owner for run in listing(root).runs)
            if mine >= waiting_limit:
                raise SentenceError(_too_many(mine))
            return create(root, config)
    except LockHeld:
        raise SentenceError("The server is very busy; try again in a moment.") from None


def _too_many(count: int) -> str:
    runs = "1 run of yours is waiting" if count == 1 else f"{count} runs of yours are waiting"
    return f"{runs} already; let one start, or take one out of the line."


def waiting(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that wait, oldest first."""
    return sorted((run for run in runs if run.state == "queued"), key=lambda run: (run.config.created, run.id))


def next_run(runs: Sequence[Run], placed: Collection[str] = (), running_limit: int = 1) -> Run | None:
    """Return the oldest waiting run whose visitor may have another one running.

    Args:
        runs: all runs.
        placed: ids of those that were handed out and may still say `queued`.
        running_limit: how many runs of one visitor may run at a time.
    """
    busy = Counter(run.owner for run in runs if run.state in ACTIVE or (run.state == "queued" and run.id in placed))
    return next((run for run in waiting(runs) if run.id not in placed and busy[run.owner] < running_limit), None)


def typical_seconds(runs: Iterable[Run]) -> dict[str, float]:
    """Return how long a run of each task took, the median of the last ones that went to their end."""
    ended: dict[str, list[tuple[float, float]]] = {}
    for run in runs:
        seconds = run.status.seconds
        if run.state == "done" and seconds is not None:
            ended.setdefault(run.config.task, []).append((run.status.ended or 0.0, seconds))
    return {
        task: statistics.median(seconds for _, seconds in sorted(all_of_it)[-REMEMBERED:])
        for task, all_of_it in ended.items()
    }


def line(runs: Sequence[Run], *, slots: int = 1, running_limit: int = 1, now: float | None = None) -> dict[str, Place]:
    """Return the place of every waiting run, by playing through what the dispatcher will do.

    Args:
        runs: all runs.
        slots: how many may run at a time.
        running_limit: how many of one visitor.
        now: seconds since 1970.
    """
    now = time.time() if now is None else now
    typical = typical_seconds(runs)
    # Without any experience the order is still right for runs that take equally long.
    guess = statistics.median(typical.values()) if typical else 60.0
    ends: list[tuple[float, bool, str]] = []
    busy: Counter[str] = Counter()
    for run in runs:
        if run.state in ACTIVE:
            left = _seconds_left(run, typical, now)
            heapq.heappush(ends, (guess if left is None else left, left is not None, run.owner))
            busy[run.owner] += 1
    queue = waiting(runs)
    places: dict[str, Place] = {}
    clock, known = 0.0, True
    while queue:
        first = next((each for each in queue if busy[each.owner] < running_limit), None)
        if first is not None and len(ends) < slots:
            queue.remove(first)
            places[first.id] = Place(len(places) + 1, clock if known else None)
            takes = typical.get(first.config.task)
            known_end = known and takes is not None
            heapq.heappush(ends, (clock + (guess if takes is None else takes), known_end, first.owner))
            busy[first.owner] += 1
        elif ends:
            clock, known_end, owner = heapq.heappop(ends)
            known = known and known_end
            busy[owner] -= 1
        else:  # nothing will ever start: no slots, or a limit of none
            return places
    return places


def _seconds_left(run: Run, typical: dict[str, float], now: float) -> float | None:
    takes, elapsed = typical.get(run.config.task), max(0.0, now - (run.status.began or now))
    progress = run.status.progress
    if progress.part is not None:
        return seconds_left(progress, None if takes is None else Expected(takes), elapsed)
    if progress.seconds_left is not None:
        return max(0.0, progress.seconds_left)
    return None if takes is None else max(0.0, takes - elapsed)
