"""The scene of one kernel over a whole picture, its kernels, and the Fourier transform beside the direct way."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, signal

from explorer.convolution import fft, kernels
from explorer.convolution.scenes import photo
from explorer.convolution.scenes.photo import SCENE

RANDOM = np.random.default_rng(8)
PICTURE = RANDOM.integers(0, 256, (37, 52, 3), dtype=np.uint8)


def fact(stage, label):
    return next(one for one in stage.facts if one.label == label)


def test_the_edge_of_two_weights():
    stage = SCENE.build(SCENE.settings("horizontal_difference"))
    assert fact(stage, "Result of the whole picture").answer == (280, 319)
    assert "8,003,072,000" in fact(stage, "A dense matrix instead").exact


@pytest.mark.parametrize("preset", [one.name for one in SCENE.presets])
def test_the_stage_shows_what_scipy_makes_of_the_whole_picture(preset):
    settings = SCENE.settings(preset, pixels=PICTURE)
    kernel = photo.kernel_of(settings)
    for padding, row, column in (("valid", 0, 0), ("same", 0, 3), ("same", 999, 999), ("valid", 4, 5)):
        settings |= {"padding": padding, "row": row, "column": column}
        stage = SCENE.build(settings)
        pixels = photo.pixels_of(settings).astype(float)
        (top, bottom), (left, right) = photo.pads(settings)
        padded = np.pad(pixels, ((top, bottom), (left, right), (0, 0)))
        dilated = np.zeros([d * (k - 1) + 1 for k, d in zip(kernel.shape, settings["dilation_rate"], strict=True)])
        dilated[:: settings["dilation_rate"][0], :: settings["dilation_rate"][1]] = kernel
        strides = settings["strides"]
        planes = [
            signal.correlate2d(padded[..., plane], dilated, "valid")[:: strides[0], :: strides[1]]
            for plane in range(pixels.shape[2])
        ]
        truth = np.stack(planes, axis=-1)
        assert truth.shape[:2] == fact(stage, "Result of the whole picture").answer
        board = stage.board("output")
        first = board.first
        height, width = board.values.shape[:2]
        here = truth[first[0] : first[0] + height, first[1] : first[1] + width]
        np.testing.assert_allclose(board.values, here, atol=1e-9)
        place = photo.pinned(settings)
        marked = np.argwhere(board.marked[..., 0])
        assert (marked + np.array(first)).tolist() == [list(place)]
        source = stage.board("input")
        rows, columns = np.indices(source.values.shape[:2]) + np.array(source.first)[:, None, None]
        inside = (rows >= 0) & (rows < 37) & (columns >= 0) & (columns < 52)
        assert ((source.own if source.own is not None else True) == inside).all()


def test_direct_and_fourier_agree_with_scipy():
    random = np.random.default_rng(2)
    for _ in range(120):
        size = random.integers(20, 45, 2)
        x = random.integers(0, 256, (*size, int(random.choice([1, 3])))).astype(np.float64)
        kernel = random.standard_normal(tuple(random.integers(1, 8, 2)))
        strides, rates = (tuple(int(part) for part in random.integers(1, 4, 2)) for _ in range(2))
        padding = str(random.choice(["valid", "same"]))
        both = fft.compare(x, kernel, strides=strides, padding=padding, dilation_rate=rates)
        assert both.largest_difference < 1e-9
        if padding == "valid":
            dilated = np.zeros([d * (k - 1) + 1 for k, d in zip(kernel.shape, rates, strict=True)])
            dilated[:: rates[0], :: rates[1]] = kernel
            truth = signal.correlate2d(x[..., 0], dilated, "valid")[:: strides[0], :: strides[1]]
            np.testing.assert_allclose(both.direct[..., 0], truth, atol=1e-9)
        assert both.direct_seconds > 0 and both.fft_seconds > 0


def test_grey_is_pillows_brightness():
    truth = np.asarray(Image.fromarray(PICTURE).convert("L"), dtype=int)
    assert np.abs(photo.grey(PICTURE)[..., 0].astype(int) - truth).max() <= 1


def test_kernels_are_the_fields_own():
    flat = np.full((9, 9), 7.0)
    for kernel in (kernels.EDGE_1, kernels.EDGE_2, kernels.SOBEL_X, kernels.SOBEL_Y, kernels.LAPLACIAN):
        assert kernel.sum() == 0 and kernels.is_signed(kernel)
    for kernel in (kernels.IDENTITY, kernels.SHARPEN, kernels.EMBOSS, kernels.box((5, 3)), kernels.gaussian((7, 7), 1)):
        assert kernel.sum() == pytest.approx(1) and not kernels.is_signed(kernel)
    picture = RANDOM.random((9, 9))
    np.testing.assert_allclose(ndimage.correlate(picture, kernels.SOBEL_X), ndimage.sobel(picture, axis=1))
    np.testing.assert_allclose(ndimage.correlate(picture, kernels.SOBEL_Y), ndimage.sobel(picture, axis=0))
    np.testing.assert_allclose(ndimage.correlate(picture, kernels.EDGE_2), ndimage.laplace(picture), atol=1e-12)
    np.testing.assert_allclose(
        ndimage.correlate(flat, kernels.gaussian((7, 7), 1.3)), ndimage.gaussian_filter(flat, 1.3)
    )


def test_a_gabor_kernel_by_its_closed_form():
    kernel = kernels.gabor((7, 5), wavelength=4, angle=30, sigma=2, phase=60, aspect=0.5)
    row, column = 1, 4
    x, y = column - 2, row - 3
    theta = np.pi / 6
    along, across = x * np.cos(theta) + y * np.sin(theta), y * np.cos(theta) - x * np.sin(theta)
    truth = np.exp(-(along**2 + 0.25 * across**2) / 8) * np.cos(np.pi / 2 * along + np.pi / 3)
    assert kernel[row, column] == pytest.approx(truth)
    # Turned by a right angle it is the transposed one; phase 90 answers 0 to even areas.
    upright = kernels.gabor((7, 7), wavelength=5, angle=0, sigma=2, phase=90)
    np.testing.assert_allclose(kernels.gabor((7, 7), wavelength=5, angle=90, sigma=2, phase=90), upright.T, atol=1e-12)
    assert abs(upright.sum()) < 1e-12


def test_a_kernel_that_is_too_large_gets_its_sentence():
    small = PICTURE[:5, :5]
    sentence = SCENE.impossible(SCENE.settings("gaussian_blur", pixels=small))
    assert sentence is not None and "7×7" in sentence
    assert SCENE.impossible(SCENE.settings("edge_1", pixels=small)) is None


def test_a_typed_kernel_grows_and_shrinks_around_its_middle():
    wide = photo.kernel_of(SCENE.settings("edge_1", kernel_size=(5, 7)))
    assert wide[2, 3] == 8 and wide[1, 2] == -1 and wide.sum() == 0 and (wide[0] == 0).all()
    assert photo.kernel_of(SCENE.settings("identity", kernel_size=(1, 1))).tolist() == [[1]]
    for size in np.ndindex(7, 7):
        made = photo.kernel_of(SCENE.settings("identity", kernel_size=(size[0] + 1, size[1] + 1)))
        np.testing.assert_array_equal(made, kernels.identity((size[0] + 1, size[1] + 1)))


def test_titles_count_rows_and_columns_from_1():
    stage = SCENE.build(SCENE.settings("edge_1", pixels=PICTURE, padding="valid", row=4, column=5))
    assert stage.board("output").title == "Result around row 5, column 6"
    source = stage.board("input")
    assert source.title.endswith(f"from row {source.first[0] + 1}, column {source.first[1] + 1}")
