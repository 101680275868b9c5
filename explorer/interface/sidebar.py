"""What stands in the sidebar under the pages: the visitor's pictures and the device that computes."""

from __future__ import annotations

import streamlit as st

from explorer.interface.server import engine_keeper


def show_sidebar() -> None:
    """Draw the sidebar; never waits for the engine."""
    with st.sidebar:
        show_device()


@st.fragment
def show_device() -> None:
    """Say which device computes, or that the worker is starting."""
    engine = engine_keeper().ready_engine()
    if engine is None:
        st.caption("Computing on: starting…")
        return
    st.caption("Computing on: " + ", ".join(device.label for device in engine.devices()))
