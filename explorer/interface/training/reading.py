"""The curves of runs, read on from where the last look ended, and shared by all who look at the same run."""

from __future__ import annotations

import math
import threading
from array import array
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.runs.folder import METRICS, RESTARTED
from explorer.runs.metrics import LARGEST_READ, read_metrics
from explorer.runs.outcome import OUTCOME, Moment, read_moments, read_outcome

KEPT_RUNS = 24
MOST_POINTS = 6000
"""Of one curve in memory; above it every second one goes."""

DRAWN_POINTS = 320
"""Of one curve on the screen."""

MOST_MOMENTS = 4000
MOST_CURVES = 120
"""Curves of a run; a file written by hand may name as many as it likes."""

_WORDS = frozenset({"epoch", "step", "variant", "seconds"})


@dataclass
class _Raw:
    """One curve as it was reported: (epoch, step) of each value, step 0 where it is that of a whole epoch."""

    epochs: array = field(default_factory=lambda: array("d"))
    steps: array = field(default_factory=lambda: array("d"))
    values: array = field(default_factory=lambda: array("d"))

    def add(self, epoch: float, step: float, value: float) -> None:
        self.epochs.append(epoch)
        self.steps.append(step)
        self.values.append(value)
        if len(self.values) > MOST_POINTS:
            self.epochs, self.steps, self.values = self.epochs[::2], self.steps[::2], self.values[::2]


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve to draw.

    Attributes:
        x: epochs, float64 (n,); the end of the third epoch is 3.
        y: values, float64 (n,).
        raw: whether it was reported within epochs, many values an epoch.
    """

    x: np.ndarray
    y: np.ndarray
    raw: bool = False


@dataclass
class RunCurves:
    """All curves of a run, and what it had to show on the way."""

    raw: dict[tuple[str, str, bool], _Raw] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    latest: dict[str, float] = field(default_factory=dict)
    offset: int = 0
    moments_offset: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read_on(self, folder: Path) -> None:
        """Read what has been added since the last look."""
        with self.lock:
            while True:
                read = read_metrics(folder / METRICS, self.offset)
                for row in read.rows:
                    self._take(row)
                far = read.offset - self.offset
                self.offset = read.offset
                if far < LARGEST_READ // 2:
                    break
            moments, self.moments_offset = read_moments(folder, self.moments_offset)
            self.moments += moments[: max(0, MOST_MOMENTS - len(self.moments))]

    def _take(self, row: Mapping[str, object]) -> None:
        variant = row.get("variant", "")
        epoch, step = _number(row.get("epoch")), _number(row.get("step"))
        if not isinstance(variant, str) or (epoch is None and step is None):
            return
        within = step is not None
        if step is not None:
            self.steps[variant] = max(self.steps.get(variant, 1.0), step)
        for name, said in row.items():
            value = _number(said)
            if name in _WORDS or value is None:
                continue
            key = (variant, name, within)
            if key not in self.raw and len(self.raw) >= MOST_CURVES:
                continue
            self.raw.setdefault(key, _Raw()).add(epoch if epoch is not None else 1.0, step or 0.0, value)
            self.latest[name] = value

    def variants(self) -> list[str]:
        """Return the variants in the order in which they were trained."""
        return list(dict.fromkeys(variant for variant, _, _ in self.raw))

    def metrics(self) -> list[str]:
        """Return the names of what was measured besides the loss, in the order in which they came."""
        names = (name.removeprefix("val_") for _, name, _ in self.raw)
        return [name for name in dict.fromkeys(names) if name not in ("loss", "learning_rate")]

    def curve(self, variant: str, name: str, *, within: bool, points: int = DRAWN_POINTS) -> Curve | None:
        """Return one curve, or None where nothing was reported.

        Args:
            variant: whose.
            name: of the number: "loss", "val_accuracy".
            within: the values reported within epochs, or those of whole epochs.
            points: how many at most; neighbours are averaged.
        """
        with self.lock:
            raw = self.raw.get((variant, name, within))
            if raw is None:
                return None
            epochs, steps, values = (np.array(part, float) for part in (raw.epochs, raw.steps, raw.values))
        x = epochs - 1.0 + steps / self.steps.get(variant, 1.0) if within else epochs
        if len(x) > points:
            parts = np.array_split(np.arange(len(x)), points)
            x, values = (np.array([part[p].mean() for p in parts]) for part in (x, values))
        return Curve(x, values, within)


def _number(value: object) -> float | None:
    """Return a finite number; a run that went to infinity says so in words, and a chart has no place for it."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


_kept: OrderedDict[str, tuple[tuple[int, int], RunCurves]] = OrderedDict()
_keeping = threading.Lock()


def _stat_of(path: Path, name: str) -> int:
    try:
        return int(getattr(path.stat(), name))
    except OSError:
        return 0


def curves_of(folder: Path) -> RunCurves:
    """Return a run's curves as they are now; the caller has asked who may see the run."""
    identity = (_stat_of(folder, "st_ino"), _stat_of(folder / RESTARTED, "st_mtime_ns"))
    with _keeping:
        known = _kept.pop(str(folder), None)
        curves = known[1] if known is not None and known[0] == identity else RunCurves()
        _kept[str(folder)] = identity, curves
        while len(_kept) > KEPT_RUNS:
            _kept.popitem(last=False)
    curves.read_on(folder)
    return curves


def smoothed(values: np.ndarray, decay: float) -> np.ndarray:
    """Return the exponential moving average of (n,) values, its beginning corrected as in Adam (Kingma and Ba 2015).

    Args:
        values: float (n,).
        decay: how much of the average each step keeps, 0 to below 1.
    """
    average, result = 0.0, np.empty(len(values))
    for position, value in enumerate(values):
        average = decay * average + (1.0 - decay) * float(value)
        result[position] = average / (1.0 - decay ** (position + 1))
    return result


def outcome_of(folder: Path) -> tuple[Any, ...]:
    """Return what a run has found out, read again only when it has changed; the caller has asked who may see it."""
    try:
        stat = (folder / OUTCOME).stat()
    except OSError:
        return ()
    return _outcome(folder, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=200)
def _outcome(folder: Path, _changed: int, _size: int) -> tuple[Any, ...]:
    return tuple(read_outcome(folder))
