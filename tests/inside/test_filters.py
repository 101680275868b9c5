"""The filter behind a channel: its numbers against Keras' own weights and against what the layer computes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers as L

from explorer.inside.filters import filter_of, origins, view_of
from explorer.inside.layer_graph import read_graph
from explorer.networks.gradients import as_array
from explorer.networks.grey import Grey
from explorer.networks.work_context import NO_CONTEXT, SentenceError


@pytest.fixture(autouse=True)
def _same_numbers():
    keras.utils.set_random_seed(3)


def graph_of(inputs, outputs):
    return read_graph(keras.Model(inputs, outputs), "net")


def test_a_first_layers_filter_is_red_green_blue():
    inputs = keras.Input((8, 8, 3))
    conv = L.Conv2D(5, 3, name="conv", bias_initializer="normal")
    view = view_of(graph_of(inputs, L.ReLU(name="relu")(L.BatchNormalization(name="bn")(conv(inputs)))), "relu", 2)
    assert view.kind == "first layer colour"
    assert view.layer == "conv"
    np.testing.assert_array_equal(view.kernel, conv.get_weights()[0][..., 2])
    assert view.bias == pytest.approx(conv.get_weights()[1][2])
    assert view.sentence.startswith("Channel 2 of conv, handed on by bn, relu. Its 3 × 3 × 3 weights")


def test_colours_taken_as_blue_green_red_are_turned_round():
    inputs = keras.Input((8, 8, 3))
    conv = L.Conv2D(5, 3, name="conv")
    graph = graph_of(inputs, conv(L.ZeroPadding2D(1)(inputs)))
    view = view_of(graph, "conv", 0, "caffe")
    kernel = conv.get_weights()[0][..., 0]
    np.testing.assert_array_equal(view.kernel[..., 0], kernel[..., 2])
    np.testing.assert_array_equal(view.kernel[..., 2], kernel[..., 0])
    # The kernel's answer to a picture is the layer's answer to the picture turned round.
    picture = np.random.default_rng(0).normal(size=(3, 3, 3)).astype(np.float32)
    answer = conv(picture[None, ..., ::-1])[0, 0, 0, 0]
    assert float(answer) == pytest.approx(float((picture * view.kernel).sum()), rel=1e-5)
    assert "turned round" in view.sentence


def test_preparations_inside_the_network_still_leave_a_first_layer():
    inputs = keras.Input((8, 8, 3))
    x = L.Normalization(mean=[1, 2, 3], variance=[1, 1, 1])(L.Rescaling(1 / 255)(inputs))
    stem = keras.Sequential(
        [keras.Input((8, 8, 3)), L.ZeroPadding2D(1), L.Conv2D(4, 2, strides=2, name="conv")], name="stem"
    )
    view = view_of(graph_of(inputs, stem(x)), "stem/conv", 1)
    assert (view.kind, view.layer) == ("first layer colour", "stem/conv")


def test_a_deeper_filter_has_one_picture_for_each_input_channel():
    inputs = keras.Input((8, 8, 3))
    conv = L.Conv2D(6, 3, name="deep")
    view = view_of(graph_of(inputs, conv(L.Conv2D(7, 3)(inputs))), "deep", 5)
    assert view.kind == "per input channel"
    np.testing.assert_array_equal(view.kernel, conv.get_weights()[0][..., 5])
    assert view.input_channels == tuple(range(7))
    assert "cannot be read" in view.sentence
    assert "7 channels, which are not colours" in view.sentence


def test_three_channels_that_are_no_colours_are_not_taken_for_colours():
    inputs = keras.Input((8, 8, 3))
    view = view_of(graph_of(inputs, L.Conv2D(2, 3, name="second")(L.Conv2D(3, 1)(inputs))), "second", 0)
    assert view.kind == "per input channel"


def test_a_depthwise_filter_reads_one_channel():
    inputs = keras.Input((8, 8, 3))
    depthwise = L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")
    view = view_of(graph_of(inputs, depthwise(L.Conv2D(4, 1)(inputs))), "depthwise", 5)
    assert view.kind == "depthwise"
    assert view.input_channels == (2,)
    np.testing.assert_array_equal(view.kernel[..., 0], depthwise.get_weights()[0][:, :, 2, 1])
    assert "channel 2 of the input alone" in view.sentence
    # Channel 5 of the layer is the answer to channel 2 of its input.
    x = np.zeros((1, 3, 3, 4), np.float32)
    x[..., 2] = np.random.default_rng(0).normal(size=(3, 3))
    assert float(depthwise(x)[0, 0, 0, 5]) == pytest.approx(float((x[0, ..., 2] * view.kernel[..., 0]).sum()), rel=1e-5)


def test_a_separable_filter_is_the_product_of_its_two_steps():
    inputs = keras.Input((8, 8, 5))
    layer = L.SeparableConv2D(4, 3, depth_multiplier=2, name="separable", bias_initializer="normal")
    view = view_of(graph_of(inputs, layer(inputs)), "separable", 3)
    x = np.random.default_rng(0).normal(size=(1, 3, 3, 5)).astype(np.float32)
    assert float((x[0] * view.kernel).sum()) + view.bias == pytest.approx(float(layer(x)[0, 0, 0, 3]), rel=1e-4)


def test_a_grouped_filter_sees_its_group_only():
    inputs = keras.Input((8, 8, 6))
    layer = L.Conv2D(6, 3, groups=3, name="grouped")
    view = view_of(graph_of(inputs, layer(inputs)), "grouped", 3)
    assert view.input_channels == (2, 3)
    x = np.random.default_rng(0).normal(size=(1, 3, 3, 6)).astype(np.float32)
    assert float((x[0, ..., 2:4] * view.kernel).sum()) == pytest.approx(float(layer(x)[0, 0, 0, 3]), rel=1e-4)


def test_a_transposed_filter_is_what_one_cell_paints():
    inputs = keras.Input((8, 8, 4))
    layer = L.Conv2DTranspose(5, 3, strides=3, name="transposed")
    view = view_of(graph_of(inputs, layer(inputs)), "transposed", 1)
    x = np.random.default_rng(0).normal(size=(1, 1, 1, 4)).astype(np.float32)
    np.testing.assert_allclose(as_array(layer(x))[0, ..., 1], (view.kernel * x[0]).sum(-1), rtol=1e-4, atol=1e-6)


def test_dense_weights_behind_a_flattened_map_have_the_maps_shape():
    inputs = keras.Input((4, 3, 5))
    dense = L.Dense(2, name="dense", bias_initializer="normal")
    view = view_of(graph_of(inputs, dense(L.Dropout(0.5)(L.Flatten()(inputs)))), "dense", 1)
    assert (view.kind, view.kernel.shape) == ("dense", (4, 3, 5))
    x = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32)
    assert float((x * view.kernel).sum()) + view.bias == pytest.approx(float(dense(x.reshape(1, -1))[0, 1]), rel=1e-4)


def test_dense_weights_behind_pooling_are_one_for_each_channel():
    inputs = keras.Input((4, 4, 5))
    dense = L.Dense(2, name="dense")
    view = view_of(graph_of(inputs, dense(L.GlobalAveragePooling2D(name="average")(inputs))), "dense", 0)
    assert (view.kind, view.kernel.shape) == ("dense", (1, 1, 5))
    np.testing.assert_array_equal(view.kernel.ravel(), dense.get_weights()[0][:, 0])
    assert "each channel of average" in view.sentence


def test_dense_at_each_place_is_a_one_by_one_filter():
    inputs = keras.Input((4, 4, 5))
    view = view_of(graph_of(inputs, L.Dense(2, name="dense")(inputs)), "dense", 0)
    assert (view.kind, view.kernel.shape) == ("per input channel", (1, 1, 5))


def test_a_concatenation_leads_into_the_right_branch():
    inputs = keras.Input((8, 8, 3))
    a, b = L.Conv2D(4, 1, name="a"), L.Conv2D(6, 3, padding="same", name="b")
    x = L.Concatenate(name="both")([a(inputs), L.ReLU()(b(inputs)), inputs])
    graph = graph_of(inputs, L.BatchNormalization(name="bn")(x))
    assert (view_of(graph, "bn", 3).layer, view_of(graph, "bn", 3).channel) == ("a", 3)
    view = view_of(graph, "bn", 7)
    assert (view.layer, view.channel) == ("b", 3)
    np.testing.assert_array_equal(view.kernel, b.get_weights()[0][..., 3])
    picture = view_of(graph, "bn", 11)
    assert (picture.kind, picture.kernel) == ("none", None)
    assert "the picture's green" in picture.sentence


def test_a_sum_shows_the_main_paths_filter_and_names_the_rest():
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 1, name="stem")(inputs)
    y = L.Conv2D(4, 3, padding="same", name="main")(L.ReLU()(L.Conv2D(4, 3, padding="same")(x)))
    first = L.Add(name="first")([x, y])
    z = L.Conv2D(4, 3, padding="same", name="later")(first)
    second = L.ReLU(name="out")(L.Add(name="second")([first, z]))
    graph = graph_of(inputs, second)
    view = view_of(graph, "first", 1)
    assert (view.layer, view.others) == ("main", ("stem",))
    assert view.sentence.endswith("joined with it is channel 1 of stem.")
    view = view_of(graph, "out", 2)
    assert (view.layer, view.others) == ("later", ("first",))
    assert "all that first holds" in view.sentence


def test_a_gate_is_passed_by():
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, name="conv")(inputs)
    gate = L.Dense(4, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    graph = graph_of(inputs, L.Multiply(name="gated")([x, gate]))
    assert view_of(graph, "gated", 3).layer == "conv"
    assert view_of(graph, "gated", 3).others == ()


def test_pooling_and_flattening_keep_the_channel():
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, name="conv")(inputs)
    graph = graph_of(inputs, L.Flatten(name="flat")(L.MaxPooling2D(2)(x)))
    # 3 × 3 places of 4 channels: number 14 is channel 2 of the fourth place.
    assert view_of(graph, "flat", 14).channel == 2


def test_the_input_has_no_filter():
    inputs = keras.Input((8, 8, 3), name="picture")
    graph = graph_of(inputs, L.Conv2D(4, 3)(inputs))
    assert "the picture's red" in view_of(graph, "picture", 0).sentence
    assert "the picture's blue" in view_of(graph, "picture", 0, "caffe").sentence


def test_attention_has_no_filter_for_a_channel():
    inputs = keras.Input((8, 4))
    x = L.Dense(4)(inputs)
    graph = graph_of(inputs, L.MultiHeadAttention(2, 2, name="attention")(x, x))
    view = view_of(graph, "attention", 0)
    assert view.kind == "none"
    assert "attention makes it from many channels" in view.sentence


def test_code_between_layers_is_not_guessed():
    class Code(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.relu = L.Conv2D(4, 3, name="conv"), L.ReLU(name="relu")

        def call(self, x):
            return self.relu(keras.ops.flip(self.conv(x), axis=-1))

    graph = read_graph(Code(), "code", (8, 8, 3))
    assert view_of(graph, "conv", 1).layer == "conv"
    assert view_of(graph, "relu", 1).kind == "none"


def test_a_channel_that_is_not_there_is_a_sentence():
    with pytest.raises(SentenceError, match="24 channels; there is no channel 24"):
        filter_of(NO_CONTEXT, "drawn_plain", "random", "stem_relu", 24)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ConvNeXtTiny", "NASNetMobile", "EfficientNetB0", "DenseNet121"])
def test_every_channel_of_known_networks_leads_somewhere(name):
    if name == "NASNetMobile" and keras.backend.backend() == "torch":
        pytest.skip("Keras does not build it on PyTorch")
    keras.backend.clear_session()
    side = 64
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), include_top=False)
    graph = read_graph(model, name)
    for path, info in graph.structure.layers.items():
        for channel in (0, (info.channels or 1) - 1):
            for origin in origins(graph, path, channel):
                assert origin.kind != "mixed", (path, origin)
                assert origin.channel < (graph.structure.layers[origin.path].channels or 0)


@pytest.mark.parametrize(
    "prepare", [lambda x: Grey()(x), lambda x: L.Rescaling(2.0)(Grey()(x))], ids=["grey", "scaled"]
)
def test_a_first_layer_that_reads_brightness_is_a_small_grey_picture(prepare):
    inputs = keras.Input((8, 8, 3))
    conv = L.Conv2D(4, 5, name="conv")
    graph = graph_of(inputs, L.Conv2D(2, 3, name="deep")(L.Conv2D(1, 1, name="one")(conv(prepare(inputs)))))
    view = view_of(graph, "conv", 1)
    assert "5 × 5 weights stand for the picture's brightness" in view.sentence
    np.testing.assert_array_equal(view.kernel[..., 0], conv.get_weights()[0][:, :, 0, 1])
    # One channel deeper in the network is no brightness.
    assert "abstract answer" in view_of(graph, "deep", 0).sentence


def test_a_grey_input_is_brightness_too():
    inputs = keras.Input((8, 8, 1))
    assert "brightness" in view_of(graph_of(inputs, L.Conv2D(4, 5, name="conv")(inputs)), "conv", 0).sentence
