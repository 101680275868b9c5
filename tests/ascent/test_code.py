"""The lines that the page shows run, and grow what was asked for."""

import numpy as np
import pytest

from explorer.ascent.code import code, dream_code
from explorer.ascent.results import DreamPlan, Plan, Regularisers, Transforms
from explorer.pictures.sources import resolve

PLANS = [
    Plan("drawn_robust", targets=(3,), steps=2),
    Plan(
        "drawn_plain", weights="random", objective="channel", layer="stem_relu", targets=(0, 5), steps=2, size=32,
        start="picture", transforms=Transforms(2, 3), regularisers=Regularisers(l2=0.1), colours="none",
    ),
]  # fmt: skip


@pytest.mark.parametrize("plan", PLANS)
def test_the_shown_code_runs_and_says_what_was_asked(plan):
    names = {}
    exec(code(plan), names)
    assert names["plan"] == plan
    assert names["grown"].images.shape[0] == len(plan.targets)


def test_the_shown_code_names_the_picture_that_the_images_began_as():
    names = {}
    made = code(PLANS[1], "drawn:fish:7")
    exec(made, names)
    np.testing.assert_array_equal(names["pixels"], resolve("drawn:fish:7").pixels)
    assert "fish" not in code(PLANS[0], "drawn:fish:7"), "noise has no picture"
    uploaded = code(PLANS[1], "upload:" + "0" * 64)
    assert "open(" in uploaded and "resolve" not in uploaded


def test_the_shown_code_of_a_dream_runs():
    plan = DreamPlan("drawn_plain", layers=(("shapes_1_relu", 1.0),), octaves=1, steps=1, size=48)
    names = {}
    exec(dream_code(plan), names)
    assert names["plan"] == plan and names["grown"].images.dtype == np.uint8


def test_what_is_as_by_default_is_left_out():
    assert "learning_rate" not in code(Plan("drawn_robust"))
    assert "learning_rate=0.3" in code(Plan("drawn_robust", learning_rate=0.3))
