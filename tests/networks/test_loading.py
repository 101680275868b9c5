"""Networks are loaded once, alike everywhere, within bounds, and what cannot be loaded is told in one sentence."""

import gc
import random
import sys
import threading
import time
from dataclasses import replace

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from explorer.networks import catalogue, loading
from explorer.networks.loading import WeightsBroken, WeightsMissing, load
from explorer.networks.predictions import ends_in_softmax
from explorer.networks.work_context import SentenceError
from explorer.settings import Settings, get_settings

BUILDS: list[str] = []


def small(name):
    """A network of about 4 MB, which notes that it was built."""
    BUILDS.append(name)
    time.sleep(0.05)
    inputs = keras.Input((8, 8, 3))
    x = layers.Flatten()(layers.Conv2D(4, 3, padding="same")(inputs))
    return keras.Model(inputs, layers.Dense(5)(layers.Dense(4000)(x)), name=name)


def broken(name):
    raise RuntimeError("no such thing")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(catalogue, "_entries", dict(catalogue._entries))
    for name in ("small_a", "small_b", "small_c"):
        entry = replace(catalogue.entry("drawn_plain"), name=name, title=name, weights=None, input_size=(8, 8))
        catalogue.register(entry, f"{__name__}:small")
    monkeypatch.setattr(
        loading,
        "_builder",
        lambda path: broken if path.endswith("broken") else small if path.endswith("small") else original(path),
    )
    BUILDS.clear()
    loading.release_all()
    yield
    loading.release_all()


original = loading._builder


def use(monkeypatch, **fields):
    settings = Settings(**fields)
    for module in (loading, catalogue):
        monkeypatch.setattr(module, "get_settings", lambda: settings)
    return settings


