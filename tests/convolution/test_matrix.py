"""A layer is a sparse matrix with few numbers, each many times; the transposed layer is the transposed matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer.convolution import geometry
from explorer.convolution.matrix import matrix, matrix_cells
from explorer.convolution.operations import conv2d
from explorer.convolution.tracing import trace
from tests.convolution.keras_layers import EXAMPLES, numbers


@EXAMPLES
@given(st.data())
def test_the_transposed_convolution_has_the_transpose_of_the_convolutions_matrix(data: st.DataObject) -> None:
    two = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel_size, strides, rates, seed = (data.draw(one) for one in (two, two, two, st.integers(0, 2**31)))
    size = data.draw(st.tuples(st.integers(1, 8), st.integers(1, 8)), "size")
    padding = data.draw(st.one_of(st.sampled_from(["valid", "same"]), st.integers(0, 2)), "padding")
    assume(geometry.refusal(size, kernel_size, padding, strides, rates) is None)
    kernel = numbers(seed, *kernel_size, 2, 3)
    convolved = trace("conv2d", numbers(seed, *size, 2), kernel, strides=strides, padding=padding, dilation_rate=rates)

    pads = [
        geometry.padding_amounts(padding, n, k, s, d)
        for n, k, s, d in zip(size, kernel_size, strides, rates, strict=True)
    ]
    # What the ordinary convolution has left over behind its last window.
    extra = [
        (n + sum(pad) - geometry.span(k, d)) % s
        for n, k, s, d, pad in zip(size, kernel_size, strides, rates, pads, strict=True)
    ]
    back = trace(
        "conv2d_transpose",
        convolved.target,
        kernel,
        strides=strides,
        padding=tuple(pads),
        dilation_rate=rates,
        output_padding=tuple(extra),
    )
    assert back.target.shape == (*size, 2)
    assert abs(matrix(convolved, own_only=True).T - matrix(back)).max() == 0


@EXAMPLES
@given(st.integers(0, 2**31), st.booleans())
def test_the_matrix_times_the_input_is_the_output(seed: int, same: bool) -> None:
    x, kernel, bias = numbers(seed, 6, 5, 2), numbers(seed + 1, 3, 2, 2, 3), numbers(seed + 2, 3)
    traced = trace("conv2d", x, kernel, bias, padding="same" if same else "valid")
    found = (matrix(traced, own_only=True) @ x.reshape(-1)).reshape(traced.target.shape) + bias
    np.testing.assert_allclose(found, conv2d(x, kernel, bias, padding="same" if same else "valid"), atol=1e-12)


def test_most_of_the_matrix_is_zero_and_weights_are_shared() -> None:
    kernel = np.arange(1.0, 10).reshape(3, 3, 1, 1)
    found = matrix(trace("conv2d", np.ones((6, 6, 1)), kernel))
    assert found.shape == (16, 36)
    assert found.nnz == 16 * 9
    assert set(found.data.tolist()) == set(range(1, 10))


def test_a_sequence_makes_a_banded_matrix() -> None:
    found = matrix(trace("conv1d", np.ones((5, 1)), np.array([1.0, 2, 3]).reshape(3, 1, 1)))
    assert found.toarray().tolist() == [[1, 2, 3, 0, 0], [0, 1, 2, 3, 0], [0, 0, 1, 2, 3]]


@pytest.mark.parametrize("transposed", [False, True])
def test_each_term_stands_in_its_cell(transposed: bool) -> None:
    traced = trace("conv2d", numbers(1, 5, 4, 2), numbers(2, 2, 3, 2, 2), strides=(2, 1), padding="same")
    whole = matrix(traced).toarray()
    whole = whole.T if transposed else whole
    cells = matrix_cells(traced, transposed=transposed)
    assert np.array_equal(whole.reshape(-1)[cells], traced.factors)
    assert len(set(cells.tolist())) == len(cells)


def test_an_average_is_a_matrix_and_a_maximum_is_none() -> None:
    x = numbers(1, 4, 4, 1)
    averaged = trace("pool2d", x, pool_size=2, rule="average")
    np.testing.assert_allclose(matrix(averaged) @ x.reshape(-1), averaged.target.reshape(-1))
    for rule in ("max", "min", "l2"):
        with pytest.raises(ValueError, match="linear"):
            matrix(trace("pool2d", x, pool_size=2, rule=rule))
