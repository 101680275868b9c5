"""Silent channels: constructed activations for every sort of activation."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers as L

from explorer.inside import silence
from explorer.inside.feature_maps import maps_of
from explorer.inside.layer_graph import read_graph
from explorer.networks.structure import LayerInfo


def silent(values: np.ndarray, *, signed: bool) -> list[bool]:
    return maps_of("layer", values.astype(np.float32), kind="maps", signed=signed).silent.tolist()


def channels(*maps: np.ndarray) -> np.ndarray:
    return np.stack(maps, axis=-1)


NOISE = np.random.default_rng(0).normal(size=(6, 7))
DOT = np.eye(6, 7) * np.eye(6, 7)[2]  # one place only
ZERO = np.zeros((6, 7))


def test_after_relu_maps_of_zeros_are_silent():
    assert silent(channels(np.maximum(NOISE, 0), ZERO, DOT), signed=False) == [False, True, False]


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "silu", "gelu", "hard_silu", "mish", "elu", "selu", "softplus", "sigmoid"]
)
def test_one_rule_holds_for_every_activation_with_a_floor(name):
    """Units driven far below zero are off, whatever floor they rest at; units driven above fire."""
    activation = keras.activations.get(name)
    driven = channels(NOISE + 3, NOISE - 20, np.where(DOT > 0, 5.0, -20.0)).astype(np.float32)
    assert silent(np.asarray(activation(driven)), signed=False) == [False, True, False]


def test_the_dip_of_smooth_activations_is_rest():
    """A swish map that never leaves [-0.28, 0] has found nothing, just as a ReLU map of zeros."""
    swish = np.asarray(keras.activations.silu(channels(np.full((6, 7), -1.28), NOISE).astype(np.float32)))
    assert swish[..., 0].max() < -0.27
    assert silent(swish, signed=False) == [True, False]


def test_where_signs_count_a_negative_map_is_an_answer():
    assert silent(channels(NOISE, -np.abs(NOISE), ZERO), signed=True) == [False, False, True]


def test_the_limit_is_one_percent_of_the_mean_strength():
    peaks = np.array([100.0, 50.0, 49.0, 0.0, 1.0])  # mean 40, limit 0.4
    values = DOT[..., None] * peaks
    maps = maps_of("layer", values.astype(np.float32), kind="maps", signed=False)
    assert maps.threshold == pytest.approx(0.4)
    assert maps.silent.tolist() == [False, False, False, True, False]
    assert silent(DOT[..., None] * np.array([100.0, 50.0, 49.3, 0.4, 0.3]), signed=False) == [False] * 3 + [True] * 2


def test_scaling_a_layer_changes_nothing():
    values = np.random.default_rng(1).normal(size=(5, 5, 30)) * np.geomspace(1e-4, 1, 30)
    assert 0 < sum(silent(values, signed=True)) < 30
    assert silent(values, signed=True) == silent(1000 * values, signed=True) == silent(values / 1e6, signed=True)


def test_one_huge_channel_does_not_silence_the_others():
    values = np.abs(np.random.default_rng(1).normal(size=(5, 5, 64)))
    values[..., 7] *= 500
    assert sum(silent(values, signed=False)) == 0


def test_a_layer_of_zeros_is_silent_altogether():
    maps = maps_of("layer", np.zeros((4, 4, 3), np.float32), kind="maps", signed=False)
    assert maps.silent.all()
    assert maps.threshold_rule == "Every channel is silent: no largest value is above 1e-30."


def test_a_constant_map_is_constant_but_not_silent():
    maps = maps_of("layer", channels(np.full((6, 7), 0.7), NOISE, ZERO).astype(np.float32), kind="maps", signed=True)
    assert maps.silent.tolist() == [False, False, True]
    assert maps.constant.tolist() == [True, False, True]


def test_equal_channels_are_not_silent():
    assert silent(np.ones((3, 3, 8)), signed=False) == [False] * 8


def test_the_rule_is_printed_with_its_number():
    sentence = silence.rule_sentence(0.01234, signed=False)
    assert (
        sentence == "Silent: the channel's largest value is at most 0.0123, 1% of the mean over the layer's channels."
    )
    assert "largest absolute value" in silence.rule_sentence(0.1, signed=True)


def test_strength_is_the_peak_and_never_negative():
    low, high = np.array([-5, -1, -0.2]), np.array([2, 3, -0.1])
    np.testing.assert_allclose(silence.strengths(low, high, signed=False), [2, 3, 0])
    np.testing.assert_allclose(silence.strengths(low, high, signed=True), [5, 3, 0.2])


def test_sparsity_counts_the_values_at_rest():
    values = np.array([[-3.0, 0.0], [0.05, 2.0], [-0.05, 0.0]])
    assert silence.share_resting(values, 0.1, signed=False) == pytest.approx(5 / 6)
    assert silence.share_resting(values, 0.1, signed=True) == pytest.approx(4 / 6)
    assert silence.share_resting(np.zeros((0, 2)), 0.1, signed=True) == 0


def test_infinite_values_do_not_move_the_limit():
    strength = np.array([1, 1, np.inf, np.nan])
    assert silence.threshold_of(strength) == pytest.approx(0.01)


def test_signs_follow_the_layers():
    inputs = keras.Input((8, 8, 3), name="input")
    x = L.Conv2D(4, 3, name="linear")(inputs)
    y = L.BatchNormalization(name="bn")(x)
    relu = L.ReLU(name="relu")(y)
    pooled = L.MaxPooling2D(2, name="pooled")(relu)
    leaky = L.LeakyReLU(name="leaky")(y)
    slope = L.ReLU(negative_slope=0.1, name="slope")(y)
    swish = L.Conv2D(4, 3, activation="swish", name="swish")(pooled)
    gate = L.Dense(4, activation="sigmoid", name="gate")(L.GlobalAveragePooling2D(name="average")(swish))
    gated = L.Multiply(name="gated")([swish, gate])
    tanh = L.Activation("tanh", name="tanh")(gated)
    both = L.Concatenate(name="both")([gated, tanh])
    total = L.Add(name="sum")([gated, L.Activation("gelu", name="gelu")(tanh)])
    graph = read_graph(keras.Model(inputs, [both, total, leaky, slope]), "net")
    floor = {path for path, signed in graph.signed.items() if not signed}
    assert floor == {"relu", "pooled", "swish", "average", "gate", "gated", "gelu", "sum"}
    assert silence.is_signed(graph.structure.layers, "both")
    assert not silence.is_signed(graph.structure.layers, "sum")


def test_operations_between_layers_are_understood():
    """MobileNetV3's hard sigmoid is relu6(x + 3) / 6, made of operations."""
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3)(inputs)
    hard = L.ReLU(6.0, name="six")(x + 3.0) * (1.0 / 6.0)
    negative = keras.ops.relu(x) - 1.0
    graph = read_graph(keras.Model(inputs, [hard, negative]), "net")
    kinds = {info.kind: graph.signed[path] for path, info in graph.structure.layers.items()}
    assert kinds["Add"]
    assert not kinds["ReLU"]
    assert not kinds["Multiply"]
    assert not kinds["Relu"]
    assert kinds["Subtract"]


def test_a_very_deep_network_is_followed():
    def info(number):
        kind, inputs = ("ReLU", ()) if number == 0 else ("Dropout", (str(number - 1),))
        return LayerInfo(str(number), str(number), kind, (4, 4, 1), 0, False, 1, inputs)

    layers = {str(number): info(number) for number in reversed(range(5000))}
    assert not silence.is_signed(layers, "4999")
