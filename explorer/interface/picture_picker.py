"""The controls that choose a picture: drawn, scene, sample photo, upload or webcam, in one compact row."""

from __future__ import annotations

import io
import logging
import random
import threading
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st
from PIL import Image, ImageOps
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.interface.components.camera_state import camera_state
from explorer.interface.current_picture import (
    DEFAULTS,
    INTAKE_ERROR,
    Slot,
    choice_pending,
    choose,
    current_picture,
    find,
    hold,
    is_upload,
    plain,
    slot_of,
    wanted,
)
from explorer.interface.paste_target import paste_target
from explorer.pictures.drawn_world.drawing import CLASSES
from explorer.pictures.intake import decode
from explorer.pictures.picture import Picture, PictureError
from explorer.pictures.samples import SAMPLES
from explorer.pictures.sources import DEFAULT_SOURCE
from explorer.settings import get_settings

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

__all__ = ["current_picture", "picture_controls"]

KINDS = {"drawn": "Drawn", "scene": "Scene", "sample": "Photo", "upload": "Upload", "webcam": "Webcam"}
LAST_INDEX = 9999
POPOVER_PIXELS = 460
_log = logging.getLogger(__name__)

# A picture of 64 megapixels takes about 200 MB while it is decoded: a class that uploads at once takes turns.
DECODING = threading.BoundedSemaphore(2)


def picture_controls(page_prefix: str, *, second: bool = False, label: str | None = None) -> None:
    """Draw the row that chooses the current picture, and what there is to say about it.

    Args:
        page_prefix: Address of the page, which keeps the widgets of the pages apart.
        second: Choose the picture to compare with; it may be none.
        label: Words on the button before the picture's title.
    """
    _controls(page_prefix, slot_of(second), label or ("Compare with" if second else "Picture"))


@st.fragment
def _controls(page: str, slot: Slot, label: str) -> None:
    if choice_pending():
        st.rerun()
    source, name = wanted(slot)
    picture, complaint = _look_up(slot, source)
    key = f"{page}_{slot}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        title = plain(picture.title) if picture is not None else "…"
        words = f"{label}: {title}" if source else f"{label} …"
        with (
            st.popover(words, icon=":material/image:", key=f"{key}_popover"),
            st.container(width=POPOVER_PIXELS),
        ):
            _choices(key, slot, source)
        if source.startswith(("drawn:", "scene:")):
            st.button(
                "Another one",
                icon=":material/shuffle:",
                key=f"{key}_another",
                help="Draw another picture of this kind",
                on_click=choose,
                args=(slot, another(source)),
            )
        if slot == "picture2" and source:
            st.button("Stop comparing", icon=":material/close:", key=f"{key}_none", on_click=choose, args=(slot, ""))
    _say(key, slot, source, name, complaint)


def _look_up(slot: Slot, source: str) -> tuple[Picture | None, str | None]:
    """Return the picture that is shown for `source` and, if that is not what was asked for, why."""
    if not source:
        return None, None
    try:
        return find(source), None
    except PictureError as failure:
        return (None if is_upload(source) or slot == "picture2" else find(DEFAULT_SOURCE)), str(failure)


def another(source: str) -> str:
    """Return the source of another drawn picture or scene of the same kind."""
    words = source.split(":")
    at = 2 if words[0] == "drawn" else 1  # what follows the number tells the world of a training run
    if len(words) <= at or not words[at].isdecimal():
        return DEFAULT_SOURCE
    other = random.randrange(LAST_INDEX)  # of the 9,999 others
    return ":".join([*words[:at], str(other if other < int(words[at]) else other + 1), *words[at + 1 :]])


