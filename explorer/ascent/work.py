"""The named work of the filters page: one to four plans grow side by side, and a picture dreams."""

from __future__ import annotations

import math
import time
from statistics import median
from typing import Any

import numpy as np

from explorer.ascent.dream import dream_on
from explorer.ascent.render import Ascent, Judging
from explorer.ascent.results import DreamPlan, Growing, Grown, Plan
from explorer.networks.loading import load
from explorer.networks.preprocessing import Fit
from explorer.networks.work_context import SentenceError, WorkContext

MOST_PLANS = 4
TELL_SECONDS = 0.4
TURN_SECONDS = 0.2
"""How long one plan grows before the next has its turn."""


def grow(
    context: WorkContext,
    plans: tuple[Plan, ...],
    states: tuple[dict[str, Any] | None, ...] | None = None,
    pixels: np.ndarray | None = None,
    fit: Fit = "pad",
) -> tuple[Grown, ...]:
    """Grow the images of some plans, taking turns.

    Twice a second it reports the steps done, with a `Growing` as payload for each plan, `part` being the plan's
    position. It obeys what the page tells, for all plans: the learning rate ("learning_rate"), and the targets whose
    images stay as they are while the others grow ("held"). Stopped, or when others wait, it returns what there is,
    `finished=False`, with the state to go on from.

    Args:
        context: Of the engine.
        plans: One to four.
        states: `Grown.state` for each plan that goes on; None for those that begin.
        pixels: uint8 (h, w, 3), for plans that start from a picture.
        fit: How that is brought to the images' size.

    Raises:
        SentenceError: for a plan that its network cannot fulfil.
    """
    plans = tuple(plans)
    if not 1 <= len(plans) <= MOST_PLANS:
        raise SentenceError(f"One to {MOST_PLANS} settings can be grown side by side.")
    states = tuple(states) if states else (None,) * len(plans)
    if len(states) != len(plans):
        raise SentenceError("These images were grown with other settings; start anew.")
    total = float(sum(plan.steps for plan in plans))
    context.report(0, total, "steps", "preparing")
    ascents: list[Ascent] = []
    for plan, state in zip(plans, states, strict=True):
        if state is None:  # what goes on has images to hand over, and is ready at once
            context.raise_if_stopped()
        network = load(plan.network, plan.weights)
        ascents.append(Ascent(network, plan, state=state, pixels=pixels, fit=fit, context=context))
    clock = _Clock(ascents)
    _tell(context, ascents, clock, total)
    told = time.monotonic()
    while not all(ascent.done for ascent in ascents) and not _shall_end(context):
        for ascent in ascents:
            turn = time.monotonic()
            while not ascent.done:
                _obey(ascent, context.told())
                before = time.monotonic()
                ascent.advance()
                now = time.monotonic()
                clock.count(ascent, now - before)
                if now - told >= TELL_SECONDS:
                    told = now
                    _tell(context, ascents, clock, total)
                if now - turn >= TURN_SECONDS or _shall_end(context):
                    break
            if _shall_end(context):
                break
    _tell(context, ascents, clock, total)
    # After *Stop*, or when others wait, one more pass is all that may be spent, so images that grow alone have it.
    judging: Judging = "fully" if all(ascent.done for ascent in ascents) else "briefly" if len(ascents) == 1 else "not"
    return tuple(ascent.grown(judging) for ascent in ascents)


_STEPS_BEFORE = 4
"""So many steps of an ascent must have been seen before its time is told."""

_STEPS_SEEN = 32


def _obey(ascent: Ascent, told: dict[str, Any]) -> None:
    rate = told.get("learning_rate")
    if rate is not None and 0 <= float(rate) <= 10:
        ascent.learning_rate = float(rate)
    ascent.held = frozenset(int(target) for target in told.get("held", ()))


def _shall_end(context: WorkContext) -> bool:
    return context.stopped() or context.should_yield()


class _Clock:
    """Estimates the time left from what steps usually take; the first, which compiles, is left out."""

    def __init__(self, ascents: list[Ascent]) -> None:
        self._ascents = ascents
        self._seconds: list[list[float]] = [[] for _ in ascents]

    def count(self, ascent: Ascent, seconds: float) -> None:
        """Take note of what a step took."""
        found = self._seconds[self._ascents.index(ascent)]
        found.append(seconds)
        del found[1:-_STEPS_SEEN]

    def left(self) -> float:
        """Return the seconds that all steps still to do will take; not a number before that can be told."""
        usual = [median(found[1:]) if len(found) > _STEPS_BEFORE else None for found in self._seconds]
        known = [each for each in usual if each is not None]
        if not known:
            return math.nan
        return sum(
            (ascent.plan.steps - ascent.step) * (sum(known) / len(known) if each is None else each)
            for ascent, each in zip(self._ascents, usual, strict=True)
            if not ascent.done
        )


def _tell(context: WorkContext, ascents: list[Ascent], clock: _Clock, total: float) -> None:
    left = clock.left()
    done = float(sum(min(ascent.step, ascent.plan.steps) for ascent in ascents))
    for number, ascent in enumerate(ascents):
        growing: Growing = ascent.growing(number, left)
        context.report(done, total, "steps", "growing", payload=growing, part=number)


def dream(context: WorkContext, plan: DreamPlan, pixels: np.ndarray) -> Grown:
    """Let a picture dream, octave by octave.

    Reports the steps done with a `Growing` as payload: the picture as it is, at its size of that moment. It is short
    and gives way to nobody. Stopped, it returns the picture as it is, `finished=False`.

    Args:
        context: Of the engine.
        plan: Which layers, how many octaves.
        pixels: uint8 (h, w, 3).

    Raises:
        SentenceError: for a plan that its network cannot fulfil.
    """
    return dream_on(load(plan.network, plan.weights), plan, pixels, context=context)
