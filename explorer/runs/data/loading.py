"""Loads the data of a run: drawn ahead, read from disk, or a visitor's own. Knows no Keras."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from explorer.networks.work_context import SentenceError
from explorer.runs.data import drawn, own, splitting, stored
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

    return Divided(
        part("training", "drawing pictures to learn from"), part("validation", "drawing pictures to be judged by")
    )


def _well_known(settings: Mapping[str, Any], seed: int, context: Hears | None, kind: DataKind) -> Divided:
    name = settings["source"]
    stored.make_sure(name, settings["download"], context)
    if context is not None:
        context.say(f"reading {stored.TITLES[name]}")
    return stored.subset(name, settings, seed, _look(context))


def load_text(
    data: Mapping[str, Any], *, seed: int, context: Hears | None = None
) -> tuple[stored.TextSet, stored.TextSet]:
    """Return texts to learn from and texts to be judged by.

    Args:
        data: "source" ("imdb") and its settings, as in `Config.data`.
        seed: of the run.
        context: hears how far it is, and can stop it.

    Raises:
        SentenceError: if there are no such texts here.
        Stopped: if the run shall stop.
    """
    settings = checked(data)
    if settings["source"] != "imdb":
        raise SentenceError(f"{source(settings['source']).title} are no texts: choose other data.")
    return stored.load_text(settings, seed=seed, context=context)


def _own(settings: Mapping[str, Any], seed: int, context: Hears | None, kind: DataKind) -> Divided:
    if context is None:
        raise SentenceError("Own pictures are read only for the run of their owner: use load_files in a script.")
    root = context.folder.parent
    about = own.describe(root, settings["id"], context.config.owner)
    return _divided(root, about, settings, seed, kind, _counter(context, "reading pictures"), _look(context))


def _divided(
    root: Path,
    about: own.OwnSet,
    settings: Mapping[str, Any],
    seed: int,
    kind: DataKind,
    say: Callable[[int, int], None],
    look: Callable[[], None],
) -> Divided:
    own.usable(about, kind)
    training, validation = splitting.stratified(own.labels_of(about), settings["validation_share"], seed)

    def part(which: np.ndarray) -> PictureSet:
        return own.read(root, about, which=which.tolist(), say=say, look=look, **own.own_settings(settings))

    return Divided(part(training), part(validation), own.skipped_in_words(about))


def load_files(path: str | Path, *, seed: int, kind: DataKind = "classes", **settings: Any) -> Divided:
    """Return the pictures of a folder or a zip on this machine, as a run has them that learns from "own" data.

    Args:
        path: a folder with a folder for each class, or with `images` and `masks`; or a zip of it.
        seed: of the division.
        kind: "classes", "masks" or "pictures".
        **settings: of the source "own": side, fit, grey, validation_share.

    Raises:
        SentenceError: if there are no such pictures.
    """
    wanted = checked({"source": "own", **settings})
    with tempfile.TemporaryDirectory() as root:
        about = own.create(Path(root), _files_of(Path(path)), owner="script")
        return _divided(Path(root), about, wanted, seed, kind, lambda done, count: None, lambda: None)


def _files_of(path: Path) -> Iterator[tuple[str, bytes | BinaryIO]]:
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            yield (str(file.relative_to(path)) if path.is_dir() else file.name), file.read_bytes()


def _look(context: Hears | None) -> Callable[[], None]:
    return (lambda: None) if context is None else context.raise_if_stopped


def _counter(context: Hears | None, words: str) -> Callable[[int, int], None]:
    """Return a function that says how many pictures are ready, now and then."""
    said = [time.monotonic()]

    def say(done: int, count: int) -> None:
        now = time.monotonic()
        if context is not None and now - said[0] >= _SAY_SECONDS:
            said[0] = now
            context.say(f"{words}: {min(done, count):,} of {count:,}")

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
    "mnist": _well_known,
    "fashion_mnist": _well_known,
    "cifar10": _well_known,
    "own": _own,
}
