"""A pretrained base: where its stages end, what of it learns, and that nothing changes that should not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from explorer.networks import catalogue
from explorer.networks.preprocessing import prepare
from explorer.networks.work_context import SentenceError
from explorer.runs import pretrained


@pytest.fixture(scope="module")
def base() -> pretrained.Base:
    return pretrained.load_base("")


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 96, 96, 3), dtype=np.uint8)


def residual_network() -> keras.Model:
    """Four convolutions with a way around the second and the third one."""
    inputs = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="first")(inputs)
    second = keras.layers.Conv2D(4, 3, padding="same", name="second")(first)
    within = keras.layers.Conv2D(4, 3, padding="same", name="within")(second)
    added = keras.layers.Add(name="added")([first, within])
    third = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="third")(added)
    mean = keras.layers.GlobalAveragePooling2D(name="mean_of_third")(third)
    return keras.Model(inputs, keras.layers.Dense(2)(mean))


def head_of(classes: int) -> list[keras.layers.Layer]:
    return [keras.layers.Dense(classes, name=pretrained.CLASSES_LAYER)]


def test_the_default_base_has_a_stage_for_each_halving(base: pretrained.Base) -> None:
    assert base.entry.name == "drawn_plain"
    assert base.stages == ("stem_relu", "shapes_2_relu", "objects_2_relu")
    assert base.chosen([2, 1]) == ("shapes_2_relu", "objects_2_relu")
    with pytest.raises(SentenceError, match="only 3 stages"):
        base.chosen([4])


def test_a_base_that_is_not_there_is_refused_in_a_sentence() -> None:
    with pytest.raises(SentenceError):
        pretrained.load_base("no_such_network")


@pytest.mark.parametrize("build", [keras.applications.MobileNetV2, keras.applications.MobileNetV3Small])
def test_stages_of_a_known_network_halve_the_side_five_times(build) -> None:
    model = build(weights=None, input_shape=(96, 96, 3), classes=5)
    sides = [model.get_layer(name).output.shape[1] for name in pretrained.stage_ends(model)]
    assert sides == [48, 24, 12, 6, 3]


@pytest.mark.parametrize("mode", ["zero_one", "tf", "caffe", "torch", "included"])
def test_preprocessing_as_layers_is_the_preprocessing_of_the_catalogue(mode: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 4, 6, 3), dtype=np.uint8)
    entry = next(each for each in catalogue.entries() if each.preprocessing == mode)
    x = pixels.astype(np.float32) / 255
    for layer in pretrained.preprocessing_layers(mode):
        x = layer(x)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(x), prepare(pixels, entry), atol=1e-4)


def test_grey_pictures_get_three_equal_channels_and_the_size_of_the_base(base: pretrained.Base) -> None:
    digits = np.random.default_rng(2).integers(0, 256, (3, 8, 8, 1), dtype=np.uint8)
    fitted = pretrained.fitted(digits, base.entry)
    assert fitted.shape == (3, 96, 96, 3)
    assert (fitted[..., 0] == fitted[..., 1]).all()


def test_features_are_the_means_of_the_channels(base: pretrained.Base, pictures: np.ndarray) -> None:
    features = pretrained.feature_model(base.model, ("shapes_2_relu", "objects_2_relu"))
    maps = keras.Model(base.model.inputs[0], [base.model.get_layer(name).output for name in base.stages[1:]])
    early, late = (np.asarray(each) for each in maps.predict_on_batch(pictures.astype(np.float32) / 255))
    found = pretrained.outputs_of(features, pictures, lambda: None, batch=3)
    np.testing.assert_allclose(found, np.hstack([early.mean((1, 2)), late.mean((1, 2))]), atol=1e-5)


def test_a_new_head_makes_one_flat_network_of_the_base(base: pretrained.Base, pictures: np.ndarray) -> None:
    head = head_of(4)
    model = pretrained.with_head(base.copied(), base.chosen([1]), head, "whole")
    # The base without its twelve logits, 128 × 12 + 12 weights, and with four: 128 × 4 + 4.
    assert model.count_params() == 431_412 - 1548 + 516
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    kernel, bias = head[0].get_weights()
    features = pretrained.outputs_of(pretrained.feature_model(base.model, base.chosen([1])), pictures, lambda: None)
    logits = pretrained.outputs_of(model, pictures, lambda: None)
    np.testing.assert_allclose(logits, features @ kernel + bias, atol=1e-4)


def test_only_the_last_layers_learn_and_batch_normalisation_never(base: pretrained.Base, pictures: np.ndarray) -> None:
    model = pretrained.with_head(base.copied(), base.chosen([1]), head_of(2), "tuned")
    learning = pretrained.unfreeze(model, 2)
    assert [layer.name for layer in learning] == ["objects_1_conv", "objects_2_conv"]
    before = {weight.path: keras.ops.convert_to_numpy(weight) for weight in model.weights}
    model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pictures.astype(np.float32) / 255, np.array([0, 1, 0, 1, 0]), verbose=0)
    changed = {
        weight.path.split("/")[0]
        for weight in model.weights
        if not np.array_equal(before[weight.path], keras.ops.convert_to_numpy(weight))
    }
    assert changed == {"objects_1_conv", "objects_2_conv", pretrained.CLASSES_LAYER}


def test_training_a_copy_leaves_the_shared_network_alone(base: pretrained.Base) -> None:
    before = base.model.get_weights()
    copied = base.copied()
    copied.set_weights([np.zeros_like(weight) for weight in copied.get_weights()])
    for old, new in zip(before, base.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_everything_may_learn_or_nothing_of_the_base(base: pretrained.Base) -> None:
    model = pretrained.with_head(base.copied(), base.chosen([1]), head_of(2), "tuned")
    assert len(pretrained.unfreeze(model, None)) == 8
    assert pretrained.unfreeze(model, 0) == ()
    assert [weight.path for weight in model.trainable_weights] == ["class_logits/kernel", "class_logits/bias"]


def test_a_network_cut_in_two_computes_the_same(base: pretrained.Base, pictures: np.ndarray) -> None:
    model = pretrained.with_head(base.copied(), base.chosen([1]), head_of(3), "whole")
    parts = pretrained.cut(model, model.get_layer("parts_1_conv"))
    assert parts is not None
    front, back = parts
    assert front.output_shape == (None, 12, 12, 48)
    maps = pretrained.outputs_of(front, pictures, lambda: None)
    whole = pretrained.outputs_of(model, pictures, lambda: None)
    np.testing.assert_allclose(pretrained.outputs_of(back, maps, lambda: None), whole, atol=1e-4)


def test_a_network_is_not_cut_where_a_shortcut_leads_around() -> None:
    model = residual_network()
    assert pretrained.cut(model, model.get_layer("third")) is not None
    assert pretrained.cut(model, model.get_layer("second")) is not None, "the shortcut begins right there"
    assert pretrained.cut(model, model.get_layer("within")) is None
    assert pretrained.cut(model, model.get_layer("added")) is None


def test_the_last_batch_is_filled_up_and_nothing_of_that_is_returned(base: pretrained.Base) -> None:
    looks = []
    doubled = keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(2.0)])
    inputs = np.arange(14, dtype=np.float32).reshape(7, 2)
    found = pretrained.outputs_of(doubled, inputs, lambda: looks.append(1), batch=3)
    np.testing.assert_array_equal(found, 2 * inputs)
    assert len(looks) == 3
