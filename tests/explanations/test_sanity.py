"""The sanity check forgets on a copy, from the top down, and reports what the maps then say."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.explanations import sanity
from explorer.explanations.explain import explain
from explorer.explanations.sanity import sanity_check, seed_of_layer
from explorer.networks.copies import copy_of, drawn_anew, layers_with_weights, untrained
from explorer.networks.work_context import SentenceError, Stopped
from tests.explanations.perturbed_networks import Listening, convolutional, logits, pictures
from tests.networks.model_kinds import KINDS, made
from tests.networks.model_kinds import picture as kinds_picture

pytestmark = pytest.mark.backends
SHAPE = (16, 12, 3)
COPYABLE = [kind for kind in KINDS if kind != "subclassed"]


def test_the_network_is_left_bit_by_bit_as_it_was():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    before = [np.array(weight) for weight in model.get_weights()]
    said = logits(model, picture)
    sanity_check(model, picture, ("saliency",))
    for was, weight in zip(before, model.get_weights(), strict=True):
        assert was.tobytes() == np.asarray(weight).tobytes()
    np.testing.assert_array_equal(said, logits(model, picture))


def test_steps_go_from_the_top_down_to_the_first_layer():
    found = sanity_check(convolutional(SHAPE), pictures(SHAPE), ("saliency",))
    assert [step.layer for step in found.steps] == ["", "logits", "conv_2", "conv_1"]
    assert found.steps[0].correlation == {"saliency": pytest.approx(1)}


def test_each_step_is_the_map_of_a_network_with_those_layers_untrained():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    found = sanity_check(model, picture, ("saliency", "gradient_input"), 1, seed=4)
    mixed = keras.models.clone_model(model)
    mixed.set_weights(model.get_weights())
    numbers = {name: number for number, name in enumerate(layers_with_weights(model, picture))}
    for name in ("logits", "norm_2", "conv_2"):
        fresh = drawn_anew(model.get_layer(name), seed_of_layer(4, numbers[name]))
        mixed.get_layer(name).set_weights([keras.ops.convert_to_numpy(values) for values in fresh])
    for method, signed in (("saliency", False), ("gradient_input", True)):
        expected = explain(mixed, picture, 1, method).maps[0]
        np.testing.assert_allclose(found.steps[2].maps[method], expected, atol=1e-6)
        first = explain(model, picture, 1, method).maps[0]
        pair = (np.abs(first), np.abs(expected)) if signed else (first, expected)
        correlation = spearmanr(pair[0].ravel(), pair[1].ravel()).statistic
        assert found.steps[2].correlation[method] == pytest.approx(correlation, abs=1e-5)


def test_the_class_of_the_trained_network_is_kept():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    own = int(logits(model, picture)[0].argmax())
    named, asked = (sanity_check(model, picture, ("saliency",), target) for target in (own, None))
    for one, other in zip(named.steps, asked.steps, strict=True):
        np.testing.assert_array_equal(one.maps["saliency"], other.maps["saliency"])


def test_weights_are_drawn_by_each_layer_s_own_initialiser():
    given = keras.Input(SHAPE, name="picture")
    x = keras.layers.Conv2D(
        64, 3, kernel_initializer=keras.initializers.RandomNormal(5.0, 0.1), bias_initializer="ones", name="conv"
    )(given)
    x = keras.layers.BatchNormalization(gamma_initializer=keras.initializers.Constant(3.0), name="norm")(x)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    model = keras.Model(given, keras.layers.Dense(2, name="logits")(x))
    model.set_weights([np.full(weight.shape, 0.5, np.float32) for weight in model.get_weights()])
    fresh = untrained(model, seed=1)
    kernel, bias = fresh.get_layer("conv").get_weights()
    assert kernel.mean() == pytest.approx(5.0, abs=0.02) and kernel.std() == pytest.approx(0.1, rel=0.1)
    assert (bias == 1).all()
    gamma, beta, mean, variance = fresh.get_layer("norm").get_weights()
    assert (gamma == 3).all() and not beta.any() and not mean.any() and (variance == 1).all()


def test_a_seed_makes_it_repeatable():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    one, again, other = (sanity_check(model, picture, ("saliency",), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.steps[-1].maps["saliency"], again.steps[-1].maps["saliency"])
    assert (one.steps[-1].maps["saliency"] != other.steps[-1].maps["saliency"]).any()


@pytest.mark.parametrize("kind", COPYABLE)
def test_a_copy_answers_alike_and_shares_no_weight(kind):
    model, picture = made(kind), kinds_picture()
    copy = copy_of(model)
    np.testing.assert_array_equal(logits(copy, picture), logits(model, picture))
    assert list(layers_with_weights(copy, picture)) == list(layers_with_weights(model, picture))
    said = logits(model, picture)
    for weight in copy.weights:
        weight.assign(np.zeros(weight.shape))
    np.testing.assert_array_equal(said, logits(model, picture))


def test_a_normalisation_keeps_its_statistics_in_a_copy():
    scale = keras.layers.Normalization(name="scale")
    scale.adapt(pictures(SHAPE, 8, seed=5) * 7 + 3)
    given = keras.Input(SHAPE, name="picture")
    model = keras.Model(given, keras.layers.Dense(2)(keras.layers.Flatten()(scale(given))))
    np.testing.assert_allclose(logits(copy_of(model), pictures(SHAPE)), logits(model, pictures(SHAPE)), rtol=1e-6)


def test_a_network_that_cannot_be_built_again_gets_a_sentence():
    with pytest.raises(SentenceError, match="cannot be copied"):
        sanity_check(made("subclassed"), kinds_picture(1), ("saliency",))


def test_a_deep_network_is_randomised_in_few_steps_and_to_the_end():
    given = x = keras.Input((8, 8, 3), name="picture")
    for number in range(9):
        x = keras.layers.Conv2D(3, 3, padding="same", name=f"conv_{number}")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(given, keras.layers.Dense(3, name="logits")(x))
    found = sanity_check(model, pictures((8, 8, 3)), ("saliency",), most_steps=4)
    names = [step.layer for step in found.steps]
    assert names[:2] == ["", "logits"] and names[-1] == "conv_0" and len(names) == 5


def test_a_map_that_turns_constant_has_no_correlation():
    model = convolutional(SHAPE)
    model.get_layer("logits").set_weights([np.zeros((8, 4)), np.zeros(4)])
    found = sanity_check(model, pictures(SHAPE), ("saliency",))
    assert all(np.isnan(step.correlation["saliency"]) for step in found.steps)


def test_the_steps_so_far_are_heard_and_kept_after_a_stop():
    class Impatient(Listening):
        def report(self, *words, **more):
            super().report(*words, **more)
            self.stop_after = 0 if len(self.payloads) == 2 else float("inf")

    context = Impatient()
    found = sanity_check(convolutional(SHAPE), pictures(SHAPE), ("saliency",), context=context)
    assert found.steps == tuple(step for part in context.payloads for step in part) and context.parts == [0, 1]
    done = [report[0] for report in context.reports if report[1] is not None]
    assert done == sorted(done)


def test_a_layer_is_drawn_alone_as_it_would_be_in_an_untrained_network():
    model = convolutional(SHAPE)
    fresh = untrained(model, seed=3)
    for path, layer in layers_with_weights(model, pictures(SHAPE)).items():
        before = layer.get_weights()
        drawn, again = (map(keras.ops.convert_to_numpy, drawn_anew(layer, 5)) for _ in range(2))
        for values, same, other in zip(drawn, again, fresh.get_layer(path).get_weights(), strict=True):
            np.testing.assert_array_equal(values, same)
            assert values.shape == other.shape and values.std() == pytest.approx(other.std(), rel=0.3)
        assert all((now == then).all() for now, then in zip(layer.get_weights(), before, strict=True))


def test_a_layer_that_cannot_be_built_alone_is_taken_from_a_whole_untrained_network(monkeypatch):
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    monkeypatch.setattr(sanity, "drawn_anew", lambda layer, seed: None)
    found = sanity_check(model, picture, ("saliency",), 1, seed=4)
    expected = explain(untrained(model, seed=4), picture, 1, "saliency").maps[0]
    np.testing.assert_allclose(found.steps[-1].maps["saliency"], expected, atol=1e-6)


def test_a_stop_inside_a_sampling_method_keeps_no_half_map():
    context = Listening(stop_after=0)
    with pytest.raises(Stopped):
        sanity_check(convolutional(SHAPE), pictures(SHAPE), ("rise",), context=context)
