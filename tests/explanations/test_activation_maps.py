"""Activation maps agree with finite differences, with closed forms and with each other's definitions."""

import keras
import numpy as np
import pytest
from keras import layers

from explorer.explanations.explain import explain
from explorer.explanations.layers import default_layer
from explorer.explanations.resize import enlarge
from explorer.explanations.results import Target
from explorer.networks.activations import activations
from explorer.networks.tap import tapped
from explorer.networks.work_context import SentenceError
from tests.explanations.networks_zoo import ZOO, kept

pytestmark = pytest.mark.backends
STEP = 3e-3
CAMS = ("grad_cam", "grad_cam_plus_plus", "layer_cam", "score_cam")


def score_with(model, x, layer, change, index, output=0):
    """The logit difference to class 0 (softmax or not, it is the same) when a layer's output is changed."""

    def see(path, tensor):
        return tensor + keras.ops.convert_to_tensor(change) if path == layer else None

    with tapped(model, see, wanted=[layer]) as tapped_model:
        answer = keras.tree.flatten(tapped_model(keras.ops.convert_to_tensor(x)))[output]
    values = keras.ops.convert_to_numpy(answer).astype(np.float64)
    if np.allclose(values.sum(-1), 1) and values.min() >= 0:
        values = np.log(values)
    return values[:, index] - values[:, 0]


@pytest.mark.parametrize("name", sorted(set(ZOO) - {"one_class"}))
def test_grad_cam_weights_maps_by_how_the_score_changes_with_them(name):
    model, x = kept(name), ZOO[name].pictures(2)
    layer = default_layer(model, ZOO[name].shape)
    values = activations(model, x, [layer])[layer].astype(np.float64)
    count, height, width, channels = values.shape
    alpha = np.zeros((count, channels))
    for channel in range(channels):
        change = np.zeros(values.shape, np.float32)
        change[..., channel] = STEP
        up, down = (score_with(model, x, layer, sign * change, 2) for sign in (1, -1))
        alpha[:, channel] = (up - down) / (2 * STEP) / (height * width)
    expected = np.maximum((values * alpha[:, None, None, :]).sum(-1), 0)
    found = explain(model, x, Target(index=2, against=0), "grad_cam")
    assert found.layer == layer and found.raw.shape == (count, height, width)
    np.testing.assert_allclose(found.raw, expected, rtol=0.02, atol=0.01 * max(np.abs(expected).max(), 1e-3))
    np.testing.assert_allclose(found.maps, enlarge(found.raw, x.shape[1:3]), rtol=1e-5, atol=1e-7)


def averaged(channels=3, positive=True, seed=0):
    """Maps averaged, then one linear layer: all gradients are known."""
    random = np.random.default_rng(seed)
    inputs = keras.Input((4, 6, 3))
    x = layers.Conv2D(channels, 1, activation="relu", name="last")(inputs)
    model = keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))
    for variable in model.weights:
        variable.assign(random.normal(size=variable.shape))
    return model


@pytest.mark.parametrize("score", ["logits", "softmax"])
def test_before_an_average_the_gradients_are_the_weights(score):
    model = averaged()
    x = np.random.default_rng(2).normal(size=(2, 4, 6, 3)).astype(np.float32)
    values = activations(model, x, ["last"])["last"]
    kernel, bias = model.layers[-1].get_weights()
    logits = values.mean((1, 2)) @ kernel + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    slopes = np.tile(kernel[:, 1], (2, 1)) / 24
    if score == "softmax":
        slopes = probabilities[:, 1, None] * (kernel[:, 1] - probabilities @ kernel.T) / 24
    place = slopes[:, None, None, :]
    cam = np.maximum((values * place).sum(-1), 0)
    np.testing.assert_allclose(explain(model, x, 1, "grad_cam", score=score).raw, cam, rtol=1e-3, atol=1e-7)
    layer_cam = (values * np.maximum(place, 0)).sum(-1)
    np.testing.assert_allclose(explain(model, x, 1, "layer_cam", score=score).raw, layer_cam, rtol=1e-3, atol=1e-7)
    share = 1 / (2 + slopes * values.sum((1, 2)))
    weights = 24 * share * np.maximum(slopes, 0)
    plus_plus = np.maximum((values * weights[:, None, None, :]).sum(-1), 0)
    found = explain(model, x, 1, "grad_cam_plus_plus", score=score).raw
    np.testing.assert_allclose(found, plus_plus, rtol=1e-3, atol=1e-7)


