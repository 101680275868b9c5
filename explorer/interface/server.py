"""The web process as a whole: its one engine, what happens at start and end, readiness, headers, error screens.

`engine()` is what pages call. Everything else here is handed to `st.App` by app.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.interface.visitor import VisitorCookie
from explorer.settings import get_settings

if TYPE_CHECKING:
    from explorer.engine.client import Engine

READY_ADDRESS = "/ready"
READY_SECONDS = 5.0
"""How long the readiness address waits for the worker before it says that there is none."""

LEAST_FREE_MEGABYTES = 200
"""Below this a disk counts as full: a worker could not write what it must."""

_log = logging.getLogger(__name__)


class EngineKeeper:
    """Starts the one engine of this process in a thread, so that the first page need not wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._future: Future[Engine] | None = None

    def start(self) -> Future[Engine]:
        """Return the engine to come; the first call starts it, and so does one after a failed start."""
        with self._lock:
            failed = self._future is not None and self._future.done() and self._future.exception() is not None
            if self._future is None or failed:
                self._future = Future()
                threading.Thread(
                    target=self._connect, args=(self._future,), name="start-engine", daemon=True
                ).start()
            return self._future

    def ready_engine(self) -> Engine | None:
        """Return the engine if it is there by now; never waits."""
        future = self.start()
        return future.result() if future.done() and future.exception() is None else None

    def close(self) -> None:
        """End the engine and with it the workers that it started."""
        with self._lock:
            future, self._future = self._future, None
        if future is not None:
            try:
                future.result(timeout=10).close()
            except Exception:
                _log.exception("The engine did not close cleanly")

    @staticmethod
    def _connect(future: Future[Engine]) -> None:
        try:
            from explorer.engine.client import (
                connect,  # late: it imports Dask, which the first page needs not
            )

            future.set_result(connect(get_settings()))
        except BaseException as failure:  # whatever it is, whoever waits must hear of it
            _log.exception("The engine did not start")
            future.set_exception(failure)


@st.cache_resource(show_spinner=False)
def engine_keeper() -> EngineKeeper:
    """Return the keeper of this process' engine; it outlives a reload of this module."""
    return EngineKeeper()


def engine() -> Engine:
    """Return the engine of this process, waiting for its start if need be (about a second, once)."""
    return engine_keeper().start().result()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Start the engine with the server, so that a worker warms while the visitor reads; end it with the server."""
    keeper = engine_keeper()
    keeper.start()
    yield {"started": time.time()}
    await asyncio.to_thread(keeper.close)


def _state_of_worker() -> dict[str, Any]:
    try:
        return dict(engine_keeper().start().result(timeout=READY_SECONDS).ready())
    except TimeoutError:
        return {"ready": False, "reason": "starting"}
    except Exception:
        _log.exception("The readiness address found no worker")
        return {"ready": False, "reason": "no worker; the log has the details"}


def _state_of_disk() -> dict[str, Any]:
    try:
        with tempfile.TemporaryFile() as probe:
            probe.write(b"ready?")
        free = shutil.disk_usage(tempfile.gettempdir()).free // 2**20
    except OSError as failure:
        return {"ready": False, "reason": os.strerror(failure.errno) if failure.errno else "not writable"}
    return {"ready": free >= LEAST_FREE_MEGABYTES, "free_megabytes": free}


async def answer_ready(_request: Request) -> Response:
    """Say in JSON whether web, worker and disk can serve a visitor: status 200 if all can, else 503."""
    try:
        worker = await asyncio.wait_for(asyncio.to_thread(_state_of_worker), READY_SECONDS + 1)
    except TimeoutError:
        worker = {"ready": False, "reason": "no answer"}
    parts = {"web": {"ready": True}, "worker": worker, "disk": await asyncio.to_thread(_state_of_disk)}
    ready = all(part.get("ready") for part in parts.values())
    return JSONResponse(
        {"ready": ready, **parts}, status_code=200 if ready else 503, headers={"Cache-Control": "no-store"}
    )


class SafetyHeaders:
    """ASGI middleware: browsers shall not guess content types, nor tell other sites which page was open."""

    HEADERS = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",
    }

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to the answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def show_failure(failure: Exception) -> bool:
    """Show one sentence in place of a traceback, which Streamlit has written to the log; return True: shown."""
    st.error(sentence_of(failure), icon=":material/error:")
    st.caption("The rest of the app still works: choose another page, or reload this one.")
    return True


def sentence_of(failure: Exception) -> str:
    """Return what a visitor is told about `failure`: its own sentence if it was written for visitors."""
    from explorer.interface.failures import is_for_visitors

    return (
        str(failure)
        if is_for_visitors(failure)
        else "This page stopped with an error; the log has the details."
    )


ROUTES: list[BaseRoute] = [Route(READY_ADDRESS, answer_ready)]
MIDDLEWARE = [Middleware(SafetyHeaders), Middleware(VisitorCookie)]
