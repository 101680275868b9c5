"""Sheets of pictures: what is where, and in which colour."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.runs import strips


def test_small_pictures_are_enlarged_by_whole_numbers_and_stand_in_rows_and_columns() -> None:
    red, blue = (np.full((8, 8, 3), colour, np.uint8) for colour in ([255, 0, 0], [0, 0, 255]))
    image = np.asarray(strips.sheet([[red, blue], [blue, red]], least_side=12))
    side, gap = 16, strips.GAP
    assert image.shape == (2 * side + gap, 2 * side + gap, 4)
    assert image[0, 0].tolist() == [255, 0, 0, 255]
    assert image[0, side + gap].tolist() == [0, 0, 255, 255]
    assert image[side + gap, 0].tolist() == [0, 0, 255, 255]
    assert image[side, side][3] == 0, "between pictures the page is seen"


def test_grey_pictures_and_words_find_their_place() -> None:
    grey = np.full((40, 30, 1), 200, np.uint8)
    plain = strips.sheet([[grey] * 3], least_side=30)
    told = strips.sheet([[grey] * 3], ["input"], ["one", "two", "three"], [("cat", (1, 2, 3))], least_side=30)
    assert told.width > plain.width and told.height > plain.height
    assert (np.asarray(told) == (1, 2, 3, 255)).all(axis=-1).any()


def test_many_classes_get_many_colours_and_vermilion_is_none_of_them() -> None:
    colours = strips.class_colours(13)
    assert len(np.unique(colours, axis=0)) == 13
    assert not (colours == strips.WRONG).all(axis=1).any()
    assert strips.colour_words(["background", "cat", *"abcde", "fish"]).split(", ")[::6] == [
        "sky blue cat",
        "dark sky blue fish",
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_mistakes_are_vermilion_and_nothing_else_is(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6, channels)).astype(np.uint8)
    truth = np.zeros((6, 6), np.uint8)
    answer = truth.copy()
    answer[2, 3] = 1
    shown = strips.mistakes(pixels, truth, answer)
    wrong = (shown == strips.WRONG).all(axis=-1)
    assert wrong[2, 3] and wrong.sum() == 1


def test_an_object_is_tinted_and_its_boundary_has_the_full_colour() -> None:
    pixels = np.full((9, 9, 3), 90, np.uint8)
    mask = np.zeros((9, 9), np.uint8)
    mask[2:7, 2:7] = 2
    colours = strips.class_colours(3)
    shown = strips.overlaid(pixels, mask, colours)
    full = (shown == colours[2]).all(axis=-1)
    assert full.sum() == 16, "the square's rim"
    assert len(np.unique(shown[4, 4])) > 1 and len(np.unique(shown[0, 0])) == 1
