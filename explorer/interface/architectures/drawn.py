"""Widgets for what one text of the link holds, right also where the browser shows them late.

What a script writes into a widget's state travels to the browser once, in the run that wrote it. A widget inside a
popover that nobody has opened takes no notice of that, and shows its own default when it is opened later. So these
widgets get the true value as their default, and a key that changes whenever something other than they has changed the
text: under a new key no older state is found.
"""

from __future__ import annotations

import streamlit as st


def _place(name: str) -> str:
    return f"_{name}_drawn"


def key_part(name: str, text: str) -> str:
    """Return what goes into the keys of all widgets that show a text of the link.

    Args:
        name: Of the text.
        text: As it stands now. Another one than the last that was shown, or `told`, gives another key.
    """
    known, number = st.session_state.get(_place(name), (None, 0))
    if known != text:
        number += 1
        st.session_state[_place(name)] = (text, number)
    return f"{name}_{number}"


def told(name: str, text: str) -> None:
    """Say, from the callback of one of these widgets, what the text is now: the widget shows it, and keeps its key."""
    _, number = st.session_state.get(_place(name), (None, 0))
    st.session_state[_place(name)] = (text, number)


def refused(name: str) -> None:
    """Say, from the callback of one of these widgets, that what it shows was not taken."""
    _, number = st.session_state.get(_place(name), (None, 0))
    st.session_state[_place(name)] = (None, number)
