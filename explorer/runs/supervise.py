"""Watches one run from its process' start to its final state; returns only when that is written.

It asks, waits and ends; what it says about an end is one sentence in the run's status. If this process dies, the
run's process goes too, and the run is shown as interrupted until a dispatcher has it begin anew.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import psutil

from explorer.runs.child import MEMORY, REFUSED
from explorer.runs.folder import HEARD, LOG, STOP, finish, put_back, read_status, wake
from explorer.runs.process import start_process
from explorer.runs.record import ACTIVE, FINAL, State
from explorer.runs.standby import StandBy

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
MEMORY_SECONDS = 0.25
GOODBYE_SECONDS = 1.0
GUARD_SECONDS = 0.5
FINISH_SECONDS = 5.0

NOT_STARTED = "The run could not be started; the log of the server says why."
STOPPED_HARD = "It was stopped, and ended because it did not stop by itself; what it had saved until then is kept."
CLOSED = "The app was shut down while this ran; start it again."
KILLED = "The run's process was killed from outside, as systems do when memory runs out."


class RefusedError(Exception):
    """The run's process did not take the run, which still waits."""


@dataclass(frozen=True)
class Limits:
    """What one run may take.

    Attributes:
        seconds: from its start to its end; None: as long as it takes.
        memory_megabytes: of its process and those that it starts, in MB; None: no limit.
        grace_seconds: after a stop, until a task that does not look is ended.
        saving_seconds: after a stop, for a task that has looked and saves.
        log_bytes: how much of what it says is kept, its beginning and its end.
    """

    seconds: float | None = None
    memory_megabytes: int | None = None
    grace_seconds: float = 10.0
    saving_seconds: float = 30.0
    log_bytes: int = 2_000_000


def supervise(
    folder: Path,
    slot: str = "cpu",
    limits: Limits = Limits(),  # noqa: B008 - frozen
    closing: threading.Event | None = None,
    standby: StandBy | None = None,
) -> State:
    """Start the process of a waiting run and watch it to its end.

    Args:
        folder: the run's.
        slot: "cpu", or the GPU's name for CUDA_VISIBLE_DEVICES.
        limits: what it may take.
        closing: ends the run once it is set, and puts it back into the line; a second time it is interrupted.
        standby: a process to use instead of a fresh one.

    Returns:
        The state that it was left in: a final one; `queued` if `closing` came before its end; `starting` or `running`
        if another process runs it, or the disk takes no final word (then it is shown as interrupted).

    Raises:
        RefusedError: if the process did not take it although it waits; it may be tried again.
        OSError: if no process can be started.
        ValueError: if the folder is broken.
    """
    process = standby.hand_over(folder) if standby is not None else None
    if process is None:
        process = start_process("explorer.runs.child", [str(folder)], slot)
    keeper = _LogKeeper(process, folder / LOG, limits.log_bytes)
    watch = _Watch(process, folder, limits, closing)
    try:
        code = watch.to_the_end()
    finally:
        watch.end_all()
        keeper.close()
    return _conclude(folder, code, watch)


def _conclude(folder: Path, code: int, watch: _Watch) -> State:
    """Write the final state where the process has not done so."""
    state = read_status(folder).state
    if state in FINAL:
        return state
    if state == "queued" and watch.verdict is None:
        if code == REFUSED or code < 0:
            raise RefusedError(folder.name)
        finish(folder, "failed", NOT_STARTED, seconds=FINISH_SECONDS)
    elif state == "queued" and watch.verdict is not None and watch.verdict[0] != "interrupted":
        finish(folder, *watch.verdict, seconds=FINISH_SECONDS)
    elif state in ACTIVE and code != REFUSED:
        try:
            if watch.verdict is not None and watch.verdict[0] == "interrupted" and put_back(folder, FINISH_SECONDS):
                return "queued"
            finish(folder, *(watch.verdict or ("failed", _sentence_about(code))), seconds=FINISH_SECONDS)
        except OSError:
            log.warning("The final state of %s could not be written", folder.name, exc_info=True)
    wake(folder.parent)
    return read_status(folder).state


def _sentence_about(code: int) -> str:
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return KILLED
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"The run's process crashed ({signal.Signals(-code).name}); its log may say why."
    return f"The run's process ended before its time (code {code}); its log may say why."


