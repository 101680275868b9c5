"""The layer that an activation map looks at is the last one with places, and never another than the one named."""

import keras
import numpy as np
import pytest
from keras import layers

from explorer.explanations.explain import explain
from explorer.explanations.layer_choices import choices_of
from explorer.explanations.layers import choices, default_layer
from explorer.networks.describe import describe
from explorer.networks.work_context import SentenceError
from tests.explanations.networks_zoo import ZOO, kept

pytestmark = pytest.mark.backends


@pytest.mark.parametrize("name", sorted(ZOO))
def test_the_default_is_the_last_layer_with_places_after_its_activation(name):
    expected = ZOO[name].layer
    found = default_layer(kept(name), ZOO[name].shape)
    assert found.endswith(expected[1:]) if expected.startswith("*") else found == expected


@pytest.mark.parametrize("name", ["residual", "batch_norm", "inception", "transfer", "shared_layer"])
def test_the_structure_alone_tells_the_same_default(name):
    found = choices_of(describe(kept(name), name))
    assert found[-1] == choices(kept(name))[-1]
    assert {choice.path for choice in choices(kept(name))} <= {choice.path for choice in found}


def test_of_the_bundled_network_it_is_the_last_relu():
    from explorer.networks.loading import load

    network = load("drawn_plain")
    assert default_layer(network) == "objects_2_relu"
    assert [choice.path for choice in choices(network)][:3] == ["stem_conv", "stem_bn", "stem_relu"]


def single_cell():
    inputs = keras.Input((4, 4, 3))
    x = layers.Conv2D(4, 2, activation="relu", name="early")(inputs)
    x = layers.Conv2D(5, 3, activation="relu", name="single")(x)
    return keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(x)))


def test_maps_of_one_cell_are_passed_over_and_refused_when_named():
    model, x = single_cell(), np.ones((1, 4, 4, 3), np.float32)
    assert explain(model, x, 0, "grad_cam").layer == "early"
    with pytest.raises(SentenceError, match="single cell"):
        explain(model, x, 0, "grad_cam", layer="single")
    with pytest.raises(SentenceError, match="no maps"):
        explain(model, x, 0, "grad_cam", layer="logits")
    with pytest.raises(SentenceError, match="no layer 'nowhere'"):
        explain(model, x, 0, "grad_cam", layer="nowhere")


def test_a_network_without_any_maps_says_so():
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)))
    with pytest.raises(SentenceError, match="no(ne can|) "):
        explain(model, np.ones((1, 4, 4, 3), np.float32), 0, "grad_cam")


def test_a_network_of_open_size_has_its_layers_for_each_size():
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same", strides=2, activation="relu", name="last")(inputs)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    for height, width in ((8, 6), (12, 16)):
        found = explain(model, np.ones((1, height, width, 3), np.float32), 0, "grad_cam")
        assert found.raw.shape == (1, height // 2, width // 2) and found.maps.shape == (1, height, width)
