"""Networks as stacked weights: they compute what Keras' own layers compute, and learn as Keras' own optimiser does."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest

from explorer.gradient_flow.deep_networks import (
    EPSILON,
    PLAIN,
    RESIDUAL,
    Training,
    evaluated,
    forward,
    hidden_of,
    one_hot,
    statistics_of,
    training_step,
)
from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.stacks import Stack, alone, begun, beside
from explorer.networks.gradients import as_array

DATA = digits(3)
SOME = slice(0, 96)


def keras_model(
    stack: Stack, weights: Mapping[str, Any], skip: float, known: Mapping[str, Any] | None = None
) -> keras.Model:
    """Build the same network out of Keras' layers."""
    picture = keras.Input((64,))

    def ready(h: Any, at: int) -> Any:
        if stack.batch_norm:
            norm = keras.layers.BatchNormalization(epsilon=EPSILON)
            h = norm(h)
            values = [weights["gamma"][at, 0], weights["beta"][at, 0]]
            still = (
                [np.zeros(stack.width), np.ones(stack.width)]
                if known is None
                else [known["mean"][at, 0], known["variance"][at, 0]]
            )
            norm.set_weights([*values, *still])
        return keras.layers.Activation(stack.activation)(h)

    def with_weights(layer: keras.Layer, kernel: Any, bias: Any, x: Any) -> Any:
        out = layer(x)
        layer.set_weights([kernel.reshape(layer.kernel.shape), bias[0]])
        return out

    def learnt(kernel: Any, bias: Any, x: Any, stride: int = 1) -> Any:
        units = kernel.shape[-1]
        convolution = keras.layers.Conv2D(units, 3, stride, padding="same")
        return with_weights(convolution if stack.convolutional else keras.layers.Dense(units), kernel, bias, x)

    pixels = keras.layers.Reshape((8, 8, 1))(picture) if stack.convolutional else picture
    h = learnt(weights["stem"], weights["stem_bias"], pixels, stride=2)
    for at in range(stack.depth):
        work = learnt(weights["kernel"][at], weights["bias"][at], ready(h, at))
        h = keras.layers.add([h, work]) if skip else work
    features = ready(h, stack.depth)
    if stack.convolutional:
        features = keras.layers.GlobalAveragePooling2D()(features)
    return keras.Model(picture, with_weights(keras.layers.Dense(10), weights["head"], weights["head_bias"], features))


def shaken(stack: Stack, seed: int = 1) -> dict[str, np.ndarray]:
    """Weights none of which is zero or one."""
    random = np.random.default_rng(seed)
    weights = begun(stack, "he_normal", seed)
    return {
        name: (value + 0.1 * random.standard_normal(value.shape)).astype(np.float32) for name, value in weights.items()
    }


@pytest.mark.parametrize("convolutional", [False, True])
@pytest.mark.parametrize("skip", [PLAIN, RESIDUAL])
@pytest.mark.parametrize("depth", [1, 3, 12])
def test_a_stack_is_the_network_of_kerass_layers(depth: int, skip: float, convolutional: bool) -> None:
    stack = Stack(depth, "tanh", batch_norm=True, width=8, convolutional=convolutional)
    weights = shaken(stack)
    known = statistics_of(stack, weights, np.float32(skip), DATA.pictures)
    ours = forward(stack, weights, DATA.pictures[SOME], skip, statistics=known).logits
    theirs = keras_model(stack, weights, skip, known)(DATA.pictures[SOME])
    np.testing.assert_allclose(as_array(ours), as_array(theirs), rtol=2e-3, atol=2e-3)


def test_loss_and_accuracy_are_those_of_evaluate() -> None:
    stack = Stack(4, "relu", batch_norm=True, width=8)
    weights = shaken(stack)
    known = statistics_of(stack, weights, np.float32(1), DATA.pictures)
    model = keras_model(stack, weights, RESIDUAL, known)
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False
    )
    theirs = model.evaluate(DATA.test_pictures, DATA.test_labels, batch_size=512, verbose=0)
    ours = evaluated(stack, weights, np.float32(1), DATA.test_pictures, DATA.test_labels, statistics=known)
    np.testing.assert_allclose([float(each) for each in ours], theirs, rtol=1e-3)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    stack = Stack(6, "tanh", batch_norm=False, width=6)
    weights = shaken(stack)
    run = training_step(stack)
    others = (DATA.pictures[SOME], one_hot(DATA.labels[SOME]), np.float32(1), None)
    gradient = {name: as_array(value) for name, value in run(weights, *others)[2].items()}
    random = np.random.default_rng(0)
    direction = {name: random.standard_normal(value.shape).astype(np.float32) for name, value in weights.items()}
    step = 1e-2

    def loss(t: float) -> float:
        moved = {name: (value + t * direction[name]).astype(np.float32) for name, value in weights.items()}
        return float(as_array(run(moved, *others)[0]))

    slope = sum(float((gradient[name] * direction[name]).sum()) for name in weights)
    assert (loss(step) - loss(-step)) / (2 * step) == pytest.approx(slope, rel=0.02)


