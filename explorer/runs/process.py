"""Starts the process of a run: its life line, its device, its place in the system."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SLOT_VARIABLE = "CNN_EXPLORER_RUN_SLOT"

ROOT = Path(__file__).resolve().parents[2]


def start_process(module: str, arguments: Sequence[str], slot: str) -> subprocess.Popen[bytes]:
    """Start `python -m module` for a slot, with a life line on stdin and its output in a pipe.

    Raises:
        OSError: if the system cannot.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(slot),
        **own_group(),
    )


def environment(slot: str) -> dict[str, str]:
    """Return a run's environment: this process', where `explorer` is, and the one device that it may use.

    Args:
        slot: "cpu" or a GPU's name; behind an "@" may stand whose it is.
    """
    variables = dict(os.environ)
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    variables["PYTHONUNBUFFERED"] = "1"
    variables[SLOT_VARIABLE] = slot
    variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    device = slot.partition("@")[0]
    variables["CUDA_VISIBLE_DEVICES"] = "-1" if device == "cpu" else device
    variables["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    variables.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return variables


def own_group() -> dict[str, Any]:
    """Keep Ctrl-C in the app's terminal from the process: it ends with its parent, in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
