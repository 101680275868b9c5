"""A visitor's own pictures: a zip, many files, or the webcam class by class become a data set; old ones go."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image, ImageOps
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.interface import large_uploads, picture_picker, runs_service
from explorer.interface.components.camera_state import camera_state
from explorer.interface.components.gallery import Tile, gallery
from explorer.interface.components.large_file import large_file
from explorer.interface.current_picture import plain
from explorer.interface.state import show_in
from explorer.interface.training import asking, items
from explorer.interface.visitor import visitor_id
from explorer.networks.work_context import SentenceError
from explorer.pictures.archive import safe_name
from explorer.pictures.intake import decode
from explorer.pictures.picture import PictureError
from explorer.runs.data import own, receiving
from explorer.runs.data.own import OwnSet
from explorer.runs.outcome import Table
from explorer.settings import get_settings

SHELF = "_training_shelf"
"""Session key of the pictures that are collected class by class, before they become a data set."""

SHELF_BYTES = 20_000_000
LONGEST_CLASS = 40
SMALL_BYTES = 100_000
"""A file up to this size lies on the shelf as it came."""

SHELF_SHOWN, SHELF_TILE = 48, 44
"""The latest pictures of the class at hand are shown, at most so many, each so many pixels of the page wide."""

_TURN = "_training_upload_turn"
_SENT = "_training_zip_sent"
_MADE = "_training_data_made"
"""Session key of how many data sets were made: the panel that made one closes, as a new one takes its place."""

_FAILED = "_training_data_failed"
"""Session key of why no data set came of what was given."""

_NOT_TAKEN = "_training_pictures_not_taken"
"""Session key of what is said of files that did not come onto the shelf, in the panel where they were given."""

FOLDERS: Mapping[own.Folders, str] = {
    "found": "Find out",
    "classes": "A class each",
    "masks": "Pictures and masks",
}
"""What a visitor can say of folders named images and masks."""

Shelf = dict[str, list[tuple[str, bytes]]]


def sets() -> list[OwnSet]:
    """Return this visitor's data sets, the newest first."""
    return own.mine(runs_service.runs_folder(), visitor_id())


def find(set_id: str) -> OwnSet | None:
    """Return a data set of this visitor's; None where there is none."""
    try:
        return own.describe(runs_service.runs_folder(), set_id, visitor_id())
    except SentenceError:
        return None


def title_of(about: OwnSet) -> str:
    """Return how a data set stands in the list."""
    classes = len(about.classes)
    what = "with masks" if about.has_masks else f"{classes} {'class' if classes == 1 else 'classes'}"
    return f"{about.title} · {len(about.pictures):,} pictures, {what}"


