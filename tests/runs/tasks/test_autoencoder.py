"""What a run of the lesson on autoencoders leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

from explorer.runs.applied import read_applicable
from explorer.runs.context import RunContext
from explorer.runs.data.loading import load
from explorer.runs.folder import STOP
from explorer.runs.lessons.autoencoder import LESSON
from explorer.runs.metrics import read_metrics
from explorer.runs.outcome import read_moments, read_outcome
from explorer.runs.tasks import autoencoder
from explorer.runs.tasks.autoencoder import (
    PLANE_SIDE,
    autoencoder_of,
    grid_of,
    noisy,
    pca_errors,
    probe_pictures,
    train,
    with_noise,
)

DATA = {"source": "drawn_digits", "pictures": 200, "validation": 100, "noise": 0.0}
SETTINGS = {"sizes": [2, 8], "epochs": 2, "network": "dense"}

Trained = Callable[..., RunContext]


def as_array(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.slow
def test_a_run_tells_the_error_of_the_saved_model_and_of_pca(trained: Trained) -> None:
    folder = trained("autoencoder", settings=SETTINGS, data=DATA).folder
    shown = read_outcome(folder)
    assert shown[0].kind == "verdict" and shown[0].holds is not None
    data = load(DATA, seed=0, kind="pictures")
    truth = data.validation.inputs()
    model = keras.saving.load_model(folder / "model-bottleneck-8.keras", safe_mode=True)
    table = next(item for item in shown if item.kind == "table")
    assert [row[0] for row in table.rows] == ["2 numbers", "8 numbers"]
    assert table.rows[1][1] == pytest.approx(np.mean((as_array(model(truth)) - truth) ** 2), abs=1e-5)
    flat, judged = data.training.inputs().reshape(200, -1), truth.reshape(100, -1)
    pca = PCA(8, svd_solver="full").fit(flat)
    wanted = np.mean((pca.inverse_transform(pca.transform(judged)) - judged) ** 2)
    assert table.rows[1][2] == pytest.approx(wanted, rel=0.02)
    assert "PCA is found from all 200 pictures" in table.note
    moments, _ = read_moments(folder)
    assert [(moment.variant, moment.epoch) for moment in moments] == [
        ("bottleneck-2", 1),
        ("bottleneck-2", 2),
        ("bottleneck-8", 1),
        ("bottleneck-8", 2),
    ]
    planes = [item for item in shown if item.kind == "lines" and "plane" in item.title]
    assert len(planes) == 1 and len(planes[0].lines) == 10
    assert [model.variant for model in read_applicable(folder)] == ["bottleneck-2", "bottleneck-8"]


@pytest.mark.slow
def test_with_noise_the_target_stays_clean(trained: Trained) -> None:
    settings = {**SETTINGS, "sizes": [8], "noise": 0.4, "network": "convolutional"}
    folder = trained("autoencoder", settings=settings, data=DATA).folder
    told = [item for item in read_outcome(folder) if item.kind == "verdict"]
    assert len(told) == 2 and told[1].holds is not None
    model = keras.saving.load_model(folder / "model-bottleneck-8.keras", safe_mode=True)
    assert not any(isinstance(layer, keras.layers.GaussianNoise) for layer in model.layers)


@pytest.mark.parametrize("network", ["convolutional", "dense"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (48, 48, 3), (8, 8, 1)])
def test_everything_passes_through_the_bottleneck(network: str, shape: tuple[int, int, int]) -> None:
    model, encoder, decoder = autoencoder_of(network, shape, 5)
    pictures = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    numbers = as_array(encoder(pictures))
    assert numbers.shape == (2, 5)
    out = as_array(model(pictures))
    assert out.shape == pictures.shape and out.min() >= 0 and out.max() <= 1
    np.testing.assert_allclose(as_array(decoder(numbers)), out, atol=1e-5)


def test_a_dense_autoencoder_has_the_weights_that_counting_gives() -> None:
    model, _, _ = autoencoder_of("dense", (28, 28, 1), 2)
    sizes = [784, 256, 64, 2, 64, 256, 784]
    assert model.count_params() == sum(a * b + b for a, b in zip(sizes, sizes[1:], strict=False))


def test_noise_has_the_deviation_that_was_asked_for_and_is_the_same_each_time() -> None:
    grey = np.full((4, 50, 50, 1), 0.5, np.float32)
    assert (noisy(grey, 0.1, 1) - grey).std() == pytest.approx(0.1, rel=0.03)
    np.testing.assert_array_equal(noisy(grey, 0.1, 1), noisy(grey, 0.1, 1))
    assert noisy(grey, 0.0, 1) is grey
    model, _, _ = autoencoder_of("dense", (8, 8, 1), 2)
    small = grey[:, :8, :8]
    learner = with_noise(model, 0.3, 0)
    np.testing.assert_allclose(as_array(learner(small)), as_array(model(small)), atol=1e-6)
    assert np.abs(as_array(learner(small, training=True)) - as_array(model(small))).max() > 1e-4


def test_pca_of_all_components_loses_nothing() -> None:
    pictures = np.random.default_rng(0).random((40, 4, 4, 1)).astype(np.float32)
    errors = pca_errors(pictures, pictures, pictures, (2, 16, 64), 0)
    assert errors[16] == pytest.approx(0, abs=1e-9) and errors[2] > errors[16] and 64 not in errors


def test_it_is_said_that_pca_is_found_from_fewer_pictures(context_of: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "PCA_PICTURES", 50)
    context = context_of("autoencoder", settings=SETTINGS, data=DATA)
    trial = autoencoder._Trial(context, LESSON.settings(SETTINGS), load(DATA, seed=0, kind="pictures"))
    context.close()
    assert trial.notes[0] == "PCA is found from 50 of the 200 pictures that the autoencoders learn from."


def test_probe_pictures_show_every_class_in_order() -> None:
    labels = np.repeat(np.arange(10), 30)
    probe = probe_pictures(300, labels, 0)
    assert labels[probe].tolist() == list(range(10))
    assert len(set(probe_pictures(300, None, 0))) == 10


def test_the_grid_spans_the_middle_of_the_plane_with_its_first_row_on_top() -> None:
    places = np.random.default_rng(0).random((5000, 2))
    grid = grid_of(places).reshape(PLANE_SIDE, PLANE_SIDE, 2)
    np.testing.assert_allclose(grid[0, 0], [0.05, 0.95], atol=0.02)
    np.testing.assert_allclose(grid[-1, -1], [0.95, 0.05], atol=0.02)


@pytest.mark.slow
def test_a_stop_keeps_what_was_learnt(context_of: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of("autoencoder", settings={**SETTINGS, "epochs": 50}, data=DATA)
    report = context.report

    def report_and_stop(*args: object, **numbers: object) -> None:
        report(*args, **numbers)
        (context.folder / STOP).touch()

    monkeypatch.setattr(context, "report", report_and_stop)
    train(context)
    context.close()
    verdict = read_outcome(context.folder)[0]
    assert verdict.holds is None and "stopped" in verdict.because
    assert [model.variant for model in read_applicable(context.folder)] == ["bottleneck-2"]


@pytest.mark.slow
def test_the_script_trains_the_same_networks_to_the_same_numbers(
    trained: Trained, run_script: Callable[[str], str], tmp_path: Path
) -> None:
    context = trained("autoencoder", seed=3, settings={**SETTINGS, "sizes": [8], "noise": 0.2}, data=DATA)
    printed = run_script(LESSON.script(context.config))
    ours = keras.saving.load_model(context.folder / "model-bottleneck-8.keras")
    theirs = keras.saving.load_model(tmp_path / "script" / "autoencoder-8.keras")
    assert ours.count_params() == theirs.count_params()
    last = [row for row in read_metrics(context.folder / "metrics.jsonl").rows if "val_loss" in row][-1]
    told = float(printed.rsplit("val_loss: ", 1)[1].split()[0])
    assert told == pytest.approx(last["val_loss"], rel=0.1)


@pytest.mark.lessons
def test_the_sentence_holds_on_a_seed_that_nothing_was_tuned_on(trained: Trained) -> None:
    preset = LESSON.presets[0]
    data = {"source": "drawn_digits", **preset.data}
    folder = trained("autoencoder", seed=100, settings=dict(preset.settings), data=data).folder
    assert read_outcome(folder)[0].holds is True
