"""The web process as a whole: its one engine, start and end, readiness, headers, error screens.

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
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.interface import large_uploads
from explorer.interface.architectures.warm import warm_in_thread
from explorer.interface.failures import is_for_visitors
from explorer.interface.runs_service import runs_keeper
from explorer.interface.visitor import VisitorCookie
from explorer.settings import get_settings

if TYPE_CHECKING:
    from explorer.engine.client import Device, Engine

READY_ADDRESS = "/ready"
READY_SECONDS = 5.0
"""How long the readiness address waits for the worker before it says that there is none."""

RETRY_SECONDS = 5.0
"""How long after a failed start the next caller may try again."""

LEAST_FREE_MEGABYTES = 200
"""Below this a disk counts as full: a worker could not write what it must."""

_log = logging.getLogger(__name__)


class EngineKeeper:
    """Starts the one engine of this process in a thread, so that the first page need not wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._future: Future[Engine] | None = None
        self._failed_at = -RETRY_SECONDS
        self._devices: tuple[Device, ...] | None = None

    def start(self) -> Future[Engine]:
        """Return the engine to come; the first call starts it, and so does one some time after a failure."""
        with self._lock:
            future = self._future
            if future is not None and future.done() and future.exception() is not None:
                future = None if time.monotonic() - self._failed_at >= RETRY_SECONDS else future
            if future is None:
                future = self._future = Future()
                threading.Thread(target=self._connect, args=(future,), name="start-engine", daemon=True).start()
            return future

    def devices(self) -> tuple[Device, ...] | None:
        """Return the devices that compute, or `None` while that is not known; never waits."""
        self.start()
        return self._devices

    def close(self) -> None:
        """End the engine and with it the workers that it started."""
        with self._lock:
            future, self._future, self._devices = self._future, None, None
        if future is not None:
            try:
                future.result(timeout=10).close()
            except Exception:
                _log.exception("The engine did not close cleanly")

    def _connect(self, future: Future[Engine]) -> None:
        try:
            from explorer.engine.client import (
                connect,
            )  # late: it imports Dask, which the first page needs not

            engine = connect(get_settings())
        except BaseException as failure:  # whatever it is, whoever waits must hear of it
            _log.exception("The engine did not start")
            self._failed_at = time.monotonic()
            future.set_exception(failure)
            return
        future.set_result(engine)
        while self._future is future and self._devices is None:
            try:
                self._devices = tuple(engine.devices())
            except Exception as failure:
                if self._future is future:  # else the app has ended meanwhile
                    _log.warning("No worker has named its devices yet: %s", failure)
                    time.sleep(RETRY_SECONDS)


@st.cache_resource(show_spinner=False)
def engine_keeper() -> EngineKeeper:
    """Return the keeper of this process' engine; it outlives a reload of this module."""
    return EngineKeeper()


def engine() -> Engine:
    """Return the engine of this process, waiting for its start if need be (about a second, once)."""
    return engine_keeper().start().result()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Start engine and dispatcher with the server, so that a worker warms while the visitor reads; end all together."""
    keep_uploads_in_memory()
    keeper = engine_keeper()
    keeper.start()
    runs_keeper().start()
    warm_in_thread()
    yield {"started": time.time()}
    await asyncio.gather(asyncio.to_thread(runs_keeper().close), asyncio.to_thread(keeper.close))


def keep_uploads_in_memory() -> None:
    """Keep what is uploaded out of the temporary folder: Starlette spools files above 1 MB to disk otherwise."""
    MultiPartParser.spool_max_size = (get_settings().upload_megabytes + 1) * 2**20


def _state_of_worker() -> dict[str, Any]:
    try:
        return dict(engine_keeper().start().result(timeout=READY_SECONDS).ready())
    except TimeoutError:
        return {"ready": False, "reason": "starting"}
    except Exception as failure:
        # Asked for every few seconds, and a failed start has been logged with its traceback already.
        _log.warning("Not ready: %s: %s", type(failure).__name__, failure)
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
    runs = {"dispatcher": await asyncio.to_thread(runs_keeper().state)}  # whoever waits for another's is ready, too
    return JSONResponse(
        {"ready": ready, **parts, "runs": runs},
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
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


class DeepAddresses:
    """ASGI middleware: sends a browser at an address like `/a/b` to the screen for unknown addresses.

    Streamlit's page looks for its scripts beside itself, finds none under `/a/`, and stays white.
    """

    NOT_PAGES = ("_stcore", "static", "media", "component")

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect a page request with more than one part; pass on everything else."""
        if scope["type"] == "http" and scope["method"] == "GET" and self._is_deep(scope):
            base = str(st.get_option("server.baseUrlPath") or "").strip("/")
            answer = RedirectResponse(f"/{base}/not_found" if base else "/not_found", status_code=302)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_deep(self, scope: Scope) -> bool:
        wants_page = any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
        base = str(st.get_option("server.baseUrlPath") or "").strip("/")
        path = f"{scope['path'].strip('/')}/"
        parts = path.removeprefix(f"{base}/" if base else "").strip("/").split("/")
        return wants_page and len(parts) > 1 and not any(part in self.NOT_PAGES for part in parts)


def show_failure(failure: Exception) -> bool:
    """Show one sentence in place of the traceback, which Streamlit has logged; return True: it is shown."""
    st.error(sentence_of(failure), icon=":material/error:")
    st.caption("The rest of the app still works: choose another page, or reload this one.")
    return True


def sentence_of(failure: Exception) -> str:
    """Return what a visitor is told about `failure`: its own sentence if it was written for visitors."""
    return str(failure) if is_for_visitors(failure) else "This page stopped with an error; the log has the details."


ROUTES: list[BaseRoute] = [Route(READY_ADDRESS, answer_ready), *large_uploads.ROUTES]
MIDDLEWARE = [Middleware(SafetyHeaders), Middleware(DeepAddresses), Middleware(VisitorCookie)]
