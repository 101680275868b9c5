"""Sequences as pictures: what is drawn is where the values are."""

from __future__ import annotations

import numpy as np

from explorer.runs.data.sequence_pictures import TEXT_SIZE, WAVE_SIZE, waveform, written


def darkest_row(picture: np.ndarray, column: int) -> int:
    return int(picture[:, column].astype(int).sum(axis=-1).argmin())


def test_a_constant_signal_is_a_line_at_its_height():
    for value, where in ((0.0, 0.5), (0.9, 0.05), (-0.9, 0.95)):
        picture = waveform(np.full((50, 1), value), limit=1.0)
        assert picture.shape == (*WAVE_SIZE, 3) and picture.dtype == np.uint8
        assert abs(darkest_row(picture, 144) / WAVE_SIZE[0] - where) < 0.04


def test_two_channels_stand_below_each_other():
    picture = waveform(np.stack([np.full(50, 0.5), np.full(50, -0.5)], axis=-1), limit=1.0)
    upper, lower = picture[: WAVE_SIZE[0] // 2], picture[WAVE_SIZE[0] // 2 :]
    assert darkest_row(upper, 100) < WAVE_SIZE[0] // 4 < darkest_row(lower, 100)


def test_a_value_beyond_the_limit_is_cut_not_lost():
    assert darkest_row(waveform(np.full((50, 1), 9.0), limit=1.0), 100) < 6


def test_a_longer_text_takes_more_ink_and_the_longest_still_fits():
    short, longer, endless = (written("word " * count) for count in (2, 20, 2000))
    assert short.shape == endless.shape == (*TEXT_SIZE, 3)
    ink = [(picture < 128).sum() for picture in (short, longer, endless)]
    assert 0 < ink[0] < ink[1] < ink[2]
    assert (endless[:, -2:] > 200).all()
