"""Reads well-known data sets out of Keras' cache folder: MNIST, Fashion-MNIST, CIFAR-10 and IMDB.

`keras.datasets` would download what is missing without a word. Here a file is read if it is there, whole and as Keras
knows it; it is fetched only where the installation allows it and the visitor asks for it. Knows no Keras, so that a
page can show what is in a set.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pickle
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from explorer.networks.catalogue import WeightsFile
from explorer.networks.weights import DownloadFailed, fetch
from explorer.networks.work_context import NoContext, SentenceError
from explorer.runs.data.picture_set import Divided, PictureSet
from explorer.runs.data.sources import CIFAR, DIGITS, FASHION
from explorer.settings import Settings, get_settings

_STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


class Hears(Protocol):
    """Whom a download tells how far it is."""

    def say(self, message: str) -> None:
        """Say in a few words what is happening."""

    def raise_if_stopped(self) -> None:
        """End it here if the run shall stop."""


@dataclass(frozen=True)
class StoredFile:
    """A file of a data set, as `keras.datasets` (3.15) names it.

    Attributes:
        path: within Keras' folder, with "/".
        url: where it comes from.
        nbytes: its size.
        digest: SHA-256 or MD5 that Keras expects; None where Keras expects none.
    """

    path: str
    url: str
    nbytes: int
    digest: str | None

    @property
    def megabytes(self) -> str:
        """Its size in words."""
        return f"{self.nbytes / 1e6:.0f} MB" if self.nbytes >= 1e6 else f"{self.nbytes / 1e3:.0f} kB"


def _fashion(name: str, nbytes: int) -> StoredFile:
    return StoredFile(f"datasets/fashion-mnist/{name}.gz", f"{_STORE}{name}.gz", nbytes, None)


FILES: dict[str, tuple[StoredFile, ...]] = {
    "mnist": (
        StoredFile(
            "datasets/mnist.npz",
            f"{_STORE}mnist.npz",
            11_490_434,
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        ),
    ),
    "fashion_mnist": (
        _fashion("train-labels-idx1-ubyte", 29_515),
        _fashion("train-images-idx3-ubyte", 26_421_880),
        _fashion("t10k-labels-idx1-ubyte", 5_148),
        _fashion("t10k-images-idx3-ubyte", 4_422_102),
    ),
    "cifar10": (
        StoredFile(
            "datasets/cifar-10-batches-py-target_archive",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            170_498_071,
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    ),
    "imdb": (
        StoredFile(
            "datasets/imdb.npz",
            f"{_STORE}imdb.npz",
            17_464_789,
            "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        ),
        StoredFile(
            "datasets/imdb_word_index.json",
            f"{_STORE}imdb_word_index.json",
            1_641_221,
            "bfafd718b763782e994055a2d397834f",
        ),
    ),
}
"""The files of each set."""

TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10", "imdb": "IMDB"}
_CLASSES = {"mnist": DIGITS, "fashion_mnist": FASHION, "cifar10": CIFAR}

Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def keras_home() -> Path:
    """Return Keras' folder, as `keras.config` finds it."""
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"])
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras"


def missing(name: str) -> tuple[StoredFile, ...]:
    """Return which files of a set are not there, or not as Keras knows them."""
    return tuple(file for file in FILES[name] if not _is_whole(keras_home() / file.path, file))


_hashes: dict[tuple[str, int, int], str] = {}
_hashing = threading.Lock()


def _is_whole(path: Path, file: StoredFile) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    if file.digest is None:
        return status.st_size > 0
    key = str(path), status.st_mtime_ns, status.st_size
    with _hashing:
        if key not in _hashes:
            method = hashlib.sha256 if len(file.digest) == 64 else lambda: hashlib.md5(usedforsecurity=False)
            with path.open("rb") as stream:
                _hashes[key] = hashlib.file_digest(stream, method).hexdigest()
        return _hashes[key] == file.digest


def make_sure(name: str, download: bool, context: Hears | None = None, settings: Settings | None = None) -> None:
    """See to it that the files of a set are there.

    Args:
        name: of the set.
        download: whether the visitor wants what is missing to be fetched.
        context: hears how far it is, and can stop it.
        settings: of the installation; those of this process when None.

    Raises:
        SentenceError: if they are not, and cannot or may not be fetched.
        Stopped: if the run shall stop.
    """
    settings = settings or get_settings()
    wanted = missing(name)
    if not wanted:
        return
    if not (download and settings.allow_downloads):
        raise SentenceError(_absent(name, wanted, settings))
    for file in wanted:
        path = keras_home() / file.path
        path.unlink(missing_ok=True)  # one that is not whole
        known = WeightsFile("download", path.name, file.url, file.nbytes / 1e6, file.digest)
        try:
            fetch(known, TITLES[name], path.parent, _Teller(f"downloading {TITLES[name]}", context))
        except DownloadFailed as error:
            raise SentenceError(
                str(error).replace("the weights of ", "").replace("weights folder", "folder")
            ) from error


