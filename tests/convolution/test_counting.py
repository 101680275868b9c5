"""What layers cost, as the lectures and the papers count it, and as Keras counts its layers' weights."""

from __future__ import annotations

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.convolution import counting
from tests.convolution.keras_layers import EXAMPLES


@pytest.mark.slow
@EXAMPLES
@given(st.data())
def test_parameters_are_those_of_keras_layers(data: st.DataObject) -> None:
    kernel_size = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    groups = data.draw(st.integers(1, 3))
    channels, filters = groups * data.draw(st.integers(1, 4)), groups * data.draw(st.integers(1, 4))
    multiplier, bias = data.draw(st.integers(1, 3)), data.draw(st.booleans())
    layers = keras.layers
    pairs = [
        (
            layers.Conv2D(filters, kernel_size, groups=groups, use_bias=bias),
            counting.conv2d(kernel_size, channels, filters, (4, 4), groups=groups, use_bias=bias),
        ),
        (
            layers.DepthwiseConv2D(kernel_size, depth_multiplier=multiplier, use_bias=bias),
            counting.depthwise_conv2d(kernel_size, channels, (4, 4), depth_multiplier=multiplier, use_bias=bias),
        ),
        (
            layers.SeparableConv2D(filters, kernel_size, depth_multiplier=multiplier, use_bias=bias),
            counting.separable_conv2d(
                kernel_size, channels, filters, (4, 4), depth_multiplier=multiplier, use_bias=bias
            ),
        ),
        (
            layers.Conv2DTranspose(filters, kernel_size, use_bias=bias),
            counting.conv2d_transpose(kernel_size, channels, filters, (4, 4), use_bias=bias),
        ),
    ]
    for layer, cost in pairs:
        layer.build((None, 8, 8, channels))
        assert cost.parameters == layer.count_params()
    sequence = layers.Conv1D(filters, kernel_size[0], groups=groups, use_bias=bias)
    sequence.build((None, 8, channels))
    assert counting.conv1d(kernel_size[0], channels, filters, 4, groups=groups, use_bias=bias).parameters == (
        sequence.count_params()
    )
    dense = layers.Dense(filters, use_bias=bias)
    dense.build((None, channels))
    assert counting.dense(channels, filters, use_bias=bias).parameters == dense.count_params()


def test_mobilenets_internal_layer() -> None:
    whole = counting.conv2d((3, 3), 512, 512, (14, 14), use_bias=False)
    assert (whole.multiply_adds, whole.weights) == (462_422_016, 2_359_296)
    separable = counting.separable_conv2d((3, 3), 512, 512, (14, 14), use_bias=False)
    assert (separable.multiply_adds, separable.weights) == (52_283_392, 266_752)
    assert separable.multiply_adds / whole.multiply_adds == pytest.approx(1 / 512 + 1 / 9)
    narrow = counting.separable_conv2d((3, 3), 384, 384, (14, 14), use_bias=False)
    assert (narrow.multiply_adds, narrow.weights) == (29_578_752, 150_912)
    assert counting.separable_conv2d((3, 3), 384, 384, (10, 10), use_bias=False).multiply_adds == 15_091_200


def test_an_edge_detector_of_two_weights_against_a_dense_layer() -> None:
    assert counting.dense_equivalent((280, 320), (280, 319), use_bias=False).weights == 8_003_072_000
    assert counting.conv2d((1, 2), 1, 1, (280, 319), use_bias=False).weights == 2


def test_a_large_kernel_against_three_small_ones() -> None:
    assert counting.conv2d((7, 7), 1, 1, (1, 1), use_bias=False).weights == 49
    assert 3 * counting.conv2d((3, 3), 1, 1, (1, 1), use_bias=False).weights == 27
    channels = 10
    assert counting.conv2d((7, 7), channels, channels, (1, 1), use_bias=False).weights == 49 * channels**2
    assert 3 * counting.conv2d((3, 3), channels, channels, (1, 1), use_bias=False).weights == 27 * channels**2


def test_a_bottleneck_saves_work() -> None:
    direct = counting.conv2d((3, 3), 256, 192, (28, 28))
    bottleneck = counting.conv2d((1, 1), 256, 64, (28, 28)) + counting.conv2d((3, 3), 64, 192, (28, 28))
    assert direct.multiply_adds == 346_816_512
    assert bottleneck.multiply_adds == 99_549_184


def test_an_inception_module_with_and_without_reductions() -> None:
    def conv(size: int, channels: int, filters: int) -> int:
        return counting.conv2d((size, size), channels, filters, (28, 28)).multiply_adds

    assert conv(1, 256, 128) + conv(3, 256, 192) + conv(5, 256, 96) == 854_196_224
    reduced = conv(1, 256, 64) + conv(3, 64, 192) + conv(1, 256, 64) + conv(5, 64, 96) + conv(1, 256, 64)
    assert reduced + conv(1, 256, 128) == 271_351_808


def test_lenet_5_as_the_slides_draw_it() -> None:
    layers = [
        counting.conv2d((5, 5), 1, 6, (28, 28)),
        counting.conv2d((5, 5), 6, 16, (10, 10)),
        counting.dense(400, 120),
        counting.dense(120, 84),
        counting.dense(84, 10),
    ]
    assert [layer.parameters for layer in layers] == [156, 2_416, 48_120, 10_164, 850]
    assert sum(layers, counting.Cost(0, 0, 0)).parameters == 61_706


def test_a_small_network_on_digits() -> None:
    assert counting.conv2d((3, 3), 1, 32, (28, 28)).parameters == 320
    assert counting.dense(28 * 28 * 32, 10).parameters == 250_890


def test_a_dense_neuron_on_a_small_photo() -> None:
    assert counting.dense(200 * 200 * 3, 1).weights == 120_000


def test_more_groups_cost_less() -> None:
    costs = [counting.conv2d((3, 3), 8, 8, (6, 6), groups=groups).weights for groups in (1, 2, 4, 8)]
    assert costs == [576, 288, 144, 72]
    assert counting.depthwise_conv2d((3, 3), 8, (6, 6)).weights == 72
