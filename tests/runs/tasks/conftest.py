from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest

from explorer.runs import tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import create
from explorer.runs.process import ROOT
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


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[[str], str]:
    """Run a lesson's script in the folder `script`, as somebody at home does, and return what it prints.

    It computes on the backend of these tests, so that its numbers can be compared with a run's.
    """

    def run(script: str) -> str:
        folder = tmp_path / "script"
        folder.mkdir()
        (folder / "script.py").write_text(script)
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        of_its_own = {"HOME": str(folder), "PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run(
            [sys.executable, "script.py"],
            cwd=folder,
            env={**os.environ, **of_its_own, "KERAS_BACKEND": keras.backend.backend()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run
