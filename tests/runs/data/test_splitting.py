"""Every class gives its share to the validation, and no picture is on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from explorer.runs.data.splitting import stratified

LABELS = np.repeat([0, 1, 2, 3], [100, 40, 10, 3])


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_the_division_is_that_of_each_class(share: float) -> None:
    training, validation = stratified(LABELS, share, seed=0)
    assert sorted([*training, *validation]) == list(range(len(LABELS)))
    there = np.bincount(LABELS[validation], minlength=4)
    assert np.all(np.abs(there - share * np.bincount(LABELS)) <= 1)
    _, theirs = train_test_split(np.arange(150), test_size=share, stratify=LABELS[:150], random_state=0)
    assert np.all(np.abs(there[:3] - np.bincount(LABELS[theirs], minlength=3)) <= 1)


def test_the_seed_decides_which() -> None:
    first, again, other = (stratified(LABELS, 0.2, seed) for seed in (1, 1, 2))
    assert np.array_equal(first[1], again[1]) and not np.array_equal(first[1], other[1])


def test_a_class_of_one_picture_is_learnt_from_and_a_class_of_two_gives_one() -> None:
    training, validation = stratified(np.array([0, 1, 1]), 0.05, seed=0)
    assert 0 in training and sorted(validation) in ([1], [2])
    training, validation = stratified(np.array([0]), 0.5, seed=0)
    assert training.tolist() == [0] and validation.size == 0


def test_nothing_divides_into_nothing() -> None:
    training, validation = stratified(np.zeros(0, np.int64), 0.2, seed=0)
    assert training.size == validation.size == 0
