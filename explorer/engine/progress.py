"""How far a piece of work is, as its visitor sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One report of a running call.

    Attributes:
        done: how much is done, in `unit`; None where nothing is counted.
        total: how much there is to do, in `unit`; None where that is unknown.
        unit: what is counted, for example "pictures" or "MB".
        message: what is happening, in a few words.
    """

    done: float | None = None
    total: float | None = None
    unit: str = ""
    message: str = ""
