"""A Fourier image is an inverse Fourier transform, and every picture has parameters that stand for it."""

import keras
import numpy as np
import pytest

from explorer.ascent.colours import colour_matrix, root
from explorer.ascent.parameterisation import FourierImage, PixelImage, image_of, spectrum_scale
from explorer.ascent.results import Plan
from explorer.networks.gradients import value_and_gradient

pytestmark = pytest.mark.backends
SHAPES = [(8, 8, 3), (9, 7, 3), (6, 11, 1), (5, 4, 3), (2, 2, 3), (1, 6, 1), (10, 1, 3)]


def shown(image, parameters):
    return keras.ops.convert_to_numpy(image.pictures(keras.ops.convert_to_tensor(parameters)))


def spectrum_of(parameters, shape, exponent=1.5):
    """Return the scaled spectra (n, h, w // 2 + 1, channels) of a batch of parameters, each wave where it belongs."""
    height, width, channels = shape
    half = width // 2 + 1
    down = [*range(0, height, 2), *range(1, height, 2)] if height % 2 == 0 else [*range(height)]
    across = [*range(0, half, 2), *range(1, half, 2)] if width % 2 == 0 else [*range(half)]
    rows = parameters.reshape(len(parameters), -1, 2, height if height % 2 else height // 2, half, channels)
    spectrum = np.zeros((len(parameters), height, half, channels), complex)
    both = (rows[:, :, 0] + 1j * rows[:, :, 1]).reshape(len(parameters), height, half, channels)
    spectrum[:, np.array(down)[:, None], np.array(across)] = both
    return spectrum * spectrum_scale(height, width, exponent)[..., None]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fourier_image_is_numpys_inverse_transform_of_scaled_waves(shape):
    image = FourierImage(shape, "none", 1.5)
    waves = np.random.default_rng(0).normal(size=(2, *image.grey().shape)).astype(np.float32)
    values = np.fft.irfft2(spectrum_of(waves, shape), s=shape[:2], axes=(1, 2))
    np.testing.assert_allclose(shown(image, waves), 1 / (1 + np.exp(-values / 4)), atol=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fourier_images_gradient_is_numpys_forward_transform(shape):
    image = FourierImage(shape, "none", 1.5)
    waves = np.random.default_rng(0).normal(size=(2, *image.grey().shape)).astype(np.float32)
    wanted, direction = (np.random.default_rng(n).normal(size=size) for n, size in ((1, (2, *shape)), (2, waves.shape)))

    def product(parameters):
        return keras.ops.sum(image.pictures(parameters) * keras.ops.convert_to_tensor(wanted.astype(np.float32)))

    _, gradient = value_and_gradient(product, waves)
    values, change = (
        np.fft.irfft2(spectrum_of(each, shape), s=shape[:2], axes=(1, 2)) / 4 for each in (waves, direction)
    )
    steepness = 1 / (2 + np.exp(values) + np.exp(-values))
    assert np.vdot(gradient, direction) == pytest.approx((wanted * steepness * change).sum(), rel=1e-3, abs=1e-3)


def test_noise_is_drawn_wave_by_wave_real_parts_first():
    shape = (6, 4, 3)
    image = FourierImage(shape, "none", 1.5)
    drawn = np.random.default_rng(7).normal(scale=0.01, size=(2, 6, 3, 3))
    spectrum = spectrum_of(image.noise(np.random.default_rng(7))[None], shape)[0]
    expected = (drawn[0] + 1j * drawn[1]) * spectrum_scale(6, 4, 1.5)[..., None]
    np.testing.assert_allclose(spectrum, expected, rtol=1e-6)


def test_the_spectrum_is_one_over_f_down_to_the_longest_wave():
    scale = spectrum_scale(8, 16, 2.0)
    assert scale.shape == (8, 9)
    root_of_pixels = np.sqrt(8 * 16)
    assert scale[0, 0] == pytest.approx(root_of_pixels * 16**2)  # no wave at all counts as the longest
    assert scale[0, 1] == pytest.approx(root_of_pixels * 16**2)
    assert scale[0, 4] == pytest.approx(root_of_pixels * 4**2)  # a quarter of the sampling frequency
    assert scale[4, 8] == pytest.approx(root_of_pixels / (0.5**2 + 0.5**2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["fourier", "pixels"])
@pytest.mark.parametrize("colours", ["drawn", "imagenet", "none"])
def test_every_picture_comes_back_from_its_parameters(shape, kind, colours):
    image = image_of(Plan("any", parameterisation=kind, colours=colours), shape)
    picture = np.random.default_rng(1).uniform(0.05, 0.95, size=shape)
    np.testing.assert_allclose(shown(image, image.parameters(picture)[None])[0], picture, atol=2e-4)


@pytest.mark.parametrize("kind", ["fourier", "pixels"])
def test_nothing_is_grey(kind):
    image = image_of(Plan("any", parameterisation=kind), (6, 5, 3))
    np.testing.assert_allclose(shown(image, image.grey()[None]), 0.5, atol=1e-7)


def test_decorrelated_noise_has_the_colours_covariance():
    covariance = np.array([[0.09, 0.03, 0.01], [0.03, 0.06, 0.02], [0.01, 0.02, 0.04]])
    np.testing.assert_allclose(root(covariance) @ root(covariance).T, covariance, atol=1e-12)
    for colours in ("drawn", "imagenet"):
        matrix = colour_matrix(colours)
        assert np.linalg.norm(matrix, axis=0).max() == pytest.approx(1.0)
        # Grey varies most in pictures: the longest direction is nearly the same for red, green and blue.
        longest = matrix[:, np.linalg.norm(matrix, axis=0).argmax()]
        assert np.abs(longest).min() > 0.8 * np.abs(longest).max()


@pytest.mark.parametrize("kind", ["fourier", "pixels"])
def test_blurring_keeps_the_mean_and_takes_fine_waves_away(kind):
    image = image_of(Plan("any", parameterisation=kind, colours="none"), (16, 16, 1))
    rows = np.arange(16)[:, None]
    fine = 0.5 + 0.2 * np.cos(np.pi * rows)[..., None] * np.ones((16, 16, 1))
    coarse = 0.5 + 0.2 * np.cos(np.pi * rows / 8)[..., None] * np.ones((16, 16, 1))
    for picture, kept in ((fine, 0.02), (coarse, 0.85)):
        parameters = keras.ops.convert_to_tensor(image.parameters(picture)[None])
        blurred = keras.ops.convert_to_numpy(image.pictures(image.blurred(parameters, np.float32(1.0))))
        contrast = np.ptp(blurred[:, 4:12]) / np.ptp(picture[4:12])
        assert contrast == pytest.approx(kept, abs=0.1)
        assert blurred.mean() == pytest.approx(0.5, abs=0.01)
    unchanged = image.blurred(parameters, np.float32(0.0))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(unchanged), keras.ops.convert_to_numpy(parameters), atol=1e-5)


def test_pixels_start_apart_from_each_other_and_seeds_repeat():
    image = PixelImage((4, 4, 3), "none")
    first, again = (image.noise(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert 0.003 < first.std() < 0.03
