"""Enlarging is the linear interpolation of the libraries, in both conventions."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from explorer.explanations.resize import enlarge


@pytest.mark.parametrize("size", [(8, 12), (7, 5), (3, 4), (9, 4)])
def test_half_pixel_centres_are_what_keras_enlarges_by(size):
    maps = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    expected = keras.ops.image.resize(maps[..., None], size, interpolation="bilinear", antialias=False)
    np.testing.assert_allclose(enlarge(maps, size), np.array(expected)[..., 0], atol=1e-5)


@pytest.mark.parametrize("size", [(8, 12), (7, 5)])
def test_aligned_corners_keep_the_corners(size):
    maps = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    found = enlarge(maps, size, aligned=True)
    rows, columns = np.meshgrid(np.linspace(0, 2, size[0]), np.linspace(0, 3, size[1]), indexing="ij")
    for one, expected in zip(found, maps, strict=True):
        np.testing.assert_allclose(one, ndimage.map_coordinates(expected, [rows, columns], order=1), atol=1e-5)


def test_a_constant_map_stays_constant_and_one_cell_fills_all():
    assert np.ptp(enlarge(np.full((1, 3, 5), 0.7), (11, 9))) < 1e-6
    np.testing.assert_array_equal(enlarge(np.array([[[2.0]]]), (3, 2)), np.full((1, 3, 2), 2.0))
    np.testing.assert_array_equal(enlarge(np.array([[[2.0]]]), (3, 2), aligned=True), np.full((1, 3, 2), 2.0))
