"""The blocks lab: a building block's variants side by side, with sliders, live counts, formulas, and what it bought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.architectures.blocks.block import Block, Live, Setting, Variant
from explorer.architectures.blocks.table import BLOCKS
from explorer.interface.architectures.page_state import STATE
from explorer.interface.components.network_diagram import network_diagram
from explorer.interface.figures.charts import base
from explorer.interface.numbers import count_text, shape_text
from explorer.interface.theme import Palette, palette

_PLAIN = {"displayModeBar": False}
BESIDE = 2
"""So many variants stand beside each other: in narrower columns their diagrams are cut off."""

LONGEST = 2000
"""Characters of a link that settings may take."""


def values_of(block: Block, text: str) -> tuple[str, dict[str, Any]]:
    """Return preset and settings that a link's text holds; what is malformed or outside its limits has its default.

    Args:
        block: Whose settings.
        text: "preset" or "preset;{"name": value, …}".
    """
    name, _, rest = text.partition(";")
    preset = name if name in {one.name for one in block.presets} else block.presets[0].name
    values = block.values(preset)
    if rest and len(text) <= LONGEST:
        try:
            said = json.loads(rest)
        except (ValueError, RecursionError):
            said = {}
        for setting in block.settings:
            if isinstance(said, dict) and setting.name in said and setting.takes(said[setting.name]):
                values[setting.name] = said[setting.name]
    return preset, values


def text_of(block: Block, preset: str, values: Mapping[str, Any]) -> str:
    """Return settings as text for a link: what differs from the preset; "" for the first preset as it is."""
    usual = block.values(preset)
    changed = {name: value for name, value in values.items() if value != usual[name]}
    if not changed:
        return "" if preset == block.presets[0].name else preset
    return f"{preset};{json.dumps(changed, separators=(',', ':'))}"


def _key(block: Block, setting: Setting) -> str:
    return f"architectures_block_{block.name}_{setting.name}"


def _changed(block: Block, preset: str, values: Mapping[str, Any], setting: Setting) -> None:
    value = st.session_state[_key(block, setting)]
    if value is not None:
        if setting.kind == "count":
            value = int(value)
        STATE.set("values", text_of(block, preset, {**values, setting.name: value}))


def _preset_chosen(block: Block) -> None:
    chosen = st.session_state[f"architectures_preset_{block.name}"]
    STATE.set("values", text_of(block, chosen, block.values(chosen)))


def _draw(block: Block, preset: str, values: Mapping[str, Any], setting: Setting) -> None:
    """Draw the widget of one setting."""
    key = _key(block, setting)
    if st.session_state.get(key) != values[setting.name]:
        st.session_state[key] = values[setting.name]
    more: dict[str, Any] = {
        "key": key,
        "help": setting.help or None,
        "on_change": _changed,
        "args": (block, preset, dict(values), setting),
    }
    if setting.kind == "switch":
        st.toggle(setting.label, **more)
    elif setting.kind == "choice":
        st.selectbox(setting.label, list(setting.options), format_func=setting.options.__getitem__, **more)
    elif setting.choices:
        there = sorted({*setting.choices, values[setting.name]})
        st.select_slider(setting.label, there, **more)
    elif setting.kind == "count":
        st.slider(setting.label, int(setting.low), int(setting.high), step=1, **more)
    else:
        st.slider(setting.label, float(setting.low), float(setting.high), step=float(setting.step), **more)


def _settings(block: Block, preset: str, values: Mapping[str, Any]) -> None:
    """Draw presets and settings of a block."""
    if len(block.presets) > 1:
        key = f"architectures_preset_{block.name}"
        if st.session_state.get(key) != preset:
            st.session_state[key] = preset
        titles = {one.name: one.title for one in block.presets}
        st.pills(
            "Example", list(titles), format_func=titles.__getitem__, key=key, required=True,
            on_change=_preset_chosen, args=(block,), label_visibility="collapsed",
        )  # fmt: skip
    shown = [setting for setting in block.settings if setting.shown(values)]
    main = [setting for setting in shown if setting.main]
    for start in range(0, len(main), 4):
        row = main[start : start + 4]
        for column, setting in zip(st.columns(4), row, strict=False):
            with column:
                _draw(block, preset, values, setting)
    rest = [setting for setting in shown if not setting.main]
    if rest:
        with st.popover("More", icon=":material/tune:"):
            for setting in rest:
                _draw(block, preset, values, setting)


def _compared(variants: tuple[Variant, ...]) -> None:
    """Draw the counts of all variants in one table, the first being the measure."""
    fits = [variant for variant in variants if variant.clash is None]
    if len(fits) < 1:
        return
    first = fits[0].table
    rows = []
    for variant in fits:
        table = variant.table
        last = list(table.structure.layers.values())[-1]
        field = list(table.costs.values())[-1].field
        rows.append(
            {
                "": variant.title,
                "Output": shape_text(last.output_shape),
                "Weights": f"{table.parameters:,}",
                "of the first": _ratio(table.parameters, first.parameters),
                "Multiply-adds": f"{table.multiply_adds:,}",
                "of the first ": _ratio(table.multiply_adds, first.multiply_adds),
                "Activations": f"{table.activations:,}",
                "Sees": shape_text(field) if field else "",
            }
        )
    st.table(rows, border="horizontal")


def _ratio(value: int, first: int) -> str:
    return f"× {value / first:.3g}" if first else "–"


def _variant(block: Block, number: int, variant: Variant) -> None:
    """Draw one variant: diagram, formulas, code."""
    table = variant.table
    costs = f"{count_text(table.parameters)} weights · {count_text(table.multiply_adds)} multiply-adds"
    st.markdown(f"**{variant.title}** · {costs}")
    clash = variant.clash
    if clash is not None:
        st.error(clash.sentence, icon=":material/link_off:")
    network_diagram(
        table,
        key=f"architectures_block_{block.name}_{number}",
        height=340,
        open_to="layers",
        tools=False,
        broken={clash.path: clash.sentence} if clash is not None else None,
    )
    if variant.note:
        st.caption(variant.note)


def _formulas(variants: tuple[Variant, ...]) -> None:
    """Draw how the counts come about, with letters: too long to stand beside each other."""
    told = [variant for variant in variants if variant.weights or variant.work]
    if not told:
        return
    with st.expander("Formulas", icon=":material/function:", expanded=True):
        for variant in told:
            st.markdown(f"**{variant.title}**")
            if variant.weights:
                st.markdown(r"$\text{weights} = " + variant.weights + "$")
            if variant.work:
                st.markdown(r"$\text{multiply-adds} = " + variant.work + "$")
        letters = {one.symbol: one for variant in told for one in variant.letters}
        st.caption(", ".join(f"${one.symbol}$ = {one.value:g} ({one.meaning})" for one in letters.values()))


def _live_chart(live: Live, colours: Palette) -> go.Figure:
    figure = base(colours, height=260, bottom=40, top=26)
    for number, curve in enumerate(live.curves):
        places = list(range(1, len(curve.values) + 1))
        colour = colours.lines[number % len(colours.lines)]
        if live.bars:
            figure.add_bar(name=curve.title, x=places, y=list(curve.values), marker={"color": colour})
        else:
            figure.add_scatter(
                name=curve.title, x=places, y=list(curve.values), mode="lines", line={"color": colour, "width": 2}
            )
    figure.update_layout(showlegend=len(live.curves) > 1, legend={"orientation": "h", "x": 0, "y": 1.2})
    figure.update_xaxes(title={"text": live.x_title, "standoff": 4})
    figure.update_yaxes(title={"text": live.y_title, "standoff": 6})
    return figure


def _live(live: Live) -> None:
    st.markdown(f"**{live.title}**")
    st.plotly_chart(_live_chart(live, palette()), config=_PLAIN, key="architectures_live")
    st.caption(" · ".join(f"{name}: {value}" for name, value in live.numbers.items()))
    st.markdown(live.sentence)


def _another() -> None:
    STATE.set("values", "")


def choice() -> str:
    """Draw which block is looked at and return its name."""
    names = {block.name: block for block in BLOCKS}
    return STATE.pick(
        "block", list(names), format_func=lambda name: names[name].title, width=300, on_change=_another,
        label_visibility="collapsed",
    )  # fmt: skip


def show(name: str) -> None:
    """Draw one block of the lab."""
    block = next(one for one in BLOCKS if one.name == name)
    preset, values = values_of(block, STATE.linked("values"))
    st.markdown(f"*{block.question}*")
    _settings(block, preset, values)
    variants = block.build(values)
    st.markdown(f"**{block.lesson(values, variants)}**")
    for start in range(0, len(variants), BESIDE):
        columns = st.columns(min(BESIDE, len(variants)))
        for column, number in zip(columns, range(start, len(variants)), strict=False):
            with column:
                _variant(block, number, variants[number])
    _compared(variants)
    _formulas(variants)
    if block.live is not None:
        _live(block.live(values))
    with st.expander("Show the code", icon=":material/code:"):
        for variant in variants:
            if variant.clash is None:
                st.caption(variant.title)
                st.code(variant.sketch.code(), language="python")
    st.caption(f"Source: {block.source}")
