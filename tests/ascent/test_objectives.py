"""What an objective says is what the network's activations and weights say, on every kind of network."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers as L

from explorer.ascent.objectives import centre_window, last_maps, objective_of, selection_of
from explorer.ascent.passing import picture_shape, preactivation, prepared
from explorer.ascent.results import Plan
from explorer.networks import preprocessing
from explorer.networks.activations import activations
from explorer.networks.gradients import WithGradient, as_array
from explorer.networks.tap import lock_of
from explorer.networks.work_context import SentenceError
from tests.ascent.small_networks import SIDE, dead, filled, linear, nested, plain, sequential
from tests.networks.model_kinds import KINDS, made

pytestmark = pytest.mark.backends


def batch(count=2, shape=(SIDE, SIDE, 3)):
    return np.random.default_rng(3).uniform(size=(count, *shape)).astype(np.float32)


def value(network, plan, x, leak=0.0):
    objective = objective_of(network, plan, x.shape[1:3])
    selection, _ = selection_of(plan, objective.width)
    with lock_of(network):
        answers, _ = objective.values(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(selection), leak)
    return as_array(answers)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_channel_is_the_mean_of_its_map_in_every_kind_of_network(kind):
    network = made(kind)
    layer = {
        "nested": "inner/conv_2", "shared_layer": "conv#2", "shared_model": "difference", "branches": "mixed",
        "residual": "block2_add", "subclassed": "block/out", "composite": "block/out",
    }.get(kind, "conv")  # fmt: skip
    x = batch(2, (8, 8, 3))
    if kind == "subclassed":
        network.build((None, 8, 8, 3))
    maps = activations(network, x, [layer])[layer]
    before = np.arctanh(maps) if preactivation(network, layer).kind == "inside" else maps
    found = value(network, Plan("", objective="channel", layer=layer, targets=(0, 1)), x)
    np.testing.assert_allclose(found, [before[0, ..., 0].mean(), before[1, ..., 1].mean()], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("activation", ["relu", "relu6", "gelu", "silu"])
@pytest.mark.parametrize("own_layer", [True, False])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_what_stands_before_the_activation_is_wanted_and_the_network_left_as_it_was(activation, own_layer, norm):
    network = plain(activation=activation, own_layer=own_layer, norm=norm)
    x = batch()
    answer = as_array(network(x))
    layer = "act_1" if own_layer else "conv_1"
    if own_layer:
        expected = activations(network, x, ["norm_1"])["norm_1"]
    else:
        kernel, bias = network.get_layer("conv_1").get_weights()
        expected = as_array(keras.ops.conv(x, kernel, padding="same")) + bias
    found = value(network, Plan("", objective="channel", layer=layer, targets=(2, 5)), x)
    np.testing.assert_allclose(found, [expected[0, ..., 2].mean(), expected[1, ..., 5].mean()], atol=1e-5)
    assert preactivation(network, layer).kind == ("before" if own_layer else "inside")
    np.testing.assert_array_equal(as_array(network(x)), answer)


def test_neuron_direction_and_layer():
    network = plain()
    x = batch()
    maps = activations(network, x, ["norm_2"])["norm_2"]
    found = value(network, Plan("", objective="neuron", layer="act_2", targets=(1, 4)), x)
    np.testing.assert_allclose(found, [maps[0, 3, 3, 1], maps[1, 3, 3, 4]], atol=1e-5)
    found = value(network, Plan("", objective="neuron", layer="act_2", targets=(1, 4), cell=(0, 5)), x)
    np.testing.assert_allclose(found, [maps[0, 0, 5, 1], maps[1, 0, 5, 4]], atol=1e-5)
    direction = (3.0, 0, 0, 0, 0, 0, 0, 4.0)
    plan = Plan("", objective="direction", layer="act_2", direction=direction, copies=2)
    expected = (0.6 * maps[..., 0] + 0.8 * maps[..., 7]).mean(axis=(1, 2))
    np.testing.assert_allclose(value(network, plan, x), expected, atol=1e-5)
    found = value(network, Plan("", objective="layer", layer="act_2", targets=(), copies=2), x)
    np.testing.assert_allclose(found, (np.maximum(maps, 0) ** 2).mean(axis=(1, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize("softmax", [False, True])
def test_a_class_is_its_logit_also_behind_a_softmax(softmax):
    network = plain(softmax=softmax)
    x = batch()
    features = activations(network, x, ["average"])["average"]
    weights, bias = network.get_layer("logits").get_weights()
    logits = features @ weights + bias
    found = value(network, Plan("", objective="class", targets=(4, 0)), x)
    np.testing.assert_allclose(found, [logits[0, 4], logits[1, 0]], atol=1e-4)


@pytest.mark.parametrize("build", [plain, nested])
def test_class_evidence_is_the_classs_lead_over_the_others_in_the_centre(build):
    network = build()
    path = "act_2" if build is plain else "base"
    x = batch()
    assert last_maps(network) == (path, True)
    maps = activations(network, x, [path])[path]
    window = centre_window(*maps.shape[1:3])[0, ..., 0] > 0
    weights, bias = network.get_layer("logits").get_weights()
    logits = maps[:, window].mean(axis=1) @ weights + bias
    leads = logits - (logits.sum(axis=1, keepdims=True) - logits) / 4
    found = value(network, Plan("", objective="class_evidence", targets=(1, 3)), x)
    np.testing.assert_allclose(found, [leads[0, 1], leads[1, 3]], atol=1e-4)


def test_a_network_that_does_not_average_says_that_the_whole_image_counts():
    network = sequential()
    objective = objective_of(network, Plan("", targets=(0,)), (SIDE, SIDE))
    assert "does not average" in objective.notes[0]


def test_one_class_has_no_others():
    network, weights = linear(classes=1)
    x = batch(1)
    found = value(network, Plan("", objective="class_evidence", targets=(0,)), x)
    np.testing.assert_allclose(found, x.reshape(1, -1) @ weights[:, 0] + network.get_weights()[1], atol=1e-4)


def test_a_shut_relus_gradient_is_redirected_where_there_is_no_preactivation():
    network = dead()
    assert preactivation(network, "relu").kind == "before"
    assert preactivation(network, "joined").kind == "redirected"
    assert preactivation(network, "conv").kind == "as it is"
    plan = Plan("", objective="channel", layer="joined", targets=(0,))
    objective = objective_of(network, plan, (SIDE, SIDE))
    assert objective.redirects and objective.notes
    selection, _ = selection_of(plan, objective.width)

    def total(x, leak):
        answers, _ = objective.values(x, keras.ops.convert_to_tensor(selection), leak)
        return keras.ops.sum(answers), answers

    run = WithGradient(total, network=network, compiled=False)
    with lock_of(network):
        _, shut, nothing = run(batch(1), 0.0)
        _, same, something = run(batch(1), 1.0)
    assert not as_array(nothing).any()
    np.testing.assert_array_equal(as_array(shut), as_array(same))
    # What a linear layer would pass on: the kernel, spread over the picture.
    kernel = network.get_layer("conv").get_weights()[0][..., 0].sum(axis=(0, 1)) / SIDE**2
    np.testing.assert_allclose(as_array(something)[0, 5, 5], kernel, rtol=1e-3)


def test_one_channel_and_oblong_pictures():
    picture = keras.Input((10, 14, 1))
    network = filled(keras.Model(picture, L.Conv2D(2, 3, name="conv")(picture)))
    assert picture_shape(network) == (10, 14, 1)
    assert picture_shape(network, 28) == (20, 28, 1)
    x = batch(1, (10, 14, 1))
    expected = activations(network, x, ["conv"])["conv"][0, ..., 1].mean()
    found = value(network, Plan("", objective="channel", layer="conv", targets=(1,)), x)
    np.testing.assert_allclose(found, [expected], atol=1e-5)
    with pytest.raises(SentenceError, match="does not answer with classes"):
        objective_of(network, Plan("", targets=(0,)), (10, 14))


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (Plan("", objective="channel", layer="nowhere"), "no layer 'nowhere'"),
        (Plan("", objective="channel"), "Choose a layer"),
        (Plan("", objective="channel", layer="act_1", targets=(6,)), "6 channels"),
        (Plan("", objective="class", targets=(5,)), "5 classes"),
        (Plan("", objective="neuron", layer="act_2", cell=(6, 0)), "6 × 6 cells"),
        (Plan("", objective="direction", layer="act_2", direction=(1.0,)), "each of the layer's 8"),
    ],
)
def test_what_is_not_there_is_a_sentence(plan, sentence):
    network = plain()
    with pytest.raises(SentenceError, match=sentence):
        selection_of(plan, objective_of(network, plan, (SIDE, SIDE)).width)


@pytest.mark.parametrize("mode", ["zero_one", "tf", "caffe", "torch", "included"])
def test_pictures_are_prepared_as_the_network_was_trained(mode):
    entry = SimpleNamespace(preprocessing=mode, name="any")
    pictures = batch()
    found = prepared(SimpleNamespace(entry=entry), keras.ops.convert_to_tensor(pictures))
    np.testing.assert_allclose(as_array(found), preprocessing.prepare(pictures * 255, entry), atol=2e-4)


def chain(
    width=40,
    *,
    activation=False,
    bias=True,
    strides=1,
    padding="same",
    dilation=1,
    norms=1,
    own_layer=True,
    first="relu",
):
    """A network whose last maps are a convolution's, with so many batch normalizations behind it."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = L.Conv2D(6, 3, activation=first, name="first")(inputs)
    x = L.Conv2D(
        width, 3, strides=strides, padding=padding, dilation_rate=dilation, use_bias=bias, name="last",
        activation="gelu" if activation else None,
    )(x)  # fmt: skip
    for number in range(norms):
        x = L.BatchNormalization(name=f"norm_{number}", scale=number == 0, center=number != 0)(x)
    x = L.ReLU(name="act")(x) if own_layer else x
    return filled(keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling2D()(x))))


