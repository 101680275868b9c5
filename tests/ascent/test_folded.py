"""A normalization that is computed with the convolution before it gives what it gave alone, and so do its gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers as L

from explorer.ascent.folded import folded
from explorer.networks.gradients import Compiled, WithGradient, as_array, leaves_out_what_nobody_uses
from explorer.networks.tap import tapped
from tests.ascent.small_networks import SIDE, filled, nested, plain

pytestmark = pytest.mark.backends


def residual() -> keras.Model:
    """The convolution's own output is used again behind the normalization; one convolution is called twice."""
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    conv = L.Conv2D(6, 3, padding="same", name="conv")
    norm, again = L.BatchNormalization(name="norm"), L.Conv2D(6, 1, use_bias=False, name="again")
    x = conv(picture)
    x = L.Add(name="sum")([x, L.ReLU(name="relu")(norm(x))])
    x = L.BatchNormalization(name="norm_1", scale=False)(again(x))
    x = L.BatchNormalization(name="norm_2", center=False)(again(L.ReLU(name="relu_1")(x)))
    return filled(keras.Model(picture, L.GlobalAveragePooling2D(name="average")(x), name="residual"))


def separated() -> keras.Model:
    """No normalization stands right behind a plain convolution that is linear."""
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    x = L.BatchNormalization(name="norm_0")(picture)
    x = L.BatchNormalization(name="norm_1")(L.Conv2D(4, 3, activation="relu", name="conv_1")(x))
    x = L.BatchNormalization(name="norm_2")(L.DepthwiseConv2D(3, name="depthwise")(x))
    x = L.BatchNormalization(name="norm_3")(L.ReLU(name="relu")(L.Conv2D(4, 1, name="conv_2")(x)))
    return filled(keras.Model(picture, L.GlobalAveragePooling2D(name="average")(x), name="separated"))


def grouped() -> keras.Model:
    picture = keras.Input((SIDE, SIDE, 4), name="picture")
    x = L.Conv2D(6, 3, strides=2, groups=2, name="conv")(picture)
    x = L.Conv2D(4, 3, dilation_rate=2, name="dilated")(L.ReLU(name="relu")(L.BatchNormalization(name="norm")(x)))
    return filled(keras.Model(picture, L.BatchNormalization(name="norm_1")(x), name="grouped"))


@pytest.mark.parametrize("build", [plain, nested, residual, separated, grouped])
def test_values_and_gradients_are_the_networks_own(build):
    network = build()
    x = np.random.default_rng(0).normal(size=(3, *network.input_shape[1:])).astype(np.float32)
    weights = np.random.default_rng(1).normal(size=(3, *network.output_shape[1:])).astype(np.float32)

    def value(x):
        answers = network(x)
        return keras.ops.sum(answers * keras.ops.convert_to_tensor(weights)), answers

    def value_folded(x):
        with folded(network):
            return value(x)

    _, expected, expected_gradient = WithGradient(value, network=network, compiled=True)(x)
    _, found, gradient = WithGradient(value_folded, network=network, compiled=True)(x)
    np.testing.assert_allclose(as_array(found), as_array(expected), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(as_array(gradient), as_array(expected_gradient), rtol=1e-3, atol=1e-4)
    assert not any("call" in layer.__dict__ for layer in network._flatten_layers()), "afterwards all is as it was"


def test_what_a_tap_puts_in_a_convolutions_place_is_what_is_normalized():
    network = plain()
    x = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 3)).astype(np.float32)
    seen = {}

    def see(path, tensor):
        seen[path] = tensor
        return tensor * 0.0 if path == "conv_1" else None

    with folded(network), tapped(network, see) as model:
        model(x)
    norm = network.get_layer("norm_1")
    expected = norm(keras.ops.zeros((1, SIDE, SIDE, 6)))
    np.testing.assert_allclose(as_array(seen["norm_1"]), as_array(expected), atol=1e-5)


def test_a_pass_in_training_normalizes_by_the_batch():
    network = plain()
    x = np.random.default_rng(0).normal(size=(4, SIDE, SIDE, 3)).astype(np.float32)
    expected = as_array(network(x, training=True))
    with folded(network):
        found = as_array(network(x, training=True))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_of_a_compiled_pass_each_convolution_is_computed_once():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Counts the operations of TensorFlow's graph.")
    assert leaves_out_what_nobody_uses()
    network = plain()

    def answers(x):
        with folded(network):
            return network(x)

    run = Compiled(answers, network=network, compiled=True)
    x = np.zeros((1, SIDE, SIDE, 3), np.float32)
    run(x)
    (call,) = run._traces.values()
    graph = call.trace.graph
    used, waiting = set(), [output.op for output in graph.outputs]
    while waiting:
        operation = waiting.pop()
        if operation.name not in used:
            used.add(operation.name)
            waiting += [given.op for given in operation.inputs]
    assert sum(graph.get_operation_by_name(name).type == "Conv2D" for name in used) == 2
