"""What a picture takes in memory is counted layer by layer, and a batch is what fits."""

import keras
import numpy as np
import pytest
from keras import layers

from explorer.networks import footprint
from explorer.networks.footprint import batch_for, bytes_per_picture

pytestmark = pytest.mark.backends


def network(size=(8, 8)):
    inputs = keras.Input((*size, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = layers.Dropout(0.5)(layers.ReLU()(x))
    x = layers.Conv2D(6, 3, strides=2, padding="same")(x)
    return keras.Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))


def test_by_hand():
    # Forward: 8·8·4 floats into the ReLU and 8·8·4 out of it, twice. With gradients all outputs stay as well:
    # convolution, ReLU, convolution (4·4·6), average, logits; the Dropout hands on what it is given.
    forward = 2 * 4 * (256 + 256)
    assert bytes_per_picture(network(), gradients=False) == forward
    assert bytes_per_picture(network(), gradients=True) == forward + 4 * (256 + 256 + 96 + 6 + 5)


def test_the_batch_is_what_fits():
    model = network()
    each = bytes_per_picture(model, gradients=True)
    assert batch_for(model, gradients=True, budget=7.5 * each) == 7
    assert batch_for(model, gradients=True, budget=1) == 1
    assert batch_for(model, gradients=False, budget=1e15) == max(footprint.MOST[footprint.device_seen().kind], 1)


def test_an_open_size_must_be_given_and_grows_the_picture():
    model = network((None, None))
    with pytest.raises(ValueError, match="size must be given"):
        bytes_per_picture(model, gradients=True)
    small, large = (bytes_per_picture(model, gradients=True, size=(side, side)) for side in (8, 16))
    assert 3.5 < large / small < 4.1


def test_nothing_of_the_network_changes():
    model = network()
    before = [np.array(values) for values in model.get_weights()]
    bytes_per_picture(model, gradients=True)
    assert all("call" not in layer.__dict__ for layer in model.layers)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_whoever_asks_for_a_batch_of_their_own_gets_it_as_far_as_memory_goes():
    model = network()
    each = bytes_per_picture(model, gradients=True)
    for asked, there, found in ((3, 2.5, 3), (100, 2.5, 10), (300, 1000, 300), (5, 0.1, 1)):
        assert batch_for(model, gradients=True, budget=there * each, asked=asked) == found


def test_the_device_is_looked_for_once(monkeypatch):
    device = footprint.device_seen()
    monkeypatch.setattr("explorer.networks.gradients._DEVICES", {})
    assert footprint.device_seen() is device