def test_channels_are_the_last_axis():
    # A layer with as many channels as rows: averaging over the wrong axes would go unnoticed by shape alone.
    model = averaged(channels=4)
    x = np.random.default_rng(3).normal(size=(1, 4, 6, 3)).astype(np.float32)
    values = activations(model, x, ["last"])["last"]
    cam = np.maximum(values[0] @ model.layers[-1].get_weights()[0][:, 2], 0) / 24
    np.testing.assert_allclose(explain(model, x, 2, "grad_cam").raw[0], cam, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["batch_norm", "transfer", "shared_layer", "softmax_head"])
def test_score_cam_by_brute_force(name):
    model, x = kept(name), ZOO[name].pictures(1)
    layer = default_layer(model, ZOO[name].shape)
    values = activations(model, x, [layer])[layer][0]
    scores = []
    for channel in range(values.shape[-1]):
        mask = enlarge(values[None, ..., channel], x.shape[1:3], aligned=True)[0]
        if np.ptp(mask) == 0:
            scores.append(-np.inf)
            continue
        mask = (mask - mask.min()) / (mask.max() - mask.min())
        scores.append(explain(model, x * mask[None, ..., None], 3, "saliency").scores[0])
    weights = np.exp(np.array(scores) - max(scores))
    weights /= weights.sum()
    expected = np.maximum((values * weights).sum(-1), 0)
    found = explain(model, x, 3, "score_cam")
    np.testing.assert_allclose(found.raw[0], expected, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.extra["weights"][0], weights, rtol=1e-3, atol=1e-6)


def test_a_map_of_nothing_but_counter_evidence_is_zero_and_says_so():
    model = averaged()
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([-np.abs(kernel), bias])
    x = np.abs(np.random.default_rng(2).normal(size=(1, 4, 6, 3))).astype(np.float32)
    for method in ("grad_cam", "grad_cam_plus_plus", "layer_cam"):
        found = explain(model, x, 1, method)
        assert not found.maps.any() and np.isfinite(found.raw).all()
        assert any("zero everywhere" in note for note in found.notes)


def test_a_dead_layer_gives_zero_and_not_nan():
    model = averaged()
    model.get_layer("last").set_weights([np.zeros((1, 1, 3, 3)), -np.ones(3)])
    x = np.random.default_rng(2).normal(size=(2, 4, 6, 3)).astype(np.float32)
    for method in (*CAMS, "saliency", "guided_backprop", "gradient_input", "smoothgrad"):
        found = explain(model, x, 1, method)
        assert not found.maps.any()
        assert any("zero everywhere" in note for note in found.notes)


def test_nothing_is_stretched():
    model, x = kept("batch_norm"), ZOO["batch_norm"].pictures(1)
    once = explain(model, x, 2, "grad_cam").raw
    twice = ZOO["batch_norm"].made()
    twice.layers[-1].set_weights([2 * values for values in twice.layers[-1].get_weights()])
    np.testing.assert_allclose(explain(twice, x, 2, "grad_cam").raw, 2 * once, rtol=1e-4)


def test_an_earlier_layer_can_be_picked_and_no_other_one_is_taken_instead():
    model, x = kept("residual"), ZOO["residual"].pictures(1)
    for layer in ("stem", "block1_add", "block1_out", "block2_conv1"):
        values = activations(model, x, [layer])[layer]
        found = explain(model, x, 1, "layer_cam", layer=layer)
        assert found.layer == layer and found.raw.shape == values.shape[:3]
    one, other = (explain(model, x, 1, "grad_cam", layer=layer).raw for layer in ("block1_add", "block1_out"))
    assert np.abs(one - other).max() > 1e-4


def test_the_second_call_of_a_shared_layer_is_meant_when_it_is_named():
    model, x = kept("shared_layer"), ZOO["shared_layer"].pictures(1)
    first, second = (explain(model, x, 1, "grad_cam", layer=layer).raw for layer in ("conv", "conv#2"))
    assert np.abs(first - second).max() > 1e-4


def test_a_channel_of_a_layer_explained_at_that_layer_is_the_channel_itself():
    model, x = kept("batch_norm"), ZOO["batch_norm"].pictures(2)
    values = activations(model, x, ["last"])["last"]
    channel = int(values.mean((0, 1, 2)).argmax())
    found = explain(model, x, Target("channel", channel, layer="last"), "grad_cam", layer="last")
    np.testing.assert_allclose(found.scores, values[..., channel].mean((1, 2)), rtol=1e-4)
    np.testing.assert_allclose(found.raw, values[..., channel] / values[0, ..., 0].size, rtol=1e-4, atol=1e-7)


def test_a_channel_that_is_computed_before_the_layer_is_refused():
    model, x = kept("residual"), ZOO["residual"].pictures(1)
    with pytest.raises(SentenceError, match="computed before"):
        explain(model, x, Target("channel", 1, layer="stem"), "grad_cam")
