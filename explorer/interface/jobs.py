"""Long work of a session: it goes on while the page is drawn again, shows what it has so far, and can be stopped.

A job belongs to the session that started it and ends with it. The page looks at it from a fragment that is drawn
again and again while the job runs; nothing here calls Streamlit from another thread.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from explorer.engine.client import Call, Engine, EngineError, Progress
from explorer.interface import work
from explorer.interface.current_picture import plain
from explorer.interface.server import engine
from explorer.interface.visitor import visitor_id
from explorer.interface.work import size_of

JobState = Literal["waiting", "running", "stopping", "done", "failed", "stopped"]
GoOn = Callable[[Any, "dict[str, Any]"], "dict[str, Any] | None"]
"""From a result, and the arguments of the call that brought it, to those that change; None when all is done."""

KEPT_JOBS = 12
"""How many jobs a session remembers, the running ones among them."""

LET_GO = "What was here has been let go of, to keep this session small; it can be computed again."

_JOBS = "_jobs"
_LOOKS = "_looks_at_jobs"
_LET_GO = "_jobs_let_go"

log = logging.getLogger(__name__)


class Job:
    """One piece of long work, which may take several calls when it gives way to others in between.

    Attributes:
        key: under which the page finds it again.
        label: what is being done, for the progress line.
        identity: what it is about, so that the page can tell whether it still fits what is shown.
        looked_at: number of the page's look (see `begin_look`) at which it was asked for last.
    """

    def __init__(
        self,
        key: str,
        name: str,
        label: str,
        identity: tuple,
        owner: str,
        arguments: dict[str, Any],
        go_on: GoOn | None,
        where: Engine,
    ) -> None:
        self.key = key
        self.name = name
        self.label = label
        self.identity = identity
        self._owner = owner
        # Only what goes on later needs them again, and not for longer than that; they may be fifty pictures.
        self._arguments = arguments if go_on is not None else {}
        self._go_on = go_on
        self._engine = where
        self._lock = threading.Lock()
        self._wanted = True
        self._failure = ""
        self._seconds_before = 0.0
        self._words: dict[str, Any] = {}
        self._payloads: dict[int, Any] = {}
        self._before: Any = None
        self._progress_before: Progress | None = None
        self._calls: list[Call] = []
        self.looked_at = 0
        self._bytes: int | None = None
        self._submit(arguments)
        # A job nobody holds any more belongs to a session that has ended.
        weakref.finalize(self, _stop_all, self._calls)

    def _submit(self, arguments: dict[str, Any]) -> None:
        call = self._engine.submit(self.name, visitor=self._owner, **arguments)
        if self._words:
            call.tell(**self._words)
        self._calls[:] = [call]
        itself = weakref.ref(self)

        def ended(call: Call) -> None:
            job = itself()
            if job is not None:
                # Submitting packs arrays, which the engine's own thread shall not wait for.
                threading.Thread(target=job._ended, args=(call,), name="job goes on", daemon=True).start()

        if self._go_on is not None:
            call.when_ended(ended)

    def _ended(self, call: Call) -> None:
        """Go on with work that gave way to others."""
        with self._lock:
            if call is not self._call or self._go_on is None:
                return
            if call.state != "done":
                self._arguments = {}
                return
            try:
                more = self._go_on(call.result(), self._arguments)
                if more is None or not self._wanted:
                    self._arguments = {}
                    return
                self._payloads = {**self._payloads, **call.payloads}
                self._before = call.result()
                self._progress_before = call.progress or self._progress_before
                self._seconds_before += call.seconds or 0.0
                self._arguments = {**self._arguments, **more}
                self._submit(self._arguments)
                if not self._wanted:  # the stop came while this was handed over, and met the call before
                    self._call.stop()
            except EngineError as failure:
                self._failure = str(failure)
            except Exception:
                log.exception("%s could not go on", self.name)
                self._failure = "Something went wrong; the log has the details."

    @property
    def _call(self) -> Call:
        return self._calls[0]

    def _goes_on(self) -> bool:
        """Tell whether the call that has ended is not the last one."""
        call = self._call
        if self._go_on is None or call.state != "done" or not self._wanted or self._failure:
            return False
        try:
            return self._go_on(call.result(), self._arguments) is not None
        except Exception:  # a mistake in there is told by `_ended`
            return False

    @property
    def state(self) -> JobState:
        """Where it is: "waiting", "running", "stopping", "done", "failed" or "stopped"."""
        if self._failure:
            return "failed"
        return "waiting" if self._goes_on() else self._call.state

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self.state in ("waiting", "running", "stopping")

    @property
    def progress(self) -> Progress | None:
        """The latest report, while it waits for its next turn that of the turn before."""
        return self._call.progress or self._progress_before

    @property
    def payloads(self) -> dict[int, Any]:
        """What there is to see so far, the latest of each part of the work."""
        return {**self._payloads, **self._call.payloads}

    @property
    def payload(self) -> Any:
        """What there is to see so far, for work of one part; None before the first."""
        return self.payloads.get(0)

    @property
    def result(self) -> Any:
        """The result, also of stopped work that handed over what it had; None while there is none."""
        if self.running:
            return None
        kept = self._call.kept()
        # Stopped while it waited for its next turn: what it had when it gave way is not lost.
        return self._before if kept is None else kept

    @property
    def sentence(self) -> str:
        """Why there is no result, in one sentence; empty where there is nothing to say."""
        if self._failure:
            return self._failure
        if self._call.state != "failed":
            return ""
        try:
            self._call.result()
        except EngineError as failure:
            return str(failure)
        return ""

    @property
    def seconds(self) -> float:
        """Seconds of computing so far, waiting not counted."""
        return self._seconds_before + (self._call.seconds or 0.0)

    @property
    def place(self) -> int | None:
        """Place in line, 1 is next; None once it runs."""
        return self._call.place

    @property
    def nbytes(self) -> int:
        """Bytes that its result and what it has told hold in this session, estimated; 0 while it runs."""
        if self.running:
            return 0
        if self._bytes is None:
            self._bytes = size_of((self.result, self.payloads))
        return self._bytes

    def stop(self) -> None:
        """Ask it to stop; what it has by then is kept where the work hands it over."""
        self._wanted = False
        self._call.stop()

    def tell(self, **words: Any) -> None:
        """Say something to the running work, such as a new learning rate."""
        self._words.update(words)
        self._call.tell(**words)


def _stop_all(calls: list[Call]) -> None:
    for call in calls:
        call.stop()


def _jobs() -> OrderedDict[str, Job]:
    return st.session_state.setdefault(_JOBS, OrderedDict())


def job(key: str) -> Job | None:
    """Return this session's job under a key, running or ended."""
    found = _jobs().get(key)
    if found is not None:
        found.looked_at = st.session_state.get(_LOOKS, 0)
    return found


