"""What arrives at the first layers: shrunk by saturation and depth, restored by skips; dead configurations."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.gradient_flow.depth_results import VanishingPlan
from explorer.gradient_flow.vanishing import vanishing


@pytest.mark.parametrize("seed", range(2))
def test_sigmoids_shrink_the_early_gradient_and_skips_restore_it(seed: int) -> None:
    plain, residual = vanishing(VanishingPlan(depth=20, activation="sigmoid", seed=seed)).ratio()
    assert plain < 1e-9
    assert 0.1 < residual < 10


def test_batch_norm_without_skips_makes_the_early_gradient_explode() -> None:
    plain, residual = vanishing(VanishingPlan(50, "relu", "he_normal", batch_norm=True)).ratio()
    assert plain > 1e3
    assert residual < 30


def test_one_layer_is_first_and_last() -> None:
    assert vanishing(VanishingPlan(depth=1)).ratio().tolist() == [1.0, 1.0]


def test_weights_of_zero_hand_nothing_on_unless_something_goes_past_them() -> None:
    result = vanishing(VanishingPlan(8, "relu", "zeros"))
    assert (result.gradient[0, 0] == 0).all()
    assert (result.gradient[0, 1] > 0).all()
    # Identities hand on what the stem gave, and hand back the same gradient.
    assert np.ptp(result.spread[0, 1]) == 0
    np.testing.assert_allclose(result.gradient[0, 1], result.gradient[0, 1, 0], rtol=1e-5)


def test_large_weights_overflow_and_no_row_is_lost() -> None:
    result = vanishing(VanishingPlan(90, "relu", "large_normal", steps=2))
    assert result.gradient.shape == (3, 2, 90)
    assert not np.isfinite(result.spread[0, :, -1]).any()


def test_spreads_are_told_where_their_squares_are_beyond_32_bits() -> None:
    spread = vanishing(VanishingPlan(22, "relu", "large_normal")).spread[0, 0]
    assert spread[-1] > 1e11
    growth = np.diff(np.log10(spread))
    assert growth.std() < 0.2  # each layer by the same factor, about √(32 / 2) = 4
    assert 10 ** growth.mean() == pytest.approx(4, rel=0.2)


def test_a_learning_rate_of_a_million_diverges() -> None:
    result = vanishing(VanishingPlan(5, "relu", "he_normal", steps=6, rate=1e6))
    assert not np.isfinite(result.loss[-1]).all() or result.loss[-1].max() > 1e6


def test_steps_change_the_gradient_and_another_seed_gives_other_numbers() -> None:
    one = vanishing(VanishingPlan(4, "tanh", steps=3))
    assert one.gradient.shape == (4, 2, 4)
    assert one.finished
    assert not np.array_equal(one.gradient[0], one.gradient[3])
    assert not np.array_equal(one.gradient[0], vanishing(VanishingPlan(4, "tanh", seed=1)).gradient[0])
