"""Measures what a call costs through the engine against calling the function directly, side by side in one run.

`python -m tests.benchmarks.engine_calls` prints Markdown tables. The function is the same, and its result is
ready made, so the difference is the engine's: pickling, encryption, three processes. Both ways take turns. Seconds
on the clock depend on what else the machine does; processor time does less so, and stands beside them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from functools import cache

import numpy as np
import psutil

from explorer.engine import work
from explorer.engine.client import Engine, EngineError, connect
from explorer.networks.work_context import NO_CONTEXT, WorkContext
from explorer.settings import Settings

NAME = "benchmark.answer"


@cache
def ready_made(nbytes: int) -> np.ndarray:
    """Return maps of so many bytes, the same in every process."""
    return np.random.default_rng(0).random(nbytes // 4, np.float32)


def answer(context: WorkContext, nbytes: int, pixels: np.ndarray | None = None) -> np.ndarray:
    """Return ready-made maps (the work that is measured)."""
    return ready_made(nbytes)


def digest(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's bytes."""
    return hashlib.sha256(array.tobytes()).hexdigest()


def family() -> list[psutil.Process]:
    """Return this process, the cluster's and the workers'."""
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def processor_seconds(processes: list[psutil.Process]) -> float:
    """Return the processor time that they have used together."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def row(engine: Engine, title: str, calls: int, nbytes: int, pixels: np.ndarray | None = None) -> str:
    """Measure one kind of call and return its line of the table."""
    arguments = {"nbytes": nbytes, "pixels": pixels}
    direct, through = [], []
    result = engine.submit(NAME, visitor="benchmark", **arguments).result(120)
    assert digest(result) == digest(answer(NO_CONTEXT, **arguments)), "the result did not arrive whole"
    processes = family()
    before = processor_seconds(processes)
    for _ in range(calls):
        began = time.perf_counter()
        answer(NO_CONTEXT, **arguments)
        between = time.perf_counter()
        engine.submit(NAME, visitor="benchmark", **arguments).result(120)
        direct.append((between - began) * 1e3)
        through.append((time.perf_counter() - between) * 1e3)
    used = (processor_seconds(processes) - before) / calls * 1e3
    low, half, high = np.percentile(through, [5, 50, 95])
    cost = half - float(np.median(direct))
    return (
        f"| {title} | {np.median(direct):.3f} ms | {half:.1f} ms | {low:.1f} to {high:.1f} ms | "
        f"{cost:.1f} ms | {used:.1f} ms |"
    )


def back_after_kill(engine: Engine) -> float:
    """Kill the quick worker and return the seconds until it has answered a call again."""
    pid = worker_pid(engine)
    began = time.perf_counter()
    psutil.Process(pid).kill()
    while True:
        try:
            engine.submit(NAME, visitor="benchmark", nbytes=0).result(60)
            return time.perf_counter() - began
        except EngineError:
            continue


def pid_of(context: WorkContext) -> int:
    """Return the id of the worker's process (work for `worker_pid`)."""
    return os.getpid()


def worker_pid(engine: Engine) -> int:
    """Return the process id of the quick worker."""
    work.register("benchmark.pid", "tests.benchmarks.engine_calls:pid_of", "quick")
    return engine.submit("benchmark.pid", visitor="benchmark").result(60)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    calls = parser.parse_args().calls
    work.register(NAME, "tests.benchmarks.engine_calls:answer", "quick")
    began = time.perf_counter()
    engine = connect(Settings(warm_network=""))
    connected = time.perf_counter() - began
    try:
        engine.submit(NAME, visitor="benchmark", nbytes=0).result(120)
        first = time.perf_counter() - began
        pixels = np.random.default_rng(1).integers(0, 256, (768, 1024, 3), np.uint8)
        print(f"load {os.getloadavg()[0]:.0f} on {psutil.cpu_count()} cores\n")
        print("| call | direct | engine, median | 5 % to 95 % | cost of the engine | processor time |")
        print("|---|---:|---:|---:|---:|---:|")
        print(row(engine, "empty", calls, 0))
        print(row(engine, "1 MB result", calls, 1_000_000))
        print(row(engine, "1 MB result, a picture of 2.4 MB as argument", calls, 1_000_000, pixels))
        print(row(engine, "8 MB result", calls, 8_000_000))
        print(f"\nconnected {connected:.1f} s after the start, first answer after {first:.1f} s; ", end="")
        print(f"a killed worker answers again after {back_after_kill(engine):.1f} s")
    finally:
        engine.close()


if __name__ == "__main__":
    main()
