"""The tap shows what each layer computes, for every kind of model, and leaves no trace."""

import threading
import weakref

import keras
import numpy as np
import pytest

from explorer.networks.activations import activations
from explorer.networks.tap import Enough, lock_of, tapped
from tests.networks.model_kinds import KINDS, made, picture

pytestmark = pytest.mark.backends
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def run(function, x):
    return np.asarray(keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(x))))


def by_graph_surgery(model, x):
    """Every node's output, by models from the inputs to it (only for graphs without models inside)."""
    found = {}
    for nodes in sorted(model._nodes_by_depth.items(), reverse=True):
        for node in nodes[1]:
            name = node.operation.name
            count = sum(path.split("#")[0] == name for path in found)
            path = name if not count else f"{name}#{count + 1}"
            found[path] = run(keras.Model(model.inputs, node.outputs[0]), x) if not node.is_input else x
    return found


@pytest.mark.parametrize("kind", ["functional", "residual", "branches", "shared_layer", "operations"])
def test_activations_equal_models_cut_at_each_layer(kind):
    model, x = made(kind), picture()
    expected = by_graph_surgery(model, x)
    found = activations(model, x)
    assert found.keys() == expected.keys()
    for path in expected:
        np.testing.assert_allclose(found[path], expected[path], **TOLERANCE)


def test_a_sequential_model_is_its_layers_one_after_the_other():
    model, x = made("sequential"), picture()
    found = activations(model, x)
    assert list(found) == ["picture", "conv", "norm", "pool", "flat", "logits"]
    expected = x
    for layer in model.layers:
        expected = run(layer, expected)
        np.testing.assert_allclose(found[layer.name], expected, **TOLERANCE)


def test_nested_layers_carry_the_names_of_the_models_around_them():
    model, x = made("nested"), picture()
    found = activations(model, x)
    inner, tail = model.get_layer("inner"), model.get_layer("tail")
    conv = run(model.get_layer("conv"), x)
    conv_in = run(inner.get_layer("conv"), conv)
    out = run(inner.get_layer("conv_2"), conv_in)
    wide = run(tail.get_layer("wide"), out.reshape(len(x), -1))
    expected = {
        "picture": x,
        "conv": conv,
        "inner/inner_input": conv,
        "inner/conv": conv_in,
        "inner/conv_2": out,
        "inner": out,
        "tail/flat": out.reshape(len(x), -1),
        "tail/wide": wide,
        "tail": wide,
        "logits": run(model.get_layer("logits"), wide),
    }
    assert set(found) == set(expected)
    for path, values in expected.items():
        np.testing.assert_allclose(found[path], values, **TOLERANCE)


def test_a_model_that_is_called_twice_numbers_the_layers_inside():
    model, x = made("shared_model"), picture()
    conv = model.get_layer("inner").get_layer("conv")
    found = activations(model, x)
    first = run(conv, x)
    np.testing.assert_allclose(found["inner/conv"], first, **TOLERANCE)
    np.testing.assert_allclose(found["inner/conv#2"], run(conv, first), **TOLERANCE)
    np.testing.assert_allclose(found["inner/inner_input#2"], first, **TOLERANCE)
    np.testing.assert_allclose(found["difference"], run(conv, first) - x, **TOLERANCE)


