"""Small stand-ins for the files of well-known data sets, in the formats that `keras.datasets` reads."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from explorer.runs.data import stored

CIFAR_BATCH = 10_000  # the one size that keras.datasets.cifar10 takes


def write(home: Path) -> dict[str, tuple[stored.StoredFile, ...]]:
    """Write all stand-ins below `home`; return the table of files with their digests."""
    chance = np.random.default_rng(0)
    for folder in ("datasets/fashion-mnist",):
        (home / folder).mkdir(parents=True)
    _mnist(home / stored.FILES["mnist"][0].path, chance)
    _fashion(home, chance)
    _cifar(home / stored.FILES["cifar10"][0].path, chance)
    _imdb(home, chance)
    return {name: tuple(_known(home, file) for file in files) for name, files in stored.FILES.items()}


def _known(home: Path, file: stored.StoredFile) -> stored.StoredFile:
    content = (home / file.path).read_bytes()
    digest = None if file.digest is None else hashlib.sha256(content).hexdigest()
    return replace(file, digest=digest, nbytes=len(content))


def _mnist(path: Path, chance: np.random.Generator) -> None:
    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        return chance.integers(0, 256, (count, 28, 28), np.uint8), chance.integers(0, 10, count, np.uint8)

    (x_train, y_train), (x_test, y_test) = part(300), part(150)
    np.savez_compressed(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def _fashion(home: Path, chance: np.random.Generator) -> None:
    for (labels, pictures), count in zip(((0, 1), (2, 3)), (200, 120), strict=True):
        files = stored.FILES["fashion_mnist"]
        head = b"\0\0\x08\1" + count.to_bytes(4, "big")
        content = head + chance.integers(0, 10, count, np.uint8).tobytes()
        (home / files[labels].path).write_bytes(gzip.compress(content, 1))
        head = b"\0\0\x08\3" + count.to_bytes(4, "big") + (28).to_bytes(4, "big") * 2
        content = head + chance.integers(0, 256, count * 784, np.uint8).tobytes()
        (home / files[pictures].path).write_bytes(gzip.compress(content, 1))


def _cifar(path: Path, chance: np.random.Generator) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name in [*(f"data_batch_{number}" for number in (2, 1, 3, 4, 5)), "test_batch"]:
            data = np.zeros((CIFAR_BATCH, 3072), np.uint8)
            data[::500] = chance.integers(0, 256, (CIFAR_BATCH // 500, 3072), np.uint8)
            labels = chance.integers(0, 10, CIFAR_BATCH).tolist()
            content = pickle.dumps({b"data": data, b"labels": labels, b"batch_label": name.encode()}, protocol=4)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _imdb(home: Path, chance: np.random.Generator) -> None:
    def texts(count: int) -> np.ndarray:
        found = np.empty(count, dtype=object)
        for number in range(count):
            found[number] = chance.integers(1, 400, chance.integers(5, 60)).tolist()
        return found

    path, index = (home / file.path for file in stored.FILES["imdb"])
    np.savez(path, x_train=texts(150), y_train=np.arange(150) % 2, x_test=texts(120), y_test=np.arange(120) % 2)
    index.write_text(json.dumps({f"word{number}": number for number in range(1, 400)}))
