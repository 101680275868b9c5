"""The ways from a run to the other pages: its network, and where one was clicked the picture, come along."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image

from explorer.interface.current_picture import choose, hold
from explorer.interface.page_table import PAGES, streamlit_page
from explorer.pictures.intake import decode
from explorer.pictures.picture import PictureError
from explorer.pictures.sources import resolve
from explorer.runs.record import Run
from explorer.runs.trained import name_of, networks_of

BUTTONS = {
    "explanations": ("Explain", ":material/visibility:"),
    "feature_maps": ("Feature maps", ":material/grid_view:"),
    "filters": ("Filters", ":material/auto_awesome_mosaic:"),
}

_TRAVELS = re.compile(r"(drawn|scene|digit|sample):[a-z0-9_:]{1,80}")
_GO = "_training_go"


def take_picture(name: str, pixels: np.ndarray) -> None:
    """Make a picture of a run the visitor's current one.

    What can be drawn again by its name travels in the link; any other is put into the session as an upload is.

    Args:
        name: what it is.
        pixels: uint8 (h, w, 3).
    """
    if _TRAVELS.fullmatch(name):
        try:
            resolve(name)
        except PictureError:
            pass
        else:
            choose("picture", name)
            return
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    picture = decode(target.getvalue(), name=name or "picture of a run", source_kind="upload")
    hold(picture)
    choose("picture", picture.source, name)


def open_button(run: Run, variant: str, page: str, before: Callable[[], None] | None = None) -> None:
    """Draw a button that opens a page with a run's network; nothing where that network cannot be opened.

    Args:
        run: the run.
        variant: which of its networks.
        page: address of the page.
        before: called before the page opens, for example to choose the picture.
    """
    name = name_of(run.id, variant)
    if name not in {entry.name for entry in networks_of(run)}:
        return
    label, icon = BUTTONS[page]
    key = f"training_open_{page}_{variant}{'_picture' if before else ''}"

    def go() -> None:
        if before is not None:
            before()
        forget_view(page)
        st.session_state[_GO] = (page, name)

    st.button(label, icon=icon, key=key, on_click=go)


def forget_view(page: str) -> None:
    """Forget what a page was asked before: layers and classes of another network."""
    for key in [key for key in st.session_state if str(key).startswith((f"{page}_", f"_default_{page}_"))]:
        del st.session_state[key]


def follow() -> None:
    """Go where a button of this page leads, if one was pressed; call at the beginning of the page."""
    wish = st.session_state.pop(_GO, None)
    if wish is None:
        return
    page, network = wish
    entry = next(each for each in PAGES if each.address == page)
    st.switch_page(streamlit_page(entry), query_params={f"{page}_network": network})
