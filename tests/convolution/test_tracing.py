"""A trace tells of every step: what an output is made of, and what an input and a weight reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.convolution.operations import conv2d
from explorer.convolution.tracing import Trace, trace
from tests.convolution.keras_layers import EXAMPLES, numbers

LECTURE_INPUT = [
    [255, 220, 150, 200, 110, 100],
    [240, 50, 35, 45, 200, 130],
    [0, 20, 245, 250, 230, 120],
    [170, 180, 235, 145, 170, 255],
    [190, 185, 170, 165, 130, 120],
    [255, 255, 245, 190, 200, 170],
]
LECTURE_KERNEL = [[-0.7, 0.2, 0.1], [0.3, 0.5, 0.4], [-0.2, -0.4, 0.2]]


def _lecture(**arguments: Any) -> Trace:
    return trace("conv2d", np.array(LECTURE_INPUT)[..., None], np.array(LECTURE_KERNEL)[..., None, None], **arguments)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Return the trace of any operation with small random settings."""
    seed = draw(st.integers(0, 2**32 - 1))
    operation = draw(st.sampled_from(["conv2d", "depthwise_conv2d", "conv2d_transpose", "conv1d", "pool2d"]))
    activation = draw(st.sampled_from(["linear", "relu"]))
    two = st.tuples(st.integers(1, 3), st.integers(1, 3))
    if operation == "conv1d":
        x, kernel, bias = numbers(seed, 9, 2), numbers(seed + 1, draw(st.integers(1, 4)), 2, 3), numbers(seed, 3)
        padding = draw(st.sampled_from(["valid", "same", "causal", 2]))
        strides, rate = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        return trace(
            operation, x, kernel, bias, padding=padding, strides=strides, dilation_rate=rate, activation=activation
        )
    x = numbers(seed, 7, 8, 2)
    arguments = {"strides": draw(two), "padding": draw(st.sampled_from(["valid", "same"]))}
    if operation == "pool2d":
        return trace(
            operation, x, pool_size=draw(two), rule=draw(st.sampled_from(["max", "min", "average", "l2"])), **arguments
        )
    arguments |= {"dilation_rate": draw(two), "activation": activation}
    if operation == "conv2d_transpose":
        arguments["view"] = draw(st.sampled_from(["scatter", "zeros"]))
    elif draw(st.booleans()):
        arguments |= {"flip": True, "padding_mode": "edge"}
    shape = {"conv2d": (2, 3), "depthwise_conv2d": (2, 2), "conv2d_transpose": (3, 2)}[operation]
    filters = {"conv2d": 3, "depthwise_conv2d": 4, "conv2d_transpose": 3}[operation]
    return trace(operation, x, numbers(seed + 1, *draw(two), *shape), numbers(seed + 2, filters), **arguments)


@EXAMPLES
@given(traces(), st.data())
def test_a_step_ends_at_the_output(traced: Trace, data: st.DataObject) -> None:
    cell = data.draw(st.integers(0, traced.target.size - 1))
    step = traced.step(cell)
    assert traced.target[step.target] == step.value
    assert len(step.inputs) == len(step.weights) == len(step.products) == len(step.running) == len(step.own)
    values = np.array([traced.source[place] for place in step.inputs])
    np.testing.assert_allclose(step.products, values * step.weights)
    last = step.running[-1] if len(step.running) else 0.0
    if traced.rule == "l2":
        last = np.sqrt(last)
    assert np.isclose(last + step.bias, step.before)
    assert step.value == (max(step.before, 0) if traced.activation == "relu" else step.before)
    assert step.own == [traced.own[row, column] for row, column, _ in step.inputs]


@EXAMPLES
@given(traces(), st.data())
def test_an_input_reaches_those_outputs_whose_steps_read_it(traced: Trace, data: st.DataObject) -> None:
    cell = data.draw(st.integers(0, traced.source.size - 1))
    place = np.unravel_index(cell, traced.source.shape)
    steps = [traced.step(target) for target in range(traced.target.size)]
    expected = [target for target, step in enumerate(steps) if tuple(map(int, place)) in step.inputs]
    assert traced.reached_from_source(cell).tolist() == expected


