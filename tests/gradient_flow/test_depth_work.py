"""The named work of the scenes about depth: it tells what there is, stops at once, and goes on where it gave way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.gradient_flow import depth_work
from explorer.gradient_flow.depth_results import DegradationPlan, PathsPlan, SurfacePlan, VanishingPlan
from explorer.networks.work_context import NoContext

PLANS = [
    (depth_work.vanishing, VanishingPlan(2, "tanh", steps=4)),
    (depth_work.degradation, DegradationPlan(shallow=1, deep=2, epochs=1)),
    (depth_work.paths, PathsPlan(blocks=2, epochs=1)),
    (depth_work.loss_surfaces, SurfacePlan(depth=1, epochs=1, resolution=9)),
]
NAMES = ["vanishing", "degradation", "paths", "loss_surfaces"]


class Context(NoContext):
    """Remembers what was reported; asks to stop or to yield at the nth question."""

    def __init__(self, stop_at: int | None = None, yield_at: int | None = None) -> None:
        self.reports: list[tuple[Any, Any, Any]] = []
        self.asked = 0
        self.stop_at, self.yield_at = stop_at, yield_at

    def report(self, done=None, total=None, unit="", message="", payload=None, part=0) -> None:
        self.reports.append((done, total, payload))

    def stopped(self) -> bool:
        self.asked += 1
        return self.stop_at is not None and self.asked >= self.stop_at

    def should_yield(self) -> bool:
        return self.yield_at is not None and self.asked >= self.yield_at


def same(one: Any, other: Any) -> bool:
    return all(
        np.array_equal(value, getattr(other, name), equal_nan=True)
        for name, value in vars(one).items()
        if isinstance(value, np.ndarray)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("work", "plan"), PLANS, ids=NAMES)
def test_work_that_gives_way_again_and_again_comes_to_the_same_result(work, plan) -> None:
    through = work(NoContext(), plan)
    assert through.finished
    result, turns = None, 0
    while result is None or not result.finished:
        result = work(Context(yield_at=7), plan, state=None if result is None else result.state)
        turns += 1
        assert result.finished or result.state is not None
    assert turns > 1 or work is depth_work.vanishing
    assert same(result, through)


@pytest.mark.parametrize(("work", "plan"), PLANS, ids=NAMES)
def test_stopped_work_hands_over_what_it_has(work, plan) -> None:
    context = Context(stop_at=3)
    result = work(context, plan)
    assert not result.finished
    assert result.state is None
    assert context.asked == 3
    assert result.plan == plan


def test_what_is_so_far_is_told_with_numbers(monkeypatch) -> None:
    monkeypatch.setattr(depth_work, "TELL_SECONDS", 0.0)
    context = Context()
    depth_work.vanishing(context, VanishingPlan(2, "tanh", steps=4))
    shown = [payload for _, _, payload in context.reports if payload is not None]
    assert [len(each.gradient) for each in shown] == [1, 2, 3, 4, 5]
    assert context.reports[-1][:2] == (4, 4)
