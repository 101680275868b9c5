"""The home page: what there is to see, one thing to try first, and what each page is for."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import streamlit as st

from explorer.interface.page_frame import page_head
from explorer.interface.page_table import PAGES, PageEntry, streamlit_page
from explorer.interface.theme import theme_name

PICTURES = Path(__file__).parent / "pictures"

HERO = (
    ("hero_picture.jpg", "A picture", "The drawn cat that this app shows at first"),
    (
        "hero_early.png",
        "An early layer: edges and colours, all over the picture",
        "Nine feature maps of an early layer, the cat's outline clear in each",
    ),
    (
        "hero_middle.png",
        "Half way: fewer places, each for a part such as an ear or an eye",
        "Twenty-five coarser feature maps from the middle of the network, bright at parts of the cat",
    ),
    (
        "hero_deep.png",
        "A deep layer: small maps, mostly dark, that only say what is there",
        "Forty-nine small feature maps of a deep layer, most of them dark",
    ),
)


def show_home() -> None:
    """Draw the home page."""
    page_head(
        "See what a convolutional network sees",
        "Give a network a picture, and every layer answers with **feature maps**: "
        "where in the picture it found what it looks for.",
    )
    with st.grid(4, min_column_width=150, gap="small"):
        for file, caption, alt in HERO:
            st.image(str(PICTURES / file), caption=caption, alt=alt, width="stretch")
    _show_first_step()
    _show_pages()
    _show_good_to_know()


def _show_first_step() -> None:
    with st.container(border=True, key="home_first_step"):
        words, step = st.columns([4, 1], vertical_alignment="center", gap="medium")
        words.markdown(
            "**Try this first.** Open *Feature maps* and click down through the layers. "
            "Which is the first in which you no longer recognise the cat, and does the network still know it?"
        )
        if step.button("Feature maps", type="primary", icon=":material/grid_view:", width="stretch"):
            st.switch_page(streamlit_page(PAGES[1]))


def _show_pages() -> None:
    for group, entries in groupby(filter(lambda entry: entry.address, PAGES), key=lambda entry: entry.group):
        st.header(group)
        for entry in entries:
            _show_page(entry)


def _show_page(entry: PageEntry) -> None:
    with st.container(border=True, key=f"home_card_{entry.address}"):
        picture, words = st.columns([2, 3], vertical_alignment="center", gap="medium")
        picture.image(
            str(PICTURES / f"{entry.address}-{theme_name()}.jpg"),
            alt=f"The page {entry.title} as it looks at first",
            width="stretch",
        )
        with words:
            st.page_link(streamlit_page(entry), label=f"**{entry.title}**", icon=entry.icon)
            st.markdown(entry.question)
            st.caption(entry.description)


def _show_good_to_know() -> None:
    st.header("Good to know")
    with st.grid(3, min_column_width=240, gap="medium"):
        st.markdown(
            "**Your picture comes along.** Draw, upload or photograph one on any page, and the next page "
            "shows it too. An upload stays in this tab, made smaller, and ends with it."
        )
        st.markdown(
            "**The address is the view.** Copy it from the browser or with *Link*: whoever opens it sees the "
            "same layer of the same network. Only an upload must be given again."
        )
        st.markdown(
            "**Nothing is hidden.** Each page names the formula it uses, and *Show the code* prints the call "
            "that gives the same numbers in a notebook."
        )
