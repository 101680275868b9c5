"""What the lesson on shortcuts declares, and how it judges its own numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.networks.work_context import SentenceError
from explorer.runs.lessons.shortcut import LESSON, checked
from explorer.runs.lessons.shortcut_outcome import Judged, items, verdict
from explorer.runs.record import new_config

ANSWERS = np.array([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9], [0.3, 0.7]])


def judged(variant: str, same: float, swapped: float, background: float = 4.0, thing: float = 1.0) -> Judged:
    return Judged(variant, same, swapped, 0.5, thing, background, ANSWERS)


BIASED = judged("biased", 1.0, 0.02, background=8.0, thing=0.5)
MENDED = judged("mended", 0.97, 0.96, background=0.5, thing=6.0)
AUGMENTED = judged("augmented", 0.9, 0.4, background=2.0)


def test_the_share_of_the_background_is_its_part_of_both_drops() -> None:
    assert judged("biased", 1, 0, background=3.0, thing=1.0).background_share == 0.75
    # What speaks for the other class is no evidence for this one.
    assert judged("biased", 1, 0, background=3.0, thing=-1.0).background_share == 1.0
    assert np.isnan(judged("biased", 1, 0, background=-1.0, thing=0.0).background_share)


def test_the_sentence_holds_where_swapping_misleads_and_better_data_mend() -> None:
    found = verdict([BIASED, AUGMENTED, MENDED])
    assert found.holds is True
    assert "1.00 right, swapped 0.02, and 94\u00a0% of the evidence is the background's" in found.because


@pytest.mark.parametrize(
    "networks",
    [
        [judged("biased", 1.0, 0.7), MENDED],
        [judged("biased", 1.0, 0.1, background=1.0, thing=4.0), MENDED],
        [BIASED, judged("mended", 0.9, 0.8, background=0.5)],
    ],
    ids=["it is not misled", "it looks at the object", "it is not mended"],
)
def test_the_sentence_falls_where(networks: list[Judged]) -> None:
    assert verdict(networks).holds is False


def test_a_network_that_did_not_learn_shows_nothing_about_shortcuts() -> None:
    found = verdict([judged("biased", 0.6, 0.4), AUGMENTED, MENDED])
    assert found.holds is None and "a network has to have learned" in found.because


def test_a_sentence_about_all_pictures_is_not_judged_by_most_of_them() -> None:
    for swapped in (0.02, 0.8):
        found = verdict([judged("biased", 0.97, swapped), AUGMENTED, MENDED], bias=0.9)
        assert found.holds is None and "only 90\u00a0% of the pictures" in found.because


def test_augmentation_need_not_mend_it() -> None:
    assert verdict([BIASED, AUGMENTED, MENDED]).holds is True


def test_what_was_not_tried_is_said_and_leaves_the_sentence_open() -> None:
    alone = verdict([BIASED])
    assert alone.holds is None and "whether data mend it was not tried" in alone.because
    half = verdict([BIASED, MENDED])
    assert half.holds is None and "what augmentation does was not tried" in half.because


def test_without_a_biased_network_or_its_end_nothing_is_judged() -> None:
    assert verdict([MENDED]).holds is None
    assert verdict([BIASED, MENDED], stopped=True).holds is None


def test_confusions_are_those_of_swapped_backgrounds() -> None:
    shown = items([BIASED], np.array([0, 0, 1, 1]), ("boat", "mushroom"))
    assert shown[0].kind == "verdict"
    (confusion,) = [item for item in shown if item.kind == "confusion"]
    assert confusion.variant == "biased"
    assert confusion.matrix == ((1, 1), (0, 2))


def test_two_classes_have_to_differ() -> None:
    with pytest.raises(SentenceError, match="two different classes"):
        checked({"at_sea": "cat", "on_meadow": "cat"})


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_every_preset_can_be_set_and_written_as_a_script(preset: Any) -> None:
    settings = checked(preset.settings)
    config = new_config(task="shortcut", owner="anna", settings=dict(preset.settings))
    compile(LESSON.script(config), preset.name, "exec")
    assert LESSON.estimate(settings, {}) > 0


def test_the_first_preset_is_short() -> None:
    assert LESSON.estimate(checked(LESSON.presets[0].settings), {}) <= 120


@pytest.mark.slow
def test_the_script_trains_the_same_networks(run_script: Callable[[str], str], tmp_path: Path) -> None:
    settings = {"per_class": 20, "epochs": 1, "side": 48}
    script = LESSON.script(new_config(task="shortcut", owner="anna", settings=settings, seed=3))
    said = run_script(script)
    for name in ("biased", "augmented", "mended"):
        assert f"{name}: 48,050 weights" in said
        assert (tmp_path / "script" / f"model-{name}.keras").is_file()
