"""Pictures fit a network's input, and its coordinates find their way back."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.networks import catalogue
from explorer.networks.preprocessing import PADDING_GREY, fit, prepare

ENTRY = replace(catalogue.entry("drawn_plain"), input_size=(60, 80))


def quarters(height, width):
    """Red, green / blue, white quarters: corners can be told apart after any scaling."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2, 0] = 255
    pixels[: height // 2, width // 2 :, 1] = 255
    pixels[height // 2 :, : width // 2, 2] = 255
    pixels[height // 2 :, width // 2 :] = 255
    return pixels


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", [(60, 80), (30, 200), (301, 77), (1, 1), (7, 500)])
def test_every_picture_comes_out_at_the_networks_size(how, size):
    fitted = fit(quarters(*size), ENTRY, how)
    assert fitted.pixels.shape == (60, 80, 3)
    assert fitted.pixels.dtype == np.uint8
    assert fitted.picture_size == size


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
def test_a_picture_of_the_right_size_is_untouched(how):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    fitted = fit(pixels, ENTRY, how)
    np.testing.assert_array_equal(fitted.pixels, pixels)
    assert fitted.content == (0, 0, 60, 80)


def test_padding_keeps_the_whole_picture_between_grey_bars():
    fitted = fit(quarters(40, 160), ENTRY, "pad")
    assert fitted.content == (20, 0, 40, 80)
    assert (fitted.pixels[:20] == PADDING_GREY).all()
    assert (fitted.pixels[40:] == PADDING_GREY).all()
    np.testing.assert_array_equal(fitted.pixels[22, 5], [255, 0, 0])
    np.testing.assert_array_equal(fitted.pixels[37, 75], [255, 255, 255])


def test_cropping_takes_the_centre():
    fitted = fit(quarters(60, 160), ENTRY, "crop")
    assert fitted.content == (0, 0, 60, 80)
    assert fitted.offset == (0, -40)
    np.testing.assert_array_equal(fitted.pixels[10, 10], [255, 0, 0])
    np.testing.assert_array_equal(fitted.pixels[10, 70], [0, 255, 0])
    assert fitted.to_picture((0, 0, 60, 80)) == (0, 40, 60, 120)


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", [(31, 200), (301, 77)])
def test_there_and_back_is_the_same_place(how, size):
    fitted = fit(quarters(*size), ENTRY, how)
    box = (3.5, 7.25, 20.0, 41.0)
    there = fitted.to_network(box, clip=False)
    np.testing.assert_allclose(fitted.to_picture(there, clip=False), box, atol=1e-9)


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
def test_the_middle_of_the_picture_is_found_where_its_colours_meet(how):
    picture = quarters(120, 90)
    fitted = fit(picture, ENTRY, how)
    row, column, _, _ = fitted.to_network((60, 45, 60, 45))
    around = [fitted.pixels[int(row + a), int(column + b)] for a, b in ((-3, -3), (-3, 3), (3, -3), (3, 3))]
    np.testing.assert_allclose(around, [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]], atol=30)


def test_boxes_outside_the_picture_are_clipped_to_it():
    fitted = fit(quarters(40, 160), ENTRY, "pad")
    assert fitted.to_picture((-10, -10, 100, 100)) == (0, 0, 40, 160)


def test_only_pictures_are_fitted():
    with pytest.raises(ValueError, match="uint8"):
        fit(np.zeros((5, 5, 3), np.float32), ENTRY)
    with pytest.raises(ValueError, match="uint8"):
        fit(np.zeros((5, 5), np.uint8), ENTRY)
    with pytest.raises(ValueError, match="squeeze"):
        fit(quarters(5, 5), ENTRY, "squeeze")


def test_prepared_input_is_a_float32_batch():
    pixels = quarters(60, 80)
    assert prepare(pixels, ENTRY).shape == (1, 60, 80, 3)
    batch = prepare(np.stack([pixels, pixels]), ENTRY)
    assert batch.shape == (2, 60, 80, 3)
    assert batch.dtype == np.float32
    assert (batch.min(), batch.max()) == (0, 1)


def test_modes_by_hand():
    red = np.array([[[255, 0, 0]]], np.uint8)
    by_mode = {
        mode: prepare(red, replace(ENTRY, preprocessing=mode))[0, 0, 0] for mode in ("tf", "caffe", "torch", "included")
    }
    np.testing.assert_allclose(by_mode["tf"], [1, -1, -1])
    np.testing.assert_allclose(by_mode["caffe"], [-103.939, -116.779, 255 - 123.68], rtol=1e-6)
    np.testing.assert_allclose(by_mode["torch"], [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-6)
    np.testing.assert_allclose(by_mode["included"], [255, 0, 0])
