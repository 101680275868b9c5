"""The NumPy network learns what Keras' would: same loss, same gradient, same training; what breaks says so."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from explorer.gradient_flow.activations import ACTIVATIONS
from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.network_race import DEFAULT_RATES, race_network
from explorer.gradient_flow.regularisers import (
    REGULARISERS,
    Strengths,
    compare,
    mislabelled,
    penalty,
    penalty_gradient,
)
from explorer.gradient_flow.small_network import SmallNetwork
from explorer.networks.work_context import NoContext, SentenceError


def keras_network(network: SmallNetwork, parameters: np.ndarray, **weights) -> keras.Model:
    layers = [
        keras.layers.Input((64,), dtype="float64"),
        keras.layers.Dense(network.hidden, network.activation, dtype="float64", **weights),
        keras.layers.Dense(10, dtype="float64", **weights),
    ]
    model = keras.Sequential(layers)
    model.set_weights(network.parts(parameters))
    return model


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the truth is TensorFlow's tape, in 64 bits")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_gradient_are_those_of_automatic_differentiation(activation):
    network = SmallNetwork(16, activation)
    parameters = network.begin(3) + 0.1 * np.random.default_rng(0).standard_normal(sum(network.sizes))
    data = digits(0)
    pictures, labels = data.pictures[:40].astype(float), data.labels[:40]
    loss, gradient = network.loss_and_gradient(parameters, pictures, labels)
    model = keras_network(network, parameters)
    with tf.GradientTape() as tape:
        theirs = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, model(pictures, training=True)))
    expected = np.concatenate([np.ravel(one) for one in tape.gradient(theirs, model.trainable_variables)])
    # TensorFlow keeps the constants of these two, 0.2 and √2, in float32.
    rounding = 1e-7 if activation in ("leaky_relu", "gelu") else 1e-12
    assert loss == pytest.approx(float(theirs), rel=rounding)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=rounding * np.abs(expected).max())


def test_networks_in_a_stack_have_the_gradients_that_each_has_alone():
    network = SmallNetwork(8)
    data = digits(0)
    pictures, labels = data.pictures[:20].astype(float), data.labels[:20]
    several = np.stack([network.begin(seed) for seed in range(3)])
    kept = np.random.default_rng(0).random((3, 20, 8)) * 2
    alone = [network.loss_and_gradient(own, pictures, labels, mine)[1] for own, mine in zip(several, kept, strict=True)]
    np.testing.assert_allclose(network.gradient(several, pictures, labels, kept), alone, rtol=1e-9, atol=1e-12)


def test_dropped_values_pass_no_gradient():
    network = SmallNetwork(8)
    data = digits(0)
    parameters = network.begin(0)
    kept = np.zeros((20, 8))
    kept[:, :3] = 8 / 3
    _, gradient = network.loss_and_gradient(parameters, data.pictures[:20].astype(float), data.labels[:20], kept)
    first, first_bias, second, _ = network.parts(gradient)
    assert np.all(first[:, 3:] == 0) and np.all(first_bias[3:] == 0) and np.all(second[3:] == 0)
    assert np.any(first[:, :3] != 0)


def test_penalties_are_those_of_keras_and_their_gradients_finite_differences():
    random = np.random.default_rng(1)
    parameters, weights = random.standard_normal(50), np.arange(50) < 40
    theirs = keras.regularizers.L1L2(0.02, 0.03)(keras.ops.convert_to_tensor(parameters[:40], "float64"))
    assert penalty(parameters, weights, 0.02, 0.03) == pytest.approx(float(theirs), rel=1e-6)
    h = 1e-6
    numeric = [
        (penalty(parameters + step, weights, 0.02, 0.03) - penalty(parameters - step, weights, 0.02, 0.03)) / (2 * h)
        for step in np.eye(50) * h
    ]
    np.testing.assert_allclose(penalty_gradient(parameters, weights, 0.02, 0.03), numeric, atol=1e-8)


def test_optimisers_start_alike_and_all_learn():
    found = race_network(epochs=8, seed=1)
    assert set(found.runners) == set(DEFAULT_RATES) and found.finished
    assert len({one.losses[0] for one in found.runners.values()}) == 1
    for one in found.runners.values():
        assert one.accuracies[-1] > 0.85 and one.broken_at is None
        assert len(one.losses) == 8 * found.batches and len(one.accuracies) == 9


def test_another_seed_gives_other_numbers_and_the_same_the_same():
    one, again, other = (race_network(rates={"adam": 0.003}, epochs=1, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.runners["adam"].losses, again.runners["adam"].losses)
    assert not np.array_equal(one.runners["adam"].losses, other.runners["adam"].losses)


def test_a_rate_of_a_million_ends_in_numbers_or_says_at_which_step_they_went():
    found = race_network(rates=dict.fromkeys(DEFAULT_RATES, 1e6), epochs=3)
    for one in found.runners.values():
        gone = one.broken_at is not None
        assert gone == (not np.isfinite(one.losses[-1]) or not np.isfinite(one.test_losses[-1])) or not gone
        assert one.losses[1] > 1e6


class StopAfter(NoContext):
    """A visitor who presses *Stop* when work has looked so often."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def stopped(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_stopped_work_hands_over_what_it_has():
    found = race_network(StopAfter(30), epochs=50)
    assert not found.finished and found.epoch == 1
    compared = compare(StopAfter(25), epochs=50)
    assert not compared.finished and compared.epoch == 2


