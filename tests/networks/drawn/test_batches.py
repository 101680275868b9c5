"""Batches: every picture once in an epoch, shaken as said, and a pure function of seed and step."""

import numpy as np

from explorer.networks.drawn.batches import SHIFT, augment, batch_indices, batches


def test_an_epoch_shows_each_picture_once_and_the_next_in_another_order() -> None:
    first = np.concatenate([batch_indices(3, step, 40, 8) for step in range(5)])
    second = np.concatenate([batch_indices(3, step, 40, 8) for step in range(5, 10)])
    assert sorted(first) == sorted(second) == list(range(40))
    assert list(first) != list(second)


def test_batches_from_the_middle_are_those_of_the_whole_run() -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (30, 16, 16, 3)).astype(np.uint8)
    labels = np.arange(30)
    whole = list(batches(pixels, labels, seed=5, batch=4, first=0, last=12))
    tail = list(batches(pixels, labels, seed=5, batch=4, first=9, last=12))
    assert len(whole) == 12
    for (pictures, answers), (same_pictures, same_answers) in zip(whole[9:], tail, strict=True):
        np.testing.assert_array_equal(pictures, same_pictures)
        np.testing.assert_array_equal(answers, same_answers)


def test_an_empty_stretch_has_no_batches() -> None:
    assert not list(batches(np.zeros((4, 8, 8, 3), np.uint8), np.zeros(4), seed=0, batch=2, first=3, last=3))


def test_a_shaken_picture_stays_in_range_and_keeps_its_shape() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (50, 32, 40, 3)).astype(np.uint8)
    shaken = augment(pixels, np.random.default_rng(2))
    assert shaken.shape == pixels.shape
    assert shaken.dtype == np.float32
    assert shaken.min() >= 0
    assert shaken.max() <= 1


def test_a_bright_spot_moves_by_at_most_the_shift_and_is_mirrored_half_the_time() -> None:
    pixels = np.zeros((400, 64, 64, 3), np.uint8)
    pixels[:, 30:34, 14:18] = 255
    spots = augment(pixels, np.random.default_rng(3)).sum(-1)
    rows, columns = np.divmod(spots.reshape(400, -1).argmax(1), 64)
    assert rows.min() >= 30 - SHIFT
    assert rows.max() <= 30 + SHIFT
    mirrored = columns > 32
    assert 0.4 < mirrored.mean() < 0.6
    assert np.abs(columns[~mirrored] - 14).max() <= SHIFT
    assert np.abs(columns[mirrored] - 46).max() <= SHIFT


def test_a_grey_picture_stays_nearly_grey_and_the_mean_of_many_nearly_the_same() -> None:
    pixels = np.full((2000, 4, 4, 3), 128, np.uint8)
    shaken = augment(pixels, np.random.default_rng(4))
    assert abs(shaken.mean() - 0.5) < 0.02
    assert np.ptp(shaken[:, 0, 0], axis=-1).max() < 0.25
