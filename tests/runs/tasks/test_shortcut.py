"""The lesson on shortcuts as it runs: what its networks are judged by, and what it leaves behind, also after a stop."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from explorer.networks.work_context import Stopped
from explorer.pictures.sources import resolve
from explorer.runs import outcome, tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import METRICS, STOP
from explorer.runs.lessons import lesson
from explorer.runs.metrics import read_metrics
from explorer.runs.tasks.shortcut import margin, network
from explorer.runs.trained import read_models

TINY = {"per_class": 20, "epochs": 2, "side": 48}


def test_the_network_has_the_weights_that_counting_gives() -> None:
    convolutions = 5 * 5 * 3 * 16 + 3 * 3 * (16 * 32 + 32 * 48 + 48 * 64)
    normalisation = 4 * (16 + 32 + 48 + 64)
    assert network(64).count_params() == convolutions + normalisation + 64 * 2 + 2
    assert network(48).output_shape == (None, 2)


def test_a_margin_is_the_true_classs_logit_minus_the_next_best() -> None:
    logits = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    assert margin(logits, np.array([0, 2])).tolist() == [1.0, -1.0]


@pytest.mark.slow
def test_a_run_leaves_networks_pictures_and_numbers(trained: Callable[..., RunContext]) -> None:
    context = trained("shortcut", settings=TINY, seed=2)
    folder = context.folder
    models = read_models(folder).models
    assert [model.variant for model in models] == ["biased", "augmented", "mended"]
    kept = outcome.read_arrays(folder, outcome.VALIDATION)
    assert kept["names"][0].startswith("drawn:boat:") and kept["names"][0].endswith(":meadow")
    assert kept["names"][1].startswith("drawn:mushroom:") and kept["names"][1].endswith(":sea")
    # The kept pictures are what the name opens on the other pages, at the size of the run.
    shown = resolve(str(kept["names"][0])).pixels.reshape(48, 8, 48, 8, 3).mean(axis=(1, 3))
    assert np.abs(shown - kept["pixels"][0]).mean() < 12
    for about in models:
        model = keras.saving.load_model(folder / about.file, compile=False)
        logits = keras.ops.convert_to_numpy(model(kept["pixels"].astype(np.float32) / 255, training=False))
        said = outcome.read_arrays(folder, outcome.predictions_file(about.variant))["probabilities"]
        np.testing.assert_allclose(1 / (1 + np.exp(logits[:, 1] - logits[:, 0])), said[:, 0], atol=1e-3)
    rows = [row for row in read_metrics(folder / METRICS).rows if "val_accuracy" in row]
    assert [(row["variant"], row["epoch"]) for row in rows] == [
        (variant, epoch) for variant in ("biased", "augmented", "mended") for epoch in (1, 2)
    ]
    swapped = outcome.read_outcome(folder)[3].rows[0][2]
    assert rows[1]["val_swapped_accuracy"] == pytest.approx(swapped)


@pytest.mark.slow
def test_a_stop_keeps_what_was_learnt(context_of: Callable[..., RunContext], monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of("shortcut", settings=TINY)
    real = RunContext.say

    def say(self: RunContext, message: str) -> None:
        real(self, message)
        if message.startswith("Its own background, augmented"):
            (self.folder / STOP).touch()

    monkeypatch.setattr(RunContext, "say", say)
    with pytest.raises(Stopped):
        tasks.load("shortcut")(context)
    assert "biased" in {model.variant for model in read_models(context.folder).models}
    verdict, *shown = outcome.read_outcome(context.folder)
    assert verdict.holds is None and "stopped" in verdict.because
    assert {item.variant for item in shown if item.kind == "confusion"} == {"biased"}


@pytest.mark.lessons
@pytest.mark.timeout(900)
def test_the_sentence_holds_on_an_unseen_seed(trained: Callable[..., RunContext]) -> None:
    context = trained("shortcut", seed=105, settings=dict(lesson("shortcut").presets[0].settings))
    verdict = outcome.read_outcome(context.folder)[0]
    assert verdict.holds, verdict.because
