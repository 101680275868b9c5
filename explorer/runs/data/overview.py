"""Shows data before a run learns from them: a few pictures of each class, and how many there will be.

Knows no Keras, so that a page can call it directly.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.networks.work_context import SentenceError
from explorer.runs.data import drawn, own, splitting, stored
from explorer.runs.data.loading import small_digits
from explorer.runs.data.picture_set import Divided, PictureSet
from explorer.runs.data.sources import checked, source
from explorer.runs.lessons.lesson import DataKind
from explorer.settings import get_settings

MOST_EXAMPLES = 96
MOST_PIXELS = 900_000
"""Limits of an overview's pictures: about a fifth of a second's drawing."""


@dataclass(frozen=True, eq=False)
class Overview:
    """What a run would learn from.

    Attributes:
        examples: some pictures to learn from, class after class, as the network gets them; with their masks.
        training: how many pictures of each class there are to learn from; "pictures" where they have none.
        validation: the same for those to be judged by.
        notes: sentences for the visitor.
    """

    examples: PictureSet
    training: dict[str, int]
    validation: dict[str, int]
    notes: tuple[str, ...] = ()

    def of_class(self, label: int) -> np.ndarray:
        """Return the examples of a class, uint8 (n, height, width, channels)."""
        if self.examples.labels is None:
            return self.examples.pixels
        return self.examples.pixels[self.examples.labels == label]


def overview(
    data: Mapping[str, Any],
    *,
    seed: int,
    n: int = 6,
    kind: DataKind | None = None,
    root: Path | None = None,
    owner: str = "",
) -> Overview:
    """Return a few of the pictures that a run with these data and this seed would learn from.

    Args:
        data: as for `loading.load`.
        seed: of the run.
        n: pictures of each class, or so many rows' worth where there are no classes; less where that is too many.
        kind: what the lesson needs; None: what the source is meant for.
        root: folder of all runs, for own pictures; that of the settings when None.
        owner: the visitor's id, for own pictures.

    Raises:
        SentenceError: if there are no such data, or not here.
    """
    settings = checked(data)
    found = source(settings["source"])
    wanted = kind or found.kind
    if wanted not in found.kinds or wanted == "sequences":
        raise SentenceError(f"{found.title} cannot be shown as pictures.")
    if found.name == "own":
        return _own(settings, seed, n, wanted, root or get_settings().runs_folder, owner)
    return _OVERVIEWS[found.name](settings, seed, n, wanted)


def _counts(classes: tuple[str, ...], labels: np.ndarray | None, count: int) -> dict[str, int]:
    if labels is None:
        return {"pictures": count}
    return dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))


def _first(labels: np.ndarray | None, count: int, classes: int, n: int, side: int) -> list[int]:
    """Return the numbers of the first n pictures of each class, class after class."""
    most = min(MOST_EXAMPLES, MOST_PIXELS // side**2)
    if labels is None:
        return list(range(min(count, 4 * n, most)))
    each = max(1, min(n, most // max(classes, 1)))
    return [int(at) for label in range(classes) for at in np.flatnonzero(labels == label)[:each]]


def _drawn(settings: Mapping[str, Any], seed: int, n: int, kind: DataKind) -> Overview:
    training = drawn.plan(settings, seed, "training", masks=kind == "masks")
    validation = drawn.plan(settings, seed, "validation", masks=kind == "masks")
    shown = training.taken(_first(training.labels, len(training.sketches), len(training.classes), n, training.side))
    return Overview(
        drawn.drawn(shown, say=lambda done, count: None, look=lambda: None, processes=1),
        _counts(training.classes, training.labels, len(training.sketches)),
        _counts(validation.classes, validation.labels, len(validation.sketches)),
    )


def _of_divided(divided: Divided, n: int) -> Overview:
    training, validation = divided.training, divided.validation
    which = _first(training.labels, len(training), len(training.classes), n, training.pixels.shape[1])
    return Overview(
        training.taken(np.array(which, np.int64)),
        _counts(training.classes, training.labels, len(training)),
        _counts(validation.classes, validation.labels, len(validation)),
        divided.notes,
    )


def _small_digits(settings: Mapping[str, Any], seed: int, n: int, kind: DataKind) -> Overview:
    everything = small_digits()
    assert everything.labels is not None
    training, validation = splitting.stratified(everything.labels, settings["validation_share"], seed)
    return _of_divided(Divided(everything.taken(training), everything.taken(validation)), n)


def _well_known(settings: Mapping[str, Any], seed: int, n: int, kind: DataKind) -> Overview:
    name = settings["source"]
    stored.make_sure(name, download=False)
    with _reading:
        found = _glance(name, seed)
    classes = found.examples.classes
    training, validation = found.training[: settings["pictures"]], found.validation[: settings["validation"]]
    which = _first(training, len(training), len(classes), n, found.examples.pixels.shape[1])
    return Overview(
        found.examples.taken(np.isin(found.places, which)),
        _counts(classes, training, len(training)),
        _counts(classes, validation, len(validation)),
    )


_reading = threading.Lock()
"""Held while a set is read: unpacked, CIFAR-10 takes 0.4 GB, and many visitors may ask at once."""


@lru_cache(maxsize=16)
def _glance(name: str, seed: int) -> stored.Glance:
    return stored.glance(name, seed, MOST_EXAMPLES)


def _own(settings: Mapping[str, Any], seed: int, n: int, kind: DataKind, root: Path, owner: str) -> Overview:
    about = own.describe(root, settings["id"], owner)
    own.usable(about, kind)
    labels = own.labels_of(about)
    training, validation = splitting.stratified(labels, settings["validation_share"], seed)
    known = None if about.has_masks else labels
    which = _first(None if known is None else known[training], len(training), len(about.classes), n, settings["side"])
    chosen = [int(training[at]) for at in which]
    return Overview(
        own.read(root, about, which=chosen, **own.own_settings(settings)),
        _counts(about.classes, None if known is None else known[training], len(training)),
        _counts(about.classes, None if known is None else known[validation], len(validation)),
        own.skipped_in_words(about),
    )


_OVERVIEWS: dict[str, Callable[[Mapping[str, Any], int, int, DataKind], Overview]] = {
    "drawn": _drawn,
    "drawn_scenes": _drawn,
    "drawn_clean": _drawn,
    "drawn_digits": _drawn,
    "digits": _small_digits,
    "mnist": _well_known,
    "fashion_mnist": _well_known,
    "cifar10": _well_known,
}
