"""A run's numbers: one line of JSON a report, appended by one process while others read."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST_READ = 16_000_000


class MetricsWriter:
    """Appends rows to a file; each is on its way to the disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        # Line buffered: a line in one piece, at microseconds each.
        self._stream = open(path, "a", buffering=1, encoding="utf-8", newline="\n")  # noqa: SIM115

    def write(self, row: dict[str, Any]) -> None:
        """Append a row of numbers (also NumPy's and a backend's scalars) and texts; columns may change.

        Raises:
            OSError: if the disk is full.
        """
        self._stream.write(json.dumps(row, default=_plain) + "\n")

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):  # a disk that was full then still is
            self._stream.close()


def _plain(value: Any) -> Any:
    number = float(value)
    return int(number) if number.is_integer() and "int" in str(getattr(value, "dtype", "")) else number


@dataclass(frozen=True)
class Rows:
    """What was read.

    Attributes:
        rows: one dictionary a line, in order.
        offset: where to read on, in bytes.
    """

    rows: list[dict[str, Any]]
    offset: int


def read_metrics(path: Path, offset: int = 0) -> Rows:
    """Read the rows from a byte offset on, up to the last complete line.

    A line that makes no sense is left out; a last line that is not complete yet is read the next time.

    Args:
        path: the file; one that is not there has no rows.
        offset: what the last read returned; 0 for all.
    """
    try:
        with open(path, "rb") as stream:
            stream.seek(offset)
            content = stream.read(LARGEST_READ)
    except OSError:
        return Rows([], offset)
    end = content.rfind(b"\n") + 1
    rows = []
    for line in content[:end].splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return Rows(rows, offset + end)
