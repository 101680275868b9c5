"""The filters page's named work: plans take turns, tell what they do, and stop at once."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from explorer.ascent import render as rendering
from explorer.ascent import work
from explorer.ascent.render import Ascent
from explorer.ascent.results import DreamPlan, Growing, Plan
from explorer.networks.work_context import NoContext, SentenceError, Stopped
from tests.ascent.small_networks import plain

PLAN = Plan("small", objective="channel", layer="act_2", targets=(0,), steps=6)


class Context(NoContext):
    """Remembers what was reported; stops or yields after so many steps of all plans."""

    def __init__(self, stop_after=None, yield_after=None, words=None):
        self.reports = []
        self.steps = 0
        self.stop_after, self.yield_after, self.words = stop_after, yield_after, words or {}

    def report(self, done=None, total=None, unit="", message="", payload=None, part=0):
        self.reports.append((done, total, payload, part))

    def stopped(self):
        return self.stop_after is not None and self.steps >= self.stop_after

    def raise_if_stopped(self):
        if self.stopped():
            raise Stopped

    def should_yield(self):
        return self.yield_after is not None and self.steps >= self.yield_after

    def told(self):
        return self.words


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    network = plain()
    monkeypatch.setattr(work, "load", lambda name, weights: network)


@pytest.fixture
def counted(monkeypatch):
    """Count steps in a context."""

    def count(context):
        advance = Ascent.advance
        monkeypatch.setattr(
            Ascent, "advance", lambda self: (advance(self), setattr(context, "steps", context.steps + 1))
        )
        return context

    return count


def test_plans_grow_side_by_side_and_each_is_told_of():
    context = Context()
    plans = (PLAN, replace(PLAN, parameterisation="pixels"), replace(PLAN, seed=4, steps=3))
    grown = work.grow(context, plans)
    assert [each.step for each in grown] == [6, 6, 3] and all(each.finished for each in grown)
    assert {part for *_, payload, part in context.reports if payload is not None} == {0, 1, 2}
    for _, _, payload, part in context.reports[1:]:
        assert isinstance(payload, Growing) and payload.plan == part
    assert context.reports[-1][0] == context.reports[-1][1] == 15


def test_after_stop_at_most_one_more_step_is_done(counted):
    context = counted(Context(stop_after=3))
    grown = work.grow(context, (PLAN, PLAN))
    assert context.steps == 3
    assert not any(each.finished for each in grown)
    rest = work.grow(Context(), tuple(each.plan for each in grown), states=tuple(each.state for each in grown))
    whole = work.grow(Context(), (PLAN,))
    for each in rest:
        np.testing.assert_array_equal(each.images, whole[0].images)


@pytest.mark.slow
@pytest.mark.parametrize("whole", [True, False], ids=["in one pass", "in parts"])
@pytest.mark.parametrize("plans", [1, 2])
@pytest.mark.parametrize("stop_after", [1, 2, 7, 9, 14, 17])
def test_after_stop_at_most_one_more_batch_goes_through_the_network(monkeypatch, plans, whole, stop_after):
    context = Context(stop_after=stop_after)
    kernels = rendering._kernels

    def counting(*arguments):
        real = kernels(*arguments)

        def counted(call):
            def passed(*given):
                context.steps += 1
                return call(*given)

            return passed

        return SimpleNamespace(**{**vars(real), "ascend": counted(real.ascend), "value": counted(real.value)})

    monkeypatch.setattr(rendering, "_kernels", counting)
    if not whole:
        monkeypatch.setattr(rendering, "STEP_BYTES", 1)
    try:
        grown = work.grow(context, (replace(PLAN, targets=(0, 1)),) * plans)
    except Stopped:
        grown = ()
    assert context.steps <= stop_after + 1
    for each in grown:
        assert each.state is not None and not any(one.shaken is not None for one in each.quality)


def test_it_gives_way_to_others_with_what_it_has(counted):
    grown = work.grow(counted(Context(yield_after=2)), (PLAN,))
    assert grown[0].step == 2 and not grown[0].finished and grown[0].state is not None


def test_the_learning_rate_can_be_changed_on_the_way():
    grown = work.grow(Context(words={"learning_rate": 0.5}), (PLAN,))[0]
    assert grown.plan.learning_rate == 0.5
    assert (grown.images != work.grow(Context(), (PLAN,))[0].images).any()


def test_one_image_can_be_held_while_the_others_grow_as_if_nothing_were():
    plan = replace(PLAN, targets=(0, 1, 2), copies=1)
    free = work.grow(Context(), (plan,))[0]
    held = work.grow(Context(words={"held": [1]}), (plan,))[0]
    started = held.frames[0].images
    np.testing.assert_array_equal(held.images[1], started[1])
    for other in (0, 2):
        np.testing.assert_array_equal(held.images[other], free.images[other])
        assert (held.images[other] != started[other]).any()


def test_no_plan_and_five_are_refused():
    for plans in ((), (PLAN,) * 5):
        with pytest.raises(SentenceError):
            work.grow(Context(), plans)


def test_a_picture_dreams():
    pixels = np.full((32, 48, 3), 120, np.uint8)
    context = Context()
    plan = DreamPlan("small", layers=(("act_1", 1.0),), octaves=1, steps=3, size=48)
    assert work.dream(context, plan, pixels).images.shape == (1, 32, 48, 3)
    assert isinstance(context.reports[-1][2], Growing)
