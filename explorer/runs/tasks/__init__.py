"""What a run can be: each lesson is one module here with `train(context)`; others are registered by name.

`context` is an `explorer.runs.child.RunContext`. Importing this package imports no task.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explorer.networks.work_context import SentenceError

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

MORE_VARIABLE = "CNN_EXPLORER_TASK_MODULES"
"""Modules, with commas between, that register further tasks; the installation's owner sets it, never a visitor."""

_registered: dict[str, str] = {}
_loaded: set[str] = set()


def register(name: str, path: str) -> None:
    """Add a task.

    Args:
        name: as in `Config.task`.
        path: "package.module:function"; the function takes a `RunContext`.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a task")
    _registered[name] = path


def is_task(name: str) -> bool:
    """Tell whether there is a task of this name, without importing it."""
    return _path(name) is not None


def load(name: str) -> Callable[[Any], None]:
    """Import a task and return its function.

    Raises:
        SentenceError: if there is no such task.
    """
    path = _path(name)
    if path is None:
        raise SentenceError("There is no such lesson.")
    module, _, function = path.partition(":")
    return getattr(importlib.import_module(module), function)


def _path(name: str) -> str | None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    for module in filter(None, os.environ.get(MORE_VARIABLE, "").split(",")):
        if module not in _loaded:
            importlib.import_module(module)
            _loaded.add(module)
    if name in _registered:
        return _registered[name]
    here = Path(__file__).parent
    return f"{__name__}.{name}:train" if (here / f"{name}.py").is_file() else None
