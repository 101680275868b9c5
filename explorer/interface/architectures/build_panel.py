"""Build your own: a stack of layers that can be edited, with shapes and counts at every step, and Keras code out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.architectures import export
from explorer.architectures import stack as stacks
from explorer.architectures.blocks.block import Setting
from explorer.architectures.stack import KINDS, PRESETS, Stack, StackError, StackReport, StackRow
from explorer.interface.architectures.page_state import STATE
from explorer.interface.components.network_diagram import network_diagram
from explorer.interface.figures import architecture_charts as charts
from explorer.interface.numbers import count_text, shape_text
from explorer.interface.page_table import PAGES
from explorer.interface.theme import palette

_PLAIN = {"displayModeBar": False}
_REFUSED = "architectures_stack_refused"
_UNDO = "architectures_stack_before"
MOST_UNDONE = 30


def current() -> tuple[Stack, str]:
    """Return the stack of the link, and a sentence where it could not be read (the first preset stands then)."""
    text = STATE.linked("stack")
    if not text:
        return PRESETS[0].stack, ""
    try:
        return stacks.from_text(text), ""
    except StackError as error:
        return PRESETS[0].stack, str(error)


def _put(stack: Stack) -> None:
    text = stacks.to_text(stack)
    before = st.session_state.setdefault(_UNDO, [])
    before.append(STATE.value("stack"))
    del before[:-MOST_UNDONE]
    STATE.set("stack", "" if stack == PRESETS[0].stack else text)
    st.session_state.pop(_REFUSED, None)


def _undo() -> None:
    if st.session_state.get(_UNDO):
        STATE.set("stack", st.session_state[_UNDO].pop())


def _edit(edit: Callable[..., Stack], stack: Stack, *arguments: Any, **named: Any) -> None:
    """Apply an edit from a callback; one that cannot be leaves the stack as it is and says why."""
    try:
        _put(edit(stack, *arguments, **named))
    except StackError as error:
        st.session_state[_REFUSED] = str(error)


def _set_argument(stack: Stack, index: int, argument: Setting, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        _edit(stacks.changed, stack, index, **{argument.name: int(value) if argument.kind == "count" else value})


_MAP_SIDES = (
    ("height", "Input height", stacks.LARGEST_SIDE),
    ("width", "Input width", stacks.LARGEST_SIDE),
    ("channels", "Input channels", stacks.LARGEST_SIDE),
)
_VECTOR_SIDES = (("values", "Input values", stacks.LARGEST_VECTOR),)


def _sides(stack: Stack) -> tuple[tuple[str, str, int], ...]:
    """Return name, label and greatest number of each side of the input: a vector has but one."""
    return _VECTOR_SIDES if len(stack.input_shape) == 1 else _MAP_SIDES


def _set_input(stack: Stack) -> None:
    shape = [st.session_state[f"architectures_input_{side}"] for side, _, _ in _sides(stack)]
    if None not in shape:
        _edit(stacks.with_input, stack, tuple(int(side) for side in shape))


def _argument(stack: Stack, index: int, argument: Setting) -> None:
    """Draw the widget of one argument of one layer."""
    value = stack.layers[index].arguments[argument.name]
    # The kind is in the key: another layer that comes to stand here must not take over what was typed for this one.
    key = f"architectures_layer_{index}_{stack.layers[index].kind}_{argument.name}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    more: dict[str, Any] = {"key": key, "on_change": _set_argument, "args": (stack, index, argument, key)}
    if argument.kind == "switch":
        st.toggle(argument.label, **more)
    elif argument.kind == "choice":
        st.selectbox(argument.label, list(argument.options), format_func=argument.options.__getitem__, **more)
    elif argument.kind == "count":
        st.number_input(argument.label, int(argument.low), int(argument.high), step=1, **more)
    else:
        st.slider(argument.label, float(argument.low), float(argument.high), step=float(argument.step), **more)


def _row(stack: Stack, row: StackRow, broken: int | None) -> None:
    """Draw one layer of the stack: what it is, what it gives, and what can be done with it."""
    index, last = row.index, len(stack.layers) - 1
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"architectures_stackrow_{index}", gap="xsmall"
    ):
        with st.popover(row.title, width=245, help=KINDS[row.kind].help or None):
            arguments = KINDS[row.kind].arguments
            if not arguments:
                st.caption("This layer has no settings.")
            for argument in arguments:
                _argument(stack, index, argument)
        if index == broken:
            st.markdown(":red[does not fit]", width=104)
        else:
            st.markdown(shape_text(row.shape) if row.shape is not None else "–", width=104)
        costs = f"{row.parameters:,} weights" if row.parameters else ""
        st.caption(costs, width=104)
        for label, icon, edit, arguments_, there in (
            ("Move up", ":material/arrow_upward:", stacks.move, (index, index - 1), index > 0),
            ("Move down", ":material/arrow_downward:", stacks.move, (index, index + 1), index < last),
            ("Copy", ":material/content_copy:", stacks.copy, (index,), True),
            ("Delete", ":material/delete:", stacks.delete, (index,), True),
        ):
            st.button(
                icon, key=f"architectures_{label.lower().replace(' ', '_')}_{index}", disabled=not there,
                on_click=_edit, args=(edit, stack, *arguments_), type="tertiary", help=f"{label}: layer {index + 1}",
            )  # fmt: skip
    if row.hint:
        st.caption(row.hint)


def _add(stack: Stack) -> None:
    """Draw what adds a layer."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="architectures_add"):
        kind = st.selectbox(
            "New layer",
            list(KINDS),
            format_func=lambda name: KINDS[name].title,
            key="architectures_new_kind",
            width=230,
        )
        places = list(range(len(stack.layers) + 1))

        def place_words(place: int) -> str:
            return "at the end" if place == len(stack.layers) else f"before layer {place + 1}"

        place = st.selectbox(
            "Where", places, index=len(places) - 1, format_func=place_words, width=170,
            key=f"architectures_new_place_{len(places)}",
        )  # fmt: skip
        st.button(
            "Add", icon=":material/add:", type="primary", key="architectures_add_layer",
            on_click=_edit, args=(stacks.add, stack, place, stacks.layer(kind)),
        )  # fmt: skip
        st.button(
            "Undo", icon=":material/undo:", key="architectures_undo", on_click=_undo,
            disabled=not st.session_state.get(_UNDO),
        )  # fmt: skip


