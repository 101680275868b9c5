"""Waiting for what other processes do, and what the tests put in line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil

from explorer.runs.record import Config, new_config

PATIENCE = 60.0


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether no such process runs; a zombie that nobody has waited for does not run."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def config(task: str = "count", owner: str = "anna", **settings: Any) -> Config:
    return new_config(task=task, owner=owner, settings=settings, versions={})
