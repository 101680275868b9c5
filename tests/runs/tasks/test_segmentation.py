"""What a run of the lesson on segmentation leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from explorer.runs.applied import read_applicable
from explorer.runs.context import RunContext
from explorer.runs.data.loading import load
from explorer.runs.folder import STOP
from explorer.runs.lessons import lesson
from explorer.runs.metrics import read_metrics
from explorer.runs.outcome import picture_file, read_moments, read_outcome
from explorer.runs.tasks.segmentation import answers_of, network_of, on_pixels, probe_scenes, train

DATA = {"source": "drawn_scenes", "side": 32, "pictures": 24, "validation": 10}
SETTINGS = {"epochs": 2, "batch_size": 8}

Trained = Callable[..., RunContext]


@pytest.fixture(scope="module")
def settings() -> dict:
    return lesson("segmentation").settings({})


@pytest.mark.slow
def test_a_run_trains_both_networks_and_shows_what_they_say(trained: Trained) -> None:
    folder = trained("segmentation", settings=SETTINGS, data=DATA).folder
    rows = read_metrics(folder / "metrics.jsonl").rows
    for variant in ("pretrained", "strided"):
        ends = [row for row in rows if row.get("variant") == variant and "val_mean_iou" in row]
        assert [row["epoch"] for row in ends] == [1, 2]
        assert all(0 <= row["val_mean_iou"] <= 1 and "learning_rate" in row for row in ends)
    moments, _ = read_moments(folder)
    assert [(moment.variant, moment.epoch) for moment in moments] == [
        ("pretrained", 1),
        ("pretrained", 2),
        ("strided", 1),
        ("strided", 2),
    ]
    assert all(picture_file(folder, shown) for moment in moments for shown in moment.item.pictures)
    shown = read_outcome(folder)
    assert shown[0].kind == "verdict" and shown[0].holds is not None
    assert {"numbers", "lines", "table", "confusion", "pictures"} <= {item.kind for item in shown}
    assert [model.variant for model in read_applicable(folder)] == ["pretrained", "strided"]


@pytest.mark.slow
def test_the_iou_that_is_told_is_that_of_the_saved_model(trained: Trained) -> None:
    from sklearn.metrics import jaccard_score

    context = trained("segmentation", settings={**SETTINGS, "networks": ["strided"]}, data=DATA)
    validation = load(DATA, seed=0, kind="masks").validation
    model = keras.saving.load_model(context.folder / "model-strided.keras", safe_mode=True)
    answers = np.asarray(keras.ops.convert_to_numpy(model(validation.inputs()))).argmax(axis=-1)
    wanted = jaccard_score(validation.masks.ravel(), answers.ravel(), average=None)
    table = next(item for item in read_outcome(context.folder) if item.kind == "table")
    assert [row[1] for row in table.rows[:2]] == pytest.approx(list(wanted), abs=1e-3)
    last = [row for row in read_metrics(context.folder / "metrics.jsonl").rows if "val_mean_iou" in row][-1]
    assert last["val_mean_iou"] == pytest.approx(np.mean(wanted), abs=1e-3)


@pytest.mark.slow
def test_a_stop_keeps_what_was_learnt(context_of: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of("segmentation", settings={**SETTINGS, "epochs": 50}, data=DATA)
    report = context.report

    def report_and_stop(*args: object, **numbers: object) -> None:
        report(*args, **numbers)
        (context.folder / STOP).touch()

    monkeypatch.setattr(context, "report", report_and_stop)
    train(context)
    context.close()
    verdict = read_outcome(context.folder)[0]
    assert verdict.holds is None and "stopped" in verdict.because
    assert [model.variant for model in read_applicable(context.folder)] == ["pretrained"]


def test_a_run_that_is_stopped_before_it_learns_says_so(context_of: Trained) -> None:
    context = context_of("segmentation", settings=SETTINGS, data=DATA)
    (context.folder / STOP).touch()
    train(context)
    context.close()
    assert all(item.kind == "verdict" and item.holds is None for item in read_outcome(context.folder))


def test_the_pretrained_encoder_is_the_bundled_one_and_only_its_decoder_learns(settings: dict) -> None:
    model = network_of("pretrained", 2, settings)
    learning = {weight.path for weight in model.trainable_variables}
    assert not any(name in path for path in learning for name in ("stem", "reduce", "shapes", "parts", "objects"))
    without_logits = 431_412 - (128 * 12 + 12)
    decoder = sum(int(np.prod(weight.shape)) for layer in model.layers for weight in layer.weights)
    decoder -= sum(
        int(np.prod(weight.shape))
        for layer in model.layers
        if layer.name.split("_")[0] in ("stem", "reduce", "shapes", "parts", "objects")
        for weight in layer.weights
    )
    assert model.count_params() - decoder == without_logits


def test_answers_do_not_depend_on_how_they_are_batched(settings: dict) -> None:
    whole = on_pixels(network_of("strided", 3, settings))
    whole.compile()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3)).astype(np.uint8)
    together = answers_of(whole, pixels)
    assert together.shape == (40, 16, 16)
    np.testing.assert_array_equal(answers_of(whole, pixels[35:]), together[35:])


def test_probe_scenes_show_many_classes() -> None:
    truth = np.zeros((60, 4, 4), np.uint8)
    truth[7, 0, :] = [0, 1, 2, 3]
    truth[7, 1, :] = 1
    for seed in range(20):
        probe = probe_scenes(truth, seed)
        assert len(set(probe)) == 6
        assert 7 not in probe[1:], "it comes first if it is among those that are looked at"


@pytest.mark.slow
@pytest.mark.parametrize("network", ["pretrained", "strided"])
def test_the_script_trains_the_same_network_to_the_same_numbers(
    trained: Trained, run_script: Callable[[str], str], tmp_path: Path, network: str
) -> None:
    settings = {**SETTINGS, "networks": [network], "losses": ["both"]}
    context = trained("segmentation", seed=3, settings=settings, data=DATA)
    printed = run_script(lesson("segmentation").script(context.config))
    ours = keras.saving.load_model(context.folder / f"model-{network}.keras")
    theirs = keras.saving.load_model(tmp_path / "script" / f"{network}.keras")
    assert ours.count_params() == theirs.count_params()
    last = [row for row in read_metrics(context.folder / "metrics.jsonl").rows if "val_mean_iou" in row][-1]
    told = float(printed.rsplit("val_mean_iou: ", 1)[1].split()[0])
    assert told == pytest.approx(last["val_mean_iou"], abs=0.05)


@pytest.mark.lessons
def test_the_sentence_holds_on_a_seed_that_nothing_was_tuned_on(trained: Trained) -> None:
    preset = lesson("segmentation").presets[0]
    data = {"source": "drawn_scenes", **preset.data}
    folder = trained("segmentation", seed=100, settings=dict(preset.settings), data=data).folder
    assert read_outcome(folder)[0].holds is True
