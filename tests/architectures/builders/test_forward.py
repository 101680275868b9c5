"""Every family runs: a small picture in, probabilities out, and the same again after saving."""

import keras
import numpy as np
import pytest
from keras import layers

from explorer.architectures.builders.highway import highway_layer
from explorer.architectures.builders.lenet import PartialConvolution, WeightPerMap
from explorer.architectures.builders.local_response_normalization import LocalResponseNormalization
from explorer.architectures.builders.shufflenet import shuffle_unit
from explorer.architectures.builders.stochastic_depth import RandomSurvival
from tests.architectures.builders.built import builder

# The smallest of each family that still has all its parts.
SMALL = [
    ("mnist.cnn2", {}),
    ("mnist.dense_mnist", {}),
    ("mnist.conv_mnist", {}),
    ("lenet.lenet5", {}),
    ("alexnet.alexnet", {"input_side": 67, "classes": 10}),
    ("alexnet.alexnet", {"input_side": 67, "classes": 10, "groups": False}),
    ("zfnet.zfnet", {"input_side": 53, "classes": 10}),
    ("vgg.vgg", {"depth": 11, "input_side": 32, "classes": 10}),
    ("vgg.vgg", {"depth": 11, "input_side": 32, "classes": 10, "batch_norm": True}),
    ("googlenet.googlenet", {"input_side": 64, "classes": 10}),
    ("highway.highway", {}),
    ("highway.highway_mnist", {}),
    ("resnet.resnet", {"depth": 18, "input_side": 32, "classes": 10}),
    ("resnet.resnet", {"depth": 18, "input_side": 32, "classes": 10, "shortcut": "identity"}),
    ("resnet.resnet_cifar", {"depth": 20}),
    ("resnext.resnext", {"input_side": 32, "classes": 10}),
    ("senet.se_resnet", {"depth": 18, "input_side": 32, "classes": 10}),
    ("senet.se_resnext", {"input_side": 32, "classes": 10}),
    ("wide_resnet.wide_resnet", {"depth": 16, "k": 2, "dropout": 0.3}),
    ("stochastic_depth.stochastic_depth_resnet", {"depth": 20}),
    ("densenet.densenet", {"input_side": 32, "classes": 10}),
    ("xception.xception", {"input_side": 71, "classes": 10}),
    ("small_xception.small_xception", {"input_side": 64, "classes": 3}),
    ("mobilenet.mobilenet", {"alpha": 0.25, "rho": 1 / 7, "classes": 10}),
    ("mobilenet.mobilenet", {"alpha": 0.25, "rho": 1 / 7, "classes": 10, "separable": False}),
    ("mobilenet_v2.mobilenet_v2", {"alpha": 0.35, "input_side": 32, "classes": 10}),
    ("squeezenet.squeezenet", {"input_side": 63, "classes": 10}),
    ("squeezenet.squeezenet", {"input_side": 64, "version": "1.1", "classes": 10}),
    ("shufflenet.shufflenet", {"input_side": 32, "classes": 10}),
    ("shufflenet.shufflenet", {"input_side": 32, "classes": 10, "groups": 8, "scale": 0.5}),
]
# Hundreds of layers, or tens of millions of weights.
LARGE = {"vgg.vgg", "resnext.resnext", "senet.se_resnext", "densenet.densenet", "xception.xception"}


def cases():
    for name, arguments in SMALL:
        label = "-".join([name.partition(".")[2], *(str(value) for value in arguments.values())])
        yield pytest.param(name, arguments, id=label, marks=[pytest.mark.every] if name in LARGE else [])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arguments"), cases())
def test_a_picture_goes_in_and_probabilities_come_out(name, arguments):
    model = builder(name)(**arguments)
    pictures = np.random.default_rng(0).uniform(0, 1, (2, *model.input_shape[1:])).astype("float32")
    scores = np.asarray(model(pictures))
    assert scores.shape == (2, arguments.get("classes", 10))
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-4)


def test_lenet_of_1998_scores_by_distance():
    scores = np.asarray(builder("lenet.lenet5")(variant="1998")(np.zeros((2, 32, 32, 1), "float32")))
    assert scores.shape == (2, 10)
    assert (scores < 0).all()


def test_one_output_says_how_sure_the_small_xception_is():
    score = np.asarray(builder("small_xception.small_xception")(input_side=64)(np.zeros((1, 64, 64, 3), "float32")))
    assert score.shape == (1, 1)
    assert 0 < score.item() < 1


@pytest.mark.every
def test_googlenet_has_an_opinion_in_three_places():
    model = builder("googlenet.googlenet")(auxiliary=True, input_side=80, classes=10)
    outputs = model(np.zeros((1, 80, 80, 3), "float32"))
    assert [tuple(output.shape) for output in outputs] == [(1, 10)] * 3


@pytest.mark.every
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_unet_gives_each_pixel_its_probabilities(padding):
    side, out = (188, 4) if padding == "valid" else (32, 32)
    scores = np.asarray(builder("unet.unet")(side=side, classes=3, padding=padding)(np.zeros((1, side, side, 1))))
    assert scores.shape == (1, out, out, 3)
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("highway.highway_mnist", {}),
        ("resnet.resnet_cifar", {"depth": 20}),
        ("stochastic_depth.stochastic_depth_resnet", {"depth": 20}),
        ("shufflenet.shufflenet", {"input_side": 32, "classes": 10, "scale": 0.5}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_saved_network_says_the_same(name, arguments, tmp_path):
    model = builder(name)(**arguments)
    model.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    picture = np.random.default_rng(0).uniform(0, 1, (1, *model.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(np.asarray(again(picture)), np.asarray(model(picture)), rtol=1e-5)


@pytest.mark.every
@pytest.mark.parametrize(
    "block",
    [
        lambda x: shuffle_unit(x, 24, 3, 1, "unit"),
        lambda x: highway_layer(x, "layer", -2.0),
        lambda x: RandomSurvival(0.5, seed=0)(layers.Conv2D(4, 3)(x)),
        lambda x: PartialConvolution([(0, 1), (1, 2)], 3)(LocalResponseNormalization()(layers.Conv2D(3, 1)(x))),
        lambda x: WeightPerMap()(x),
    ],
    ids=["shuffle_unit", "highway_layer", "random_survival", "partial_convolution", "weight_per_map"],
)
def test_own_blocks_learn(block):
    image = keras.Input((8, 8, 24))
    scores = layers.Dense(2)(layers.GlobalAveragePooling2D()(block(image)))
    model = keras.Model(image, scores)
    model.compile("sgd", "mse")
    before = [np.array(weight) for weight in model.trainable_weights]
    random = np.random.default_rng(0)
    model.fit(random.normal(size=(16, 8, 8, 24)), random.normal(size=(16, 2)), batch_size=2, verbose=0)
    after = [np.array(weight) for weight in model.trainable_weights]
    assert all((old != new).any() for old, new in zip(before, after, strict=True))
