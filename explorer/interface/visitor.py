"""Who is asking: a random id in a cookie, set by the web server and read by the pages.

A visitor owns runs and a turn in the queue; a session is only one of the visitor's tabs. The id is 128 random
bits, so knowing it is what proves it; it says nothing about the person.
"""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE_NAME = "cnn_explorer_visitor"
COOKIE_SECONDS = 180 * 24 * 3600
_VISITOR_ID = re.compile(r"[0-9a-f]{32}")
_SESSION_KEY = "_visitor_without_cookie"


def new_visitor_id() -> str:
    """Return a fresh id: 32 hexadecimal digits from the system's random source."""
    return secrets.token_hex(16)


def is_visitor_id(text: object) -> bool:
    """Tell whether `text` has the form of an id that this app gives out."""
    return isinstance(text, str) and _VISITOR_ID.fullmatch(text) is not None


def visitor_id() -> str:
    """Return the id of the visitor whose session runs now.

    Where the browser refuses cookies the id lives in the session, so that everything works but ends with the
    tab.
    """
    from_cookie = st.context.cookies.get(COOKIE_NAME)
    if is_visitor_id(from_cookie):
        return str(from_cookie)
    if _SESSION_KEY not in st.session_state:
        st.session_state[_SESSION_KEY] = new_visitor_id()
    return str(st.session_state[_SESSION_KEY])


class VisitorCookie:
    """ASGI middleware that gives a browser without a visitor cookie one, together with a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie to the answer where it is a page and the browser has none."""
        if not _asks_for_page(scope) or is_visitor_id(_cookie_of(scope)):
            await self._app(scope, receive, send)
            return
        cookie = _cookie_header(secure=scope.get("scheme") == "https", path=scope.get("root_path") or "/")

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _asks_for_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    last_part = scope["path"].rsplit("/", 1)[-1]
    return "_stcore" not in scope["path"] and ("." not in last_part or last_part == "index.html")


def _cookie_of(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                morsel = SimpleCookie(value.decode("latin-1")).get(COOKIE_NAME)
            except CookieError:
                continue
            if morsel is not None:
                return morsel.value
    return None


def _cookie_header(*, secure: bool, path: str) -> str:
    parts = [
        f"{COOKIE_NAME}={new_visitor_id()}",
        f"Max-Age={COOKIE_SECONDS}",
        f"Path={path}",
        "HttpOnly",
        "SameSite=Lax",
    ]
    return "; ".join([*parts, "Secure"] if secure else parts)
