"""What every layer answers: held against keras.Model(inputs, layer.output), layer by layer."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest
from keras import layers as L

from explorer.inside import feature_maps, silence
from explorer.inside.feature_maps import as_maps, layer_maps, overview
from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry
from explorer.networks.gradients import as_array
from explorer.networks.loading import load
from explorer.networks.preprocessing import fit, prepare
from explorer.networks.work_context import NO_CONTEXT, SentenceError, Stopped

RANDOM = np.random.default_rng(5)
PICTURE = RANDOM.integers(0, 256, (90, 140, 3), np.uint8)
GREY = np.repeat(RANDOM.integers(0, 256, (50, 40, 1), np.uint8), 3, axis=2)


def many_ranks(name: str) -> keras.Model:
    """Nested, shared, two outputs, a sequence, a volume, integers, and a softmax at the end."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((16, 12, 3), name="picture")
    inner_inputs = keras.Input((16, 12, 3), name="inside")
    inner = keras.Model(
        inner_inputs, L.Conv2D(4, 3, padding="same", activation="relu", name="conv")(inner_inputs), name="inner"
    )
    shared = L.Conv2D(4, 3, padding="same", activation="swish", name="shared")
    x = shared(shared(inner(inputs)))
    sequence = L.Reshape((192, 4), name="sequence")(x)
    attended, _ = L.MultiHeadAttention(2, 2, name="attention")(sequence, sequence, return_attention_scores=True)
    volume = L.Reshape((4, 4, 12, 4), name="volume")(attended)
    flat = L.Flatten(name="flat")(L.AveragePooling3D((1, 1, 2), name="pooled")(volume))
    one = L.Dense(1, name="one")(flat)
    answer = L.Dense(7, activation="softmax", name="answer")(L.Concatenate(name="both")([flat, one]))
    return keras.Model(inputs, answer, name=name)


@pytest.fixture(scope="module", autouse=True)
def _registered():
    entry = NetworkEntry(
        name="many_ranks", title="Many ranks", family="Test", input_size=(16, 12), preprocessing="tf",
        class_names=None, parameters=0, weights=None, note="",
    )  # fmt: skip
    catalogue.register(entry, f"{__name__}:many_ranks")
    yield
    with catalogue._lock:
        del catalogue._entries["many_ranks"]


def keras_value(model: keras.Model, tensor, batch: np.ndarray) -> np.ndarray:
    return as_array(keras.Model(model.inputs, tensor)(batch))[0]


def prepared(name: str, pixels: np.ndarray, how="pad") -> np.ndarray:
    entry = catalogue.entry(name)
    return prepare(fit(pixels, entry, how).pixels, entry)


@pytest.mark.parametrize(("pixels", "how"), [(PICTURE, "pad"), (PICTURE, "crop"), (GREY, "stretch")])
def test_maps_are_exactly_what_the_layer_computes(pixels, how):
    model = load("drawn_plain", "random").model
    batch = prepared("drawn_plain", pixels, how)
    for layer in ("stem_conv", "reduce_bn", "pool", "objects_2_relu", "average", "logits"):
        maps = layer_maps(NO_CONTEXT, "drawn_plain", "random", pixels, layer, fit=how)
        truth = keras_value(model, model.get_layer(layer).output, batch)
        assert maps.values.dtype == np.float32
        np.testing.assert_array_equal(maps.values, truth)
        assert maps.kind == ("maps" if truth.ndim == 3 else "vector")


def test_statistics_are_those_of_each_channel():
    maps = layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "reduce_bn")
    places = maps.values.reshape(-1, maps.values.shape[-1]).astype(np.float64)
    np.testing.assert_array_equal(maps.minimum, places.min(0))
    np.testing.assert_array_equal(maps.maximum, places.max(0))
    np.testing.assert_allclose(maps.mean, places.mean(0), rtol=1e-5)
    assert maps.signed
    np.testing.assert_array_equal(maps.strength, np.abs(places).max(0))
    assert maps.threshold == pytest.approx(0.01 * np.abs(places).max(0).mean())
    assert not layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "reduce_relu").signed


