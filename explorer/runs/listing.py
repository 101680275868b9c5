"""All runs at a glance: fast, shared by all visitors, and never broken by a folder that is."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from explorer.networks.work_context import SentenceError
from explorer.runs import folder as folders
from explorer.runs.folder import LOCK, NO_SUCH_RUN, STATUS, TITLE, lives, path_of, read_config, read_status
from explorer.runs.lock import is_held
from explorer.runs.record import ACTIVE, ID, Broken, Listing, Run

INTERRUPTED = "The run ended without a word, as when the machine or the app is restarted; start it again."

MAKING_SECONDS = 60.0
"""A folder without a status that is younger is being made."""

SHARED_SECONDS = 1.0


_Signature = tuple[int, int, int, int]

_kept: dict[str, dict[str, tuple[_Signature, Run]]] = {}
"""For each root what was last read, and the signatures of the files with status and name at the time."""


def _read_run(root: str, name: str, known: tuple[_Signature, Run] | None) -> tuple[_Signature, Run] | Broken | None:
    """Read one folder, as far as it has changed; None for one that is being made. Never raises."""
    path = f"{root}{os.sep}{name}"
    try:
        try:
            stat = os.stat(f"{path}{os.sep}{STATUS}")
        except FileNotFoundError:
            if time.time() - os.stat(path).st_mtime < MAKING_SECONDS:
                return None
            raise ValueError("it has no status") from None
        named = _time_of(f"{path}{os.sep}{TITLE}")
        signature = (stat.st_mtime_ns, stat.st_size, stat.st_ino, named)
        if known is None or known[0] != signature:
            folder = Path(path)
            status = read_status(folder)
            config = known[1].config if known and known[0][-1] == named else read_config(folder)
            known = signature, Run(folder, config, status, status.state)
        if known[1].stored not in ACTIVE:
            return known
        return signature, _as_shown(known[1])
    except (OSError, ValueError, RecursionError) as error:
        folder = Path(path)
        if not folder.exists():
            return None
        return Broken(name, folder, f"This run's folder cannot be read: {_in_words(error)}.", _owner_of(folder))


def _time_of(path: str) -> int:
    """Return when a file was written, in nanoseconds; 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def _as_shown(run: Run) -> Run:
    """Return an active run as it is shown: interrupted if nobody runs it."""
    stored = run.status if run.state in ACTIVE else read_status(run.folder)
    if lives(run.folder, stored, is_held(run.folder / LOCK)):
        return replace(run, status=stored)
    # It may have ended properly between reading the file and looking at the lock.
    stored = read_status(run.folder)
    if stored.state not in ACTIVE:
        return replace(run, status=stored, stored=stored.state)
    shown = stored.model_copy(update={"state": "interrupted", "reason": INTERRUPTED})
    return replace(run, status=shown, stored=stored.state)


def _in_words(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return "a file in it is damaged"
    if isinstance(error, FileNotFoundError):
        return f"{Path(str(error.filename)).name} is missing"
    if isinstance(error, OSError):
        return (error.strerror or "the disk does not answer").lower()
    return str(error).splitlines()[0] if str(error) else "a file in it is damaged"


def _owner_of(folder: Path) -> str:
    try:
        return read_config(folder).owner
    except (OSError, ValueError, RecursionError):
        return ""


def find(root: Path, run_id: str) -> Run:
    """Return one run as it is now.

    Raises:
        SentenceError: if there is none with this id, or it cannot be read.
    """
    path_of(root, run_id)
    found = _read_run(str(root), run_id, None)
    if isinstance(found, tuple):
        return found[1]
    raise SentenceError(NO_SUCH_RUN if found is None else found.sentence)


def listing(root: Path) -> Listing:
    """Return all runs as they are now; files that have not changed since the last time are not read again."""
    place = str(root)
    before = _kept.get(place, {})
    kept: dict[str, tuple[_Signature, Run]] = {}
    broken: list[Broken] = []
    try:
        with os.scandir(place) as entries:
            names = [each.name for each in entries if ID.fullmatch(each.name) and each.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        names = []
    for name in names:
        found = _read_run(place, name, before.get(name))
        if isinstance(found, tuple):
            kept[name] = found
        elif found is not None:
            broken.append(found)
    _kept[place] = kept
    runs = sorted((run for _, run in kept.values()), key=lambda run: (run.config.created, run.config.id))
    return Listing(tuple(runs), tuple(sorted(broken, key=lambda each: each.id)))


_shared: dict[str, tuple[float, int, Listing]] = {}
_sharing = threading.Lock()


def shared_listing(root: Path, seconds: float = SHARED_SECONDS) -> Listing:
    """Return the listing that all visitors of this process share.

    It is at most `seconds` old, and never older than what this process itself has changed.
    """
    with _sharing:
        now, changes = time.monotonic(), folders.changes
        known = _shared.get(str(root))
        if known is not None and now - known[0] < seconds and known[1] == changes:
            return known[2]
        found = listing(root)
        _shared[str(root)] = (time.monotonic(), changes, found)
        return found
