"""Results that a session keeps are counted by what they hold, and the largest goes first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.interface.work import size_of


@dataclass(eq=False)
class Result:
    maps: np.ndarray
    raw: np.ndarray


def test_one_array_under_two_names_is_counted_once():
    values = np.zeros((100, 100), np.float32)
    once, twice = size_of(Result(values, np.zeros(1))), size_of(Result(values, values))
    assert abs(once - twice) < 200
    assert size_of(Result(values, values[None])) - twice < 200
    assert size_of(Result(values, values.copy())) >= 2 * values.nbytes


def test_nested_results_are_counted_whole():
    parts = [{"name": bytes(1000), "map": np.zeros(1000)} for _ in range(3)]
    assert 3 * 9000 <= size_of(parts) < 3 * 9000 + 2000
