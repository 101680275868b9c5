"""Layers, losses and metrics against closed forms, Pillow and scikit-image."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from explorer.runs.layers import (
    Bicubic,
    CrossEntropyAndDice,
    Dice,
    PixelShuffle,
    StructuralLoss,
    bicubic_weights,
    clipped_psnr,
    psnr,
    ssim,
)

pytestmark = pytest.mark.backends


def as_array(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def pictures(count: int, side: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, side, side, channels)).astype(np.float32)


def test_a_pixel_shuffle_lays_a_pixels_channels_out_as_a_square() -> None:
    maps = np.arange(8, dtype=np.float32).reshape(1, 1, 2, 4)
    assert as_array(PixelShuffle(2)(maps))[0, :, :, 0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]


def test_a_pixel_shuffle_keeps_channels_apart() -> None:
    maps = pictures(2, 3, 12)
    larger = as_array(PixelShuffle(2)(maps))
    assert larger.shape == (2, 6, 6, 3)
    for row in range(2):
        for column in range(2):
            np.testing.assert_array_equal(larger[:, row::2, column::2], maps[..., 3 * (2 * row + column) :][..., :3])


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_weights_sum_to_one_and_mirror_each_other(scale: int) -> None:
    weights = bicubic_weights(scale)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize("scale", [2, 4])
def test_bicubic_is_that_of_pillow_but_for_the_edge(scale: int) -> None:
    grey = pictures(1, 12, 1)
    pillow = Image.fromarray(grey[0, :, :, 0]).resize((12 * scale,) * 2, Image.Resampling.BICUBIC)
    ours = as_array(Bicubic(scale)(grey))[0, :, :, 0]
    inner = slice(2 * scale, -2 * scale)
    np.testing.assert_allclose(ours[inner, inner], np.asarray(pillow)[inner, inner], atol=1e-5)


def test_beyond_its_edge_a_picture_goes_on_as_its_mirror_image() -> None:
    colours = pictures(2, 6)
    wider = np.pad(colours, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="symmetric")
    inner = slice(3 * 2, -3 * 2)
    np.testing.assert_allclose(as_array(Bicubic(2)(colours)), as_array(Bicubic(2)(wider))[:, inner, inner], atol=1e-6)


def test_bicubic_enlarges_each_channel_by_itself() -> None:
    colours = pictures(2, 6)
    together = as_array(Bicubic(2)(colours))
    for channel in range(3):
        alone = as_array(Bicubic(2)(colours[..., channel : channel + 1]))
        np.testing.assert_allclose(together[..., channel : channel + 1], alone, atol=1e-6)


@pytest.mark.parametrize("layer", [PixelShuffle(2), Bicubic(4)])
def test_layers_survive_being_saved(layer: keras.Layer, tmp_path: Path) -> None:
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    given = pictures(1, 6, 4)
    assert again.outputs[0].shape == model.outputs[0].shape
    np.testing.assert_array_equal(as_array(again(given)), as_array(model(given)))


# --- Dice ---


def logits_for(classes: np.ndarray, count: int, sure: float) -> np.ndarray:
    return (sure * np.eye(count)[classes]).astype(np.float32)


def test_a_perfect_answer_costs_nothing_and_a_class_that_is_nowhere_neither() -> None:
    truth = np.random.default_rng(0).integers(0, 2, (2, 8, 8))
    assert float(as_array(Dice()(truth, logits_for(truth, 3, 60.0)))) == pytest.approx(0.0, abs=1e-6)


def test_dice_counts_a_class_of_few_pixels_like_one_of_many() -> None:
    truth = np.zeros((1, 10, 10), np.int64)
    truth[0, :2, :2] = 1
    nothing = logits_for(np.zeros_like(truth), 2, 60.0)
    # 96 of 100 pixels are right. Background: (2·96 + 1) / (100 + 96 + 1); object: (0 + 1) / (0 + 4 + 1).
    wanted = 1 - (193 / 197 + 1 / 5) / 2
    assert float(as_array(Dice()(truth, nothing))) == pytest.approx(wanted, abs=1e-6)


def test_dice_of_chances_is_that_of_keras_but_for_the_pixel_that_is_added() -> None:
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 3, (2, 40, 40))
    logits = generator.normal(size=(2, 40, 40, 3)).astype(np.float32)
    chances = as_array(keras.ops.softmax(logits)).reshape(-1, 3)
    flat = np.eye(3, dtype=np.float32)[truth].reshape(-1, 3)
    wanted = np.mean([float(keras.losses.Dice()(flat[:, k], chances[:, k])) for k in range(3)])
    assert float(as_array(Dice()(truth, logits))) == pytest.approx(wanted, abs=1e-3)


def test_cross_entropy_and_dice_is_their_sum() -> None:
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 3, (2, 5, 5)).astype(np.uint8)
    logits = generator.normal(size=(2, 5, 5, 3)).astype(np.float32)
    entropy = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(truth, logits))
    wanted = entropy + float(as_array(Dice()(truth, logits)))
    assert float(as_array(CrossEntropyAndDice()(truth, logits))) == pytest.approx(wanted, rel=1e-5)


# --- how alike pictures are ---


def test_psnr_is_that_of_scikit_image() -> None:
    truth = pictures(3, 16)
    other = np.clip(truth + np.random.default_rng(1).normal(0, 0.1, truth.shape), 0, 1).astype(np.float32)
    wanted = [peak_signal_noise_ratio(a, b, data_range=1.0) for a, b in zip(truth, other, strict=True)]
    np.testing.assert_allclose(as_array(psnr(truth, other)), wanted, rtol=1e-5)
    np.testing.assert_allclose(as_array(psnr(truth, truth)), 100.0, rtol=1e-6)
    white = np.ones_like(truth)
    np.testing.assert_allclose(as_array(clipped_psnr(white, white + 3)), 100.0, rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_is_that_of_scikit_image_and_of_wangs_paper(channels: int) -> None:
    truth = pictures(2, 24, channels)
    other = np.clip(truth + np.random.default_rng(1).normal(0, 0.2, truth.shape), 0, 1).astype(np.float32)
    wanted = [
        structural_similarity(
            a, b, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in zip(truth, other, strict=True)
    ]
    np.testing.assert_allclose(as_array(ssim(truth, other)), wanted, atol=2e-5)
    np.testing.assert_allclose(as_array(StructuralLoss()(truth, other)), 1 - np.mean(wanted), atol=2e-5)


def test_losses_train_a_network() -> None:
    inputs = keras.Input((12, 12, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs))
    given = pictures(8, 12)
    classes = given.argmax(axis=-1).astype(np.uint8)
    for loss, targets in ((Dice(), classes), (CrossEntropyAndDice(), classes), (StructuralLoss(), given)):
        model.compile(optimizer=keras.optimizers.Adam(0.1), loss=loss)
        losses = model.fit(given, targets, epochs=8, batch_size=4, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
