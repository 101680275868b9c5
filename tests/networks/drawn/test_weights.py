"""The weights files: whole or not at all, for the right network only, and no burden to the web process."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from explorer.networks.drawn import weights
from explorer.networks.drawn.model import build


def _small_model(seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4,), name="in")
    return keras.Model(inputs, keras.layers.Dense(3, name="out")(inputs))


def test_what_is_saved_comes_back_as_float16_rounds_it(tmp_path: Path) -> None:
    model, other = _small_model(0), _small_model(1)
    weights.save_weights(model, tmp_path / "small.npz")
    weights.load_weights(other, "drawn_plain", tmp_path / "small.npz")
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        assert theirs.dtype == np.float32
        np.testing.assert_array_equal(theirs, mine.astype(np.float16).astype(np.float32))


def test_weights_of_another_network_are_refused_and_change_nothing(tmp_path: Path) -> None:
    model = _small_model()
    weights.save_weights(model, tmp_path / "small.npz")
    drawn = build()
    before = drawn.get_weights()
    with pytest.raises(ValueError, match="another network"):
        weights.load_weights(drawn, "drawn_plain", tmp_path / "small.npz")
    for now, then in zip(drawn.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_wrong_shape_is_named() -> None:
    model = _small_model()
    arrays = weights.take_weights(model)
    arrays["out/kernel"] = np.zeros((4, 2), np.float32)
    with pytest.raises(ValueError, match=r"out/kernel have shape \(4, 2\)"):
        weights.put_weights(model, arrays)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        weights.load_weights(_small_model(), "drawn_plain", tmp_path / "none.npz")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    weights.write_whole(path, b"old")

    def full(self: Path, data: bytes) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        weights.write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_asking_for_the_path_needs_no_keras() -> None:
    code = (
        "import sys; from explorer.networks.drawn.weights import weights_path; "
        "print(weights_path('drawn_plain').name); "
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "plain.npz"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no drawn network"):
        weights.weights_path("plain")
