"""What the architectures page takes: `python -m tests.benchmarks.architecture_views`; limits 100 and 200 ms.

From a visitor's opening to the end of the script's run, over the page's own WebSocket: on a server that has just
become ready and shown nothing yet (a new one for each line), and for ten other visitors after it. *Processor* is what
the web process used meanwhile, all its threads together: other programs of the machine do not change it, and on an
idle machine a page takes little more than this, so it is what the limits are held against. Wall time stands beside it.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import psutil

from tests.app_server import AppServer
from tests.load.visitors import Visitor

AGAIN = 10
QUIET_SECONDS = 1.0
VIEWS = (
    ("the whole catalogue", {"mode": "Catalogue"}, 100.0),
    ("VGG16", {"mode": "One network", "network": "VGG16"}, 200.0),
    ("ResNet152", {"mode": "One network", "network": "ResNet152"}, 200.0),
    ("NASNetLarge", {"mode": "One network", "network": "NASNetLarge"}, 200.0),
)


@dataclass(frozen=True)
class Opening:
    """One opening of the page, in milliseconds and bytes.

    Attributes:
        wall: Until the end of the run.
        processor: Of the web process until then, also for taking the connection.
        received: What came over the WebSocket.
    """

    wall: float
    processor: float
    received: int


def _used(pid: int) -> float:
    """Return the milliseconds of processor time that a process has used, without its children."""
    times = psutil.Process(pid).cpu_times()
    return 1000 * (times.user + times.system)


async def _opened(server: AppServer, settings: dict[str, str], times: int) -> list[Opening]:
    query = urlencode({f"architectures_{name}": value for name, value in settings.items()})
    found = []
    for _ in range(times):
        before = _used(server.pid)
        async with Visitor(server.url, "architectures", query) as tab:
            answer = await tab.open()
            assert not answer.errors, answer.errors
            found.append(Opening(1000 * answer.seconds, _used(server.pid) - before, answer.received))
    return found


def _wait_until_quiet(pid: int) -> None:
    """Wait until the web process has finished what it does after its start, at most twenty seconds."""
    end = time.monotonic() + 20 * QUIET_SECONDS
    while time.monotonic() < end:
        before = _used(pid)
        time.sleep(QUIET_SECONDS)
        if _used(pid) - before < 50 * QUIET_SECONDS:
            return


def main() -> None:
    """Measure, print the table, and say what is above its limit."""
    slow = []
    print(
        "| view | fresh: processor, ms | wall, ms | later: processor, ms | wall, ms (worst of ten) | kB | limit, ms |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for title, settings, limit in VIEWS:
        with AppServer() as server:
            server.wait_for("/ready", seconds=300)
            _wait_until_quiet(server.pid)
            (first,) = asyncio.run(_opened(server, settings, 1))
            later = asyncio.run(_opened(server, settings, AGAIN))
        # The clock of a process ticks every 10 ms: a mean over ten openings is finer than any one of them.
        processor = statistics.fmean(one.processor for one in later)
        wall = [one.wall for one in later]
        print(
            f"| {title} | {first.processor:.0f} | {first.wall:.0f} | {processor:.0f} | {statistics.median(wall):.0f} "
            f"({max(wall):.0f}) | {later[-1].received / 1000:.0f} | {limit:.0f} |",
            flush=True,
        )
        slow += [f"{title}: {value:.0f} ms" for value in (first.processor, processor) if value > limit]
    print(f"\nLoad of the machine's {os.cpu_count()} cores at the end: {os.getloadavg()[0]:.0f}.")
    if slow:
        print("Above the limit: " + ", ".join(slow))
        sys.exit(1)


if __name__ == "__main__":
    main()
