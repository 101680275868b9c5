"""Trained weights that are not on this machine: what to do about it, and the download with its progress."""

from typing import cast

import streamlit as st

from explorer.engine.client import Call, EngineError
from explorer.interface import work
from explorer.interface.server import engine
from explorer.interface.visitor import visitor_id
from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry
from explorer.settings import get_settings

_DOWNLOADS = "weight_downloads"
_FAILED = "failed_downloads"


def megabytes_text(entry: NetworkEntry) -> str:
    """Return the size of a network's weights file as printed."""
    return f"{entry.weights.megabytes:.0f} MB" if entry.weights else "no weights"


def weights_in_use(entry: NetworkEntry, wanted: str) -> str:
    """Return which weights the page uses, "trained" or "random", and say so where they are not the wanted ones."""
    if wanted == "random":
        st.info(
            f"**Random weights.** {entry.title} has not learned anything: what the maps show is the work of the "
            "architecture alone, and the predictions mean nothing.",
            icon=":material/casino:",
        )
        return "random"
    if catalogue.weights_present(entry):
        return "trained"
    _offer(entry)
    return "random"


def _downloads() -> dict[str, Call]:
    return cast(dict[str, Call], st.session_state.setdefault(_DOWNLOADS, {}))


@st.fragment(run_every=1.0)
def _progress(entry: NetworkEntry) -> None:
    """Show how far the download is; the page starts anew when it has ended."""
    call = _downloads().get(entry.name)
    if call is None or call.wait(0):
        st.rerun()
    progress = call.progress
    done, total = (progress.done or 0, progress.total or 0) if progress else (0, 0)
    words = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else "connecting …"
    if call.place:
        words = f"waiting, place {call.place} in line"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, done / total) if total else 0.0, f"Downloading {entry.title}: {words}")
        st.button("Stop", on_click=call.stop, key=f"stop_download_{entry.name}")


def _start(entry: NetworkEntry) -> None:
    st.session_state.pop(_FAILED, None)
    try:
        _downloads()[entry.name] = engine().submit("networks.download", visitor=visitor_id(), network=entry.name)
    except EngineError as error:
        st.session_state[_FAILED] = {entry.name: str(error)}


def _outcome(entry: NetworkEntry) -> str | None:
    """Return the one sentence that a download which has ended leaves behind, if it failed."""
    call = _downloads().get(entry.name)
    if call is None:
        return st.session_state.get(_FAILED, {}).get(entry.name)
    if not call.wait(0):
        return None
    del _downloads()[entry.name]
    try:
        call.result()
    except EngineError as error:
        st.session_state[_FAILED] = {entry.name: str(error)}
        return str(error)
    work.forget()
    st.rerun()


def _offer(entry: NetworkEntry) -> None:
    failed = _outcome(entry)
    if entry.name in _downloads():
        _progress(entry)
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="weights_notice"):
        if entry.weights is None:
            st.markdown(f"There are no trained weights for {entry.title}; it is shown with **random weights**.")
            return
        st.markdown(
            f"**Random weights**: the trained ones of {entry.title} are not on this machine, so the predictions below "
            "mean nothing.",
            width="content",
            help=f"Without internet an administrator can put the file `{entry.weights.file_name}` into "
            f"`{get_settings().weights_folder}`.",
        )
        if get_settings().allow_downloads:
            st.button(
                f"Download {megabytes_text(entry)}",
                icon=":material/download:",
                on_click=_start,
                args=(entry,),
                key=f"download_{entry.name}",
            )
    if failed:
        st.error(failed, icon=":material/cloud_off:")
