"""What the architectures page takes: `python -m tests.benchmarks.architecture_views`; limits 100 and 200 ms.

From a visitor's opening to the end of the script's run, over the page's own WebSocket: on a server that has just
started and shown nothing yet (a new one for each line), and for ten other visitors after it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from urllib.parse import urlencode

from tests.app_server import AppServer
from tests.load.visitors import Visitor

AGAIN = 10
VIEWS = (
    ("the whole catalogue", {"mode": "Catalogue"}, 100.0),
    ("VGG16", {"mode": "One network", "network": "VGG16"}, 200.0),
    ("ResNet152", {"mode": "One network", "network": "ResNet152"}, 200.0),
    ("NASNetLarge", {"mode": "One network", "network": "NASNetLarge"}, 200.0),
)


async def _opened(url: str, settings: dict[str, str], times: int) -> list[float]:
    query = urlencode({f"architectures_{name}": value for name, value in settings.items()})
    took = []
    for _ in range(times):
        async with Visitor(url, "architectures", query) as tab:
            answer = await tab.open()
            assert not answer.errors, answer.errors
            took.append(1000 * answer.seconds)
    return took


def main() -> None:
    """Measure, print the table, and say what is above its limit."""
    slow = []
    print("| view | fresh server, first page, ms | later, ms (worst of ten) | limit, ms |")
    print("|---|---:|---:|---:|")
    for title, settings, limit in VIEWS:
        with AppServer() as server:
            server.wait_for("/ready", seconds=120)
            (first,) = asyncio.run(_opened(server.url, settings, 1))
            later = asyncio.run(_opened(server.url, settings, AGAIN))
        middle = statistics.median(later)
        print(f"| {title} | {first:.0f} | {middle:.0f} ({max(later):.0f}) | {limit:.0f} |", flush=True)
        slow += [f"{title}: {value:.0f} ms" for value in (first, middle) if value > limit]
    if slow:
        print("\nAbove the limit: " + ", ".join(slow))
        sys.exit(1)


if __name__ == "__main__":
    main()
