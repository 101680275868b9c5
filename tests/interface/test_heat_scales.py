"""A heat map's colours: never stretched in silence, zero is zero, and the legend says what was done."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from explorer.explanations import colouring
from explorer.explanations.table import METHODS
from explorer.interface.figures.heat_scales import RULES, coloured, over_picture, scale_of, suited_rule
from explorer.interface.figures.shades import luminance
from explorer.interface.theme import PALETTES
from tests.interface.test_shades import EYES

RNG = np.random.default_rng(7)


def lightness(colours, eye="usual"):
    """CIE L* from 0 to 1 as an eye sees it."""
    values = np.asarray(colours, float).reshape(-1, 3) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    there = np.clip(linear @ EYES[eye].T, 0, 1)
    return rgb2lab(np.where(there <= 0.0031308, 12.92 * there, 1.055 * there ** (1 / 2.4) - 0.055)[None])[0, :, 0] / 100


HILL = RNG.gamma(1.0, size=(20, 30)).astype(np.float32)


def test_the_page_and_the_report_colour_alike():
    for values, signed in ((HILL, False), (HILL - 1, True), (np.zeros((3, 4)), True), (np.full((3, 4), 0.2), False)):
        np.testing.assert_array_equal(coloured(values, signed), colouring.coloured(values, signed))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("signed", [False, True])
def test_a_constant_map_looks_constant_under_every_rule(rule, signed):
    for value in (0.0, 0.3, 5.0):
        values = np.full((4, 5), value, np.float32)
        assert len(np.unique(coloured(values, signed, rule).reshape(-1, 3), axis=0)) == 1
    assert scale_of(np.zeros((4, 5)), signed, rule).legend == "zero everywhere"


def test_zero_has_the_colour_of_zero_in_every_scale_that_is_not_stretched():
    values = np.array([[0.0, 2.0, -1.0]])
    for rule in ("highest", "clipped", "shared"):
        for signed, shown in ((True, values), (False, np.abs(values))):
            np.testing.assert_array_equal(coloured(shown, signed, rule)[0, 0], colouring.ZERO_RGB)


def test_a_signed_scale_reaches_equally_far_on_both_sides():
    scale = scale_of(np.array([[-0.5, 2.0]]), True)
    assert (scale.low, scale.high) == (-2.0, 2.0)
    assert scale.legend == "−2 … 2, centred on 0, this map's scale"


def test_values_below_zero_are_never_hidden_in_a_map_that_should_have_none():
    scale = scale_of(np.array([[-3.0, 2.0]]), False)
    assert scale.diverging and scale.low == -3.0


def test_twice_the_map_has_the_same_colours_and_another_legend():
    assert scale_of(HILL, False).legend != scale_of(2 * HILL, False).legend
    np.testing.assert_array_equal(coloured(HILL, False), coloured(2 * HILL, False))
    # On a shared scale the weaker of two maps looks weaker.
    weak, strong = (
        coloured(one, False, "shared", others=[other]) for one, other in ((HILL, 2 * HILL), (2 * HILL, HILL))
    )
    assert lightness(weak).mean() < lightness(strong).mean()


def test_clipping_is_said_and_touches_one_place_in_a_hundred():
    values = np.arange(1, 10_001, dtype=float).reshape(100, 100)
    scale = scale_of(values, False, "clipped")
    assert (scale.indices(values) == scale.indices(np.array([values.max()]))).mean() == pytest.approx(0.01, abs=0.004)
    assert "clipped: the top 1\u00a0% (up to 1e+04) share its end" in scale.words


def test_stretching_from_the_lowest_is_said_and_signed_maps_are_never_stretched():
    values = 5 + HILL
    assert scale_of(values, False, "lowest").low == pytest.approx(values.min())
    assert "stretched from its lowest" in scale_of(values, False, "lowest").legend
    assert scale_of(values, True, "lowest").legend == scale_of(values, True).legend


def test_what_is_not_a_number_has_its_own_colour_and_is_counted():
    values = HILL.copy()
    values[3, 4] = np.nan
    assert tuple(coloured(values, False)[3, 4]) == colouring.NOT_A_NUMBER_RGB
    assert "1 of 600 places are not finite" in scale_of(values, False).legend
    assert scale_of(np.full((2, 2), np.nan), False).legend == "not a number anywhere"
    table = np.vstack([colouring.table(signed)[: colouring.STEPS] for signed in (False, True)]).astype(int)
    assert np.abs(table - colouring.NOT_A_NUMBER_RGB).sum(axis=1).min() > 100


@pytest.mark.parametrize("eye", EYES)
def test_more_is_lighter_on_both_sides_for_all_eyes(eye):
    for scale in (colouring.table(False)[: colouring.STEPS], colouring.table(True)[colouring.STEPS // 2 :: -1]):
        rising = lightness(scale, eye)
        assert rising[-1] - rising[0] > 0.85
        # Within the rounding to whole colours.
        assert (np.diff(rising[::4]) > 0).all()


def test_both_sides_of_a_signed_scale_are_equally_light_at_the_same_distance():
    both = lightness(colouring.table(True)[: colouring.STEPS])
    middle = colouring.STEPS // 2
    np.testing.assert_allclose(both[middle::-1], both[middle:], atol=0.05)


def test_a_map_over_its_picture_is_the_mixture_that_the_slider_says():
    picture = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    colours = coloured(HILL, False)
    np.testing.assert_array_equal(over_picture(picture, colours, 0), picture)
    np.testing.assert_array_equal(over_picture(picture, colours, 1), colours)
    half = over_picture(picture, colours, 0.5).astype(float)
    np.testing.assert_allclose(half, (picture.astype(float) + colours) / 2, atol=0.5)


@pytest.mark.parametrize("theme", PALETTES)
def test_the_lines_of_charts_stand_out_from_the_page(theme):
    colours = PALETTES[theme]
    page = luminance(colours.background)
    for colour in colours.lines:
        high, low = sorted((luminance(colour), page), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_pixel_gradients_are_clipped_so_that_few_places_do_not_darken_all_others():
    values = HILL.copy()
    values[0, 0] = 100 * HILL.max()
    shown = lightness(coloured(values, False, suited_rule("saliency"))).mean()
    assert shown > 2 * lightness(coloured(values, False, suited_rule("grad_cam"))).mean()
    assert {suited_rule(name) for name in METHODS} == {"clipped", "highest"}
