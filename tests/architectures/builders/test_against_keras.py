"""Networks that keras.applications has too are the same there: layer by layer, and in what they compute."""

import keras
import numpy as np
import pytest

from explorer.architectures.builders.densenet import densenet
from explorer.architectures.builders.mobilenet import mobilenet
from explorer.architectures.builders.mobilenet_v2 import mobilenet_v2, multiple_of_8
from explorer.architectures.builders.resnet import resnet
from explorer.architectures.builders.vgg import vgg
from explorer.architectures.builders.xception import xception
from tests.architectures.builders.built import parameters, without_weights

applications = keras.applications

SAME = [
    pytest.param(vgg, {"depth": 16}, applications.VGG16, {}, id="VGG16"),
    pytest.param(vgg, {"depth": 19}, applications.VGG19, {}, id="VGG19"),
    pytest.param(resnet, {"depth": 50, "bias": True}, applications.ResNet50, {}, id="ResNet50"),
    pytest.param(
        resnet, {"depth": 101, "bias": True}, applications.ResNet101, {}, id="ResNet101", marks=pytest.mark.every
    ),
    pytest.param(
        resnet, {"depth": 152, "bias": True}, applications.ResNet152, {}, id="ResNet152", marks=pytest.mark.every
    ),
    pytest.param(densenet, {"depth": 121}, applications.DenseNet121, {}, id="DenseNet121"),
    pytest.param(densenet, {"depth": 169}, applications.DenseNet169, {}, id="DenseNet169", marks=pytest.mark.every),
    pytest.param(densenet, {"depth": 201}, applications.DenseNet201, {}, id="DenseNet201", marks=pytest.mark.every),
    pytest.param(xception, {}, applications.Xception, {}, id="Xception"),
    pytest.param(mobilenet, {}, applications.MobileNet, {}, id="MobileNet"),
    pytest.param(mobilenet, {"alpha": 0.25}, applications.MobileNet, {"alpha": 0.25}, id="MobileNet-0.25"),
    pytest.param(mobilenet_v2, {}, applications.MobileNetV2, {}, id="MobileNetV2"),
    pytest.param(mobilenet_v2, {"alpha": 1.4}, applications.MobileNetV2, {"alpha": 1.4}, id="MobileNetV2-1.4"),
    pytest.param(mobilenet_v2, {"alpha": 0.35}, applications.MobileNetV2, {"alpha": 0.35}, id="MobileNetV2-0.35"),
]

# Layers to which Keras gives another name, or only a number.
RENAMED = {"conv_preds": "predictions"}


def pairs(ours, theirs):
    """Yield (our layer, Keras' layer) for each layer of Keras' that has weights."""
    names = {layer.name for layer in ours.layers}
    unnamed = {
        kind: iter([layer for layer in ours.layers if layer.name.endswith(f"_shortcut_{kind}")])
        for kind in ("conv", "bn")
    }
    for layer in theirs.layers:
        if not layer.weights:
            continue
        name = RENAMED.get(layer.name, layer.name)
        if name in names:
            yield ours.get_layer(name), layer
        else:
            yield next(unnamed["conv" if isinstance(layer, keras.layers.Conv2D) else "bn"]), layer


def sides(layer):
    """Return a layer's output shape; MobileNet in Keras keeps 1 × 1 maps where ours has vectors."""
    return [side for side in layer.output.shape[1:] if side != 1]


@pytest.mark.slow
@pytest.mark.parametrize(("build", "arguments", "application", "options"), SAME)
def test_layer_by_layer_as_in_keras(build, arguments, application, options):
    ours = without_weights(build, **arguments)
    theirs = without_weights(application, weights=None, **options)
    assert ours.input_shape == theirs.input_shape
    matched = list(pairs(ours, theirs))
    assert len(matched) == sum(bool(layer.weights) for layer in ours.layers)
    for own, layer in matched:
        assert parameters(own) == parameters(layer), own.name
        assert sides(own) == sides(layer), own.name
    # Layers without weights that have one name in both: activations, sums, poolings.
    common = {layer.name for layer in ours.layers} & {layer.name for layer in theirs.layers}
    for name in common:
        assert sides(ours.get_layer(name)) == sides(theirs.get_layer(name)), name


SMALL = [
    pytest.param(vgg, {"depth": 16, "input_side": 32}, applications.VGG16, {}, id="VGG16", marks=pytest.mark.every),
    pytest.param(
        resnet, {"depth": 50, "bias": True, "input_side": 64}, applications.ResNet50, {}, id="ResNet50",
        marks=pytest.mark.every,
    ),
    pytest.param(densenet, {"input_side": 64}, applications.DenseNet121, {}, id="DenseNet121", marks=pytest.mark.every),
    pytest.param(xception, {"input_side": 75}, applications.Xception, {}, id="Xception", marks=pytest.mark.every),
    pytest.param(mobilenet, {"alpha": 0.25, "rho": 1 / 7}, applications.MobileNet, {"alpha": 0.25}, id="MobileNet"),
    pytest.param(
        mobilenet_v2, {"alpha": 0.35, "input_side": 64}, applications.MobileNetV2, {"alpha": 0.35}, id="MobileNetV2"
    ),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("build", "arguments", "application", "options"), SMALL)
def test_with_the_same_weights_the_same_probabilities_as_keras(build, arguments, application, options):
    ours = build(classes=20, **arguments)
    theirs = application(weights=None, classes=20, input_shape=ours.input_shape[1:], **options)
    random = np.random.default_rng(0)
    for own, layer in pairs(ours, theirs):
        # Biases, means and variances start as zeros and ones, with which a difference would not show.
        values = [
            weight + random.uniform(0, 0.1, weight.shape) if weight.ndim == 1 else weight
            for weight in layer.get_weights()
        ]
        layer.set_weights(values)
        own.set_weights([value.reshape(weight.shape) for value, weight in zip(values, own.weights, strict=True)])
    pictures = random.uniform(0, 1, (2, *ours.input_shape[1:])).astype("float32")
    found, expected = np.asarray(ours(pictures)), np.asarray(theirs(pictures))
    assert np.ptp(expected, axis=1).min() > 1e-4, "the network says something"
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_filters_are_rounded_to_eights_but_never_lose_a_tenth():
    assert [multiple_of_8(filters) for filters in (1, 8, 11, 12, 16.8, 19, 22.4, 44.8)] == [
        8,
        8,
        16,
        16,
        16,
        24,
        24,
        48,
    ]
