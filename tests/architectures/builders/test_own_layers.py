"""The layers that Keras does not have compute what their papers say, survive saving, and run on every backend."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from explorer.architectures.builders.highway import GatedSum, highway_layer
from explorer.architectures.builders.lenet import (
    C3_SEES,
    DigitDistances,
    PartialConvolution,
    WeightPerMap,
    digit_drawings,
    lenet5,
    scaled_tanh,
)
from explorer.architectures.builders.local_response_normalization import LocalResponseNormalization
from explorer.architectures.builders.resnet import ZeroPadChannels
from explorer.architectures.builders.senet import squeeze_and_excitation
from explorer.architectures.builders.shufflenet import ChannelShuffle, shuffled
from explorer.architectures.builders.stochastic_depth import RandomSurvival, survival_probabilities
from tests.architectures.builders.built import outline

pytestmark = pytest.mark.backends

RANDOM = np.random.default_rng(3)


def maps(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def values(tensor):
    return ops.convert_to_numpy(tensor)


# local response normalisation


def test_strong_channels_quieten_their_neighbours_by_the_formula():
    x = 30 * maps(2, 3, 4, 7)
    found = values(LocalResponseNormalization()(x))
    for channel in range(7):
        around = x[..., max(0, channel - 2) : channel + 3]
        expected = x[..., channel] / (2 + 1e-4 * (around**2).sum(-1)) ** 0.75
        np.testing.assert_allclose(found[..., channel], expected, rtol=1e-5)


def test_of_an_even_number_of_neighbours_one_more_stands_after():
    x = maps(1, 1, 1, 5)
    found = values(LocalResponseNormalization(n=2, k=1.0, alpha=1.0, beta=1.0)(x))[0, 0, 0]
    # n // 2 = 1 before, none after
    squares = x[0, 0, 0] ** 2
    expected = x[0, 0, 0] / (1 + squares + np.concatenate([[0], squares[:-1]]))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


# LeNet-5


def test_the_connection_table_is_the_papers():
    # Table I: 60 of 96 pairs, ten filters for each map, and no two filters that look at the same maps.
    assert sum(map(len, C3_SEES)) == 60
    assert [sum(number in seen for seen in C3_SEES) for number in range(6)] == [10] * 6
    assert len({frozenset(seen) for seen in C3_SEES}) == 16
    assert [len(seen) for seen in C3_SEES] == [3] * 6 + [4] * 9 + [6]


def test_a_partial_convolution_is_one_convolution_for_each_filter_on_the_maps_that_it_sees():
    layer = PartialConvolution(C3_SEES, 5)
    x = maps(2, 14, 14, 6)
    layer.build(x.shape)
    layer.bias.assign(maps(16))
    found = values(layer(x))
    assert found.shape == (2, 10, 10, 16) == layer.compute_output_shape(x.shape)
    kernel, bias = values(layer.kernel), values(layer.bias)
    first = 0
    for number, seen in enumerate(C3_SEES):
        # (taps, maps seen) → (5, 5, maps seen, 1)
        own = kernel[:, first : first + len(seen)].reshape(5, 5, len(seen), 1)
        first += len(seen)
        expected = values(ops.conv(x[..., list(seen)], own)) + bias[number]
        np.testing.assert_allclose(found[..., number : number + 1], expected, rtol=1e-4, atol=1e-4)


def test_a_filter_is_blind_to_the_maps_that_it_does_not_see():
    layer = PartialConvolution(C3_SEES, 5)
    x = maps(1, 5, 5, 6)
    before = values(layer(x))[0, 0, 0]
    x[..., 5] += 1
    changed = np.flatnonzero(np.abs(values(layer(x))[0, 0, 0] - before) > 1e-6)
    assert set(changed) == {number for number, seen in enumerate(C3_SEES) if 5 in seen}


def test_c3_has_the_papers_connections():
    # "151,600 connections": 60 pairs of 25 products and 16 biases, at 10 × 10 places.
    layer = PartialConvolution(C3_SEES, 5)
    products = layer.multiply_adds([(14, 14, 6)], (10, 10, 16))
    assert products == layer.multiply_adds([(None, 14, 14, 6)], (None, 10, 10, 16)) == 150_000
    assert products + 16 * 100 == 151_600


def test_the_whole_lenet_of_1998_has_the_papers_connections():
    # "340,908 connections"; subsampling counts its four inputs and its bias, a distance its 84 cells.
    model = outline("lenet.lenet5", variant="1998")
    connections = {
        "c1": 28 * 28 * 6 * (25 + 1),
        "s2": 14 * 14 * 6 * (4 + 1),
        "c3": model.get_layer("c3").multiply_adds(None, (10, 10, 16)) + 10 * 10 * 16,
        "s4": 5 * 5 * 16 * (4 + 1),
        "c5": 120 * (5 * 5 * 16 + 1),
        "f6": 84 * (120 + 1),
        "output": model.get_layer("distances").multiply_adds(None, (10,)),
    }
    assert list(connections.values()) == [122_304, 5_880, 151_600, 2_000, 48_120, 10_164, 840]
    assert sum(connections.values()) == 340_908


def test_a_weighted_average_is_the_papers_weighted_sum_with_a_quarter_of_the_weight():
    x = maps(1, 4, 4, 3)
    layer = WeightPerMap()
    layer.build((None, 2, 2, 3))
    weight, bias = maps(3), maps(3)
    layer.set_weights([4 * weight, bias])
    found = values(layer(layers.AveragePooling2D(2)(x)))
    sums = x.reshape(1, 2, 2, 2, 2, 3).sum((2, 4))
    np.testing.assert_allclose(found, sums * weight + bias, rtol=1e-4, atol=1e-5)


def test_the_scaled_tanh_passes_through_one():
    assert values(scaled_tanh(ops.array([-1.0, 0.0, 1.0]))) == pytest.approx([-1, 0, 1], abs=1e-4)


def test_the_ten_drawings_differ_and_each_is_nearest_to_itself():
    drawings = digit_drawings()
    assert drawings.shape == (10, 12, 7)
    assert set(np.unique(drawings)) == {-1, 1}
    scores = values(DigitDistances()(drawings.reshape(10, 84)))
    assert (np.diag(scores) == 0).all()
    off = scores[~np.eye(10, dtype=bool)]
    assert off.max() <= -4, "any two differ in a cell, where +1 and −1 lie 2 apart"
    expected = -((drawings[3] - drawings[8]) ** 2).sum()
    assert scores[3, 8] == expected


# highway, residual, squeeze and excitation


def test_a_closed_gate_carries_and_an_open_one_transforms():
    h, x = maps(1, 2, 2, 3), maps(1, 2, 2, 3)
    gated = GatedSum()
    np.testing.assert_array_equal(values(gated([h, np.zeros_like(h), x])), x)
    np.testing.assert_array_equal(values(gated([h, np.ones_like(h), x])), h)
    np.testing.assert_allclose(values(gated([h, np.full_like(h, 0.25), x])), 0.25 * h + 0.75 * x, rtol=1e-5)


def test_a_highway_layer_with_a_very_negative_bias_hands_its_input_on():
    image = keras.Input((6, 6, 4))
    model = keras.Model(image, highway_layer(image, "layer", transform_bias=-30.0))
    x = maps(1, 6, 6, 4)
    np.testing.assert_allclose(values(model(x)), x, atol=1e-5)


def test_maps_of_zeros_are_appended():
    x = maps(1, 2, 2, 3)
    found = values(ZeroPadChannels(5)(x))
    np.testing.assert_array_equal(found[..., :3], x)
    assert not found[..., 3:].any()


def test_squeeze_and_excitation_multiplies_each_map_by_one_number_between_0_and_1():
    image = keras.Input((4, 4, 32))
    model = keras.Model(image, squeeze_and_excitation(image, "block", reduction=4))
    x = maps(1, 4, 4, 32)
    factors = values(model(x)) / x
    np.testing.assert_allclose(factors, np.broadcast_to(factors[:, :1, :1], factors.shape), rtol=1e-4)
    assert factors.min() > 0
    assert factors.max() < 1
    first, second = (model.get_layer(f"block_se_{name}").get_weights() for name in ("reduce", "excite"))
    hidden = np.maximum(x.mean((1, 2)) @ first[0] + first[1], 0)
    np.testing.assert_allclose(factors[:, 0, 0], 1 / (1 + np.exp(-hidden @ second[0] - second[1])), rtol=1e-4)


# stochastic depth


def test_in_training_a_branch_is_whole_or_gone_for_the_whole_batch():
    layer = RandomSurvival(0.6, seed=1)
    x = maps(4, 2, 2, 3)
    seen = {float(values(layer(x, training=True))[0, 0, 0, 0] / x[0, 0, 0, 0]) for _ in range(30)}
    assert seen == {0.0, 1.0}
    for _ in range(5):
        drawn = values(layer(x, training=True))
        assert not drawn.any() or (drawn == x).all()


def test_what_testing_uses_is_the_mean_of_what_training_draws():
    layer = RandomSurvival(0.7, seed=2)
    x = np.ones((1, 1, 1, 1), "float32")
    tosses = 400
    mean = np.mean([values(layer(x, training=True)) for _ in range(tosses)])
    assert values(layer(x)).item() == pytest.approx(0.7)
    assert mean == pytest.approx(0.7, abs=4 * np.sqrt(0.7 * 0.3 / tosses))


def test_of_110_layers_three_quarters_are_trained_at_a_time():
    # Section 4 of the paper: with p_L = 0.5 the expected number of blocks is (3L − 1)/4, about 40 of 54.
    survivals = survival_probabilities(54, 0.5)
    assert survivals[-1] == 0.5
    assert survivals == sorted(survivals, reverse=True)
    assert sum(survivals) == pytest.approx((3 * 54 - 1) / 4)
    assert round(sum(survivals)) == 40


def test_each_block_has_its_own_survival_probability():
    model = outline("stochastic_depth.stochastic_depth_resnet", depth=20, last_survival=0.4)
    found = [layer.survival for layer in model.layers if isinstance(layer, RandomSurvival)]
    assert found == pytest.approx([1 - number / 9 * 0.6 for number in range(1, 10)])


# channel shuffle


def test_a_shuffle_takes_one_channel_of_each_group_in_turn():
    x = np.arange(6, dtype="float32").reshape(1, 1, 1, 6)
    assert values(ChannelShuffle(2)(x)).ravel().tolist() == [0, 3, 1, 4, 2, 5]
    assert values(ChannelShuffle(3)(x)).ravel().tolist() == [0, 2, 4, 1, 3, 5]


def test_a_shuffle_is_a_transposition_of_groups_and_members():
    x = maps(2, 3, 5, 24)
    expected = np.moveaxis(x.reshape(2, 3, 5, 4, 6), -1, -2).reshape(x.shape)
    np.testing.assert_array_equal(values(ChannelShuffle(4)(x)), expected)


@pytest.mark.parametrize(("channels", "groups"), [(60, 3), (96, 8), (12, 1)])
def test_shuffling_loses_nothing_and_can_be_undone(channels, groups):
    order = shuffled(channels, groups)
    assert sorted(order) == list(range(channels))
    assert (order[shuffled(channels, channels // groups)] == np.arange(channels)).all()


def test_after_a_shuffle_every_group_has_some_of_every_group():
    source = shuffled(60, 3) // 20
    assert all(set(group) == {0, 1, 2} for group in source.reshape(3, 20))


# saving

OWN = [
    LocalResponseNormalization(n=3, k=1.0, alpha=0.5, beta=0.5),
    PartialConvolution([(0, 1), (1, 2), (0, 2), (0, 1, 2)], 3, activation=scaled_tanh),
    WeightPerMap(activation="tanh"),
    ZeroPadChannels(5),
    RandomSurvival(0.25, seed=7),
    ChannelShuffle(3),
]


@pytest.mark.parametrize("layer", OWN, ids=lambda layer: type(layer).__name__)
def test_a_saved_layer_comes_back_as_it_was(layer, tmp_path):
    image = keras.Input((6, 6, 3))
    model = keras.Model(image, layer(image))
    for weight in model.weights:
        weight.assign(maps(*weight.shape))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.layers[-1]) is type(layer)
    assert again.layers[-1].get_config() == layer.get_config()
    x = maps(2, 6, 6, 3)
    np.testing.assert_allclose(values(again(x)), values(model(x)), rtol=1e-6)


def test_a_saved_lenet_of_1998_comes_back_with_its_drawings(tmp_path):
    model = lenet5("1998")
    model.save(tmp_path / "lenet.keras")
    again = keras.saving.load_model(tmp_path / "lenet.keras")
    x = maps(1, 32, 32, 1)
    np.testing.assert_allclose(values(again(x)), values(model(x)), rtol=1e-6)
    np.testing.assert_array_equal(again.get_layer("distances").get_weights()[0], digit_drawings().reshape(10, 84))
