"""Taking turns: several ways to the same thing, in one run, so that other work on the machine hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Took:
    """What one way took, a number for each round.

    Attributes:
        seconds: By the clock.
        work: Processor time of all threads.
    """

    seconds: tuple[float, ...]
    work: tuple[float, ...]

    @property
    def best(self) -> float:
        """The least processor time of all rounds: what is left when nothing disturbs."""
        return min(self.work)

    @property
    def median(self) -> float:
        """The median processor time."""
        return statistics.median(self.work)

    def against(self, other: Took) -> float:
        """The median over the rounds of this way's processor time by the other's in the same round.

        What disturbs one disturbs the other, so it wanders less than the ratio of two least times.
        """
        return statistics.median(mine / theirs for mine, theirs in zip(self.work, other.work, strict=True))


def taking_turns(ways: Mapping[str, Callable[[], Any]], rounds: int, warm: int = 1) -> dict[str, Took]:
    """Run all ways in turn, `warm` rounds uncounted (tracing, compiling) and then `rounds` counted ones."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    work: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(warm + rounds):
        for name, way in ways.items():
            started, busy = time.perf_counter(), time.process_time()
            way()
            if number >= warm:
                work[name].append(time.process_time() - busy)
                seconds[name].append(time.perf_counter() - started)
    return {name: Took(tuple(seconds[name]), tuple(work[name])) for name in ways}
