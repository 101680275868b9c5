"""One widget for each knob that a lesson or its data declares; what is chosen goes into the link by the caller."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.interface.state import show_in
from explorer.interface.training.page_state import STATE
from explorer.runs.lessons.lesson import LONGEST_TEXT, Knob

Changed = Callable[[str, Any], None]
"""Called from a callback with a knob's name and its new value."""

FEW_OPTIONS = 4
FEW_LETTERS = 44
"""Options whose words together are no longer stand beside each other as buttons."""


def knob_widget(knob: Knob, value: Any, prefix: str, changed: Changed) -> None:
    """Draw a knob; a link may hide it by its name.

    Args:
        knob: what can be set.
        value: what it is set to, checked.
        prefix: of the widget's key: the lesson's or the source's name.
        changed: told what a visitor sets.
    """
    key = f"training_{prefix}_{knob.name}_shown"

    def heard() -> None:
        said = st.session_state[key]
        if said is not None and said != []:
            changed(knob.name, tuple(said) if knob.kind == "choices" else said)

    with STATE.part(knob.name):
        _DRAW[knob.kind](knob, value, key, heard)


def _choice(knob: Knob, value: Any, key: str, heard: Callable[[], None]) -> None:
    options = list(knob.options)
    show_in(key, value)
    words = sum(len(printed) for printed in knob.options.values())
    if len(options) <= FEW_OPTIONS and words <= FEW_LETTERS:
        st.segmented_control(
            knob.label, options, format_func=knob.options.__getitem__, key=key, on_change=heard, required=True,
            help=knob.help or None,
        )  # fmt: skip
    else:
        st.selectbox(
            knob.label, options, format_func=knob.options.__getitem__, key=key, on_change=heard, help=knob.help or None
        )


def _choices(knob: Knob, value: Any, key: str, heard: Callable[[], None]) -> None:
    # The browser lists them in the order of the clicks.
    if set(st.session_state.get(key) or ()) != set(value):
        st.session_state[key] = list(value)
    st.pills(
        knob.label, list(knob.options), selection_mode="multi", format_func=knob.options.__getitem__, key=key,
        on_change=heard, help=knob.help or None, wrap=True,
    )  # fmt: skip


def _number(knob: Knob, value: Any, key: str, heard: Callable[[], None]) -> None:
    whole = knob.kind == "integer"
    if knob.logarithmic and knob.low is not None and knob.high is not None:
        options = factors(knob.low, knob.high, whole, value)
        show_in(key, value)
        st.select_slider(
            knob.label, options, format_func=lambda number: f"{number:g}", key=key, on_change=heard,
            help=knob.help or None,
        )  # fmt: skip
        return
    kind = int if whole else float
    low, high = (None if limit is None else kind(limit) for limit in (knob.low, knob.high))
    step = kind(knob.step) if knob.step else (1 if whole else None)
    show_in(key, kind(value))
    if low is not None and high is not None and (step is None or (high - low) / step <= 200):
        st.slider(knob.label, low, high, step=step, key=key, on_change=heard, help=knob.help or None)
    else:
        st.number_input(
            knob.label, min_value=low, max_value=high, step=step, key=key, on_change=heard,
            help=_with_limits(knob, low, high),
        )  # fmt: skip


def _with_limits(knob: Knob, low: Any, high: Any) -> str:
    limits = f"From {low:,} to {high:,}." if low is not None and high is not None else ""
    return " ".join(filter(None, [knob.help, limits])) or ""


def factors(low: float, high: float, whole: bool, value: float) -> list[float]:
    """Return 1, 2, 5, 10, … between the limits, or powers of two for whole numbers; limits and value are among them."""
    found: set[float] = {low, high, value}
    if whole:
        found |= {2**power for power in range(0, 40) if low <= 2**power <= high}
        return sorted(int(each) for each in found)
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        found |= {float(f"{digit}e{power}") for digit in (1, 2, 5)}
    return sorted(float(each) for each in found if low <= each <= high)


def _switch(knob: Knob, value: Any, key: str, heard: Callable[[], None]) -> None:
    show_in(key, bool(value))
    st.toggle(knob.label, key=key, on_change=heard, help=knob.help or None)


def _text(knob: Knob, value: Any, key: str, heard: Callable[[], None]) -> None:
    show_in(key, value)
    st.text_area(knob.label, key=key, on_change=heard, help=knob.help or None, max_chars=LONGEST_TEXT, height=100)


_DRAW: dict[str, Callable[[Knob, Any, str, Callable[[], None]], None]] = {
    "choice": _choice,
    "choices": _choices,
    "integer": _number,
    "number": _number,
    "switch": _switch,
    "text": _text,
}