@pytest.mark.parametrize("arguments", [{"rates": {}}, {"rates": {"x": 1.0}}, {"epochs": 0}, {"epochs": 101}])
def test_a_race_that_cannot_be_is_refused_in_a_sentence(arguments):
    with pytest.raises(SentenceError):
        race_network(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [{"epochs": 0}, {"examples": 10}, {"examples": 5000}, {"strengths": Strengths(dropout=1.0)}, {"wrong": 0.6}],
)
def test_a_comparison_that_cannot_be_is_refused_in_a_sentence(arguments):
    with pytest.raises(SentenceError):
        compare(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_l1_makes_weights_zero_and_l2_makes_them_small(seed):
    found = compare(seed=seed)
    none, l1, l2, both = (found.networks[name] for name in ("none", "l1", "l2", "elastic_net"))
    assert set(found.networks) == set(REGULARISERS)
    assert l1.near_zero(0.01) > 5 * none.near_zero(0.01)
    assert l1.near_zero(0.01) > 3 * l2.near_zero(0.01)
    assert l2.norm < 0.75 * none.norm
    assert both.near_zero(0.01) > 0.5 and both.norm < l1.norm


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_each_regulariser_learns_less_by_heart_and_tells_other_pictures_better(seed):
    none, *others = compare(seed=seed).networks.values()
    assert none.accuracies[-1] > 0.98  # wrong labels and all
    assert len(others) == 4
    for one in others:
        assert one.gap < none.gap - 0.03
        assert one.test_accuracies[-1] > none.test_accuracies[-1] + 0.01


def test_wrong_labels_are_as_many_as_asked_and_none_is_right():
    labels = digits(0).labels
    for wrong in (0.0, 0.2, 0.5):
        changed = mislabelled(labels, wrong, seed=1) != labels
        assert changed.sum() == round(wrong * len(labels))
    assert not np.array_equal(mislabelled(labels, 0.2, 1), mislabelled(labels, 0.2, 2))
    assert set(mislabelled(labels, 0.5, 1)) == set(range(10))


def test_without_strength_all_are_the_network_without():
    found = compare(strengths=Strengths(0.0, 0.0, 0.0), epochs=2)
    for one in found.networks.values():
        np.testing.assert_array_equal(one.weights, found.networks["none"].weights)
