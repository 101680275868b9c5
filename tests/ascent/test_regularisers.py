"""What regularisers take from a gradient is the slope that finite differences of NumPy's values have."""

import keras
import numpy as np
import pytest

from explorer.ascent import regularisers
from explorer.networks.gradients import value_and_gradient

pytestmark = pytest.mark.backends


def pictures():
    return np.random.default_rng(0).uniform(size=(2, 5, 7, 3)).astype(np.float32)


def value(term, x):
    return keras.ops.convert_to_numpy(term(keras.ops.convert_to_tensor(x)))


def differences(picture):
    return [np.diff(picture, axis=axis) for axis in (0, 1) if picture.shape[axis] > 1]


def roughness(picture):
    return sum((each**2).mean() for each in differences(picture))


def variation(picture):
    return sum(np.sqrt(each**2 + regularisers.SOFT**2).mean() for each in differences(picture))


def distance_from_grey(picture):
    return ((picture - 0.5) ** 2).mean()


@pytest.mark.parametrize("term", [roughness, variation, distance_from_grey])
@pytest.mark.parametrize("shape", [(2, 5, 7, 3), (1, 6, 6, 1), (2, 1, 4, 3), (1, 4, 1, 2)])
def test_their_slopes_are_finite_differences_of_means_over_each_image(term, shape):
    x = np.random.default_rng(0).uniform(size=shape).astype(np.float32)
    slopes = value(getattr(regularisers, term.__name__), x)
    step = 1e-5
    for place in np.ndindex(shape):
        up, down = (x.astype(np.float64) for _ in range(2))
        up[place] += step
        down[place] -= step
        expected = (term(up[place[0]]) - term(down[place[0]])) / (2 * step)
        assert slopes[place] == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_small_differences_count_squared_and_large_ones_by_their_size():
    steps = np.array([0.0, 1e-4, 0.5], np.float32).reshape(1, 3, 1, 1)
    slopes = value(regularisers.variation, steps)[0, :, 0, 0]
    assert slopes[2] == pytest.approx(1 / 2, rel=1e-3), "one of two differences"
    assert slopes[0] == pytest.approx(-1e-4 / regularisers.SOFT / 2, rel=1e-3)


def test_what_is_held_against_pictures_is_taken_from_their_gradient_alone():
    x, wanted = pictures(), np.random.default_rng(1).normal(size=(2, 5, 7, 3)).astype(np.float32)

    def product(x):
        held = regularisers.held_against(x, lambda x: 3.0 * regularisers.distance_from_grey(x))
        return keras.ops.sum(held * keras.ops.convert_to_tensor(wanted))

    found, gradient = value_and_gradient(product, x)
    assert found == pytest.approx((x * wanted).sum(), rel=1e-5), "the values are as they were"
    np.testing.assert_allclose(gradient, wanted - 3 * 2 * (x - 0.5) / (5 * 7 * 3), atol=1e-6)


def test_likeness_is_one_for_copies_and_less_for_others():
    random = np.random.default_rng(0)
    maps = random.normal(size=(1, 4, 4, 3)).astype(np.float32)
    same = value(lambda maps: regularisers.likeness(maps, 2), np.concatenate([maps, maps]))
    np.testing.assert_allclose(same, [1.0], atol=1e-5)
    ones, others = np.zeros((2, 1, 4, 4, 3), np.float32)
    ones[..., 0], others[..., 1] = 1.0, 1.0
    apart = value(lambda maps: regularisers.likeness(maps, 2), np.concatenate([ones, others]))
    np.testing.assert_allclose(apart, [0.0], atol=1e-5)


def test_weights_rise_at_first():
    assert regularisers.ramp(0) == pytest.approx(1 / regularisers.RAMP_STEPS)
    assert regularisers.ramp(31) == regularisers.ramp(1000) == 1.0
