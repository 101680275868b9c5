"""What a link says that this page does not understand, and what is shown instead: one sentence each."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.interface.current_picture import plain
from explorer.interface.gradient_flow import places
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE, VIEW_TITLES, settings_of
from explorer.interface.state import Item

_KEPT = "_gradient_flow_not_understood"
"""By property: what the link says, what stood there instead as the page was first drawn."""
_NOW = "_gradient_flow_not_understood_now"
_MOST_QUOTED = 40
_SEVERAL = frozenset({"act_shown", "opt_shown"})
_HELD_BY_NO_WIDGET = _SEVERAL | {*VIEW_TITLES, "act_initialiser", "van_initialiser", "van_at"}


def quoted(text: str) -> str:
    """Return a link's words for a sentence: short, and without anything that would be set as a format."""
    short = text if len(text) <= _MOST_QUOTED else text[: _MOST_QUOTED - 1] + "…"
    return f"“{plain(short)}”"


def look() -> None:
    """Compare what the link says with what the settings can be; call before any of them is drawn."""
    st.session_state[_NOW] = []
    context = get_script_run_ctx(suppress_warning=True)
    came_back = bool(getattr(context, "is_history_navigation", False))
    kept: dict[str, tuple[str, Any]] = st.session_state.setdefault(_KEPT, {})
    for key, said in st.query_params.to_dict().items():
        name = key.removeprefix(f"{STATE.page}_")
        if name == key:
            continue
        if name not in STATE.items:
            say(f"The link names a setting that there is not, {quoted(name)}; the page is shown without it.")
        elif came_back or key not in st.session_state:
            if is_understood(STATE.items[name], said):
                kept.pop(name, None)
            else:
                kept[name] = (said, None)
                _put_right(name, said)


def _put_right(name: str, said: str) -> None:
    """Have page and address say of a property that no widget holds what can be made of the link's words."""
    if name not in _HELD_BY_NO_WIDGET:
        return  # its widget does so
    known = ",".join(part for part in said.split(",") if part in STATE.items[name].options) if name in _SEVERAL else ""
    STATE.set(name, known)
    if known:
        st.query_params[STATE.key(name)] = known
    else:
        del st.query_params[STATE.key(name)]


def forget() -> None:
    """Let go of what was not understood; for a page that begins anew."""
    st.session_state.pop(_KEPT, None)


def say(sentence: str) -> None:
    """Have a sentence said about the link of what the page is drawn from just now."""
    st.session_state.setdefault(_NOW, []).append(sentence)


def is_understood(item: Item, said: str) -> bool:
    """Tell whether a setting can be what a link says; free texts are for whoever reads them."""
    if item.name in VIEW_TITLES:
        return said in VIEW_TITLES[item.name] or said in VIEW_TITLES[item.name].values()
    if item.name in _SEVERAL:
        return said == "-" or set(said.split(",")) <= set(item.options)
    if item.options:
        return said in item.options or said in map(item.format, item.options)
    if isinstance(item.default, bool):
        return said.lower() in ("true", "false")
    if not _is_number(item):
        return True
    low, high = _limits(item)
    try:
        return low <= float(said) <= high
    except ValueError:
        return False


def _is_number(item: Item) -> bool:
    return item.name == "van_at" or (isinstance(item.default, int | float) and not isinstance(item.default, bool))


def _limits(item: Item) -> tuple[float, float]:
    if item.name == "van_at":  # a step of those that are made
        steps = st.query_params.get(STATE.key("van_steps"), str(STATE.value("van_steps")))
        return 0, int(steps) if steps.isdecimal() and len(steps) < 4 else 0
    if item.low is None or item.high is None:
        return (0, LARGEST_SEED) if item.name.endswith("_seed") else (-math.inf, math.inf)
    return item.low, item.high


def say_what_was_not_understood() -> None:
    """Draw the sentences about what is on the page; each stays until the setting is changed."""
    sentences: list[str] = list(st.session_state.get(_NOW, []))
    kept: dict[str, tuple[str, Any]] = st.session_state.get(_KEPT, {})
    on_page = {"scene", *VIEW_TITLES, *settings_of(places.place())}
    for name in [name for name in STATE.items if name in kept and name in on_page]:
        said, first = kept[name]
        now = STATE.value(name)
        if first is not None and first != now:
            del kept[name]
            continue
        kept[name] = (said, now)
        sentences.append(sentence(STATE.items[name], said, now))
    for one in sentences:
        st.info(one, icon=":material/link_off:")


def sentence(item: Item, said: str, shown: Any) -> str:
    """Say that a setting cannot be what the link says, and what it is.

    Args:
        item: the setting.
        said: the link's words.
        shown: the value that the page is drawn with.
    """
    label, known = item.label, _printed(item, shown)
    if item.name in _SEVERAL:
        unknown = " or ".join(quoted(part) for part in said.split(",") if part not in item.options)
        return f"{label} cannot be {unknown} as the link says; {known} are shown."
    if _is_number(item):
        low, high = _limits(item)
        return f"{label} cannot be {quoted(said)} as the link says, but {low:g} to {high:g}; {known} is shown."
    return f"{label} cannot be {quoted(said)} as the link says; {known} is shown."


def _printed(item: Item, shown: Any) -> str:
    if item.name in VIEW_TITLES:
        return VIEW_TITLES[item.name][places.view_named(item.name, str(shown))]
    if item.name in _SEVERAL:
        chosen = [name for name in item.options if name in str(shown).split(",")] or str(item.default).split(",")
        return ", ".join(item.format(name) for name in chosen)
    if isinstance(shown, bool):
        return "on" if shown else "off"
    if item.options:
        return item.format(shown if shown in item.options else item.default)
    return f"{float(shown or 0):g}" if _is_number(item) else str(shown)
