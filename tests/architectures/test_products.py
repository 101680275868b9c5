"""How many products a layer adds up.

The truth is the layer itself: with every weight and every input value 1 and no bias, each product is 1, and what a
layer puts out, added up, is the number of its products.
"""

import keras
import numpy as np
import pytest
from keras import layers

from explorer.architectures.products import Uncounted, has_kernel, multiply_adds


def shapes(layer, *inputs):
    batched = [(1, *shape) for shape in inputs]
    output = layer.compute_output_shape(batched[0] if len(batched) == 1 else batched)
    return list(inputs), tuple(output[1:])


def products_of(layer, shape):
    """Return the sum of what a layer of ones gives for ones."""
    layer.build((1, *shape))
    layer.set_weights([np.ones_like(weight) for weight in layer.get_weights()])
    return float(np.asarray(layer(np.ones((1, *shape), np.float32)), np.float64).sum())


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv2D(5, 3, use_bias=False), (9, 8, 4)),
        (layers.Conv2D(5, (3, 2), strides=2, use_bias=False), (9, 8, 4)),
        (layers.Conv2D(5, 3, dilation_rate=2, use_bias=False), (9, 8, 4)),
        (layers.Conv2D(6, 3, groups=2, use_bias=False), (9, 8, 4)),
        (layers.Conv2D(8, 3, groups=4, strides=2, use_bias=False), (9, 8, 4)),
        (layers.Conv1D(5, 4, strides=3, use_bias=False), (20, 3)),
        (layers.Conv3D(2, 3, use_bias=False), (5, 6, 7, 3)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), (9, 8, 4)),
        (layers.DepthwiseConv2D(3, strides=2, use_bias=False), (9, 8, 4)),
        (layers.DepthwiseConv1D(4, use_bias=False), (20, 3)),
        (layers.Conv2DTranspose(5, 3, strides=2, use_bias=False), (4, 5, 3)),
        (layers.Conv2DTranspose(5, 2, strides=3, use_bias=False), (4, 5, 3)),
        (layers.Conv1DTranspose(5, 4, strides=2, use_bias=False), (9, 3)),
        (layers.Dense(7, use_bias=False), (6,)),
        (layers.Dense(7, use_bias=False), (4, 5, 6)),
        (layers.EinsumDense("abc,cd->abd", output_shape=(4, 7)), (4, 6)),
        (layers.EinsumDense("...c,cd->...d", output_shape=(7,)), (4, 5, 6)),
    ],
    ids=lambda value: "×".join(map(str, value)) if isinstance(value, tuple) else type(value).__name__,
)
def test_a_layer_of_ones_adds_up_to_its_products(layer, shape):
    found = products_of(layer, shape)
    assert multiply_adds(layer, *shapes(layer, shape)) == found


def test_zeros_of_the_padding_count_as_the_papers_count_them():
    padded = layers.Conv2D(5, 3, padding="same")
    padded.build((1, 9, 8, 4))
    assert multiply_adds(padded, [(9, 8, 4)], (9, 8, 5)) == 9 * 8 * 3 * 3 * 4 * 5


def test_a_separable_convolution_costs_its_two_steps():
    one = layers.SeparableConv2D(10, 3, strides=2, padding="same", depth_multiplier=2)
    one.build((1, 9, 8, 4))
    depthwise = layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)
    depthwise.build((1, 9, 8, 4))
    pointwise = layers.Conv2D(10, 1)
    pointwise.build((1, 5, 4, 8))
    both = multiply_adds(depthwise, [(9, 8, 4)], (5, 4, 8)) + multiply_adds(pointwise, [(5, 4, 8)], (5, 4, 10))
    assert multiply_adds(one, [(9, 8, 4)], (5, 4, 10)) == both


def test_channels_may_come_first():
    one = layers.Conv2D(6, 3, groups=2, data_format="channels_first")
    assert multiply_adds(one, [(4, 9, 8)], (6, 7, 6)) == 7 * 6 * 9 * 2 * 6


