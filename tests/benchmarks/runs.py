"""Measures training runs: how soon one trains and stops, what pages feel of it, and whether a queue keeps its order.

`python -m tests.benchmarks.runs` prints Markdown tables. A run trains a small Keras CNN (`tests/runs/keras_tasks.py`).
What pages feel is measured with the run's process stopped and continued by turns, so that whatever else the machine
does hits both alike.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from explorer.engine.client import Engine, connect
from explorer.runs.folder import METRICS, ask_to_stop, read_status
from explorer.runs.keeper import Keeper
from explorer.runs.listing import listing
from explorer.runs.metrics import read_metrics
from explorer.runs.record import FINAL, Run, new_config
from explorer.runs.tasks import MORE_VARIABLE
from explorer.runs.waiting import submit
from explorer.settings import Settings

RUN_TESTS = Path(__file__).parents[1] / "runs"
ENDLESS = {"epochs": 100_000, "count": 2048, "side": 32}


def until(condition: Callable[[], Any], seconds: float = 300.0) -> None:
    """Look every 2 ms until a condition holds.

    Raises:
        TimeoutError: if it does not within so many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.002)


@contextlib.contextmanager
def dispatcher(root: Path, *options: str) -> Iterator[Keeper]:
    """Keep a dispatcher as the app does."""
    keeper = Keeper(root, ["--slot", "cpu", *options])
    try:
        until(lambda: (root / ".dispatcher.json").exists())
        yield keeper
    finally:
        keeper.close()
        (root / ".dispatcher.json").unlink(missing_ok=True)


def ask(root: Path, owner: str = "anna", task: str = "small_cnn", **settings: Any) -> Run:
    """Put a run in line as the page does."""
    config = new_config(task=task, owner=owner, settings=settings, versions={})
    return submit(root, config, waiting_limit=100, free_megabytes=0)


def trains(run: Run) -> bool:
    """Tell whether the first batch has been reported."""
    return bool(read_metrics(run.folder / METRICS).rows)


def ended(run: Run) -> bool:
    """Tell whether a run has its final state."""
    return read_status(run.folder).state in FINAL


