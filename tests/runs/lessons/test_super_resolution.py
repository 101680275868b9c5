"""Decibels, and the verdicts about them, of the lesson on super-resolution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from explorer.runs.data.sources import checked
from explorer.runs.lessons.super_resolution import LESSON, small_side, variants_of
from explorer.runs.lessons.super_resolution_outcome import Likeness, Result, items, likeness_of, verdicts
from explorer.runs.lessons.super_resolution_script import output_of
from explorer.runs.outcome import Verdict
from explorer.runs.record import new_config

BICUBIC = Likeness(np.array([20.0, 24.0]), np.array([0.7, 0.8]), np.array([0.8, 0.8]))


def result(network: str, gain: float, loss: str = "l1", complete: bool = True, edges: float = 0.9) -> Result:
    likeness = Likeness(BICUBIC.psnr + gain, BICUBIC.ssim + 0.05, np.full(2, edges))
    return Result(network, network, network, loss, likeness, ((1.0, 20.0),), 100, 1.0, complete)


def test_psnr_is_its_closed_form() -> None:
    truth = np.zeros((1, 16, 16, 3), np.uint8)
    other = np.full_like(truth, 51)
    assert likeness_of(truth, other).psnr[0] == pytest.approx(10 * np.log10(25))
    same = likeness_of(truth, truth)
    assert same.psnr[0] == 100 and same.ssim[0] == pytest.approx(1)


def test_blurred_edges_are_weaker_than_the_truths_and_half_the_contrast_has_half_of_them() -> None:
    stripes = np.zeros((1, 16, 16, 1), np.uint8)
    stripes[:, :, ::4] = stripes[:, :, 1::4] = 200
    assert likeness_of(stripes, stripes).edges[0] == 1.0
    assert likeness_of(stripes, stripes // 2).edges[0] == pytest.approx(0.5)
    blurred = gaussian_filter(stripes.astype(float), (0, 0, 1, 0)).round().astype(np.uint8)
    assert likeness_of(stripes, blurred).edges[0] < 0.9


def test_the_sentence_wants_a_decibel_and_less_for_a_residual_of_one_sign() -> None:
    assert verdicts([result("residual", 1.5), result("residual_relu", 0.6)], BICUBIC)[0].holds is True
    assert verdicts([result("residual", 0.5), result("residual_relu", 0.2)], BICUBIC)[0].holds is False
    assert verdicts([result("residual", 1.5), result("residual_relu", 1.6)], BICUBIC)[0].holds is False
    for near in (1.49, 1.51):
        told = verdicts([result("residual", 1.5), result("residual_relu", near)], BICUBIC)[0]
        assert told.holds is None and "too near to tell" in told.because
    told = verdicts([result("residual", 1.5)], BICUBIC)[0]
    assert told.holds is None and "not trained beside it" in told.because


@pytest.mark.parametrize(
    "results",
    [[], [result("direct", 2.0)], [result("residual", 2.0), result("residual_relu", 1.0, complete=False)]],
)
def test_what_was_not_tried_is_left_open(results: list[Result]) -> None:
    assert verdicts(results, BICUBIC)[0].holds is None


def test_l1_and_l2_are_judged_where_both_were_tried() -> None:
    def judged(l1: float, l2: float) -> Verdict:
        # L2 is always nearer to the truth in decibels, which measure what it learns by.
        return verdicts([result("residual", 1.0, edges=l1), result("residual", 1.5, "l2", edges=l2)], BICUBIC)[1]

    assert judged(0.95, 0.90).holds is True and "after L2 90.0%" in judged(0.95, 0.90).because
    assert judged(0.90, 0.95).holds is False
    assert judged(0.905, 0.900).holds is None and "too near to tell" in judged(0.905, 0.900).because
    assert len(verdicts([result("residual", 1.0), result("residual", 1.5, "ssim")], BICUBIC)) == 1


def test_the_table_begins_with_bicubic_and_tells_the_gain() -> None:
    table = next(item for item in items([result("residual", 1.5)], BICUBIC) if item.kind == "table")
    assert table.rows[0][0] == "bicubic" and table.rows[0][1] == 22.0
    assert table.rows[1][3] == pytest.approx(1.5) and table.rows[1][4] == "100 %"
    assert set(table.lit) == {(1, 1), (1, 2)}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("residual", (True, "linear")), ("residual_relu", (True, "relu")), ("direct_sigmoid", (False, "sigmoid"))],
)
def test_a_networks_name_says_what_becomes_of_its_output(name: str, wanted: tuple[bool, str]) -> None:
    assert output_of(name) == wanted


def test_patches_fit_into_small_pictures() -> None:
    assert small_side(4, 128) == 12 and small_side(2, 128) == 24 and small_side(4, 28) == 7


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_presets_and_their_scripts_are_sound(preset: object) -> None:
    settings = LESSON.settings(preset.settings)
    data = {"source": "drawn_clean", **preset.data}
    assert checked(data) and LESSON.estimate(settings, data) > 0
    assert set(variants_of(settings)) <= set(LESSON.variants)
    config = new_config(task="super_resolution", owner="anna", settings=settings, data=data)
    compile(LESSON.script(config), "script", "exec")


def test_the_preset_that_is_met_first_ends_within_two_minutes_by_its_own_estimate() -> None:
    preset = LESSON.presets[0]
    assert LESSON.estimate(LESSON.settings(preset.settings), preset.data) <= 120
