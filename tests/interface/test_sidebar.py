"""The sidebar asks for the device only as long as nobody knows it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from explorer.interface import sidebar

CPU = SimpleNamespace(label="CPU, 2 cores")


class Page:
    """What is drawn of a page whose worker may not be there yet."""

    def __init__(self) -> None:
        self.devices: tuple[Any, ...] | None = None
        self.said: list[str] = []
        self.asking: list[tuple[float, Any]] = []
        self.reruns = 0

    def fragment(self, run_every: float) -> Any:
        def decorated(part: Any) -> Any:
            self.asking.append((run_every, part))
            return part

        return decorated

    def rerun(self) -> None:
        self.reruns += 1


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    page = Page()
    monkeypatch.setattr(sidebar, "engine_keeper", lambda: SimpleNamespace(devices=lambda: page.devices))
    monkeypatch.setattr(sidebar.st, "fragment", page.fragment)
    monkeypatch.setattr(sidebar.st, "rerun", page.rerun)
    monkeypatch.setattr(sidebar.st, "caption", page.said.append)
    return page


def test_a_device_that_is_known_is_named_once_and_for_all(page: Page) -> None:
    page.devices = (CPU,)
    sidebar.show_device_until_known()
    assert "Computes on CPU, 2 cores" in page.said[-1] and not page.asking


def test_while_the_worker_starts_the_sidebar_asks_and_then_the_page_is_drawn_anew(page: Page) -> None:
    sidebar.show_device_until_known()
    ((seconds, look),) = page.asking
    assert seconds > 0 and "starting" in page.said[-1]
    look()
    assert page.reruns == 0
    page.devices = (CPU,)
    look()
    assert page.reruns == 1
