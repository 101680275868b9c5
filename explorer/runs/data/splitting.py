"""Divides pictures into those to learn from and those to be judged by, class by class."""

from __future__ import annotations

import numpy as np


def stratified(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices for training and for validation, each mixed.

    Every class gives the same share to the validation, rounded, but at least one picture and never its last: a class
    of one picture can be learnt from, and nothing is known of how well.

    Args:
        labels: int (n,), class of each picture.
        share: of the validation, between 0 and 1.
        seed: of the choice.
    """
    generator = np.random.default_rng((seed, 7))
    training, validation = [], []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        aside = min(max(1, round(share * len(members))), len(members) - 1)
        validation.append(members[:aside])
        training.append(members[aside:])
    empty = [np.zeros(0, np.int64)]
    return (
        generator.permutation(np.concatenate(training or empty)),
        generator.permutation(np.concatenate(validation or empty)),
    )
