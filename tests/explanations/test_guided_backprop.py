"""Guided backprop catches every ReLU, says when there is none, and leaves the network as it was."""

import threading

import keras
import numpy as np
import pytest
from keras import layers

from explorer.explanations.explain import explain
from explorer.explanations.results import Target
from explorer.networks.gradients import as_array
from explorer.networks.guided_relu import guided_relu
from explorer.networks.work_context import SentenceError
from tests.explanations.networks_zoo import ZOO, kept

pytestmark = pytest.mark.backends


def by_hand(x, first, second, top, upper=np.inf):
    """The guided gradient of relu(relu(x W1) W2) w, written out: x (n, features)."""
    before_1 = x @ first
    before_2 = np.clip(before_1, 0, upper) @ second
    back = np.where((before_2 > 0) & (before_2 < upper), np.maximum(top, 0), 0)
    back = back @ second.T
    return np.where((before_1 > 0) & (before_1 < upper), np.maximum(back, 0), 0) @ first.T


def dense_network(way, first, second, top):
    upper = 6.0 if "6" in way else None
    inputs = keras.Input((2, 3, 1))
    x = layers.Flatten()(inputs)
    for weights in (first, second):
        activation = {"argument": "relu", "argument 6": "relu6"}.get(way)
        dense = layers.Dense(weights.shape[1], activation=activation, use_bias=False)
        x = dense(x)
        dense.set_weights([weights])
        if way.startswith("layer"):
            x = layers.ReLU(max_value=upper)(x)
        elif way == "activation layer":
            x = layers.Activation("relu")(x)
        elif way.startswith("operation"):
            x = keras.ops.relu6(x) if upper else keras.ops.relu(x)
    head = layers.Dense(1, use_bias=False)
    model = keras.Model(inputs, head(x))
    head.set_weights([top[:, None]])
    return model


@pytest.mark.parametrize(
    "way", ["argument", "layer", "activation layer", "operation", "argument 6", "layer 6", "operation 6"]
)
def test_a_relu_is_caught_wherever_it_stands(way):
    random = np.random.default_rng(4)
    first, second = (random.normal(scale=3, size=size).astype(np.float32) for size in ((6, 8), (8, 7)))
    top = random.normal(size=7).astype(np.float32)
    x = random.normal(size=(3, 2, 3, 1)).astype(np.float32)
    model = dense_network(way, first, second, top)
    upper = 6.0 if "6" in way else np.inf
    expected = np.abs(by_hand(x.reshape(3, 6), first, second, top, upper)).reshape(3, 2, 3)
    for _ in range(4):  # eagerly, then compiled
        found = explain(model, x, 0, "guided_backprop")
        np.testing.assert_allclose(found.maps, expected, rtol=1e-4, atol=1e-5)
        assert found.extra["rectifiers"] == 2
    plain = explain(model, x, 0, "saliency").maps
    assert np.abs(plain - found.maps).max() > 0.1 * np.abs(plain).max()


@pytest.mark.parametrize("name", sorted(name for name, specimen in ZOO.items() if specimen.rectifiers))
def test_all_rectifiers_of_a_network_are_found(name):
    found = explain(kept(name), ZOO[name].pictures(1), 0, "guided_backprop")
    assert found.extra["rectifiers"] == ZOO[name].rectifiers


@pytest.mark.parametrize("name", ["gelu", "silu", "layer_norm", "softmax_head", "subclassed"])
@pytest.mark.parametrize("method", ["guided_backprop", "guided_grad_cam"])
def test_without_a_relu_nobody_is_shown_the_plain_gradient(name, method):
    for _ in range(4):
        with pytest.raises(SentenceError, match="found no ReLU"):
            explain(kept(name), ZOO[name].pictures(1), 0, method)


@pytest.mark.parametrize("name", ["batch_norm", "transfer", "own_code", "relu6"])
def test_the_network_stays_as_it_was(name):
    model, x = ZOO[name].made(), ZOO[name].pictures(2)
    target = Target(index=1)
    weights = [np.array(value) for value in model.get_weights()]
    before = explain(model, x, target, "gradient_input").maps
    activations = [getattr(layer, "activation", None) for layer in model.layers]
    explain(model, x, target, "guided_backprop")
    np.testing.assert_array_equal(explain(model, x, target, "gradient_input").maps, before)
    assert [getattr(layer, "activation", None) for layer in model.layers] == activations
    assert all("call" not in layer.__dict__ for layer in model.layers)
    for now, then in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_change_ends_with_the_block_even_after_an_error():
    before = keras.ops.relu(np.array([-1.0, 2.0], np.float32))
    module = __import__(f"keras.src.backend.{keras.backend.backend()}.nn", fromlist=["relu"])
    original = module.relu
    with pytest.raises(ZeroDivisionError), guided_relu():
        assert module.relu is not original
        raise ZeroDivisionError
    assert module.relu is original
    np.testing.assert_array_equal(as_array(keras.ops.relu(np.array([-1.0, 2.0], np.float32))), as_array(before))


def test_other_threads_keep_the_usual_gradient():
    counts = []

    def elsewhere():
        keras.ops.relu(np.array([-1.0, 2.0], np.float32))
        counts.append("done")

    with guided_relu() as found:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert counts == ["done"] and found.count == 0
        keras.ops.relu(np.array([-1.0, 2.0], np.float32))
        keras.ops.hard_sigmoid(np.array([-1.0, 2.0], np.float32))
    assert found.count == 1


def test_guided_grad_cam_is_the_product_of_its_two_parts():
    from explorer.explanations.methods.guided_backprop import guided_gradients
    from explorer.explanations.question import Question
    from explorer.networks.work_context import NO_CONTEXT

    model, x = kept("batch_norm"), ZOO["batch_norm"].pictures(2)
    found = explain(model, x, 2, "guided_grad_cam")
    cam = explain(model, x, 2, "grad_cam")
    question = Question(model, x, Target(index=2), score="logits", layer="", batch=None, seed=0, context=NO_CONTEXT)
    guided, _ = guided_gradients(question)
    np.testing.assert_allclose(found.maps, guided.sum(-1) * cam.maps, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found.extra["grad_cam"], cam.raw, rtol=1e-5)
    assert found.signed
