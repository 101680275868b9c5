"""The table of pages: which there are, what a student finds on each, and under which heading.

A later page is one more line in `PAGES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

ROOT = Path(__file__).resolve().parents[2]
ICON_FILE = Path(__file__).parent / "pictures" / "icon.png"
WORDMARK_FILE = ICON_FILE.with_name("wordmark.png")
_UNKNOWN = "_unknown_address"


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
    description: str = ""
    """What can be done on the page, for its card on the home page."""

    @property
    def path(self) -> Path:
        """Return where the page's script lies."""
        return ROOT / "pages" / self.script


PAGES: tuple[PageEntry, ...] = (
    PageEntry("home.py", "", "Home", ":material/home:", "", "What is there to explore, and where to begin?"),
    PageEntry(
        "convolution.py",
        "convolution",
        "Convolution",
        ":material/filter_center_focus:",
        "Take one layer apart",
        "What does one layer compute, number by number?",
        "Step through a convolution on a grid, and change padding, stride and dilation. Edit every number, or put "
        "any kernel on a photo.",
    ),
    PageEntry(
        "feature_maps.py",
        "feature_maps",
        "Feature maps",
        ":material/grid_view:",
        "Look inside a network",
        "What does every layer of a network see in a picture?",
        "Pick a network, click a layer, and see each of its channels as a map. Enlarge one, lay it over the "
        "picture, look at the filter behind it, or compare two pictures.",
    ),
    PageEntry(
        "filters.py",
        "filters",
        "Filters",
        ":material/auto_awesome_mosaic:",
        "Look inside a network",
        "What does a filter, or a whole class, want to see?",
        "See the image that each class and channel wants, beside the pictures that drive it most. Grow your own out of "
        "noise, see why noise comes back without regularisers, or let a photo dream.",
    ),
    PageEntry(
        "explanations.py",
        "explanations",
        "Explanations",
        ":material/visibility:",
        "Look inside a network",
        "Which pixels drove this prediction?",
        "Lay the maps of up to thirteen methods side by side, judge them by numbers and against a random map, and find "
        "out whether they notice that the network has forgotten everything.",
    ),
    PageEntry(
        "architectures.py",
        "architectures",
        "Architectures",
        ":material/account_tree:",
        "Compare networks",
        "What are networks made of, and what does it cost?",
        "Where 138 million weights come from, what each new building block bought, and what accuracy costs. Compare "
        "networks layer by layer, try blocks with sliders, or stack one of your own.",
    ),
    PageEntry(
        "training.py",
        "training",
        "Training",
        ":material/model_training:",
        "Train",
        "How does a network learn, and what does it learn?",
        "Put what the lecture says to the test: train small networks side by side, on drawn data or your own pictures, "
        "watch them learn, click their mistakes, and open what they have become on the other pages.",
    ),
    PageEntry(
        "gradient_flow.py",
        "gradient_flow",
        "Gradient flow",
        ":material/timeline:",
        "Train",
        "Why do deep networks train?",
        "Follow the gradient on its way back: what activations let through, how depth starves the first layers and "
        "shortcuts feed them, how optimisers race down a surface, and every number of backpropagation by hand.",
    ),
)


def streamlit_pages(entries: Sequence[PageEntry], unknown: st.Page | None = None) -> dict[str, list[st.Page]]:
    """Return `entries` as `st.navigation` takes them, grouped by heading in the order of the table.

    Args:
        entries: The pages that there are.
        unknown: An unlisted page for an address that no page has.
    """
    groups: dict[str, list[st.Page]] = {"": [unknown]} if unknown is not None else {}
    for entry in entries:
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


def unknown_page() -> st.Page | None:
    """Return an unlisted page for the address that this visitor came to, if no page of the table has it.

    Streamlit answers an unknown address with the home page under a dialog in its own words; a page that has
    this very address is found instead, and can say what is wrong and where to go on.
    """
    context = get_script_run_ctx()
    asked_for = context.pages_manager.intended_page_name if context is not None else None
    if asked_for and asked_for not in {entry.address for entry in PAGES}:
        st.session_state[_UNKNOWN] = asked_for
    address = st.session_state.get(_UNKNOWN)
    if not address or "/" in address or not address.strip():
        return None
    return st.Page(
        show_unknown_address,
        title="Not found",
        icon=":material/explore_off:",
        url_path=address,
        visibility="hidden",
    )


def show_unknown_address() -> None:
    """Draw the screen for an address that no page has."""
    st.title("There is no page at this address")
    st.write("The link may be old, or a letter is missing. These pages exist:")
    for entry in PAGES:
        st.page_link(streamlit_page(entry), label=f"**{entry.title}**: {entry.question}", icon=entry.icon)
