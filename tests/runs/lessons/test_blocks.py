"""What the lesson on blocks declares."""

from __future__ import annotations

import pytest

from explorer.architectures import stack as stacks
from explorer.networks import catalogue
from explorer.runs.data.sources import checked
from explorer.runs.lessons.blocks import LESSON, is_shallow, stack_name


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_every_preset_is_a_run_that_can_be_started(preset):
    settings = LESSON.settings(preset.settings)
    data = checked({"source": LESSON.data[0], **preset.data})
    assert preset.gpu or 0 < LESSON.estimate(settings, data) <= 120
    assert settings["depth"] % 6 == 0


def test_only_the_shallow_preset_expects_plain_blocks_to_learn_as_well():
    shallow = [preset.name for preset in LESSON.presets if is_shallow(LESSON.settings(preset.settings))]
    assert shallow == ["shallow"]


@pytest.mark.parametrize("preset", [preset for preset in stacks.PRESETS if preset.stack.layers], ids=lambda p: p.name)
def test_a_stack_is_found_by_name_on_pictures_of_another_size(preset):
    text = stacks.to_text(preset.stack)
    name = stack_name(text, (48, 48, 3))
    assert name == f"stack-{stacks.to_text(stacks.with_input(preset.stack, (48, 48, 3)))}"
    assert catalogue.entry(name).input_size == (48, 48)
    assert stack_name(f"stack-{text}", (48, 48, 3)) == name


def test_the_field_for_a_stack_is_shown_only_where_it_is_used():
    shown = {knob.name for knob in LESSON.in_use(LESSON.settings())}
    assert "stack" not in shown
    assert "stack" in {knob.name for knob in LESSON.in_use(LESSON.settings({"blocks": ["stack", "plain"]}))}
