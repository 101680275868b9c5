"""Named work from a page: submit, show how far it is, keep the result in the visitor's session, tell what failed."""

import contextlib
import sys
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.client import Call, EngineError
from explorer.interface.current_picture import plain
from explorer.interface.server import engine
from explorer.interface.visitor import visitor_id

# Together with the picture (at most 3 MB at 1024 pixels) this stays below 20 MB for each visitor.
KEPT_BYTES = 14_000_000
LEAST_BYTES = KEPT_BYTES // 2
"""So much there is for results however large those of jobs are: a stage that could not keep its maps would compute
them again and again."""

JOB_BYTES = "_job_bytes"
"""Session key of how many bytes the results of ended jobs hold (see `explorer.interface.jobs.begin_look`)."""

_KEPT = "kept_results"
_ON_SCREEN = "kept_on_screen"


class WorkFailed(Exception):
    """Work that did not come to a result; its text is one sentence for the visitor."""


def size_of(value: Any, seen: set[int] | None = None) -> int:
    """Estimate the bytes that a result holds: its arrays, each once, byte strings and what lies around them."""
    seen = set() if seen is None else seen
    if isinstance(value, np.ndarray):
        owner = value
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        if id(owner) in seen:
            return 0
        seen.add(id(owner))
        return value.nbytes
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return 64 + sum(size_of(k, seen) + size_of(v, seen) for k, v in value.items())
    if isinstance(value, list | tuple):
        return 56 + 8 * len(value) + sum(size_of(each, seen) for each in value)
    inner = getattr(value, "__dict__", None)
    return size_of(inner, seen) if inner is not None else sys.getsizeof(value, 64)


def _kept() -> OrderedDict[tuple, tuple[Any, int]]:
    return st.session_state.setdefault(_KEPT, OrderedDict())


def kept_bytes() -> int:
    """Return how many bytes the kept results of this session hold."""
    return sum(size for _, size in _kept().values())


def forget() -> None:
    """Drop every kept result of this session."""
    _kept().clear()


def find(name: str, keep_as: tuple) -> Any:
    """Return a kept result, or None."""
    kept = _kept()
    identity = (name, *keep_as)
    if identity not in kept:
        return None
    kept.move_to_end(identity)
    return kept[identity][0]


def hold_on_to(name: str, identities: Iterable[tuple]) -> None:
    """Say which results are on the screen: they are not let go of, since the next look would only want them again."""
    st.session_state[_ON_SCREEN] = frozenset((name, *identity) for identity in identities)


def let_go_of_others() -> None:
    """Say that a page is drawn that shows none of what another page holds on to."""
    st.session_state.pop(_ON_SCREEN, None)


def keep(name: str, keep_as: tuple, result: Any) -> None:
    """Keep a result in this session, letting go of others where all together would be too large.

    Where those on the screen leave no room (see `hold_on_to`) it is not kept.
    """
    kept = _kept()
    size = size_of(result)
    if size > KEPT_BYTES:  # to make room for it would only empty the session
        return
    kept.pop((name, *keep_as), None)
    most = max(LEAST_BYTES, size, KEPT_BYTES - int(st.session_state.get(JOB_BYTES, 0)))
    on_screen = st.session_state.get(_ON_SCREEN, frozenset())
    # What is small costs as much to compute as what is large: the largest goes first, of equal ones the oldest.
    others = sorted((each for each in kept if each not in on_screen), key=lambda each: -kept[each][1])
    for each in others:
        if kept_bytes() + size <= most:
            break
        del kept[each]
    if kept and kept_bytes() + size > most:
        return
    kept[(name, *keep_as)] = (result, size)


def _follow(call: Call, label: str, place: DeltaGenerator) -> None:
    """Show at this place how far a call is, until it has ended; a rerun of the page meanwhile stops it."""
    if call.wait(0.35):
        return
    place, label = place.empty(), plain(label)
    try:
        while not call.wait(0.2):
            progress = call.progress
            if call.place:
                place.progress(0.0, f"{label}: waiting, place {call.place} in line")
            elif progress is not None and progress.total:
                share = min(1.0, max(0.0, (progress.done or 0) / progress.total))
                place.progress(share, f"{label}: {plain(progress.message or progress.unit)}")
            else:
                place.progress(
                    0.0, f"{label}{': ' + plain(progress.message) if progress and progress.message else ' …'}"
                )
    finally:
        # On a rerun the script is being unwound: writing to the page again would raise a second time.
        with contextlib.suppress(BaseException):
            place.empty()


def run(name: str, *, label: str, keep_as: tuple | None = None, **arguments: Any) -> Any:
    """Run named work for this visitor and return its result.

    Args:
        name: name in the engine's table of work.
        label: what is being done, for the progress line.
        keep_as: identity of the result (for example network, picture's sha256, layer); with it the result is
            kept in this session and the next call returns at once.
        **arguments: handed to the work.

    Raises:
        WorkFailed: with one sentence for the visitor.
    """
    # Also where nothing is to be waited for: the browser would build anew all that moves on by one place.
    place = st.container()
    if keep_as is not None:
        found = find(name, keep_as)
        if found is not None:
            return found
    try:
        call = engine().submit(name, visitor=visitor_id(), **arguments)
    except EngineError as error:
        raise WorkFailed(str(error)) from error
    ended = False
    try:
        _follow(call, label, place)
        ended = True
    finally:
        if not ended:
            call.stop()
    try:
        result = call.result()
    except EngineError as error:
        raise WorkFailed(str(error)) from error
    if keep_as is not None:
        keep(name, keep_as, result)
    return result
