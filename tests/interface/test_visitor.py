"""A browser gets one visitor id, in a cookie that scripts cannot read, and keeps it."""

import asyncio

import pytest
from streamlit.testing.v1 import AppTest

from explorer.interface.visitor import COOKIE_NAME, VisitorCookie, is_visitor_id, new_visitor_id


def answer_to(path: str, *, cookie: str | None = None, scheme: str = "http", kind: str = "http") -> list[str]:
    """Return the Set-Cookie headers of the answer to one request through the middleware."""
    sent: list[dict] = []

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    headers = [(b"cookie", cookie.encode())] if cookie else []
    scope = {"type": kind, "method": "GET", "path": path, "headers": headers, "scheme": scheme}
    asyncio.run(VisitorCookie(inner)(scope, None, send))
    return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]


def test_a_new_browser_gets_a_cookie_that_scripts_and_other_sites_cannot_use():
    (cookie,) = answer_to("/feature_maps")
    name, _, rest = cookie.partition("=")
    value, *attributes = rest.split("; ")
    assert name == COOKIE_NAME
    assert is_visitor_id(value)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert "Secure" not in attributes


def test_over_https_the_cookie_stays_on_https():
    assert "Secure" in answer_to("/", scheme="https")[0].split("; ")


def test_a_known_browser_keeps_its_id():
    assert answer_to("/", cookie=f"other=1; {COOKIE_NAME}={new_visitor_id()}") == []


@pytest.mark.parametrize("forged", ["", "admin", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 33])
def test_a_forged_id_is_replaced(forged):
    assert len(answer_to("/", cookie=f"{COOKIE_NAME}={forged}")) == 1


@pytest.mark.parametrize("path", ["/static/js/index.js", "/_stcore/health", "/media/1.png", "/favicon.ico"])
def test_only_pages_bring_the_cookie(path):
    assert answer_to(path) == []


def test_two_browsers_get_two_ids():
    assert answer_to("/") != answer_to("/")


def test_ids_do_not_repeat():
    assert len({new_visitor_id() for _ in range(1000)}) == 1000


def test_without_cookies_the_id_lives_in_the_session():
    def page() -> None:
        import streamlit as st

        from explorer.interface.visitor import visitor_id

        st.session_state.setdefault("seen", []).append(visitor_id())

    first = AppTest.from_function(page).run().run()
    second = AppTest.from_function(page).run()
    assert not first.exception
    assert len(set(first.session_state["seen"])) == 1
    assert all(is_visitor_id(seen) for seen in first.session_state["seen"])
    assert first.session_state["seen"][0] != second.session_state["seen"][0]
