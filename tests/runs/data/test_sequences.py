"""Statistics of the sequences that runs learn from: what tells the classes apart, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import find_peaks

from explorer.runs.data.sequences import (
    ECG_CLASSES,
    ECG_RATE,
    SOUND_CLASSES,
    SOUND_RATE,
    heartbeats,
    periodic_series,
    reviews,
    stereo_sounds,
)


@pytest.mark.parametrize("make", [heartbeats, stereo_sounds], ids=["heartbeats", "sounds"])
def test_signals_are_a_function_of_the_seed_and_classes_are_equally_frequent(make):
    one, again, other = make(60, 3), make(60, 3), make(60, 4)
    assert np.array_equal(one.values, again.values) and np.array_equal(one.labels, again.labels)
    assert not np.array_equal(one.values, other.values)
    assert one.values.dtype == np.float32 and np.isfinite(one.values).all()
    counts = np.bincount(one.labels, minlength=len(one.classes))
    assert counts.max() - counts.min() <= 1
    assert len(one.classes) >= 4


# --- series ---


@pytest.mark.parametrize("period", [4, 6, 17, 40])
def test_a_series_without_noise_repeats_after_its_period_and_not_before(period):
    series = periodic_series(20, 3 * period, period, noise=0.0, seed=1)
    assert np.array_equal(series[:, period:], series[:, :-period])
    assert series[:, :period].std(axis=1) == pytest.approx(np.ones(20), abs=1e-5)
    shorter = np.abs(series[:, period // 2 :] - series[:, : -(period // 2)]).max(axis=1)
    assert (shorter > 0.1).mean() > 0.9


def test_noise_is_what_remains_between_periods():
    series = periodic_series(200, 80, 40, noise=0.2, seed=2)
    rest = series[:, 40:] - series[:, :40]
    assert rest.std() == pytest.approx(0.2 * np.sqrt(2), rel=0.03)


def test_every_series_has_a_pattern_of_its_own():
    series = periodic_series(100, 40, 40, noise=0.0, seed=3)
    alike = np.abs(np.corrcoef(series)[np.triu_indices(100, 1)])
    assert np.median(alike) < 0.4


# --- reviews ---


PRAISE = "good brilliant moving funny clever gripping beautiful fresh convincing subtle".split()
BLAME = "bad dull clumsy boring stupid predictable ugly stale tiresome shallow".split()


def sentiment(text: str) -> int:
    """Judge a review as a reader does: count praise, turned round behind a negation."""
    # A clause that sets one against the other ("clever , not dull") says one thing twice.
    total, said = 0, 0
    for clause in text.split("the "):
        turned = False
        for word in clause.split():
            turned = turned or word in ("not", "never", "hardly")
            if word in PRAISE + BLAME:
                said = (1 if word in PRAISE else -1) * (-1 if turned else 1)
        total += said
        said = 0
    return int(total > 0)


def test_a_reader_who_knows_negation_classifies_every_review():
    found = reviews(400, negated=0.5, seed=0)
    assert [sentiment(text) for text in found.texts] == found.labels.tolist()


def test_half_of_the_reviews_are_positive_and_the_seed_decides_all():
    found = reviews(2000, negated=0.4, seed=1)
    assert abs(found.labels.mean() - 0.5) < 0.04
    assert found.texts == reviews(2000, negated=0.4, seed=1).texts
    assert found.texts != reviews(2000, negated=0.4, seed=2).texts


def praise_share(negated: float) -> float:
    """Return how often a review with more praise than blame, word by word, is a positive one."""
    found = reviews(1000, negated, seed=5)
    right = total = 0
    for text, label in zip(found.texts, found.labels.tolist(), strict=True):
        words = text.split()
        surplus = sum(word in PRAISE for word in words) - sum(word in BLAME for word in words)
        if surplus:
            total += 1
            right += (surplus > 0) == bool(label)
    return right / total


def test_without_negation_words_tell_everything_and_with_it_less_and_less():
    assert praise_share(0.0) == 1.0
    assert praise_share(0.0) > praise_share(0.3) > praise_share(0.6)
    assert abs(praise_share(0.6) - 0.5) < 0.12


# --- heartbeats ---


def intervals(values: np.ndarray) -> np.ndarray:
    """Return the seconds between R peaks, found as a physician finds them: high and steep."""
    steep = np.abs(np.diff(values[:, 0], prepend=values[0, 0]))
    peaks, _ = find_peaks(steep, height=0.45 * steep.max(), distance=ECG_RATE // 4)
    return np.diff(peaks) / ECG_RATE


def of_class(signals, name: str) -> np.ndarray:
    return signals.values[signals.labels == signals.classes.index(name)]


def spread(values: np.ndarray) -> float:
    """Return the median over recordings of the standard deviation of intervals, relative to their mean."""
    found = [intervals(each) for each in values]
    return float(np.median([each.std() / each.mean() for each in found]))


@pytest.fixture(scope="module")
def hearts():
    return heartbeats(500, seed=0, noise=0.02)


def test_a_regular_heart_beats_between_58_and_96_times_a_minute(hearts):
    rates = [60 / np.median(intervals(each)) for each in of_class(hearts, "regular")]
    assert min(rates) > 54 and max(rates) < 102


def test_fibrillation_is_irregular_and_flutter_is_not(hearts):
    regular, fibrillation = (of_class(hearts, name) for name in (ECG_CLASSES[0], ECG_CLASSES[3]))
    assert spread(regular) < 0.06
    assert spread(fibrillation) > 0.15
    assert spread(of_class(hearts, "flutter waves")) < 0.1


def test_a_missing_beat_leaves_a_pause_of_two_intervals(hearts):
    longest = [
        each.max() / np.median(each) for each in (intervals(values) for values in of_class(hearts, "missing beat"))
    ]
    assert np.median(longest) == pytest.approx(2.0, abs=0.15)
    regular = [each.max() / np.median(each) for each in (intervals(values) for values in of_class(hearts, "regular"))]
    assert max(regular) < 1.5


def test_a_premature_beat_is_early_wide_and_followed_by_a_pause(hearts):
    """An early beat is wide: around it the signal stays high for longer than around a normal R peak."""
    widths = []
    for values in of_class(hearts, "premature beat"):
        high = values[:, 0] > 0.5 * values[:, 0].max()
        edges = np.diff(np.concatenate([[0], high.astype(int), [0]]))
        widths.append((np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)).max())
    normal = []
    for values in of_class(hearts, "regular"):
        high = values[:, 0] > 0.5 * values[:, 0].max()
        edges = np.diff(np.concatenate([[0], high.astype(int), [0]]))
        normal.append((np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)).max())
    assert np.median(widths) >= 2 * np.median(normal)


# --- stereo sounds ---


@pytest.fixture(scope="module")
def sounds():
    return stereo_sounds(300, seed=0, noise=0.05)


def loudness(values: np.ndarray, parts: int) -> np.ndarray:
    """Return root mean squares, (n, parts, channels)."""
    split = values.reshape(len(values), parts, -1, values.shape[-1])
    return np.sqrt((split**2).mean(axis=2))


def pitch_of(values: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(values * np.hanning(len(values)), 8192))
    return float(spectrum.argmax() * SOUND_RATE / 8192)


def test_what_moves_to_the_right_is_louder_on_the_left_at_first(sounds):
    for name, side in (("left to right", 0), ("right to left", 1)):
        loud = loudness(of_class(sounds, name), 8)
        assert (loud[:, 0, side] > 3 * loud[:, 0, 1 - side]).all()
        assert (loud[:, -1, 1 - side] > 3 * loud[:, -1, side]).all()
        # The sound as a whole does not fade: it moves.
        power = (loud**2).sum(axis=-1)
        assert (power.max(axis=1) / power.min(axis=1)).max() < 1.6


def test_all_other_sounds_stay_where_they_are(sounds):
    for name in SOUND_CLASSES[2:]:
        values = of_class(sounds, name)
        left, right = values[..., 0], values[..., 1]
        alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(left, right, strict=True)]
        assert min(alike) > 0.7


def test_chirps_rise_or_fall_by_a_factor(sounds):
    for name, rises in (("rising chirp", True), ("falling chirp", False)):
        for values in of_class(sounds, name):
            first, last = pitch_of(values[:200, 0]), pitch_of(values[-200:, 0])
            factor = last / first if rises else first / last
            assert 1.25 < factor < 2.6


def test_two_near_tones_beat_several_times_and_a_moving_one_does_not(sounds):
    beating = loudness(of_class(sounds, "beating"), 64).sum(axis=-1)
    assert (beating.min(axis=1) < 0.35 * beating.max(axis=1)).all()
    dips = [len(find_peaks(-each, prominence=0.5 * np.ptp(each))[0]) for each in beating]
    assert min(dips) >= 2


def test_an_echo_is_heard_twice_the_second_time_weaker(sounds):
    for values in of_class(sounds, "echo"):
        loud = loudness(values[None], 64)[0].sum(axis=-1)
        peaks, found = find_peaks(np.concatenate([[0], loud]), height=0.25 * loud.max(), distance=12)
        assert len(peaks) == 2
        assert found["peak_heights"][1] < found["peak_heights"][0]
