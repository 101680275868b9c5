"""A running app and a Chromium to open it with; without a Chromium these tests are skipped, and say so."""

from __future__ import annotations

import itertools
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
# Nobody but this machine has a name.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
WAIT_MS = 90_000


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Mark every test of this folder and run them last, those that bring an app of their own before the others.

    Last, because Playwright keeps an event loop running in the main thread until the session ends, and other
    tests call `asyncio.run` there. The others go one by one to whichever process is free, so both end together.
    """
    for item in items:
        if _is_here(item):
            item.add_marker(pytest.mark.browser)
            # A look at a page between two redraws fails by chance; the summary names each test that was run again.
            item.add_marker(pytest.mark.flaky(reruns=1))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(240))
    items.sort(key=lambda item: (_is_here(item), "app_server" in item.fixturenames))


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
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, ALONE])
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


class Tab:
    """A tab of a browser profile of its own, handed from one visitor to the next.

    A new profile reads and compiles all scripts of the app anew, which takes longer than most tests; what the
    visitor before has left (cookies, storage, permissions, other tabs) is taken away instead.
    """

    def __init__(self, chromium: Any, options: dict[str, Any]) -> None:
        self.context = chromium.new_context(**options)
        self.context.set_default_timeout(WAIT_MS)
        self.page = self.context.new_page()
        self.outside: list[str] = []
        self.script_errors: list[str] = []
        # Only watched: the browser knows no other machine's name (`ALONE`), and routing would turn its cache off.
        self.context.on("request", lambda request: self._watch(request.url))
        self.context.on("page", self._listen)
        self._listen(self.page)

    def _listen(self, page: Any) -> None:
        page.on("websocket", lambda socket: self._watch(socket.url))
        page.on("pageerror", lambda error: self.script_errors.append(str(error)))

    def _watch(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"} and parts.hostname not in {"localhost", "127.0.0.1"}:
            self.outside.append(url)

    def enter(self, outside: list[str], script_errors: list[str], width: int, height: int, **media: Any) -> Any:
        """Begin for a visitor: note in these lists what goes wrong; return the page."""
        self.outside, self.script_errors = outside, script_errors
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(**media)
        return self.page

    def leave(self) -> None:
        """Make the tab as good as new."""
        for page in self.context.pages:
            if page.url.startswith("http"):
                page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            if page is self.page:
                page.goto("about:blank")
            else:
                page.close()
        self.context.clear_cookies()
        self.context.clear_permissions()


@pytest.fixture(scope="session")
def tabs(chromium: Any) -> Iterator[dict[str, list[Tab]]]:
    """The tabs that no visitor has just now, by the options of their profiles."""
    free: dict[str, list[Tab]] = {}
    yield free
    for tab in itertools.chain.from_iterable(free.values()):
        tab.context.close()


@pytest.fixture
def visitor(chromium: Any, tabs: dict[str, list[Tab]], outside: OutsideRequests) -> Iterator[Callable[..., Any]]:
    """Open a new visitor's first tab: `visitor(url, width=1440, height=900, theme="light")` returns its page.

    Every request to another machine is refused and fails the test at its end, and so does an error in the
    browser's scripts.
    """
    taken: list[tuple[str, Tab]] = []
    script_errors: list[str] = []

    def open_tab(
        url: str,
        *,
        width: int = 1440,
        height: int = 900,
        theme: str = "light",
        reduced_motion: str = "no-preference",
        **options: Any,
    ) -> Any:
        options = {name: value for name, value in options.items() if value}
        kind = repr(sorted(options.items()))
        tab = tabs[kind].pop() if tabs.get(kind) else Tab(chromium, options)
        taken.append((kind, tab))
        page = tab.enter(outside, script_errors, width, height, color_scheme=theme, reduced_motion=reduced_motion)
        page.goto(url)
        if not url.startswith("about:"):
            wait_until_idle(page)
        return page

    yield open_tab
    for kind, tab in taken:
        try:
            tab.leave()
            tabs.setdefault(kind, []).append(tab)
        except Exception:  # a page that does not answer is no beginning for anybody else
            tab.context.close()
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
