"""Names in a link: found however they are written, and one sentence about those that there are not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from explorer.interface.architectures.page_state import STATE
from explorer.interface.state import show_in

_MOST_QUOTED = 40
_MARKS = re.compile(r"([^0-9A-Za-zÀ-ÿ …])")
_ESCAPED = r"\\\1"


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def matching(name: str, known: Iterable[str], titles: Mapping[str, str] | None = None) -> str | None:
    """Return the known name that a link means, or None.

    The name itself, else one that differs in upper and lower case only, else in "-", "_" and spaces too, else one
    whose title is written so.

    Args:
        name: As the link has it.
        known: All names.
        titles: What people call them.
    """
    names = list(known)
    if name in names:
        return name
    ways = (
        (str.casefold, {one: one for one in names}),
        (_plain, {one: one for one in names}),
        (_plain, dict(titles or {})),
    )
    for written, words in ways:
        for one in names:
            if name.strip() and one in words and written(words[one]) == written(name):
                return one
    return None


def quoted(name: str) -> str:
    """Return a link's word for a sentence: short, and without anything that would be set as a format."""
    short = name if len(name) <= _MOST_QUOTED else name[: _MOST_QUOTED - 1] + "…"
    return f"“{_MARKS.sub(_ESCAPED, ' '.join(short.split()))}”"


def _place(name: str) -> str:
    return f"_architectures_{name}_unknown"


def note(name: str, sentence: str) -> None:
    """Keep a sentence about a property of the link until the property changes; see `say_unknown`."""
    st.session_state[_place(name)] = (sentence, None)


def say_unknown(name: str) -> None:
    """Draw the sentence that was kept about a property, unless the property has been changed since."""
    sentence, value = st.session_state.get(_place(name), ("", None))
    if not sentence:
        return
    now = STATE.value(name)
    if value is None:
        st.session_state[_place(name)] = (sentence, now)
    elif value != now:
        del st.session_state[_place(name)]
        return
    st.info(sentence, icon=":material/link_off:")


def put(name: str, value: str) -> None:
    """Have link and page say something else of a property that no widget holds, in the midst of a run.

    The address too, at once: in a run that Back has brought about, the page reads it again and again.
    """
    key = STATE.key(name)
    STATE.set(name, value)
    if value and value != STATE.items[name].default:
        st.query_params[key] = value
    elif key in st.query_params:
        del st.query_params[key]


def settle(name: str, titles: Mapping[str, str], what: str, default: str) -> None:
    """Have the link name what there is, before a list of names is drawn; what it does not know is told by a sentence.

    Args:
        name: The property.
        titles: Every known name, with what people call it.
        what: What the names are of: "network".
        default: The name that is shown instead.
    """
    said = STATE.linked(name)
    if not said or said in titles:
        return
    found = matching(said, titles, titles)
    put(name, found or "")
    if found is None:
        note(name, f"There is no {what} called {quoted(said)}; {titles[default]} is shown.")


def settle_several(
    name: str, titles: Mapping[str, str], what: str, *, most: int | None = None, otherwise: str = ""
) -> list[str]:
    """Likewise for names with commas between; return those that there are, in their order.

    Args:
        name: The property.
        titles: Every known name, with what people call it.
        what: What the names are of: "network".
        most: So many are taken.
        otherwise: What is shown where none of them is known: the end of the sentence.
    """
    said = [one for one in STATE.linked(name).split(",") if one.strip()]
    if said == ["-"]:
        return []
    pairs = [(one, matching(one, titles, titles)) for one in said]
    found = list(dict.fromkeys(one for _, one in pairs if one is not None))
    unknown = [one for one, there in pairs if there is None]
    kept = found[:most]
    sentences = []
    if unknown:
        words = " or ".join(quoted(one) for one in unknown)
        sentences.append(f"There is no {what} called {words}" + ("." if kept or not otherwise else f"; {otherwise}."))
    if len(found) > len(kept):
        sentences.append(f"At most {most} are shown: without {', '.join(titles[one] for one in found[len(kept) :])}.")
    if kept != said:
        put(name, ",".join(kept))
    if sentences:
        note(name, " ".join(sentences))
    return kept


def settled(name: str, titles: Mapping[str, str], what: str, renamed: Mapping[str, str] | None = None) -> Any:
    """Return a choice among few as the link or a click has it; arguments as of `segments`."""
    default = str(STATE.items[name].default)
    if (now := (renamed or {}).get(STATE.linked(name))) is not None:
        put(name, now)
    settle(name, titles, what, default)
    return STATE.linked(name) or default


def segments(name: str, titles: Mapping[str, str], what: str, renamed: Mapping[str, str] | None = None) -> Any:
    """Draw a choice among few as one row of buttons and return it.

    A widget that is bound to the address replaces the browser's last entry. This one is not: its property is written
    into the address by the page (see `PageState.linked`), which adds an entry, and Back leads to what was shown before.

    Args:
        name: The property.
        titles: The options by their names in code, with what is printed on them.
        what: What the options are: "chart".
        renamed: What options are called in older links; nothing is said of these.
    """
    chosen = settled(name, titles, what, renamed)
    shown = f"{STATE.key(name)}_shown"
    show_in(shown, chosen)
    with STATE.part(name):
        st.segmented_control(
            STATE.items[name].label, list(titles), key=shown, format_func=titles.__getitem__, required=True,
            on_change=lambda: STATE.set(name, st.session_state[shown]), label_visibility="collapsed",
        )  # fmt: skip
    return chosen
