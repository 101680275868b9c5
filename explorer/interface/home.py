"""The home page: what each page is for and one thing to try first."""

from __future__ import annotations

import streamlit as st

from explorer.interface.page_table import PAGES, streamlit_page


def show_home() -> None:
    """Draw the home page."""
    st.title("See what a convolutional network sees")
    for entry in PAGES:
        if entry.address and entry.path.exists():
            st.page_link(streamlit_page(entry), label=entry.title)
            st.write(entry.question)
