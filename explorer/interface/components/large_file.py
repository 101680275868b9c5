"""Python's door to the field for one large file, which the browser sends in pieces that never fill the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.interface.components.registration import register

_field = register("large_file")
_HEARD = "_large_file_heard"


def large_file(
    *,
    label: str,
    ending: str,
    address: str,
    piece_bytes: int,
    most_bytes: int,
    key: str,
    on_sent: Callable[[str], None],
) -> Any:
    """Draw a field that takes one file by a click or a drop, and sends it.

    Args:
        label: of the field.
        ending: of the files that are offered, with its dot.
        address: beside the page, to which pieces are PUT with `?at=` and their place.
        piece_bytes: of a piece at most.
        most_bytes: of a file; a larger one is refused before it is sent.
        key: Streamlit key of the element.
        on_sent: called with the file's name once all of it has been sent.
    """

    def heard() -> None:
        event = st.session_state[key].sent
        if not isinstance(event, dict):
            return
        known = st.session_state.setdefault(_HEARD, {})
        if known.get(key) != event.get("at"):
            known[key] = event.get("at")
            on_sent(str(event.get("name", "")))

    data = {
        "label": label, "ending": ending, "address": address, "piece": piece_bytes, "most": most_bytes,
    }  # fmt: skip
    return _field(key=key, data=data, on_sent_change=heard)