def _absent(name: str, wanted: tuple[StoredFile, ...], settings: Settings) -> str:
    first = keras_home() / wanted[0].path
    files = " and ".join(f"{Path(file.path).name} ({file.megabytes})" for file in wanted)
    way = (
        "switch its download on"
        if settings.allow_downloads
        else "downloads are switched off here, so ask an administrator to put that there"
    )
    belong = "belongs" if len(wanted) == 1 else "belong"
    return (
        f"{TITLES[name]} is not on this machine: {files} {belong} into {first.parent}; "
        f"{way}, or take the drawn data, which need no file."
    )


class _Teller(NoContext):
    """Tells a run how far a download is."""

    def __init__(self, words: str, context: Hears | None) -> None:
        self._words = words
        self._context = context

    def report(
        self,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
        message: str = "",
        payload: Any = None,
        part: int = 0,
    ) -> None:
        if self._context is not None:
            self._context.say(f"{self._words}: {(done or 0) / 1e6:.1f} of {(total or 0) / 1e6:.1f} MB")

    def raise_if_stopped(self) -> None:
        if self._context is not None:
            self._context.raise_if_stopped()


def _go_on() -> None:
    """Look whether to stop: never."""


def arrays(name: str, look: Callable[[], None] = _go_on) -> Arrays:
    """Return (pictures, labels) for training and for tests, as `keras.datasets` gives them, labels as one row.

    Args:
        name: "mnist", "fashion_mnist" or "cifar10"; its files must be there.
        look: called between two pieces; it raises where the run shall stop.

    Raises:
        SentenceError: if a file is damaged.
    """
    try:
        return _READERS[name](look)
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
        tarfile.TarError,
        pickle.UnpicklingError,
    ) as error:
        folder = (keras_home() / FILES[name][0].path).parent
        raise SentenceError(
            f"The files of {TITLES[name]} in {folder} are damaged: delete them and try again."
        ) from error


def _mnist(look: Callable[[], None]) -> Arrays:
    with np.load(keras_home() / FILES["mnist"][0].path, allow_pickle=False) as found:
        training = found["x_train"], found["y_train"]
        look()
        return training, (found["x_test"], found["y_test"])


def _fashion_mnist(look: Callable[[], None]) -> Arrays:
    # IDX: http://yann.lecun.com/exdb/mnist, labels after 8 bytes, pictures after 16.
    def rows(file: StoredFile, head: int) -> np.ndarray:
        with gzip.open(keras_home() / file.path, "rb") as stream:
            return np.frombuffer(stream.read(), np.uint8, offset=head)

    files = FILES["fashion_mnist"]
    y_train, x_train = rows(files[0], 8), rows(files[1], 16).reshape(-1, 28, 28)
    look()
    y_test, x_test = rows(files[2], 8), rows(files[3], 16).reshape(-1, 28, 28)
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise ValueError("pictures and labels are not equally many")
    return (x_train, y_train), (x_test, y_test)


def _cifar10(look: Callable[[], None]) -> Arrays:
    # The archive's hash has been checked, so what is unpickled is what Krizhevsky has packed.
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    with tarfile.open(keras_home() / FILES["cifar10"][0].path, "r:gz") as archive:
        for member in archive:
            look()
            name = Path(member.name).name
            stream = archive.extractfile(member) if name.startswith(("data_batch_", "test_batch")) else None
            if stream is not None:
                batch = pickle.load(stream, encoding="bytes")
                pixels = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
                found[name] = pixels, np.array(batch[b"labels"], np.uint8)
    parts = [found[f"data_batch_{number}"] for number in range(1, 6)]
    x_train, y_train = (np.concatenate(each) for each in zip(*parts, strict=True))
    return (x_train, y_train), found["test_batch"]


_READERS: dict[str, Callable[[Callable[[], None]], Arrays]] = {
    "mnist": _mnist,
    "fashion_mnist": _fashion_mnist,
    "cifar10": _cifar10,
}


def subset(name: str, settings: Mapping[str, Any], seed: int, look: Callable[[], None] = _go_on) -> Divided:
    """Return a part of a set whose files are there: as many pictures as the settings say, chosen by the seed.

    The validation comes from the set's own test pictures.

    Raises:
        SentenceError: if a file is damaged.
    """
    training, test = arrays(name, look)
    return Divided(
        _some(name, training, "training", _order(training, seed, 0)[: settings["pictures"]]),
        _some(name, test, "test", _order(test, seed, 1)[: settings["validation"]]),
    )


