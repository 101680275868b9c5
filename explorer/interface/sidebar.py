"""What stands in the sidebar under the pages: the visitor's pictures and the device that computes."""

from __future__ import annotations

import streamlit as st

from explorer.interface.current_picture import current_picture, plain, thumbnail, wanted
from explorer.interface.server import engine_keeper
from explorer.interface.theme import THUMBNAIL_PIXELS

LOOK_AGAIN_SECONDS = 2.0
"""How often a page asks for the device while the worker starts."""


def show_sidebar() -> None:
    """Draw the sidebar; never waits for the engine."""
    with st.sidebar:
        st.space("stretch")
        show_pictures()
        show_device_until_known()


def show_pictures() -> None:
    """Show the current picture, and the second beside it, as thumbnails."""
    first, second = current_picture("sidebar"), current_picture("sidebar", second=True)
    st.caption("Your pictures" if second is not None else "Your picture")
    with st.container(horizontal=True, gap="small"):
        for picture in (first, second):
            if picture is not None:
                with st.container(width=THUMBNAIL_PIXELS, gap="xxsmall"):
                    # Twice as many pixels as it is wide: sharp on a beamer and on a phone.
                    st.image(thumbnail(picture, 2 * THUMBNAIL_PIXELS), width="stretch", alt=picture.title)
                    st.caption(plain(picture.title))
    if first is None:
        _, name = wanted("picture")
        st.caption(f"“{plain(name)}” is missing" if name else "The uploaded picture is missing")


def show_device_until_known() -> None:
    """Say which device computes; while the worker starts, say that and look again until it is there."""
    if engine_keeper().devices() is not None:
        show_device()
    else:
        st.fragment(run_every=LOOK_AGAIN_SECONDS)(_show_device_at_last)()


def _show_device_at_last() -> None:
    if engine_keeper().devices() is not None:
        st.rerun()  # the page drawn anew asks no more; this part by itself would go on asking for ever
    show_device()


def show_device() -> None:
    """Say which device computes, or that the worker is starting."""
    devices = engine_keeper().devices()
    if devices is None:
        words = "The worker is starting …"
    else:
        words = "Computes on " + plain(", ".join(device.label for device in devices))
    st.caption(f":material/memory: {words}")