def test_a_model_that_is_only_code_shows_its_layers():
    model, x = made("subclassed"), picture()
    found = activations(model, x)
    stem = run(model.stem, x)
    inside = run(model.block.conv, stem)
    block = stem + run(model.block.out, inside)
    one = run(model.more[0], block)
    two = run(model.more[1], one + block)
    expected = {"stem": stem, "block/conv": inside, "block": block, "more_1": one, "more_2": two}
    expected["head/average"] = (two + one + block).mean(axis=(1, 2))
    for path, values in expected.items():
        np.testing.assert_allclose(found[path], values, **TOLERANCE)
    np.testing.assert_allclose(found["head/logits"], run(model, x), **TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_one_layer_alone_is_the_same_as_among_all(kind):
    model, x = made(kind), picture()
    every = activations(model, x)
    for path, values in every.items():
        alone = activations(model, x, [path])
        assert list(alone) == [path]
        np.testing.assert_allclose(alone[path], values, **TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_is_as_before_afterwards(kind):
    model, x = made(kind), picture()
    before = run(model, x)
    held = {id(layer): dict(vars(layer)) for layer in model._flatten_layers()}
    activations(model, x)
    with pytest.raises(ZeroDivisionError):
        activations(model, x, reduce=lambda path, values: 1 / 0)
    with pytest.raises(KeyError):
        activations(model, x, ["nowhere"])
    for layer in model._flatten_layers():
        assert "call" not in vars(layer)
        assert vars(layer).keys() == held[id(layer)].keys()
    np.testing.assert_array_equal(run(model, x), before)


def test_an_onlookers_error_arrives_as_it_was_raised():
    class Halt(Exception):
        pass

    def halt(path, values):
        raise Halt("one sentence")

    with pytest.raises(Halt) as error:
        activations(made("nested"), picture(), reduce=halt)
    assert error.value.args == ("one sentence",)


def test_values_come_in_the_order_asked_for_and_are_float32():
    found = activations(made("functional"), picture(), ["logits", "picture", "act"])
    assert list(found) == ["logits", "picture", "act"]
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
    assert found["act"].shape == (2, 8, 8, 4)


def test_reduce_sees_each_layer_and_what_it_returns_is_kept():
    model, x = made("residual"), picture()
    expected = {path: float(values.max()) for path, values in activations(model, x).items()}
    assert activations(model, x, reduce=lambda path, values: float(values.max())) == expected


def test_the_pass_ends_after_the_last_wanted_layer():
    model = made("sequential")
    ran = []
    dense = model.get_layer("logits")
    original = dense.call
    dense.call = lambda *args, **kwargs: ran.append("logits") or original(*args, **kwargs)
    try:
        activations(model, picture(), ["conv"])
        assert ran == []
        activations(model, picture(), ["conv", "logits"])
        assert ran == ["logits"]
    finally:
        del dense.call


def test_what_a_tap_returns_takes_the_outputs_place():
    model, x = made("residual"), picture()
    shifted = activations(model, x, ["block1_out"])["block1_out"] + 0.5
    rest = keras.Model(model.get_layer("block1_out").output, model.output)
    with tapped(model, lambda path, tensor: tensor + 0.5 if path == "block1_out" else None) as changed:
        found = run(changed, x)
    np.testing.assert_allclose(found, run(rest, shifted), **TOLERANCE)


def test_taps_inside_taps_both_see():
    model, x = made("functional"), picture()
    seen = []
    with tapped(model, lambda path, tensor: seen.append(path)) as outer:
        assert "conv" in activations(outer, x)
        assert seen.count("conv") == 1
        outer(x)
    assert seen.count("conv") == 2
    assert not any("call" in vars(layer) for layer in model.layers)


@pytest.mark.parametrize("kind", KINDS)
def test_letting_go_of_tensors_changes_no_answer(kind):
    model, x = made(kind), picture()
    expected = run(model, x)
    with tapped(model, lambda path, tensor: None, free=True) as freeing:
        np.testing.assert_allclose(run(freeing, x), expected, **TOLERANCE)
    assert "_run_through_graph" not in vars(model)


def test_a_long_network_never_holds_all_layers_at_once():
    inputs = keras.Input((16, 16, 8))
    x = inputs
    for _ in range(30):
        x = keras.layers.Activation("tanh")(x)
    model = keras.Model(inputs, x)
    tensors, alive = [], []

    def see(path, tensor):
        tensors.append(weakref.ref(tensor))
        alive.append(sum(reference() is not None for reference in tensors))

    for free in (False, True):
        tensors.clear()
        alive.clear()
        with tapped(model, see, free=free) as running:
            run(running, np.ones((1, 16, 16, 8), np.float32))
        assert (max(alive) < 5) if free else (max(alive) > 25)


def test_layers_with_several_outputs_show_the_first():
    inputs = keras.Input((5, 3), name="steps")
    output, state = keras.layers.GRU(4, return_sequences=True, return_state=True, name="gru")(inputs)
    model = keras.Model(inputs, [output, state])
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    found = activations(model, x, ["gru"])["gru"]
    expected = model(keras.ops.convert_to_tensor(x))[0]
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), **TOLERANCE)


def test_an_unknown_layer_is_named_in_the_error():
    with pytest.raises(KeyError, match="'block9_conv'"):
        activations(made("functional"), picture(), ["conv", "block9_conv"])


def test_two_threads_take_turns():
    model, x = made("residual"), picture()
    expected = activations(model, x)
    wrong = []

    def work():
        for path in expected:
            if not np.allclose(activations(model, x, [path])[path], expected[path], **TOLERANCE):
                wrong.append(path)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not any("call" in vars(layer) for layer in model.layers)


def test_the_lock_of_a_model_is_always_the_same():
    model = made("functional")
    assert lock_of(model) is lock_of(model)
    assert lock_of(model) is not lock_of(made("functional"))


def test_enough_is_no_exception_that_keras_could_rewrite():
    assert not issubclass(Enough, Exception)
