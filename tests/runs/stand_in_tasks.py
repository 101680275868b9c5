"""Tasks for the tests of runs, trained in real processes: they need no Keras and do one thing each."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from explorer.networks.work_context import SentenceError
from explorer.runs.context import RunContext
from explorer.runs.folder import RESTARTED
from explorer.runs.tasks import register


class PretendModel:
    def __init__(self, text: str) -> None:
        self.text = text

    def save(self, path: str) -> None:
        Path(path).write_text(self.text)


def count(context: RunContext) -> None:
    """Count steps; look up after each, save what was counted."""
    settings = context.config.settings
    epochs, steps, pause = settings.get("epochs", 1), settings.get("steps", 3), settings.get("pause", 0.0)
    if "order" in settings:
        with open(settings["order"], "a") as stream:
            stream.write(f"{context.config.id}\n")
    context.plan(epochs, steps, pictures=4)
    print("counting", os.nice(0) if hasattr(os, "nice") else "")
    done = 0
    for epoch in range(1, epochs + 1):
        for step in range(1, steps + 1):
            if context.stopped():
                break
            done += 1
            context.report(epoch, step, loss=1.0 / done, rate_used=context.learning_rate(0.1))
            time.sleep(pause)
    context.save_model(PretendModel(str(done)))


def raises(context: RunContext) -> None:
    context.report(epoch=1, step=1, loss=1.0)
    raise ValueError("the shapes do not fit\nand a second line")


def says(context: RunContext) -> None:
    raise SentenceError("The pictures have no classes; add some.")


def not_a_number(context: RunContext) -> None:
    context.report(epoch=1, step=1, loss=2.0)
    context.report(epoch=1, step=2, loss=float("nan"))


def hog(context: RunContext) -> None:
    """Take memory piece by piece; never more than 1.2 GB."""
    pieces = []
    for _ in range(120):
        pieces.append(b"x" * 10_000_000)
        time.sleep(0.02)
    time.sleep(60)


def memory_error(context: RunContext) -> None:
    raise MemoryError


def deaf(context: RunContext) -> None:
    """Never look up; be done at once where it begins anew."""
    context.report(epoch=1, step=1, loss=1.0)
    if (context.folder / RESTARTED).exists():
        return
    while True:
        time.sleep(60)


def stubborn(context: RunContext) -> None:
    """Never look up, and take no hint either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    deaf(context)


def stuck(context: RunContext) -> None:
    """Compute for minutes without ever letting another thread of this process run."""
    context.report(epoch=1, step=1, loss=1.0)
    time.sleep(0.1)
    re.match(r"(a+)+b", "a" * 40)


def slow_to_save(context: RunContext) -> None:
    """Look up, and then take longer than the grace to save."""
    while not context.stopped():
        time.sleep(0.02)
    time.sleep(1.0)
    context.save_model(PretendModel("late"))


def parent(context: RunContext) -> None:
    """Start another process and say which; be done at once where it begins anew."""
    if (context.folder / RESTARTED).exists():
        return
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    written = context.folder / "grandchild.part"
    written.write_text(str(child.pid))
    written.rename(context.folder / "grandchild")  # whoever sees the file can read the number
    deaf(context)


def talks(context: RunContext) -> None:
    print("the beginning")
    for _ in range(3000):
        print("x" * 99)
    raise RuntimeError("the end")


def leaves(context: RunContext) -> None:
    os._exit(7)


def fill(context: RunContext) -> None:
    """Write until the disk is full, and go on writing metrics."""
    with contextlib.suppress(OSError), open(context.folder / "ballast", "wb", buffering=0) as stream:
        for size in (65536, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(b"x" * size)
    for step in range(100_000):
        context.report(epoch=1, step=step, loss=1.0, more="x" * 100)


for _name in (
    "count raises says not_a_number hog memory_error deaf stuck stubborn slow_to_save parent talks leaves fill"
).split():
    register(_name, f"stand_in_tasks:{_name}")
