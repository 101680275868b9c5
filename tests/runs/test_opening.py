"""Networks that runs have trained are networks like any other: found, loaded once, looked into, told apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from explorer.explanations import work as explaining
from explorer.explanations.results import Target
from explorer.inside import feature_maps, filters
from explorer.networks import catalogue, loading
from explorer.networks.describe import structure_of
from explorer.networks.loading import WeightsBroken, load
from explorer.networks.predictions import ends_in_softmax
from explorer.networks.preprocessing import prepare
from explorer.networks.work_context import NO_CONTEXT, SentenceError
from explorer.runs import trained
from explorer.runs.context import RunContext
from explorer.runs.folder import finish
from explorer.runs.listing import find
from explorer.runs.record import Run
from explorer.runs.trained import file_of, name_of, networks_of
from explorer.settings import Settings

Queue = Callable[..., Run]
CLASSES = ("cat", "fish", "tree")
PICTURE = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)


@pytest.fixture(autouse=True)
def catalogue_of_runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(trained, "get_settings", lambda: Settings(runs_folder=root))
    loading.release_all()
    yield
    loading.release_all()


def small(channels: int = 3, classes: int = 3, seed: int = 1) -> keras.Model:
    drawn = keras.initializers.RandomNormal(seed=seed)
    inputs = keras.Input((16, 16, channels), name="picture")
    x = layers.Conv2D(4, 3, padding="same", kernel_initializer=drawn, name="conv")(inputs)
    x = layers.ReLU(name="conv_relu")(layers.BatchNormalization(name="conv_bn")(x))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="small")


def end(run: Run, model: keras.Model, variant: str = "", state: str = "stopped", **said: object) -> Run:
    """Have a run save and describe a model and end."""
    context = RunContext(run.folder, run.config)
    context.save_model(model, file_of(variant))
    channels = int(model.inputs[0].shape[-1])
    about = {"classes": CLASSES, "input_size": (16, 16), "channels": channels, "parameters": model.count_params()}
    context.describe_model(**{**about, "variant": variant, **said})
    context.close()
    if run.state == "queued":
        finish(run.folder, state)  # type: ignore[arg-type]
    return find(run.folder.parent, run.id)


def numbers(value: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(value)


def test_a_run_that_has_ended_lists_its_networks(root: Path, queue: Queue) -> None:
    run = queue()
    context = RunContext(run.folder, run.config)
    context.save_model(small())
    context.describe_model(classes=CLASSES, input_size=(16, 16))
    context.describe_model(classes=CLASSES, input_size=(16, 16), variant="absent")
    context.close()
    assert networks_of(find(root, run.id)) == ()  # it still waits
    run = end(run, small(), "fine-tuned", title="fine-tuned", parameters=12)
    first, second = networks_of(run)
    assert (first.name, second.name) == (f"run-{run.id}", f"run-{run.id}-fine-tuned")
    assert (first.title, second.title) == ("Count", "Count · fine-tuned")
    assert (second.input_size, second.class_names, second.preprocessing) == ((16, 16), CLASSES, "zero_one")
    assert catalogue.entry(second.name) == second
    assert catalogue.weights_present(second)
    assert second.name not in {each.name for each in catalogue.entries()}


@pytest.mark.parametrize("name", ["run-", "run-x", "run-20260101-000000-abcdef", "run-../../etc", "runaway"])
def test_names_of_no_run_are_no_networks(name: str) -> None:
    with pytest.raises((KeyError, SentenceError), match="no such|no network"):
        catalogue.entry(name)


def test_what_was_trained_is_what_computes(queue: Queue) -> None:
    model = small()
    name = name_of(end(queue(), model).id)
    loaded = load(name)
    batch = prepare(np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3), np.uint8), loaded.entry)
    assert batch.max() <= 1
    np.testing.assert_allclose(numbers(loaded.model(batch)), numbers(model(batch)), atol=1e-6)
    assert load(name) is loaded
    assert not ends_in_softmax(loaded.model)


def test_random_weights_are_drawn_anew_and_alike_everywhere(queue: Queue) -> None:
    inputs = keras.Input((16, 16, 3))
    model = keras.Sequential([inputs, layers.Conv2D(4, 3, name="conv"), layers.Flatten(), layers.Dense(3)])
    name = name_of(end(queue(), model).id)
    drawn = load(name, "random").model.get_layer("conv").get_weights()[0]
    assert np.abs(drawn - model.get_layer("conv").get_weights()[0]).max() > 0.01
    loading.release_all()
    np.testing.assert_array_equal(load(name, "random").model.get_layer("conv").get_weights()[0], drawn)
    np.testing.assert_array_equal(
        load(name).model.get_layer("conv").get_weights()[0], model.get_layer("conv").get_weights()[0]
    )


def test_a_network_for_grey_pictures_takes_colour_ones(queue: Queue) -> None:
    model = small(channels=1)
    loaded = load(name_of(end(queue(), model).id))
    colour = np.random.default_rng(2).random((1, 16, 16, 3), np.float32)
    grey = (colour @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    np.testing.assert_allclose(numbers(loaded.model(colour)), numbers(model(grey)), atol=1e-5)
    assert [layer.name for layer in loaded.model.layers][-2:] == ["pool", "logits"]  # as flat as before


def test_a_file_that_was_replaced_is_noticed(queue: Queue) -> None:
    run = end(queue(), small(seed=1))
    name = name_of(run.id)
    before = load(name)
    end(run, small(seed=2))
    after = load(name)
    assert after is not before
    assert np.abs(numbers(after.model.get_layer("conv").kernel) - numbers(before.model.get_layer("conv").kernel)).max()


def test_pages_work_on_it(queue: Queue) -> None:
    name = name_of(end(queue(), small()).id)
    overview = feature_maps.overview(NO_CONTEXT, network=name, weights="trained", pixels=PICTURE)
    assert {(each.index, each.name) for each in overview.predictions} == set(enumerate(CLASSES))
    maps = feature_maps.layer_maps(NO_CONTEXT, network=name, weights="trained", pixels=PICTURE, layer="conv_relu")
    assert maps.values.shape == (16, 16, 4)
    kernel = filters.filter_of(NO_CONTEXT, name, "trained", layer="conv_relu", channel=1).kernel
    assert kernel is not None
    assert kernel.shape == (3, 3, 3)
    assert "conv_relu" in structure_of(NO_CONTEXT, name, "random").layers
    answer = explaining.explain_work(
        NO_CONTEXT, name, "trained", PICTURE, "pad", Target(index=1), "grad_cam", {}, layer="conv_relu"
    )
    assert answer.explanation.maps.shape[-2:] == (16, 16)


def test_layers_of_this_project_are_found_and_no_other_module_is_imported(queue: Queue) -> None:
    from explorer.architectures.builders.local_response_normalization import LocalResponseNormalization

    inputs = keras.Input((16, 16, 3))
    x = LocalResponseNormalization(name="lrn")(layers.Conv2D(4, 3)(inputs))
    model = keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))
    needs = ["explorer.architectures.builders.local_response_normalization"]
    assert load(name_of(end(queue(), model, needs=needs).id)).model.get_layer("lrn")
    for wrong in ("antigravity", "explorer.runs.layers.os", "explorer.settings", "explorer.networks.grey_"):
        with pytest.raises(WeightsBroken, match="cannot be opened"):
            load(name_of(end(queue(), small(), needs=[wrong]).id))


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other_classes", "other_input"])
def test_a_model_that_cannot_be_opened_is_told_in_one_sentence(queue: Queue, damage: str) -> None:
    if damage in ("other_classes", "other_input"):
        said = {"classes": ("a", "b")} if damage == "other_classes" else {"channels": 1}
        run = end(queue(), small(), **said)  # type: ignore[arg-type]
    else:
        run = end(queue(), small())
        path = run.folder / "model.keras"
        content = {"empty": b"", "cut": path.read_bytes()[:2000], "text": b"no model" * 99}[damage]
        path.write_bytes(content)
    for weights in ("trained", "random"):
        with pytest.raises(WeightsBroken, match="Count cannot be opened"):
            load(name_of(run.id), weights)  # type: ignore[arg-type]


def test_code_in_a_model_is_not_run(queue: Queue, tmp_path: Path) -> None:
    inputs = keras.Input((16, 16, 3))
    x = layers.Lambda(lambda x: x * 2)(inputs)
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    with pytest.raises(WeightsBroken, match="cannot be opened"):
        load(name_of(end(queue(), model).id))


def test_a_deleted_run_s_network_is_gone_with_a_sentence(queue: Queue) -> None:
    run = end(queue(), small())
    name = name_of(run.id)
    load(name)
    os.unlink(run.folder / "model.keras")
    with pytest.raises(SentenceError, match="may have been deleted"):
        load(name)
