"""How long from the command to the first page: `python -m tests.benchmarks.startup`; the limit is 3 s.

Three times: a fresh app, a Chromium that is already open, the home page. *server* is when the server answers,
*page* when the headline is on the screen and the page's script has ended, *ready* when a worker can compute.
"""

from __future__ import annotations

import time

from tests.app_server import AppServer
from tests.browser.conftest import FLAGS, chromium_program, wait_until_idle

LIMIT_SECONDS = 3.0
REPEATS = 5


def measure(browser) -> tuple[float, float, float]:
    """Return the seconds from the command to server, first page and a ready worker."""
    begin = time.perf_counter()
    with AppServer() as server:
        answered = time.perf_counter() - begin
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(server.url)
        page.get_by_role("heading", level=1).wait_for()
        wait_until_idle(page)
        shown = time.perf_counter() - begin
        page.context.close()
        server.wait_for("/ready", seconds=120)
        return answered, shown, time.perf_counter() - begin


def main() -> None:
    """Measure, print a table, and fail above the limit."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(playwright), args=FLAGS)
        runs = [measure(browser) for _ in range(REPEATS)]
        browser.close()
    for name, seconds in zip(("server", "page", "ready"), zip(*runs, strict=True), strict=True):
        ordered = sorted(seconds)
        print(f"{name:>8}: median {ordered[len(ordered) // 2]:.2f} s, worst {ordered[-1]:.2f} s")
    median = sorted(run[1] for run in runs)[REPEATS // 2]
    assert median <= LIMIT_SECONDS, f"first page after {median:.2f} s, limit {LIMIT_SECONDS} s"


if __name__ == "__main__":
    main()
