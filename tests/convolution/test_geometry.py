"""Sizes of outputs, what a kernel spans, and how the receptive field grows through a stack."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer.convolution.geometry import (
    ConvolutionError,
    LayerShape,
    growth,
    output_size,
    refusal,
    span,
    transposed_output_size,
)
from explorer.convolution.padding import padding_amounts
from explorer.convolution.tracing import trace
from tests.convolution.keras_layers import EXAMPLES

N, K, S, D = st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(1, 4)


@EXAMPLES
@given(N, K, S, D, st.sampled_from(["valid", "same", "causal"]))
def test_sizes_are_those_of_keras_layers(n: int, k: int, s: int, d: int, padding: str) -> None:
    assume(s == 1 or d == 1)
    assume(padding != "valid" or d * (k - 1) + 1 <= n)
    layer = keras.layers.Conv1D(1, k, strides=s, padding=padding, dilation_rate=d)
    assert output_size(n, k, s, padding, d) == layer.compute_output_shape((None, n, 1))[1]


@EXAMPLES
@given(N, K, S, st.integers(0, 6), D)
def test_the_formula_of_the_slides(n: int, k: int, s: int, p: int, d: int) -> None:
    assume(n + 2 * p >= d * (k - 1) + 1)
    assert output_size(n, k, s, p, d) == math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1


@EXAMPLES
@given(st.integers(1, 12), K, S, D, st.sampled_from(["valid", "same"]))
def test_transposed_sizes_are_those_of_keras_layers(n: int, k: int, s: int, d: int, padding: str) -> None:
    layer = keras.layers.Conv1DTranspose(1, span(k, d), strides=s, padding=padding)
    assert transposed_output_size(n, k, s, padding, d) == layer.compute_output_shape((None, n, 1))[1]


@EXAMPLES
@given(st.integers(1, 12), K, S, st.integers(0, 4), st.sampled_from(["valid", "same"]))
def test_output_padding_gives_keras_sizes(n: int, k: int, s: int, extra: int, padding: str) -> None:
    assume(extra < s)
    layer = keras.layers.Conv1DTranspose(1, k, strides=s, padding=padding, output_padding=extra)
    expected = layer.compute_output_shape((None, n, 1))[1]
    assume(expected >= 1)
    assert transposed_output_size(n, k, s, padding, output_padding=extra) == expected


@EXAMPLES
@given(st.integers(1, 12), K, S, st.integers(0, 6), D, st.integers(0, 4))
def test_the_transposed_formula_of_the_slides(n: int, k: int, s: int, p: int, d: int, extra: int) -> None:
    expected = s * (n - 1) + d * (k - 1) + 1 - 2 * p + extra
    assume(expected >= 1 and extra < s)
    assert transposed_output_size(n, k, s, p, d, extra) == expected
    if not extra:
        assert transposed_output_size(n, k, s, p, d) == expected


@EXAMPLES
@given(st.integers(1, 12), K, S, st.integers(0, 3), D)
def test_a_convolution_leads_back_from_the_transposed_one(n: int, k: int, s: int, p: int, d: int) -> None:
    assume(s * (n - 1) + d * (k - 1) + 1 - 2 * p >= 1)
    for extra in range(s):
        assert output_size(transposed_output_size(n, k, s, p, d, extra), k, s, p, d) == n


@pytest.mark.parametrize("n, k, s, made", [(4, 3, 2, 9), (4, 2, 2, 8), (4, 2, 3, 12), (4, 1, 4, 16)])
def test_keras_valid_transposed_size_has_room_for_the_stride(n: int, k: int, s: int, made: int) -> None:
    assert transposed_output_size(n, k, s) == s * n + max(k - s, 0) == made
    assert transposed_output_size(n, k, s, "same") == s * n


def test_a_dilated_kernel_spans_more_than_it_has_weights() -> None:
    assert [span(3, rate) for rate in (1, 2, 3)] == [3, 5, 7]
    assert span(5, 3) == 13


def test_same_padding_puts_the_odd_cell_behind() -> None:
    assert padding_amounts("same", 6, 3) == (1, 1)
    assert padding_amounts("same", 6, 3, strides=2) == (0, 1)
    assert padding_amounts("same", 16, 6) == (2, 3)
    assert padding_amounts("causal", 6, 3, dilation_rate=2) == (4, 0)


def test_sixteen_samples_shrink_under_width_six() -> None:
    layers = [LayerShape(6)] * 3
    assert [step.size for step in growth(layers, 16)] == [16, 11, 6, 1]
    with pytest.raises(ConvolutionError, match="layer 4: .* spans 6 cells; the input has 1"):
        growth([*layers, LayerShape(6)], 16)
    assert [step.size for step in growth([LayerShape(6, padding=(2, 3))] * 5, 16)] == [16] * 6


def test_dilation_makes_causal_layers_look_back_further() -> None:
    undilated = growth([LayerShape(2, padding="causal")] * 4, 32)[-1]
    dilated = growth([LayerShape(2, dilation_rate=rate, padding="causal") for rate in (1, 2, 4, 8)], 32)[-1]
    assert (undilated.receptive_field - 1, dilated.receptive_field - 1) == (4, 15)
    assert (undilated.start, dilated.start) == (-4, -15)


def test_three_small_kernels_see_as_much_as_one_large() -> None:
    assert growth([LayerShape(3)] * 3, 32)[-1].receptive_field == growth([LayerShape(7)], 32)[-1].receptive_field == 7


@EXAMPLES
@given(
    st.lists(
        st.builds(
            LayerShape,
            st.integers(1, 4),
            st.integers(1, 3),
            st.integers(1, 3),
            st.sampled_from(["valid", "same", "causal", 1, (0, 2)]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(8, 40),
    st.data(),
)
def test_growth_is_what_traces_lead_back_to(layers: list[LayerShape], size: int, data: st.DataObject) -> None:
    try:
        steps = growth(layers, size)
    except ConvolutionError:
        return
    cell = data.draw(st.integers(0, steps[-1].size - 1))
    seen = {cell}
    for layer, before in zip(reversed(layers), reversed(steps[:-1]), strict=True):
        # Far from any border: padding is as good a cell as others, numbered on beyond the end.
        amounts = padding_amounts(layer.padding, before.size, layer.kernel_size, layer.strides, layer.dilation_rate)
        seen = {
            one * layer.strides - amounts[0] + tap * layer.dilation_rate
            for one in seen
            for tap in range(layer.kernel_size)
        }
    first = steps[-1].start + cell * steps[-1].jump
    assert (min(seen), max(seen)) == (first, first + steps[-1].receptive_field - 1)


def test_the_jump_is_the_product_of_the_strides() -> None:
    steps = growth([LayerShape(3, strides=2), LayerShape(2, strides=2, kind="pool"), LayerShape(3)], 64)
    assert [step.jump for step in steps] == [1, 2, 4, 4]
    assert [step.receptive_field for step in steps] == [1, 3, 5, 13]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (((8, 8), (5, 5), "valid", (1, 1), (3, 3)), "a 5×5 kernel with dilation 3 spans 13 cells; the input has 8"),
        (((4, 9), (5, 3)), "a 5×3 kernel spans 5 cells; the input has 4 rows"),
        (((9, 4), (3, 5)), "a 3×5 kernel spans 5 cells; the input has 4 columns"),
        (((4, 4), (7, 7), 1), "a 7×7 kernel spans 7 cells; the input has 6 with its padding"),
        (((4, 4), (3, 3), "valid", (0, 1)), "stride 0: it has to be 1 or more"),
        (((4, 4), (3, 3), -2), "-2 cells of padding: a picture cannot be padded by less than nothing"),
        (((8, 8), (3, 3), "valid"), None),
        (((2, 2), (7, 7), "same", (3, 3), (2, 2)), None),
    ],
)
def test_a_refusal_is_a_sentence_for_a_student(arguments: Any, sentence: str | None) -> None:
    assert refusal(*arguments) == sentence


def test_a_transposed_refusal_says_what_is_cut_off() -> None:
    assert refusal((2, 2), (3, 3), 3, transposed=True) == "cutting 6 cells off an output of 4 leaves nothing"
    said = refusal((2, 2), (3, 3), strides=(2, 2), transposed=True, output_padding=2)
    assert said == "an output padding of 2 is not below the stride of 2"


@EXAMPLES
@given(st.data())
def test_what_is_refused_cannot_be_traced_and_all_else_can(data: st.DataObject) -> None:
    two = st.tuples(st.integers(1, 6), st.integers(1, 6))
    size, kernel_size, strides, rates = (data.draw(two) for _ in range(4))
    padding = data.draw(st.one_of(st.sampled_from(["valid", "same"]), st.integers(0, 3)))
    transposed = data.draw(st.booleans())
    shape = (*kernel_size, 1, 1)
    said = refusal(size, kernel_size, padding, strides, rates, transposed=transposed)
    operation = "conv2d_transpose" if transposed else "conv2d"
    arguments = {"padding": padding, "strides": strides, "dilation_rate": rates}
    if said is None:
        assert trace(operation, np.ones((*size, 1)), np.ones(shape), **arguments).target.size >= 1
    else:
        with pytest.raises(ConvolutionError) as caught:
            trace(operation, np.ones((*size, 1)), np.ones(shape), **arguments)
        assert str(caught.value)