@pytest.mark.parametrize(("depth", "convolutional"), [(11, False), (3, True)])
def test_networks_beside_each_other_do_not_disturb_each_other(depth: int, convolutional: bool) -> None:
    stack = Stack(depth, "relu", batch_norm=True, width=8, convolutional=convolutional)
    several = [shaken(stack, 1), shaken(stack, 2)]
    run = training_step(stack)
    others = (DATA.pictures[SOME], one_hot(DATA.labels[SOME]))
    skips = np.array([0, 1], np.float32)[:, None, None]
    _, told, gradient = run(beside(several), *others, skips, None)
    for number, weights in enumerate(several):
        loss, _, own = run(weights, *others, np.float32(number), None)
        assert as_array(told["loss"])[number] == pytest.approx(float(as_array(loss)), rel=1e-4)
        mine = alone({name: as_array(value) for name, value in gradient.items()}, number)
        for name, value in own.items():
            np.testing.assert_allclose(mine[name], as_array(value), rtol=1e-2, atol=1e-5, err_msg=name)


def test_a_deeper_network_begins_with_a_shallower_one() -> None:
    deep, shallow = begun(Stack(9), "he_normal", 5), begun(Stack(4), "he_normal", 5)
    np.testing.assert_array_equal(deep["kernel"][:4], shallow["kernel"])
    np.testing.assert_array_equal(deep["head"], shallow["head"])


def test_a_step_is_that_of_kerass_gradient_descent_with_momentum() -> None:
    stack = Stack(2, "relu", width=6)
    weights = shaken(stack)
    training = Training(
        stack, beside([weights]), np.array([RESIDUAL]), DATA.pictures, DATA.labels, rate=0.1, momentum=0.9, batch=64
    )
    variables = {
        name: keras.Variable(value[:, None] if name in ("kernel", "bias") else value[None])
        for name, value in weights.items()
    }
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(list(variables.values()))
    for _ in range(3):
        _, gradient = training.step()
        optimizer.apply([keras.ops.convert_to_tensor(gradient[name]) for name in variables])
    for name, variable in variables.items():
        np.testing.assert_allclose(training.weights[name], as_array(variable.value), rtol=1e-4, atol=1e-6)


def test_training_that_was_packed_goes_on_as_if_nothing_had_been() -> None:
    stack = Stack(3, "relu", batch_norm=True, width=8)

    def made() -> Training:
        start = beside([begun(stack, "he_normal", 0)])
        survival = np.full(3, 0.5)
        return Training(
            stack, start, np.array([1.0]), DATA.pictures, DATA.labels, rate=0.05, batch=256, survival=survival
        )

    through, packed = made(), made()
    for _ in range(4):
        packed.step()
    packed = pickle.loads(pickle.dumps(packed))
    for _ in range(4):
        through.step()
    for _ in range(4):
        assert through.step()[0]["loss"] == packed.step()[0]["loss"]


def test_a_layer_that_is_left_out_hands_on_what_it_got() -> None:
    stack = Stack(12, "relu", width=8)
    weights = shaken(stack)
    keep = np.ones((12, 1, 1), np.float32)
    keep[[3, 7]] = 0
    for skip in (PLAIN, RESIDUAL):
        hidden = as_array(forward(stack, weights, DATA.pictures[SOME], skip, keep).hidden)
        np.testing.assert_array_equal(hidden[4], hidden[3])
        np.testing.assert_array_equal(hidden[8], hidden[7])
        assert not np.array_equal(hidden[5], hidden[4])


def test_residual_layers_with_weights_of_zero_are_the_identity() -> None:
    stack = Stack(20, "relu", batch_norm=True)
    weights = begun(stack, "zeros", 0)
    residual = hidden_of(stack, weights, np.float32(RESIDUAL), DATA.pictures[SOME])
    assert np.abs(np.diff(residual, axis=0)).max() == 0
    plain = hidden_of(stack, weights, np.float32(PLAIN), DATA.pictures[SOME])
    assert np.abs(plain[1:]).max() == 0


def test_another_seed_gives_other_pictures_and_weights() -> None:
    assert not np.array_equal(digits(0).pictures, digits(1).pictures)
    assert not np.array_equal(begun(Stack(2), "he_normal", 0)["stem"], begun(Stack(2), "he_normal", 1)["stem"])
