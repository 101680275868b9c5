"""Two to four networks beside each other: their sums in ratio, their layers aligned, and why they differ so much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.architectures import export
from explorer.architectures.compare import MOST, Comparison
from explorer.interface.architectures import kept
from explorer.interface.architectures.link_names import say_unknown, settle_several
from explorer.interface.architectures.page_state import STATE, by_name, title_of
from explorer.interface.components.network_diagram import network_diagram
from explorer.interface.numbers import count_text
from explorer.interface.state import show_in
from explorer.interface.theme import palette

_PLAIN = {"displayModeBar": False}
_BESIDE = 2
_QUANTITIES = {
    "parameters": "Parameters",
    "trainable": "of these trained",
    "multiply_adds": "Multiply-adds",
    "activations": "Activations",
    "depth": "Depth",
    "layers": "Layers",
}


@dataclass(frozen=True)
class Pairing:
    """A comparison worth a look.

    Attributes:
        title: On its button.
        names: Of the networks.
        why: What there is to see, in one or two sentences.
    """

    title: str
    names: tuple[str, ...]
    why: str


PAIRINGS = (
    Pairing(
        "GoogLeNet against AlexNet",
        ("alexnet", "googlenet"),
        "AlexNet's three dense layers hold 96 % of its weights. GoogLeNet averages each map before its only dense "
        "layer and puts 1×1 convolutions before the large ones. (Slides say twelve times fewer weights; counted, it is "
        "8.7.)",
    ),
    Pairing(
        "VGG16 against VGG19",
        ("VGG16", "VGG19"),
        "Three more convolutions: a quarter more work, and hardly any more weights beside the dense layers'.",
    ),
    Pairing(
        "ResNet-50 against VGG16",
        ("VGG16", "ResNet50"),
        "Three times as deep, a quarter of the work, a fifth of the weights: bottlenecks, and no dense layers but one.",
    ),
    Pairing(
        "MobileNet against VGG16",
        ("VGG16", "MobileNet"),
        "Depthwise separable convolutions: 27 times less work and 33 times fewer weights for about the same accuracy.",
    ),
    Pairing(
        "ResNet-18 to 152",
        ("resnet_18", "resnet_34", "resnet_50", "resnet_152"),
        "From 34 to 50 layers the blocks become bottlenecks: deeper, yet hardly more work.",
    ),
)


def ratio_rows(comparison: Comparison, titles: Sequence[str]) -> list[dict[str, str]]:
    """Return the sums of all networks as rows of a table, with their ratio to the first."""
    rows = []
    for one in comparison.ratios:
        row = {"": _QUANTITIES[one.quantity]}
        for title, value, ratio in zip(titles, one.values, one.ratios, strict=True):
            beside = "" if ratio is None or title == titles[0] else f"  (×\u00a0{ratio:.3g})"
            row[title] = f"{value:,}{beside}"
        rows.append(row)
    return rows


def _choose(names: Sequence[str]) -> None:
    STATE.set("compared", ",".join(names))


def _choice() -> list[str]:
    """Draw which networks are compared and return their names; "-" in the link stands for none."""
    titles = {name: one.title for name, one in by_name().items()}
    wanted = settle_several(
        "compared", titles, "network", most=MOST, otherwise=f"{PAIRINGS[0].title} is shown"
    )  # fmt: skip
    if not wanted and STATE.linked("compared") != "-":
        wanted = list(PAIRINGS[0].names)
    shown = "architectures_compared_shown"

    def changed() -> None:
        STATE.set("compared", ",".join(st.session_state[shown]) or "-")

    show_in(shown, wanted)
    st.multiselect(
        "Networks", list(titles), key=shown, on_change=changed, format_func=title_of, max_selections=MOST,
        placeholder="Two to four networks", label_visibility="collapsed",
    )  # fmt: skip
    with st.container(horizontal=True, key="architectures_pairings"):
        for number, pairing in enumerate(PAIRINGS):
            st.button(
                pairing.title, key=f"architectures_pairing_{number}", on_click=_choose, args=(pairing.names,),
                type="primary" if tuple(wanted) == pairing.names else "secondary",
            )  # fmt: skip
    say_unknown("compared")
    return wanted


def _why(names: Sequence[str]) -> None:
    for pairing in PAIRINGS:
        if tuple(names) == pairing.names:
            st.markdown(pairing.why)


def _diagrams(names: tuple[str, ...], titles: tuple[str, ...]) -> None:
    """Draw the networks beside each other, two in a row: a third of the page is too narrow for a diagram."""
    found = kept.beside(names, titles)
    for start in range(0, len(names), _BESIDE):
        columns = st.columns(_BESIDE)
        for column, number in zip(columns, range(start, len(names)), strict=False):
            table = found.tables[number]
            with column:
                parameters = f"{count_text(table.parameters)} parameters"
                st.markdown(f"**{titles[number]}** · {parameters}, {found.held[number]}")
                network_diagram(
                    table,
                    key=f"architectures_beside_{number}_{names[number]}",
                    drawing=kept.drawing_beside(names, titles, number, 640),
                )


def _where(names: tuple[str, ...], titles: tuple[str, ...]) -> None:
    """Draw where parameters and work are in each network, all to one scale, and how far each sees."""
    found, colours = kept.beside(names, titles), palette()
    for start in range(0, len(names), _BESIDE):
        columns = st.columns(_BESIDE, gap="large")
        for column, number in zip(columns, range(start, len(names)), strict=False):
            with column:
                st.caption(f"{titles[number]}: where parameters and work are")
                figure = kept.shares(names[number], colours, found.most)
                st.plotly_chart(figure, config=_PLAIN, key=f"architectures_shares_{number}")
    st.plotly_chart(kept.field(names, titles, colours), config=_PLAIN, key="architectures_fields")
    st.caption(found.field + ".")


def show() -> None:
    """Draw the comparison."""
    chosen = _choice()
    if len(chosen) < 2:
        what = "a second network to compare with" if chosen else "two to four networks, or one of the pairs above"
        st.info(f"Choose {what}.", icon=":material/compare_arrows:")
        return
    names = tuple(chosen)
    titles = tuple(by_name()[name].title for name in names)
    if len(set(titles)) < len(titles):
        titles = tuple(title_of(name) for name in names)
    found = kept.beside(names, titles)
    _why(names)
    st.table(ratio_rows(found.comparison, titles), border="horizontal")
    _diagrams(names, titles)
    _where(names, titles)
    st.subheader("Layer beside layer", anchor=False)
    only = STATE.switch("differing")
    st.dataframe(
        kept.layers_beside(names, titles, only), hide_index=True, key="architectures_aligned", height=460,
    )  # fmt: skip
    with st.container(horizontal=True, key="architectures_compare_take"):
        st.download_button(
            "Layers (CSV)",
            lambda: export.csv_file(export.csv_of_comparison(found.comparison, found.tables, titles)),
            "comparison.csv", "text/csv", icon=":material/download:", key="architectures_compare_csv",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Ratios (LaTeX)", lambda: export.latex_of_ratios(found.comparison, titles), "ratios.tex", "text/x-tex",
            icon=":material/download:", key="architectures_compare_latex", on_click="ignore",
        )  # fmt: skip