@pytest.mark.parametrize(("layer", "options"), [
    ("act", {}),
    ("act", {"norms": 2, "bias": False}),
    ("act", {"norms": 0, "strides": 2, "padding": "valid"}),
    ("act", {"dilation": 2}),
    ("act", {"dilation": 2, "padding": "valid", "norms": 0}),
    ("act", {"padding": "valid", "bias": False}),
    ("last", {"activation": True, "norms": 0, "own_layer": False}),
    ("last", {"own_layer": False, "first": "gelu"}),
    ("norm_0", {"own_layer": False, "first": "gelu"}),
])  # fmt: skip
@pytest.mark.parametrize("objective", ["channel", "neuron"])
def test_channels_computed_alone_are_those_of_the_whole_layer(layer, options, objective):
    network = chain(**options)
    plan = Plan("", objective=objective, layer=layer, targets=(7, 39, 7))
    wanted = objective_of(network, plan, (SIDE, SIDE))
    assert wanted.alone is not None
    x = keras.ops.convert_to_tensor(batch(3))
    whole = WithGradient(lambda x, s: (keras.ops.sum(wanted.values(x, s, 0.0)[0]), None), compiled=False)
    alone = WithGradient(lambda x, c: (keras.ops.sum(wanted.alone(x, c)), None), compiled=False)
    with lock_of(network):
        value_whole, _, by_whole = whole(x, selection_of(plan, wanted.width)[0])
        value_alone, _, by_alone = alone(x, np.array(plan.targets))
    np.testing.assert_allclose(as_array(value_alone), as_array(value_whole), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(as_array(by_alone), as_array(by_whole), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("layer", "network"), [
    ("act", lambda: chain(activation=True)),  # what is normalized is no convolution alone
    ("block2_add", lambda: made("residual")),
    ("norm_0", lambda: chain(activation=True)),
    ("last", lambda: chain()),  # ReLUs before it have to be redirected
])  # fmt: skip
def test_where_maps_are_more_than_one_convolution_the_whole_layer_is_computed(layer, network):
    assert objective_of(network(), Plan("", objective="channel", layer=layer), (SIDE, SIDE)).alone is None


def test_directions_and_copies_that_shall_differ_need_the_whole_layer():
    plan = Plan("", objective="direction", layer="act", direction=(1.0,) * 40)
    assert objective_of(chain(), plan, (SIDE, SIDE)).alone is None
