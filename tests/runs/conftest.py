from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer.runs.dispatcher import Dispatcher
from explorer.runs.folder import create
from explorer.runs.process import ROOT
from explorer.runs.record import Run
from explorer.runs.tasks import MORE_VARIABLE
from tests.patience import PATIENCE
from tests.runs.stand_in import config

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def stand_in_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MORE_VARIABLE, "stand_in_tasks")
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def queue(root: Path) -> Callable[..., Run]:
    """Put a run in line, past the limits of `submit`."""
    return lambda task="count", owner="anna", **settings: create(root, config(task, owner, **settings))


@pytest.fixture
def dispatch(root: Path) -> Iterator[Callable[..., Dispatcher]]:
    """Start dispatchers in threads of this process."""
    started: list[tuple[Dispatcher, threading.Thread]] = []

    def start(**options: Any) -> Dispatcher:
        dispatcher = Dispatcher(root, **options)
        thread = threading.Thread(target=dispatcher.serve)
        thread.start()
        started.append((dispatcher, thread))
        return dispatcher

    yield start
    for dispatcher, _ in started:
        dispatcher.close()
    for _, thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def processes() -> Iterator[Callable[..., subprocess.Popen]]:
    """Start Python processes that know `explorer`, and end them afterwards."""
    started: list[subprocess.Popen] = []

    def start(*arguments: str) -> subprocess.Popen:
        paths = [str(ROOT), os.environ["PYTHONPATH"]]
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[[str], str]:
    """Run a lesson's script in the folder `script`, as somebody at home does, and return what it prints.

    It computes on the backend of these tests, so that its numbers can be compared with a run's.
    """
    import keras

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
