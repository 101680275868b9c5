"""Pooling keeps one number of each window: Keras' maximum and average, and what Keras lacks by its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer.convolution import geometry
from explorer.convolution.operations import pool2d
from explorer.convolution.tracing import trace
from tests.convolution import keras_layers as truth
from tests.convolution.keras_layers import EXAMPLES, assert_same, numbers, pool_layer, result_of

WINDOWS = st.tuples(st.integers(1, 5), st.integers(1, 5))
STRIDES = st.one_of(st.none(), st.tuples(st.integers(1, 6), st.integers(1, 6)))
RULES = st.sampled_from(["max", "average", "min", "l2"])


def _expected(x: np.ndarray, rule: str, window: Any, strides: Any, padding: str) -> np.ndarray:
    """Return what Keras' layers make of x; the smallest is the largest of the negatives."""
    if rule == "min":
        return -_expected(-x, "max", window, strides, padding)
    if rule == "l2":
        # The layer's average is over the real cells: as many times it as there are real cells is the sum.
        ones = np.ones_like(x)
        counts = _counts(ones, window, strides, padding)
        return np.sqrt(_expected(x**2, "average", window, strides, padding) * counts)
    return result_of(pool_layer(rule, pool_size=window, strides=strides, padding=padding), x)


def _counts(ones: np.ndarray, window: Any, strides: Any, padding: str) -> np.ndarray:
    """Return how many real cells each window holds, with loops."""
    steps = window if strides is None else strides
    starts, ends = [], []
    for n, k, s in zip(ones.shape[:2], window, steps, strict=True):
        total = max(k - (s if n % s == 0 else n % s), 0) if padding == "same" else 0
        outputs = -(-n // s) if padding == "same" else (n - k) // s + 1
        begin = [o * s - total // 2 for o in range(outputs)]
        starts.append([max(b, 0) for b in begin])
        ends.append([min(b + k, n) for b in begin])
    return np.array(
        [
            [(ends[0][r] - starts[0][r]) * (ends[1][c] - starts[1][c]) for c in range(len(starts[1]))]
            for r in range(len(starts[0]))
        ]
    )[..., None]


@EXAMPLES
@given(st.data())
def test_pooling_is_keras_pooling(data: st.DataObject) -> None:
    window, strides, rule = data.draw(WINDOWS), data.draw(STRIDES), data.draw(RULES)
    padding = data.draw(st.sampled_from(["valid", "same"]))
    low = window if padding == "valid" else (1, 1)
    size = tuple(one + data.draw(st.integers(0, 7)) for one in low)
    x = numbers(data.draw(truth.seeds), *size, data.draw(st.integers(1, 3), "channels"))
    expected = _expected(x, rule, window, strides, padding)
    arguments = {"strides": strides, "padding": padding, "rule": rule}
    assert_same(pool2d(x, window, **arguments), expected)
    assert_same(trace("pool2d", x, pool_size=window, **arguments).target, expected)


@EXAMPLES
@given(st.data())
def test_pooling_across_channels_is_keras_pooling_of_channels_laid_out_as_rows(data: st.DataObject) -> None:
    window, step, rule = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 6)), data.draw(RULES)
    padding = data.draw(st.sampled_from(["valid", "same"]))
    channels = data.draw(st.integers(window if padding == "valid" else 1, window + 7))
    x = numbers(data.draw(truth.seeds), *data.draw(truth.sides), channels)
    rows = x.reshape(-1, channels).T[..., None]
    expected = _expected(rows, rule, (window, 1), (step, 1), padding)[..., 0].T.reshape(*x.shape[:2], -1)
    arguments = {"strides": step, "padding": padding, "rule": rule, "across_channels": True}
    assert_same(pool2d(x, window, **arguments), expected)
    assert_same(trace("pool2d", x, pool_size=window, **arguments).target, expected)


@EXAMPLES
@given(st.data())
def test_padding_by_a_number_of_cells_never_counts(data: st.DataObject) -> None:
    window, strides, rule = data.draw(WINDOWS), data.draw(STRIDES), data.draw(RULES)
    pads = tuple((data.draw(st.integers(0, k - 1)), data.draw(st.integers(0, k - 1))) for k in window)
    x = numbers(data.draw(truth.seeds), *data.draw(truth.sides), 2)
    steps = window if strides is None else strides
    assume(geometry.refusal(x.shape[:2], window, pads, steps) is None)
    padded = np.pad(x, (*pads, (0, 0)), constant_values=np.nan)
    views = np.lib.stride_tricks.sliding_window_view(padded, window, axis=(0, 1))[:: steps[0], :: steps[1]]
    fold = {
        "max": np.nanmax,
        "min": np.nanmin,
        "average": np.nanmean,
        "l2": lambda v, axis: np.sqrt(np.nansum(v**2, axis=axis)),
    }
    expected = fold[rule](views, axis=(-2, -1))
    arguments = {"strides": strides, "padding": pads, "rule": rule}
    assert_same(pool2d(x, window, **arguments), expected)
    assert_same(trace("pool2d", x, pool_size=window, **arguments).target, expected)


def test_max_pooling_of_the_slides() -> None:
    x = np.array([[1.0, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]])[..., None]
    assert pool2d(x, 2)[..., 0].tolist() == [[9, 2], [6, 3]]


def test_a_pool_as_large_as_the_picture_is_global_pooling() -> None:
    x = numbers(1, 5, 7, 3)
    assert_same(pool2d(x, (5, 7), rule="average")[0, 0], x.mean(axis=(0, 1)))


def test_padding_is_no_zero_to_an_average() -> None:
    x = np.full((5, 5, 1), 6.0)
    assert (pool2d(x, 2, padding="same", rule="average") == 6).all()


def test_the_largest_of_negative_numbers_is_not_the_padding() -> None:
    x = np.full((3, 3, 1), -5.0)
    assert (pool2d(x, 2, padding="same") == -5).all()
    assert (pool2d(-x, 2, padding="same", rule="min") == 5).all()


def test_a_shift_by_one_can_leave_the_maxima_alone() -> None:
    x = np.zeros((8, 8, 1))
    x[2, 2] = x[4, 6] = 1
    assert np.array_equal(pool2d(x, 2), pool2d(np.roll(x, 1, axis=1), 2))


@pytest.mark.parametrize(
    "size, window, more, words",
    [
        ((2, 2, 1), 3, {}, "a 3×3 window spans 3 cells; the input has 2"),
        ((4, 4, 1), 2, {"padding": 2}, "nothing else"),
        ((4, 4, 1), 2, {"rule": "median"}, "median"),
        ((4, 4, 2), 3, {"across_channels": True}, "spans 3 cells"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(size: Any, window: int, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pool2d(np.ones(size), window, **more)