@EXAMPLES
@given(traces(), st.data())
def test_changing_an_input_changes_nothing_but_what_it_reaches(traced: Trace, data: st.DataObject) -> None:
    cell = data.draw(st.integers(0, traced.source.size - 1))
    if traced.rule != "sum":
        return
    products = traced.products.copy()
    products[traced.sources == cell] += 1
    changed = np.bincount(traced.targets, products - traced.products, traced.target.size)
    assert np.flatnonzero(changed).tolist() == traced.reached_from_source(cell).tolist()


@EXAMPLES
@given(traces(), st.data())
def test_a_weight_is_the_factor_of_all_its_terms(traced: Trace, data: st.DataObject) -> None:
    if traced.weights is None:
        assert (traced.weight_cells == -1).all()
        return
    cell = data.draw(st.integers(0, traced.weights.size - 1))
    here = traced.weight_cells == cell
    assert (traced.factors[here] == traced.weights.reshape(-1)[cell]).all()
    assert traced.sources_of_weight(cell).tolist() == sorted(set(traced.sources[here].tolist()))
    assert traced.reached_from_weight(cell).tolist() == sorted(set(traced.targets[here].tolist()))


@EXAMPLES
@given(traces())
def test_a_trace_is_what_its_dataclass_says(traced: Trace) -> None:
    assert traced.own.shape == traced.source.shape[:2]
    assert traced.starts.dtype == traced.sources.dtype == traced.weight_cells.dtype == traced.decided.dtype == np.int32
    assert traced.starts[0] == 0 and traced.starts[-1] == len(traced.sources) == len(traced.factors)
    assert len(traced.starts) == traced.target.size + 1 == len(traced.decided) + 1
    assert traced.before.shape == traced.target.shape
    if traced.rule in ("max", "min"):
        assert (traced.products[traced.decided] == traced.target.reshape(-1)).all()
        assert (np.repeat(traced.starts[:-1], 1) <= traced.decided).all()
    else:
        assert (traced.decided == -1).all()


def test_the_first_window_of_the_lecture_adds_up_to_32_and_a_half() -> None:
    step = _lecture().step(0)
    assert step.inputs[:4] == [(0, 0, 0), (0, 1, 0), (0, 2, 0), (1, 0, 0)]
    np.testing.assert_allclose(step.products, [-178.5, 44, 15, 72, 25, 14, 0, -8, 49])
    np.testing.assert_allclose(step.running, [-178.5, -134.5, -119.5, -47.5, -22.5, -8.5, -8.5, -16.5, 32.5])
    assert np.isclose(step.value, 32.5)


def test_a_corner_feeds_one_output_and_a_middle_cell_nine() -> None:
    traced = _lecture()
    assert traced.reached_from_source(0).tolist() == [0]
    assert len(traced.reached_from_source(2 * 6 + 2)) == 9


def test_a_weight_multiplies_as_many_inputs_as_there_are_outputs() -> None:
    traced = _lecture()
    assert len(traced.sources_of_weight(4)) == 16
    assert traced.sources_of_weight(4).tolist() == [r * 6 + c for r in range(1, 5) for c in range(1, 5)]


def test_padding_is_a_ring_of_cells_that_are_not_the_inputs_own() -> None:
    traced = _lecture(padding="same")
    assert traced.source.shape == (8, 8, 1) and traced.first == (-1, -1)
    assert traced.own.sum() == 36 and not traced.own[0].any() and not traced.own[:, -1].any()
    assert traced.step(0).inputs[0] == (0, 0, 0) and not traced.step(0).own[0]


def test_a_sequence_is_a_picture_of_height_one() -> None:
    traced = trace("conv1d", np.array([[10.0], [20], [30]]), np.array([1.0, 2]).reshape(2, 1, 1), padding="causal")
    assert traced.source.shape == (1, 4, 1) and traced.first == (0, -1)
    assert traced.target[0, :, 0].tolist() == [20, 50, 80]
    assert traced.step(1).products.tolist() == [10, 40]


