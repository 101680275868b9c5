"""Activations are what Keras computes, their slopes are finite differences, and saturation shrinks products."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from explorer.gradient_flow.activations import (
    ACTIVATIONS,
    normal_batch,
    passed,
    softmax,
    softmax_jacobian,
)
from explorer.gradient_flow.initialisers import INITIALISERS, TITLES, dense_batch

Z = np.concatenate([np.linspace(-30, 30, 1201), np.random.default_rng(0).normal(0, 3, 400)])
EVERY = pytest.mark.parametrize("one", ACTIVATIONS.values(), ids=lambda one: one.name)


@EVERY
def test_values_are_those_of_keras(one):
    theirs = keras.ops.convert_to_numpy(keras.activations.get(one.name)(keras.ops.convert_to_tensor(Z, "float64")))
    # TensorFlow keeps the constants of these two, 0.2 and √2, in float32.
    rtol = 1e-6 if one.name in ("leaky_relu", "gelu") else 1e-12
    if theirs.dtype == np.float32:  # JAX has no 64 bits unless it is told so when it starts
        np.testing.assert_allclose(one.value(Z), theirs, rtol=2e-6, atol=2e-6)
    else:
        np.testing.assert_allclose(one.value(Z), theirs, rtol=rtol, atol=1e-14)


@EVERY
def test_slopes_are_finite_differences(one):
    z = Z[np.abs(Z) > 1e-3]  # away from the kinks
    h = 1e-6
    numeric = (one.value(z + h) - one.value(z - h)) / (2 * h)
    np.testing.assert_allclose(one.derivative(z), numeric, atol=2e-8)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="at a kink each library chooses a slope; ours are TensorFlow's"
)
@EVERY
def test_slopes_at_zero_are_those_of_automatic_differentiation(one):
    import tensorflow as tf

    x = tf.Variable([0.0], dtype=tf.float64)
    with tf.GradientTape() as tape:
        y = keras.activations.get(one.name)(x)
    np.testing.assert_allclose(one.derivative(np.zeros(1)), tape.gradient(y, x).numpy(), atol=1e-12)


@EVERY
def test_no_slope_is_larger_than_the_largest(one):
    steepest = np.abs(one.derivative(np.linspace(-40, 40, 800_001))).max()
    assert steepest <= one.steepest * (1 + 1e-12)
    assert steepest == pytest.approx(one.steepest, rel=1e-7)


@EVERY
def test_it_saturates_on_the_sides_that_it_says(one):
    below, above = one.saturated(np.array([-50.0, 50.0]))
    assert (bool(below), bool(above)) == {
        "both sides": (True, True), "below zero": (True, False), "nowhere": (False, False)
    }[one.saturates]  # fmt: skip


def test_far_out_the_sigmoid_still_has_a_slope():
    # e^-100 is what the closed form gives; σ(1 − σ) written out would give 0 on one side.
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"].derivative(np.array([100.0, -100.0])), np.exp(-100), rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_sigmoids_leave_less_than_a_quarter_each_of_a_gradient(seed):
    batch = normal_batch(0.0, 1.0, seed)
    sigmoid, relu = (passed(ACTIVATIONS[name], batch) for name in ("sigmoid", "relu"))
    assert 0 < sigmoid.left_after(10) < sigmoid.at_most(10) == 0.25**10
    assert sigmoid.left_after(10) < 1e-3 * relu.left_after(10)


@pytest.mark.parametrize("seed", range(5))
def test_a_larger_spread_saturates_tanh_and_does_not_touch_relu(seed):
    narrow, wide = normal_batch(0.0, 1.0, seed), normal_batch(0.0, 8.0, seed)
    tanh = [passed(ACTIVATIONS["tanh"], batch) for batch in (narrow, wide)]
    relu = [passed(ACTIVATIONS["relu"], batch) for batch in (narrow, wide)]
    assert tanh[0].saturated < 0.1 < 0.6 < tanh[1].saturated
    assert tanh[1].mean_slope < 0.25 * tanh[0].mean_slope
    assert relu[0].mean_slope == relu[1].mean_slope


def test_the_mean_slope_of_relu_is_the_share_of_units_that_are_on():
    batch = np.array([-2.0, -1.0, 0.0, 3.0])
    result = passed(ACTIVATIONS["relu"], batch)
    assert result.mean_slope == 0.25 and result.saturated == 0.75
    np.testing.assert_array_equal(result.after, [0, 0, 0, 3])


def test_softmax_is_that_of_keras_and_its_jacobian_a_finite_difference():
    random = np.random.default_rng(1)
    for temperature in (0.3, 1.0, 4.0):
        z = random.normal(0, 2, 6)
        theirs = keras.activations.softmax(keras.ops.convert_to_tensor(z[None] / temperature, "float64"))
        np.testing.assert_allclose(softmax(z, temperature), keras.ops.convert_to_numpy(theirs)[0], rtol=1e-12)
        h = 1e-6
        steps = np.eye(6) * h
        numeric = (softmax(z + steps, temperature) - softmax(z - steps, temperature)).T / (2 * h)
        np.testing.assert_allclose(softmax_jacobian(z, temperature), numeric, atol=1e-9)
        np.testing.assert_allclose(softmax_jacobian(z, temperature).sum(axis=1), 0, atol=1e-15)


def test_softmax_takes_logits_of_any_size_and_no_temperature_of_zero():
    np.testing.assert_array_equal(softmax(np.array([1e4, 0.0])), [1, 0])
    with pytest.raises(ValueError, match="above zero"):
        softmax(np.array([1.0, 2.0]), 0.0)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (256 + 64)),
        ("he_normal", 2 / 256),
        ("lecun_normal", 1 / 256),
        ("orthogonal", 1 / 256),
        ("small_normal", 1e-4),
        ("large_normal", 1.0),
        ("zeros", 0.0),
    ],
)
def test_initialisers_have_the_variance_of_their_papers(name, variance):
    weights = INITIALISERS[name](256, 64, np.random.default_rng(3))
    assert weights.shape == (256, 64)
    np.testing.assert_allclose(weights.var(), variance, rtol=0.05)


def test_truncated_normal_weights_end_where_those_of_keras_do():
    ours = INITIALISERS["he_normal"](100, 400, np.random.default_rng(0))
    theirs = keras.ops.convert_to_numpy(keras.initializers.HeNormal(seed=0)((100, 400)))
    # Not the very largest: on PyTorch Keras lets a number in two hundred thousand lie beyond the end.
    ours_end, theirs_end = (np.quantile(np.abs(each), 0.9999) for each in (ours, theirs))
    assert ours_end == pytest.approx(theirs_end, rel=0.01)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)


def test_orthogonal_weights_are_orthogonal():
    weights = INITIALISERS["orthogonal"](64, 32, np.random.default_rng(0))
    np.testing.assert_allclose(weights.T @ weights, np.eye(32), atol=1e-12)
    wide = INITIALISERS["orthogonal"](32, 64, np.random.default_rng(0))
    np.testing.assert_allclose(wide @ wide.T, np.eye(32), atol=1e-12)


def test_a_dense_layer_spreads_its_pre_activations_by_the_root_of_its_inputs():
    assert set(INITIALISERS) == set(TITLES)
    for fan_in in (16, 256):
        batch = dense_batch("large_normal", fan_in, seed=0)
        assert batch.std() == pytest.approx(np.sqrt(fan_in), rel=0.1)
    assert dense_batch("zeros", 64, seed=0).std() == 0
    assert not np.array_equal(dense_batch("he_normal", 8, 0), dense_batch("he_normal", 8, 1))
