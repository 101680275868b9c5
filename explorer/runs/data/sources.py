"""Where the data of a run can come from: each source declares its settings, so that a page can show them.

Nothing here loads anything, and nothing knows Keras.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.networks.work_context import SentenceError
from explorer.pictures.drawn_world import CLASSES, KEPT_CLASSES
from explorer.runs.lessons.lesson import DataKind, Knob

SIDES = (32, 48, 64, 80, 96, 112, 128)
OWN_SIDES = (*SIDES, 160, 224)
MOST_PER_CLASS = 2000
DIGITS = tuple(str(digit) for digit in range(10))
FASHION = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SCENE_CLASSES = ("cat", "fish", "flower", "house", "tree", "car")


@dataclass(frozen=True)
class DataSource:
    """One source of data.

    Attributes:
        name: in configs and links.
        title: what a visitor calls it.
        kinds: what its data can be used as, the first being what it is meant for.
        knobs: its settings.
        note: one sentence about it.
        offline: whether it needs nothing but this project.
    """

    name: str
    title: str
    kinds: tuple[DataKind, ...]
    knobs: tuple[Knob, ...]
    note: str = ""
    offline: bool = True

    @property
    def kind(self) -> DataKind:
        """What it is meant for."""
        return self.kinds[0]

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a value for every knob: those given, checked, and the defaults.

        Raises:
            SentenceError: if a value cannot be, or its name is unknown.
        """
        names = {knob.name for knob in self.knobs}
        for name in given:
            if name not in names:
                raise SentenceError(f"{self.title} has no setting called {name!r}.")
        return {knob.name: knob.checked(given.get(knob.name, knob.default)) for knob in self.knobs}


def source(name: str) -> DataSource:
    """Return a source by name.

    Raises:
        SentenceError: if there is none.
    """
    for each in SOURCES:
        if each.name == name:
            return each
    raise SentenceError("There are no such data: choose others on this page.")


