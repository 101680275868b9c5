"""What surrounds every page: page config, the table of pages, the sidebar, and which page runs."""

from __future__ import annotations

import streamlit as st

from explorer.interface.current_picture import bind_to_link
from explorer.interface.page_table import ICON_FILE, PAGES, WORDMARK_FILE, streamlit_pages, unknown_page
from explorer.interface.sidebar import show_sidebar
from explorer.interface.theme import apply_theme

st.set_page_config(
    page_title="CNN Explorer",
    page_icon=str(ICON_FILE),
    layout="wide",
    initial_sidebar_state="auto",
    menu_items={"Get help": None, "Report a bug": None, "About": None},
)
st.logo(str(WORDMARK_FILE), size="large", icon_image=str(ICON_FILE))
page = st.navigation(streamlit_pages(PAGES, unknown_page()), expanded=True)
apply_theme()
bind_to_link()
show_sidebar()
page.run()