class _Watch:
    """Looks at one process ten times a second, and ends it when that is due.

    Attributes:
        verdict: final state and sentence that this watch has decided; None while the process decides.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], folder: Path, limits: Limits, closing: threading.Event | None
    ) -> None:
        self.verdict: tuple[State, str] | None = None
        self._process = process
        self._folder = folder
        self._limits = limits
        self._closing = closing
        self._began = time.monotonic()
        self._asked: float | None = None
        self._kill_at: float | None = None
        self._memory_at = 0.0
        self._late = False
        self._family: list[psutil.Process] = []
        try:
            self._itself: psutil.Process | None = psutil.Process(process.pid)
        except psutil.Error:
            self._itself = None

    def to_the_end(self) -> int:
        """Return the exit code."""
        while True:
            try:
                return self._process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                self._look(time.monotonic())

    def _look(self, now: float) -> None:
        if self._kill_at is not None:
            if now >= self._kill_at:
                self._process.kill()
            return
        if self._closing is not None and self._closing.is_set():
            self.verdict = ("interrupted", CLOSED)
            self._close_stdin()
            self._kill_at = now + GOODBYE_SECONDS
            return
        if now - self._memory_at >= MEMORY_SECONDS:
            self._memory_at = now
            self._look_at_memory()
        self._look_at_clock(now)
        self._look_at_stop(now)

    def _look_at_clock(self, now: float) -> None:
        limit = self._limits.seconds
        if limit is None or self._late or now - self._began < limit:
            return
        self._late = True
        sentence = f"It took longer than a run may here ({_in_words(limit)}); what it had saved until then is kept."
        try:  # asked like by a visitor, so that it saves what it has learnt
            (self._folder / STOP).write_text(sentence, encoding="utf-8")
        except OSError:
            self._end("failed", sentence, now)

    def _look_at_stop(self, now: float) -> None:
        stop = self._folder / STOP
        if self._asked is None:
            if not stop.exists():
                return
            self._asked = now
        patience = self._limits.saving_seconds if (self._folder / HEARD).exists() else self._limits.grace_seconds
        if now - self._asked < patience:
            return
        words = ""
        with contextlib.suppress(OSError, ValueError):
            words = stop.read_text(encoding="utf-8").strip()
        self._end("failed" if words else "stopped", words or STOPPED_HARD, now)

    def _look_at_memory(self) -> None:
        if self._itself is None:
            return
        with contextlib.suppress(psutil.Error):
            self._family = self._itself.children(recursive=True)
        limit = self._limits.memory_megabytes
        if limit is None:
            return
        used = 0
        for each in [self._itself, *self._family]:
            with contextlib.suppress(psutil.Error):
                used += each.memory_info().rss
        if used > limit * 1e6:
            log.info("%s uses %d MB of %d", self._folder.name, used / 1e6, limit)
            self.verdict = ("failed", MEMORY)
            self._process.kill()  # at once: asking takes the time in which the machine runs out of memory
            self._kill_at = time.monotonic()

    def _end(self, state: State, sentence: str, now: float) -> None:
        self.verdict = (state, sentence)
        self._process.terminate()
        self._kill_at = now + GOODBYE_SECONDS

    def _close_stdin(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def end_all(self) -> None:
        """End the process, if need be, and those it has started; they could hold its lock."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close_stdin()  # its guard ends its group
        until = time.monotonic() + GUARD_SECONDS
        while (left := [each for each in self._family if _lives(each)]) and time.monotonic() < until:
            time.sleep(0.01)
        for each in left:
            with contextlib.suppress(psutil.Error):
                each.kill()


def _lives(process: psutil.Process) -> bool:
    """Tell whether a process runs; one that only waits to be waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:g} seconds"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


class _LogKeeper:
    """Writes what a process says to a file: all of it, or its beginning and, when it has ended, its end."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path, limit: int) -> None:
        self._pipe = process.stdout
        self._path = path
        self._room = limit // 2
        self._tail_limit = limit - limit // 2
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._left_out = 0
        self._thread = threading.Thread(target=self._read, name=f"log-{path.parent.name}", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._pipe is not None
        with contextlib.suppress(OSError, ValueError):
            while piece := os.read(self._pipe.fileno(), 65536):
                head, rest = piece[: self._room], piece[self._room :]
                self._room -= len(head)
                self._append(head)
                self._remember(rest)

    def _remember(self, piece: bytes) -> None:
        if piece:
            self._tail.append(piece)
            self._tail_bytes += len(piece)
        while self._tail and self._tail_bytes - len(self._tail[0]) >= self._tail_limit:
            gone = self._tail.popleft()
            self._tail_bytes -= len(gone)
            self._left_out += len(gone)

    def _append(self, content: bytes) -> None:
        if content:
            with contextlib.suppress(OSError), open(self._path, "ab") as stream:  # a run goes on without a log
                stream.write(content)

    def close(self) -> None:
        """Write the rest; the process has ended."""
        self._thread.join(2.0)
        tail = b"".join(self._tail)
        if over := max(0, len(tail) - self._tail_limit):
            tail = tail[over:]
            self._left_out += over
        if self._left_out:
            self._append(b"\n[... %d bytes left out ...]\n" % self._left_out)
        self._append(tail)
        if self._pipe is not None and not self._thread.is_alive():
            self._pipe.close()
