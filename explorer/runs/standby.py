"""A process that has imported Keras and waits for a run: `python -m explorer.runs.standby`.

It reads one line from stdin, a run's folder, trains that run and ends; `StandBy` is the other end. It spares a run
two seconds at its start and costs 600 MB while it waits.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import psutil

from explorer.runs import child
from explorer.runs.process import start_process

MODULES = ("keras", "numpy", "PIL.Image")

ENOUGH_MEMORY = 8 * 10**9


def is_worth_it() -> bool:
    """Tell whether this machine has the memory for a process that only waits."""
    return psutil.virtual_memory().total >= ENOUGH_MEMORY


class StandBy:
    """The waiting process, from its parent's side."""

    def __init__(self, slot: str, modules: Sequence[str] = MODULES) -> None:
        """Start it.

        Args:
            slot: as in `supervise`.
            modules: what it imports while it waits.
        """
        self.slot = slot
        self._process: subprocess.Popen[bytes] | None = start_process("explorer.runs.standby", modules, slot)

    def hand_over(self, folder: Path) -> subprocess.Popen[bytes] | None:
        """Let it train a run; return its process, or None if there is none any more."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None or process.stdin is None:
            return None
        try:
            process.stdin.write(os.fsencode(folder) + b"\n")
            process.stdin.flush()
        except OSError:
            process.kill()
            process.wait()
            return None
        return process

    def is_alive(self) -> bool:
        """Tell whether it waits."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()


def _read_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line[:-1]


def main(modules: Sequence[str]) -> None:
    """Import what takes long, wait for a folder, train."""
    child.prepare()
    try:
        for module in modules:
            importlib.import_module(module)
    except Exception:
        traceback.print_exc()
    child.main(os.fsdecode(_read_line()))


if __name__ == "__main__":
    main(sys.argv[1:])
