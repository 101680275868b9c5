"""The table of pages: which there are, what a student finds on each, and under which heading.

A later page is one more line in `PAGES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
ICON_FILE = Path(__file__).parent / "pictures" / "icon.png"


@dataclass(frozen=True)
class PageEntry:
    """One page: its script, its address, and how a student finds it."""

    script: str
    """File in pages/."""
    address: str
    """Last part of the page's URL; empty for the home page."""
    title: str
    icon: str
    group: str
    """Heading in the sidebar; empty for none."""
    question: str
    """The question that the page answers, as a student would ask it."""

    @property
    def path(self) -> Path:
        """Return where the page's script lies."""
        return ROOT / "pages" / self.script


PAGES: tuple[PageEntry, ...] = (
    PageEntry("home.py", "", "Home", ":material/home:", "", "What is there to explore, and where to begin?"),
    PageEntry(
        "feature_maps.py",
        "feature_maps",
        "Feature maps",
        ":material/grid_view:",
        "Look inside a network",
        "What does every layer of a network see in a picture?",
    ),
)


def streamlit_pages(entries: Sequence[PageEntry]) -> dict[str, list[st.Page]]:
    """Return `entries` as `st.navigation` takes them, grouped by heading in the order of the table."""
    groups: dict[str, list[st.Page]] = {}
    for entry in filter(lambda entry: entry.path.exists(), entries):
        groups.setdefault(entry.group, []).append(streamlit_page(entry))
    return groups


def streamlit_page(entry: PageEntry) -> st.Page:
    """Return one entry as a Streamlit page."""
    return st.Page(
        entry.path,
        title=entry.title,
        icon=entry.icon,
        url_path=entry.address or None,
        default=not entry.address,
        help=entry.question,
    )
