"""Fetch trained weights into the weights folder: from a page, or for a machine without internet by command.

    python -m explorer.networks.weights MobileNetV2 ResNet50
    python -m explorer.networks.weights --all --folder /somewhere

Nothing half is ever left under a file's own name: it is written beside, checked, and then renamed.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import logging
import os
import shutil
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry, WeightsFile
from explorer.networks.work_context import NO_CONTEXT, NoContext, SentenceError, Stopped, WorkContext
from explorer.settings import get_settings

log = logging.getLogger(__name__)

_CHUNK = 256 * 1024
_CONNECT_SECONDS = 20.0
_REPORT_SECONDS = 0.2
_HDF5 = b"\x89HDF\r\n\x1a\n"

_locks: dict[Path, threading.Lock] = {}
_locks_lock = threading.Lock()


class DownloadFailed(SentenceError):  # noqa: N818
    """Weights that could not be fetched; the text says why, and which folder can be filled by hand."""


def download(entry: NetworkEntry, context: WorkContext = NO_CONTEXT, folder: Path | None = None) -> Path | None:
    """Fetch the trained weights of a network, and ImageNet's class names if they are missing.

    Two threads that want one file fetch it once: the second waits. (Two processes fetch it twice, which does
    no harm.)

    Args:
        entry: The network.
        context: Hears of progress in bytes, and can stop the download between two chunks.
        folder: The weights folder; by default that of the settings.

    Returns:
        Where the weights are, or None for a network that has none.

    Raises:
        DownloadFailed: with one sentence.
        Stopped: if the context asked to stop; nothing is left behind.
    """
    folder = folder or get_settings().weights_folder
    path = catalogue.weights_path(entry, folder)
    if entry.weights is not None and entry.weights.kind == "download":
        if catalogue.is_application(entry.name):
            try:
                fetch(catalogue.CLASS_INDEX, "the class names", folder, NO_CONTEXT)
            except DownloadFailed as error:
                # Without names the classes have numbers; the weights matter more.
                log.warning("%s", error)
        path = fetch(entry.weights, entry.title, folder, context)
    return path


def fetch(file: WeightsFile, title: str, folder: Path, context: WorkContext = NO_CONTEXT) -> Path:
    """Fetch one file into a folder unless it is there, checking length and hash; see `download`."""
    path = folder / file.file_name
    if path.is_file():
        return path
    by_hand = f"an administrator can put the file {file.file_name} ({_size(file)}) into {folder}"
    if file.url is None:
        raise DownloadFailed(f"{title} cannot be downloaded; {by_hand}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadFailed(f"The weights folder {folder} cannot be made.") from error
    with _alone(path, context):
        if path.is_file():
            return path
        if shutil.disk_usage(folder).free < 1.2e6 * file.megabytes:
            raise DownloadFailed(f"There is no room in {folder} for {file.file_name} ({_size(file)}).")
        part = folder / f".{file.file_name}.{uuid.uuid4().hex}.part"
        try:
            _stream(file, title, part, context, by_hand)
            os.replace(part, path)
        except OSError as error:
            raise DownloadFailed(f"{file.file_name} cannot be written into {folder}.") from error
        finally:
            part.unlink(missing_ok=True)
    return path


@contextmanager
def _alone(path: Path, context: WorkContext) -> Iterator[None]:
    """Be the only one in this process who fetches a file; wait for whoever is, as long as nobody says stop."""
    with _locks_lock:
        lock = _locks.setdefault(path, threading.Lock())
    while not lock.acquire(timeout=0.3):
        context.raise_if_stopped()
        context.report(message="Somebody is already fetching it")
    try:
        yield
    finally:
        lock.release()


def _stream(file: WeightsFile, title: str, part: Path, context: WorkContext, by_hand: str) -> None:
    url = file.url or ""
    host = urllib.parse.urlsplit(url).hostname
    try:
        with urllib.request.urlopen(url, timeout=_CONNECT_SECONDS) as answer, part.open("wb") as target:
            length = int(answer.headers.get("Content-Length") or 0)
            digest, start = _copy(answer, target, length, file, context)
            received = target.tell()
    except urllib.error.HTTPError as error:
        raise DownloadFailed(
            f"{host} does not give out the weights of {title} (answer {error.code}); {by_hand}."
        ) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise DownloadFailed(
            f"This machine does not reach {host}, so {title} cannot be downloaded; {by_hand}."
        ) from error
    if length and received != length:
        raise DownloadFailed(
            f"The download of {title} broke off after {received / 1e6:.1f} of {length / 1e6:.1f} MB; try again."
        )
    if file.file_hash is not None and digest != file.file_hash:
        raise DownloadFailed(
            f"What came from {host} is not the file that Keras knows for {title}, so it was thrown away; {by_hand}."
        )
    if file.file_name.endswith(".h5") and not start.startswith(_HDF5):
        raise DownloadFailed(
            f"What came from {host} is no file of weights (perhaps a sign-in page), so it was thrown away; {by_hand}."
        )


def _copy(
    answer: http.client.HTTPResponse, target: object, length: int, file: WeightsFile, context: WorkContext
) -> tuple[str, bytes]:
    """Copy the answer into the target; return its hash and its first bytes."""
    digest = hashlib.sha256() if len(file.file_hash or "") == 64 else hashlib.md5(usedforsecurity=False)
    total = float(length) or file.megabytes * 1e6
    done, start, reported = 0, b"", 0.0
    while True:
        context.raise_if_stopped()
        chunk = answer.read(_CHUNK)
        now = time.monotonic()
        if now - reported >= _REPORT_SECONDS or not chunk:
            context.report(done=float(done), total=total, unit="bytes", message="Downloading")
            reported = now
        if not chunk:
            return digest.hexdigest(), start
        start = start or chunk[: len(_HDF5)]
        digest.update(chunk)
        target.write(chunk)  # type: ignore[attr-defined]
        done += len(chunk)


def _size(file: WeightsFile) -> str:
    return f"about {file.megabytes:.0f} MB" if file.megabytes >= 1 else f"about {file.megabytes * 1000:.0f} kB"


def download_work(context: WorkContext, network: str) -> str:
    """Fetch the trained weights of a network for a visitor (named work).

    Args:
        context: The work's context; progress is in bytes.
        network: Name in the catalogue.

    Returns:
        The name of the file.

    Raises:
        DownloadFailed: with one sentence, also where downloads are switched off.
    """
    entry = catalogue.entry(network)
    if entry.weights is None:
        raise DownloadFailed(f"There are no trained weights for {entry.title}.")
    if catalogue.weights_present(entry):
        return entry.weights.file_name
    if not get_settings().allow_downloads:
        raise DownloadFailed(
            f"Downloads are switched off here; an administrator can put the file {entry.weights.file_name} "
            f"({_size(entry.weights)}) into {get_settings().weights_folder}."
        )
    download(entry, context)
    return entry.weights.file_name


class _Console(NoContext):
    """Shows progress in a terminal, on one line."""

    def __init__(self, title: str) -> None:
        self._title = title

    def report(
        self,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
        message: str = "",
        payload: Any = None,
        part: int = 0,
    ) -> None:
        text = message if not total else f"{(done or 0) / 1e6:8.1f} of {total / 1e6:.1f} MB"
        if sys.stderr.isatty():
            print(f"\r{self._title}: {text}   ", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the weights folder; return 0 if everything asked for is there."""
    parser = argparse.ArgumentParser(
        prog="python -m explorer.networks.weights",
        description="Fetch ImageNet weights (and the class names) into the weights folder.",
    )
    parser.add_argument("names", nargs="*", help="names of networks, as in keras.applications")
    parser.add_argument("--all", action="store_true", help="every network")
    parser.add_argument("--list", action="store_true", help="only show names, sizes and what is there")
    parser.add_argument("--folder", type=Path, help="another folder than that of the settings")
    given = parser.parse_args(arguments)
    folder = (given.folder or get_settings().weights_folder).expanduser()
    known = {
        entry.name: entry
        for entry in catalogue.entries()
        if entry.weights is not None and entry.weights.kind == "download"
    }
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"no network called {unknown[0]}; there are {', '.join(known)}")
    chosen = list(known.values()) if given.all or given.list else [known[name] for name in given.names]
    if not chosen:
        parser.error("name networks, or say --all")
    if given.list:
        for entry in chosen:
            size = entry.weights.megabytes if entry.weights else 0.0
            print(f"{entry.name:<18} {size:8.0f} MB  {'there' if catalogue.weights_present(entry, folder) else ''}")
        return 0
    failed = 0
    for entry in chosen:
        try:
            print(f"{entry.title}: {download(entry, _Console(entry.title), folder)}")
        except (DownloadFailed, Stopped) as error:
            failed += 1
            print(f"{entry.title}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
