"""Which picture a visitor looks at: one, carried from page to page, and a second to compare with.

The link carries where a picture came from (`picture=drawn:cat:3`), never its pixels: a drawn picture, a scene
or a sample photo travels in it, an uploaded one is asked for again. The two parameters are bound to unseen
text fields that the shell draws on every page, so that Streamlit does the reading, the writing and Back.
"""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Literal

import streamlit as st
from PIL import Image

from explorer.pictures.picture import Picture, PictureError
from explorer.pictures.sources import DEFAULT_SOURCE, resolve

Slot = Literal["picture", "picture2"]
SLOTS: tuple[Slot, ...] = ("picture", "picture2")
DEFAULTS: dict[Slot, str] = {"picture": DEFAULT_SOURCE, "picture2": ""}

HELD_PICTURES = 3
"""How many uploaded pictures a session holds, at most 3 MB each: those in use and the one before."""

NAME_LENGTH = 60
"""Characters of a file's name that stand in a link, so that the page can say which file is missing."""

INTAKE_ERROR = "_intake_error"
"""Session key of the last complaint about a given file: (slot, sentence)."""

_HELD = "_held_pictures"
_NEXT = "_next_pictures"
_THUMBNAILS = "_thumbnails"
_UPLOADED = re.compile(r"(upload|webcam):[0-9a-f]{64}")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:^=&@])")


def slot_of(second: bool) -> Slot:
    """Return the name, in link and session, of the first or the second picture."""
    return "picture2" if second else "picture"


def plain(text: str) -> str:
    """Return `text` so that Markdown shows it letter by letter; file names come from outside."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def bind_to_link() -> None:
    """Draw the unseen fields that bind both pictures to the link; the shell calls this on every page."""
    chosen: dict[Slot, str] = st.session_state.pop(_NEXT, {})
    with st.container(key="unseen_pictures"):
        for slot in SLOTS:
            if slot in chosen:
                st.session_state[slot] = chosen[slot]
            st.text_input(slot, value=DEFAULTS[slot], key=slot, bind="query-params", max_chars=200)
    st.html("<style>.st-key-unseen_pictures { display: none; }</style>")


def wanted(slot: Slot) -> tuple[str, str]:
    """Return the source that link or session ask for, and the file's name where it was an upload.

    An empty source means no picture, which only the second may be.
    """
    value = str(st.session_state.get(slot) or DEFAULTS[slot])
    source, _, name = value.partition("~")
    return source or DEFAULTS[slot], name[:NAME_LENGTH]


def choice_pending() -> bool:
    """Tell whether a picture was chosen that only the next run of the whole page can show."""
    return bool(st.session_state.get(_NEXT))


def choose(slot: Slot, source: str, name: str = "") -> None:
    """Make the picture from `source` current from the next run on; call it in a callback, or rerun then."""
    st.session_state.pop(INTAKE_ERROR, None)
    tail = f"~{name[:NAME_LENGTH]}" if name and _UPLOADED.fullmatch(source) else ""
    st.session_state.setdefault(_NEXT, {})[slot] = source + tail


def hold(picture: Picture) -> None:
    """Keep an uploaded picture in this session, where nothing else can bring it back."""
    held = _held(st.session_state)
    held[picture.source] = picture
    held.move_to_end(picture.source)
    in_use = {wanted(slot)[0] for slot in SLOTS} | {picture.source}
    for source in [source for source in held if source not in in_use][: max(0, len(held) - HELD_PICTURES)]:
        del held[source]


def find(source: str) -> Picture:
    """Return the picture from `source`: a held upload, or one that can be made again.

    Raises:
        PictureError: It is an upload that this session does not hold, or the source makes no sense.
    """
    held = _held(st.session_state)
    return held[source] if source in held else _resolve(source)


def current_picture(page_prefix: str, *, second: bool = False) -> Picture | None:
    """Return the visitor's picture, or the second one; never draws anything.

    `None` means: no second picture was chosen, or the link asks for an upload that this session lacks.
    `picture_controls` says so on the page and asks for it. A link that makes no sense shows the default.

    Args:
        page_prefix: Address of the page that asks; every page shares the pictures.
        second: Ask for the picture to compare with.
    """
    slot = slot_of(second)
    source, _ = wanted(slot)
    if not source:
        return None
    try:
        return find(source)
    except PictureError:
        return None if is_upload(source) or second else find(DEFAULT_SOURCE)


def draw_ahead() -> None:
    """Draw the picture that a new visitor sees, so that the first one need not wait for it."""
    _resolve(DEFAULT_SOURCE)


def is_upload(source: str) -> bool:
    """Tell whether `source` names a file that only the visitor has."""
    return _UPLOADED.fullmatch(source) is not None


def thumbnail(picture: Picture, side: int) -> bytes:
    """Return the picture as PNG with its longer side at most `side` pixels; kept in the session."""
    kept: OrderedDict[tuple[str, int], bytes] = st.session_state.setdefault(_THUMBNAILS, OrderedDict())
    key = (picture.sha256, side)
    if key not in kept:
        image = Image.fromarray(picture.pixels)
        scale = side / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        # Enlarging must not invent detail: a drawn picture of 96 pixels is shown with its own pixels.
        image = image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST)
        stream = io.BytesIO()
        image.save(stream, "PNG")
        kept[key] = stream.getvalue()
        while len(kept) > 8:
            kept.popitem(last=False)
    return kept[key]


def _held(session: MutableMapping[str, Any] | Any) -> OrderedDict[str, Picture]:
    if _HELD not in session:
        session[_HELD] = OrderedDict()
    held: OrderedDict[str, Picture] = session[_HELD]
    return held


# Shared by all visitors: these are the same for everybody, and a few hundred kilobytes each.
@lru_cache(maxsize=48)
def _resolve(source: str) -> Picture:
    return resolve(source)
