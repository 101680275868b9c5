"""The named work of the scenes about depth: it goes on step by step, tells what there is so far, and gives way."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace
from typing import Any, Protocol

from explorer.gradient_flow.degradation import Race
from explorer.gradient_flow.depth_results import (
    Degradation,
    DegradationPlan,
    Paths,
    PathsPlan,
    SurfacePlan,
    Surfaces,
    Vanishing,
    VanishingPlan,
)
from explorer.gradient_flow.loss_surface import Growth
from explorer.gradient_flow.paths import Measured
from explorer.gradient_flow.vanishing import Descent
from explorer.networks.work_context import Stopped, WorkContext

TELL_SECONDS = 0.5


class _Stepwise(Protocol):
    """Something that is computed in steps that each take less than half a second, once compiled."""

    @property
    def amount(self) -> tuple[int, int, str]: ...

    @property
    def done(self) -> bool: ...

    def advance(self, context: WorkContext) -> None: ...

    def result(self) -> Any: ...


def vanishing(context: WorkContext, plan: VanishingPlan, state: bytes | None = None) -> Vanishing:
    """Descend with a plain and a residual network (see `explorer.gradient_flow.vanishing`).

    This and the other work here reports how much is done, with the result so far as payload. Stopped, or when others
    wait, it returns that, `finished=False`; in the second case with the `state` to go on from.
    """
    return _carried_out(context, pickle.loads(state) if state else Descent(plan), "descending")


def paths(context: WorkContext, plan: PathsPlan, state: bytes | None = None) -> Paths:
    """Train networks, measure paths and drop blocks (see `explorer.gradient_flow.paths`)."""
    return _carried_out(context, pickle.loads(state) if state else Measured(plan), "training and measuring")


def degradation(context: WorkContext, plan: DegradationPlan, state: bytes | None = None) -> Degradation:
    """Train shallow and deep networks (see `explorer.gradient_flow.degradation`)."""
    return _carried_out(context, pickle.loads(state) if state else Race(plan), "training")


def loss_surfaces(context: WorkContext, plan: SurfacePlan, state: bytes | None = None) -> Surfaces:
    """Train two networks and compute their surfaces (see `explorer.gradient_flow.loss_surface`)."""
    return _carried_out(context, pickle.loads(state) if state else Growth(plan), "")


def _carried_out(context: WorkContext, steps: _Stepwise, doing: str) -> Any:
    context.report(*steps.amount, message="preparing")
    told = 0.0
    while not steps.done:
        try:
            steps.advance(context)
        except Stopped:  # what is known so far is handed over
            break
        if context.stopped():
            break
        if context.should_yield() and not steps.done:
            return replace(steps.result(), state=pickle.dumps(steps))
        now = time.monotonic()
        if now - told >= TELL_SECONDS:
            told = now
            done, total, unit = steps.amount
            context.report(
                done, total, unit, f"{doing}{', ' if doing else ''}{done} of {total} {unit}", payload=steps.result()
            )
    context.report(*steps.amount)
    return steps.result()
