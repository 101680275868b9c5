"""What a piece of work may ask of whoever runs it: report progress, stop when asked, fail in one sentence."""

from __future__ import annotations

from typing import Any, Protocol


class SentenceError(Exception):
    """An error whose text is one sentence that a visitor may read and act on."""


class Stopped(Exception):  # noqa: N818 - not an error: what was asked for has happened
    """Raised inside a piece of work whose visitor asked it to stop."""


class WorkContext(Protocol):
    """The first argument of every piece of named work."""

    def report(
        self,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
        message: str = "",
        payload: Any = None,
        part: int = 0,
    ) -> None:
        """Tell how far the work has come; cheap enough for every step.

        Args:
            done: how much is done, in `unit`; None where nothing can be counted.
            total: how much there is to do, in `unit`; None where that is unknown.
            unit: what is counted, for example "pictures" or "MB".
            message: what is happening, in a few words for the visitor.
            payload: what there is to see so far, plain data without Keras; some of the reports' are left out.
            part: which of several things the payload shows; the page sees the latest of each.
        """

    def told(self) -> dict[str, Any]:
        """Return what the page has said to this work meanwhile, the latest of each word."""

    def should_yield(self) -> bool:
        """Return whether others wait and this work has had its turn.

        Work that can go on later looks between steps, and returns what it has as unfinished.
        """

    def stopped(self) -> bool:
        """Return whether the visitor asked this work to stop; look between batches.

        Work that returns then, instead of raising `Stopped`, hands over what it has so far.
        """

    def raise_if_stopped(self) -> None:
        """End the work here if the visitor asked for it.

        Raises:
            Stopped: when `stopped()` is true.
        """


class NoContext:
    """A context that hears nothing and never stops, for a notebook or a test."""

    def report(
        self,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
        message: str = "",
        payload: Any = None,
        part: int = 0,
    ) -> None:
        """Forget the report."""

    def told(self) -> dict[str, Any]:
        """Return nothing: nobody speaks."""
        return {}

    def should_yield(self) -> bool:
        """Return False: nobody waits."""
        return False

    def stopped(self) -> bool:
        """Return False: nobody can ask."""
        return False

    def raise_if_stopped(self) -> None:
        """Go on."""


NO_CONTEXT: WorkContext = NoContext()
