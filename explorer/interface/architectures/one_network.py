"""One network taken apart: its diagram, where its weights are against where its work is, and every layer in a table."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.architectures import export
from explorer.architectures.results import Card, NetworkTable
from explorer.architectures.tables import table_of
from explorer.architectures.wording import counted
from explorer.interface.architectures import kept
from explorer.interface.architectures.link_names import (
    matching,
    note,
    put,
    quoted,
    say_unknown,
    segments,
    settle,
    settled,
)
from explorer.interface.architectures.page_state import FIRST_NETWORK, RENAMED, STATE, by_name, title_of
from explorer.interface.components.network_diagram import (
    block_title,
    layers_in,
    network_diagram,
    weights_formula,
)
from explorer.interface.figures import architecture_charts as charts
from explorer.interface.numbers import count_text, shape_text, share_text
from explorer.interface.theme import palette
from explorer.networks import catalogue

_PLAIN = {"displayModeBar": False}
# The picture below is what the screen is for.
_SMALL_SUMS = """<style>
.st-key-architectures_sums { row-gap: .2rem; }
.st-key-architectures_sums [data-testid="stMetricValue"] { font-size: 1.35rem; }
</style>"""


def choice() -> str:
    """Draw which network is looked at and return its name."""
    settle("network", {name: one.title for name, one in by_name().items()}, "network", FIRST_NETWORK)
    return STATE.pick(
        "network",
        list(by_name()),
        index=_first(),
        format_func=title_of,
        width=300,
        on_change=_another,
        label_visibility="collapsed",
    )


def _first() -> int:
    return list(by_name()).index(STATE.items["network"].default)


def _another() -> None:
    STATE.set("layer", "")


def facts(table: NetworkTable) -> None:
    """Draw the sums of a network in one row."""
    st.html(_SMALL_SUMS)
    with st.container(horizontal=True, key="architectures_sums", gap="medium"):
        for label, value, exact in (
            (
                "Parameters",
                count_text(table.parameters),
                f"{counted(table.parameters, 'parameters')}, {table.trainable:,} of them trained",
            ),
            ("Multiply-adds", count_text(table.multiply_adds), f"{table.multiply_adds:,} for one picture"),
            (
                "Activations",
                count_text(table.activations),
                f"{table.activations:,} values in all layers' outputs for one picture; an activation written as a "
                "layer of its own counts again",
            ),
            ("Depth", str(table.depth), "Layers with weights on the longest way from input to output"),
            ("Layers", str(len(table.structure.layers)), "Calls of layers, those without weights too"),
            ("Input", shape_text(table.input_shape), "Height × width × channels"),
        ):
            st.metric(label, value, help=exact, width="content")


def about(card: Card) -> None:
    """Say what was new in a network, and where it was published."""
    accuracy = ""
    if card.top1 is not None:
        accuracy = f" Top-1 {card.top1:.1f} %" + (f", top-5 {card.top5:.1f} %" if card.top5 is not None else "")
        accuracy += f" ({card.accuracy_source})." if card.accuracy_source else "."
    year = "" if card.year is None else f"**{card.year}.** "
    paper = f"[{card.paper}]({card.url})" if card.url else card.paper
    st.markdown(f"{year}{card.idea} {paper}.{accuracy}")
    if card.note:
        st.caption(card.note)


def _selected(network: str) -> None:
    chosen = getattr(st.session_state.get(f"architectures_diagram_{network}"), "selected", None)
    STATE.set("layer", chosen if isinstance(chosen, str) else "")


def one_layer(table: NetworkTable, path: str) -> None:
    """Draw what one layer costs, with the product that its weights are."""
    layer, cost = table.structure.layers[path], table.costs[path]
    said = [
        f"**{path}** · {layer.kind} to {shape_text(layer.output_shape)}",
        f"{counted(cost.parameters, 'parameters')} ({share_text(cost.parameters / max(1, table.parameters))})",
        f"{counted(cost.multiply_adds, 'multiply-adds')} "
        f"({share_text(cost.multiply_adds / max(1, table.multiply_adds))})",
    ]
    if product := weights_formula(layer, table.structure.layers):
        said.append(f"its parameters: {product}")
    if cost.sees_all:
        said.append("depends on the whole picture")
    elif cost.field:
        said.append(f"a cell sees {shape_text(cost.field)} pixels")
    st.markdown(" · ".join(said))


def one_block(table: NetworkTable, title: str, paths: Sequence[str]) -> None:
    """Draw what a stage or block costs in all."""
    parameters = sum(table.costs[path].parameters for path in paths)
    work = sum(table.costs[path].multiply_adds for path in paths)
    st.markdown(
        f"**{title}** · {counted(len(paths), 'layers')} · "
        f"{counted(parameters, 'parameters')} ({share_text(parameters / max(1, table.parameters))}) · "
        f"{counted(work, 'multiply-adds')} ({share_text(work / max(1, table.multiply_adds))})"
    )


def see_inside(name: str) -> None:
    """Draw the ways to this network's feature maps and explanations."""
    if name not in {entry.name for entry in catalogue.entries()}:
        return
    trained = catalogue.entry(name).weights is not None
    said = "" if trained else "&{page}_weights=random"
    for page, label, icon in (
        ("feature_maps", "Feature maps", ":material/grid_view:"),
        ("explanations", "Explanations", ":material/visibility:"),
    ):
        address = f"/{page}?{page}_network={name}" + said.format(page=page)
        st.link_button(label, address, icon=icon)


