"""Digits drawn by code: the same everywhere, all different, and hard enough to be worth learning."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from explorer.pictures.drawn_digits import SIDE, draw_digit


def drawn(seed: int, count: int, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(count) % 10
    return np.stack([draw_digit(seed, k, label, noise=noise) for k, label in enumerate(labels.tolist())]), labels


def test_a_digit_is_a_function_of_its_seed_index_and_label() -> None:
    assert np.array_equal(draw_digit(3, 5, 7), draw_digit(3, 5, 7))
    others = [draw_digit(4, 5, 7), draw_digit(3, 6, 7), draw_digit(3, 5, 8)]
    assert not any(np.array_equal(draw_digit(3, 5, 7), other) for other in others)


def test_it_is_white_ink_on_black_inside_the_picture() -> None:
    pixels, _ = drawn(1, 200, noise=0.0)
    assert pixels.dtype == np.uint8 and pixels.shape == (200, SIDE, SIDE)
    assert (pixels == 0).mean() > 0.6 and pixels.max(axis=(1, 2)).min() > 120
    ink = (pixels > 60).sum(axis=(1, 2))
    assert ink.min() > 20 and ink.max() < 300
    border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)
    assert border.max() == 0


def test_noise_has_the_deviation_that_it_is_given() -> None:
    plain, noisy = draw_digit(0, 1, 0, noise=0.0), draw_digit(0, 1, 0, noise=0.1)
    middle = (plain > 40) & (plain < 200)  # where nothing is cut off
    assert np.std(noisy[middle].astype(float) - plain[middle]) == pytest.approx(25.5, rel=0.35)


def test_logistic_regression_learns_them_but_not_to_the_end() -> None:
    (pixels, labels), (unseen, truth) = drawn(1, 1500), drawn(2, 500)
    model = LogisticRegression(C=0.02, tol=1e-3, max_iter=200).fit(pixels.reshape(1500, -1) / 255, labels)
    score = model.score(unseen.reshape(500, -1) / 255, truth)
    assert 0.85 < score < 0.97
    # Chance tells nothing: the classes are equally many.
    assert np.bincount(truth).max() / 500 == pytest.approx(0.1)


@pytest.mark.parametrize("label", [-1, 10])
def test_there_are_ten(label: int) -> None:
    with pytest.raises(ValueError, match="no digit"):
        draw_digit(0, 0, label)
