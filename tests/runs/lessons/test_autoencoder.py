"""Errors against the bottleneck's size, and the verdicts about them."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.runs.data.sources import checked
from explorer.runs.lessons.autoencoder import LESSON, variant
from explorer.runs.lessons.autoencoder_outcome import Result, items, plane, verdicts
from explorer.runs.record import new_config


def result(size: int, error: float, pca: float | None = 0.09, complete: bool = True) -> Result:
    return Result(size, error, pca, 100, 1.0, complete)


def test_the_sentence_wants_falling_errors_and_a_narrow_bottleneck_that_beats_pca() -> None:
    assert verdicts([result(32, 0.01), result(2, 0.05), result(8, 0.02)])[0].holds is True
    assert verdicts([result(2, 0.05), result(8, 0.06)])[0].holds is False
    assert verdicts([result(2, 0.1), result(8, 0.05)])[0].holds is False
    assert verdicts([result(2, 0.05), result(8, 0.02, pca=0.01)])[0].holds is True


def test_errors_that_another_seed_would_swap_decide_nothing() -> None:
    (told,) = verdicts([result(2, 0.05), result(64, 0.0107), result(128, 0.0108)])
    assert told.holds is True
    assert "64 and 128 numbers: less than 3% apart, too near to tell" in told.because
    assert verdicts([result(2, 0.05), result(64, 0.0107), result(128, 0.0112)])[0].holds is False
    assert verdicts([result(64, 0.0108), result(128, 0.0107)])[0].holds is None
    assert verdicts([result(64, 0.0108, pca=0.01), result(128, 0.0107)])[0].holds is False
    assert verdicts([result(2, 0.0500, pca=0.0501), result(8, 0.02)])[0].holds is None
    assert verdicts([result(2, 0.0500, pca=0.0501), result(8, 0.06)])[0].holds is False


@pytest.mark.parametrize(
    "results", [[], [result(2, 0.05)], [result(2, 0.05, None), result(4, 0.02)], [result(2, 0.05, complete=False)]]
)
def test_what_was_not_compared_is_left_open(results: list[Result]) -> None:
    assert verdicts(results)[0].holds is None


def test_noise_is_judged_where_there_was_some() -> None:
    told = verdicts([result(16, 0.02), result(64, 0.03)], noisy=0.05)
    assert len(told) == 2 and told[1].holds is True
    assert verdicts([result(16, 0.06)], noisy=0.05)[1].holds is False
    assert verdicts([], noisy=0.05)[1].holds is None


def test_the_curve_lies_over_the_sizes_in_order() -> None:
    lines = next(item for item in items([result(32, 0.01), result(2, 0.05)], 0.2, 784) if item.kind == "lines")
    assert lines.lines[0].x == (2, 32) and lines.lines[0].y == (0.05, 0.01)
    assert [line.name for line in lines.lines] == ["autoencoder", "PCA", "noisy input"]
    table = next(item for item in items([result(2, 0.1)], None, 784) if item.kind == "table")
    assert table.rows[0][3] == "1 : 392" and table.lit == ((0, 2),)


def test_points_of_a_plane_are_not_joined() -> None:
    places = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    lines = plane(places, np.array([1, 0, 1]), ["cat", "fish"]).lines
    assert [line.name for line in lines] == ["cat", "fish"]
    assert lines[1].x == (0, 0, 4, 4) and lines[1].y == (1, None, 5, None)
    assert len(plane(places, None, ()).lines) == 1


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_presets_and_their_scripts_are_sound(preset: object) -> None:
    settings = LESSON.settings(preset.settings)
    data = {"source": "drawn_digits", **preset.data}
    assert checked(data) and LESSON.estimate(settings, data) > 0
    assert {variant(size) for size in settings["sizes"]} <= set(LESSON.variants)
    config = new_config(task="autoencoder", owner="anna", settings=settings, data=data)
    compile(LESSON.script(config), "script", "exec")


def test_the_preset_that_is_met_first_ends_within_two_minutes_by_its_own_estimate() -> None:
    preset = LESSON.presets[0]
    assert LESSON.estimate(LESSON.settings(preset.settings), preset.data) <= 120
