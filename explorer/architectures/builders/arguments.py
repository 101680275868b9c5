"""What a builder says when it is asked for a network that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def one_of(argument: str, value: object, allowed: Iterable[object]) -> None:
    """Raise ValueError with one sentence unless `value` is among the `allowed` ones."""
    allowed = list(allowed)
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, allowed))}, not {value!r}.")


def at_least(argument: str, value: float, smallest: float) -> None:
    """Raise ValueError with one sentence if `value` is below the `smallest` that makes a network."""
    if value < smallest:
        raise ValueError(f"{argument} must be at least {smallest}, not {value}.")
