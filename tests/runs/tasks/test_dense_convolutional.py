"""Dense and convolutional networks for digits, as the lesson trains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from explorer.runs import digit_networks
from explorer.runs.context import RunContext
from explorer.runs.data.loading import load
from explorer.runs.folder import STOP
from explorer.runs.lessons.dense_convolutional import LESSON, Treatment, plans, variant
from explorer.runs.metrics import read_metrics
from explorer.runs.outcome import predictions_file, read_arrays, read_moments, read_outcome
from explorer.runs.tasks.dense_convolutional import Result, _by_chance, train, verdict
from explorer.runs.trained import read_models

AS_IN_THE_LECTURE = Treatment(standardise=False, batch_norm=True, dropout=0.0, l1=0.0, l2=0.0, augmentation={})
DIGIT = (28, 28, 1)
DATA = {"source": "digits"}
SETTINGS = {"networks": ["cnn2"], "epochs": 2, "optimizer": "adam", "learning_rate": 0.003, "batch_size": 64}

Trained = Callable[..., RunContext]


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


# --- the lecture's counts ---


def test_the_dense_network_has_420_260_parameters_of_which_419_160_learn():
    model = digit_networks.build("dense", DIGIT, 10, AS_IN_THE_LECTURE)
    assert model.count_params() == 392_500 + 2_000 + 25_050 + 200 + 510 == 420_260
    assert trainable(model) == 419_160


def test_one_convolution_and_a_dense_layer_have_251_210_parameters():
    model = digit_networks.build("cnn1", DIGIT, 10, AS_IN_THE_LECTURE)
    assert [layer.count_params() for layer in model.layers if layer.weights] == [320, 250_890]
    assert model.count_params() == 251_210


def test_cnn2_has_36_314_parameters():
    assert digit_networks.build("cnn2", DIGIT, 10, AS_IN_THE_LECTURE).count_params() == 36_314


@pytest.mark.parametrize("network", ["dense", "cnn1", "cnn2"])
def test_every_network_ends_in_logits_and_takes_small_and_coloured_pictures(network):
    for shape, classes in (((8, 8, 1), 10), ((32, 32, 3), 4)):
        model = digit_networks.build(network, shape, classes, replace(AS_IN_THE_LECTURE, dropout=0.5))
        assert model.output_shape == (None, classes)
        assert model.layers[-1].activation is keras.activations.linear


def test_a_penalty_adds_its_multiple_of_all_squares_to_the_loss():
    model = digit_networks.build("cnn2", (8, 8, 1), 10, replace(AS_IN_THE_LECTURE, l1=0.002, l2=0.01))
    kernels = [np.asarray(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
    expected = sum(0.01 * (kernel**2).sum() + 0.002 * np.abs(kernel).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


# --- standardised pixels ---


@pytest.mark.backends
def test_a_standardised_pixel_is_that_of_scikit_learn():
    pictures = np.random.default_rng(0).random((200, 6, 5, 1), np.float32)
    model = digit_networks.build("cnn1", (6, 5, 1), 10, AS_IN_THE_LECTURE, digit_networks.statistics(pictures))
    expected = StandardScaler().fit_transform(pictures.reshape(200, -1)).reshape(pictures.shape)
    found = np.asarray(keras.ops.convert_to_numpy(model.get_layer("standardise")(pictures)))
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.backends
def test_a_pixel_that_never_varies_does_not_explode():
    pictures = np.random.default_rng(0).random((100, 4, 4, 1), np.float32)
    pictures[:, 0, 0] = 0.0
    pictures[:, 0, 1] = 0.0
    pictures[3, 0, 1] = 0.004  # one that hardly ever varies is no better
    model = digit_networks.build("dense", (4, 4, 1), 10, AS_IN_THE_LECTURE, digit_networks.statistics(pictures))
    speck = pictures[:1].copy()
    speck[0, 0, :2] = 1.0
    layer = model.get_layer("standardise")
    assert np.asarray(keras.ops.convert_to_numpy(layer(pictures)))[:, 0, 0] == pytest.approx(0.0, abs=1e-6)
    found = np.asarray(keras.ops.convert_to_numpy(layer(speck)))
    assert np.isfinite(found).all() and np.abs(found).max() <= 1 / digit_networks.LEAST_DEVIATION + 1e-3


def test_a_network_with_standardised_pixels_has_no_more_parameters():
    statistics = digit_networks.statistics(np.random.default_rng(0).random((10, *DIGIT)))
    assert digit_networks.build("cnn2", DIGIT, 10, AS_IN_THE_LECTURE, statistics).count_params() == 36_314


# --- verdicts ---


def result(network: str, treatment: str, training: float, validation: float) -> Result:
    return Result(network, treatment, 10, 10, np.zeros((1, 2)), [training], [validation], [training - validation])


def test_one_convolution_without_batch_norm_does_not_decide_about_batch_norm() -> None:
    settings = LESSON.settings({"compare": "regularisation"})
    narrower = [result(network, name, 1.0, 0.8 if name == "plain" else 0.9) for network, name, _ in plans(settings)]
    assert verdict(settings, narrower, complete=True).holds is True
    alone = LESSON.settings({"compare": "regularisation", "networks": ["cnn1"]})
    told = verdict(alone, [each for each in narrower if each.network == "cnn1"], complete=True)
    assert told.holds is None and "Batch norm was not tried" in told.because


def test_dropout_and_batch_norm_are_judged_together_and_told_apart() -> None:
    settings = LESSON.settings({"compare": "regularisation", "networks": ["cnn2"]})
    shares = {"plain": 0.9, "dropout": 0.95, "batch_norm": 0.85, "both": 0.94}
    told = verdict(settings, [result("cnn2", name, 1.0, share) for name, share in shares.items()], complete=True)
    assert told.holds is True
    assert "By itself batch norm does not narrow it" in told.because and "itself dropout" not in told.because
    shares["both"] = 0.89
    told = verdict(settings, [result("cnn2", name, 1.0, share) for name, share in shares.items()], complete=True)
    assert told.holds is False


@pytest.mark.parametrize(("plain", "both"), [(-0.10, -0.095), (-0.10, -0.05), (0.002, 0.0015)])
def test_where_there_is_no_gap_nothing_narrows_it(plain: float, both: float) -> None:
    settings = LESSON.settings({"compare": "regularisation", "networks": ["cnn2"]})
    gaps = {"plain": plain, "dropout": plain, "batch_norm": plain, "both": both}
    found = [Result("cnn2", name, 10, 10, np.zeros((1, 2)), [1.0], [1.0], [gap]) for name, gap in gaps.items()]
    told = verdict(settings, found, complete=True)
    assert told.holds is None and "hardly a gap to narrow: Four convolutions" in told.because


def test_networks_of_about_the_same_size_do_not_decide_about_ten_times_as_many_weights() -> None:
    settings = LESSON.settings({"compare": "networks", "networks": ["dense", "cnn2"]})

    def of(network: str, parameters: int, share: float) -> Result:
        return Result(network, "plain", parameters, parameters, np.zeros((1, 2)), [share], [share], [0.0])

    few = verdict(settings, [of("dense", 60_260, 0.9), of("cnn2", 7_514, 0.99)], complete=True)
    assert few.holds is None and "not ten times as many" in few.because
    assert verdict(settings, [of("dense", 420_260, 0.9), of("cnn2", 36_314, 0.99)], complete=True).holds is True


@pytest.mark.parametrize(("pictures", "share"), [(100, 0.9), (1000, 0.9), (1000, 0.7)])
def test_what_chance_alone_makes_of_two_accuracies_is_a_binomial_s_spread(pictures: int, share: float) -> None:
    draws = np.random.default_rng(0).binomial(pictures, share, (2, 20_000)) / pictures
    told = _by_chance([result("dense", "plain", 1.0, share)], pictures)
    assert f"{pictures:,} pictures" in told
    assert float(told.split("about ")[1].split()[0]) == pytest.approx(np.std(draws[0] - draws[1]), rel=0.03)


def test_the_verdict_about_pixels_says_that_only_the_dense_net_has_batch_norm() -> None:
    found = [
        result("dense", "raw", 0.9, 0.90), result("dense", "standardised", 0.9, 0.91),
        result("cnn1", "raw", 0.9, 0.80), result("cnn1", "standardised", 0.9, 0.95),
    ]  # fmt: skip
    told = verdict(LESSON.settings({}), found, complete=True)
    assert told.holds is True and "has batch norm" in told.because
    assert "has batch norm" not in verdict(LESSON.settings({"batch_norm": False}), found, complete=True).because


# --- runs ---


@pytest.mark.slow
def test_a_run_trains_every_network_and_tells_what_it_saved(trained: Trained) -> None:
    context = trained("dense_convolutional", settings={**SETTINGS, "networks": ["dense", "cnn1"]}, data=DATA)
    shown = read_outcome(context.folder)
    assert shown[0].kind == "verdict" and shown[0].holds in (True, False)
    assert {"numbers", "lines", "pictures", "table", "confusion"} <= {item.kind for item in shown}
    names = [variant(network, name) for network in ("dense", "cnn1") for name in ("raw", "standardised")]
    assert [model.variant for model in read_models(context.folder).models] == names
    rows = read_metrics(context.folder / "metrics.jsonl").rows
    for name in names:
        assert [row["epoch"] for row in rows if row.get("variant") == name and "val_accuracy" in row] == [1, 2]
    moments, _ = read_moments(context.folder)
    assert [(each.variant, each.epoch) for each in moments] == [(name, epoch) for name in names for epoch in (1, 2)]
    data = load(DATA, seed=0, kind="classes")
    table = next(item for item in shown if item.kind == "table")
    for row, name in zip(table.rows, names, strict=True):
        model = keras.models.load_model(context.folder / f"model-{name}.keras")
        shares = [
            accuracy_score(part.labels[:1000], model.predict(part.inputs()[:1000], verbose=0).argmax(axis=1))
            for part in (data.training, data.validation)
        ]
        assert row[4:7] == pytest.approx((*shares, shares[0] - shares[1]), abs=2e-3)
        chances = read_arrays(context.folder, predictions_file(name))["probabilities"]
        assert accuracy_score(data.validation.labels, chances.argmax(axis=1)) == pytest.approx(row[5])


@pytest.mark.slow
@pytest.mark.parametrize("mixup", [0.0, 0.5])
def test_a_run_with_augmentation_judges_the_pictures_as_they_are(trained: Trained, mixup: float) -> None:
    settings = {**SETTINGS, "compare": "augmentation", "augment_shift": 0.1, "augment_mixup": mixup}
    shown = read_outcome(trained("dense_convolutional", settings=settings, data=DATA).folder)
    table = next(item for item in shown if item.kind == "table")
    assert [row[1] for row in table.rows] == ["plain", "augmented"]
    assert table.rows[0][2] == table.rows[1][2]
    assert shown[0].holds in (True, False)


@pytest.mark.slow
def test_a_stop_keeps_what_was_learnt(context_of: Callable[..., RunContext], monkeypatch) -> None:
    context = context_of("dense_convolutional", settings=SETTINGS, data=DATA)
    save = context.save_model

    def save_and_stop(model, name="model.keras"):
        (context.folder / STOP).touch()
        context._looked = -1.0
        return save(model, name)

    monkeypatch.setattr(context, "save_model", save_and_stop)
    train(context)
    context.close()
    shown = read_outcome(context.folder)
    assert shown[0].holds is None
    assert [model.variant for model in read_models(context.folder).models] == ["cnn2-raw"]
    assert next(item for item in shown if item.kind == "table").rows[0][0].startswith("Four")


@pytest.mark.slow
@pytest.mark.parametrize("compare", ["pixels", "augmentation"])
def test_the_script_trains_the_same_networks(trained: Trained, run_script: Callable[[str], str], compare: str) -> None:
    context = trained("dense_convolutional", settings={**SETTINGS, "compare": compare}, data=DATA)
    printed = run_script(LESSON.script(context.config))
    table = next(item for item in read_outcome(context.folder) if item.kind == "table")
    said = [line for line in printed.splitlines() if "parameters, training" in line]
    for row, line in zip(table.rows, said, strict=True):
        assert f"{row[2]:,} parameters" in line
        assert float(line.split("training ")[1].split(",")[0]) == pytest.approx(row[4], abs=0.03)


@pytest.mark.lessons
@pytest.mark.parametrize("preset", ["pixels", "regularisation", "augmentation", "networks"])
def test_the_sentence_holds_on_a_seed_that_was_not_tuned_on(trained: Trained, preset: str) -> None:
    chosen = LESSON.preset(preset)
    data = {"source": LESSON.data[0], **chosen.data}
    shown = read_outcome(trained("dense_convolutional", seed=100, settings=chosen.settings, data=data).folder)
    assert shown[0].holds, shown[0].because