def _start(stack: Stack) -> None:
    """Draw presets and the input's shape."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="architectures_start"):
        with st.popover("Begin with", icon=":material/stacks:"):
            for one in PRESETS:
                st.button(
                    one.title, key=f"architectures_begin_{one.name}", on_click=_put, args=(one.stack,), width="stretch",
                )  # fmt: skip
        for (side, label, high), value in zip(_sides(stack), stack.input_shape, strict=True):
            key = f"architectures_input_{side}"
            if st.session_state.get(key) != value:
                st.session_state[key] = value
            st.number_input(label, 1, high, step=1, key=key, on_change=_set_input, args=(stack,), width=130)


def _take(stack: Stack, report: StackReport) -> None:
    """Draw code, link and what goes on from here."""
    with st.container(horizontal=True, key="architectures_build_take", vertical_alignment="center"):
        training = next((page for page in PAGES if page.address == "training"), None)
        if training is not None and report.broken is None:
            st.link_button(
                "Train it", f"/training?training_stack={stacks.to_text(stack)}", icon=":material/model_training:"
            )
        st.download_button(
            "Table (CSV)", export.csv_file(export.csv_of(report.table)), "my_network.csv", "text/csv",
            icon=":material/download:", key="architectures_stack_csv", on_click="ignore",
            disabled=report.broken is not None,
        )  # fmt: skip
        st.download_button(
            "Table (LaTeX)", export.latex_of(report.table, "My network"), "my_network.tex", "text/x-tex",
            icon=":material/download:", key="architectures_stack_latex", on_click="ignore",
            disabled=report.broken is not None,
        )  # fmt: skip
    if report.broken is None:
        with st.expander("Show the code", icon=":material/code:"):
            st.code(stacks.code(stack), language="python")


def show() -> None:
    """Draw the editor."""
    stack, unread = current()
    if unread:
        st.warning(f"{unread} The lecture's cnn2 stands here instead.", icon=":material/link_off:")
    _start(stack)
    report = stacks.report(stack)
    if refused := st.session_state.get(_REFUSED):
        st.warning(refused, icon=":material/block:")
    if report.broken is not None:
        st.error(f"Layer {report.broken + 1} does not fit: {report.sentence}", icon=":material/link_off:")
    table = report.table
    st.markdown(
        f"**{table.parameters:,} weights** · {count_text(table.multiply_adds)} multiply-adds · "
        f"{count_text(table.activations)} activations · depth {table.depth}"
    )
    left, right = st.columns([5, 3], gap="medium")
    with left:
        for row in report.rows:
            _row(stack, row, report.broken)
        if not report.rows:
            st.caption("There is no layer yet: add one.")
        _add(stack)
    with right:
        clashing = report.rows[report.broken].paths[-1:] if report.broken is not None else ()
        network_diagram(
            table,
            key="architectures_stack_diagram",
            height=520,
            open_to="layers",
            broken=dict.fromkeys(clashing, report.sentence),
        )
        if charts.field_steps(table):
            st.plotly_chart(
                charts.field_along_depth([table], palette()), config=_PLAIN, key="architectures_stack_field"
            )
    _take(stack, report)