def _choices(key: str, slot: Slot, source: str) -> None:
    kind_now = source.partition(":")[0]
    kind = st.segmented_control(
        "Kind of picture",
        list(KINDS),
        default=kind_now if kind_now in KINDS else "drawn",
        format_func=KINDS.__getitem__,
        key=f"{key}_kind",
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    if kind == "drawn":
        _choose_drawn(key, slot, source)
    elif kind == "scene":
        _choose_scene(key, slot, source)
    elif kind == "sample":
        _choose_sample(key, slot, source)
    elif kind == "upload":
        _choose_upload(key, slot)
    else:
        _choose_webcam(key, slot)


def _index_of(source: str) -> int:
    words = source.split(":")
    index = words[-1] if len(words) < 4 else words[2 if words[0] == "drawn" else 1]
    return int(index) if index.isdecimal() and int(index) <= LAST_INDEX else 0


def _choose_drawn(key: str, slot: Slot, source: str) -> None:
    drawn = source.startswith("drawn:")
    shown = source.split(":")[1] if drawn else None
    # The picture decides what the widgets show, not the other way round: it may come from the link.
    st.session_state[f"{key}_class"] = shown if shown in CLASSES else None
    st.session_state[f"{key}_index"] = _index_of(source) if drawn else 0

    def take() -> None:
        name = st.session_state[f"{key}_class"] or shown or CLASSES[0]
        choose(slot, f"drawn:{name}:{st.session_state[f'{key}_index'] or 0}")

    st.pills("What is drawn", CLASSES, key=f"{key}_class", on_change=take)
    st.number_input(
        "Number",
        0,
        LAST_INDEX,
        step=1,
        key=f"{key}_index",
        on_change=take,
        help="Each number is another drawing: shape, colours, place, light and background",
    )


def _choose_scene(key: str, slot: Slot, source: str) -> None:
    st.caption("Several objects in one picture.")
    st.session_state[f"{key}_scene"] = _index_of(source) if source.startswith("scene:") else 0

    def take() -> None:
        choose(slot, f"scene:{st.session_state[f'{key}_scene'] or 0}")

    st.number_input("Number", 0, LAST_INDEX, step=1, key=f"{key}_scene", on_change=take)
    if not source.startswith("scene:"):
        st.button("Show this scene", key=f"{key}_show_scene", on_click=take, type="primary")


def _choose_sample(key: str, slot: Slot, source: str) -> None:
    with st.grid(4, min_column_width=88, gap="xsmall"):
        for name, sample in SAMPLES.items():
            with st.container(gap="xxsmall"):
                st.image(_tile(find(f"sample:{name}"), 96), width="stretch", alt=sample.title)
                st.button(
                    name.replace("_", " ").capitalize(),
                    key=f"{key}_sample_{name}",
                    width="stretch",
                    type="primary" if source == f"sample:{name}" else "secondary",
                    help=f"{sample.title}. {sample.credit}",
                    on_click=choose,
                    args=(slot, f"sample:{name}"),
                )


@lru_cache(maxsize=32)
def _tile(picture: Picture, side: int) -> bytes:
    """Return the middle of a sample photo as a small square PNG; samples are the same for all visitors."""
    image = ImageOps.fit(Image.fromarray(picture.pixels), (side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _choose_upload(key: str, slot: Slot) -> None:
    settings = get_settings()
    turn = st.session_state.get(f"_{key}_turn", 0)
    uploader = f"{key}_upload_{turn}"
    file = st.file_uploader(
        "Drop a picture here, or choose a file",
        key=uploader,
        max_upload_size=settings.upload_megabytes,
        help="JPEG, PNG, WebP, GIF (first frame), BMP, TIFF, HEIC or AVIF. "
        f"At most {settings.upload_megabytes} MB and {settings.upload_megapixels} megapixels.",
    )
    paste_target(uploader, key=f"{key}_paste")
    _tell_failed_intake(slot)
    st.caption("It stays in this tab's memory, made smaller, and is never written to disk.")
    if file is not None:
        st.session_state[f"_{key}_turn"] = turn + 1
        _take_in(file, slot, "upload")


def _choose_webcam(key: str, slot: Slot) -> None:
    if not webcam_allowed(st.context.url):
        st.info(
            "Browsers open the webcam only on pages that come over HTTPS or from this computer itself. "
            "Upload a photo instead, or ask whoever runs this server for HTTPS.",
            icon=":material/no_photography:",
        )
        return
    turn = st.session_state.get(f"_{key}_turn", 0)
    shot = st.camera_input("Take a photo", key=f"{key}_webcam_{turn}")

    def try_again() -> None:
        st.session_state[f"_{key}_turn"] = turn + 1

    camera_state(f"{key}_webcam_{turn}", key=f"{key}_webcam_state", on_again=try_again)
    _tell_failed_intake(slot)
    st.caption("It stays in this tab's memory and is never written to disk.")
    if shot is not None:
        st.session_state[f"_{key}_turn"] = turn + 1
        _take_in(shot, slot, "webcam")


def webcam_allowed(url: str | None) -> bool:
    """Tell whether a browser offers its webcam to the page at `url`.

    That is the "potentially trustworthy origin" of W3C's Secure Contexts, section 3.1: HTTPS, or the
    browser's own machine. An unknown address is given the benefit of the doubt.
    """
    if not url:
        return True
    parts = urlsplit(url)
    host = parts.hostname or ""
    at_home = host in {"localhost", "::1"} or host.endswith(".localhost") or host.startswith("127.")
    return parts.scheme == "https" or at_home


def _take_in(file: UploadedFile, slot: Slot, kind: str) -> None:
    """Decode a file and make it current; if it is no picture say so, and keep the one before."""
    st.session_state.pop(INTAKE_ERROR, None)
    try:
        with st.spinner("Reading the picture …"), DECODING:
            name = file.name if kind == "upload" else "webcam photo"
            picture = decode(file.getvalue(), name=name, source_kind=kind)
    except PictureError as failure:
        st.session_state[INTAKE_ERROR] = (slot, str(failure))
    else:
        hold(picture)
        choose(slot, picture.source, name if kind == "upload" else "")
    finally:
        release(file)
    st.rerun()


def _tell_failed_intake(slot: Slot) -> None:
    failed_slot, sentence = st.session_state.get(INTAKE_ERROR, (None, ""))
    if failed_slot == slot:
        st.error(plain(sentence), icon=":material/broken_image:")


def release(file: UploadedFile) -> None:
    """Drop the file's bytes, which Streamlit would keep until the session ends."""
    context = get_script_run_ctx()
    remove = getattr(context.uploaded_file_mgr, "remove_file", None) if context is not None else None
    if context is None or remove is None:
        _log.warning("Streamlit no longer lets go of uploaded files: sessions will grow by each upload")
        return
    remove(session_id=context.session_id, file_id=file.file_id)


def _say(key: str, slot: Slot, source: str, name: str, complaint: str | None) -> None:
    """Say why another picture is shown than the one that was asked for; ask for a file that is missing."""
    if complaint is None:
        return
    if not is_upload(source):
        st.warning(plain(complaint), icon=":material/link_off:")
        return
    file = f"the file “{plain(name)}”" if name else "a picture from a webcam or a file"
    st.warning(
        f"This view was made with {file}, which cannot travel in a link and is gone after a reload. "
        "Please give it again, or choose another picture.",
        icon=":material/upload_file:",
    )
    with st.container(key=f"{key}_missing"):
        _choose_upload(f"{key}_again", slot)
        st.button(
            "Go on with a drawn picture" if slot == "picture" else "Go on without it",
            key=f"{key}_without",
            on_click=choose,
            args=(slot, DEFAULTS[slot]),
        )
