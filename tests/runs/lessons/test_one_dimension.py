"""What the lesson on one dimension declares."""

from __future__ import annotations

import pytest

from explorer.networks.work_context import SentenceError
from explorer.runs.lessons.one_dimension import (
    LESSON,
    SENTENCES,
    dilations,
    is_short,
    longest_reach,
    receptive_field,
    sentence_of,
    series_steps,
)


def test_the_lectures_stack_of_four_looks_back_4_steps_and_with_dilation_15():
    assert receptive_field(2, dilations(4, dilated=False)) - 1 == 4
    assert receptive_field(2, dilations(4, dilated=True)) - 1 == 15


def test_six_layers_of_kernel_2_see_7_steps_and_with_dilation_64():
    assert receptive_field(2, dilations(6, dilated=False)) == 7
    assert dilations(6, dilated=True) == (1, 2, 4, 8, 16, 32)
    assert receptive_field(2, dilations(6, dilated=True)) == 64


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_every_preset_is_a_run_that_can_be_started(preset):
    settings = LESSON.settings(preset.settings)
    assert sentence_of(settings) in SENTENCES.values()
    assert 0 < LESSON.estimate(settings, {}) <= 120
    assert all(knob.name in settings for knob in LESSON.in_use(settings))


def test_the_first_preset_has_a_period_that_only_the_dilated_stack_reaches_back_to():
    settings = LESSON.settings(LESSON.presets[0].settings)
    assert not is_short(settings)
    assert 7 < settings["period"] < longest_reach(settings) == 64
    assert series_steps(settings) > 2 * settings["period"]
    assert is_short(LESSON.settings(LESSON.preset("forecast_short").settings))


def test_only_what_a_task_uses_is_shown():
    shown = {task: {knob.name for knob in LESSON.in_use({**LESSON.settings(), "task": task})} for task in
             ("forecast", "text", "table", "signals")}  # fmt: skip
    assert "period" in shown["forecast"] and "period" not in shown["signals"]
    assert "noise" in shown["signals"] and "noise" not in shown["table"]
    assert {"widths", "corpus", "negated"} <= shown["text"] and "download" not in shown["text"]


def test_what_cannot_be_is_refused_with_a_sentence():
    for wrong in ({"layers": 20}, {"stacks": []}, {"widths": [4]}, {"task": "images"}, {"noise": float("nan")}):
        with pytest.raises(SentenceError):
            LESSON.settings(wrong)
