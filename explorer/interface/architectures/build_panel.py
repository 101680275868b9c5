"""Build your own: a stack of layers that can be edited, with shapes and counts at every step, and Keras code out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.architectures import export
from explorer.architectures import stack as stacks
from explorer.architectures.blocks.block import Setting
from explorer.architectures.stack import KINDS, PRESETS, Stack, StackError, StackReport, StackRow
from explorer.architectures.wording import counted
from explorer.interface.architectures.drawn import key_part, refused, told
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
    text = "" if stack == PRESETS[0].stack else stacks.to_text(stack)
    before = st.session_state.setdefault(_UNDO, [])
    if STATE.value("stack") != text:
        before.append(STATE.value("stack"))
    del before[:-MOST_UNDONE]
    STATE.set("stack", text)
    st.session_state.pop(_REFUSED, None)


def _undo() -> None:
    st.session_state.pop(_REFUSED, None)
    if st.session_state.get(_UNDO):
        STATE.set("stack", st.session_state[_UNDO].pop())


def _kinds(stack: Stack) -> list[str]:
    return [layer.kind for layer in stack.layers]


def _applied(edit: Callable[..., Stack], drawn: Stack, *arguments: Any, **named: Any) -> bool:
    """Return whether an edit from a callback was applied; one that cannot be leaves the stack as it is and says why.

    A number that was typed and the button that was pressed after it may arrive together: the second edit is made to
    what the first has left. Where that has other layers than those that were drawn, its index means another layer.
    """
    stack, _ = current()
    if _kinds(stack) != _kinds(drawn):
        return False
    try:
        _put(edit(stack, *arguments, **named))
    except StackError as error:
        st.session_state[_REFUSED] = str(error)
        return False
    return True


def _edit(edit: Callable[..., Stack], drawn: Stack, *arguments: Any) -> None:
    """Apply the edit of a button."""
    _applied(edit, drawn, *arguments)


def _by_widget(edit: Callable[..., Stack], drawn: Stack, *arguments: Any, **named: Any) -> None:
    """Apply an edit that its widget shows already."""
    if _applied(edit, drawn, *arguments, **named):
        told("stack", STATE.value("stack"))
    else:
        refused("stack")


def _set_argument(stack: Stack, index: int, argument: Setting, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        value = int(value) if argument.kind == "count" else value
        _by_widget(stacks.changed, stack, index, **{argument.name: value})


_MAP_SIDES = (
    ("height", "Input height", stacks.LARGEST_SIDE),
    ("width", "Input width", stacks.LARGEST_SIDE),
    ("channels", "Input channels", stacks.LARGEST_SIDE),
)
_VECTOR_SIDES = (("values", "Input values", stacks.LARGEST_VECTOR),)


def _sides(stack: Stack) -> tuple[tuple[str, str, int], ...]:
    """Return name, label and greatest number of each side of the input: a vector has but one."""
    return _VECTOR_SIDES if len(stack.input_shape) == 1 else _MAP_SIDES


def _side_key(side: str, drawn: str) -> str:
    return f"architectures_input_{side}_{drawn}"


def _set_input(stack: Stack, drawn: str) -> None:
    shape = [st.session_state[_side_key(side, drawn)] for side, _, _ in _sides(stack)]
    if None not in shape:
        _by_widget(stacks.with_input, stack, tuple(int(side) for side in shape))


def _argument(stack: Stack, index: int, argument: Setting, drawn: str) -> None:
    """Draw the widget of one argument of one layer."""
    value = stack.layers[index].arguments[argument.name]
    key = f"architectures_layer_{index}_{argument.name}_{drawn}"
    more: dict[str, Any] = {"key": key, "on_change": _set_argument, "args": (stack, index, argument, key)}
    if argument.kind == "switch":
        st.toggle(argument.label, value, **more)
    elif argument.kind == "choice":
        options = list(argument.options)
        st.selectbox(
            argument.label, options, index=options.index(value), format_func=argument.options.__getitem__, **more
        )
    elif argument.kind == "count":
        st.number_input(argument.label, int(argument.low), int(argument.high), value, step=1, **more)
    else:
        st.slider(
            argument.label, float(argument.low), float(argument.high), float(value), step=float(argument.step), **more
        )


def _row(stack: Stack, row: StackRow, broken: int | None, drawn: str) -> None:
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
                _argument(stack, index, argument, drawn)
        if index == broken:
            st.markdown(":red[does not fit]", width=104)
        else:
            st.markdown(shape_text(row.shape) if row.shape is not None else "–", width=104)
        st.caption(counted(row.parameters, "parameters") if row.parameters else "", width=128)
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
            width=205,
        )
        places = list(range(len(stack.layers) + 1))

        def place_words(place: int) -> str:
            if place == len(stack.layers):
                return "at the end"
            return f"before {place + 1}, {KINDS[stack.layers[place].kind].title}"

        # Another stack or another kind of layer has another usual place.
        usual = stacks.usual_place(stack, kind)
        place = st.selectbox(
            "Where", places, index=usual, format_func=place_words, width=205,
            key=f"architectures_new_place_{len(places)}_{kind}_{usual}",
        )  # fmt: skip
        st.button(
            "Add", icon=":material/add:", type="primary", key="architectures_add_layer",
            on_click=_edit, args=(stacks.add, stack, place, stacks.layer(kind)),
        )  # fmt: skip
        st.button(
            "Undo", icon=":material/undo:", key="architectures_undo", on_click=_undo,
            disabled=not st.session_state.get(_UNDO),
        )  # fmt: skip


def _start(stack: Stack, drawn: str) -> None:
    """Draw presets and the input's shape."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="architectures_start"):
        with st.popover("Begin with", icon=":material/stacks:"):
            for one in PRESETS:
                st.button(
                    one.title, key=f"architectures_begin_{one.name}", on_click=_put, args=(one.stack,), width="stretch",
                )  # fmt: skip
        for (side, label, high), value in zip(_sides(stack), stack.input_shape, strict=True):
            st.number_input(
                label, 1, high, value, step=1, key=_side_key(side, drawn), on_change=_set_input, args=(stack, drawn),
                width=130,
            )  # fmt: skip


