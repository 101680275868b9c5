"""What a piece of work may ask of whoever runs it: report progress, stop when asked, fail in one sentence."""

from __future__ import annotations

from typing import Protocol


class SentenceError(Exception):
    """An error whose text is one sentence that a visitor may read and act on."""


class Stopped(Exception):  # noqa: N818 - not an error: what was asked for has happened
    """Raised inside a piece of work whose visitor asked it to stop."""


class WorkContext(Protocol):
    """The first argument of every piece of named work."""

    def report(self, done: float | None = None, total: float | None = None, unit: str = "", message: str = "") -> None:
        """Tell how far the work has come; cheap enough for every step.

        Args:
            done: how much is done, in `unit`; None where nothing can be counted.
            total: how much there is to do, in `unit`; None where that is unknown.
            unit: what is counted, for example "pictures" or "MB".
            message: what is happening, in a few words for the visitor.
        """

    def stopped(self) -> bool:
        """Return whether the visitor asked this work to stop; look between batches."""

    def raise_if_stopped(self) -> None:
        """End the work here if the visitor asked for it.

        Raises:
            Stopped: when `stopped()` is true.
        """


class _NoContext:
    """A context that hears nothing and never stops, for a notebook or a test."""

    def report(self, done: float | None = None, total: float | None = None, unit: str = "", message: str = "") -> None:
        """Forget the report."""

    def stopped(self) -> bool:
        """Return False: nobody can ask."""
        return False

    def raise_if_stopped(self) -> None:
        """Go on."""


NO_CONTEXT: WorkContext = _NoContext()
