"""Training: a killed run that is started again ends where an uninterrupted one ends."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer.networks.drawn.recipe import PLAIN, ROBUST, Recipe
from explorer.networks.drawn.stem import SmoothKernels, blurred, roughness
from explorer.networks.drawn.training import CHECKPOINT, OtherRecipeError, Trained, full_precision_copy, train

# With attacked pictures: whoever resumes must find the radius of the step as well.
TINY = replace(PLAIN, pictures=24, epochs=2, batch=8, seed=7, radius=0.5, ramp=0.5)
SIDE = 32


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    # Stripes, level or upright: what flips, shifts and new colours leave as it is.
    labels = np.arange(24) % 2
    pixels = generator.integers(0, 60, (24, SIDE, SIDE, 3))
    pixels[labels == 0, ::4] += 180
    pixels[labels == 1, :, ::4] += 180
    return pixels.astype(np.uint8), labels


class _Killed(Exception):
    pass


def _quietly(recipe: Recipe, pictures: tuple[np.ndarray, np.ndarray], folder: Path, **options: object) -> Trained:
    return train(recipe, *pictures, folder, report=lambda line: None, report_every=1, **options)


@pytest.fixture(scope="module")
def whole(pictures: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    """A run without interruption, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return _quietly(TINY, pictures, folder, validation=pictures), folder


def _train_with_a_kill(
    recipe: Recipe, pictures: tuple[np.ndarray, np.ndarray], folder: Path, at: int
) -> list[np.ndarray]:
    def die(line: str) -> None:
        if f"step {at} " in line:
            raise _Killed

    with pytest.raises(_Killed):
        train(recipe, *pictures, folder, report=die, report_every=1, checkpoint_seconds=0)
    return _quietly(recipe, pictures, folder).model.get_weights()


@pytest.mark.slow
def test_a_killed_and_resumed_run_equals_an_uninterrupted_one(
    pictures: tuple[np.ndarray, np.ndarray], whole: tuple[Trained, Path], tmp_path: Path
) -> None:
    resumed = _train_with_a_kill(TINY, pictures, tmp_path, at=5)
    for mine, theirs in zip(whole[0].model.get_weights(), resumed, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    assert [row["step"] for row in whole[0].history] == list(range(1, 7))


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again_and_keeps_its_history(
    pictures: tuple[np.ndarray, np.ndarray], whole: tuple[Trained, Path]
) -> None:
    first, folder = whole
    again = _quietly(TINY, pictures, folder, validation=pictures)
    assert again.history == first.history
    assert "validation_accuracy" in first.history[-1]
    assert again.seconds == first.seconds


def test_a_folder_with_another_recipe_is_left_alone(
    pictures: tuple[np.ndarray, np.ndarray], whole: tuple[Trained, Path]
) -> None:
    before = (whole[1] / CHECKPOINT).read_bytes()
    with pytest.raises(OtherRecipeError, match="another --folder"):
        _quietly(replace(TINY, seed=8), pictures, whole[1])
    assert (whole[1] / CHECKPOINT).read_bytes() == before


@pytest.mark.slow
def test_training_lowers_the_loss(pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=20, radius=0.0)
    history = train(recipe, *pictures, tmp_path, report=lambda line: None).history
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]


def test_a_full_precision_copy_answers_like_the_model(
    pictures: tuple[np.ndarray, np.ndarray], whole: tuple[Trained, Path]
) -> None:
    model = whole[0].model
    inputs = pictures[0].astype(np.float32) / 255
    copy = full_precision_copy(model)
    np.testing.assert_allclose(copy.predict_on_batch(inputs), model.predict_on_batch(inputs), atol=1e-4)


@pytest.mark.slow
def test_the_command_goes_on_after_a_kill(tmp_path: Path) -> None:
    # The command as it is, but with few pictures to validate on: drawing a thousand takes longer than all else.
    program = "from explorer.networks.drawn import train; train.VALIDATION_PICTURES = 16; train.main()"
    options = "plain --pictures 64 --batch 32 --epochs 4000 --no-card --checkpoint-seconds 1 --processes 1"
    command = [sys.executable, "-c", program, *options.split()]
    command += ["--folder", str(tmp_path / "run"), "--output", str(tmp_path)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        checkpoint, deadline = tmp_path / "run" / CHECKPOINT, time.monotonic() + 150
        while not checkpoint.exists() and first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert checkpoint.exists()
    finally:
        first.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        first.communicate()
    with np.load(checkpoint, allow_pickle=False) as stored:
        assert int(stored["optimizer/0"]) > 0
    second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert second.stdout is not None
        assert any("going on from step" in line for line in second.stdout)
    finally:
        second.kill()
        second.communicate()


def test_the_radius_grows_to_its_full_size_and_the_blurs_come_early() -> None:
    recipe = replace(ROBUST, pictures=640, batch=64, epochs=10, ramp=0.4, radius=1.0)
    assert recipe.steps == 100
    assert [recipe.radius_at(step) for step in (0, 20, 40, 99)] == [0.0, 0.5, 1.0, 1.0]
    assert replace(PLAIN, pictures=640, epochs=10, blurs=3, blur_until=0.3).blur_steps() == (0, 15, 30)
    assert ROBUST.blur_steps() == ()


def test_roughness_is_four_for_noise_little_for_blobs_and_blind_to_size() -> None:
    noise = np.random.default_rng(0).normal(size=(101, 101, 3, 8)).astype(np.float32)
    assert float(roughness(noise)) == pytest.approx(4, rel=0.03)
    assert float(roughness(5 * noise)) == pytest.approx(float(roughness(noise)), rel=1e-4)
    smooth = blurred(noise, 2.0)
    assert float(roughness(smooth)) < 0.4
    np.testing.assert_allclose((smooth**2).sum((0, 1, 2)), (noise**2).sum((0, 1, 2)), rtol=1e-4)


def test_the_penalty_is_the_mean_over_the_filters() -> None:
    kernel = np.random.default_rng(1).normal(size=(7, 7, 3, 4)).astype(np.float32)
    each = [float(roughness(kernel[..., i : i + 1])) for i in range(4)]
    assert float(SmoothKernels(0.02)(kernel)) == pytest.approx(0.02 * np.mean(each), rel=1e-4)
    assert SmoothKernels.from_config(SmoothKernels(0.02).get_config()).strength == 0.02