def show(chosen: str, choose: Callable[[str], None]) -> OwnSet | None:
    """Draw the choice among own data sets and the ways to make one; return the chosen one.

    Args:
        chosen: id of the data set in the link, "" for none.
        choose: takes another id into the link.
    """
    there = sets()
    about = find(chosen) or (there[0] if there and not chosen else None)
    if chosen and about is None:
        st.warning(own.NO_SUCH_SET, icon=":material/folder_off:")
    if about is not None and about.id != chosen:
        choose(about.id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if about is not None:
            _choice(there, about, choose)
        with (
            st.popover(
                "Add pictures",
                icon=":material/add_photo_alternate:",
                type="secondary",
                key=f"training_add_{st.session_state.get(_MADE, 0)}",
            ),
            st.container(width=440),
        ):
            _add(choose)
        if about is not None and st.button(
            "Delete", icon=":material/delete:", key="training_data_delete", type="tertiary"
        ):
            _ask_to_delete(about, choose)
        if about is not None and about.skipped_count:
            with (
                st.popover(f"{about.skipped_count:,} skipped", icon=":material/broken_image:", type="tertiary"),
                st.container(width=560),
            ):
                _skipped(about)
    if about is None:
        st.caption("Drop a zip with a folder for each class, or take pictures with the webcam. Only you see them.")
    elif about.decided:
        st.caption(
            f"{plain(about.decided)} If that is wrong, say under *Add pictures* what the folders are and upload the "
            "zip once more."
        )
    return about


def _choice(there: Sequence[OwnSet], about: OwnSet, choose: Callable[[str], None]) -> None:
    by_id = {each.id: each for each in there}
    key = "training_own_shown"
    show_in(key, about.id)
    st.selectbox(
        "Data set", list(by_id), format_func=lambda each: title_of(by_id[each]), key=key, width=270,
        label_visibility="collapsed", on_change=lambda: choose(st.session_state[key]),
    )  # fmt: skip


def _skipped(about: OwnSet) -> None:
    """Draw which files are not in a data set, and why."""
    items.table(Table(title="Not in this data set", columns=("File", "Why"), rows=about.skipped))
    if about.skipped_count > len(about.skipped):
        st.caption(f"The first {len(about.skipped)} of {about.skipped_count:,}.")


def _add(choose: Callable[[str], None]) -> None:
    """Draw the ways to add pictures."""
    title = st.text_input("Name of the data set", key="training_data_title", max_chars=60, placeholder="My pictures")
    way = st.segmented_control(
        "From", ["Zip", "Files", "Webcam"], default="Zip", key="training_data_way", required=True,
        label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    if way == "Zip":
        _from_zip(title, choose)
    else:
        _class_by_class(title, choose, webcam=way == "Webcam")


def _from_zip(title: str, choose: Callable[[str], None]) -> None:
    """Draw the field for a zip, which lies on the disk before anything reads it."""
    settings = get_settings()
    ticket = large_uploads.ticket_for(visitor_id())
    folders = st.segmented_control(
        "Folders images and masks are", list(FOLDERS), format_func=FOLDERS.__getitem__, default="found",
        key="training_data_folders", required=True, width="stretch",
        help="Folders of these names may be pictures with their masks, for the lesson on segmentation, or two classes "
        "that happen to be called so. What is in the files decides, unless you say it here.",
    )  # fmt: skip

    def sent(name: str) -> None:
        st.session_state[_SENT] = (ticket, name)

    large_file(
        label="A zip with a folder for each class",
        ending=".zip",
        address=f"{large_uploads.ADDRESS}/{ticket}",
        piece_bytes=receiving.PIECE_BYTES,
        most_bytes=settings.data_megabytes * 2**20,
        key="training_zip",
        on_sent=sent,
    )
    unused = f", or have not used them for {settings.runs_keep_days:g} days" if settings.runs_keep_days else ""
    st.caption(
        f"At most {settings.data_megabytes} MB and {settings.data_pictures:,} pictures. Or with a folder images and a "
        "folder masks with the same names in both, for the lesson on segmentation. They are made smaller and kept on "
        f"this server until you delete them{unused}."
    )
    _say(_FAILED)
    arrived = st.session_state.pop(_SENT, None)
    if arrived is None or arrived[0] != ticket:
        return
    with large_uploads.taken(ticket) as file:
        if file is not None:
            name = safe_name(arrived[1])
            _make([(name, file)], title or name.removesuffix(".zip"), choose, folders)
    st.rerun()


def _class_by_class(title: str, choose: Callable[[str], None], *, webcam: bool) -> None:
    """Draw what collects pictures for one class after the other."""
    shelf: Shelf = st.session_state.setdefault(SHELF, {})
    typed = st.text_input("Class", key="training_class", max_chars=LONGEST_CLASS, placeholder="mug")
    name = class_name(typed, shelf)
    turn = st.session_state.get(_TURN, 0)
    taken: list[UploadedFile] = []
    if webcam and not picture_picker.webcam_allowed(st.context.url):
        st.info(
            "Browsers open the webcam only over HTTPS or on this computer itself.", icon=":material/no_photography:"
        )
    elif not name:
        st.caption("Name the class first." if not typed.strip() else "A class needs a name with a letter or a digit.")
    elif webcam:
        field = f"training_webcam_{turn}"
        shot = st.camera_input(f"A picture of “{plain(name)}”", key=field)
        taken = [shot] if shot is not None else []
        camera_state(field, key="training_webcam_state", on_again=_next_turn)
    else:
        taken = st.file_uploader(
            f"Pictures of “{plain(name)}”", key=f"training_files_{turn}", accept_multiple_files=True,
            max_upload_size=get_settings().upload_megabytes,
        )  # fmt: skip
    if taken:
        _next_turn()
        with st.spinner("Reading the pictures …"):
            _put(shelf, name, taken)
        st.rerun()
    _say(_NOT_TAKEN)
    for number, (each, pictures) in enumerate(shelf.items()):
        with st.container(horizontal=True, vertical_alignment="center", key=f"training_shelf_{number}"):
            st.markdown(f"{plain(each)}: **{len(pictures)}**", width="stretch")
            st.button(
                "Remove", icon=":material/close:", key=f"training_shelf_remove_{number}", type="tertiary",
                on_click=_take_out, args=(shelf, each), help=f"Take “{plain(each)}” and its pictures out",
            )  # fmt: skip
        if each == name:
            _pictures(shelf, each)
    with st.container(horizontal=True):
        enough = sum(len(pictures) > 1 for pictures in shelf.values()) > 1
        if st.button(
            "Make the data set", type="primary", key="training_make", disabled=not enough,
            help="Two classes with two pictures at least",
        ):  # fmt: skip
            files = [file for each, pictures in shelf.items() for file in own.in_class(each, list(pictures))]
            if _make(files, title, choose, "classes"):
                st.session_state.pop(SHELF, None)
            st.rerun()
        if shelf:
            st.button("Start over", key="training_shelf_empty", on_click=lambda: st.session_state.pop(SHELF, None))
    _say(_FAILED)


def _next_turn() -> None:
    """Give the fields for files and camera new keys, which empties them and tries the camera anew."""
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def _pictures(shelf: Shelf, name: str) -> None:
    """Draw the latest pictures of a class; a click takes one out."""
    shown = shelf[name][-SHELF_SHOWN:]

    def picked() -> None:
        event = st.session_state["training_shelf_pictures"].pick
        take_one_out(shelf, name, str(event.get("id", "")) if isinstance(event, dict) else "")

    gallery(
        np.stack([_thumbnail(content) for _, content in shown]),
        [Tile(file, alt=f"Take out {file}") for file, _ in shown],
        name=f"Pictures of {name}", key="training_shelf_pictures", on_pick=picked, tile=SHELF_TILE, most=SHELF_TILE,
    )  # fmt: skip
    st.caption("Click a picture to take it out.")


@st.cache_resource(max_entries=1000, scope="session", show_spinner=False)
def _thumbnail(content: bytes) -> np.ndarray:
    """Return the middle of a picture, uint8 (64, 64, 3)."""
    return np.asarray(ImageOps.fit(Image.fromarray(decode(content).pixels), (64, 64)))


def take_one_out(shelf: Shelf, name: str, file: str) -> None:
    """Take one picture out of a class of the shelf; the class goes with its last one."""
    left = [picture for picture in shelf.get(name, []) if picture[0] != file]
    if left:
        shelf[name] = left
    else:
        shelf.pop(name, None)


def _say(key: str) -> None:
    """Say once what went wrong, in the panel, which would cover it anywhere else."""
    if sentence := st.session_state.pop(key, None):
        st.error(plain(sentence), icon=":material/broken_image:")


def class_name(typed: str, shelf: Mapping[str, Any]) -> str:
    """Return the name of a class that a visitor means, "" for none.

    As on the disk no folders are in it, and case does not matter: what is there keeps its spelling.
    """
    name = safe_name(typed[:LONGEST_CLASS].replace("/", "-").replace("\\", "-"))
    if not any(letter.isalnum() or unicodedata.category(letter) == "So" for letter in name):
        return ""
    return next((each for each in shelf if each.casefold() == name.casefold()), name)


def _take_out(shelf: Shelf, name: str) -> None:
    shelf.pop(name, None)


def _put(shelf: Shelf, name: str, taken: Sequence[UploadedFile]) -> None:
    """Put pictures into a class of the shelf, as far as there is room; say which cannot be read."""
    held = sum(len(content) for pictures in shelf.values() for _, content in pictures)
    skipped: list[str] = []
    left_out = 0
    for file in taken:
        content = file.getvalue()
        picture_picker.release(file)
        try:
            content = reduced(content)
        except PictureError as failure:
            skipped.append(f"{safe_name(file.name)}: {failure}")
            continue
        if held + len(content) > SHELF_BYTES:
            left_out += 1
            continue
        held += len(content)
        pictures = shelf.setdefault(name, [])
        number = int(pictures[-1][0].partition(" ")[0]) + 1 if pictures else 0
        pictures.append((f"{number} {file.name}", content))
    said = skipped[:1]
    if len(skipped) > 1:
        said.append(f"{len(skipped) - 1:,} more could not be read.")
    if left_out:
        said.append(
            f"For {left_out:,} of the pictures there is no more room in this tab: make the data set of what is there, "
            "or upload all of them as a zip."
        )
    if said:
        st.session_state[_NOT_TAKEN] = " ".join(said)


def reduced(content: bytes) -> bytes:
    """Return a picture as small as a data set keeps it, so that a class of photos fits into a tab.

    Raises:
        PictureError: if it cannot be read.
    """
    picture = decode(content, settings=get_settings().model_copy(update={"picture_side": own.LONG_SIDE}))
    if len(content) <= SMALL_BYTES:
        return content
    target = io.BytesIO()
    Image.fromarray(picture.pixels).save(target, "JPEG", quality=95, subsampling=0)
    return target.getvalue()


def _make(files: Sequence[Any], title: str, choose: Callable[[str], None], folders: own.Folders) -> bool:
    """Make a data set and choose it; what went wrong is kept, to be said on the page."""
    bar = st.progress(0.0, "Reading the pictures …")

    def report(done: int, count: int) -> None:
        bar.progress(min(1.0, done / max(1, count)), f"Reading the pictures: {done:,} of {count:,}")

    try:
        about = own.create(
            runs_service.runs_folder(), files, owner=visitor_id(), title=title.strip(), folders=folders,
            settings=get_settings(), report=report,
        )  # fmt: skip
    except SentenceError as failure:
        st.session_state[_FAILED] = str(failure)
        return False
    choose(about.id)
    st.session_state[_MADE] = st.session_state.get(_MADE, 0) + 1
    return True


@st.dialog("Delete these pictures?")
def _ask_to_delete(about: OwnSet, choose: Callable[[str], None]) -> None:
    st.markdown(f"**{plain(title_of(about))}**")
    st.caption("Runs that learned from them stay; they cannot be started again with the same pictures.")
    with st.container(horizontal=True):
        sure = st.button(
            "Delete", type="primary", icon=":material/delete:", key="training_data_delete_sure",
            on_click=_delete, args=(about.id, choose),
        )  # fmt: skip
        if sure or st.button("Keep", key="training_data_delete_not"):
            st.rerun()


def _delete(set_id: str, choose: Callable[[str], None]) -> None:
    try:
        own.delete(runs_service.runs_folder(), set_id, visitor_id())
    except SentenceError as failure:
        asking.refuse(str(failure))
    else:
        choose("")  # the next one, if there is one
