"""A display never lies: zero looks like zero, a constant map looks constant, what is out of scale is clipped."""

import io

import numpy as np
import pytest
from PIL import Image

from explorer.interface.figures.colour_scales import NOT_A_NUMBER, STEPS, ColourScale, lookup_table
from explorer.interface.figures.tile_sheet import map_png, sheet_columns, sheet_for_print, sheet_png


def test_the_sequential_scale_is_viridis_from_purple_to_yellow():
    # End points of viridis as published by its authors (Smith and van der Walt, 2015).
    table = lookup_table(False)
    np.testing.assert_array_equal(table[0], [68, 1, 84])
    np.testing.assert_array_equal(table[STEPS - 1], [253, 231, 37])


def test_the_sequential_scale_grows_lighter_all_the_way_so_that_a_grey_print_keeps_the_order():
    luminance = lookup_table(False)[:STEPS] @ np.array([0.2126, 0.7152, 0.0722])
    assert np.all(np.diff(luminance) > -0.6)
    assert luminance[-1] - luminance[0] > 150


def test_zero_is_the_neutral_middle_of_a_diverging_scale_whatever_the_other_values_are():
    scale = ColourScale(-3.0, 3.0)
    zero, small = scale.indices(np.array([0.0, -2.9]))
    assert zero == (STEPS - 1) / 2
    assert small < 10
    red, green, blue = lookup_table(True)[zero].astype(int)
    assert max(red, green, blue) - min(red, green, blue) < 12


def test_opposite_values_are_equally_far_from_the_middle():
    values = np.linspace(0, 5, 41)
    scale = ColourScale(-5, 5)
    up, down = scale.indices(values).astype(int), scale.indices(-values).astype(int)
    np.testing.assert_allclose(up - 127, 127 - down, atol=1)


def test_a_constant_map_has_one_colour_and_the_colour_is_that_of_its_value():
    scale = ColourScale(0, 10)
    assert set(scale.indices(np.full((5, 5), 5.0)).ravel()) == {127}
    assert set(scale.indices(np.zeros((5, 5))).ravel()) == {0}


def test_an_empty_scale_shows_zeros_as_zeros():
    assert set(ColourScale(0, 0).indices(np.zeros((2, 2))).ravel()) == {0}


def test_values_beyond_the_scale_take_the_colour_of_its_end():
    np.testing.assert_array_equal(
        ColourScale(0, 1).indices(np.array([-7.0, 0.0, 1.0, 99.0, np.inf])), [0, 0, 254, 254, 254]
    )


@pytest.mark.parametrize("scale", [ColourScale(0, 1), ColourScale(-1, 1), ColourScale(0, 0)])
def test_what_is_not_a_number_has_a_colour_that_no_value_has(scale):
    assert scale.indices(np.array([np.nan, 0.5])).tolist()[0] == NOT_A_NUMBER
    assert not (lookup_table(scale.diverging)[:STEPS] == lookup_table(scale.diverging)[NOT_A_NUMBER]).all(1).any()


@pytest.mark.parametrize("count", [1, 2, 5, 16, 63, 64])
def test_every_tile_of_a_sheet_can_be_cut_out_again(count):
    rng = np.random.default_rng(count)
    values = rng.random((count, 7, 5)).astype(np.float32)
    scale = ColourScale(0, 1)
    sheet = np.asarray(Image.open(io.BytesIO(sheet_png(values, scale))).convert("RGB"))
    columns = sheet_columns(count)
    for i in range(count):
        y, x = i // columns * 7, i % columns * 5
        np.testing.assert_array_equal(sheet[y : y + 7, x : x + 5], lookup_table(False)[scale.indices(values[i])])


def test_one_map_keeps_its_shape_and_colours():
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    scale = ColourScale(-1, 1)
    picture = np.asarray(Image.open(io.BytesIO(map_png(values, scale))).convert("RGB"))
    np.testing.assert_array_equal(picture, lookup_table(True)[scale.indices(values)])


def test_the_printed_sheet_holds_every_tile_with_its_colours():
    values = np.zeros((3, 48, 48), np.float32)
    values[1] = 1
    page = Image.open(
        io.BytesIO(
            sheet_for_print(
                values,
                ColourScale(0, 1),
                channels=[4, 5, 6],
                silent=[True, False, True],
                title="t",
                legend="l",
            )
        )
    ).convert("RGB")
    counts = {tuple(int(v) for v in colour): n for n, colour in page.getcolors(1 << 20)}
    # One tile of 96 x 96 in the brightest colour and two in the darkest (the legend bar adds a few of each).
    assert 96 * 96 <= counts[(253, 231, 37)] < 96 * 96 + 100
    assert 2 * 96 * 96 <= counts[(68, 1, 84)] < 2 * 96 * 96 + 100
