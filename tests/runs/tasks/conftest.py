from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.runs import tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import create
from explorer.runs.record import new_config


@pytest.fixture
def context_of(tmp_path: Path) -> Callable[..., RunContext]:
    """Make the context of a run in a folder of its own, as a task gets it."""

    def make(task: str, seed: int = 0, **fields: Any) -> RunContext:
        config = new_config(task=task, owner="anna", seed=seed, **fields)
        return RunContext(create(tmp_path / "runs", config).folder, config)

    return make


@pytest.fixture
def trained(context_of: Callable[..., RunContext]) -> Callable[..., RunContext]:
    """Run a lesson's task to its end in this process."""

    def run(task: str, seed: int = 0, **fields: Any) -> RunContext:
        context = context_of(task, seed, **fields)
        try:
            tasks.load(task)(context)
        finally:
            context.close()
        return context

    return run
