"""How many products each kind of layer computes for one picture: its multiply-adds.

A product counts wherever the layer computes one, those with zeros of its padding included, as in the papers: a
convolution's output cells times its kernel. Transposed convolutions paint instead of read, so it is their *input*
cells times the kernel. Biases, activations, normalisation, pooling, shortcuts and the scaling of whole maps by a gate
count 0. Recurrent layers count their matrix products at every step, attention its projections, its scores and
its weighted sums.

A layer of one's own says what it computes by a method `multiply_adds(input_shapes, output_shape)`, shapes without the
batch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import keras

Shape = tuple[int, ...]

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_CONVOLUTIONAL_RECURRENT = (keras.layers.ConvLSTM1D, keras.layers.ConvLSTM2D, keras.layers.ConvLSTM3D)
# How many matrices a recurrent cell multiplies its input, and its state, with.
_GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4, "SimpleRNNCell": 1, "GRUCell": 3, "LSTMCell": 4}
# Layers of Keras that have weights and yet only add, scale, shift or look up.
_WITHOUT_PRODUCTS = frozenset({
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization",
    "Normalization", "PReLU", "Embedding", "LayerScale", "InputLayer",
})  # fmt: skip
# Operations between layers that would be work, but whose share cannot be told from shapes alone.
_UNCOUNTED_OPERATIONS = frozenset({
    "Conv", "DepthwiseConv", "SeparableConv", "ConvTranspose", "Tensordot", "Inner", "Outer", "Vdot", "Kron",
    "Correlate", "FFT", "FFT2", "IFFT2", "RFFT", "IRFFT", "DotProductAttention",
})  # fmt: skip


class Uncounted(Exception):
    """Raised for a layer whose products are not known here."""


def multiply_adds(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    """Return the products that one call of a layer adds up for one picture.

    Args:
        layer: A Keras layer, or an operation of a functional model.
        inputs: Shape of each input without the batch.
        output: Shape of the (first) output without the batch.

    Raises:
        Uncounted: for a layer with weights, or an operation, that no rule here knows.
    """
    own = getattr(layer, "multiply_adds", None)
    if callable(own):
        return int(own(list(inputs), output))
    kind = type(layer).__name__
    if not isinstance(layer, keras.Layer):
        return _operation(layer, kind, inputs, output)
    if isinstance(layer, _SEPARABLE):
        places, channels = math.prod(_places(layer, output)), _channels(layer, inputs[0])
        between = channels * layer.depth_multiplier
        return places * between * (math.prod(layer.kernel_size) + layer.filters)
    if isinstance(layer, _DEPTHWISE):
        places, channels = math.prod(_places(layer, output)), _channels(layer, inputs[0])
        return places * math.prod(layer.kernel_size) * channels * layer.depth_multiplier
    if isinstance(layer, _TRANSPOSED):
        places, channels = math.prod(_places(layer, inputs[0])), _channels(layer, inputs[0])
        return places * math.prod(layer.kernel_size) * channels * layer.filters
    if isinstance(layer, _CONVOLUTIONS):
        places, channels = math.prod(_places(layer, output)), _channels(layer, inputs[0])
        return places * math.prod(layer.kernel_size) * channels // layer.groups * layer.filters
    if isinstance(layer, keras.layers.Dense):
        return math.prod(inputs[0]) * layer.units
    if isinstance(layer, keras.layers.EinsumDense):
        return _einsum(layer.equation, [(1, *inputs[0]), tuple(layer.kernel.shape)])
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return _multi_head(layer, inputs, output)
    if kind in ("GroupQueryAttention", "GroupedQueryAttention"):
        return _grouped_query(layer, inputs, output)
    if isinstance(layer, keras.layers.Attention):  # AdditiveAttention is one of these
        query, value = inputs[0], inputs[min(1, len(inputs) - 1)]
        return query[-2] * value[-2] * (query[-1] + value[-1])
    if isinstance(layer, keras.layers.Dot):
        return _dot(layer, inputs)
    if isinstance(layer, keras.layers.Bidirectional):
        return sum(multiply_adds(one, inputs, output) for one in (layer.forward_layer, layer.backward_layer))
    if isinstance(layer, keras.layers.TimeDistributed):
        return inputs[0][0] * multiply_adds(layer.layer, [shape[1:] for shape in inputs], output[1:])
    if isinstance(layer, _CONVOLUTIONAL_RECURRENT):
        return _convolutional_recurrent(layer, inputs[0], output)
    if isinstance(layer, keras.layers.RNN):
        return _recurrent(layer, kind, inputs[0])
    if isinstance(layer, keras.layers.SpectralNormalization):
        return multiply_adds(layer.layer, inputs, output)
    if kind in _WITHOUT_PRODUCTS or not layer.weights:
        return 0
    raise Uncounted(kind)


def has_kernel(layer: Any) -> bool:
    """Return whether a layer counts as one of a network's depth: it has weights, and multiplies its input by them."""
    if not isinstance(layer, keras.Layer) or not layer.weights:
        return False
    return callable(getattr(layer, "multiply_adds", None)) or type(layer).__name__ not in _WITHOUT_PRODUCTS