def downloads(table: NetworkTable, title: str) -> None:
    """Draw what one takes along."""
    st.download_button(
        "Table (CSV)", lambda: export.csv_file(export.csv_of(table)), f"{table.name}.csv", "text/csv",
        icon=":material/download:", key="architectures_csv", on_click="ignore",
    )  # fmt: skip
    st.download_button(
        "Table (LaTeX)", lambda: export.latex_of(table, title), f"{table.name}.tex", "text/x-tex",
        icon=":material/download:", key="architectures_latex", on_click="ignore",
    )  # fmt: skip


def _layer(card: Card, table: NetworkTable) -> str:
    """Return the layer or block of the link; one that there is not is told."""
    said = STATE.linked("layer")
    if not said or layers_in(table, said):
        return said
    found = matching(said, table.costs) or ""
    put("layer", found)
    if not found:
        note("layer", f"{card.title} has no layer called {quoted(said)}.")
    return STATE.linked("layer")


def show(name: str) -> None:
    """Draw one network."""
    card, table, words = by_name()[name], table_of(name), kept.words(name)
    colours = palette()
    say_unknown("network")
    about(card)
    facts(table)
    st.markdown(words.lesson)
    measure = settled("measure", charts.TITLES, "measure", RENAMED)
    layer = _layer(card, table)
    picked = layers_in(table, layer)
    say_unknown("layer")
    network_diagram(
        table,
        key=f"architectures_diagram_{name}",
        measure=measure,
        selected=layer if picked else None,
        title=card.title,
        on_select=lambda: _selected(name),
        drawing=kept.drawing(name, measure),
    )
    if layer in table.costs:
        one_layer(table, layer)
    elif picked:
        one_block(table, block_title(table, layer), picked)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Where the parameters are, where the work is", anchor=False)
        st.plotly_chart(kept.shares(name, colours), config=_PLAIN, key="architectures_butterfly")
        st.caption(words.shares + ".")
    with right:
        measure = segments("measure", charts.TITLES, "measure", RENAMED)
        say_unknown("measure")
        figure = kept.bars(name, measure, colours)
        if layer in table.costs:
            figure = charts.with_layer(figure, table, measure, layer, colours)
        st.plotly_chart(figure, config=_PLAIN, key="architectures_bars")
        st.caption(words.bars[measure] + ".")
    # Over the whole width: it is the one that has many steps, and beside the others it would leave a hole.
    if words.has_field:
        figure = kept.field((name,), (card.title,), colours)
        st.plotly_chart(figure, config=_PLAIN, key="architectures_field")
    st.caption(words.field + ".")
    with st.container(horizontal=True, key="architectures_take", vertical_alignment="center"):
        see_inside(name)
        downloads(table, card.title)
    st.dataframe(
        kept.layers(name),
        hide_index=True,
        key="architectures_layers",
        height=420,
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("Parameters", "Trained", "Multiply-adds", "Activations")
        },
    )
    for sentence in table.notes:
        st.caption(sentence)
