"""Intersection over union, the verdicts about it, and the script of the lesson on segmentation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score

from explorer.networks.work_context import SentenceError
from explorer.runs.data.sources import checked
from explorer.runs.lessons.segmentation import LESSON, variants_of
from explorer.runs.lessons.segmentation_outcome import (
    Result,
    intersection_over_union,
    items,
    pixel_confusion,
    verdicts,
)
from explorer.runs.record import new_config


def answers(seed: int = 0, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, (5, 12, 12)).astype(np.uint8)
    right = generator.random(truth.shape) < 0.7
    return truth, np.where(right, truth, generator.integers(0, classes, truth.shape)).astype(np.uint8)


def test_iou_of_each_class_is_scikit_learns_jaccard_over_all_pixels() -> None:
    truth, answer = answers()
    confusion = pixel_confusion(truth, answer, 4)
    np.testing.assert_array_equal(confusion, confusion_matrix(truth.ravel(), answer.ravel()))
    wanted = jaccard_score(truth.ravel(), answer.ravel(), average=None)
    np.testing.assert_allclose(intersection_over_union(confusion), wanted, rtol=1e-12)


def test_a_class_that_is_nowhere_has_no_iou() -> None:
    found = intersection_over_union(pixel_confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 3))
    assert found[0] == 0.5 and found[1] == 0.5 and np.isnan(found[2])


def result(network: str, right: float, loss: str = "cross_entropy", complete: bool = True) -> Result:
    """A result with as many pixels wrong from either of two classes, so that both have the same IoU."""
    wrong = 1 - right
    confusion = np.rint(1000 * np.array([[right, wrong], [wrong, right]])).astype(np.int64)
    return Result(f"{network}-{loss}", network, network, loss, confusion, ((1.0, right),), 10, 5, 1.0, complete)


def test_the_sentence_is_decided_by_the_best_network_from_scratch() -> None:
    good = verdicts([result("pretrained", 0.9), result("strided", 0.8), result("unet", 0.85)])[0]
    assert good.holds is True and "0.82" in good.because and "0.74" in good.because
    assert verdicts([result("pretrained", 0.8), result("strided", 0.7), result("unet", 0.85)])[0].holds is False
    near = verdicts([result("pretrained", 0.901), result("unet", 0.9)])[0]
    assert near.holds is None and "too near to tell" in near.because


@pytest.mark.parametrize(
    "results",
    [
        [],
        [result("pretrained", 0.9)],
        [result("strided", 0.9), result("unet", 0.8)],
        [result("pretrained", 0.9), result("strided", 0.8, complete=False)],
    ],
)
def test_what_was_not_compared_is_left_open(results: list[Result]) -> None:
    assert verdicts(results)[0].holds is None


def test_losses_are_judged_where_they_were_compared() -> None:
    told = verdicts([result("pretrained", 0.8), result("pretrained", 0.9, "dice")])
    assert len(told) == 2 and told[1].holds is True
    assert verdicts([result("pretrained", 0.9), result("pretrained", 0.8, "dice")])[1].holds is False
    near = verdicts([result("pretrained", 0.8), result("pretrained", 0.802, "dice")])[1]
    assert near.holds is None and "too near to tell" in near.because
    both = verdicts([result("pretrained", 0.8), result("pretrained", 0.9, "both")])[1]
    assert both.holds is None and "Dice loss alone was not trained" in both.because
    assert len(verdicts([result("pretrained", 0.9)])) == 1


def test_the_table_names_each_class_and_its_mean() -> None:
    shown = items([result("pretrained", 0.9), result("strided", 0.8)], ["background", "object"])
    table = next(item for item in shown if item.kind == "table")
    assert [row[0] for row in table.rows] == ["background", "object", "mean"]
    assert table.rows[2][1] == pytest.approx(0.9 / 1.1) and table.rows[2][2] == pytest.approx(0.8 / 1.2)
    assert all(column == 1 for _, column in table.lit)
    assert items([], ["background", "object"])[0].holds is None


def test_variants_are_named_by_what_is_compared() -> None:
    one = LESSON.settings({"networks": ["pretrained"]})
    assert list(variants_of(one)) == ["pretrained"]
    losses = LESSON.settings({"networks": ["pretrained", "unet"], "losses": ["cross_entropy", "dice"]})
    assert list(variants_of(losses)) == [
        "pretrained-cross_entropy",
        "pretrained-dice",
        "unet-cross_entropy",
        "unet-dice",
    ]
    assert set(variants_of(losses)) <= set(LESSON.variants)


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_presets_and_scripts_of_presets_are_sound(preset: object) -> None:
    settings = LESSON.settings(preset.settings)
    data = {"source": "drawn_scenes", **preset.data}
    assert checked(data)
    assert LESSON.estimate(settings, data) > 0
    compile(
        LESSON.script(new_config(task="segmentation", owner="anna", settings=settings, data=data)), "script", "exec"
    )


def test_the_preset_that_is_met_first_ends_within_two_minutes_by_its_own_estimate() -> None:
    preset = LESSON.presets[0]
    assert LESSON.estimate(LESSON.settings(preset.settings), preset.data) <= 120


def test_unknown_networks_are_refused() -> None:
    with pytest.raises(SentenceError):
        LESSON.settings({"networks": ["alexnet"]})