def test_a_transposed_convolution_stuffs_zeros_between_the_inputs_cells() -> None:
    x, kernel = np.arange(1.0, 5).reshape(2, 2, 1), np.ones((3, 3, 1, 1))
    traced = trace("conv2d_transpose", x, kernel, strides=2, view="zeros")
    assert traced.every == (2, 2) and traced.first == (-2, -2)
    assert traced.source[2:5, 2:5, 0].tolist() == [[1, 0, 2], [0, 0, 0], [3, 0, 4]]
    assert traced.own.sum() == 4
    assert (np.diff(traced.starts) == 9).all()


def test_both_views_of_a_transposed_convolution_give_one_result() -> None:
    x, kernel = numbers(1, 4, 3, 2), numbers(2, 3, 2, 3, 2)
    scatter, zeros = (
        trace("conv2d_transpose", x, kernel, strides=(2, 3), padding=1, view=view) for view in ("scatter", "zeros")
    )
    np.testing.assert_allclose(scatter.target, zeros.target)
    # What a stamp leaves out are products with inserted zeros or padding.
    assert len(scatter.sources) < len(zeros.sources)
    real = zeros.own.reshape(-1)[zeros.sources // zeros.source.shape[2]]
    assert np.bincount(zeros.targets[real], minlength=zeros.target.size).tolist() == np.diff(scatter.starts).tolist()


def test_stamps_overlap_unevenly_where_the_stride_does_not_divide_the_kernel() -> None:
    overlap = np.diff(trace("conv2d_transpose", np.ones((4, 4, 1)), np.ones((3, 3, 1, 1)), strides=2).starts)
    even = np.diff(trace("conv2d_transpose", np.ones((4, 4, 1)), np.ones((4, 4, 1, 1)), strides=2).starts)
    assert set(overlap.reshape(9, 9)[2:-2, 2:-2].reshape(-1).tolist()) == {1, 2, 4}
    assert set(even.reshape(10, 10)[2:-2, 2:-2].reshape(-1).tolist()) == {4}


def test_an_average_over_the_edge_divides_by_the_cells_that_are_there() -> None:
    traced = trace("pool2d", np.full((3, 3, 1), 6.0), pool_size=2, padding="same", rule="average")
    assert traced.step(0).weights.tolist() == [0.25] * 4
    assert traced.step(3).weights.tolist() == [1]


def test_of_equal_maxima_the_first_decides() -> None:
    assert trace("pool2d", np.ones((2, 2, 1)), pool_size=2).decided.tolist() == [0]


def test_an_activation_takes_each_cell_by_itself() -> None:
    traced = trace("activation", np.array([[[-2.0], [3.0]]]), activation="relu")
    assert traced.target.reshape(-1).tolist() == [0, 3]
    assert traced.sources.tolist() == [0, 1] and traced.factors.tolist() == [1, 1]


def test_groups_keep_to_their_channels() -> None:
    traced = trace("conv2d", numbers(1, 5, 5, 4), numbers(2, 3, 3, 2, 6), groups=2)
    assert {place[2] for place in traced.step(0).inputs} == {0, 1}
    assert {place[2] for place in traced.step(5).inputs} == {2, 3}


def test_a_one_by_one_convolution_reads_one_place() -> None:
    step = trace("conv2d", numbers(1, 4, 4, 5), numbers(2, 1, 1, 5, 2)).step(0)
    assert step.inputs == [(0, 0, channel) for channel in range(5)]


def test_a_flipped_kernel_is_traced_flipped() -> None:
    x, kernel = numbers(1, 5, 5, 1), numbers(2, 3, 3, 1, 1)
    traced = trace("conv2d", x, kernel, flip=True)
    assert traced.weights is not None and np.array_equal(traced.weights, kernel[::-1, ::-1])
    np.testing.assert_allclose(traced.target, conv2d(x, kernel[::-1, ::-1]))


def test_there_is_no_step_beyond_the_output() -> None:
    for cell in (-1, 16):
        with pytest.raises(IndexError):
            _lecture().step(cell)


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="fourier"):
        trace("fourier", np.ones((3, 3, 1)))
