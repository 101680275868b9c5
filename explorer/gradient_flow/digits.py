"""The data of the small networks: scikit-learn's 1,797 handwritten digits of 8 × 8, which come with that library."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SIDE = 8
PIXELS = SIDE * SIDE
CLASSES = 10
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Digits:
    """Pictures and what they show, in two parts.

    Attributes:
        pictures: float32 (n, 64), brought to mean 0 and spread 1 by the training part's.
        labels: int (n,), 0 to 9.
        test_pictures: float32 (m, 64), which no network learns from.
        test_labels: int (m,).
    """

    pictures: np.ndarray
    labels: np.ndarray
    test_pictures: np.ndarray
    test_labels: np.ndarray


@lru_cache(maxsize=4)
def digits(seed: int = 0) -> Digits:
    """Return the digits, split by a seed: four fifths to learn from, with equally many of each class."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    found = load_digits()
    parts = train_test_split(
        found.data.astype(np.float32), found.target, test_size=TEST_SHARE, random_state=seed, stratify=found.target
    )
    pictures, test_pictures, labels, test_labels = parts
    mean, spread = pictures.mean(), pictures.std()
    return Digits((pictures - mean) / spread, labels, (test_pictures - mean) / spread, test_labels)
