"""What the tests put in line, and whether a process is gone."""

from __future__ import annotations

from typing import Any

import psutil

from explorer.runs.record import Config, new_config


def gone(pid: int) -> bool:
    """Whether no such process runs; a zombie that nobody has waited for does not run."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def config(task: str = "count", owner: str = "anna", **settings: Any) -> Config:
    return new_config(task=task, owner=owner, settings=settings, versions={})
