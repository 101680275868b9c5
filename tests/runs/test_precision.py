"""Mixed precision: 16 bits while a GPU learns, 32 in the weights and in what is saved."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from explorer.runs import tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import create
from explorer.runs.lessons import lesson, lessons
from explorer.runs.lessons.mixed_precision import MIXED_PRECISION
from explorer.runs.metrics import read_metrics
from explorer.runs.precision import is_wanted, keep_in_full, precision
from explorer.runs.record import new_config
from explorer.runs.trained import read_models

ON_GPU = "GPU: NVIDIA H200"
WANTED = {MIXED_PRECISION: True}
SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "blocks": (
        {"blocks": ["residual", "separable"], "depth": 6, "filters": 4, "epochs": 1},
        {"source": "drawn_digits", "pictures": 100, "validation": 100},
    ),
    "segmentation": (
        {"networks": ("unet",), "epochs": 1},
        {"source": "drawn_scenes", "side": 48, "pictures": 20, "validation": 10},
    ),
    "super_resolution": (
        {"networks": ("residual",), "epochs": 1, "patches": 160, "filters": 8, "blocks": 1},
        {"source": "drawn_clean", "side": 64, "pictures": 20, "validation": 10},
    ),
    "autoencoder": (
        {"sizes": (8,), "epochs": 1},
        {"source": "drawn_digits", "pictures": 100, "validation": 100},
    ),
}


def network() -> keras.Model:
    """A convolution within a model within a model."""
    inside = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()])
    outside = keras.Input((8, 8, 3))
    return keras.Model(outside, keras.layers.Dense(2)(keras.layers.Flatten()(inside(outside))))


@pytest.mark.parametrize(("settings", "device", "is_so"), [
    (WANTED, ON_GPU, True), (WANTED, "CPU, 2 cores", False), ({MIXED_PRECISION: False}, ON_GPU, False),
    ({}, ON_GPU, False),
])  # fmt: skip
def test_only_a_gpu_computes_in_16_bits_and_only_where_it_was_asked_to(settings, device: str, is_so: bool) -> None:
    assert is_wanted(settings, device) is is_so
    before = keras.config.dtype_policy().name
    with precision(settings, device):
        dense = keras.layers.Dense(2)
        dense.build((None, 3))
        assert dense.compute_dtype == ("float16" if is_so else "float32")
        assert dense.variable_dtype == "float32"
    assert keras.config.dtype_policy().name == before


def test_the_policy_comes_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), precision(WANTED, ON_GPU):
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == "float32"


def test_what_is_kept_computes_what_a_network_of_32_bits_with_its_weights_does(tmp_path: Path) -> None:
    with precision(WANTED, ON_GPU):
        mixed = network()
    full = network()
    full.set_weights(mixed.get_weights())
    pictures = np.random.default_rng(0).random((5, 8, 8, 3), np.float32)
    in_16_bits = keras.ops.convert_to_numpy(mixed(pictures))
    assert in_16_bits.dtype == np.float16
    keep_in_full(mixed)
    mixed.save(tmp_path / "model.keras")
    expected = keras.ops.convert_to_numpy(full(pictures))
    assert not np.array_equal(in_16_bits, expected)
    for kept in (mixed, keras.saving.load_model(tmp_path / "model.keras")):
        found = keras.ops.convert_to_numpy(kept(pictures))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_lessons_with_large_convolutions_offer_it_and_turn_it_on_for_a_gpu() -> None:
    offering = {about.name for about in lessons() if any(knob.name == MIXED_PRECISION for knob in about.knobs)}
    assert offering == set(SMALL)
    for name in offering:
        about = lesson(name)
        assert about.knob(MIXED_PRECISION).gpu and not about.knob(MIXED_PRECISION).default
        assert all(preset.settings.get(MIXED_PRECISION, False) is preset.gpu for preset in about.presets)


@pytest.mark.parametrize("name", SMALL)
def test_the_script_says_so_right_behind_its_imports(name: str) -> None:
    about = lesson(name)
    settings, data = SMALL[name]
    texts = [
        about.script(new_config(task=name, owner="anna", settings=about.settings({**settings, **more}), data=data))
        for more in ({}, WANTED)
    ]
    line = 'keras.config.set_dtype_policy("mixed_float16")'
    assert line not in texts[0]
    body = [node for node in ast.parse(texts[1]).body if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert ast.unparse(body[1]) == ast.unparse(ast.parse(line))


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_run_learns_in_16_bits_and_leaves_networks_of_32(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, data = SMALL[name]
    config = new_config(task=name, owner="anna", settings={**settings, **WANTED}, data=data)
    context = RunContext(create(tmp_path / "runs", config).folder, config, ON_GPU)
    learned: list[str] = []
    fit = keras.Model.fit

    def watched(model: keras.Model, *given: Any, **options: Any) -> Any:
        learned.append(model.dtype_policy.name)
        return fit(model, *given, **options)

    monkeypatch.setattr(keras.Model, "fit", watched)
    train: Callable[[RunContext], None] = tasks.load(name)
    with precision(config.settings, context.device):
        train(context)
    context.close()
    assert learned and set(learned) == {"mixed_float16"}
    losses = [row["loss"] for row in read_metrics(context.folder / "metrics.jsonl").rows if "loss" in row]
    assert losses and np.isfinite(losses).all()
    for said in context.folder.glob("*.keras"):
        kept = keras.saving.load_model(said)
        assert {layer.compute_dtype for layer in kept._flatten_layers()} == {"float32"}
    assert read_models(context.folder).models or list(context.folder.glob("*.keras"))
