"""How the tests share the processes of pytest-xdist: what stays together, what comes first, who takes which core."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent

LEFT_OUT = ("every", "lessons", "slow")
"""What is marked so runs only if `-m` names the mark, the first of several, or if the test itself is named."""
SLOW_SECONDS = 900
"""After so long even a slow test hangs; on a machine that does much else the usual limit is no sign of that."""

if WORKERS := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    # Every numeric library would take all cores for itself, and so would every app that a test starts; threads that
    # wait for each other's cores cost more than they bring. Read when the libraries are loaded, which is later.
    _threads = str(max(1, (os.cpu_count() or 1) // WORKERS))
    for _name in (
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "CNN_EXPLORER_WORKER_THREADS",
    ):
        os.environ.setdefault(_name, _threads)


# Nobody's own runs are touched, and no app of a test keeps a second TensorFlow warm.
_runs = tempfile.TemporaryDirectory(prefix="cnn-explorer-runs-", ignore_cleanup_errors=True)
os.environ["CNN_EXPLORER_RUNS_FOLDER"] = _runs.name
os.environ.setdefault("CNN_EXPLORER_RUNS_STANDBY", "false")


def _length(item: Any) -> str:
    """Return the mark by which a test is too long for every day, "" where it is not."""
    return next((marker for marker in LEFT_OUT if item.get_closest_marker(marker) is not None), "")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    """Keep a file's tests on one process, because they share its fixtures; leave out what takes minutes.

    Tests of the app that each process starts once (`app_server`) share nothing else, so they go one by one to
    whichever process is free.
    """
    if not any("::" in argument for argument in config.args):
        asked_for = {"", *(marker for marker in LEFT_OUT if marker in config.option.markexpr)}
        left_out = [item for item in items if _length(item) not in asked_for]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _length(item) in asked_for]
    for item in items:
        if _length(item) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS))
        if "app_server" not in item.fixturenames and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(Path(item.path).relative_to(TESTS).as_posix()))
