"""Switching a channel off is the same as a network whose filter for it is zero."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from explorer.explanations.switch_off import channel_effects_of, switched_off
from explorer.networks.activations import activations
from explorer.networks.work_context import SentenceError, Stopped
from tests.explanations.perturbed_networks import Listening, convolutional, logits, pictures
from tests.networks.model_kinds import KINDS, made
from tests.networks.model_kinds import picture as kinds_picture

pytestmark = pytest.mark.backends
SHAPE = (16, 12, 3)


def without_channels(model, layer, channels):
    """A copy whose normalisation puts out zeros for channels: no scale, no shift."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    norm = copy.get_layer(layer.replace("relu", "norm"))
    for variable in (norm.gamma, norm.beta):
        values = np.array(variable)
        values[list(channels)] = 0
        variable.assign(values)
    return copy


@pytest.mark.parametrize(("layer", "channels"), [("relu_2", (3,)), ("relu_1", (0, 5)), ("relu_2", ())])
def test_it_is_what_a_network_without_those_filters_says(layer, channels):
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    found = switched_off(model, picture, layer, channels)
    np.testing.assert_allclose(found.before, logits(model, picture)[0], atol=1e-5)
    np.testing.assert_allclose(found.after, logits(without_channels(model, layer, channels), picture)[0], atol=1e-5)
    for scores, probabilities in (
        (found.before, found.probabilities_before),
        (found.after, found.probabilities_after),
    ):
        np.testing.assert_allclose(probabilities, np.exp(scores) / np.exp(scores).sum(), atol=1e-6)


def test_ranking_is_that_of_trying_every_channel_by_hand():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    found = channel_effects_of(model, picture, "relu_2", 1)
    tried = np.stack([logits(without_channels(model, "relu_2", (channel,)), picture)[0] for channel in range(8)])
    order = np.argsort(tried[:, 1], kind="stable")
    assert list(found.channels) == order.tolist() and found.total == 8 and not found.estimated
    assert found.classes[0] == 1 and sorted(found.classes) == [0, 1, 2, 3]
    np.testing.assert_allclose(found.logits, tried[order][:, list(found.classes)], atol=1e-5)
    np.testing.assert_allclose(found.base, logits(model, picture)[0, list(found.classes)], atol=1e-5)


def test_before_the_average_a_channel_s_loss_is_its_mean_times_its_weight():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    kernel = model.get_layer("logits").get_weights()[0]
    means = activations(model, picture, ["relu_2"])["relu_2"][0].mean(axis=(0, 1))
    found = channel_effects_of(model, picture, "relu_2", 2)
    for channel, row in zip(found.channels, found.logits, strict=True):
        assert found.base[0] - row[0] == pytest.approx(means[channel] * kernel[channel, 2], abs=1e-5)


def test_the_predicted_class_is_taken_where_none_is_named():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    assert channel_effects_of(model, picture, "relu_1").classes[0] == logits(model, picture)[0].argmax()


def test_of_many_channels_those_are_tried_that_gradient_and_activation_point_at():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    everything = channel_effects_of(model, picture, "relu_2", 0)
    found = channel_effects_of(model, picture, "relu_2", 0, most=3)
    assert found.estimated and len(found.channels) == 3 and found.total == 8
    # After the last layer all is linear, so that the estimate is exact.
    change = dict(zip(everything.channels, np.abs(everything.logits[:, 0] - everything.base[0]), strict=True))
    assert set(found.channels) == set(sorted(change, key=change.get)[-3:])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_network_can_lose_a_channel(kind):
    model, picture = made(kind), kinds_picture(1)
    paths = list(activations(model, picture))
    layer = next(path for path in paths if any(word in path for word in ("conv", "stem", "three")))
    none, one = (switched_off(model, picture, layer, channels) for channels in ((), (1,)))
    np.testing.assert_allclose(none.after, logits(model, picture)[0], atol=1e-5)
    assert np.abs(one.after - one.before).max() > 1e-6
    np.testing.assert_allclose(one.before, logits(model, picture)[0], atol=1e-5)  # and left as it was


@pytest.mark.parametrize(("layer", "channels"), [("relu_2", (8,)), ("relu_2", (-1,)), ("nowhere", (0,))])
def test_what_is_not_there_gets_a_sentence(layer, channels):
    with pytest.raises(SentenceError):
        switched_off(convolutional(SHAPE), pictures(SHAPE), layer, channels)


def test_a_class_that_is_not_there_gets_a_sentence():
    with pytest.raises(SentenceError, match="no class 4"):
        channel_effects_of(convolutional(SHAPE), pictures(SHAPE), "relu_2", 4)


def test_as_many_channels_at_a_time_as_memory_bears(monkeypatch):
    from explorer.explanations import switch_off

    model, picture, given = convolutional(SHAPE), pictures(SHAPE), []
    through = switch_off._logits_without
    monkeypatch.setattr(switch_off, "_logits_without", lambda *all: given.append(len(all[3])) or through(*all))
    whole = channel_effects_of(model, picture, "relu_2", 0)
    assert given == [1, 8]
    monkeypatch.setattr(switch_off, "batch_for", lambda network, **more: 2)
    given.clear()
    assert channel_effects_of(model, picture, "relu_2", 0).channels == whole.channels and given == [1, 2, 2, 2, 2]


def test_stop_ends_before_the_next_batch(monkeypatch):
    context = Listening(stop_after=2)
    passes = []
    from explorer.explanations import switch_off

    through = switch_off._logits_without

    def counted(*arguments):
        context.batches += 1
        passes.append(len(arguments[3]))
        return through(*arguments)

    monkeypatch.setattr(switch_off, "_logits_without", counted)
    with pytest.raises(Stopped):
        channel_effects_of(convolutional(SHAPE), pictures(SHAPE), "relu_2", 0, limit=2, context=context)
    assert len(passes) == 2
