"""The geometry of single layers, counted by hand and as adjoints of each other."""

from __future__ import annotations

import itertools
from fractions import Fraction

import keras
import numpy as np
import pytest

from explorer.inside.reach import (
    Span,
    UnknownGeometry,
    moved,
    padding_before,
    readings,
    resized,
    single,
    transposed_window,
    window,
)


def cells(span: Span) -> list[int]:
    return np.flatnonzero(span.cells).tolist()


def test_a_window_counted_by_hand():
    # Kernel 3, stride 2, "same" on 5 cells: outputs 0, 1, 2 read -1..1, 1..3, 3..5.
    for output, inside, low, high in [(0, [0, 1], -1, 1), (1, [1, 2, 3], 1, 3), (2, [3, 4], 3, 5)]:
        span = window(single(output, 3), 5, 3, 2, 1, "same")
        assert (cells(span), span.low, span.high, span.step) == (inside, low, high, 2)


def test_a_dilated_window_leaves_gaps():
    span = window(single(0, 8), 8, 3, 1, 2, "same")
    assert cells(span) == [0, 2]
    assert (span.low, span.high) == (-2, 2)


def test_causal_windows_look_back_only():
    assert cells(window(single(4, 8), 8, 3, 1, 2, "causal")) == [0, 2, 4]


@pytest.mark.parametrize(("length", "before"), [(5, 1), (6, 0), (7, 1)])
def test_same_padding_is_lopsided_where_it_must_be(length, before):
    assert padding_before(length, -(-length // 2), 3, 2, 1, "same") == before


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_transposed_window_paints_what_the_window_reads(padding):
    """A transposed convolution is the adjoint of a convolution: whoever is read by it, is painted by it."""
    for kernel, stride, dilation, length in itertools.product((1, 2, 3, 5), (1, 2, 3), (1, 2), (9, 10, 13)):
        reach = (kernel - 1) * dilation + 1
        if reach > length:
            continue
        small = -(-length // stride) if padding == "same" else (length - reach) // stride + 1
        read = np.array(
            [window(single(o, small), length, kernel, stride, dilation, padding).cells for o in range(small)]
        )
        painted = np.array(
            [
                transposed_window(single(o, length), small, kernel, stride, dilation, padding).cells
                for o in range(length)
            ]
        )
        np.testing.assert_array_equal(painted, read.T, err_msg=str((kernel, stride, dilation, length)))


def test_upsampling_halves_the_step():
    assert resized(single(5, 12), 6, "nearest").step == Fraction(1, 2)
    assert cells(resized(single(5, 12), 6, "nearest")) == [2]
    assert cells(resized(single(5, 12), 6, "bilinear")) == [2, 3]
    assert cells(resized(single(0, 12), 6, "bilinear")) == [0]
    # Three times larger: the middle of each three lies on a cell.
    assert cells(resized(single(4, 9), 3, "bilinear")) == [1]
    with pytest.raises(UnknownGeometry):
        resized(single(0, 12), 6, "bicubic")


def test_what_lies_outside_is_not_read():
    assert cells(moved(single(0, 8), 6, -1)) == []
    assert cells(moved(single(3, 8), 6, -1)) == [2]


def test_a_layer_of_ones_own_is_not_guessed():
    class Add(keras.layers.Layer):
        def call(self, x):
            return x

    with pytest.raises(UnknownGeometry):
        readings(Add(), [(4, 4, 1)], (4, 4, 1), (single(0, 4), single(0, 4)))
