"""The blocks lab: a building block's variants side by side, with sliders, live counts, formulas, and what it bought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st

from explorer.architectures.blocks.block import Block, Live, Setting, Variant
from explorer.architectures.blocks.table import BLOCKS
from explorer.architectures.wording import counted
from explorer.interface.architectures.drawn import key_part, told
from explorer.interface.architectures.link_names import matching, note, put, quoted, say_unknown, settle
from explorer.interface.architectures.page_state import STATE
from explorer.interface.components.network_diagram import network_diagram
from explorer.interface.figures.plain_figure import PlainFigure, plain_base, title_above
from explorer.interface.numbers import count_text, shape_text
from explorer.interface.state import show_in
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
    preset, values, _ = _read(block, text)
    return preset, values


def unread(block: Block, text: str) -> str:
    """Return a sentence about what of a link's text could not be read; "" where all of it was."""
    return _read(block, text)[2]


def _read(block: Block, text: str) -> tuple[str, dict[str, Any], str]:
    name, _, rest = text.partition(";")
    presets = [one.name for one in block.presets]
    preset = matching(name, presets) or presets[0]
    sentence = ""
    if name and not matching(name, presets):
        sentence = f"{block.title} has no example called {quoted(name)}; “{block.presets[0].title}” is shown."
    values = block.values(preset)
    if not rest:
        return preset, values, sentence
    said: Any = None
    if len(text) <= LONGEST:
        with suppress(ValueError, RecursionError):
            said = json.loads(rest)
    if not isinstance(said, dict):
        return preset, values, sentence or f"The settings of {block.title} in the link cannot be read."
    for setting in block.settings:
        if setting.name in said and setting.takes(said[setting.name]):
            values[setting.name] = said[setting.name]
    strange = [str(name) for name in said if name not in values or values[name] != said[name]]
    if strange and not sentence:
        sentence = f"{block.title} cannot have {quoted(strange[0])} as the link says; its usual value is shown."
    return preset, values, sentence


def text_of(block: Block, preset: str, values: Mapping[str, Any]) -> str:
    """Return settings as text for a link: what differs from the preset; "" for the first preset as it is."""
    usual = block.values(preset)
    changed = {name: value for name, value in values.items() if value != usual[name]}
    if not changed:
        return "" if preset == block.presets[0].name else preset
    return f"{preset};{json.dumps(changed, separators=(',', ':'))}"


