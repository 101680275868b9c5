"""The process of one run: `python -m explorer.runs.child <folder>`, started and watched by `supervise`.

It holds the run's lock from its first to its last moment, so that everybody can tell whether it lives. Its stdin is
the life line: when that ends, so does this process, for whoever started it has died or wants it gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs import tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import (
    DISK_FULL,
    HEARTBEAT_SECONDS,
    LOCK,
    NOT_STARTED_STOPPED,
    STOP,
    is_disk_full,
    read_config,
    read_status,
    write_status,
)
from explorer.runs.lock import LockHeld, take
from explorer.runs.precision import precision
from explorer.runs.process import SLOT_VARIABLE
from explorer.runs.record import FINAL, State, Status

REFUSED = 3
"""Exit code of a process that found the run in other hands, or not waiting."""

LOCK_SECONDS = 10.0
PULSE_SECONDS = 0.25
PROGRESS_SECONDS = 0.5

NICENESS = 10
"""How much runs give way to everything else on this machine (POSIX nice levels)."""

SESSION_NICENESS = 7
"""The same for a run's session against others: a sixth of the time where both want all of it."""

FIRST_TO_GO = 800
"""How much rather Linux should end a run than the app when memory is short (oom_score_adj, proc(5))."""

MEMORY = "There was not enough memory for this run; take a smaller network, smaller pictures or smaller batches."
STOPPED_KEPT = "It was stopped; what it had learnt until then is kept."


def prepare() -> None:
    """Give way to everything else, and be the first to go when memory is short."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            below_normal = 0x4000  # BELOW_NORMAL_PRIORITY_CLASS, SetPriorityClass
            ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), below_normal)
        else:
            os.nice(max(0, NICENESS - os.nice(0)))
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_GO))
        _give_way_as_a_session()


def _give_way_as_a_session() -> None:
    """Have this session, a run's own, give way to others.

    Linux shares time out to sessions first, and nice levels count within one only (sched(7), "The autogroup feature").
    """
    if os.getsid(0) != os.getpid():
        return
    for _ in range(3):
        try:
            Path("/proc/self/autogroup").write_text(str(SESSION_NICENESS))
        except BlockingIOError:  # another process has just done so; the system takes ten a second
            time.sleep(0.15)
        except OSError:
            return
        else:
            return


def hold_on_to_life_line() -> int | None:
    """End this process, and those it has started, when stdin ends; return the guard's process, if there is one."""
    guard = _start_guard() if sys.platform != "win32" and os.getpgrp() == os.getpid() else None

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1):
                pass
        os._exit(1)

    threading.Thread(target=wait, name="life-line", daemon=True).start()
    return guard


def _start_guard() -> int | None:
    """Start a shell that kills this process group when stdin ends.

    A thread alone cannot do it: compiled code that never lets other threads run would silence it, and what the task
    has started would live on.
    """
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (1, 2)]
    script = "while read -r _; do :; done; kill -KILL 0"
    try:
        return os.posix_spawn("/bin/sh", ["sh", "-c", script], dict(os.environ), file_actions=nothing)
    except OSError:
        return None


class Record:
    """The status of the run whose lock this process holds; its pulse keeps the file up with the task."""

    def __init__(self, folder: Path, status: Status) -> None:
        self.folder = folder
        self.status = status
        self._lock = threading.Lock()

    def move(self, state: State, **changes: Any) -> None:
        """Write a new state.

        Raises:
            OSError: if the disk is full.
        """
        with self._lock:
            status = self.status.moved(state, **changes)
            write_status(self.folder, status)
            self.status = status

    def keep_up(self, context: RunContext) -> None:
        """Write the progress of `context` whenever it has changed, until the run has ended."""
        beat_at = written_at = -HEARTBEAT_SECONDS
        while self.status.state not in FINAL:
            now = time.monotonic()
            if now - beat_at >= HEARTBEAT_SECONDS:
                beat_at = now
                context.beat()
            shown = {"progress": context.progress, "device": context.device}
            changed = any(getattr(self.status, name) != value for name, value in shown.items())
            if changed and now - written_at >= PROGRESS_SECONDS:
                written_at = now
                # A full disk is for the task to find, and a final state needs no progress.
                with contextlib.suppress(OSError, ValueError):
                    self.move("running", **shown)
            time.sleep(PULSE_SECONDS)