@dataclass(frozen=True, eq=False)
class Glance:
    """What is worth keeping of a set to show it: all labels, and a few pictures.

    Attributes:
        training: int64 (n,), the labels of its training pictures in the seed's order; `subset` takes the first ones.
        validation: the same of its test pictures.
        examples: the first training pictures of each class, class after class.
        places: int64, where in that order each example stands.
    """

    training: np.ndarray
    validation: np.ndarray
    examples: PictureSet
    places: np.ndarray


def glance(name: str, seed: int, most: int) -> Glance:
    """Return what to show of a set whose files are there; all else of it is forgotten.

    Args:
        name: of the set.
        seed: of the choice, as for `subset`.
        most: examples of all classes together.

    Raises:
        SentenceError: if a file is damaged.
    """
    training, test = arrays(name)
    order = _order(training, seed, 0)
    labels = training[1][order].astype(np.int64)
    classes = range(len(_CLASSES[name]))
    places = np.concatenate([np.flatnonzero(labels == label)[: most // len(classes)] for label in classes])
    return Glance(
        labels,
        test[1][_order(test, seed, 1)].astype(np.int64),
        _some(name, training, "training", order[places]),
        places,
    )


def _order(pictures: tuple[np.ndarray, np.ndarray], seed: int, part: int) -> np.ndarray:
    """Return the numbers of pictures in the order in which a run with this seed takes them."""
    return np.random.default_rng((seed, 11, part)).permutation(len(pictures[1]))


def _some(name: str, pictures: tuple[np.ndarray, np.ndarray], part: str, chosen: np.ndarray) -> PictureSet:
    pixels, labels = pictures
    shown = pixels[chosen]
    return PictureSet(
        np.ascontiguousarray(shown if shown.ndim == 4 else shown[..., None]),
        _CLASSES[name],
        labels[chosen].astype(np.int64),
        names=tuple(f"{TITLES[name]} {part} {index}" for index in chosen.tolist()),
    )


# --- texts ---

PADDING, START, UNKNOWN, FIRST_WORD = 0, 1, 2, 3
"""Numbers that are no words, and what is added to a word's number, as in `keras.datasets.imdb`."""


@dataclass(frozen=True, eq=False)
class TextSet:
    """Texts as numbers of words.

    Attributes:
        tokens: int32 (n, length), padded in front with `PADDING`.
        labels: int64 (n,).
        classes: names of the classes.
        words: word of each number, from 0; what is no word is in brackets.
    """

    tokens: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def text(self, number: int) -> str:
        """Return a text in words, without its padding."""
        return " ".join(self.words[token] for token in self.tokens[number].tolist() if token != PADDING)


def load_text(
    data: Mapping[str, Any], *, seed: int, context: Hears | None = None, settings: Settings | None = None
) -> tuple[TextSet, TextSet]:
    """Return film reviews to learn from and to be judged by.

    Args:
        data: checked settings of the source "imdb".
        seed: of the choice.
        context: hears how far it is, and can stop it.
        settings: of the installation; those of this process when None.

    Raises:
        SentenceError: if the files are not there, or damaged.
        Stopped: if the run shall stop.
    """
    make_sure("imdb", data["download"], context, settings)
    try:
        # Its hash has been checked: the lists in it are those that Keras' authors have pickled.
        with np.load(keras_home() / FILES["imdb"][0].path, allow_pickle=True) as found:
            parts = []
            for part in ("train", "test"):
                parts.append((found[f"x_{part}"], found[f"y_{part}"]))
                if context is not None:
                    context.raise_if_stopped()
        index = json.loads((keras_home() / FILES["imdb"][1].path).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        folder = (keras_home() / FILES["imdb"][0].path).parent
        raise SentenceError(f"The files of IMDB in {folder} are damaged: delete them and try again.") from error
    words = _words(index, data["words"])
    sets = []
    for number, ((texts, labels), name) in enumerate(zip(parts, ("pictures", "validation"), strict=True)):
        chosen = np.random.default_rng((seed, 12, number)).permutation(len(texts))[: data[name]]
        tokens = np.stack([_tokens(texts[at], data["words"], data["length"]) for at in chosen])
        sets.append(TextSet(tokens, labels[chosen].astype(np.int64), ("blame", "praise"), words))
    return sets[0], sets[1]


def _words(index: Mapping[str, int], count: int) -> tuple[str, ...]:
    words = ["[padding]", "[start]", "[unknown]", *["[unused]"] * (count - FIRST_WORD)]
    for word, number in index.items():
        if number + FIRST_WORD < count:
            words[number + FIRST_WORD] = word
    return tuple(words)


def _tokens(text: list[int], count: int, length: int) -> np.ndarray:
    """Return a text's numbers: rare words unknown, the beginning cut off or padded."""
    every = [START, *(number + FIRST_WORD for number in text)]
    tokens = np.array(every[-length:], np.int32)
    tokens[tokens >= count] = UNKNOWN
    return np.concatenate([np.full(length - len(tokens), PADDING, np.int32), tokens])
