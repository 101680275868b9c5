"""All networks at once: what accuracy costs, thirty years of ILSVRC, and a table to search, sort and pick from."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.architectures import export
from explorer.architectures.cards import HUMAN_ERROR, ILSVRC
from explorer.architectures.wording import counted
from explorer.interface.architectures import kept
from explorer.interface.architectures.link_names import say_unknown, segments, settle_several
from explorer.interface.architectures.page_state import CHARTS, MOST_COMPARED, PRICES, RENAMED, STATE, by_name
from explorer.interface.figures import architecture_charts as charts
from explorer.interface.theme import palette

_PLAIN = {"displayModeBar": False}


def _families() -> list[str]:
    """Draw which families are shown and return them; none chosen means all."""
    known = list(dict.fromkeys(card.family for card in by_name().values()))
    wanted = settle_several(
        "families", {family: family for family in known}, "family", otherwise="all of them are shown"
    )  # fmt: skip
    shown = "architectures_families_shown"

    def changed() -> None:
        STATE.set("families", ",".join(st.session_state[shown]))

    # The browser lists them in the order of the clicks.
    if set(st.session_state.get(shown) or ()) != set(wanted):
        st.session_state[shown] = wanted
    st.multiselect(
        "Families", known, key=shown, on_change=changed, placeholder="All families", label_visibility="collapsed"
    )
    return wanted


def _open(names: Sequence[str]) -> None:
    """Go on with the rows that were picked: one is opened, several are compared."""
    picked = st.session_state["architectures_catalogue"].selection.rows
    chosen = [names[row] for row in picked if row < len(names)]
    if len(chosen) == 1:
        STATE.set("network", chosen[0])
        STATE.set("layer", "")
        STATE.set("mode", "network")
    elif chosen:
        STATE.set("compared", ",".join(chosen[:MOST_COMPARED]))
        STATE.set("mode", "compare")


def show() -> None:
    """Draw the catalogue."""
    colours = palette()
    with st.container(horizontal=True, vertical_alignment="center", key="architectures_filter"):
        chart = segments("chart", CHARTS, "chart")
        price = segments("price", PRICES, "cost", RENAMED) if chart == "accuracy" else ""
        families = _families()
    for name in ("chart", "price", "families"):
        say_unknown(name)
    names = kept.listed(families)
    if chart == "accuracy":
        if (figure := kept.accuracy(names, price, colours)) is not None:
            st.plotly_chart(figure, config=_PLAIN, key="architectures_scatter")
        st.caption(kept.accuracy_words(names, price) + ".")
    else:
        st.plotly_chart(kept.contest(colours), config=_PLAIN, key="architectures_ilsvrc")
        st.caption(charts.ilsvrc_words(ILSVRC, HUMAN_ERROR) + f". {charts.ILSVRC_ENTRIES}.")
    # Above the table: below it the button would be off the screen while rows are ticked.
    above = st.container(horizontal=True, vertical_alignment="center", key="architectures_picked")
    picked = st.dataframe(
        kept.catalogue_rows(names),
        hide_index=True,
        key="architectures_catalogue",
        on_select="rerun",
        selection_mode="multi-row",
        height=460,
        column_config={
            "Parameters": st.column_config.NumberColumn(format="compact"),
            "Multiply-adds": st.column_config.NumberColumn(format="compact"),
            "Activations": st.column_config.NumberColumn(format="compact"),
            "Year": st.column_config.NumberColumn(format="%d"),
            "Top-1": st.column_config.NumberColumn(format="%.1f %%"),
            "Top-5": st.column_config.NumberColumn(format="%.1f %%"),
            "What was new": st.column_config.TextColumn(width="large"),
        },
    )
    count = len(picked.selection.rows)
    with above:
        several = counted(len(names), "networks")
        st.markdown(f"**{several}.** Tick one to take it apart, two to four to compare them.", width="content")
        label = "Take it apart" if count < 2 else f"Compare these {min(count, MOST_COMPARED)}"
        st.button(label, type="primary", key="architectures_open", on_click=_open, args=(names,), disabled=not count)
        if count > MOST_COMPARED:
            st.caption(f"The first {MOST_COMPARED} are compared.", width="content")
    with st.container(horizontal=True, key="architectures_catalogue_take"):
        st.download_button(
            "Networks (CSV)", lambda: export.csv_file(export.csv_of_catalogue(*kept.cards_of(names))), "networks.csv",
            "text/csv",
            icon=":material/download:", key="architectures_catalogue_csv", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Networks (LaTeX)", lambda: export.latex_of_catalogue(*kept.cards_of(names)), "networks.tex", "text/x-tex",
            icon=":material/download:", key="architectures_catalogue_latex", on_click="ignore",
        )  # fmt: skip
