"""Probabilities are the softmax of the logits, and logits can be had from models that end in one."""

import keras
import numpy as np
import pytest
from keras import layers

from explorer.networks.predictions import ends_in_softmax, giving_logits, scores, softmax
from tests.networks.model_kinds import SHAPE, made, picture

pytestmark = pytest.mark.backends


def ending(kind):
    """The same network with logits, and with three ways to a softmax."""
    inputs = keras.Input(SHAPE)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(inputs))
    logits = layers.Dense(5, name="logits", activation="softmax" if kind == "dense" else None)
    x = logits(x)
    if kind == "activation":
        x = layers.Activation("softmax")(x)
    if kind == "softmax":
        x = layers.Softmax()(x)
    model = keras.Model(inputs, x)
    random = np.random.default_rng(4)
    for variable in model.weights:
        variable.assign(random.normal(size=variable.shape) * 3)
    return model


@pytest.mark.parametrize("kind", ["dense", "activation", "softmax"])
def test_logits_are_those_before_the_softmax(kind):
    x = picture(3)
    expected = keras.ops.convert_to_numpy(ending("none")(x))
    model = ending(kind)
    before = keras.ops.convert_to_numpy(model(x))
    assert ends_in_softmax(model)
    found = scores(model, x)
    np.testing.assert_allclose(found.logits, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.probabilities, before, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model(x)), before)


def test_a_network_with_logits_is_left_alone():
    model = made("functional")
    assert not ends_in_softmax(model)
    found = scores(model, picture())
    np.testing.assert_allclose(found.logits, keras.ops.convert_to_numpy(model(picture())), rtol=1e-5)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_softmax_comes_back_after_an_error():
    model = ending("softmax")
    with pytest.raises(ZeroDivisionError), giving_logits(model):
        raise ZeroDivisionError
    assert keras.ops.convert_to_numpy(model(picture())).sum(axis=1) == pytest.approx(1)
    model = ending("dense")
    with pytest.raises(ZeroDivisionError), giving_logits(model):
        raise ZeroDivisionError
    assert ends_in_softmax(model)


def test_code_that_gives_probabilities_has_no_logits():
    class Code(keras.Model):
        def __init__(self):
            super().__init__()
            self.flat, self.dense = layers.Flatten(), layers.Dense(3)

        def call(self, x):
            return keras.ops.softmax(self.dense(self.flat(x)))

    found = scores(Code(), picture())
    assert found.logits is None
    assert found.top(2)[0].logit is None
    assert found.probabilities.sum(axis=1) == pytest.approx(1)


def test_the_first_classes_are_the_most_probable():
    found = scores(ending("dense"), picture(2))
    top = found.top(3, number=1)
    order = sorted(range(5), key=lambda index: -found.logits[1][index])[:3]
    assert [ranked.index for ranked in top] == order
    assert top[0].probability == pytest.approx(float(found.probabilities[1].max()))
    assert top[0].logit == pytest.approx(float(found.logits[1].max()))
    assert len(found.top(99)) == 5


def test_huge_logits_do_not_overflow():
    np.testing.assert_allclose(softmax(np.array([1e4, 1e4, -1e4])), [0.5, 0.5, 0])


def test_maps_are_no_predictions():
    model = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="vector of classes"):
        scores(model, picture())
