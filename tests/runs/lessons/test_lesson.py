"""What every lesson's knobs take and refuse."""

from __future__ import annotations

import pytest

from explorer.networks.work_context import SentenceError
from explorer.runs.lessons import lesson, lessons
from explorer.runs.lessons.lesson import Knob


@pytest.mark.parametrize("each", lessons(), ids=lambda each: each.name)
def test_every_preset_is_accepted_by_its_own_knobs(each) -> None:
    for preset in each.presets:
        settings = each.settings(preset.settings)
        assert {name: settings[name] for name in preset.settings} == dict(preset.settings)
        assert each.settings(settings) == settings


@pytest.mark.parametrize("depth", [7, 13, 59])
def test_a_depth_between_two_steps_is_refused_with_a_sentence(depth: int) -> None:
    with pytest.raises(SentenceError, match="a whole number from 6 to 60 in steps of 6"):
        lesson("blocks").settings({"depth": depth})


def test_steps_count_from_the_smallest_number() -> None:
    knob = Knob("size", "Size", "integer", 5, low=5, high=25, step=10)
    assert [knob.checked(value) for value in (5, 15, 25)] == [5, 15, 25]
    with pytest.raises(SentenceError):
        knob.checked(10)


def test_what_goes_by_factors_keeps_to_no_steps() -> None:
    knob = Knob("size", "Size", "integer", 16, low=0, high=64, step=16, logarithmic=True)
    assert knob.checked(2) == 2
