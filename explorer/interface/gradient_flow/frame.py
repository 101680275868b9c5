"""What every scene of the gradient flow page has: a row of controls, the lecture's sentence, what one takes along."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from explorer.interface.gradient_flow.page_state import STATE

PLAIN = {"displayModeBar": False}
"""Options of every chart."""


@contextmanager
def controls() -> Iterator[None]:
    """Open the row of main controls of a scene."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="gradient_flow_controls"):
        yield


@contextmanager
def more() -> Iterator[None]:
    """Open the menu of lesser controls, which stands at the end of the row."""
    with (
        STATE.part("more"),
        st.popover("More", icon=":material/tune:", key="gradient_flow_more"),
        st.container(width=380),
    ):
        yield
        st.button("Reset this page", on_click=STATE.reset, key="gradient_flow_reset", icon=":material/restart_alt:")


def verdict(sentence: str, numbers: str, holds: bool | None, because: str = "") -> None:
    """Draw the lecture's sentence beside the numbers that decide it.

    Args:
        sentence: as the lecture says it.
        numbers: that decide it, in Markdown.
        holds: whether they bear it out here; None where they say neither.
        because: what follows, or why it does not hold, in a sentence or two.
    """
    badge = {
        True: ":green-badge[:material/check: holds here]",
        False: ":orange-badge[:material/close: does not hold here]",
        None: ":gray-badge[:material/question_mark: not decided here]",
    }[holds]
    with st.container(border=True, key="gradient_flow_verdict"):
        st.markdown(f"**{sentence}** {badge}")
        st.markdown(numbers)
        if because:
            st.caption(because)


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV, as spreadsheets read it.

    Args:
        header: names of the columns.
        rows: their values.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return ("\ufeff" + text.getvalue()).encode()


def take_along(scene: str, code: str, table: Callable[[], bytes] | None = None) -> None:
    """Draw *Show the code*, *Link* and *Download*.

    Args:
        scene: its name, for the keys and the file.
        code: the lines that give the same numbers in a notebook.
        table: makes the CSV file when it is asked for; None while there is nothing to download.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="gradient_flow_take_along"):
        with st.popover("Show the code", icon=":material/code:"):
            st.code(code, language="python")
        with st.popover("Link", icon=":material/link:"):
            st.code(STATE.link(), language=None, wrap_lines=True)
            st.caption(
                "Whoever opens it finds this scene, these settings and this seed. "
                "Append `&hide=scene,more` to hide controls, by their names in links."
            )
        if table is not None:
            st.download_button(
                "Download (CSV)", table, f"{scene}.csv", "text/csv", on_click="ignore",
                key=f"gradient_flow_{scene}_csv", icon=":material/download:",
            )  # fmt: skip


def background(text: str) -> None:
    """Draw formulas and sources, folded."""
    with st.expander("Background, formulas and sources", icon=":material/menu_book:"):
        st.markdown(text)
