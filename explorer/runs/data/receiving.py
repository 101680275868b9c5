"""Takes in a file that is too large for memory, piece by piece, onto the disk beside a visitor's data sets."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from explorer.networks.work_context import SentenceError
from explorer.runs.data.own import FULL, MAKING, data_folder
from explorer.runs.folder import is_disk_full
from explorer.settings import Settings, get_settings

PIECE_BYTES = 8 * 2**20
"""A piece at most: less than what a web server in front lets through, and all that one upload takes of the memory."""

LEAST_FREE_BYTES = 1_000_000_000
"""What an upload leaves of the disk."""

MOST_ON_THEIR_WAY = 3
"""Files of one visitor that are not finished yet, in all tabs together."""

GIVEN_UP_SECONDS = 60.0
"""After so long without a piece, a file makes room for another one of its visitor."""

FILE = "file"
_TICKET = re.compile(r"[0-9a-f]{32}")


def add_piece(root: Path, owner: str, ticket: str, at: int, content: bytes, *, settings: Settings | None = None) -> int:
    """Write a piece of a file; one that comes twice is written twice to the same place.

    What nobody finishes goes with the other things that were never finished (`own.clean`).

    Args:
        root: folder of all runs.
        owner: the visitor's id.
        ticket: names the file, 32 hexadecimal digits.
        at: where the piece begins; pieces come in order.
        content: the piece.
        settings: the limits; those of this process when None.

    Returns:
        How many bytes there are by now.

    Raises:
        SentenceError: if it is too much, there is no room, a piece before it is missing, or too many other files of
            this visitor are on their way.
    """
    settings = settings or get_settings()
    if at < 0 or len(content) > PIECE_BYTES:
        raise SentenceError("This piece of a file cannot be: upload the file again.")
    if at + len(content) > settings.data_megabytes * 2**20:
        forget(root, owner, ticket)
        raise SentenceError(f"This file has more than {settings.data_megabytes} MB: make the pictures smaller.")
    path = _path(root, owner, ticket)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < LEAST_FREE_BYTES + len(content):
            raise SentenceError(FULL)
        if not path.exists():
            _make_room(path.parent.parent)
        if at > (path.stat().st_size if path.exists() else 0):
            raise SentenceError("A piece of this file is missing: upload the file again.")
        with open(path, "r+b" if path.exists() else "wb") as stream:
            stream.seek(at)
            stream.write(content)
            stream.truncate()
    except OSError as error:
        if not is_disk_full(error):
            raise
        forget(root, owner, ticket)
        raise SentenceError(FULL) from error
    return at + len(content)


def _make_room(folder: Path) -> None:
    """Let go of what a visitor's closed tabs have left, so that one more file may come.

    Raises:
        SentenceError: if too many are really on their way.
    """
    begun = {path: _last_touched(path) for path in folder.glob(f"{MAKING}*/{FILE}") if _ticket_of(path)}
    idle = [path for path, touched in begun.items() if time.time() - touched > GIVEN_UP_SECONDS]
    if len(begun) - len(idle) >= MOST_ON_THEIR_WAY:
        raise SentenceError(f"{MOST_ON_THEIR_WAY} files of yours are on their way already: wait for one to arrive.")
    for path in sorted(idle, key=begun.__getitem__)[: max(0, len(begun) - MOST_ON_THEIR_WAY + 1)]:
        shutil.rmtree(path.parent, ignore_errors=True)


def _last_touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # taken meanwhile
        return 0.0


def _ticket_of(path: Path) -> str:
    ticket = path.parent.name.removeprefix(MAKING)
    return ticket if _TICKET.fullmatch(ticket) else ""


def received(root: Path, owner: str, ticket: str) -> Path | None:
    """Return where a file lies of which pieces have come, None where none have."""
    path = _path(root, owner, ticket)
    return path if path.is_file() else None


def forget(root: Path, owner: str, ticket: str) -> None:
    """Delete what has come of a file."""
    shutil.rmtree(_path(root, owner, ticket).parent, ignore_errors=True)


def _path(root: Path, owner: str, ticket: str) -> Path:
    if not owner or not _TICKET.fullmatch(ticket):
        raise SentenceError("There is no such upload.")
    return data_folder(root, owner) / f"{MAKING}{ticket}" / FILE
