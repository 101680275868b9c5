"""Pieces of a large file reach the disk only with a ticket, and the file that is being read changes no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from explorer.interface import large_uploads, runs_service
from explorer.runs.data import receiving
from explorer.settings import Settings

ANNA, BEN = "a" * 32, "b" * 32


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(runs_service, "get_settings", lambda: Settings(runs_folder=tmp_path, data_megabytes=10))
    return tmp_path


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    state: dict[str, str] = {}
    monkeypatch.setattr(large_uploads.st, "session_state", state)
    return state


Put = Callable[[str, bytes], tuple[int, Any]]


@pytest.fixture
def put(root: Path, session: dict[str, str]) -> Put:
    """Send a PUT and return status and answer."""
    app = Starlette(routes=large_uploads.ROUTES)

    def sent(address: str, content: bytes) -> tuple[int, Any]:
        path, _, query = address.partition("?")
        scope = {
            "type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "headers": [],
            "query_string": query.encode(),
        }  # fmt: skip
        answered: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            answered.append(message)

        asyncio.run(app(scope, receive, send))
        body = b"".join(message.get("body", b"") for message in answered[1:])
        return answered[0]["status"], json.loads(body) if body.startswith(b"{") else body

    return sent


@pytest.mark.parametrize("base", ["", "/cnn", "/a/b"])
def test_a_file_comes_in_pieces_and_is_read_once(put: Put, root: Path, base: str) -> None:
    ticket = large_uploads.ticket_for(ANNA)
    address = f"{base}/{large_uploads.ADDRESS}/{ticket}"
    assert put(f"{address}?at=0", b"abc") == (200, {"there": 3})
    assert put(f"{address}?at=3", b"de") == (200, {"there": 5})
    with large_uploads.taken(ticket) as file:
        assert file is not None
        # Whoever drops another file meanwhile does not change this one.
        assert put(f"{address}?at=0", b"xyz") == (404, {"sentence": large_uploads.NO_TICKET})
        assert file.read() == b"abcde"
    assert not [path for path in root.rglob("*") if path.is_file()]
    with large_uploads.taken(ticket) as file:
        assert file is None
    assert large_uploads.ticket_for(ANNA) != ticket


def test_a_ticket_belongs_to_one_visitor(session: dict[str, str]) -> None:
    ticket = large_uploads.ticket_for(ANNA)
    assert large_uploads.ticket_for(ANNA) == ticket
    assert large_uploads.ticket_for(BEN) != ticket
    assert large_uploads.owner_of(ticket) == ANNA


@pytest.mark.parametrize(
    ("query", "content", "status"),
    [
        ("at=7", b"x", 400),
        ("at=-1", b"x", 400),
        ("at=1e9", b"x", 400),
        ("at=²", b"x", 400),
        ("", b"x", 400),
        ("at=0", bytes(receiving.PIECE_BYTES + 1), 413),
        ("at=999999999999999999999", b"x", 400),
    ],
)
def test_a_piece_that_cannot_be_is_answered_by_a_sentence(
    put: Put, root: Path, query: str, content: bytes, status: int
) -> None:
    answered, answer = put(f"/{large_uploads.ADDRESS}/{large_uploads.ticket_for(ANNA)}?{query}", content)
    assert answered == status and answer["sentence"].endswith(".")
    assert not [path for path in root.rglob("*") if path.is_file()]


def test_without_a_ticket_nothing_is_taken(put: Put, root: Path) -> None:
    for ticket in ("0" * 32, "..", "x"):
        assert put(f"/{large_uploads.ADDRESS}/{ticket}?at=0", b"x")[0] == 404
    assert not [path for path in root.rglob("*") if path.is_file()]


def test_the_oldest_tickets_go(session: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_uploads, "MOST_TICKETS", 2)
    tickets = []
    for _ in range(3):
        session.clear()
        tickets.append(large_uploads.ticket_for(ANNA))
    assert [large_uploads.owner_of(each) for each in tickets] == [None, ANNA, ANNA]