def test_the_input_layer_shows_what_goes_in():
    maps = layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "picture")
    assert maps.kind == "input"
    np.testing.assert_array_equal(maps.values, prepared("drawn_plain", PICTURE)[0])


def test_overview_and_layer_agree():
    seen = overview(NO_CONTEXT, "drawn_plain", "random", PICTURE)
    assert [layer.path for layer in seen.layers] == list(seen.structure.layers)
    assert [layer.path for layer in seen.layers if layer.is_input] == ["picture"]
    for layer in seen.layers:
        maps = layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, layer.path)
        assert (layer.minimum, layer.maximum) == (maps.minimum.min(), maps.maximum.max())
        assert (layer.channels, layer.silent, layer.signed) == (len(maps.silent), maps.silent.sum(), maps.signed)
        assert layer.threshold == maps.threshold
        size = np.abs(maps.values) if maps.signed else maps.values
        assert layer.share_resting == maps.share_resting == pytest.approx((size <= maps.threshold).mean())
        assert layer.share_silent == pytest.approx(maps.silent.mean())
        assert layer.spatial == (maps.kind != "vector")


def test_predictions_are_the_networks():
    seen = overview(NO_CONTEXT, "drawn_plain", "random", PICTURE)
    logits = as_array(load("drawn_plain", "random").model(prepared("drawn_plain", PICTURE)))[0]
    odds = np.exp(logits - logits.max())
    order = np.argsort(-logits)[:5]
    assert [one.index for one in seen.predictions] == order.tolist()
    np.testing.assert_allclose([one.logit for one in seen.predictions], logits[order], rtol=1e-6)
    np.testing.assert_allclose([one.probability for one in seen.predictions], (odds / odds.sum())[order], rtol=1e-5)
    assert seen.predictions[0].name == catalogue.entry("drawn_plain").class_names[order[0]]
    assert seen.device.startswith(("CPU, ", "GPU: "))
    assert seen.fitted.picture_size == (90, 140)
    assert seen.seconds > 0


def test_every_rank_finds_its_shape():
    seen = overview(NO_CONTEXT, "many_ranks", "random", PICTURE)
    shapes = {}
    for layer in seen.layers:
        maps = layer_maps(NO_CONTEXT, "many_ranks", "random", PICTURE, layer.path)
        shapes[layer.path] = maps.values.shape
        assert layer.channels == maps.values.shape[-1]
    assert shapes["picture"] == (16, 12, 3)
    assert shapes["inner/conv"] == shapes["shared"] == shapes["shared#2"] == (16, 12, 4)
    assert shapes["sequence"] == shapes["attention"] == (192, 1, 4)
    assert shapes["volume"] == (16, 12, 4)
    assert shapes["flat"] == (384,)
    assert shapes["one"] == (1,)
    assert [layer.path for layer in seen.layers if not layer.spatial] == ["flat", "one", "both", "answer"]


def test_layers_called_twice_and_nested_ones_are_what_keras_computes():
    model = load("many_ranks", "random").model
    batch = prepared("many_ranks", PICTURE)
    inner = as_array(model.get_layer("inner")(batch))
    shared = model.get_layer("shared")
    first = as_array(shared(inner))
    for path, truth in {"inner/conv": inner, "shared": first, "shared#2": as_array(shared(first))}.items():
        found = layer_maps(NO_CONTEXT, "many_ranks", "random", PICTURE, path).values
        np.testing.assert_allclose(found, truth[0], rtol=1e-5, atol=1e-6)


def test_a_network_with_a_softmax_shows_it_and_still_tells_logits():
    seen = overview(NO_CONTEXT, "many_ranks", "random", PICTURE)
    answer = layer_maps(NO_CONTEXT, "many_ranks", "random", PICTURE, "answer").values
    assert answer.sum() == pytest.approx(1, rel=1e-5)
    for one in seen.predictions:
        assert one.probability == pytest.approx(answer[one.index], rel=1e-4)
    logits = np.array([one.logit for one in seen.predictions])
    ratios = np.array([one.probability for one in seen.predictions])
    np.testing.assert_allclose(logits - logits[0], np.log(ratios / ratios[0]), atol=1e-4)


