"""The colours of maps: zero always has the same, nothing is stretched, and their order survives colour blindness."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.explanations.colouring import (
    NOT_A_NUMBER_RGB,
    STEPS,
    ZERO_RGB,
    centred,
    coloured,
    css_gradient,
    numbers,
    scale_end,
    table,
)

# Machado, Oliveira, Fernandes 2009, table 1, severity 1.0, on linear RGB.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
NORMAL = np.eye(3)


def lab(colours: np.ndarray, seen_by: np.ndarray = NORMAL) -> np.ndarray:
    """CIE L*a*b* (D65) of sRGB colours as seen by an eye."""
    shares = colours / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ seen_by.T, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = seen @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=-1)


@pytest.mark.parametrize("eye", [NORMAL, DEUTERANOPIA, PROTANOPIA])
def test_lightness_runs_one_way_from_zero_for_every_eye(eye: np.ndarray) -> None:
    for arm in (table(False)[:STEPS], table(True)[STEPS // 2 : STEPS], table(True)[STEPS // 2 :: -1]):
        light = lab(arm.astype(float), eye)[:, 0]
        steps = np.diff(light) * np.sign(light[-1] - light[0])
        assert steps.min() > -1 and abs(light[-1] - light[0]) > 60


@pytest.mark.parametrize("eye", [NORMAL, DEUTERANOPIA, PROTANOPIA])
def test_for_and_against_are_told_apart_by_every_eye(eye: np.ndarray) -> None:
    colours = lab(table(True)[:STEPS].astype(float), eye)
    for size in (0.5, 0.7, 0.9):
        against, speaks_for = (colours[round((STEPS - 1) / 2 * (1 + sign * size))] for sign in (-1, 1))
        assert np.linalg.norm(against - speaks_for) > 20


def test_zero_has_one_colour_in_every_map() -> None:
    for signed in (False, True):
        assert tuple(coloured(np.zeros((3, 4)), signed)[1, 2]) == ZERO_RGB
        assert tuple(coloured(np.array([[0.0, 5.0]]), signed)[0, 0]) == ZERO_RGB


def test_a_constant_map_has_one_colour_and_is_not_stretched() -> None:
    found = coloured(np.full((4, 4), 0.7), False)
    assert (found == found[0, 0]).all() and tuple(found[0, 0]) == tuple(table(False)[STEPS - 1])
    nearly = numbers(np.array([1.0, 1.0001]), False)
    assert int(nearly[1]) - int(nearly[0]) <= 1


def test_a_positive_value_looks_alike_in_signed_and_unsigned_maps() -> None:
    values = np.array([[0.0, 0.25, 0.5, 1.0]])
    difference = coloured(values, False).astype(int) - coloured(values, True)
    assert np.abs(difference).max() <= 2


def test_the_scale_of_a_signed_map_is_symmetric() -> None:
    assert numbers(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), True).tolist() == [0, 64, 127, 191, 254]
    assert scale_end(np.array([-3.0, 1.0])) == 3


def test_what_is_not_a_number_has_a_colour_of_its_own_and_no_say_in_the_scale() -> None:
    values = np.array([np.nan, 1.0, np.inf, -np.inf])
    assert scale_end(values) == 1
    found = coloured(values, True)
    assert tuple(found[0]) == NOT_A_NUMBER_RGB and not (table(True)[:STEPS] == NOT_A_NUMBER_RGB).all(axis=1).any()
    assert (found[1] == found[2]).all() and (found[3] == table(True)[0]).all()
    assert tuple(coloured(np.full(2, np.nan), False)[0]) == NOT_A_NUMBER_RGB


def test_values_below_zero_are_never_hidden_in_an_unsigned_map() -> None:
    for values in (np.array([-1.0, 1.0]), np.array([-1.0, -2.0, np.nan])):
        assert centred(values, False) and (coloured(values, False) == coloured(values, True)).all()
        assert tuple(coloured(values, False)[0]) != ZERO_RGB
    assert not centred(np.array([0.0, 1.0, np.nan, -np.inf]), False)


def test_the_legend_shows_the_same_colours() -> None:
    first, last = table(True)[0], table(True)[STEPS - 1]
    assert css_gradient(True).startswith(f"linear-gradient(to right, rgb({first[0]},{first[1]},{first[2]})")
    assert css_gradient(True).endswith(f"rgb({last[0]},{last[1]},{last[2]}))")