def _changed(block: Block, preset: str, values: Mapping[str, Any], setting: Setting, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        if setting.kind == "count":
            value = int(value)
        text = text_of(block, preset, {**values, setting.name: value})
        STATE.set("values", text)
        told("values", f"{block.name};{text}")


def _preset_chosen(block: Block, preset: str) -> None:
    # A click on the lit one unlights it: it is chosen again.
    chosen = st.session_state[f"architectures_preset_{block.name}"] or preset
    STATE.set("values", text_of(block, chosen, block.values(chosen)))


def _draw(block: Block, preset: str, values: Mapping[str, Any], setting: Setting, drawn: str) -> None:
    """Draw the widget of one setting."""
    value = values[setting.name]
    key = f"architectures_block_{block.name}_{setting.name}_{drawn}"
    more: dict[str, Any] = {
        "key": key,
        "help": setting.help or None,
        "on_change": _changed,
        "args": (block, preset, dict(values), setting, key),
    }
    if setting.kind == "switch":
        st.toggle(setting.label, value, **more)
    elif setting.kind == "choice":
        options = list(setting.options)
        st.selectbox(
            setting.label, options, index=options.index(value), format_func=setting.options.__getitem__, **more
        )
    elif setting.choices:
        there = sorted({*setting.choices, value})
        st.select_slider(setting.label, there, value, **more)
    elif setting.kind == "count":
        st.slider(setting.label, int(setting.low), int(setting.high), value, step=1, **more)
    else:
        st.slider(
            setting.label, float(setting.low), float(setting.high), float(value), step=float(setting.step), **more
        )


def lit(block: Block, preset: str, values: Mapping[str, Any]) -> str | None:
    """Return the example that has just these values: the chosen one rather than another; None where none has."""
    names = [preset, *(one.name for one in block.presets)]
    return next((name for name in names if block.values(name) == values), None)


def _settings(block: Block, preset: str, values: Mapping[str, Any]) -> None:
    """Draw presets and settings of a block."""
    drawn = key_part("values", f"{block.name};{STATE.value('values')}")
    if len(block.presets) > 1:
        titles = {one.name: one.title for one in block.presets}
        key = f"architectures_preset_{block.name}"
        show_in(key, lit(block, preset, values))
        st.pills(
            "Example", list(titles), format_func=titles.__getitem__, key=key,
            on_change=_preset_chosen, args=(block, preset), label_visibility="collapsed",
        )  # fmt: skip
    shown = [setting for setting in block.settings if setting.shown(values)]
    main = [setting for setting in shown if setting.main]
    for start in range(0, len(main), 4):
        row = main[start : start + 4]
        for column, setting in zip(st.columns(4), row, strict=False):
            with column:
                _draw(block, preset, values, setting, drawn)
    rest = [setting for setting in shown if not setting.main]
    if rest:
        with st.popover("More settings", icon=":material/settings:"):
            for setting in rest:
                _draw(block, preset, values, setting, drawn)


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
                "Parameters": f"{table.parameters:,}",
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
    weights = counted(1, "parameters") if table.parameters == 1 else f"{count_text(table.parameters)} parameters"
    costs = f"{weights} · {count_text(table.multiply_adds)} multiply-adds"
    st.markdown(f"**{variant.title}** · {costs}")
    clash = variant.clash
    if clash is not None:
        st.error(clash.sentence, icon=":material/link_off:")
    network_diagram(
        table,
        key=f"architectures_block_{block.name}_{number}",
        height=340,
        open_to="layers",
        title=f"{block.title}: {variant.title}",
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
                st.markdown(r"$\text{parameters} = " + variant.weights + "$")
            if variant.work:
                st.markdown(r"$\text{multiply-adds} = " + variant.work + "$")
        letters = {one.symbol: one for variant in told for one in variant.letters}
        st.caption(", ".join(f"${one.symbol}$ = {one.value:g} ({one.meaning})" for one in letters.values()))


def _live_chart(live: Live, colours: Palette) -> PlainFigure:
    figure = plain_base(colours, height=270, bottom=40, top=10 if len(live.curves) > 1 else 30)
    for number, curve in enumerate(live.curves):
        colour = colours.lines[number % len(colours.lines)]
        look: dict[str, Any] = (
            {"marker": {"color": colour}} if live.bars else {"mode": "lines", "line": {"color": colour, "width": 2}}
        )
        places = list(range(1, len(curve.values) + 1))
        figure.add("bar" if live.bars else "scatter", name=curve.title, x=places, y=list(curve.values), **look)
    figure.lay_out(
        showlegend=len(live.curves) > 1,
        legend={"orientation": "h", "x": 0, "y": 1.15, "yanchor": "bottom"},
        xaxis={"title": {"text": live.x_title, "standoff": 4}},
    )
    title_above(figure, live.y_title, colours)
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
    titles = {block.name: block.title for block in BLOCKS}
    settle("block", titles, "block", BLOCKS[0].name)
    return STATE.pick(
        "block", list(titles), format_func=titles.__getitem__, width=300, on_change=_another,
        label_visibility="collapsed",
    )  # fmt: skip


def show(name: str) -> None:
    """Draw one block of the lab."""
    block = next(one for one in BLOCKS if one.name == name)
    say_unknown("block")
    text = STATE.linked("values")
    preset, values = values_of(block, text)
    if sentence := unread(block, text):
        note("values", sentence)
        put("values", text_of(block, preset, values))
    say_unknown("values")
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
