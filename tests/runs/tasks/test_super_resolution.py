"""What a run of the lesson on super-resolution leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from explorer.runs.applied import read_applicable
from explorer.runs.context import RunContext
from explorer.runs.data.loading import load
from explorer.runs.folder import STOP
from explorer.runs.layers import Bicubic
from explorer.runs.lessons.super_resolution import LESSON
from explorer.runs.metrics import read_metrics
from explorer.runs.outcome import picture_file, read_moments, read_outcome
from explorer.runs.tasks.super_resolution import busiest_crop, enlarged, network_of, train

DATA = {"source": "drawn_clean", "side": 48, "pictures": 20, "validation": 10}
SETTINGS = {"epochs": 2, "patches": 160, "blocks": 1, "filters": 8}

Trained = Callable[..., RunContext]


@pytest.mark.slow
def test_a_run_tells_scikit_images_decibels_of_the_saved_model(trained: Trained) -> None:
    folder = trained("super_resolution", settings=SETTINGS, data=DATA).folder
    rows = [row for row in read_metrics(folder / "metrics.jsonl").rows if "val_psnr" in row]
    assert [(row["variant"], row["epoch"]) for row in rows] == [
        ("residual", 1),
        ("residual", 2),
        ("residual_relu", 1),
        ("residual_relu", 2),
    ]
    moments, _ = read_moments(folder)
    assert len(moments) == 4
    assert all(picture_file(folder, shown) for moment in moments for shown in moment.item.pictures)
    shown = read_outcome(folder)
    assert shown[0].kind == "verdict" and shown[0].holds is not None
    assert [model.scale for model in read_applicable(folder)] == [4, 4]
    truth = load(DATA, seed=0, kind="pictures").validation.pixels
    small = np.stack([np.asarray(Image.fromarray(each).resize((12, 12), Image.Resampling.BICUBIC)) for each in truth])
    bicubic = [np.asarray(Image.fromarray(each).resize((48, 48), Image.Resampling.BICUBIC)) for each in small]
    model = keras.saving.load_model(folder / "model-residual.keras", safe_mode=True)
    values = np.asarray(keras.ops.convert_to_numpy(model(small.astype(np.float32) / 255)))
    ours = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    table = next(item for item in shown if item.kind == "table")
    for row, pictures in ((table.rows[0], bicubic), (table.rows[1], ours)):
        wanted = np.mean([peak_signal_noise_ratio(a, b) for a, b in zip(truth, pictures, strict=True)])
        assert row[1] == pytest.approx(wanted, abs=0.01)
    assert rows[1]["val_psnr"] == pytest.approx(table.rows[1][1], abs=0.05)


@pytest.mark.parametrize("name", ["residual", "residual_tanh", "residual_relu", "residual_sigmoid", "direct"])
@pytest.mark.parametrize("upsampling", ["shuffle", "transposed", "resize"])
def test_any_picture_becomes_so_many_times_as_large(name: str, upsampling: str) -> None:
    settings = LESSON.settings({**SETTINGS, "upsampling": upsampling, "scale": 2})
    model = network_of(name, 1, settings)
    assert tuple(model(np.zeros((1, 6, 10, 1), np.float32)).shape) == (1, 12, 20, 1)


def test_a_residual_through_relu_cannot_darken_and_one_through_a_sigmoid_begins_too_bright() -> None:
    small = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)
    bicubic = np.asarray(keras.ops.convert_to_numpy(Bicubic(4)(small)))
    for name in ("residual_relu", "residual_sigmoid"):
        answer = np.asarray(keras.ops.convert_to_numpy(network_of(name, 3, LESSON.settings(SETTINGS))(small)))
        assert (answer >= bicubic - 1e-6).all()


@pytest.mark.slow
def test_a_stop_keeps_what_was_learnt(context_of: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of("super_resolution", settings={**SETTINGS, "epochs": 50}, data=DATA)
    report = context.report

    def report_and_stop(*args: object, **numbers: object) -> None:
        report(*args, **numbers)
        (context.folder / STOP).touch()

    monkeypatch.setattr(context, "report", report_and_stop)
    train(context)
    context.close()
    verdict = read_outcome(context.folder)[0]
    assert verdict.holds is None and "stopped" in verdict.because
    assert [model.variant for model in read_applicable(context.folder)] == ["residual"]


@pytest.mark.slow
def test_a_stop_while_the_pictures_are_judged_keeps_the_network_too(
    context_of: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of("super_resolution", settings={**SETTINGS, "epochs": 1, "networks": ["residual"]}, data=DATA)
    save = context.save_model

    def save_and_stop(*args: object) -> None:
        save(*args)
        (context.folder / STOP).touch()
        context._looked = -1.0

    monkeypatch.setattr(context, "save_model", save_and_stop)
    train(context)
    context.close()
    verdict = read_outcome(context.folder)[0]
    assert verdict.holds is None and "stopped" in verdict.because and "dB" in verdict.because
    assert [model.variant for model in read_applicable(context.folder)] == ["residual"]


def test_answers_do_not_depend_on_how_they_are_batched() -> None:
    model = network_of("residual", 3, LESSON.settings(SETTINGS))
    pixels = np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3)).astype(np.uint8)
    together = enlarged(model, pixels)
    assert together.shape == (11, 32, 32, 3)
    assert np.abs(enlarged(model, pixels[9:]).astype(int) - together[9:]).max() <= 1


def test_the_busiest_crop_is_found() -> None:
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[60:80, 90:120] = np.random.default_rng(0).integers(0, 256, (20, 30, 3))
    top, left, side = busiest_crop(picture, 4)
    assert side == 48 and top % 4 == left % 4 == 0
    assert top <= 60 and top + side >= 80 and left <= 90 and left + side >= 120


@pytest.mark.slow
def test_the_script_trains_the_same_network_to_the_same_numbers(
    trained: Trained, run_script: Callable[[str], str], tmp_path: Path
) -> None:
    context = trained("super_resolution", seed=3, settings={**SETTINGS, "networks": ["residual"]}, data=DATA)
    said = run_script(LESSON.script(context.config))
    ours = keras.saving.load_model(context.folder / "model-residual.keras")
    theirs = keras.saving.load_model(tmp_path / "script" / "residual.keras")
    assert ours.count_params() == theirs.count_params()
    last = [row for row in read_metrics(context.folder / "metrics.jsonl").rows if "val_psnr" in row][-1]
    told = float(said.rsplit("val_psnr: ", 1)[1].split()[0])
    assert told == pytest.approx(last["val_psnr"], abs=0.3)


@pytest.mark.lessons
def test_the_sentence_holds_on_a_seed_that_nothing_was_tuned_on(trained: Trained) -> None:
    preset = LESSON.presets[0]
    data = {"source": "drawn_clean", **preset.data}
    folder = trained("super_resolution", seed=100, settings=dict(preset.settings), data=data).folder
    assert read_outcome(folder)[0].holds is True
