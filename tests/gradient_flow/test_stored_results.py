"""The results that come with the app: each scene has its first one, and they are what the code computes."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.gradient_flow.depth_results import (
    DegradationPlan,
    PathsPlan,
    SurfacePlan,
    Vanishing,
    VanishingPlan,
    carrying,
    share_non_convex,
)
from explorer.gradient_flow.stored_results import FOLDER, read, stored, write
from explorer.gradient_flow.vanishing import vanishing


@pytest.mark.parametrize(
    "plan",
    [
        VanishingPlan(),
        *(PathsPlan(blocks=blocks, network=kind) for blocks in (24, 54) for kind in ("convolutional", "dense")),
        DegradationPlan(),
        SurfacePlan(),
        SurfacePlan(depth=56),
    ],
)
def test_what_a_scene_opens_with_comes_with_the_app(plan) -> None:
    assert stored(plan).plan == plan
    assert stored(plan).finished
    assert stored(type(plan)(**{**vars(plan), "seed": 1})) is None


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000


def test_a_result_that_is_written_can_be_read(tmp_path) -> None:
    plan = VanishingPlan(depth=2)
    result = Vanishing(plan, np.full((1, 2, 2), 0.5), np.full((1, 2, 3), np.inf), np.array([[np.nan, 1.0]]))
    back = read(write(result, tmp_path))
    assert back.plan == plan
    np.testing.assert_array_equal(back.spread, result.spread)
    np.testing.assert_array_equal(back.loss, result.loss)


def test_the_stored_gradients_are_those_that_are_computed_now() -> None:
    now, then = vanishing(VanishingPlan()), stored(VanishingPlan())
    np.testing.assert_allclose(np.log10(now.gradient), np.log10(then.gradient), atol=0.05)


def test_they_show_what_the_lecture_says() -> None:
    for kind in ("convolutional", "dense"):
        deep = stored(PathsPlan(blocks=54, network=kind))
        first, last = carrying(deep.share())
        assert last < 27  # shorter than the mean path
        plain, residual, stochastic = deep.accuracy - deep.drop_one.mean(axis=1)
        assert stochastic < residual < 0.05 < 0.15 < plain
    for depth, rough in ((8, False), (20, True), (56, True)):
        plain, residual = (share_non_convex(losses) for losses in stored(SurfacePlan(depth=depth)).losses)
        assert (plain > 0.1) == rough
        assert residual < 0.1
    error = stored(DegradationPlan()).error[..., -1]
    assert error[1, 0] > error[0, 0] + 0.3
    assert error[1, 1] < 0.02
