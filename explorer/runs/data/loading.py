"""Loads the data of a run: drawn ahead, read from disk, or a visitor's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from explorer.networks.work_context import SentenceError
from explorer.runs.data import drawn, splitting
from explorer.runs.data.picture_set import Divided, PictureSet
from explorer.runs.data.sources import DIGITS, checked, source
from explorer.runs.lessons.lesson import DataKind
from explorer.runs.record import Config

_SAY_SECONDS = 0.3

_WORDS: dict[DataKind, str] = {
    "classes": "pictures in classes",
    "masks": "pictures with masks",
    "pictures": "pictures",
    "sequences": "sequences",
}


class Hears(Protocol):
    """Whom loading tells what it does: a `RunContext`."""

    folder: Path
    config: Config

    def say(self, message: str) -> None:
        """Say in a few words what is happening."""

    def raise_if_stopped(self) -> None:
        """End it here if the run shall stop."""


def load(data: Mapping[str, Any], *, seed: int, context: Hears | None = None, kind: DataKind | None = None) -> Divided:
    """Return the pictures to learn from and those to be judged by.

    Args:
        data: "source" and its settings, as in `Config.data`.
        seed: of the run; the same seed gives the same pictures in the same order.
        context: hears how far it is, and can stop it; own pictures are read only for the owner of its run.
        kind: what the lesson needs: "classes" (labels), "masks" or "pictures"; None: what the source is meant for.

    Raises:
        SentenceError: if there are no such data, or they are not what the lesson needs.
        Stopped: if the run shall stop.
    """
    settings = checked(data)
    found = source(settings["source"])
    wanted = kind or found.kind
    if wanted not in found.kinds or wanted == "sequences":
        raise SentenceError(f"{found.title} are no {_WORDS[wanted]}: choose other data.")
    if context is not None:
        context.say("loading the data")
    return _LOADERS[found.name](settings, seed, context, wanted)


def _drawn(settings: Mapping[str, Any], seed: int, context: Hears | None, kind: DataKind) -> Divided:
    def part(name: drawn.Part, words: str) -> PictureSet:
        plan = drawn.plan(settings, seed, name, masks=kind == "masks")
        return drawn.drawn(plan, say=_counter(context, words), look=_look(context))

    return Divided(part("training", "pictures to learn from"), part("validation", "pictures to be judged by"))


def _look(context: Hears | None) -> Callable[[], None]:
    return (lambda: None) if context is None else context.raise_if_stopped


def _counter(context: Hears | None, words: str) -> Callable[[int, int], None]:
    """Return a function that says how many pictures are ready, now and then."""
    said = [time.monotonic()]

    def say(done: int, count: int) -> None:
        now = time.monotonic()
        if context is not None and now - said[0] >= _SAY_SECONDS:
            said[0] = now
            context.say(f"drawing {words}: {min(done, count):,} of {count:,}")

    return say


def _small_digits(settings: Mapping[str, Any], seed: int, context: Hears | None, kind: DataKind) -> Divided:
    everything = small_digits()
    assert everything.labels is not None
    training, validation = splitting.stratified(everything.labels, settings["validation_share"], seed)
    return Divided(everything.taken(training), everything.taken(validation))


def small_digits() -> PictureSet:
    """Return scikit-learn's handwritten digits, 1,797 of 8 × 8 pixels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = np.rint(found.images * (255 / 16)).astype(np.uint8)[..., None]
    names = tuple(f"digit {number}" for number in range(len(pixels)))
    return PictureSet(pixels, DIGITS, found.target.astype(np.int64), names=names)


_LOADERS: dict[str, Callable[[Mapping[str, Any], int, Hears | None, DataKind], Divided]] = {
    "drawn": _drawn,
    "drawn_scenes": _drawn,
    "drawn_clean": _drawn,
    "drawn_digits": _drawn,
    "digits": _small_digits,
}
