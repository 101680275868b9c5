"""A running app and a Chromium to open it with; without a Chromium these tests are skipped, and say so."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.app_server import AppServer

REQUIRED = os.environ.get("CNN_EXPLORER_REQUIRE_BROWSER", "") not in {"", "0"}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WAIT_MS = 90_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, keep them on one process under pytest-xdist, and run them last.

    Last, because Playwright keeps an event loop running in the main thread until the session ends, and other
    tests call `asyncio.run` there.
    """
    for item in items:
        if _is_here(item):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(240))
    items.sort(key=_is_here)


def _is_here(item: pytest.Item) -> bool:
    return Path(item.path).is_relative_to(Path(__file__).parent)


def chromium_program(playwright: Any) -> str | None:
    """Return the Chromium to use: the system's, else the one that Playwright has installed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    return own if own and Path(own).exists() else None


def _without_browser(reason: str) -> None:
    if REQUIRED:
        pytest.fail(f"{reason}, but CNN_EXPLORER_REQUIRE_BROWSER is set", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _without_browser("Playwright is not installed")
    expect.set_options(timeout=WAIT_MS)  # a busy machine is slow, not wrong
    with sync_playwright() as playwright:
        program = chromium_program(playwright)
        if program is None:
            _without_browser("no Chromium found")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app_server(chromium: Any) -> Iterator[AppServer]:
    """One app for all tests that do not need a fresh one."""
    with AppServer() as server:
        yield server


@pytest.fixture(scope="session")
def app_url(app_server: AppServer) -> str:
    """The address of that app."""
    return app_server.url


class OutsideRequests(list[str]):
    """The addresses outside this machine that pages asked for; such requests are refused."""


@pytest.fixture
def outside() -> OutsideRequests:
    """What the pages of this test asked for outside this machine."""
    return OutsideRequests()


@pytest.fixture
def visitor(chromium: Any, outside: OutsideRequests) -> Iterator[Callable[..., Any]]:
    """Open a new visitor's first tab: `visitor(url, width=1440, height=900, theme="light")` returns its page.

    Every request to another machine is refused and fails the test at its end, and so does an error in the
    browser's scripts.
    """
    contexts: list[Any] = []
    script_errors: list[str] = []

    def open_tab(url: str, *, width: int = 1440, height: int = 900, theme: str = "light", **more: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **more)
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)

        def check(route: Any) -> None:
            parts = urlsplit(route.request.url)
            if parts.scheme in {"data", "blob", "about"} or parts.hostname in {"localhost", "127.0.0.1"}:
                route.continue_()
            else:
                outside.append(route.request.url)
                route.abort()

        context.route("**/*", check)
        page = context.new_page()
        page.on("pageerror", lambda error: script_errors.append(str(error)))
        page.goto(url)
        wait_until_idle(page)
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert not outside, f"asked outside this machine: {sorted(set(outside))}"
    assert not script_errors, script_errors


def wait_until_idle(page: Any) -> None:
    """Wait until the page's script has run to its end and nothing on it is stale."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=WAIT_MS)
    page.wait_for_function("() => !document.querySelector('[data-testid=stApp] [data-stale=true]')", timeout=WAIT_MS)


def open_upload(page: Any) -> None:
    """Open the panel of the first picture where a file can be given."""
    page.get_by_role("button", name=re.compile("^.*Picture: ")).click()
    page.get_by_test_id("stPopoverBody").get_by_text("Upload", exact=True).first.click()
    page.get_by_test_id("stFileUploader").first.wait_for()


def overflow_pixels(page: Any) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(
        page.evaluate(
            """() => Math.max(...[document.documentElement, document.querySelector('[data-testid=stMain]')]
                .map(element => element.scrollWidth - element.clientWidth))"""
        )
    )
