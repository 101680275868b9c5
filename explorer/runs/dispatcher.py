"""Starts the oldest waiting run whenever a slot is free: one dispatcher for each installation.

`python -m explorer.runs.dispatcher --root …` is a child of the app and ends with it. Of several (the app's replicas)
one holds the lock and works, the others wait to take over. It remembers nothing: after its death the next one finds
everything in the folders. Where there are other machines, a `Placer` runs the runs there; order and line stay here.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import json
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from explorer.runs.cleaning import clean
from explorer.runs.folder import NOT_STARTED_STOPPED, STOP, WAKE, finish, put_back, read_status, replace
from explorer.runs.listing import INTERRUPTED, listing
from explorer.runs.lock import LockHeld, take
from explorer.runs.record import ACTIVE, Run
from explorer.runs.standby import StandBy
from explorer.runs.supervise import NOT_STARTED, Limits, RefusedError, supervise
from explorer.runs.waiting import next_run

log = logging.getLogger(__name__)

DISPATCHER_LOCK = ".dispatcher.lock"
ANNOUNCEMENT = ".dispatcher.json"

LOOK_SECONDS = 0.5
WAKE_SECONDS = 0.05
TAKE_OVER_SECONDS = 0.1
CLEAN_SECONDS = 600.0
STANDBY_AFTER_SECONDS = 5.0
ATTEMPTS = 5
AGAIN_SECONDS = 0.5
STORE_AGAIN_SECONDS = 10.0
GOODBYE_SECONDS = 5.0

Place = Callable[[Path, str], object]
"""Runs a run's folder in a slot and returns when it has ended; raises, or leaves it `queued`, to be asked again."""

Key = tuple[str, int]
"""A slot: its name, and which of those of that name."""


class PlaceLost(Exception):
    """The place where a run was to run, or ran, is gone: that is not the run's fault, however often it happens."""


class Placer(Protocol):
    """Runs runs elsewhere."""

    def slots(self) -> Sequence[str]:
        """Return a name for each run that can run there now; a run's status has the name of its slot. Never waits."""

    def place(self, folder: Path, slot: str) -> object:
        """Run a run there and return when it has ended.

        Raises:
            PlaceLost: if what ran it is gone; the folder says how far it came.
        """

    def close(self) -> None:
        """Have every `place` return soon; runs that began may go on."""


@dataclass(frozen=True)
class Announced:
    """What the dispatcher that works, or worked last, says about itself.

    Attributes:
        host: machine that it runs on.
        pid: its process id there.
        slots: what may run at a time.
    """

    host: str
    pid: int
    slots: tuple[str, ...]

    def is_process(self, pid: int) -> bool:
        """Tell whether it is this process of this machine."""
        return (self.host, self.pid) == (socket.gethostname(), pid)


def announced(root: Path) -> Announced | None:
    """Return what the dispatcher says about itself; None where none has said anything that makes sense."""
    try:
        said = json.loads((Path(root) / ANNOUNCEMENT).read_bytes())
        return Announced(str(said["host"]), int(said["pid"]), tuple(map(str, said["slots"])))
    except (OSError, ValueError, TypeError, KeyError):
        return None


@dataclass
class _Placed:
    """A run that was handed out and has not come back."""

    owner: str
    slot: Key
    at: float = field(default_factory=time.monotonic)


