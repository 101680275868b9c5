"""The project's own architectures on the other pages: untrained, in colour, with logits."""

import keras
import numpy as np
import pytest

from explorer.architectures.cards import card, cards
from explorer.architectures.registration import BUILDER, register_networks
from explorer.architectures.tables import table_of
from explorer.architectures.untrained import build
from explorer.explanations.explain import explain
from explorer.explanations.results import Target
from explorer.inside.feature_maps import layer_maps, overview
from explorer.networks import catalogue
from explorer.networks.grey import Grey
from explorer.networks.loading import load
from explorer.networks.preprocessing import prepare
from explorer.networks.work_context import NO_CONTEXT

OWN = [one.name for one in cards() if one.origin == "own"]


@pytest.fixture(autouse=True)
def registered():
    register_networks()


def test_every_own_network_is_registered_once_and_the_others_stay_as_they_are():
    before = catalogue.entries()
    register_networks()
    assert catalogue.entries() == before
    names = [entry.name for entry in before]
    assert len(set(names)) == len(names)
    assert set(OWN) <= set(names)
    for name in OWN:
        entry = catalogue.entry(name)
        assert entry.weights is None
        assert entry.title.endswith("untrained")
        assert entry.input_size == card(name).input_shape[:2]
        assert entry.parameters == table_of(name).parameters
        assert catalogue.builder_path(name) == BUILDER
    assert catalogue.is_application("VGG16")


def picture(side=60):
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


@pytest.mark.parametrize(
    "name", ["lenet5", "lenet5_1998", "cnn2", "squeezenet_1.1", "googlenet_auxiliary", "unet_same", "small_xception"]
)
def test_an_own_network_opens_on_a_colour_picture(name):
    result = overview(NO_CONTEXT, name, "random", picture())
    assert {one.path for one in result.layers} == set(result.structure.layers)
    output = load(name, "random").model.output_shape
    # One number alone, as the small Xception gives, is no choice between classes; nor is a map.
    assert bool(result.predictions) == (len(output) == 2 and output[-1] > 1)
    first = next(path for path, layer in result.structure.layers.items() if "Conv" in layer.kind)
    maps = layer_maps(NO_CONTEXT, name, "random", picture(), first)
    assert maps.values.shape == result.structure.layers[first].output_shape


@pytest.mark.every
@pytest.mark.parametrize("name", OWN)
def test_every_own_network_opens(name):
    result = overview(NO_CONTEXT, name, "random", picture())
    assert {one.path for one in result.layers} == set(result.structure.layers)


def test_digits_networks_are_explained_too():
    loaded = load("cnn2", "random")
    pictures = prepare(picture(28)[None], loaded.entry)
    for method in ("saliency", "grad_cam"):
        found = explain(loaded, pictures, Target("class", 3), method)
        assert found.maps.shape == (1, 28, 28)
        assert np.isfinite(found.maps).all()


def test_colour_becomes_brightness_before_a_grey_network():
    model = build("lenet5")
    assert model.input_shape == (None, 32, 32, 3)
    assert model.count_params() == 61_706
    grey = np.asarray(Grey()(np.array([[[[1.0, 0, 0]], [[0, 1.0, 0]], [[0, 0, 1.0]], [[1, 1, 1.0]]]], np.float32)))
    assert grey[0, :, 0, 0] == pytest.approx([0.299, 0.587, 0.114, 1])


@pytest.mark.parametrize("name", ["cnn2", "squeezenet_1.1"])
def test_the_softmax_is_left_out_and_nothing_else(name):
    from explorer.architectures.counting import built

    plain = built(card(name))
    logits = build(name)
    logits.set_weights(plain.get_weights())
    side, channels = card(name).input_shape[0], card(name).input_shape[2]
    pixels = np.random.default_rng(1).random((2, side, side, 3)).astype(np.float32)
    fed = pixels if channels == 3 else np.asarray(Grey()(pixels))
    found = np.asarray(keras.ops.softmax(logits(pixels)))
    np.testing.assert_allclose(found, np.asarray(plain(fed)), atol=1e-5)


@pytest.mark.parametrize(("name", "activation"), [("small_xception", "sigmoid"), ("unet_same", "softmax")])
def test_a_sigmoid_and_the_softmax_of_every_pixel_are_left_out_too(name, activation):
    from explorer.architectures.counting import built

    with keras.StatelessScope(initialize_variables=False):
        plain, logits = built(card(name)).layers[-1], build(name).layers[-1]
    assert plain.activation.__name__ == activation
    assert logits.activation.__name__ == "linear"
