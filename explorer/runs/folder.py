"""The folder that a run is: writing it so that no reader ever sees half of it, reading it whatever happened to it."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import secrets
import shutil
import socket
import sys
import threading
import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from explorer.networks.work_context import SentenceError
from explorer.runs.lock import LockHeld, hold
from explorer.runs.record import ACTIVE, FINAL, ID, NEXT, Config, Progress, Run, State, Status

CONFIG, STATUS, METRICS, LOG, MODEL = "config.json", "status.json", "metrics.jsonl", "log.txt", "model.keras"
PREVIEWS, STOP, HEARD, WISHES = "previews", "stop", "heard", "wishes.json"
LOCK, HEARTBEAT, SPARE, TITLE, RESTARTED = "lock", "heartbeat", "spare", "title.txt", "restarted"
WAKE, CLOCK, TRASH = ".wake", ".clock", ".trash-"

log = logging.getLogger(__name__)

LARGEST_JSON = 8_000_000
LONGEST_TITLE = 60
SPARE_BYTES = 8192
MOST_RESTARTS = 1
HEARTBEAT_SECONDS = 5.0
SILENT_SECONDS = 20.0

DISK_FULL = "The disk of the server is full; what the run had saved until then is kept."
NO_SUCH_RUN = "There is no such run; it may have been deleted."
STILL_ACTIVE = "This run is still in progress; stop it before deleting it."
NOT_STARTED_STOPPED = "It was stopped before it began."


def path_of(root: Path, run_id: str) -> Path:
    """Return the folder of a run.

    Raises:
        SentenceError: if `run_id` is not the id of a folder directly in `root`.
    """
    if isinstance(run_id, str) and ID.fullmatch(run_id):
        folder = Path(root) / run_id
        if folder.is_dir() and not folder.is_symlink():
            return folder
    raise SentenceError(NO_SUCH_RUN)


def create(root: Path, config: Config) -> Run:
    """Write a run in state `queued`, which is what asks for it; it is visible once it is complete.

    Raises:
        SentenceError: if the disk is full.
        FileExistsError: if there is a run with this id.
        TypeError: if data or settings are not plain data.
    """
    root = Path(root)
    text = json.dumps(config.model_dump(), indent=1)
    root.mkdir(parents=True, exist_ok=True)
    folder = root / config.id
    folder.mkdir()
    status = Status(state="queued", log=(("queued", config.created),))
    try:
        (folder / PREVIEWS).mkdir()
        # Written now, given up at the end: so that even a full disk has room for the last word.
        (folder / SPARE).write_bytes(os.urandom(SPARE_BYTES))
        (folder / LOCK).touch()
        replace(folder / CONFIG, text.encode())
        replace(folder / STATUS, _status_bytes(status))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if is_disk_full(error):
            raise SentenceError("The disk of the server is full; delete old runs first.") from error
        raise
    count_change()
    wake(root)
    return Run(folder, config, status, "queued")


def is_disk_full(error: BaseException) -> bool:
    """Tell whether an error says that there is no room on the disk, or none left for this user."""
    full = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
    return isinstance(error, OSError) and error.errno in full


def replace(path: Path, content: bytes) -> None:
    """Write a file as a whole: a reader sees the old or the new one, also after a power cut."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}")
    try:
        with open(temporary, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        move(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def move(temporary: Path, path: Path) -> None:
    """Put a file in the place of another at once; on Windows whoever reads it is waited for."""
    for _ in range(50 if sys.platform == "win32" else 0):
        try:
            os.replace(temporary, path)
        except PermissionError:
            time.sleep(0.02)
        else:
            return
    os.replace(temporary, path)


def read_config(folder: Path) -> Config:
    """Read what was asked for, under the name that the run has by now.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not a config, or that of another run.
    """
    config = Config.model_validate_json(_read(folder / CONFIG))
    if config.id != folder.name:
        raise ValueError("the config is that of another run")
    try:
        title = _read(folder / TITLE).decode(errors="replace")
    except FileNotFoundError:
        return config
    return config.model_copy(update={"title": title[:LONGEST_TITLE]})


def rename(folder: Path, title: str) -> None:
    """Give a run another name, whatever its state; what was asked for stays as it is.

    Args:
        folder: the run's.
        title: up to 60 characters in one line; "" for none.

    Raises:
        SentenceError: if the run has been deleted meanwhile, or the disk is full.
    """
    visible = "".join(letter for letter in title if letter.isspace() or unicodedata.category(letter)[0] != "C")
    try:
        replace(folder / TITLE, " ".join(visible.split())[:LONGEST_TITLE].encode())
    except FileNotFoundError:
        raise SentenceError(NO_SUCH_RUN) from None
    except OSError as error:
        if is_disk_full(error):
            raise SentenceError("The disk of the server is full; the run keeps its name.") from error
        raise
    count_change()


def read_status(folder: Path) -> Status:
    """Read where a run stands according to its file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not a status.
    """
    return Status.model_validate_json(_read(folder / STATUS))


def _read(path: Path) -> bytes:
    with open(path, "rb") as stream:
        content = stream.read(LARGEST_JSON + 1)
    if len(content) > LARGEST_JSON:
        raise ValueError(f"{path.name} is too large")
    return content


def _status_bytes(status: Status) -> bytes:
    return json.dumps(status.model_dump(), indent=1).encode()


def write_status(folder: Path, status: Status) -> None:
    """Write where a run stands; only whoever holds the run's lock may.

    A final state gives up the spare room if the disk is full.

    Raises:
        ValueError: if the file's state does not allow it, or the run has begun anew since.
        OSError: if it cannot be written.
    """
    before = read_status(folder)
    if status.state not in NEXT[before.state]:
        raise ValueError(f"a run cannot go from {before.state} to {status.state}")
    if status.restarts < before.restarts:
        raise ValueError("the run has begun anew somewhere else")
    content = _status_bytes(status)
    try:
        replace(folder / STATUS, content)
    except OSError as error:
        if status.state not in FINAL or not is_disk_full(error):
            raise
        (folder / SPARE).unlink(missing_ok=True)
        replace(folder / STATUS, content)
    if status.state in FINAL:
        with contextlib.suppress(OSError):
            (folder / SPARE).unlink(missing_ok=True)


def finish(
    folder: Path, state: State, reason: str = "", *, only_from: Iterable[State] = NEXT, seconds: float = 0.0
) -> bool:
    """End a run that nobody runs: take its lock and write a final state.

    Args:
        folder: the run's.
        state: the final state.
        reason: one sentence.
        only_from: leave it alone unless the file's state is one of these.
        seconds: how long to try to get the lock.

    Returns:
        Whether the state was written; False if somebody holds the run, or its state does not allow it.

    Raises:
        OSError: if it cannot be read or written.
        ValueError: if the folder is broken.
    """
    try:
        with hold(folder / LOCK, seconds):
            status = read_status(folder)
            if status.state not in only_from or state not in NEXT[status.state]:
                return False
            write_status(folder, status.moved(state, reason=reason))
    except LockHeld:
        return False
    count_change()
    return True


def put_back(folder: Path, seconds: float = 0.0) -> bool:
    """Put a run that was cut off back into the line, where it begins anew with the same seed; once, then never again.

    What it had written is deleted, but for its log: the new beginning writes the same.

    Args:
        folder: the run's.
        seconds: how long to try to get the lock.

    Returns:
        Whether it waits now; False if it was not in progress, somebody holds it, it was to stop, or it has been put
        back before.

    Raises:
        OSError: if it cannot be read or written.
        ValueError: if the folder is broken.
    """
    try:
        with hold(folder / LOCK, seconds):
            status = read_status(folder)
            if status.state not in ACTIVE or status.restarts >= MOST_RESTARTS or (folder / STOP).exists():
                return False
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name not in (CONFIG, STATUS, LOCK, TITLE, LOG):
                    path.unlink(missing_ok=True)
            (folder / PREVIEWS).mkdir()
            (folder / RESTARTED).touch()
            fresh: dict[str, Any] = {"pid": None, "host": "", "slot": "", "device": "", "progress": Progress()}
            # The last word: whoever is cut off before it finds the run as it was, and begins with this again.
            write_status(folder, status.moved("queued", restarts=status.restarts + 1, **fresh))
            with contextlib.suppress(OSError):
                (folder / SPARE).write_bytes(os.urandom(SPARE_BYTES))
    except LockHeld:
        return False
    count_change()
    wake(folder.parent)
    return True


def ask_to_stop(folder: Path) -> None:
    """Ask a run to stop; one that waits is stopped at once, one that runs hears it within moments.

    Raises:
        SentenceError: if the run has been deleted meanwhile.
    """
    try:
        with contextlib.suppress(FileExistsError):
            (folder / STOP).touch(exist_ok=False)
    except FileNotFoundError:
        raise SentenceError(NO_SUCH_RUN) from None
    except OSError as error:
        if not is_disk_full(error):
            raise
    with contextlib.suppress(ValueError):
        finish(folder, "stopped", NOT_STARTED_STOPPED, only_from=["queued"])
    count_change()
    wake(folder.parent)


def wish(folder: Path, **wishes: Any) -> None:
    """Ask something of a run while it runs, for example another learning rate; a later value replaces it."""
    replace(folder / WISHES, json.dumps({**read_wishes(folder), **wishes}).encode())


def read_wishes(folder: Path) -> dict[str, Any]:
    """Return what the page asks of a run; nothing where the file is missing or makes no sense."""
    try:
        wishes = json.loads(_read(folder / WISHES))
    except (OSError, ValueError):
        return {}
    return wishes if isinstance(wishes, dict) else {}


def delete(root: Path, run_id: str) -> None:
    """Delete a run that is not in progress; one that waits is taken out of the line first.

    It leaves the listing at once, and the disk a moment later.

    Raises:
        SentenceError: if it is in progress, or there is no such run.
    """
    folder = path_of(root, run_id)
    try:
        with hold(folder / LOCK, 0.5), contextlib.suppress(OSError, ValueError):
            status = read_status(folder)
            if status.state == "queued":  # whoever is about to start it finds a run that has ended
                write_status(folder, status.moved("stopped", reason=NOT_STARTED_STOPPED))
            elif status.state in ACTIVE and lives(folder, status, held=False):
                raise SentenceError(STILL_ACTIVE)
    except LockHeld:
        raise SentenceError(STILL_ACTIVE) from None
    except OSError:
        log.warning("The lock of %s cannot be taken; it is deleted all the same", run_id, exc_info=True)
    trash = folder.with_name(f"{TRASH}{run_id}-{secrets.token_hex(3)}")
    folder.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)
    count_change()


def wake(root: Path) -> None:
    """Let the dispatcher look now instead of within half a second."""
    with contextlib.suppress(OSError):
        set_time(Path(root) / WAKE)


changes = 0
"""How often this process has changed something that a listing shows."""


def count_change() -> None:
    """Have the next shared listing read anew."""
    global changes
    changes += 1


def set_time(path: Path) -> int:
    """Give a file the present time of the machine that keeps it, and return that time in nanoseconds."""
    path.touch()
    os.utime(path)
    return path.stat().st_mtime_ns


def lives(folder: Path, status: Status, held: bool | None) -> bool:
    """Tell whether somebody runs a run that says so.

    The lock decides on the machine that holds it. From other machines it depends on how the folder is shared, so
    there a heartbeat counts too, by the clock of the machine that keeps the files.
    """
    if held:
        return True
    if held is False and status.host in ("", socket.gethostname()):
        return False
    try:
        now = set_time(folder.parent / CLOCK)
        times = [path.stat().st_mtime_ns for name in (HEARTBEAT, STATUS) if (path := folder / name).exists()]
    except OSError:
        return False
    return now - max(times, default=0) < SILENT_SECONDS * 1e9
