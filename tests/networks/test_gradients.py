"""Gradients agree with finite differences on every kind of model, and cost no trace in the model."""

import gc
import weakref

import keras
import numpy as np
import pytest

from explorer.networks.activations import activations
from explorer.networks.gradients import (
    KEPT_FUNCTIONS,
    MOST_TRACES,
    Compiled,
    ValueAndGradient,
    WithGradient,
    as_array,
    device_seen,
    input_gradient,
    kept,
    probe_gradient,
    value_and_gradient,
)
from explorer.networks.tap import tapped
from tests.networks.model_kinds import KINDS, made, picture

pytestmark = pytest.mark.backends
CLASS = 2
STEP = 1e-2


def score(output):
    return keras.ops.sum(output[:, CLASS])


def value(model, x):
    return float(keras.ops.convert_to_numpy(score(model(keras.ops.convert_to_tensor(x)))))


def along(function, x, direction):
    """Central difference of a function of an array along a direction."""
    return (function(x + STEP * direction) - function(x - STEP * direction)) / (2 * STEP)


def test_closed_forms():
    x = np.array([1.0, -2.0, 3.0], np.float32)
    found, gradient = value_and_gradient(lambda x: keras.ops.sum(x**3), x)
    assert found == pytest.approx(20.0)
    np.testing.assert_allclose(gradient, 3 * x**2, rtol=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
def test_compiled_or_not_the_numbers_are_the_same(compiled):
    function = ValueAndGradient(lambda x: keras.ops.mean(keras.ops.sin(x)), compiled=compiled)
    for shape in ((4,), (2, 3), (4,)):
        x = np.linspace(-2, 2, int(np.prod(shape)), dtype=np.float32).reshape(shape)
        found, gradient = function(x)
        assert found == pytest.approx(np.sin(x).mean(), abs=1e-6)
        np.testing.assert_allclose(gradient, np.cos(x) / x.size, atol=1e-6)


def test_a_function_that_is_called_often_keeps_its_answer():
    def function(x):
        return keras.ops.sum(x * x)

    for number in range(5):
        found, gradient = value_and_gradient(function, np.full((3,), number, np.float32))
        assert found == pytest.approx(3 * number**2)
        np.testing.assert_allclose(gradient, 2 * number)


def test_several_arrays_have_several_gradients():
    a, b = np.array([2.0, 3.0], np.float32), np.array([[4.0], [5.0]], np.float32)
    found, (of_a, of_b) = value_and_gradient(lambda xs: keras.ops.sum(xs[0]) * keras.ops.sum(xs[1]), [a, b])
    assert found == pytest.approx(45.0)
    np.testing.assert_allclose(of_a, [9, 9])
    np.testing.assert_allclose(of_b, [[5], [5]])


def test_what_has_no_influence_has_gradient_zero():
    found, (of_a, of_b) = value_and_gradient(
        lambda xs: keras.ops.sum(xs[0]), [np.ones(2, np.float32), np.ones(3, np.float32)]
    )
    assert found == 2
    np.testing.assert_array_equal(of_a, [1, 1])
    np.testing.assert_array_equal(of_b, [0, 0, 0])


@pytest.mark.parametrize("compiled", [False, True])
def test_a_gradient_comes_with_whatever_else_was_computed_on_the_way(compiled):
    run = WithGradient(
        lambda parts, power: (keras.ops.sum(parts["a"] ** power), {"square": parts["b"] ** 2}), compiled=compiled
    )
    parts = {"a": np.array([1.0, 2.0], np.float32), "b": np.array([3.0], np.float32)}
    for power in (2.0, 3.0):  # a number among the arguments is no constant
        found, aux, gradient = run(parts, power)
        assert float(as_array(found)) == pytest.approx(1 + 2**power)
        np.testing.assert_allclose(as_array(aux["square"]), [9])
        np.testing.assert_allclose(as_array(gradient["a"]), [power, power * 2 ** (power - 1)], rtol=1e-6)
        np.testing.assert_array_equal(as_array(gradient["b"]), [0])


@pytest.mark.parametrize("compiled", [False, True])
def test_a_compiled_network_answers_as_it_does_itself_also_after_its_weights_have_changed(compiled):
    model = made("functional")
    x = picture()
    run = Compiled(lambda x: model(x), network=model, compiled=compiled)
    np.testing.assert_allclose(as_array(run(x)), as_array(model(x)), atol=1e-5)
    variable = model.trainable_variables[0]
    before = keras.ops.convert_to_numpy(variable)
    variable.assign(before * 1.5)
    try:
        np.testing.assert_allclose(as_array(run(x)), as_array(model(x)), atol=1e-5)
        _, _, gradient = WithGradient(lambda x: (score(model(x)), None), network=model, compiled=compiled)(x)
        direction = np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
        slope = along(lambda x: value(model, x), x, direction)
        assert float((as_array(gradient) * direction).sum()) == pytest.approx(slope, rel=0.05, abs=0.02)
    finally:
        variable.assign(before)


@pytest.mark.parametrize("gradient", [False, True])
def test_traces_of_many_shapes_are_let_go_and_the_answers_stay(gradient):
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch compiles nothing.")
    traced = []

    def function(x):
        traced.append(x.shape[0])
        return keras.ops.sum(x * x)

    run = Compiled(function, compiled=True)
    if gradient:
        run = WithGradient(lambda x: (function(x), None), compiled=True)

    def answer(size):
        found = run(np.full(size, 2, np.float32))
        return float(as_array(found[0] if gradient else found))

    references = []
    for size in (*range(1, MOST_TRACES + 1), 1, MOST_TRACES):
        assert answer(size) == 4 * size
        references.append(weakref.ref(next(reversed(run._traces.values()))))
    assert traced == list(range(1, MOST_TRACES + 1))
    assert answer(MOST_TRACES + 1) == 4 * (MOST_TRACES + 1)
    gc.collect()
    assert references[1]() is None, "the least used has gone"
    assert references[0]() is not None and len(run._traces) == MOST_TRACES
    assert answer(1) == 4 and traced.count(1) == 1


def test_what_is_kept_for_a_network_is_built_once_and_the_oldest_goes_first():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    built = []

    def build(number):
        built.append(number)
        return number

    for number in range(KEPT_FUNCTIONS):
        kept(model, ("n", number), lambda number=number: build(number))
    kept(model, ("n", 0), lambda: build(0))
    assert built == list(range(KEPT_FUNCTIONS))
    kept(model, ("n", "new"), lambda: build("new"))
    assert kept(model, ("n", 0), lambda: build("again")) == 0
    assert kept(model, ("n", 1), lambda: build("again")) == "again"


def test_what_is_kept_may_be_made_of_something_else_that_is_kept():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert kept(model, "outer", lambda: kept(model, "inner", lambda: 2) + 1) == 3


def test_only_a_scalar_has_a_gradient():
    with pytest.raises(ValueError, match="one number"):
        value_and_gradient(lambda x: x * 2, np.ones(3, np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_input_gradients_agree_with_finite_differences(kind):
    model, x = made(kind), picture(1)
    found, gradient = input_gradient(model, x, score)
    assert found == pytest.approx(value(model, x), rel=1e-4, abs=1e-5)
    for seed in range(3):
        direction = np.random.default_rng(seed).normal(size=x.shape).astype(np.float32)
        direction /= np.linalg.norm(direction)
        expected = along(lambda at: value(model, at), x, direction)
        assert float((gradient * direction).sum()) == pytest.approx(expected, rel=0.02, abs=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_layer_gradients_agree_with_finite_differences(kind):
    model, x = made(kind), picture(1)
    for layer, activation in activations(model, x).items():
        probed = probe_gradient(model, x, layer, score)
        np.testing.assert_allclose(probed.activation, activation, rtol=1e-4, atol=1e-5)
        assert probed.gradient.shape == activation.shape
        direction = np.random.default_rng(3).normal(size=activation.shape).astype(np.float32)
        direction /= np.linalg.norm(direction)

        def with_layer(at, layer=layer):
            with tapped(model, lambda path, tensor: keras.ops.convert_to_tensor(at) if path == layer else None):
                return value(model, x)

        expected = along(with_layer, activation, direction)
        found = float((probed.gradient * direction).sum())
        assert found == pytest.approx(expected, rel=0.02, abs=2e-3), layer


def test_the_gradient_at_the_input_layer_is_the_input_gradient():
    model, x = made("nested"), picture(1)
    np.testing.assert_allclose(
        probe_gradient(model, x, "picture", score).gradient, input_gradient(model, x, score)[1], rtol=1e-4, atol=1e-6
    )


def test_each_call_of_a_shared_layer_has_its_own_gradient():
    model, x = made("shared_layer"), picture(1)
    first = probe_gradient(model, x, "conv", score).gradient
    second = probe_gradient(model, x, "conv#2", score).gradient
    # d S / d (second output) through average pooling is the dense weight over the number of cells, everywhere.
    kernel = keras.ops.convert_to_numpy(model.get_layer("logits").kernel)[:, CLASS]
    np.testing.assert_allclose(second, np.broadcast_to(kernel / 64, second.shape), rtol=1e-4, atol=1e-6)
    assert not np.allclose(first, second)


def test_an_unknown_layer_is_named_in_the_error():
    with pytest.raises(KeyError, match="'nowhere'"):
        probe_gradient(made("functional"), picture(), "nowhere", score)


def test_nothing_stays_behind():
    model, x = made("residual"), picture(1)
    probe_gradient(model, x, "block1_out", score)
    with pytest.raises(ZeroDivisionError):
        probe_gradient(model, x, "block1_out", lambda output: 1 / 0)
    assert not any("call" in vars(layer) for layer in model.layers)


def test_new_weights_are_seen_by_a_compiled_function():
    model, x = made("functional"), picture(1)
    function = ValueAndGradient(lambda x: score(model(x)), compiled=True, variables=model.variables)
    assert function(x)[0] == pytest.approx(value(model, x), rel=1e-4)
    for variable in model.trainable_variables:
        variable.assign(variable * 0.5)
    assert function(x)[0] == pytest.approx(value(model, x), rel=1e-4)


def test_the_device_has_a_kind_a_name_and_maybe_a_memory():
    device = device_seen()
    assert device.kind in ("CPU", "GPU")
    assert device.name
    assert device.memory is None or device.memory > 2**28


@pytest.mark.gpu
def test_a_gpu_computes_the_same_gradients():
    if device_seen().kind != "GPU":
        pytest.skip("the backend sees no GPU")
    test_input_gradients_agree_with_finite_differences("residual")
    test_layer_gradients_agree_with_finite_differences("nested")