class Dispatcher:
    """The one that starts runs.

    Attributes:
        working: whether it holds the lock.
        closing: set it to end; runs that it supervises here are told by it, too.
    """

    def __init__(
        self,
        root: Path,
        slots: Sequence[str] = ("cpu",),
        place: Place | None = None,
        *,
        placer: Placer | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        running_limit: int = 1,
        standby: bool = False,
        days: float | None = None,
        megabytes: float | None = None,
    ) -> None:
        """Prepare; nothing happens before `serve`.

        Args:
            root: folder of all runs.
            slots: what may run at a time: "cpu" (as often as that), and names of GPUs.
            place: runs a run in a slot; None: here, with `supervise`.
            placer: runs runs elsewhere; it says itself which slots there are.
            limits: what a run may take, where it runs here.
            running_limit: how many runs of one visitor may run at a time.
            standby: keep a process with Keras ready for each slot, where runs run here.
            days: see `clean`.
            megabytes: see `clean`.
        """
        self.root = Path(root)
        self.slots = list(slots)
        self.working = False
        self.closing = threading.Event()
        self._placer = placer
        self._place = place if placer is None else placer.place
        self._limits = limits
        self._running_limit = running_limit
        self._standby = standby and self._place is None
        self._standbys: dict[Key, StandBy] = {}
        self._clean = functools.partial(clean, self.root, days, megabytes)
        self._placed: dict[str, _Placed] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._come_back = threading.Event()
        self._failures: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._store_again: dict[str, float] = {}
        self._announced: list[str] | None = None
        self._woken_at = 0
        self._cleaned_at: float | None = None

    def serve(self) -> None:
        """Wait for the lock, then start runs until `closing` is set."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = self._wait_for_lock()
        if lock is None:
            return
        self.working = True
        log.info("This dispatcher serves %s", self.root)
        try:
            while not self.closing.is_set():
                try:
                    self.tick()
                except Exception:
                    log.exception("The dispatcher stumbled and goes on")
                self._rest()
        finally:
            self._end()
            self.working = False
            lock.release(force=True)

    def close(self) -> None:
        """Have `serve` return soon."""
        self.closing.set()
        self._come_back.set()

    def _wait_for_lock(self) -> FileLock | None:
        while not self.closing.is_set():
            try:
                return take(self.root / DISPATCHER_LOCK)
            except LockHeld:
                pass
            except OSError:
                log.exception("The dispatcher's lock cannot be taken")
            self.closing.wait(TAKE_OVER_SECONDS)
        return None

    def _rest(self) -> None:
        """Wait half a second, or until somebody has touched the file that wakes."""
        until = time.monotonic() + LOOK_SECONDS
        while not self.closing.is_set() and time.monotonic() < until:
            if self._come_back.wait(WAKE_SECONDS):
                self._come_back.clear()
                return
            with contextlib.suppress(OSError):
                at = (self.root / WAKE).stat().st_mtime_ns
                if at != self._woken_at:
                    self._woken_at = at
                    return

    def tick(self) -> None:
        """Look once: put away what has ended, and fill the free slots."""
        with self._lock:  # before the listing, so that what ends in between is not taken for waiting
            placed = dict(self._placed)
        runs = listing(self.root).runs
        back = False
        for run in runs:
            if run.id in placed or time.monotonic() < self._store_again.get(run.id, 0.0):
                continue
            try:
                back |= self._put_away(run)
            except (OSError, ValueError):  # a full disk: it is shown as what it is, and stored later
                log.warning("The state of %s could not be stored", run.id, exc_info=True)
                # Whoever tries holds its lock, and so makes it look alive for a moment.
                self._store_again[run.id] = time.monotonic() + STORE_AGAIN_SECONDS
        if back:  # it has its old place in the line, which may be the first
            runs = listing(self.root).runs
        if self._placer is not None:
            self.slots = list(self._placer.slots())
        self._announce()
        self._fill(runs, placed)
        self._keep_standbys()
        now = time.monotonic()
        if self._cleaned_at is None or now - self._cleaned_at >= CLEAN_SECONDS:
            self._cleaned_at = now
            if gone := self._clean():
                log.info("Cleaned up %d runs", len(gone))

    def _announce(self) -> None:
        """Say which slots there are, for those who tell visitors how long it takes."""
        if self._announced != self.slots:
            said = {"host": socket.gethostname(), "pid": os.getpid(), "slots": self.slots}
            with contextlib.suppress(OSError):  # a full disk must not keep runs from starting
                replace(self.root / ANNOUNCEMENT, json.dumps(said).encode())
                self._announced = list(self.slots)

    def _put_away(self, run: Run) -> bool:
        """Store how a run has ended that nobody runs; return whether it is back in the line instead."""
        if run.stored in ACTIVE and run.state == "interrupted":
            # Whoever looks whether it is held is in the way for an instant; what follows is the last word.
            if put_back(run.folder, seconds=0.5):
                log.info("%s was cut off and begins anew", run.id)
                return True
            finish(run.folder, "interrupted", INTERRUPTED, only_from=ACTIVE)
        elif run.state == "queued" and (run.folder / STOP).exists():
            finish(run.folder, "stopped", NOT_STARTED_STOPPED, only_from=["queued"])
        elif run.state == "queued" and self._failures[run.id] >= ATTEMPTS:
            finish(run.folder, "failed", NOT_STARTED, only_from=["queued"])
        return False

    def _fill(self, runs: Sequence[Run], placed: dict[str, _Placed]) -> None:
        free = self._free_slots(runs, placed)
        if not free:
            return
        candidates = [run for run in runs if run.state != "queued" or run.id in placed or self._may_start(run)]
        while free and not self.closing.is_set():
            run = next_run(candidates, placed, self._running_limit)
            if run is None:
                return
            placed[run.id] = self._start(run, free.pop(0))

    def _may_start(self, run: Run) -> bool:
        if self._failures[run.id] >= ATTEMPTS:
            return False
        return time.monotonic() >= self._not_before.get(run.id, 0.0) and not (run.folder / STOP).exists()

    def _keys(self) -> list[Key]:
        return [(name, self.slots[:index].count(name)) for index, name in enumerate(self.slots)]

    def _free_slots(self, runs: Sequence[Run], placed: dict[str, _Placed]) -> list[Key]:
        taken = {each.slot for each in placed.values()}
        free = [key for key in self._keys() if key not in taken]
        for run in runs:  # what a dispatcher before this one started may still run
            if run.state in ACTIVE and run.id not in placed:
                key = next((each for each in free if each[0] == run.status.slot), None)
                if key is not None:
                    free.remove(key)
        return free

    def _start(self, run: Run, slot: Key) -> _Placed:
        log.info("%s starts in slot %s", run.id, slot[0])
        placed = _Placed(run.owner, slot)
        thread = threading.Thread(target=self._run, args=(run, slot), name=f"run-{run.id}", daemon=True)
        with self._lock:
            self._placed[run.id] = placed
            self._threads.add(thread)
        thread.start()
        return placed

    def _run(self, run: Run, slot: Key) -> None:
        """Run one run to its end; whatever goes wrong, its slot comes back."""
        lost = False
        try:
            if self._place is not None:
                self._place(run.folder, slot[0])
            else:
                with self._lock:
                    standby = self._standbys.pop(slot, None)
                supervise(run.folder, slot[0], self._limits, self.closing, standby)
        except PlaceLost as error:
            lost = True
            log.warning("%s lost its place: %s", run.id, error)
        except RefusedError:
            log.warning("%s was not taken by its process", run.id)
        except Exception:
            log.exception("%s could not be placed", run.id)
        if _still_waits(run.folder) and not self.closing.is_set():
            self._failures[run.id] += not lost
            self._not_before[run.id] = time.monotonic() + AGAIN_SECONDS * 2 ** self._failures[run.id]
        else:
            self._failures.pop(run.id, None)
            self._not_before.pop(run.id, None)
        with self._lock:
            self._placed.pop(run.id, None)
            self._threads.discard(threading.current_thread())
        self._come_back.set()

    def _keep_standbys(self) -> None:
        """Have a warm process for each slot, but not while a run starts: both would take longer."""
        if not self._standby:
            return
        with self._lock:
            busy = {each.slot: each.at for each in self._placed.values()}
            for slot in self._keys():
                ready = self._standbys.get(slot)
                starting = time.monotonic() - busy.get(slot, float("-inf")) < STANDBY_AFTER_SECONDS
                if starting or (ready is not None and ready.is_alive()):
                    continue
                if ready is not None:
                    ready.close()
                self._standbys[slot] = StandBy(slot[0])

    def _end(self) -> None:
        """Let the runs here say their last word."""
        self.closing.set()
        if self._placer is not None:
            self._placer.close()
        with self._lock:
            threads, standbys = list(self._threads), list(self._standbys.values())
            self._standbys.clear()
        for standby in standbys:
            standby.close()
        until = time.monotonic() + GOODBYE_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _still_waits(folder: Path) -> bool:
    try:
        return read_status(folder).state == "queued"
    except (OSError, ValueError):
        return False


def _placer(path: str, address: str, limits: Limits) -> Placer:
    """Return what the function at "module:function" makes; it lies above this package, so it is known by name only."""
    module, _, function = path.partition(":")
    return getattr(importlib.import_module(module), function)(address, limits)


def arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what `main` understands."""
    parser.add_argument("--root", type=Path, required=True, help="folder of all runs")
    parser.add_argument("--slot", action="append", default=[], help='"cpu" or a GPU; once for each run at a time')
    parser.add_argument("--place", help='"module:function" that makes the `Placer` which runs runs elsewhere')
    parser.add_argument("--address", default="", help="what that function is told")
    parser.add_argument("--running-limit", type=int, default=1, help="runs of one visitor at a time")
    parser.add_argument("--seconds", type=float, help="how long a run may take")
    parser.add_argument("--memory-megabytes", type=int, help="how much memory a run may take, in MB")
    parser.add_argument("--grace-seconds", type=float, default=Limits.grace_seconds)
    parser.add_argument("--standby", action="store_true", help="keep a process with Keras ready")
    parser.add_argument("--keep-days", type=float, help="how long a run is kept after its end")
    parser.add_argument("--keep-megabytes", type=float, help="how much all runs may take together, in MB")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until stdin ends."""
    options = arguments(argparse.ArgumentParser(prog="explorer.runs.dispatcher")).parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s dispatcher %(process)d %(levelname)s %(message)s")
    limits = Limits(
        seconds=options.seconds, memory_megabytes=options.memory_megabytes, grace_seconds=options.grace_seconds
    )
    dispatcher = Dispatcher(
        options.root.absolute(),
        options.slot or ["cpu"],
        placer=_placer(options.place, options.address, limits) if options.place else None,
        limits=limits,
        running_limit=options.running_limit,
        standby=options.standby,
        days=options.keep_days,
        megabytes=options.keep_megabytes,
    )

    def wait_for_end() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1):
                pass
        dispatcher.close()
        time.sleep(GOODBYE_SECONDS + 2.0)
        os._exit(1)  # whatever it hangs at, it does not outlive the app

    threading.Thread(target=wait_for_end, name="life-line", daemon=True).start()
    dispatcher.serve()
    os._exit(0)


if __name__ == "__main__":
    main()
