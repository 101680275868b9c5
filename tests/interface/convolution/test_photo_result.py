"""The result that one takes along is what the layer computes, on the scale that the page names."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from explorer.convolution.scenes.photo import SCENE
from explorer.interface.convolution.photo import result_png

PIXELS = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def result(preset, **more):
    settings = SCENE.settings(preset, pixels=PIXELS, **more)
    return np.asarray(Image.open(io.BytesIO(result_png(settings))))


def test_the_identity_gives_the_picture_back():
    preset = next(one.name for one in SCENE.presets if "identity" in one.name)
    made = result(preset, colour=True)
    inner = PIXELS if made.shape == PIXELS.shape else PIXELS[1:-1, 1:-1]
    np.testing.assert_array_equal(made, inner)


@pytest.mark.parametrize("colour", [False, True])
def test_a_kernel_with_both_signs_has_zero_in_the_middle_of_the_scale(colour):
    flat = np.full((20, 20, 3), 99, np.uint8)
    settings = SCENE.settings(
        "edge_1" if "edge_1" in {p.name for p in SCENE.presets} else "", pixels=flat, colour=colour
    )
    shown = np.asarray(Image.open(io.BytesIO(result_png(settings)))).astype(int)
    assert np.ptp(shown) < 12 if colour else np.ptp(shown.reshape(-1, 3), axis=0).max() == 0


def test_a_box_blur_is_the_mean_of_its_window():
    preset = next(one.name for one in SCENE.presets if "blur" in one.name)
    grey = np.repeat(PIXELS[..., :1], 3, axis=2)
    settings = SCENE.settings(preset, pixels=grey, colour=True, padding="valid")
    size = settings["kernel_size"][0] if "kernel_size" in settings else 3
    made = np.asarray(Image.open(io.BytesIO(result_png(settings)))).astype(float)[..., 0]
    mean = ndimage.uniform_filter(grey[..., 0].astype(float), size)
    half = size // 2
    np.testing.assert_allclose(made, mean[half:-half, half:-half], atol=1.0)
