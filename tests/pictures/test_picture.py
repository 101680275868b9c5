"""A picture is read-only, known by its content, and says where it came from."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from explorer.pictures.picture import Picture, PictureError


def _picture(pixels: np.ndarray, source: str = "sample:x") -> Picture:
    return Picture(pixels, source, "x", pixels.shape[:2])


def test_pixels_cannot_be_written():
    picture = _picture(np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0, 0] = 1


def test_a_picture_does_not_change_with_the_array_that_it_was_made_from():
    pixels = np.zeros((3, 4, 3), np.uint8)
    picture = _picture(pixels)
    pixels[:] = 9
    assert not picture.pixels.any()


def test_the_key_of_a_picture_is_the_hash_of_its_shape_and_pixels():
    pixels = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    expected = hashlib.sha256(b"(3, 4, 3)" + pixels.tobytes()).hexdigest()
    assert _picture(pixels).sha256 == expected


def test_the_same_bytes_in_another_shape_are_another_picture():
    pixels = np.zeros((2, 6, 3), np.uint8)
    assert _picture(pixels).sha256 != _picture(pixels.reshape(6, 2, 3)).sha256


def test_pictures_are_equal_by_source_and_pixels():
    one, same = (_picture(np.full((2, 2, 3), 7, np.uint8)) for _ in range(2))
    assert one == same and len({one, same}) == 1
    assert one != _picture(np.full((2, 2, 3), 8, np.uint8))
    assert one != _picture(np.full((2, 2, 3), 7, np.uint8), "sample:y")


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        ("drawn:cat:3", True),
        ("scene:12", True),
        ("sample:coffee", False),
        ("upload:ab", False),
        ("webcam:ab", False),
    ],
)
def test_only_the_drawn_world_is_drawn(source, drawn):
    assert _picture(np.zeros((1, 1, 3), np.uint8), source).is_drawn is drawn


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 2, 3)),
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((0, 2, 3), np.uint8),
    ],
)
def test_anything_but_colour_pixels_of_a_byte_is_refused(pixels):
    with pytest.raises(TypeError, match="uint8"):
        _picture(pixels)


def test_a_picture_error_is_a_value_error():
    assert issubclass(PictureError, ValueError)