def _take(stack: Stack, report: StackReport) -> None:
    """Draw code, link and what goes on from here."""
    with st.container(horizontal=True, key="architectures_build_take", vertical_alignment="center"):
        training = next((page for page in PAGES if page.address == "training"), None)
        if training is not None and report.broken is None:
            st.link_button(
                "Train it", f"/training?training_stack={stacks.to_text(stack)}", icon=":material/model_training:"
            )
        st.download_button(
            "Table (CSV)", lambda: export.csv_file(export.csv_of(report.table)), "my_network.csv", "text/csv",
            icon=":material/download:", key="architectures_stack_csv", on_click="ignore",
            disabled=report.broken is not None,
        )  # fmt: skip
        st.download_button(
            "Table (LaTeX)", lambda: export.latex_of(report.table, "My network"), "my_network.tex", "text/x-tex",
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
    drawn = key_part("stack", STATE.value("stack"))
    _start(stack, drawn)
    report = stacks.report(stack)
    if refused := st.session_state.get(_REFUSED):
        st.warning(refused, icon=":material/block:")
    if report.broken is not None:
        st.error(f"Layer {report.broken + 1} does not fit: {report.sentence}", icon=":material/link_off:")
    table = report.table
    st.markdown(
        f"**{counted(table.parameters, 'parameters')}** · {count_text(table.multiply_adds)} multiply-adds · "
        f"{count_text(table.activations)} activations · depth {table.depth}"
    )
    left, right = st.columns([5, 3], gap="medium")
    with left:
        for row in report.rows:
            _row(stack, row, report.broken, drawn)
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
            title="My network",
            broken=dict.fromkeys(clashing, report.sentence),
        )
        if charts.field_steps(table):
            st.plotly_chart(
                charts.field_along_depth([table], palette()), config=_PLAIN, key="architectures_stack_field"
            )
    _take(stack, report)
