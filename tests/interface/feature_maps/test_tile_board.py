"""The legend says what the colours are, for every scope and contrast."""

import numpy as np
import pytest

from explorer.inside.results import LayerMaps, LayerSummary
from explorer.interface.feature_maps import tile_board
from explorer.interface.feature_maps.close_up import parse_cell
from explorer.interface.figures.colour_scales import lookup_table


def maps_from(values):
    values = np.asarray(values, np.float32)
    by_place = values.reshape(-1, values.shape[-1])
    low, high = by_place.min(0), by_place.max(0)
    return LayerMaps("layer", "maps", values, low, high, by_place.mean(0), high, high <= 0, 0.0, "")


def summary(path, low, high, spatial=True):
    return LayerSummary(path, low, high, 4, 0, 0.0, spatial=spatial)


def colour_of(maps, colours, channel):
    values = np.moveaxis(maps.values[..., [channel]], -1, 0)
    return colours.scale.indices(tile_board.coloured(values, colours))[0]


def test_on_the_layers_scale_equal_values_have_equal_colours_in_all_maps():
    maps = maps_from([[[1.0, 4.0], [2.0, 1.0]]])
    colours = tile_board.colouring("layer", 1.0, [], [maps])
    assert colour_of(maps, colours, 0)[0, 0] == colour_of(maps, colours, 1)[0, 1]
    assert (colours.scale.low, colours.scale.high) == (0.0, 4.0)


def test_on_each_maps_own_scale_its_largest_value_is_brightest_and_zero_is_darkest():
    maps = maps_from([[[0.0, 0.0], [0.001, 100.0]]])
    colours = tile_board.colouring("map", 1.0, [], [maps])
    for channel in (0, 1):
        assert colour_of(maps, colours, channel).tolist() == [[0, 254]]


def test_a_map_of_zeros_stays_dark_on_its_own_scale():
    maps = maps_from(np.zeros((3, 3, 2)))
    assert not colour_of(maps, tile_board.colouring("map", 5.0, [], [maps]), 0).any()


def test_signed_maps_are_centred_on_zero_on_every_scale():
    maps = maps_from([[[-1.0, 0.0], [0.0, 3.0]]])
    for scope in ("map", "layer"):
        colours = tile_board.colouring(scope, 1.0, [], [maps])
        assert colour_of(maps, colours, 0)[0, 1] == 127
        red, green, blue = lookup_table(True)[colour_of(maps, colours, 0)[0, 0]].astype(int)
        assert blue > red, "negative values are blue"


def test_the_networks_scale_reaches_over_all_layers_with_maps_and_no_vector():
    maps = maps_from([[[1.0]]])
    colours = tile_board.colouring("network", 1.0, [summary("a", 0, 7), summary("b", 0, 99, spatial=False)], [maps])
    assert colours.scale.high == 7


def test_compared_pictures_share_one_scale():
    one, two = maps_from([[[1.0]]]), maps_from([[[9.0]]])
    assert tile_board.colouring("layer", 1.0, [], [one, two]).scale.high == 9


@pytest.mark.parametrize("contrast", [1.0, 2.0, 20.0])
def test_more_contrast_moves_the_end_of_the_scale_and_the_legend_says_where_it_is(contrast):
    maps = maps_from([[[8.0]]])
    colours = tile_board.colouring("layer", contrast, [], [maps])
    assert colours.scale.high == 8 / contrast
    text = tile_board.legend(colours)
    assert ("≥ " in text) == (contrast != 1)
    assert f"{8 / contrast:.4g}" in text


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "-1,0", "3,0", "0,4", "0,99999999999999", "1.5,2", "٣,١٢"])
def test_a_cell_that_this_map_does_not_have_is_no_cell(text):
    assert parse_cell(text, 3, 4) is None


def test_a_cell_of_the_map_is_read_from_the_link():
    assert parse_cell("2,3", 3, 4) == (2, 3)
    assert parse_cell(" 0 , 1 ", 3, 4) == (0, 1)
