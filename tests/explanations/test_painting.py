"""A painted guess is judged by as many of the map's highest cells as were painted."""

import numpy as np
import pytest

from explorer.explanations.painting import agreement_with, averaged, by_chance


def painted(rows, columns, shape=(24, 24)):
    mask = np.zeros(shape, bool)
    mask[rows, columns] = True
    return mask


def test_a_guess_that_covers_the_same_place_is_one_and_another_place_is_nought():
    guess = painted(slice(0, 6), slice(0, 6))
    heat = np.zeros((96, 96))
    heat[:24, :24] = 1.0
    assert agreement_with(guess, heat) == 1.0
    assert agreement_with(guess, heat[::-1, ::-1]) == 0.0


def test_half_a_hit_is_a_third():
    guess = painted(slice(0, 4), slice(0, 8))
    heat = np.zeros((96, 96))
    heat[:16, 16:48] = 1.0  # the same area, shifted by half its width
    assert agreement_with(guess, heat) == pytest.approx(16 / 48)


def test_units_and_offsets_of_a_map_do_not_matter():
    rng = np.random.default_rng(0)
    heat, guess = rng.normal(size=(50, 70)), painted(slice(3, 9), slice(2, 12))
    assert agreement_with(guess, heat) == agreement_with(guess, 1000 * heat - 7)


def test_chance_is_what_random_maps_reach():
    rng = np.random.default_rng(1)
    guess = painted(slice(0, 12), slice(0, 12))
    reached = [agreement_with(guess, rng.normal(size=(24, 24))) for _ in range(300)]
    assert np.mean(reached) == pytest.approx(by_chance(guess), abs=0.01)


def test_nothing_painted_agrees_with_nothing_and_holes_in_a_map_count_as_lowest():
    assert np.isnan(agreement_with(np.zeros((4, 4), bool), np.ones((8, 8))))
    heat = np.full((8, 8), np.nan)
    heat[:2, :2] = 0.0
    assert agreement_with(painted(slice(0, 1), slice(0, 1), (4, 4)), heat) == 1.0


def test_a_map_that_is_the_same_everywhere_agrees_with_no_guess():
    for value in (0.0, 0.7, np.nan):
        assert np.isnan(agreement_with(painted(slice(0, 6), slice(None)), np.full((100, 37), value)))


def test_of_equal_cells_none_is_preferred_and_the_answer_stays_the_same():
    heat = np.full((100, 37), 0.1)
    heat[50, 20] = 1.0
    top, bottom = painted(slice(0, 6), slice(None)), painted(slice(18, 24), slice(None))
    for guess in (top, bottom):
        assert agreement_with(guess, heat) == pytest.approx(by_chance(guess), abs=0.1)
        assert agreement_with(guess, heat) == agreement_with(guess, heat)


@pytest.mark.parametrize("size", [(96, 96), (7, 7), (100, 37), (12, 48)])
def test_cells_average_what_lies_in_them(size):
    heat = np.random.default_rng(2).normal(size=size)
    cells = averaged(heat, (12, 12))
    assert cells.shape == (12, 12)
    assert cells.min() >= heat.min()
    assert cells.max() <= heat.max()
    if size == (96, 96):
        np.testing.assert_allclose(cells, heat.reshape(12, 8, 12, 8).mean(axis=(1, 3)))
