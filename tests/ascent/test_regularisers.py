"""Regularisers say what NumPy says of the same pictures, and their gradients are finite differences."""

import keras
import numpy as np
import pytest

from explorer.ascent import regularisers
from explorer.networks.gradients import value_and_gradient

pytestmark = pytest.mark.backends


def pictures():
    return np.random.default_rng(0).uniform(size=(2, 5, 7, 3)).astype(np.float32)


def value(term, x):
    return keras.ops.convert_to_numpy(term(keras.ops.convert_to_tensor(x)))


def test_they_are_means_over_the_image():
    x = pictures()
    down, across = np.diff(x, axis=1), np.diff(x, axis=2)
    axes = (1, 2, 3)
    expected = (down**2).mean(axes) + (across**2).mean(axes)
    np.testing.assert_allclose(value(regularisers.roughness, x), expected, rtol=1e-5)
    np.testing.assert_allclose(value(regularisers.distance_from_grey, x), ((x - 0.5) ** 2).mean(axes), rtol=1e-5)
    expected = np.abs(down).mean(axes) + np.abs(across).mean(axes)
    np.testing.assert_allclose(value(regularisers.variation, x), expected, rtol=0.02)  # small ones count less


@pytest.mark.parametrize("term", ["roughness", "distance_from_grey", "variation"])
def test_their_gradients_lead_where_they_grow(term):
    function = getattr(regularisers, term)
    x = pictures()
    _, gradient = value_and_gradient(lambda x: keras.ops.sum(function(x)), x)
    direction = np.random.default_rng(1).normal(size=x.shape).astype(np.float32)
    direction /= np.linalg.norm(direction)

    def root(x):  # what the variation's gradient is the gradient of
        soft = regularisers.SOFT**2
        down, across = np.diff(x.astype(float), axis=1), np.diff(x.astype(float), axis=2)
        return sum(np.sqrt(d**2 + soft).mean(axis=(1, 2, 3)).sum() for d in (down, across))

    def at(x):
        return root(x) if term == "variation" else float(value(function, x).sum())

    step = 5e-3
    slope = (at(x + step * direction) - at(x - step * direction)) / (2 * step)
    assert np.vdot(gradient, direction) == pytest.approx(slope, rel=0.03, abs=2e-4)


def test_likeness_is_one_for_copies_and_less_for_others():
    random = np.random.default_rng(0)
    maps = random.normal(size=(1, 4, 4, 3)).astype(np.float32)
    same = value(lambda maps: regularisers.likeness(maps, 2), np.concatenate([maps, maps]))
    np.testing.assert_allclose(same, [1.0], atol=1e-5)
    ones, others = np.zeros((2, 1, 4, 4, 3), np.float32)
    ones[..., 0], others[..., 1] = 1.0, 1.0
    apart = value(lambda maps: regularisers.likeness(maps, 2), np.concatenate([ones, others]))
    np.testing.assert_allclose(apart, [0.0], atol=1e-5)


def test_weights_rise_at_first():
    assert regularisers.ramp(0) == pytest.approx(1 / regularisers.RAMP_STEPS)
    assert regularisers.ramp(31) == regularisers.ramp(1000) == 1.0
