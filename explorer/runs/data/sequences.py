"""Sequences to learn from, made by code: time series, film reviews, heartbeats and stereo sounds.

Everything is a function of the seed; nothing here knows Keras.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

HARMONICS = 8

ECG_CLASSES = ("regular", "premature beat", "missing beat", "irregular, as in atrial fibrillation", "flutter waves")
ECG_RATE = 64
ECG_SECONDS = 6

SOUND_CLASSES = ("left to right", "right to left", "echo", "beating", "rising chirp", "falling chirp")
SOUND_RATE = 2048
SOUND_SECONDS = 0.5

REVIEW_CLASSES = ("negative", "positive")


@dataclass(frozen=True, eq=False)
class Signals:
    """Recordings of one length, each with a class.

    Attributes:
        values: float32 (n, steps, channels).
        labels: int64 (n,).
        classes: names of the classes.
        rate: steps a second.
    """

    values: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    rate: int


@dataclass(frozen=True)
class Reviews:
    """Texts, each with a class.

    Attributes:
        texts: words in small letters with blanks between them.
        labels: 0 for a negative review, 1 for a positive one.
    """

    texts: tuple[str, ...]
    labels: np.ndarray


def periodic_series(count: int, steps: int, period: int, noise: float, seed: int) -> np.ndarray:
    """Return series that repeat a pattern, a different one in each, with noise on top.

    A pattern is a sum of harmonics with random amplitudes and phases, brought to variance 1. The next value can be
    read off one period ago, and hardly anywhere else.

    Args:
        count: how many series.
        steps: length of each.
        period: steps after which the pattern comes again.
        noise: standard deviation of the noise.
        seed: of everything random.

    Returns:
        float32 (count, steps).
    """
    random = np.random.default_rng(seed)
    orders = np.arange(1, max(1, min(HARMONICS, (period - 1) // 2)) + 1)
    amplitudes = random.normal(size=(count, len(orders))) / np.sqrt(orders)
    phases = random.uniform(0, 2 * np.pi, (count, len(orders)))
    angles = 2 * np.pi * np.arange(period)[:, None] / period * orders
    pattern = (amplitudes[:, None] * np.sin(angles + phases[:, None])).sum(axis=-1)
    pattern /= np.maximum(pattern.std(axis=1, keepdims=True), 1e-6)
    series = pattern[:, np.arange(steps) % period]
    return (series + noise * random.normal(size=series.shape)).astype(np.float32)


# --- film reviews ---

_THINGS = (
    "plot", "acting", "camera", "music", "dialogue", "ending", "cast", "story", "pacing", "humour", "set", "editing",
)  # fmt: skip
_PRAISE = (
    "good", "brilliant", "moving", "funny", "clever", "gripping", "beautiful", "fresh", "convincing", "subtle",
)  # fmt: skip
_BLAME = (
    "bad", "dull", "clumsy", "boring", "stupid", "predictable", "ugly", "stale", "tiresome", "shallow",
)  # fmt: skip
_NEGATIONS = ("not", "never", "hardly", "not at all")
_STRENGTHS = ("", "", "really ", "very ", "rather ")
_ASIDES = (
    "we saw it on a rainy friday",
    "my sister came along",
    "it runs for two hours",
    "the cinema was half full",
    "it is based on a novel",
    "i had read nothing about it",
    "the director is new to me",
    "it plays in a small town",
)
_JOINTS = (" and ", " , ", " but ", " . ")


def reviews(count: int, negated: float, seed: int) -> Reviews:
    """Return film reviews out of a small grammar in which the order of words matters.

    A review says three or five things of a film, each good or bad with the same chance, and what most of them say is
    its class. A good thing is said by praise ("the plot was clever") or by negated blame ("the plot was never dull"),
    a bad one the other way round; some clauses set one against the other ("the plot was clever , not dull" and "dull ,
    not clever" have the same words). Asides say nothing.

    Args:
        count: how many reviews.
        negated: share of clauses with a negation, from 0 to 1. At 0.5 a word of praise says nothing by itself.
        seed: of everything random.
    """
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        verdicts = random.random(random.choice((3, 5))) < 0.5
        clauses = [_clause(bool(good), negated, random) for good in verdicts]
        for _ in range(random.integers(0, 3)):
            clauses.insert(int(random.integers(0, len(clauses) + 1)), _one(_ASIDES, random))
        texts.append("".join(f"{clause}{_one(_JOINTS, random)}" for clause in clauses[:-1]) + clauses[-1])
        labels.append(int(2 * verdicts.sum() > len(verdicts)))
    return Reviews(tuple(texts), np.asarray(labels, np.int64))


def _clause(good: bool, negated: float, random: np.random.Generator) -> str:
    subject = f"the {_one(_THINGS, random)} was"
    straight, opposite = (_PRAISE, _BLAME) if good else (_BLAME, _PRAISE)
    if random.random() >= negated:
        return f"{subject} {_one(_STRENGTHS, random)}{_one(straight, random)}"
    if random.random() < 0.5:
        return f"{subject} {_one(straight, random)} , {_one(_NEGATIONS, random)} {_one(opposite, random)}"
    return f"{subject} {_one(_NEGATIONS, random)} {_one(_STRENGTHS, random)}{_one(opposite, random)}"


def _one(words: Sequence[str], random: np.random.Generator) -> str:
    return words[int(random.integers(0, len(words)))]


# --- heartbeats ---

# Waves of one heartbeat: (seconds after the R peak, width, height); as a sum of bumps after McSharry and others,
# "A dynamical model for generating synthetic electrocardiogram signals" (2003).
_P_WAVE = (-0.17, 0.022, 0.16)
_QRS = ((-0.032, 0.009, -0.14), (0.0, 0.011, 1.0), (0.032, 0.010, -0.24))
_T_WAVE = (0.24, 0.045, 0.30)
# A beat that starts in the ventricles: no P wave, wide and with its T wave the other way.
_PREMATURE = ((0.0, 0.045, 0.95), (0.10, 0.04, -0.35), (0.28, 0.055, -0.28))


def heartbeats(count: int, seed: int, noise: float = 0.04, first: int | None = None) -> Signals:
    """Return drawn electrocardiograms of one lead; they look like the textbook's and are for no diagnosis.

    Each begins at a random moment, at 58 to 96 beats a minute, and is polluted by breathing and noise. "premature
    beat": one beat comes early, wide and without P wave, then a pause. "missing beat": one beat is left out, its P
    wave is there. "irregular": beats at random intervals, no P waves, fibrillation in their place. "flutter waves":
    regular beats over a saw of about 4 to 5 Hz instead of P waves.

    Args:
        count: how many, the classes in random order.
        seed: of everything random.
        noise: standard deviation, where an R peak has about 1 mV.
        first: so many of them, the first ones, are enough; None: all.

    Returns:
        Values (count, 384, 1) in mV, 64 a second.
    """
    return _signals(count, seed, ECG_CLASSES, ECG_RATE, lambda kind, random: _heartbeat(kind, random, noise), first)


def _heartbeat(kind: int, random: np.random.Generator, noise: float) -> np.ndarray:
    time = np.arange(ECG_RATE * ECG_SECONDS) / ECG_RATE
    peaks = _peaks(kind, random)
    waves = [(peak + after, width, height) for peak in peaks for after, width, height in (*_QRS, _T_WAVE)]
    if kind <= 2:
        waves += [(peak + _P_WAVE[0], *_P_WAVE[1:]) for peak in peaks]
    inner = [number for number, peak in enumerate(peaks) if 1.2 < peak < ECG_SECONDS - 1.4]
    if kind == 1:
        odd = inner[int(random.integers(0, len(inner)))]
        early = peaks[odd] - random.uniform(0.32, 0.45) * (peaks[odd] - peaks[odd - 1])
        waves = [wave for wave in waves if not -0.2 < wave[0] - peaks[odd] < 0.35]
        waves += [(early + after, width, height) for after, width, height in _PREMATURE]
    if kind == 2:
        odd = inner[int(random.integers(0, len(inner)))]
        waves = [wave for wave in waves if not -0.1 < wave[0] - peaks[odd] < 0.35]
    at, width, height = (np.asarray(each)[:, None] for each in zip(*waves, strict=True))
    values = (height * np.exp(-((time - at) ** 2) / (2 * width**2))).sum(axis=0)
    if kind == 3:
        phase = np.cumsum(random.normal(6.0, 1.5, len(time))) / ECG_RATE
        values += random.uniform(0.05, 0.09) * np.sin(2 * np.pi * (phase + random.random()))
    if kind == 4:
        values += random.uniform(0.14, 0.22) * (2 * ((random.uniform(4.0, 5.0) * time + random.random()) % 1.0) - 1)
    breathing = random.uniform(0.02, 0.12) * np.sin(2 * np.pi * (random.uniform(0.15, 0.35) * time + random.random()))
    return (random.uniform(0.8, 1.2) * values + breathing + noise * random.normal(size=len(time)))[:, None]


def _peaks(kind: int, random: np.random.Generator) -> list[float]:
    """Return the seconds of the R peaks, from before the beginning to after the end."""
    interval = 60.0 / random.uniform(58, 96)
    spread = 0.24 if kind == 3 else 0.025
    at = -random.uniform(0.0, interval)
    peaks = []
    while at < ECG_SECONDS + 0.5:
        peaks.append(at)
        at += interval * float(np.clip(random.normal(1.0, spread), 0.5, 1.7))
    return peaks


# --- stereo sounds ---


def stereo_sounds(count: int, seed: int, noise: float = 0.1, first: int | None = None) -> Signals:
    """Return short stereo sounds whose class no single sample tells, since pitch and phase are random.

    A tone that moves from the left to the right, or back; a fading ping with its echo on both sides; two tones so near
    to each other that they beat; a tone that rises, or falls.

    Args:
        count: how many, the classes in random order.
        seed: of everything random.
        noise: standard deviation, where a full tone has amplitude 1.
        first: so many of them, the first ones, are enough; None: all.

    Returns:
        Values (count, 1024, 2), left and right, 2,048 a second.
    """

    def sound(kind: int, random: np.random.Generator) -> np.ndarray:
        values = _SOUNDS[kind](random)
        return values + noise * random.normal(size=values.shape)

    return _signals(count, seed, SOUND_CLASSES, SOUND_RATE, sound, first)


def _time() -> np.ndarray:
    return np.arange(int(SOUND_RATE * SOUND_SECONDS)) / SOUND_RATE


def _tone(pitch: float | np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a tone of a pitch in Hz, which may change over time, with a random phase."""
    turns = np.cumsum(np.broadcast_to(pitch, _time().shape)) / SOUND_RATE
    return np.sin(2 * np.pi * (turns + random.random()))


def _pitch(random: np.random.Generator) -> float:
    return float(np.exp(random.uniform(math.log(90), math.log(360))))


def _both(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a sound somewhere between left and right; its loudness stays the same."""
    angle = random.uniform(0.15, 0.35) * np.pi
    return math.sqrt(2) * values[:, None] * np.array([math.cos(angle), math.sin(angle)])


def _moving(random: np.random.Generator, to_the_left: bool = False) -> np.ndarray:
    begin, end = random.uniform(0.0, 0.15), random.uniform(0.35, 0.5)
    angle = np.clip((_time() - begin) / (end - begin), 0, 1) * np.pi / 2
    sides = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return math.sqrt(2) * _tone(_pitch(random), random)[:, None] * (sides[:, ::-1] if to_the_left else sides)


def _echo(random: np.random.Generator) -> np.ndarray:
    tone, fading = _tone(_pitch(random), random), random.uniform(0.02, 0.05)
    first = random.uniform(0.0, 0.1)
    later = first + random.uniform(0.15, 0.3)
    parts = ((first, 1.6), (later, random.uniform(0.7, 1.1)))
    loudness = sum(
        height * np.where(_time() >= at, np.exp(-np.maximum(_time() - at, 0) / fading), 0) for at, height in parts
    )
    return _both(tone * loudness, random)


def _beating(random: np.random.Generator) -> np.ndarray:
    pitch, apart = _pitch(random), random.uniform(6, 14)
    return _both((_tone(pitch, random) + _tone(pitch + apart, random)) / math.sqrt(2), random)


def _chirp(random: np.random.Generator, falling: bool = False) -> np.ndarray:
    low = _pitch(random)
    pitch = low * np.exp(np.linspace(0, math.log(random.uniform(1.6, 2.4)), len(_time())))
    return _both(_tone(pitch[::-1] if falling else pitch, random), random)


_SOUNDS: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (
    _moving,
    lambda random: _moving(random, to_the_left=True),
    _echo,
    _beating,
    _chirp,
    lambda random: _chirp(random, falling=True),
)


def _signals(
    count: int,
    seed: int,
    classes: tuple[str, ...],
    rate: int,
    draw: Callable[[int, np.random.Generator], np.ndarray],
    first: int | None,
) -> Signals:
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % len(classes))[:first]
    values = np.stack([draw(int(kind), random) for kind in labels]).astype(np.float32)
    return Signals(values, labels.astype(np.int64), classes, rate)