def test_one_place_is_a_vector_whatever_its_rank():
    assert as_maps(np.ones((1, 1, 6))).shape == (6,)
    assert as_maps(np.ones((6,))).shape == (6,)
    assert as_maps(np.float32(3)).shape == (1,)
    assert as_maps(np.ones((5, 6))).shape == (5, 1, 6)
    assert as_maps(np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5))[4, 2, 1] == 1 * 60 + 1 * 20 + 2 * 5 + 1


def test_results_travel():
    seen = overview(NO_CONTEXT, "drawn_plain", "random", PICTURE)
    again = pickle.loads(pickle.dumps(seen))
    assert again.layers == seen.layers
    assert again.structure == seen.structure
    maps = pickle.loads(pickle.dumps(layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "pool")))
    assert maps.values.shape == (12, 12, 48)


def test_an_unknown_layer_is_a_sentence():
    with pytest.raises(SentenceError, match="drawn_plain has no layer called 'nothing'"):
        layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "nothing")


def test_work_that_is_stopped_leaves_the_network_as_it_was():
    class Stopping:
        def report(self, *args, **kwargs):
            pass

        def stopped(self):
            return True

        calls = 0

        def raise_if_stopped(self):
            self.calls += 1
            if self.calls > 1:
                raise Stopped

    before = layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "pool").values
    with pytest.raises(Stopped):
        overview(Stopping(), "drawn_plain", "random", PICTURE)
    assert not any("call" in vars(layer) for layer in load("drawn_plain", "random").model.layers)
    np.testing.assert_array_equal(layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "pool").values, before)


SMALL = 64


@pytest.fixture(scope="module")
def small_applications():
    """Keras' networks at a small input, under names of their own."""
    names = ["ResNet50", "EfficientNetB0", "ConvNeXtTiny"]
    for name in names:
        entry = NetworkEntry(f"small_{name}", name, "Test", (SMALL, SMALL), "included", None, 0, None, "")
        catalogue.register(entry, f"{__name__}:small_application")
    yield names
    with catalogue._lock:
        for name in names:
            del catalogue._entries[f"small_{name}"]


def small_application(name: str) -> keras.Model:
    build = getattr(keras.applications, name.removeprefix("small_"))
    return build(weights=None, input_shape=(SMALL, SMALL, 3), classifier_activation=None, classes=10)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "EfficientNetB0", "ConvNeXtTiny"])
def test_known_networks_layers_are_what_keras_computes(name, small_applications):
    network = f"small_{name}"
    seen = overview(NO_CONTEXT, network, "random", PICTURE)
    model = load(network, "random").model
    assert len(seen.layers) == len(seen.structure.layers)
    assert len(seen.predictions) == 5
    inner = [layer for layer in model.layers if "/" not in layer.name and layer.name in seen.structure.layers]
    chosen = inner[:: max(1, len(inner) // 6)]
    truths = keras.Model(model.inputs, [layer.output for layer in chosen])(prepared(network, PICTURE))
    for layer, truth in zip(chosen, truths, strict=True):
        maps = layer_maps(NO_CONTEXT, network, "random", PICTURE, layer.name)
        np.testing.assert_allclose(maps.values, as_maps(as_array(truth)[0]), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_layer_of_2048_channels(small_applications):
    maps = layer_maps(NO_CONTEXT, "small_ResNet50", "random", PICTURE, "conv5_block3_out")
    assert maps.values.shape == (2, 2, 2048)
    assert maps.silent.shape == (2048,)
    assert maps.silent.sum() == (maps.strength <= maps.threshold).sum()


def test_the_rule_on_the_page_names_the_number_that_was_used():
    maps = layer_maps(NO_CONTEXT, "drawn_plain", "random", PICTURE, "objects_2_relu")
    assert maps.threshold_rule == silence.rule_sentence(maps.threshold, signed=False)
    assert f"{maps.threshold:.3g}" in maps.threshold_rule


def test_the_device_is_named():
    assert feature_maps.device_label()