def save_as_keras_once_did(model, path):
    """Write the form of Keras' own ImageNet files: one group per layer, weights in order."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.15.0"
        for layer in model.layers:
            group = file.create_group(layer.name)
            # Keras 2 lists what is trained before what is not.
            weights = layer.trainable_weights + layer.non_trainable_weights
            names = [f"{layer.name}/{weight.name}_{number}:0".encode() for number, weight in enumerate(weights)]
            group.attrs["weight_names"] = names
            for name, weight in zip(names, weights, strict=True):
                group.create_dataset(name.decode(), data=keras.ops.convert_to_numpy(weight.value))


def answer(model, x):
    return keras.ops.convert_to_numpy(model(x))


def test_asked_twice_it_is_built_once():
    assert load("small_a", "random") is load("small_a", "random")
    assert BUILDS == ["small_a"]


def test_threads_that_ask_at_once_build_once():
    found = []
    threads = [threading.Thread(target=lambda: found.append(load("small_a", "random"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert BUILDS == ["small_a"]
    assert len({id(network) for network in found}) == 1


def test_all_who_wait_hear_of_a_failure_and_the_next_one_tries_again(monkeypatch):
    entry = replace(catalogue.entry("small_a"), name="wrong")
    catalogue.register(entry, "x:broken")
    errors = []

    def ask():
        try:
            load("wrong", "random")
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 3
    catalogue.register(entry, "x:small")
    assert load("wrong", "random").entry.name == "wrong"


def test_the_cache_is_bounded_by_bytes_and_lets_go_of_the_longest_unused(monkeypatch):
    one = load("small_a", "random").nbytes
    assert one == sum(4 * np.prod(v.shape) for v in load("small_a", "random").model.variables)
    monkeypatch.setattr(loading, "get_settings", lambda: type("S", (), {"network_cache_megabytes": 2.5 * one / 1e6}))
    load("small_b", "random")
    load("small_a", "random")
    load("small_c", "random")
    gc.collect()
    assert [key[0] for key in loading._kept] == ["small_a", "small_c"]
    assert loading.loaded_bytes() == 2 * one
    load("small_b", "random")
    assert BUILDS == ["small_a", "small_b", "small_c", "small_b"]


def test_a_network_that_computes_is_not_let_go(monkeypatch):
    first = load("small_a", "random")
    monkeypatch.setattr(
        loading, "get_settings", lambda: type("S", (), {"network_cache_megabytes": 1.5 * first.nbytes / 1e6})
    )
    held, go_on = threading.Event(), threading.Event()

    def compute():
        with first.lock:
            held.set()
            go_on.wait(10)

    thread = threading.Thread(target=compute)
    thread.start()
    held.wait(10)
    load("small_b", "random")
    assert {key[0] for key in loading._kept} == {"small_a", "small_b"}
    go_on.set()
    thread.join()
    load("small_c", "random")
    assert [key[0] for key in loading._kept] == ["small_c"]


def test_one_that_was_let_go_while_somebody_holds_it_is_not_built_again():
    held = load("small_a", "random")
    with loading._lock:
        loading._kept.clear()
    assert load("small_a", "random") is held


def test_random_weights_are_the_same_every_time():
    random.seed(5)
    first = [keras.ops.convert_to_numpy(variable.value) for variable in load("small_a", "random").model.variables]
    loading.release_all()
    random.seed(99)
    again = load("small_a", "random").model
    for before, variable in zip(first, again.variables, strict=True):
        np.testing.assert_array_equal(before, keras.ops.convert_to_numpy(variable.value))
    other = load("small_b", "random").model
    assert not np.allclose(first[0], keras.ops.convert_to_numpy(other.variables[0].value))


def test_random_weights_come_from_the_layers_own_initialisers():
    model = load("small_a", "random").model
    kernel = keras.ops.convert_to_numpy(model.layers[-2].kernel)
    limit = np.sqrt(6 / (256 + 4000))  # Glorot, uniform
    assert np.abs(kernel).max() <= limit
    assert np.abs(kernel).max() > 0.99 * limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)
    second = keras.ops.convert_to_numpy(model.layers[-1].kernel)
    assert not np.allclose(second.ravel()[:5] / np.abs(second).max(), kernel.ravel()[:5] / limit)


def test_unnamed_layers_have_the_same_names_whatever_was_built_before():
    names = [layer.name for layer in load("small_a", "random").model.layers]
    assert names == ["input_layer", "conv2d", "flatten", "dense_1", "dense"]
    assert [layer.name for layer in load("small_b", "random").model.layers] == names


def test_other_threads_may_make_layers_meanwhile():
    done = threading.Event()
    kernels = []

    def other():
        while not done.is_set():
            layer = layers.Dense(3)
            layer.build((None, 2))
            kernels.append(keras.ops.convert_to_numpy(layer.kernel))

    thread = threading.Thread(target=other)
    thread.start()
    first = keras.ops.convert_to_numpy(load("small_a", "random").model.layers[-1].kernel)
    done.set()
    thread.join()
    loading.release_all()
    np.testing.assert_array_equal(first, keras.ops.convert_to_numpy(load("small_a", "random").model.layers[-1].kernel))
    assert len(kernels) < 2 or not np.allclose(kernels[0], kernels[1])


def test_missing_weights_are_told_with_size_and_folder(monkeypatch, tmp_path):
    use(monkeypatch, weights_folder=tmp_path)
    with pytest.raises(WeightsMissing) as missing:
        load("MobileNetV2")
    sentence = str(missing.value)
    assert "14 MB" in sentence
    assert str(tmp_path) in sentence
    assert "mobilenet_v2_weights" in sentence
    with pytest.raises(WeightsMissing, match="no trained weights for small_a"):
        load("small_a")


@pytest.mark.parametrize(
    "content", [b"", b"not weights at all", b"\x89HDF\r\n\x1a\n" + b"\0" * 600], ids=["empty", "text", "cut off"]
)
def test_damaged_weights_are_one_sentence(monkeypatch, tmp_path, content):
    use(monkeypatch, weights_folder=tmp_path)
    (tmp_path / catalogue.entry("MobileNet").weights.file_name).write_bytes(content)
    with pytest.raises(WeightsBroken, match="damaged or belongs to another network") as error:
        load("MobileNet")
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_one_sentence(monkeypatch, tmp_path):
    use(monkeypatch, weights_folder=tmp_path)
    save_as_keras_once_did(small("other"), tmp_path / catalogue.entry("MobileNet").weights.file_name)
    with pytest.raises(WeightsBroken, match="MobileNet"):
        load("MobileNet")


def test_weights_in_the_folder_are_loaded_by_keras_own_builder(monkeypatch, tmp_path):
    use(monkeypatch, weights_folder=tmp_path)
    entry = catalogue.entry("MobileNetV2")
    stand_in = keras.applications.MobileNetV2(weights=None, input_shape=(224, 224, 3))
    save_as_keras_once_did(stand_in, tmp_path / entry.weights.file_name)
    loaded = load("MobileNetV2")
    assert loaded.weights == "trained"
    assert loaded.entry is entry
    x = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    expected = answer(stand_in, x)
    logits = answer(loaded.model, x)
    found = np.exp(logits - logits.max())
    np.testing.assert_allclose(found / found.sum(), expected, rtol=1e-3, atol=1e-6)
    for mine, theirs in zip(loaded.model.weights, stand_in.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(mine.value), keras.ops.convert_to_numpy(theirs.value))


def test_a_new_file_is_seen(monkeypatch, tmp_path):
    use(monkeypatch, weights_folder=tmp_path)
    weights = replace(catalogue.entry("MobileNetV2").weights, file_name="mine.weights.h5")
    catalogue.register(replace(catalogue.entry("small_a"), weights=weights), f"{__name__}:small")
    model = small("small_a")
    model.save_weights(tmp_path / "mine.weights.h5")
    first = load("small_a")
    model.layers[-1].bias.assign(np.full(5, 7, np.float32))
    time.sleep(0.02)
    model.save_weights(tmp_path / "mine.weights.h5")
    second = load("small_a")
    assert second is not first
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(second.model.layers[-1].bias.value), [7] * 5)


@pytest.mark.slow
def test_efficientnet_from_the_folder_answers_as_keras_imagenet_model_does(monkeypatch, tmp_path):
    """Keras puts one more layer into EfficientNet for weights="imagenet" than for a path; see the loader."""
    use(monkeypatch, weights_folder=tmp_path)
    path = tmp_path / catalogue.entry("EfficientNetB0").weights.file_name
    stand_in = keras.applications.EfficientNetB0(weights=None)
    norm = next(layer for layer in stand_in.layers if isinstance(layer, layers.Normalization))
    norm.adapt_mean.assign([0.485, 0.456, 0.406])
    norm.adapt_variance.assign([0.229, 0.224, 0.225])
    save_as_keras_once_did(stand_in, path)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *args, **kwargs: str(path))
    theirs = keras.applications.EfficientNetB0(weights="imagenet", classifier_activation=None)
    mine = load("EfficientNetB0").model
    assert len(theirs.layers) == len(mine.layers) + 1
    x = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    prepared = keras.Model(theirs.input, theirs.get_layer("stem_conv_pad").output)
    same = keras.Model(mine.input, mine.get_layer("stem_conv_pad").output)
    np.testing.assert_allclose(answer(same, x), answer(prepared, x), rtol=1e-4, atol=1e-4)


def test_applications_give_logits():
    model = load("MobileNet", "random").model
    assert not ends_in_softmax(model)
    assert model.output_shape == (None, 1000)


@pytest.mark.parametrize("name", ["NASNetMobile", "small_a"])
def test_a_network_that_keras_refuses_to_build_is_one_sentence(monkeypatch, name):
    def refuse(*_, **__):
        raise ValueError("This backend has no such padding.")

    monkeypatch.setattr("keras.applications.NASNetMobile", refuse)
    monkeypatch.setattr(sys.modules[__name__], "small", refuse)
    with pytest.raises(SentenceError, match="Keras cannot build .* backend"):
        load(name, "random")


def test_the_bundled_pair_loads():
    for name in ("drawn_plain", "drawn_robust"):
        loaded = load(name)
        assert loaded.model.count_params() == loaded.entry.parameters
        assert loaded.model.input_shape[1:] == (*loaded.entry.input_size, 3)


def test_only_known_weights_and_networks():
    with pytest.raises(KeyError):
        load("nothing")
    with pytest.raises(ValueError, match="trained"):
        load("small_a", "fine")
    assert get_settings().network_cache_megabytes > 0
