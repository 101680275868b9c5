"""What the lesson on transfer declares, and how it judges its own numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.networks.work_context import SentenceError
from explorer.runs.lessons.transfer import LESSON, data_of, epochs_for, repeats_of, variant
from explorer.runs.lessons.transfer_outcome import Result, items, largest, means_of, strategies_table, verdict
from explorer.runs.record import new_config


def results(**accuracies: dict[int, float | list[float]]) -> list[Result]:
    """Results from strategy to count to accuracy, or to those of several draws."""
    found = []
    for strategy, by_count in accuracies.items():
        for count, values in by_count.items():
            for value in values if isinstance(values, list) else [values]:
                found.append(Result(strategy, count, float(count), value, 1.0, 10))
    return found


LIKE_THE_LECTURE: dict[str, Any] = {
    "pixels": {5: 0.30, 200: 0.45},
    "logistic": {5: [0.60, 0.66], 200: 0.85},
    "frozen": {5: [0.62, 0.66], 200: 0.86},
    "fine_tuned": {5: [0.60, 0.68], 200: 0.93},
    "scratch": {5: [0.28, 0.32], 200: 0.65},
}


def test_the_sentence_holds_for_numbers_like_the_lectures() -> None:
    found = verdict(results(**LIKE_THE_LECTURE))
    assert found.holds is True
    assert "frozen 0.64, from scratch 0.30" in found.because
    assert "50% of its mistakes mended against 0% with 5" in found.because


@pytest.mark.parametrize(
    ("strategy", "count", "accuracy"),
    [("scratch", 5, 0.55), ("logistic", 5, 0.50), ("fine_tuned", 200, 0.85), ("fine_tuned", 5, 0.85)],
    ids=["scratch is nearly as good", "features are worse", "unfreezing loses", "unfreezing gained more before"],
)
def test_the_sentence_falls_with_any_of_its_parts(strategy: str, count: int, accuracy: float) -> None:
    changed = {**LIKE_THE_LECTURE, strategy: {**LIKE_THE_LECTURE[strategy], count: accuracy}}
    assert verdict(results(**changed)).holds is False


def test_where_the_frozen_network_makes_no_mistakes_there_is_nothing_to_mend() -> None:
    for tuned in (0.99, 1.0):
        easy = {**LIKE_THE_LECTURE, "frozen": {5: 0.8, 200: 1.0}, "fine_tuned": {5: 0.8, 200: tuned}}
        found = verdict(results(**{**easy, "logistic": {5: 0.8, 200: 1.0}}))
        assert found.holds is None and "no mistakes that could be mended" in found.because
        assert "%" not in found.because


def test_shares_of_mended_mistakes_that_are_alike_decide_nothing() -> None:
    alike = {**LIKE_THE_LECTURE, "frozen": {5: 0.6, 200: 0.8}, "fine_tuned": {5: 0.8, 200: 0.903}}
    found = verdict(results(**alike))
    assert found.holds is None and "too near to tell" in found.because


def test_parts_that_were_not_tried_are_named_and_leave_the_sentence_open() -> None:
    few = {name: {5: by_count[5]} for name, by_count in LIKE_THE_LECTURE.items()}
    found = verdict(results(**few))
    assert found.holds is None
    assert "not tried (from 100 per class)" in found.because
    two = verdict(results(frozen={5: 0.6, 200: 0.8}, logistic={5: 0.6, 200: 0.8}))
    assert two.holds is None and "whether it wins with few pictures was not tried" in two.because
    assert verdict(results(forest={50: 0.8})).holds is None
    assert verdict([]).holds is None


def test_a_stopped_run_says_so_and_judges_nothing() -> None:
    found = verdict(results(**LIKE_THE_LECTURE), stopped=True)
    assert found.holds is None
    assert found.because.startswith("it was stopped")


def test_several_draws_count_by_their_mean() -> None:
    assert means_of(results(frozen={5: [0.5, 0.7]})) == {("frozen", 5): pytest.approx(0.6)}


def lit_cells(**accuracies: dict[int, float | list[float]]) -> set[tuple[int, int]]:
    return set(strategies_table(means_of(results(**accuracies))).lit)


def test_the_table_of_strategies_lights_the_case_of_the_run() -> None:
    assert lit_cells(pixels={5: 0.3}, logistic={5: 0.6}) == {(0, 1)}
    assert lit_cells(pixels={5: 0.3, 200: 0.5}, frozen={5: 0.6, 200: 0.8}) == {(0, 1), (1, 1)}
    assert lit_cells(pixels={200: 0.90}, logistic={200: 0.92}) == {(1, 2)}
    assert lit_cells(logistic={5: 0.6}) == set()


def test_everything_is_shown_with_the_verdict_first() -> None:
    truth = np.array([0, 1, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    best = Result("frozen", 5, 5.0, 0.75, 1.0, 8, probabilities)
    shown = items([best, *results(scratch={5: 0.5})], truth=truth, classes=("boat", "key"))
    assert [item.kind for item in shown][0] == "verdict"
    confusion = shown[-1]
    assert confusion.kind == "confusion" and confusion.variant == "frozen"
    assert confusion.matrix == ((1, 1), (0, 2))
    per_class = next(item for item in shown if item.kind == "table" and item.title.startswith("Class by class"))
    # Boat: 1 of 1 called so is one, 1 of 2 is found. Key: 2 of 3, and 2 of 2.
    assert per_class.rows[0][1:4] == pytest.approx((1.0, 0.5, 2 / 3))
    assert per_class.rows[1][1:4] == pytest.approx((2 / 3, 1.0, 0.8))


def test_of_each_strategy_the_first_draw_with_most_pictures_is_kept() -> None:
    found = largest(results(frozen={5: [0.5, 0.6], 20: [0.7, 0.8]}))
    assert [(result.count, result.accuracy) for result in found] == [(20, 0.7)]


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_every_preset_can_be_set_and_written_as_a_script(preset: Any) -> None:
    settings = LESSON.settings(preset.settings)
    data = {"source": "drawn", **preset.data}
    config = new_config(task="transfer", owner="anna", settings=settings, data=data)
    compile(LESSON.script(config), preset.name, "exec")
    assert LESSON.estimate(settings, data) > 0


def test_a_script_with_augmentation_trains_each_head_from_the_same_beginning() -> None:
    settings = {"strategies": ("frozen", "fine_tuned"), "augment_flip": "horizontal"}
    script = LESSON.script(new_config(task="transfer", owner="anna", settings=settings, data={"source": "drawn"}))
    # The head that is fitted to the features, and then tuned with the base, is none that has learned before.
    assert script.index("fresh = keras.models.clone_model(head)") < script.index("compiled(frozen")
    assert 'stages, fresh.layers, "frozen"' in script and "head.layers" not in script


@pytest.mark.parametrize("network", ["drawn_robust", "MobileNetV2", "VGG16", "DenseNet121", "EfficientNetB0"])
def test_a_script_names_its_base(network: str) -> None:
    config = new_config(task="transfer", owner="anna", network=network)
    text = LESSON.script(config)
    compile(text, network, "exec")
    assert network in text


def test_the_first_preset_is_short() -> None:
    settings = LESSON.settings(LESSON.presets[0].settings)
    assert LESSON.estimate(settings, {"source": "drawn", **LESSON.presets[0].data}) <= 120


def test_few_pictures_are_gone_over_until_there_are_enough_steps() -> None:
    settings = {"passes": 3, "steps": 30}
    assert epochs_for(20, settings) == 30  # one step an epoch
    assert epochs_for(200, settings) == 5  # seven steps an epoch
    assert epochs_for(800, settings) == 3


def test_only_few_pictures_are_drawn_several_times() -> None:
    settings = {"repeats": 4}
    assert [repeats_of(count, settings) for count in (5, 20, 50)] == [4, 4, 1]


def test_as_many_pictures_are_drawn_as_the_draws_need() -> None:
    settings = LESSON.settings({"counts": (5, 20), "repeats": 3})
    assert data_of({"source": "drawn", "side": 64}, settings) == {"source": "drawn", "side": 64, "per_class": 60}
    assert data_of({"source": "digits"}, settings) == {"source": "digits"}


def test_every_curve_has_a_title() -> None:
    assert LESSON.variants[variant("fine_tuned", 200)] == "Dense head first, then the last layers, 200 per class"
    assert "frozen" in LESSON.variants


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SentenceError, match="Pictures per class"):
        LESSON.settings({"counts": (7,)})


@pytest.mark.slow
@pytest.mark.parametrize("flip", ["none", "horizontal"])
def test_the_script_trains_the_same_networks(run_script: Callable[[str], str], tmp_path: Path, flip: str) -> None:
    settings = {"counts": (2,), "passes": 1, "steps": 1, "strategies": ("logistic", "frozen", "fine_tuned", "scratch")}
    settings["augment_flip"] = flip
    data = {"source": "drawn", "validation": 4, "side": 96}
    script = LESSON.script(new_config(task="transfer", owner="anna", settings=settings, data=data, seed=3))
    said = run_script(script)
    # 431,412 weights less twelve logits and with four; the run's own networks have as many (tests/runs/tasks).
    for name in ("frozen", "fine_tuned", "scratch"):
        assert f"{name}:" in said
        assert (tmp_path / "script" / f"model-{name}.keras").is_file()
    assert said.count("430,380 weights") == 3
