"""The lesson on transfer as it runs: its draws, its networks, what it leaves behind, also after a stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from explorer.networks.preprocessing import prepare
from explorer.networks.work_context import Stopped
from explorer.runs import outcome, tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import METRICS, STOP
from explorer.runs.lessons import lesson
from explorer.runs.metrics import read_metrics
from explorer.runs.tasks.transfer import draws_of
from explorer.runs.trained import read_models

DATA = {"source": "drawn", "side": 96, "validation": 3}
TINY = {"counts": (2,), "repeats": 2, "passes": 1, "steps": 2}
ALL = ("pixels", "logistic", "forest", "svm", "frozen", "fine_tuned", "unfrozen", "scratch")


def test_draws_are_balanced_and_have_no_picture_in_common() -> None:
    labels = np.repeat([0, 1, 2], 20)
    draws = draws_of(labels, (5, 10), lambda count: 3 if count == 5 else 1, seed=4)
    assert [(draw.count, draw.repeat) for draw in draws] == [(5, 0), (5, 1), (5, 2), (10, 0)]
    for draw in draws:
        assert np.bincount(labels[draw.index]).tolist() == [draw.count] * 3
    few = np.concatenate([draw.index for draw in draws[:3]])
    assert len(set(few.tolist())) == len(few)
    again = draws_of(labels, (5, 10), lambda count: 3 if count == 5 else 1, seed=4)
    np.testing.assert_array_equal(draws[1].index, again[1].index)


def test_where_there_are_fewer_pictures_all_are_taken() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    (draw,) = draws_of(labels, (200,), lambda count: 1, seed=0)
    assert sorted(draw.index.tolist()) == list(range(8))
    assert draw.per_class == 4.0


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    """A tiny run of every strategy."""
    from explorer.runs.folder import create
    from explorer.runs.record import new_config

    config = new_config(task="transfer", owner="anna", seed=5, settings={**TINY, "strategies": ALL}, data=DATA)
    context = RunContext(create(tmp_path_factory.mktemp("runs"), config).folder, config)
    tasks.load("transfer")(context)
    context.close()
    return context


@pytest.mark.slow
class TestEverything:
    @pytest.mark.slow
    def test_every_network_is_saved_and_opens_as_it_says(self, everything: RunContext) -> None:
        found = read_models(everything.folder)
        assert {model.variant for model in found.models} == {"logistic", "frozen", "fine_tuned", "unfrozen", "scratch"}
        pixels = outcome.read_arrays(everything.folder, outcome.VALIDATION)["pixels"]
        for about in found.models:
            model = keras.saving.load_model(everything.folder / about.file, compile=False)
            assert model.output_shape == (None, 4)
            assert model.count_params() == about.parameters == 430_380
            logits = keras.ops.convert_to_numpy(model(pixels.astype(np.float32) / 255, training=False))
            said = outcome.read_arrays(everything.folder, outcome.predictions_file(about.variant))["probabilities"]
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), said, atol=2e-3)

    def test_the_frozen_base_is_frozen_and_the_last_layers_are_not(self, everything: RunContext) -> None:
        from explorer.runs.pretrained import load_base

        base = load_base("").model
        changed = {}
        for variant in ("frozen", "fine_tuned", "unfrozen"):
            model = keras.saving.load_model(everything.folder / f"model-{variant}.keras", compile=False)
            changed[variant] = {
                layer.name
                for layer in base.layers[:-2]
                for old, new in zip(layer.get_weights(), model.get_layer(layer.name).get_weights(), strict=True)
                if not np.array_equal(old, new)
            }
        assert changed["frozen"] == set()
        assert changed["fine_tuned"] == {"parts_1_conv", "parts_2_conv", "objects_1_conv", "objects_2_conv"}
        assert len(changed["unfrozen"]) == 8
        assert all(name.endswith("_conv") for name in changed["unfrozen"])

    @pytest.mark.slow
    def test_features_are_kept_for_training_and_validation(self, everything: RunContext) -> None:
        with np.load(everything.folder / "features.npz") as kept:
            assert kept["features"].shape == (16, 128)  # two draws of two pictures of four classes
            assert kept["validation_features"].shape == (12, 128)
            assert np.bincount(kept["labels"]).tolist() == [4] * 4
            assert kept["stages"].tolist() == ["objects_2_relu"]

    def test_only_the_first_draw_is_a_curve(self, everything: RunContext) -> None:
        rows = read_metrics(everything.folder / METRICS).rows
        assert {row["variant"] for row in rows} == {"frozen-2", "fine_tuned-2", "unfrozen-2", "scratch-2"}
        epochs = [row["epoch"] for row in rows if row["variant"] == "scratch-2" and "val_accuracy" in row]
        assert epochs == [1, 2]

    def test_the_outcome_has_both_draws_and_a_confusion_for_every_strategy(self, everything: RunContext) -> None:
        shown = outcome.read_outcome(everything.folder)
        assert shown[0].kind == "verdict"
        assert {item.variant for item in shown if item.kind == "confusion"} == set(ALL)
        table = next(item for item in shown if item.kind == "table")
        assert len(table.rows) == len(ALL)
        assert all("–" in row[1] for row in table.rows)
        picture = next(item for item in shown if item.kind == "pictures")
        assert outcome.picture_file(everything.folder, picture.pictures[0]) is not None

    def test_the_probe_is_told_by_every_network_in_the_end(self, everything: RunContext) -> None:
        moments, _ = outcome.read_moments(everything.folder)
        probe = outcome.read_arrays(everything.folder, outcome.PROBE)
        assert probe["truth"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
        assert {moment.variant for moment in moments} == {"frozen-2", "fine_tuned-2", "unfrozen-2", "scratch-2"}
        assert all(np.shape(moment.item.probabilities) == (8, 4) for moment in moments)


@pytest.mark.slow
def test_a_stop_keeps_what_was_learnt(context_of: Callable[..., RunContext], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**TINY, "repeats": 1, "strategies": ("logistic", "frozen", "scratch")}
    context = context_of("transfer", settings=settings, data=DATA)
    real = RunContext.say

    def say(self: RunContext, message: str) -> None:
        real(self, message)
        if message.startswith("From scratch"):
            (self.folder / STOP).touch()

    monkeypatch.setattr(RunContext, "say", say)
    with pytest.raises(Stopped):
        tasks.load("transfer")(context)
    assert {model.variant for model in read_models(context.folder).models} >= {"logistic", "frozen"}
    verdict, *shown = outcome.read_outcome(context.folder)
    assert verdict.holds is None and "stopped" in verdict.because
    assert {item.variant for item in shown if item.kind == "confusion"} == {"logistic", "frozen"}


@pytest.mark.slow
def test_augmentation_and_features_of_all_stages(trained: Callable[..., RunContext]) -> None:
    settings: dict[str, Any] = {
        **TINY,
        "repeats": 1,
        "strategies": ("logistic", "frozen", "fine_tuned"),
        "stages": ("1", "2", "3"),
        "hidden": 16,
        "dropout": 0.2,
        "augment_flip": "horizontal",
    }
    context = trained("transfer", settings=settings, data=DATA)
    with np.load(context.folder / "features.npz") as kept:
        assert kept["features"].shape == (8, 24 + 48 + 128)
    hidden = (200 * 16 + 16) + (16 * 4 + 4)
    sizes = {model.variant: model.parameters for model in read_models(context.folder).models}
    assert sizes == {
        "logistic": 430_380 - 516 + 804,
        "frozen": 430_380 - 516 + hidden,
        "fine_tuned": 430_380 - 516 + hidden,
    }


@pytest.mark.slow
def test_a_base_with_other_preprocessing_gets_it_and_says_so(
    trained: Callable[..., RunContext], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.networks import catalogue

    small = keras.applications.MobileNetV2(weights=None)
    entry = catalogue.entry("MobileNetV2")
    small.save_weights(tmp_path / "w.weights.h5")
    monkeypatch.setattr(catalogue, "weights_path", lambda *_: tmp_path / "w.weights.h5")
    settings = {**TINY, "repeats": 1, "strategies": ("logistic", "frozen")}
    context = trained("transfer", settings=settings, data={**DATA, "validation": 2}, network="MobileNetV2")
    about = {model.variant: model for model in read_models(context.folder).models}["frozen"]
    assert (about.preprocessing, about.input_size) == ("tf", (224, 224))
    model = keras.saving.load_model(context.folder / about.file, compile=False)
    pixels = outcome.read_arrays(context.folder, outcome.VALIDATION)["pixels"]
    assert pixels.shape[1:] == (224, 224, 3)
    logits = keras.ops.convert_to_numpy(model(prepare(pixels, entry), training=False))
    said = outcome.read_arrays(context.folder, outcome.predictions_file("frozen"))["probabilities"]
    np.testing.assert_array_equal(logits.argmax(axis=1), said.argmax(axis=1))


@pytest.mark.slow
def test_digits_can_be_transferred_to_as_well(trained: Callable[..., RunContext]) -> None:
    settings = {**TINY, "repeats": 1, "strategies": ("pixels", "logistic")}
    context = trained("transfer", settings=settings, data={"source": "digits"})
    confusions = [item for item in outcome.read_outcome(context.folder) if item.kind == "confusion"]
    assert all(len(item.classes) == 10 for item in confusions)


@pytest.mark.lessons
def test_the_sentence_holds_on_an_unseen_seed(trained: Callable[..., RunContext]) -> None:
    about = lesson("transfer")
    context = trained("transfer", seed=105, data={"source": "drawn", **about.presets[0].data})
    verdict = outcome.read_outcome(context.folder)[0]
    assert verdict.holds, verdict.because
