"""The web process' hold on its dispatcher: starts it as a child process, and again whenever it dies."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from explorer.runs.process import ROOT, own_group

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5
LONGEST_SECONDS = 30.0
HEALTHY_SECONDS = 10.0
END_SECONDS = 10.0


class Keeper:
    """Keeps one dispatcher alive for as long as this process lives."""

    def __init__(self, root: Path, options: Sequence[str] = ()) -> None:
        """Start it.

        Args:
            root: folder of all runs.
            options: further arguments of `explorer.runs.dispatcher`.
        """
        self._command = [sys.executable, "-m", "explorer.runs.dispatcher", "--root", str(root), *options]
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="keep-dispatcher", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Process id of the dispatcher; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def close(self) -> None:
        """End the dispatcher, and with it the runs that it supervises; returns when it has ended."""
        self._closing.set()
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()
        self._thread.join(END_SECONDS)
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _keep(self) -> None:
        pause = AGAIN_SECONDS
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                with self._lock:
                    if self._closing.is_set():
                        return
                    self._process = self._start()
                code = self._process.wait()
                if not self._closing.is_set():
                    log.warning("The dispatcher ended (code %d) and is started again", code)
            except OSError:
                log.exception("The dispatcher could not be started")
            pause = AGAIN_SECONDS if time.monotonic() - began > HEALTHY_SECONDS else min(2 * pause, LONGEST_SECONDS)
            self._closing.wait(pause)

    def _start(self) -> subprocess.Popen[bytes]:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, env=environment, **own_group())