@pytest.mark.parametrize(("kind", "matrices"), [(layers.SimpleRNN, 1), (layers.GRU, 3), (layers.LSTM, 4)])
def test_a_recurrent_layer_multiplies_input_and_state_at_every_step(kind, matrices):
    layer = kind(8)
    layer.build((1, 20, 5))
    kernels = sum(
        int(np.prod(weight.shape)) for weight in layer.weights if len(weight.shape) == 2 and "bias" not in weight.path
    )
    assert kernels == matrices * 8 * (5 + 8)
    assert multiply_adds(layer, [(20, 5)], (8,)) == 20 * kernels
    both_ways = layers.Bidirectional(kind(8))
    both_ways.build((1, 20, 5))
    assert multiply_adds(both_ways, [(20, 5)], (16,)) == 2 * 20 * kernels


def test_stacked_cells_feed_each_other():
    layer = layers.RNN([layers.LSTMCell(8), layers.GRUCell(3)])
    layer.build((1, 20, 5))
    assert multiply_adds(layer, [(20, 5)], (3,)) == 20 * (4 * 8 * (5 + 8) + 3 * 3 * (8 + 3))


def test_a_convolutional_recurrent_layer_convolves_input_and_state():
    layer = layers.ConvLSTM2D(6, 3, padding="same")
    layer.build((1, 4, 10, 12, 2))
    assert multiply_adds(layer, [(4, 10, 12, 2)], (10, 12, 6)) == 4 * 10 * 12 * 9 * 4 * 6 * (2 + 6)


def test_time_distributed_repeats_its_layer():
    layer = layers.TimeDistributed(layers.Conv2D(5, 3))
    layer.build((1, 7, 9, 8, 4))
    assert multiply_adds(layer, [(7, 9, 8, 4)], (7, 7, 6, 5)) == 7 * (7 * 6 * 9 * 4 * 5)


def test_attention_counts_projections_scores_and_weighted_sums():
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=3, value_dim=5)
    layer.build((1, 7, 8), (1, 11, 9))
    queries, keys, values, out = 7 * 8 * 2 * 3, 11 * 9 * 2 * 3, 11 * 9 * 2 * 5, 7 * 2 * 5 * 8
    looking = 7 * 11 * 2 * (3 + 5)
    assert multiply_adds(layer, [(7, 8), (11, 9)], (7, 8)) == queries + keys + values + looking + out
    plain = layers.Attention()
    assert multiply_adds(plain, [(7, 8), (11, 8)], (7, 8)) == 7 * 11 * (8 + 8)


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(), layers.LayerNormalization(), layers.PReLU(), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dropout(0.5), layers.UpSampling2D(2), layers.ReLU(),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_what_only_shifts_scales_or_picks_counts_nothing(layer):
    layer.build((1, 8, 8, 4))
    assert multiply_adds(layer, [(8, 8, 4)], (8, 8, 4)) == 0
    assert not has_kernel(layer)


def test_looking_up_a_word_multiplies_nothing():
    layer = layers.Embedding(100, 8)
    layer.build((1, 20))
    assert multiply_adds(layer, [(20,)], (20, 8)) == 0


class Mystery(keras.layers.Layer):
    def build(self, input_shape):
        self.weight = self.add_weight(shape=(3, 3))

    def call(self, inputs):
        return inputs


class Tells(Mystery):
    def multiply_adds(self, input_shapes, output_shape):
        return input_shapes[0][0] * 1000 + output_shape[0]


def test_somebodys_own_layer_with_weights_is_not_guessed_at():
    layer = Mystery()
    layer.build((1, 4))
    with pytest.raises(Uncounted):
        multiply_adds(layer, [(4,)], (4,))


def test_somebodys_own_layer_may_tell():
    layer = Tells()
    layer.build((1, 4))
    assert multiply_adds(layer, [(4,)], (7,)) == 4007
    assert has_kernel(layer)
