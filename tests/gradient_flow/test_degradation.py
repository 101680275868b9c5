"""Degradation: the deep plain network has the higher training error, the deep residual one has not."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.gradient_flow.degradation import Race, degradation, identity_gap
from explorer.gradient_flow.depth_results import DegradationPlan

PLAN = DegradationPlan(shallow=4, deep=40, epochs=6)


@pytest.mark.slow
def test_deeper_is_worse_without_skips_only() -> None:
    result = degradation(PLAN)
    assert result.error.shape == (2, 2, 7)
    (shallow_plain, shallow_residual), (deep_plain, deep_residual) = result.error[..., -1]
    assert deep_plain > shallow_plain + 0.3
    assert deep_residual < shallow_residual + 0.02
    # It is the training error that is worse, so it is not overfitting.
    assert result.loss[1, 0, -1] > result.loss[0, 0, -1] + 0.5


def test_errors_are_those_of_a_network_that_guesses_before_training() -> None:
    race = Race(DegradationPlan(shallow=2, deep=4, epochs=1))
    race.advance()
    result = race.result()
    assert not result.finished
    assert result.error.shape[-1] == 1
    assert result.error.min() > 0.7


def test_zero_weights_make_a_residual_layer_the_identity() -> None:
    assert identity_gap(12, 1.0, seed=0) == 0
    assert identity_gap(12, 0.0, seed=0) > 1


def test_all_four_see_the_same_batches_and_pairs_begin_alike() -> None:
    race = Race(DegradationPlan(shallow=2, deep=4, epochs=1))
    shallow, deep = race._pairs
    np.testing.assert_array_equal(shallow.weights["kernel"][:, 0], shallow.weights["kernel"][:, 1])
    np.testing.assert_array_equal(deep.weights["kernel"][:2], shallow.weights["kernel"])
    np.testing.assert_array_equal(shallow._next(), deep._next())
