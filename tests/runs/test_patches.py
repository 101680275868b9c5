"""Patches of a picture and of its reduced copy show the same place."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from explorer.runs.patches import patches, reduced, resized


@pytest.mark.parametrize("channels", [1, 3])
def test_reducing_and_enlarging_is_pillows_bicubic(channels: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 24, 32, channels)).astype(np.uint8)
    small = reduced(pictures, 4)
    assert small.shape == (2, 6, 8, channels)
    image = Image.fromarray(pictures[1, :, :, 0]).resize((8, 6), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(small[1, :, :, 0], np.asarray(image))
    assert resized(small, 24, 32).shape == pictures.shape


def test_both_patches_show_the_same_place() -> None:
    # Brightness tells where a pixel is: 4 more for each column, so that a reduced pixel has the mean of its four.
    columns = np.arange(0, 64, dtype=np.uint8)
    large = np.broadcast_to(columns[None, None, :, None], (3, 32, 64, 1))
    small = reduced(np.ascontiguousarray(large), 4)
    low, high = patches(large, small, 20, 3, seed=1)
    assert low.shape == (20, 3, 3, 1) and high.shape == (20, 12, 12, 1)
    inner = slice(1, -1)
    means = high.reshape(20, 3, 4, 3, 4).mean(axis=(2, 4))
    assert np.abs(means[:, inner, inner] - low[:, inner, inner, 0]).max() <= 1


def test_patches_follow_the_seed_and_prefer_edges() -> None:
    large = np.zeros((1, 64, 64, 3), np.uint8)
    large[0, 20:, 20:] = 255
    small = reduced(large, 2)
    first, second = (patches(large, small, 30, 8, seed)[0] for seed in (1, 1))
    np.testing.assert_array_equal(first, second)
    assert (first.reshape(30, -1).std(axis=1) > 0).mean() > 0.5