def begin_look() -> None:
    """Say that the page is drawn from its beginning; call once per page, before any job is looked at.

    The results of jobs count against the same limit as those that `explorer.interface.work` keeps. Where both together
    are too large, jobs are let go of that have ended and are not on the screen, those first that were not looked at
    for longest.
    """
    kept = _jobs()
    now = st.session_state.get(_LOOKS, 0)
    room = work.KEPT_BYTES - work.kept_bytes() - sum(each.nbytes for each in kept.values())
    for old in sorted(kept.values(), key=lambda each: each.looked_at):
        if room >= 0:
            break
        if old.nbytes and old.looked_at < now:
            room += old.nbytes
            del kept[old.key]
            st.session_state[_LET_GO] = {*st.session_state.get(_LET_GO, ()), old.key}
    st.session_state[_LOOKS] = now + 1
    st.session_state[work.JOB_BYTES] = sum(each.nbytes for each in kept.values())


def let_go(key: str) -> bool:
    """Tell whether the job under a key was let go of to make room, and nothing has been started there since."""
    return key in st.session_state.get(_LET_GO, ())


def start(key: str, name: str, *, label: str, identity: tuple = (), go_on: GoOn | None = None, **arguments: Any) -> Job:
    """Start named work for this session, in place of what ran under the key.

    Args:
        key: under which `job` finds it.
        name: name in the engine's table of work.
        label: what is being done, for the progress line.
        identity: what it is about.
        go_on: from a result, and the arguments of the call that brought it, to the arguments that change when the
            work is called again because it gave way to others, or None when it is finished. Called in other threads;
            without Streamlit.
        **arguments: handed to the work.

    Returns:
        The job.

    Raises:
        JobRefused: if it was not taken; what ran under the key goes on.
    """
    kept = _jobs()
    try:
        started = Job(key, name, label, identity, visitor_id(), arguments, go_on, engine())
    except EngineError as failure:
        raise JobRefused(str(failure)) from failure
    before = kept.pop(key, None)
    if before is not None:
        before.stop()
    started.looked_at = st.session_state.get(_LOOKS, 0)
    st.session_state[_LET_GO] = {*st.session_state.get(_LET_GO, ())} - {key}
    kept[key] = started
    for old in [each for each in kept.values() if not each.running][: max(0, len(kept) - KEPT_JOBS)]:
        del kept[old.key]
    return started


def forget(key: str) -> None:
    """Stop and drop a job."""
    before = _jobs().pop(key, None)
    if before is not None:
        before.stop()


class JobRefused(Exception):
    """Work that was not taken; the text is one sentence for the visitor."""


def poll(watched: Job, draw: Callable[[Job], None], seconds: float = 0.7) -> None:
    """Draw a job: again and again while it runs, then have the page drawn once more.

    Args:
        watched: the job.
        draw: draws it, as a part of the page.
        seconds: between two looks.
    """
    if not watched.running:
        draw(watched)
        return

    @st.fragment(run_every=seconds)
    def live() -> None:
        still = watched.running
        draw(watched)
        if not still:
            st.rerun()

    live()


def progress_line(watched: Job) -> None:
    """Draw how far a running job is: place in line, numbers, what is happening."""
    progress = watched.progress
    # Labels and messages hold names of files, which come from outside.
    label = plain(watched.label)
    if watched.state == "stopping":
        st.progress(progress_share(watched), f"{label}: stopping …")
    elif watched.place:
        st.progress(progress_share(watched), f"{label}: waiting, place {watched.place} in line")
    elif progress is not None and progress.total:
        counted = f"{progress.done or 0:.0f} of {progress.total:.0f} {progress.unit}"
        st.progress(progress_share(watched), f"{label}: {plain(progress.message) or counted}")
    else:
        st.progress(0.0, f"{label}{': ' + plain(progress.message) if progress and progress.message else ' …'}")


def progress_share(watched: Job) -> float:
    """Return how much of a job is done, 0 to 1."""
    progress = watched.progress
    if progress is None or not progress.total:
        return 0.0
    return min(1.0, max(0.0, (progress.done or 0) / progress.total))
