"""Where on the page one is, which scene and which view of it, and the way from there to another place and to the start.

Streamlit has the browser make an entry in its history of every change of the address: of the scene, of the settings
that go with the scene before, of each that comes back with the next. So the whole address of another place is written
at once, before anything there is drawn and has something to add: one click is one entry, and one *Back*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.interface.gradient_flow.page_state import STATE, VIEW_TITLES, place_of, settings_of
from explorer.interface.state import show_in

Place = tuple[str, str]

_ADDRESSES = "_gradient_flow_addresses"
"""What the address said of each place when it was left."""
_BEFORE_RESET = "_gradient_flow_before_reset"
"""Values from before a reset that the browser may still send."""
_RESETS = "_gradient_flow_resets"
_HEARD = "gradient_flow_resets_heard"
_DRAWN = "_gradient_flow_drawn"


def _said(name: str) -> str:
    key = STATE.key(name)
    return str(st.session_state.get(key, st.query_params.get(key, STATE.items[name].default)))


def view_named(name: str, said: str) -> str:
    """Return the view that a link means, by its name in code or its title; the first where it means none."""
    titles = VIEW_TITLES[name]
    by_title = {title: view for view, title in titles.items()}
    return said if said in titles else by_title.get(said, next(iter(titles)))


def place() -> Place:
    """Return which scene is looked at and which of its views; in a callback, which was or, once it is set, will be."""
    return place_of(_said("scene"), {name: view_named(name, _said(name)) for name in VIEW_TITLES})


def view(name: str) -> str:
    """Draw which view of the scene is looked at as one row of buttons, and return it.

    Args:
        name: the property that chooses it.
    """
    chosen = view_named(name, STATE.linked(name))
    shown = f"{STATE.key(name)}_shown"
    show_in(shown, chosen)
    with STATE.part(name):
        st.segmented_control(
            STATE.items[name].label, list(VIEW_TITLES[name]), key=shown, format_func=VIEW_TITLES[name].__getitem__,
            required=True, on_change=lambda: go_to(name, st.session_state[shown]), label_visibility="collapsed",
        )  # fmt: skip
    return chosen


def go_to(name: str, value: str) -> None:
    """Choose another scene or view (call from a callback): what was set there is set again, also in the address.

    Args:
        name: the property that chooses it.
        value: its new value.
    """
    if not _has_heard() and st.session_state.get(_BEFORE_RESET, {}).get(name) == value:
        return  # the browser still shows what was chosen before the reset, so this is no click
    if STATE.value(name) == value:
        # No click either: work of the place before, drawn again and again, still sends its widgets after that was left,
        # and what it says of the address is as old.
        return
    address = _without_old_values(st.query_params.to_dict())
    before = place()
    STATE.set(name, value)
    after = place()
    gone, here = _keys_of(before) - _keys_of(after), _keys_of(after) - _keys_of(before)
    addresses: dict[Place, dict[str, str]] = st.session_state.setdefault(_ADDRESSES, {})
    addresses[before] = {key: said for key, said in address.items() if key in _keys_of(before)}
    _write(
        {key: said for key, said in address.items() if key not in gone and _is_known(key)}
        | {key: said for key, said in addresses.get(after, {}).items() if key in here}
        | {STATE.key(name): "" if value == STATE.items[name].default else value}
    )
    STATE.bring_back()


def _keys_of(where: Place) -> frozenset[str]:
    return frozenset(STATE.key(name) for name in settings_of(where))


def _is_known(key: str) -> bool:
    """Tell whether a parameter of the address is a setting of this page, or none of its business."""
    return not key.startswith(f"{STATE.page}_") or key.removeprefix(f"{STATE.page}_") in STATE.items


def _write(address: Mapping[str, str]) -> None:
    """Have the browser show an address, and the widgets that are drawn next begin with what it says."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    query = urlencode({key: said for key, said in address.items() if said})
    with context.session_state.query_params() as parameters:
        parameters.set_initial_query_params(query)
        parameters.populate_from_query_string(query)
        parameters._send_query_param_msg()


def reset() -> None:
    """Take every setting of the page back to its default, and forget the places that were left (call from a callback).

    The browser sends what all its widgets say with every click, those of the place before among them until the page
    is drawn to its end. A click that comes sooner would bring the old values back; see `take_back_old_values`.
    """
    old = {name: STATE.value(name) for name in STATE.items}
    kept: dict[str, Any] = st.session_state.get(_BEFORE_RESET, {})
    STATE.reset()
    changed = {name: value for name, value in old.items() if value != STATE.value(name)}
    st.session_state[_BEFORE_RESET] = {**kept, **changed}
    st.session_state[_RESETS] = st.session_state.get(_RESETS, 0) + 1
    for name in (_ADDRESSES, _DRAWN):
        st.session_state.pop(name, None)
    others = {key: said for key, said in st.query_params.to_dict().items() if not key.startswith(f"{STATE.page}_")}
    _write(others)


def take_back_old_values() -> None:
    """Undo what the browser says of the time before a reset; call before any widget of the page is drawn.

    What it says of a setting is the visitor's own again once it has heard of the reset, and has been sent the setting.
    """
    before: dict[str, Any] = st.session_state.get(_BEFORE_RESET, {})
    known = {"scene", *VIEW_TITLES, *settings_of(st.session_state.get(_DRAWN, ("", "")))} if _has_heard() else set()
    for name, value in list(before.items()):
        if name in known:
            del before[name]
        elif STATE.value(name) == value:
            STATE.set(name, STATE.items[name].default)


def _without_old_values(address: Mapping[str, str]) -> dict[str, str]:
    """Return an address without what it says of the time before a reset."""
    before: dict[str, Any] = st.session_state.get(_BEFORE_RESET, {})
    old = {STATE.key(name) for name in before} if not _has_heard() else set()
    return {key: said for key, said in address.items() if key not in old}


def _has_heard() -> bool:
    return bool(st.session_state.get(_HEARD) == str(st.session_state.get(_RESETS, 0)))


def drawn_to_the_end() -> None:
    """Note that the page stands; its last, unseen field comes back from the browser and tells what that has heard."""
    show_in(_HEARD, str(st.session_state.get(_RESETS, 0)))
    with st.container(key="unseen_gradient_flow_resets"):
        st.text_input("Resets", key=_HEARD)
    st.session_state[_DRAWN] = place()
