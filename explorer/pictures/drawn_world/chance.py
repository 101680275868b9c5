"""Chance that is the same on every machine: a stream of numbers that depends on its key alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Choice = TypeVar("Choice")

_BLOCK = 256


class Roll:
    """A stream of random numbers in [0, 1), drawn in blocks because a single draw costs a microsecond.

    Only `Generator.random` is used: its stream is the one that NumPy keeps most stable.

    Args:
        key: Non-negative integers that name the stream; the same key gives the same numbers everywhere.
    """

    __slots__ = ("_at", "_block", "_generator")

    def __init__(self, *key: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
        self._block: list[float] = self._generator.random(_BLOCK).tolist()
        self._at = 0

    def unit(self) -> float:
        """Return the next number in [0, 1)."""
        if self._at == _BLOCK:
            self._block = self._generator.random(_BLOCK).tolist()
            self._at = 0
        self._at += 1
        return self._block[self._at - 1]

    def between(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def happens(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.unit() < probability

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Return one of the choices, all equally likely."""
        return choices[int(self.unit() * len(choices))]

    def around(self, middle: float, spread: float) -> float:
        """Return a number near the middle, at most `spread` away, small distances more likely."""
        return middle + spread * (self.unit() + self.unit() - 1.0)

    def units(self, count: int) -> np.ndarray:
        """Return an array of `count` further numbers in [0, 1), not taken from the current block."""
        return self._generator.random(count)