def sources() -> tuple[DataSource, ...]:
    """Return all sources, those that need nothing first."""
    return SOURCES


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole settings of data: "source" and a value for every knob of it.

    Args:
        data: "source" and what differs from that source's defaults, as in `Config.data`.

    Raises:
        SentenceError: if there is no such source or setting, or a value cannot be.
    """
    given = dict(data)
    found = source(given.pop("source", ""))
    return {"source": found.name, **found.settings(given)}


def _side(default: int, sides: tuple[int, ...] = SIDES) -> Knob:
    return Knob(
        "side",
        "Size",
        "choice",
        default,
        options={side: f"{side} × {side}" for side in sides},
        help="Pixels of a picture: twice the side is four times the work.",
    )


def _count(name: str, label: str, default: int, low: int, high: int, text: str = "", main: bool = False) -> Knob:
    return Knob(name, label, "integer", default, low=low, high=high, step=1, main=main, help=text)


def _classes(default: tuple[str, ...]) -> Knob:
    return Knob("classes", "Classes", "choices", default, options={name: name for name in CLASSES})


_BACKGROUNDS = Knob(
    "backgrounds",
    "Backgrounds of the validation",
    "choice",
    "unseen",
    options={
        "unseen": "other ones than in training",
        "training": "the same kinds as in training",
        "plain": "plain colours, in training as well",
    },
    help="Judged before backgrounds of other kinds, a network shows whether it has learnt the objects.",
)

_DOWNLOAD_HELP = "Off: nothing is fetched, and the file is used if it is there already."


def _known(name: str, title: str, megabytes: str, training: int, note: str) -> DataSource:
    return DataSource(
        name,
        title,
        ("classes", "pictures"),
        (
            _count("pictures", "Pictures to learn from", 4000, 100, training, main=True),
            _count("validation", "Pictures to be judged by", 1000, 100, 10_000),
            Knob("download", f"Download it if it is missing ({megabytes} MB)", "switch", False, help=_DOWNLOAD_HELP),
        ),
        note,
        offline=False,
    )


_SHARE = Knob(
    "validation_share",
    "Share for validation",
    "number",
    0.2,
    low=0.05,
    high=0.5,
    step=0.05,
    help="This share of each class is kept aside and never learnt from.",
)

SOURCES: tuple[DataSource, ...] = (
    DataSource(
        "drawn",
        "Drawn objects",
        ("classes", "masks", "pictures"),
        (
            _classes(KEPT_CLASSES),
            _count("per_class", "Pictures per class", 50, 2, MOST_PER_CLASS, main=True),
            _count("validation", "Pictures per class for validation", 50, 2, MOST_PER_CLASS),
            _side(64),
            _BACKGROUNDS,
        ),
        "One object in each picture, drawn by code; the last four classes are new to the bundled networks.",
    ),
    DataSource(
        "drawn_scenes",
        "Drawn scenes with masks",
        ("masks", "pictures"),
        (
            Knob(
                "target",
                "What the masks tell apart",
                "choice",
                "object",
                options={"object": "object or background", "classes": "each class"},
                main=True,
            ),
            _classes(SCENE_CLASSES),
            _count("pictures", "Scenes to learn from", 400, 20, 8000, main=True),
            _count("validation", "Scenes to be judged by", 100, 10, 2000),
            _side(64),
            _BACKGROUNDS,
        ),
        "One to three objects in each scene, and what every pixel shows, exactly.",
    ),
    DataSource(
        "drawn_clean",
        "Clean drawings",
        ("pictures",),
        (
            _count("pictures", "Drawings to learn from", 400, 20, 8000, main=True),
            _count("validation", "Drawings to be judged by", 60, 10, 2000),
            _side(96),
        ),
        "One to three objects before a plain colour, without grain: edges that can be made sharp again.",
    ),
    DataSource(
        "drawn_digits",
        "Drawn digits",
        ("classes", "pictures"),
        (
            _count("pictures", "Digits to learn from", 4000, 100, 20_000, main=True),
            _count("validation", "Digits to be judged by", 1000, 100, 10_000),
            Knob(
                "noise",
                "Noise",
                "number",
                0.1,
                low=0.0,
                high=0.6,
                step=0.05,
                help="Standard deviation of the noise on each pixel; black is 0 and white is 1.",
            ),
        ),
        "Digits of 28 × 28 pixels in many hands, drawn by code: like MNIST, without a download.",
    ),
    DataSource(
        "digits",
        "Small digits",
        ("classes", "pictures"),
        (_SHARE,),
        "scikit-learn's 1,797 handwritten digits of 8 × 8 pixels (E. Alpaydin and C. Kaynak, 1998).",
    ),
    _known("mnist", "MNIST", "11", 60_000, "70,000 handwritten digits of 28 × 28 pixels (LeCun et al., 1998)."),
    _known(
        "fashion_mnist",
        "Fashion-MNIST",
        "31",
        60_000,
        "70,000 pieces of clothing of 28 × 28 pixels (Xiao et al., 2017).",
    ),
    _known("cifar10", "CIFAR-10", "170", 50_000, "60,000 photos of 32 × 32 pixels in ten classes (Krizhevsky, 2009)."),
    DataSource(
        "imdb",
        "IMDB reviews",
        ("sequences",),
        (
            _count("pictures", "Reviews to learn from", 4000, 100, 25_000, main=True),
            _count("validation", "Reviews to be judged by", 1000, 100, 25_000),
            _count("words", "Different words", 5000, 100, 20_000, "All rarer words count as one, the unknown word."),
            _count("length", "Words of a review", 200, 20, 500, "Longer reviews are cut: their end is kept."),
            Knob("download", "Download it if it is missing (19 MB)", "switch", False, help=_DOWNLOAD_HELP),
        ),
        "50,000 film reviews, praise or blame (Maas et al., 2011).",
        offline=False,
    ),
    DataSource(
        "own",
        "My own pictures",
        ("classes", "masks", "pictures"),
        (
            Knob("id", "Data set", "text", ""),
            _side(64, OWN_SIDES),
            Knob(
                "fit",
                "Pictures that are not square",
                "choice",
                "crop",
                options={"crop": "are cut to their middle", "pad": "get a border"},
            ),
            Knob("grey", "Without colours", "switch", False),
            _SHARE,
        ),
        "A folder for each class, or pictures with masks; only you see them.",
    ),
)
"""All sources."""
