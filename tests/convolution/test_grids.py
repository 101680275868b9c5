"""Grids in links: nothing is lost, long ones stay short, hostile ones get a sentence."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from explorer.convolution import grids

FINITE = st.floats(-1e9, 1e9, allow_nan=False, width=64)


def packed(text: str) -> str:
    return "z" + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def test_a_short_grid_is_readable():
    assert grids.to_text(np.array([[1, 2.5, 3], [-4, 0.25, -0.5]])) == "1 2.5 3;-4 .25 -.5"
    assert grids.to_text(np.arange(8).reshape(2, 2, 2)) == "0 2;4 6/1 3;5 7"


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=3, max_side=5), elements=FINITE))
def test_what_is_written_is_read_again_to_the_last_bit(values):
    again = grids.from_text(grids.to_text(values))
    np.testing.assert_array_equal(again, values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values)


def test_the_largest_input_and_kernel_of_six_digit_numbers_fit_a_link():
    random = np.random.default_rng(5)
    for scale in (1e-4, 1, 1e6):
        texts = [
            grids.to_text(np.vectorize(lambda value: float(f"{value:.6g}"))(random.normal(0, scale, shape)))
            for shape in ((16, 16), (7, 7))
        ]
        assert sum(len(text) for text in texts) < 3500
        assert grids.from_text(texts[0], (16, 16)).shape == (16, 16)


def test_too_many_digits_for_a_link_are_rounded_to_six():
    values = np.random.default_rng(6).normal(0, 1, (16, 16, 2))
    text = grids.to_text(values)
    assert len(text) < 3000
    np.testing.assert_allclose(grids.from_text(text), values, rtol=1e-5)


@pytest.mark.parametrize("text", [
    "", " ", ";", "1 2;3", "1 2;3 4/5 6", "nan", "inf", "1e99", "1e999", "--1", "0x10", "1_000", "<script>", "١",
    "1,5 2", "z", "zzzz", "z" + "A" * 300, "z!!", "1 " * 20, ";".join(["1"] * 20), "/".join(["1"] * 20),
    packed("1 2;3"), packed("nan"), packed("0 " * 3_000_000), packed("1 2;3 4")[:-4], "1 " * 200_000, "é" * 10,
    "z" + "é" * 10,
])  # fmt: skip
def test_hostile_text_gets_a_sentence(text):
    with pytest.raises(ValueError) as caught:
        grids.from_text(text, (16, 16))
    assert type(caught.value) is ValueError
    assert 5 < len(str(caught.value)) < 120


def test_a_grid_larger_than_its_place_is_refused_and_the_sentence_says_why():
    with pytest.raises(ValueError, match=r"8 × 1 numbers are more than the 7 × 7 that fit"):
        grids.from_text("1;2;3;4;5;6;7;8", (7, 7))
    with pytest.raises(ValueError, match="2 × 2 × 2"):
        grids.from_text("1 2;3 4/5 6;7 8", (7, 7))
    assert grids.from_text("1 2;3 4/5 6;7 8", (7, 7, 2)).shape == (2, 2, 2)


@given(st.text(max_size=40))
def test_any_text_is_a_grid_or_gets_a_value_error(text):
    for read in (grids.from_text, grids.from_block):
        try:
            assert np.isfinite(read(text)).all()
        except ValueError as error:
            assert type(error) is ValueError


@pytest.mark.parametrize(("text", "rows"), [
    ("1\t2\n3\t4\n", [[1, 2], [3, 4]]),
    ("1,5\t−2,25\r\n0\t4\r\n\r\n", [[1.5, -2.25], [0, 4]]),
    ("1.5;2\n3;4", [[1.5, 2], [3, 4]]),
    ("1 2  3\n4 5 6", [[1, 2, 3], [4, 5, 6]]),
    ("1,2,3\n4,5,6", [[1, 2, 3], [4, 5, 6]]),
    ("1,5\n2,5", [[1.5], [2.5]]),
    ("7", [[7]]),
])  # fmt: skip
def test_a_block_from_a_spreadsheet_is_read(text, rows):
    np.testing.assert_array_equal(grids.from_block(text), rows)


@pytest.mark.parametrize("text", ["", "\n\n", "a\tb", "1\t2\n3", "1\t\t2", "1\n\n2"])
def test_a_block_that_is_none_gets_a_sentence(text):
    with pytest.raises(ValueError, match="[a-z]"):
        grids.from_block(text)


def test_numbers_that_do_not_fit_are_cut_and_filled():
    default = np.full((2, 3), 9.0)
    np.testing.assert_array_equal(grids.fitted(None, default), default)
    np.testing.assert_array_equal(grids.fitted(np.array([[1], [2], [3]]), default), [[1, 9, 9], [2, 9, 9]])
    deep = grids.fitted(np.array([[1, 2]]), np.zeros((1, 2, 2)))
    np.testing.assert_array_equal(deep, [[[1, 0], [2, 0]]])
