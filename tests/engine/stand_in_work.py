"""Work for the engine's tests, run in real workers: it needs no Keras and ends when told."""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from explorer.networks.work_context import SentenceError, WorkContext


def echo(context: WorkContext, value: Any = None) -> Any:
    return value


def process(context: WorkContext) -> tuple[int, int]:
    """Return the process id and its niceness."""
    return os.getpid(), os.nice(0) if hasattr(os, "nice") else 0


def digest(context: WorkContext, pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def make(context: WorkContext, nbytes: int) -> np.ndarray:
    return np.arange(nbytes // 4, dtype=np.float32)


def note(context: WorkContext, file: str, word: str) -> None:
    """Append a word to a file: the order of the words is the order in which calls were served."""
    with open(file, "a") as stream:
        stream.write(word + "\n")


def wait_for(context: WorkContext, file: str) -> str:
    """Hold the worker until a file exists, or until stopped."""
    while not Path(file).exists():
        context.raise_if_stopped()
        time.sleep(0.01)
    return "went on"


def count(context: WorkContext, total: int, pause: float) -> int:
    for done in range(total):
        context.report(done, total, "steps", "counting")
        time.sleep(pause)
    context.report(total, total, "steps", "counting")
    return total


def grow(context: WorkContext, total: int, pause: float, start: int = 0) -> dict[str, Any]:
    """Count up from `start` and show it; hand over what there is when stopped or when others wait."""
    grown = start
    while grown < total and not context.stopped() and not context.should_yield():
        grown += context.told().get("stride", 1)
        context.report(grown, total, "steps", "growing", payload={"grown": grown}, part=grown % 2)
        time.sleep(pause)
    return {"grown": grown, "finished": grown >= total}


def deaf(context: WorkContext, file: str, seconds: float = 60.0) -> int:
    """Say which process this is, and never look whether to stop."""
    Path(file).write_text(str(os.getpid()))
    time.sleep(seconds)
    return 0


def stuck(context: WorkContext, file: str) -> None:
    """Compute for minutes without ever letting another thread of this process run."""
    Path(file).write_text(str(os.getpid()))
    re.match(r"(a+)+b", "a" * 40)


def burn(context: WorkContext, seconds: float) -> int:
    """Keep every core busy, as a long computation does; looks between batches."""
    matrix = np.random.default_rng(0).random((700, 700))
    began = time.monotonic()
    rounds = 0
    while time.monotonic() - began < seconds:
        context.raise_if_stopped()
        np.linalg.svd(matrix[:200, :200] @ matrix[:200, :200])
        rounds += 1
    return rounds


def hog(context: WorkContext, file: str, megabytes: int = 1500) -> int:
    """Take more and more memory, up to a limit of its own."""
    Path(file).write_text(str(os.getpid()))
    held = []
    for _ in range(megabytes // 25):
        held.append(np.ones(25_000_000, np.uint8))
        time.sleep(0.03)
    return len(held)


def fail(context: WorkContext, kind: str) -> Any:
    if kind == "sentence":
        raise SentenceError("This layer has no filters.")
    if kind == "memory":
        raise MemoryError("secret path /home/somebody")
    if kind == "unpicklable":
        return lambda: None
    if kind == "exit":
        raise SystemExit(3)
    raise ValueError("secret path /home/somebody")