def _channels_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first"


def _places(layer: Any, shape: Shape) -> Shape:
    return shape[1:] if _channels_first(layer) else shape[:-1]


def _channels(layer: Any, shape: Shape) -> int:
    return shape[0] if _channels_first(layer) else shape[-1]


def _einsum(equation: str, shapes: Sequence[Shape]) -> int:
    """Return the products of an einsum: the product of the sizes of all its indices."""
    terms = equation.replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int] = {}
    rest = 1
    for term, shape in zip(terms, shapes, strict=True):
        before, dots, after = term.partition("...")
        named = [*zip(before, shape, strict=False)]
        if dots:
            named += zip(after, shape[len(shape) - len(after) :], strict=True)
            rest = max(rest, math.prod(shape[len(before) : len(shape) - len(after)]))
        for letter, size in named:
            sizes[letter] = max(size, sizes.get(letter, 1))
    return rest * math.prod(sizes.values())


def _multi_head(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    """Count query, value and key projections, scores, weighted sums, and the projection of the result."""
    query, value = inputs[0], inputs[min(1, len(inputs) - 1)]
    key = inputs[2] if len(inputs) > 2 else value
    heads, size, value_size = layer.num_heads, layer.key_dim, layer.value_dim
    asked, held = math.prod(query[:-1]), math.prod(value[:-1])
    projections = asked * query[-1] * heads * size + held * heads * (key[-1] * size + value[-1] * value_size)
    looking = asked * held * heads * (size + value_size)
    return projections + looking + asked * heads * value_size * output[-1]


def _grouped_query(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    query, value = inputs[0], inputs[min(1, len(inputs) - 1)]
    key = inputs[2] if len(inputs) > 2 else value
    heads, groups, size = layer.num_query_heads, layer.num_key_value_heads, layer.head_dim
    asked, held = math.prod(query[:-1]), math.prod(value[:-1])
    projections = asked * query[-1] * heads * size + held * groups * size * (key[-1] + value[-1])
    return projections + 2 * asked * held * heads * size + asked * heads * size * output[-1]


def _dot(layer: Any, inputs: Sequence[Shape]) -> int:
    axes = layer.axes if isinstance(layer.axes, list | tuple) else (layer.axes, layer.axes)
    first, second = ((1, *shape) for shape in inputs)
    summed = first[axes[0]]
    return math.prod(first) // summed * math.prod(second)


def _recurrent(layer: Any, kind: str, given: Shape) -> int:
    cell = layer.cell
    cells = cell.cells if isinstance(cell, keras.layers.StackedRNNCells) else [cell]
    width, total = given[-1], 0
    for one in cells:
        gates = _GATES.get(type(one).__name__)
        if gates is None:
            raise Uncounted(kind)
        total += gates * one.units * (width + one.units)
        width = one.units
    return given[0] * total


def _convolutional_recurrent(layer: Any, given: Shape, output: Shape) -> int:
    rank = len(layer.kernel_size)
    channels_first = _channels_first(layer)
    places = output[-rank:] if channels_first else output[-rank - 1 : -1]
    channels = given[1] if channels_first else given[-1]
    kernel = math.prod(layer.kernel_size)
    return given[0] * math.prod(places) * kernel * 4 * layer.filters * (channels + layer.filters)


def _operation(operation: Any, kind: str, inputs: Sequence[Shape], output: Shape) -> int:
    if kind == "Matmul" or (kind == "Dot" and len(inputs) == 2):
        return math.prod(output) * inputs[0][-1]
    if kind == "Einsum":
        equation = re.sub(r"\s", "", operation.subscripts)
        return _einsum(equation, [(1, *shape) for shape in inputs])
    if kind in _UNCOUNTED_OPERATIONS:
        raise Uncounted(kind)
    return 0
