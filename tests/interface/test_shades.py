"""Whether the shades of a kernel's cells can be told apart, and read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from explorer.interface.figures.shades import luminance, shades, text_on

# Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009),
# severity 1.0, on linear sRGB.
EYES = {
    "usual": np.eye(3),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
# A difference of 1 is just seen by a trained eye, one of 2 at a glance.
LEAST = {(7, 7): 2.7, (5, 5): 4.0, (3, 3): 10.0, (1, 7): 3.0, (7, 1): 3.0, (1, 2): 30.0, (2, 1): 15.0}


def rgb(colours):
    return np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]) / 255


def seen(colours, eye):
    values = rgb(colours)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    there = np.clip(linear @ EYES[eye].T, 0, 1)
    return rgb2lab(np.where(there <= 0.0031308, 12.92 * there, 1.055 * there ** (1 / 2.4) - 0.055)[None])[0]


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("size", LEAST, ids=str)
def test_shades_stay_apart_for_all_eyes(size, eye):
    lab = seen([colour for row in shades(*size) for colour in row], eye)
    first, second = np.triu_indices(len(lab), 1)
    assert deltaE_ciede2000(lab[first], lab[second]).min() >= LEAST[size]


@pytest.mark.parametrize("size", itertools.product((1, 2, 3, 5, 7), repeat=2))
def test_text_is_readable_on_every_shade(size):
    for colour in (colour for row in shades(*size) for colour in row):
        light, ink = luminance(colour), luminance(text_on(colour))
        assert (max(light, ink) + 0.05) / (min(light, ink) + 0.05) >= 4.5


def test_rows_get_darker_and_columns_warmer():
    family = shades(7, 7)
    lab = np.array([seen(row, "usual") for row in family])
    assert (np.diff(lab[..., 0], axis=0) < 0).all()
    assert (np.diff(lab[..., 2], axis=1) > 0).all()
    assert len({colour for row in family for colour in row}) == 49
