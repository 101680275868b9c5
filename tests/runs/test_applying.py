"""A run's networks on a visitor's picture: sizes, truths, and files that are no models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from explorer.engine.work import work
from explorer.networks.work_context import NO_CONTEXT, SentenceError
from explorer.runs import applying, picture_networks
from explorer.runs.applied import APPLICABLE, Applicable, read_applicable, write_applicable
from explorer.runs.context import RunContext
from explorer.runs.folder import CONFIG, create
from explorer.runs.record import new_config
from explorer.runs.trained import NETWORK, file_of

WRONG = '{"models": [{"variant": "../x", "what": "segments", "side": [8, 8]}]}'


@pytest.fixture
def context(tmp_path: Path) -> Iterator[RunContext]:
    applying.forget()
    config = new_config(task="segmentation", owner="anna")
    made = RunContext(create(tmp_path / "runs", config).folder, config)
    yield made
    made.close()


def kept(context: RunContext, model: keras.Model, **said: object) -> str:
    model.save(context.folder / file_of("v"))
    write_applicable(context.folder, Applicable(variant="v", file=file_of("v"), **said))
    return str(context.folder)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def brightest_wins() -> keras.Model:
    """A network of pixels that says 1 where a pixel is light and 0 where it is dark."""
    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2D(2, 1)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.stack([np.zeros((1, 1, 3)), np.ones((1, 1, 3))], axis=-1), np.array([0.0, -1.5])])
    return model


@pytest.mark.parametrize(("height", "width"), [(64, 64), (40, 100), (700, 300)])
def test_segments_lie_where_they_are_in_the_picture(context: RunContext, height: int, width: int) -> None:
    said = {"what": "segments", "classes": ("background", "object"), "side": (32, 32), "multiple": 8}
    folder = kept(context, brightest_wins(), **said)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, width // 2 :] = 255
    found = applying.apply(NO_CONTEXT, folder, "v", pixels)
    assert found.answer is not None and found.mask is not None and found.shares is not None
    assert found.answer.shape == found.shown.shape and found.mask.shape == found.shown.shape[:2]
    assert found.shown.shape[0] / found.shown.shape[1] == pytest.approx(height / width, rel=0.02)
    assert found.mask[: found.mask.shape[0] // 3, -found.mask.shape[1] // 3 :].all()
    assert not found.mask[-found.mask.shape[0] // 3 :].any()
    assert found.shares.sum() == pytest.approx(1) and found.shares[1] == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize(("height", "width", "channels"), [(64, 64, 3), (41, 103, 3), (900, 500, 1)])
def test_an_enlarged_picture_is_compared_with_the_truth(
    context: RunContext, height: int, width: int, channels: int
) -> None:
    model = picture_networks.enlarging(4, channels, filters=8, blocks=1)
    folder = kept(context, model, what="enlarges", side=(48, 48), scale=4, multiple=1, channels=channels)
    found = applying.apply(NO_CONTEXT, folder, "v", picture(height, width))
    shapes = {array.shape for array in (found.shown, found.answer, found.truth, found.compared) if array is not None}
    assert len(shapes) == 1
    shape = shapes.pop()
    assert shape[0] % 4 == shape[1] % 4 == 0 and max(shape) <= 384 and shape[2] == 3
    assert found.truth is not None and found.compared is not None
    numbers = dict(found.numbers)
    assert numbers["PSNR of bicubic in dB"] == pytest.approx(
        peak_signal_noise_ratio(found.truth, found.compared), abs=1e-3
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_a_reconstruction_has_the_size_of_what_was_learnt(context: RunContext, channels: int) -> None:
    encoder, decoder = picture_networks.dense_autoencoder((12, 12, channels), 3)
    model = keras.Model(encoder.inputs[0], decoder(encoder.outputs[0]))
    folder = kept(context, model, what="reconstructs", side=(12, 12), channels=channels, noise=0.2)
    pixels = picture(50, 30)
    found = applying.apply(NO_CONTEXT, folder, "v", pixels)
    assert found.answer is not None and found.truth is not None
    assert found.shown.shape == found.answer.shape == found.truth.shape == (12, 12, 3)
    middle = Image.fromarray(pixels[10:40]).convert("L" if channels == 1 else "RGB")
    wanted = np.asarray(middle.resize((12, 12), Image.Resampling.BICUBIC))
    assert np.abs(found.truth.astype(int) - wanted.reshape(12, 12, -1)).max() <= 2
    assert np.abs(found.shown.astype(int) - found.truth).max() > 0, "it was given noise"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_classifier_gives_probabilities(context: RunContext, channels: int) -> None:
    inputs = keras.Input((8, 8, channels))
    logits = keras.layers.Dense(3, kernel_initializer="zeros", bias_initializer="zeros")
    model = keras.Model(inputs, logits(keras.layers.Flatten()(inputs)))
    logits.bias.assign([0.0, 0.0, np.log(2.0)])
    context.save_model(model)
    context.describe_model(classes=["a", "b", "c"], input_size=(8, 8), channels=channels)
    assert [model.what for model in read_applicable(context.folder)] == ["classifies"]
    found = applying.apply(NO_CONTEXT, str(context.folder), "", picture(20, 30))
    assert found.shares == pytest.approx([0.25, 0.25, 0.5]) and found.classes == ("a", "b", "c")
    assert found.shown.shape == (8, 8, 3) and found.answer is None


def test_what_cannot_be_opened_is_said_in_a_sentence(context: RunContext) -> None:
    with pytest.raises(SentenceError, match=r"cannot be opened.*\.$"):
        applying.apply(NO_CONTEXT, str(context.folder), "v", picture(8, 8))
    said = Applicable(variant="v", file=file_of("v"), what="segments", classes=("a", "b"), side=(8, 8), multiple=8)
    write_applicable(context.folder, said)
    assert read_applicable(context.folder) == (), "no file yet"
    (context.folder / file_of("v")).write_bytes(b"no model")
    with pytest.raises(SentenceError, match="cannot be opened"):
        applying.apply(NO_CONTEXT, str(context.folder), "v", picture(8, 8))


@pytest.mark.parametrize("gone", [NETWORK, CONFIG])
def test_a_run_that_is_deleted_meanwhile_is_said_in_a_sentence(
    context: RunContext, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    inputs = keras.Input((8, 8, 3))
    context.save_model(keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs))))
    context.describe_model(classes=["a", "b"], input_size=(8, 8))

    load = applying.trained

    def load_and_delete(path: Path) -> keras.Model:
        model = load(path)
        (context.folder / gone).unlink()
        return model

    monkeypatch.setattr(applying, "trained", load_and_delete)
    with pytest.raises(SentenceError, match="cannot be opened"):
        applying.apply(NO_CONTEXT, str(context.folder), "", picture(8, 8))


def test_code_in_a_models_file_is_not_run(context: RunContext) -> None:
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x[..., :2])(inputs))
    folder = kept(context, model, what="segments", classes=("a", "b"), side=(8, 8), multiple=8)
    with pytest.raises(SentenceError, match="cannot be opened"):
        applying.apply(NO_CONTEXT, folder, "v", picture(8, 8))


def test_models_are_kept_until_their_file_changes(context: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"what": "segments", "classes": ("a", "b"), "side": (8, 8), "multiple": 8}
    folder = kept(context, brightest_wins(), **said)
    opened: list[Path] = []
    open_it = applying.trained
    monkeypatch.setattr(applying, "trained", lambda path: opened.append(path) or open_it(path))
    for _ in range(3):
        applying.apply(NO_CONTEXT, folder, "v", picture(8, 8))
    assert len(opened) == 1
    kept(context, brightest_wins(), **said)
    applying.apply(NO_CONTEXT, folder, "v", picture(8, 8))
    assert len(opened) == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"models": [{"variant": "../x", "what": "segments", "side": [8, 8]}]}']
)
def test_a_damaged_description_describes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / APPLICABLE).write_text(text)
    assert read_applicable(tmp_path) == ()


def test_the_engine_knows_the_work() -> None:
    assert work("runs.apply").lane == "long"
    assert work("runs.apply").path == f"{applying.__name__}:{applying.apply.__name__}"