def run(folder: Path) -> int:
    """Train what the folder asks for; whatever happens is in its status when this returns.

    Returns:
        The exit code: 0 for a run whose last state is written, `REFUSED`, or 1 if it could not be written.
    """
    try:
        lock = take(folder / LOCK, LOCK_SECONDS)
    except (LockHeld, OSError) as error:
        print(f"The run is in other hands: {error}", file=sys.stderr)
        return REFUSED
    try:
        try:
            status = read_status(folder)
        except (OSError, ValueError):
            traceback.print_exc()
            return REFUSED
        if status.state != "queued":
            print(f"The run is {status.state}, not queued.", file=sys.stderr)
            return REFUSED
        _train(Record(folder, status))
        return 0
    except (OSError, ValueError):
        traceback.print_exc()
        return 1
    finally:
        lock.release(force=True)


def _train(record: Record) -> None:
    """Train and write the final state."""
    if (record.folder / STOP).exists():
        record.move("stopped", reason=NOT_STARTED_STOPPED)
        return
    context: RunContext | None = None
    sentence = ""
    try:
        slot = os.environ.get(SLOT_VARIABLE, "cpu")
        record.move("starting", pid=os.getpid(), host=socket.gethostname(), slot=slot)
        config = read_config(record.folder)
        train = tasks.load(config.task)
        context = RunContext(record.folder, config, device_of(slot))
        record.move("running", device=context.device)
        threading.Thread(target=record.keep_up, args=(context,), name="pulse", daemon=True).start()
        with precision(config.settings, context.device):
            train(context)
    except Stopped:
        pass
    except BaseException as error:
        traceback.print_exc()
        sentence = sentence_of(error)
    shown: dict[str, Any] = {}
    if context is not None:
        context.close()
        shown = {"progress": context.progress, "device": context.device}
    if sentence:
        record.move("failed", reason=sentence, **shown)
    elif context is None or not context.heard:
        record.move("done", **shown)
    elif why := _words_of(record.folder / STOP):
        record.move("failed", reason=why, **shown)
    else:
        record.move("stopped", reason=STOPPED_KEPT, **shown)


def _words_of(stop: Path) -> str:
    """Return why the run shall stop: nothing if a visitor asks, a sentence if it is a limit."""
    try:
        return stop.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def sentence_of(error: BaseException) -> str:
    """Return the one sentence that a visitor reads about an error; the log has the rest."""
    if isinstance(error, SentenceError):
        return str(error)
    if is_disk_full(error):
        return DISK_FULL
    names = {each.__name__ for each in type(error).__mro__}
    words = str(error)
    # By name, since the backends' own error classes cannot be imported everywhere.
    exhausted = any(word in words for word in ("RESOURCE_EXHAUSTED", "out of memory", "OOM when allocating"))
    if names & {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"} or exhausted:
        return MEMORY
    first = next((line.strip() for line in words.splitlines() if line.strip()), "")
    said = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return f"An error ended the run; its log has the details ({said[:200]})."


def device_of(slot: str) -> str:
    """Return what a run in this slot computes on, as a visitor reads it; asks the backend that is imported."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    on_cpu = f"CPU, {cores} core{'' if cores == 1 else 's'}"
    if slot.startswith("cpu"):
        return on_cpu
    with contextlib.suppress(Exception):
        if (tensorflow := sys.modules.get("tensorflow")) is not None:
            gpus = tensorflow.config.list_physical_devices("GPU")
            for gpu in gpus:
                tensorflow.config.experimental.set_memory_growth(gpu, True)
                name = tensorflow.config.experimental.get_device_details(gpu).get("device_name") or "unnamed"
                return f"GPU: {name}"
            return on_cpu
        if (jax := sys.modules.get("jax")) is not None:
            device = jax.devices()[0]
            return on_cpu if device.platform == "cpu" else f"GPU: {device.device_kind}"
        if (torch := sys.modules.get("torch")) is not None:
            return f"GPU: {torch.cuda.get_device_name(0)}" if torch.cuda.is_available() else on_cpu
    return f"GPU {slot}"


def main(folder: str) -> None:
    """Train one run and end at once: a goodbye in Keras takes most of a second."""
    guard = hold_on_to_life_line()
    code = run(Path(folder))
    if guard is not None:  # waited for here, since not every container has somebody who waits for orphans
        with contextlib.suppress(OSError):
            os.kill(guard, signal.SIGKILL)
            os.waitpid(guard, 0)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    prepare()
    main(sys.argv[1])
