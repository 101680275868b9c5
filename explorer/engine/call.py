"""One call as its visitor sees it: waiting with a place in line, running with progress, ended with a result."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from explorer.engine.packing import Packed, unpack
from explorer.engine.progress import Progress
from explorer.engine.work import Work

State = Literal["waiting", "running", "stopping", "done", "failed", "stopped"]

ENDED: frozenset[State] = frozenset({"done", "failed", "stopped"})

_numbers = itertools.count(1)


class EngineError(Exception):
    """Work without a result; the text is one sentence that a visitor may read."""


class Call:
    """A piece of named work that was asked for; every method may be called from any thread.

    Attributes:
        name: its name in the table of work.
        visitor: for whom it runs.
        state: "waiting", "running", "stopping" (asked to stop, not yet there), "done", "failed" or "stopped".
        place: place in line, 1 is next; None once it runs or has ended.
        progress: the latest report; None before the first.
        payloads: the latest payload of each part of the work.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        visitor: str,
        arguments: Packed,
        stop: Callable[[Call], None],
        tell: Callable[[Call], None] = lambda call: None,
    ) -> None:
        self.number = next(_numbers)
        self.name = name
        self.work = work
        self.visitor = visitor
        self.state: State = "waiting"
        self.place: int | None = None
        self.progress: Progress | None = None
        self.payloads: dict[int, Any] = {}
        self.words: dict[str, Any] = {}
        self._arguments: Packed | None = arguments
        self._ask_to_stop = stop
        self._pass_words_on = tell
        self._when_ended: list[Callable[[Call], None]] = []
        self._ending = threading.Lock()
        self._ended = threading.Event()
        self._sentence = ""
        self._packed: Packed | None = None
        self._result: Any = None
        self._unpacking = threading.Lock()
        self._began: float | None = None
        self._seconds: float | None = None

    def __repr__(self) -> str:
        return f"<Call {self.number} {self.name} {self.state}>"

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the call has ended.

        Args:
            timeout: seconds; None waits as long as it takes, 0 only looks.

        Returns:
            Whether it has ended.
        """
        return self._ended.wait(timeout)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result and return it; every call of this returns the same object.

        Raises:
            EngineError: with one sentence, if the work failed, was stopped, or did not end within `timeout`
                seconds.
        """
        if not self.wait(timeout):
            raise EngineError("This is still being computed.")
        if self.state != "done":
            raise EngineError(self._sentence)
        return self.kept()

    def kept(self) -> Any:
        """Return the result, or what stopped work handed over; None where there is nothing (yet)."""
        with self._unpacking:
            if self._packed is not None:
                self._result, self._packed = unpack(self._packed), None
        return self._result

    def tell(self, **words: Any) -> None:
        """Say something to the work, which looks at it when it likes; a later value of a word replaces it."""
        if not self._ended.is_set():
            self.words = {**self.words, **words}
            self._pass_words_on(self)

    def when_ended(self, act: Callable[[Call], None]) -> None:
        """Have `act(call)` called when the call has ended, at once if it has; it must be quick and not fail."""
        with self._ending:
            if not self._ended.is_set():
                self._when_ended.append(act)
                return
        act(self)

    def stop(self) -> None:
        """Ask the call to stop; it ends as "stopped" at once if it waits, else when the work looks up."""
        if not self._ended.is_set():
            self._ask_to_stop(self)

    @property
    def seconds(self) -> float | None:
        """Seconds of computing, up to now if it runs; None if it never began. Waiting is not counted."""
        if self._seconds is None and self._began is not None:
            return time.monotonic() - self._began
        return self._seconds

    # What follows is for the engine; it calls from its own thread only.

    def take_arguments(self) -> Packed:
        """Hand over the arguments; the call no longer holds them."""
        assert self._arguments is not None
        arguments, self._arguments = self._arguments, None
        return arguments

    def begin(self) -> None:
        """The work has begun in a worker."""
        self._began = time.monotonic()

    def end(
        self, state: State, *, sentence: str = "", result: Packed | None = None, seconds: float | None = None
    ) -> None:
        """The call has ended; the first word holds."""
        if self._ended.is_set():
            return
        if seconds is None and self._began is not None:
            seconds = time.monotonic() - self._began
        self._arguments, self._packed, self._sentence, self._seconds = None, result, sentence, seconds
        self.place, self.state = None, state
        with self._ending:
            self._ended.set()
        for act in self._when_ended:
            act(self)
        self._when_ended.clear()
