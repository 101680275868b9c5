"""Uploads that are too large for memory: a page hands out a ticket, the browser sends pieces to an address of it.

Streamlit keeps a whole upload in memory until the session lets go of it, which thirty visitors with half a gigabyte
each would not leave standing. Here a piece at a time is in memory, and the rest lies on the disk.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import streamlit as st
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from explorer.interface import runs_service
from explorer.networks.work_context import SentenceError
from explorer.runs.data import receiving

ADDRESS = "large_upload"
MOST_TICKETS = 4000
NO_TICKET = "The page is busy with another file, or has been open for long: wait a moment, or reload it."

_TICKET_KEY = "_large_upload_ticket"

_owners: OrderedDict[str, str] = OrderedDict()
"""Which visitor each ticket was handed to; the oldest ones go."""
_lock = threading.Lock()


def ticket_for(owner: str) -> str:
    """Return the ticket with which this session may upload one file; the same until the file is taken."""
    ticket = str(st.session_state.get(_TICKET_KEY, ""))
    with _lock:
        if _owners.get(ticket) != owner:
            ticket = secrets.token_hex(16)
        _owners[ticket] = owner
        _owners.move_to_end(ticket)
        while len(_owners) > MOST_TICKETS:
            _owners.popitem(last=False)
    st.session_state[_TICKET_KEY] = ticket
    return ticket


@contextmanager
def taken(ticket: str) -> Iterator[BinaryIO | None]:
    """Open the file that came with a ticket, which is worth nothing from now on; the file is deleted afterwards.

    So nothing that is sent meanwhile changes what is being read.
    """
    with _lock:
        owner = _owners.pop(ticket, None)
    path = None if owner is None else receiving.received(runs_service.runs_folder(), owner, ticket)
    if owner is None or path is None:
        yield None
        return
    try:
        with open(path, "rb") as file:
            yield file
    finally:
        receiving.forget(runs_service.runs_folder(), owner, ticket)


def owner_of(ticket: str) -> str | None:
    """Return whom a ticket was handed to, None where there is no such ticket."""
    with _lock:
        return _owners.get(ticket)


async def receive(request: Request) -> Response:
    """Take in a piece: the body of a PUT, `?at=` where it begins; answers how much there is by now, or a sentence."""
    ticket = request.path_params["ticket"]
    owner = owner_of(ticket)
    if owner is None:
        return JSONResponse({"sentence": NO_TICKET}, status_code=404)
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > receiving.PIECE_BYTES:
                return JSONResponse({"sentence": "This piece is too large."}, status_code=413)
    except ClientDisconnect:
        return Response(status_code=400)
    at = request.query_params.get("at", "")
    try:
        there = await asyncio.to_thread(
            receiving.add_piece,
            runs_service.runs_folder(),
            owner,
            ticket,
            int(at) if at.isascii() and at.isdecimal() and len(at) < 16 else -1,
            bytes(content),
            settings=runs_service.get_settings(),
        )
    except SentenceError as failure:
        return JSONResponse({"sentence": str(failure)}, status_code=400)
    return JSONResponse({"there": there})


ROUTES: list[BaseRoute] = [
    Route(f"/{ADDRESS}/{{ticket}}", receive, methods=["PUT"]),
    Route(f"/{{base:path}}/{ADDRESS}/{{ticket}}", receive, methods=["PUT"]),
]