def is_ready(keeper: Keeper) -> bool:
    """Tell whether the process that stands by has imported Keras: it waits then, and computes nothing."""
    assert keeper.pid is not None
    for child in psutil.Process(keeper.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "explorer.runs.standby" in child.cmdline():
                before = sum(child.cpu_times()[:2])
                time.sleep(0.5)
                return before > 1.0 and sum(child.cpu_times()[:2]) - before < 0.02
    return False


def start_and_stop(root: Path, rounds: int, standby: bool) -> tuple[list[float], list[float], list[float]]:
    """Return for each round the seconds from submitting to the first batch, from stopping to the end, and CPU seconds.

    The processor time is that of the run's process until its first batch, without what it used while it stood by.
    """
    first, stopping, processor = [], [], []
    with dispatcher(root, *(["--standby"] if standby else [])) as keeper:
        for _ in range(rounds):
            if standby:
                until(lambda: is_ready(keeper))
            before = _standby_seconds(keeper) if standby else 0.0
            began = time.perf_counter()
            run = ask(root, **ENDLESS)
            until(lambda run=run: trains(run))
            first.append(time.perf_counter() - began)
            pid = read_status(run.folder).pid
            assert pid is not None
            processor.append(sum(psutil.Process(pid).cpu_times()[:2]) - before)
            time.sleep(1.0)
            began = time.perf_counter()
            ask_to_stop(run.folder)
            until(lambda run=run: ended(run))
            stopping.append(time.perf_counter() - began)
    return first, stopping, processor


def _standby_seconds(keeper: Keeper) -> float:
    assert keeper.pid is not None
    children = psutil.Process(keeper.pid).children(recursive=True)
    return max(sum(each.cpu_times()[:2]) for each in children)


def interactive(engine: Engine, root: Path, rounds: int, calls: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds of interactive calls without and with a run in progress."""
    generator = np.random.default_rng(0)

    def call() -> float:
        pixels = generator.integers(0, 256, (96, 96, 3), np.uint8)
        began = time.perf_counter()
        engine.submit(
            "inside.overview", visitor="benchmark", network="drawn_plain", weights="trained", pixels=pixels
        ).result(120)
        return time.perf_counter() - began

    for _ in range(5):
        call()
    alone: list[float] = []
    beside: list[float] = []
    with dispatcher(root):
        run = ask(root, **ENDLESS)
        until(lambda: trains(run))
        pid = read_status(run.folder).pid
        assert pid is not None
        training = psutil.Process(pid)
        for _ in range(rounds):
            training.suspend()
            alone += [call() for _ in range(calls)]
            training.resume()
            beside += [call() for _ in range(calls)]
        ask_to_stop(run.folder)
        until(lambda: ended(run))
    return np.array(alone), np.array(beside)


def queue(root: Path, runs: int, visitors: int, task: str) -> tuple[int, int, float]:
    """Return how many of so many runs were lost, how many pairs began in another order, and the seconds in all."""
    asked = [ask(root, f"visitor {number % visitors}", task, epochs=1, count=64) for number in range(runs)]
    began = time.perf_counter()
    with dispatcher(root):
        until(lambda: all(map(ended, asked)), 3600)
    seconds = time.perf_counter() - began
    states = {run.id: run for run in listing(root).runs}
    lost = sum(states[run.id].state != "done" for run in asked)
    starts = [states[run.id].status.began or 0.0 for run in asked]
    inversions = sum(a > b for i, a in enumerate(starts) for b in starts[i + 1 :])
    return lost, inversions, seconds


def _spread(values: list[float]) -> str:
    return f"{np.median(values):.2f} s | {min(values):.2f} to {max(values):.2f} s"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=40, help="interactive calls in a round")
    parser.add_argument("--runs", type=int, default=20, help="runs in the queue")
    parser.add_argument(
        "--task", choices=("small_cnn", "count"), default="small_cnn", help="of the queue; count: no Keras"
    )
    options = parser.parse_args()
    os.environ[MORE_VARIABLE] = "keras_tasks,stand_in_tasks"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(RUN_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    sys.path.insert(0, str(RUN_TESTS))
    print(f"load {os.getloadavg()[0]:.0f} on {psutil.cpu_count()} cores\n")
    print("| | median | least to most | processor time |")
    print("|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        stops: list[float] = []
        for standby, title in ((False, "cold"), (True, "with a process that stands by")):
            first, stopping, processor = start_and_stop(root, options.rounds, standby)
            stops += stopping
            print(f"| submit to first batch, {title} | {_spread(first)} | {np.median(processor):.2f} s |", flush=True)
        print(f"| stop to final state, model saved | {_spread(stops)} | |")
        print(f"\nload {os.getloadavg()[0]:.0f}\n")
        engine = connect(Settings(warm_network="drawn_plain", cluster_address=None))
        try:
            alone, beside = interactive(engine, root, options.rounds, options.calls)
        finally:
            engine.close()
        print("| all layers of the bundled network, through the engine | median | p95 |")
        print("|---|---:|---:|")
        for title, seconds in (("no run", alone), ("beside a run", beside)):
            low, high = np.percentile(seconds * 1e3, [50, 95])
            print(f"| {title} | {low:.0f} ms | {high:.0f} ms |")
        ratios = [np.percentile(beside, q) / np.percentile(alone, q) for q in (50, 95)]
        print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)
        print(f"\nload {os.getloadavg()[0]:.0f}\n")
        lost, inversions, seconds = queue(root, options.runs, 10, options.task)
        print(
            f"{options.runs} runs of 10 visitors ({options.task}): {lost} lost, {inversions} pairs out of order, "
            f"{seconds:.0f} s in all, {seconds / options.runs:.1f} s each with a fresh process every time"
        )


if __name__ == "__main__":
    main()
