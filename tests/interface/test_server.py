"""The web process: one engine, an honest readiness address, safe headers, one sentence for an error."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
import types

import pytest
import streamlit as st

from explorer.interface import server
from explorer.interface.server import DeepAddresses, EngineKeeper, SafetyHeaders, answer_ready, sentence_of
from explorer.pictures.picture import PictureError


class FakeEngine:
    def __init__(self, ready: dict | None = None) -> None:
        self.closed = 0
        self._ready = ready or {"ready": True}

    def devices(self):
        return [types.SimpleNamespace(label="CPU, 2 cores")]

    def ready(self):
        return self._ready

    def close(self):
        self.closed += 1


@pytest.fixture
def connect(monkeypatch):
    """Replace the engine's `connect`; `connect.does` is what it does, `connect.calls` counts."""
    state = types.SimpleNamespace(calls=0, does=FakeEngine)

    def fake(_settings):
        state.calls += 1
        return state.does()

    monkeypatch.setitem(sys.modules, "explorer.engine.client", types.SimpleNamespace(connect=fake))
    return state


def test_all_callers_share_one_engine(connect):
    gate = threading.Event()
    connect.does = lambda: gate.wait(5) and FakeEngine()
    keeper = EngineKeeper()
    futures = [keeper.start() for _ in range(20)]
    gate.set()
    assert len({id(future.result(5)) for future in futures}) == 1
    assert connect.calls == 1


def test_asking_for_the_devices_never_waits(connect):
    gate = threading.Event()
    connect.does = lambda: gate.wait(5) and FakeEngine()
    keeper = EngineKeeper()
    begin = time.perf_counter()
    assert keeper.devices() is None
    assert time.perf_counter() - begin < 4, "the connection takes five"
    gate.set()
    keeper.start().result(5)
    for _ in range(100):
        if keeper.devices() is not None:
            break
        time.sleep(0.02)
    assert [device.label for device in keeper.devices()] == ["CPU, 2 cores"]


def _fail():
    raise OSError("no port is free")


def test_a_start_that_failed_is_tried_again_but_not_at_once(connect, monkeypatch):
    keeper = EngineKeeper()
    connect.does = _fail
    with pytest.raises(OSError, match="no port"):
        keeper.start().result(5)
    connect.does = FakeEngine
    with pytest.raises(OSError, match="no port"):
        keeper.start().result(5)
    assert connect.calls == 1
    monkeypatch.setattr(server, "RETRY_SECONDS", 0.0)
    assert isinstance(keeper.start().result(5), FakeEngine)


def test_closing_ends_the_engine_once(connect):
    keeper = EngineKeeper()
    engine = keeper.start().result(5)
    keeper.close()
    keeper.close()
    assert engine.closed == 1


def readiness(monkeypatch, keeper: EngineKeeper) -> tuple[int, dict]:
    monkeypatch.setattr(server, "engine_keeper", lambda: keeper)
    answer = asyncio.run(answer_ready(None))
    return answer.status_code, json.loads(answer.body)


def test_ready_when_web_worker_and_disk_are(connect, monkeypatch):
    status, body = readiness(monkeypatch, EngineKeeper())
    assert status == 200
    assert body["ready"] is True
    assert {"web", "worker", "disk"} <= set(body)


def test_not_ready_without_a_worker(connect, monkeypatch):
    connect.does = _fail
    status, body = readiness(monkeypatch, EngineKeeper())
    assert status == 503
    assert body["ready"] is False
    assert body["worker"]["ready"] is False
    assert body["web"]["ready"] is True
    assert "no port" not in json.dumps(body), "the reason is for the log"


def test_not_ready_while_the_worker_starts(connect, monkeypatch):
    monkeypatch.setattr(server, "READY_SECONDS", 0.05)
    gate = threading.Event()
    connect.does = lambda: gate.wait(5) and FakeEngine()
    status, body = readiness(monkeypatch, EngineKeeper())
    gate.set()
    assert (status, body["worker"]["reason"]) == (503, "starting")


def test_not_ready_when_the_worker_says_so(connect, monkeypatch):
    connect.does = lambda: FakeEngine({"ready": False, "workers": 0})
    assert readiness(monkeypatch, EngineKeeper())[0] == 503


def test_not_ready_on_a_full_disk(connect, monkeypatch):
    monkeypatch.setattr(
        server.shutil, "disk_usage", lambda _: types.SimpleNamespace(total=2**40, used=2**40, free=2**20)
    )
    status, body = readiness(monkeypatch, EngineKeeper())
    assert (status, body["disk"]["ready"]) == (503, False)


def pass_through(middleware, path: str, accept: bytes = b"text/html") -> list[dict]:
    sent: list[dict] = []

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inner"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept", accept)]}
    asyncio.run(middleware(inner)(scope, None, send))
    return sent


def test_answers_carry_headers_that_keep_browsers_from_guessing_and_telling():
    headers = dict(pass_through(SafetyHeaders, "/")[0]["headers"])
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"same-origin"


@pytest.mark.parametrize("path", ["/a/b", "/feature_maps/x", "/a/b/c/"])
def test_an_address_of_several_parts_is_sent_to_the_screen_for_unknown_ones(path):
    start = pass_through(DeepAddresses, path)[0]
    assert start["status"] == 302
    assert dict(start["headers"])[b"location"] == b"/not_found"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/", b"text/html"),
        ("/feature_maps", b"text/html"),
        ("/feature_maps/", b"text/html"),
        ("/static/js/index.js", b"*/*"),
        ("/static/js/index.js", b"text/html"),
        ("/media/abc.png", b"text/html"),
        ("/feature_maps/_stcore/health", b"text/html"),
        ("/a/b", b"application/json"),
    ],
)
def test_other_requests_pass(path, accept):
    assert pass_through(DeepAddresses, path, accept)[0]["status"] == 200


def test_under_a_base_path_the_first_part_does_not_count(monkeypatch):
    options = {"server.baseUrlPath": "/cnn/"}
    monkeypatch.setattr(st, "get_option", options.get)
    assert pass_through(DeepAddresses, "/cnn/feature_maps")[0]["status"] == 200
    start = pass_through(DeepAddresses, "/cnn/a/b")[0]
    assert dict(start["headers"])[b"location"] == b"/cnn/not_found"


def test_sentences_written_for_visitors_are_shown_and_nothing_else():
    assert sentence_of(PictureError("The file is empty.")) == "The file is empty."
    for failure in (ValueError("/srv/secret"), KeyError("password"), RuntimeError()):
        assert sentence_of(failure) == "This page stopped with an error; the log has the details."


def test_an_upload_as_large_as_allowed_stays_in_memory(monkeypatch):
    from starlette.formparsers import MultiPartParser

    monkeypatch.setattr(MultiPartParser, "spool_max_size", 2**20)
    server.keep_uploads_in_memory()
    assert MultiPartParser.spool_max_size > server.get_settings().upload_megabytes * 10**6
