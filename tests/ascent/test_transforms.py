"""Shaking is a resampling that can be checked by hand, with a gradient that is its exact adjoint."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from explorer.ascent.results import NO_TRANSFORMS, Transforms
from explorer.ascent.transforms import Movement, is_still, movement, sampling, shaken
from explorer.networks.gradients import sum_of_sorted, value_and_gradient

pytestmark = pytest.mark.backends


def moved(pictures, movement):
    how = sampling(movement, *pictures.shape[1:3])
    return keras.ops.convert_to_numpy(shaken(keras.ops.convert_to_tensor(pictures), *how))


def pictures(height=7, width=9, count=2, channels=3):
    return np.random.default_rng(0).uniform(size=(count, height, width, channels)).astype(np.float32)


def test_no_movement_leaves_every_pixel():
    x = pictures()
    np.testing.assert_allclose(moved(x, Movement(0.0, 1.0, (0.0, 0.0), 1.0, False)), x, atol=1e-6)


def test_a_shift_moves_down_and_right_and_repeats_the_edge_or_shows_grey():
    x = pictures()
    shifted = moved(x, Movement(0.0, 1.0, (2.0, 1.0), 1.0, False))
    np.testing.assert_allclose(shifted[:, 2:, 1:], x[:, :-2, :-1], atol=1e-6)
    np.testing.assert_allclose(shifted[:, 0, 1:], x[:, 0, :-1], atol=1e-6)
    grey = moved(x, Movement(0.0, 1.0, (2.0, 1.0), 1.0, True))
    np.testing.assert_allclose(grey[:, 2:, 1:], x[:, :-2, :-1], atol=1e-6)
    np.testing.assert_allclose(grey[:, :2], 0.5, atol=1e-6)


def test_a_quarter_turn_is_numpys():
    x = pictures(8, 8)
    turned = moved(x, Movement(np.pi / 2, 1.0, (0.0, 0.0), 1.0, False))
    np.testing.assert_allclose(turned, np.rot90(x, -1, axes=(1, 2)), atol=1e-5)


def test_turned_and_scaled_it_is_scipys_bilinear_resampling():
    x = pictures(11, 8)
    how = Movement(0.2, 1.15, (0.7, -0.4), 1.0, False)
    matrix = np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]) / 1.15
    centre = np.array([5.0, 3.5])
    offset = centre - np.array([0.7, -0.4]) - matrix @ centre
    for channel in range(3):
        expected = ndimage.affine_transform(x[0, ..., channel], matrix, offset, order=1, mode="nearest")
        np.testing.assert_allclose(moved(x, how)[0, ..., channel], expected, atol=1e-5)


def test_padding_wider_than_the_jitter_shows_a_frame_of_grey():
    how = movement(Transforms(pad=12, jitter=4, scale=0, rotate=0), 96, np.random.default_rng(0))
    assert how.zoom == pytest.approx((96 + 2 * 8) / 96)
    seen = moved(np.ones((1, 96, 96, 1), np.float32), Movement(0.0, 1.0, (0.0, 0.0), how.zoom, True))[0, ..., 0]
    np.testing.assert_allclose(seen[:6], 0.5, atol=1e-6)
    np.testing.assert_allclose(seen[8:-8, 8:-8], 1.0, atol=1e-6)


def test_limits_are_kept_and_pixels_are_counted_for_96():
    transforms = Transforms(pad=0, jitter=6, scale=0.1, rotate=10)
    drawn = [movement(transforms, 192, np.random.default_rng(seed)) for seed in range(300)]
    shifts = np.array([each.shift for each in drawn])
    assert 11 < np.abs(shifts).max() <= 12
    assert max(each.scale for each in drawn) <= 1.1 and min(each.scale for each in drawn) >= 0.9
    assert 9 < np.rad2deg(max(each.turn for each in drawn)) <= 10
    assert is_still(NO_TRANSFORMS) and not is_still(transforms)


def test_the_gradient_is_the_exact_adjoint():
    x, other = pictures(6, 5), np.random.default_rng(1).normal(size=(2, 6, 5, 3)).astype(np.float32)
    how = sampling(Movement(0.3, 0.9, (1.2, -0.6), 1.0, True), 6, 5)

    def product(image):
        return keras.ops.sum(shaken(image, *map(keras.ops.convert_to_tensor, how)) * keras.ops.convert_to_tensor(other))

    _, gradient = value_and_gradient(product, x)
    nothing, _ = value_and_gradient(product, np.zeros_like(x))
    value, _ = value_and_gradient(product, x)
    assert np.vdot(gradient, x) == pytest.approx(value - nothing, rel=1e-4)


def test_the_gradient_is_what_a_backend_finds_pixel_by_pixel():
    x, other = pictures(9, 6), np.random.default_rng(1).normal(size=(2, 9, 6, 3)).astype(np.float32)
    for shake in (Movement(0.3, 0.8, (2.2, -1.6), 1.0, False), Movement(-0.2, 1.3, (0.5, 3.0), 1.0, True)):
        how = sampling(shake, 9, 6)

        def product(image, how=how):
            tensors = map(keras.ops.convert_to_tensor, how)
            return keras.ops.sum(shaken(image, *tensors) * keras.ops.convert_to_tensor(other))

        expected = np.zeros((2, 9 * 6, 3))
        for places, weights in zip(how.places, how.weights, strict=True):
            for pixel, (place, weight) in enumerate(zip(places, weights, strict=True)):
                expected[:, place] += weight * other.reshape(2, -1, 3)[:, pixel]
        _, gradient = value_and_gradient(product, x)
        np.testing.assert_allclose(gradient.reshape(2, -1, 3), expected, atol=1e-5)


def test_sums_of_rows_that_lie_together_leave_zeros_where_there_are_none():
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    whose = np.array([1, 1, 2, 4, 4], np.int32)
    found = sum_of_sorted(keras.ops.convert_to_tensor(rows), keras.ops.convert_to_tensor(whose), 7)
    expected = [[0, 0], [2, 4], [4, 5], [0, 0], [14, 16], [0, 0], [0, 0]]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)
