"""Who asks for runs, and what was refused: the page's hold on the service that keeps runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from explorer.interface import runs_service
from explorer.interface.visitor import visitor_id
from explorer.networks.work_context import SentenceError
from explorer.runs.listing import shared_listing
from explorer.runs.record import ACTIVE, Listing, Run

_REFUSED = "_training_refused"


def mine() -> Listing:
    """Return the runs that this visitor may see, oldest first."""
    return runs_service.visible(visitor_id(), runs_service.link_keys())


def find(run_id: str) -> Run:
    """Return a run as it is now.

    Raises:
        SentenceError: if this visitor sees no such run.
    """
    return runs_service.find(visitor_id(), run_id, runs_service.link_keys())


def owns(run: Run) -> bool:
    """Tell whether this visitor may do more with a run than look at it."""
    return run.owner == visitor_id() or runs_service.shows_all()


def everybodys() -> Listing:
    """Return all runs; for counts and times only, never to be shown."""
    return shared_listing(runs_service.runs_folder())


def others_busy() -> tuple[int, int]:
    """Return how many runs of others are at work and how many wait."""
    me = visitor_id()
    others = [run for run in everybodys().runs if run.owner != me]
    return sum(run.state in ACTIVE for run in others), sum(run.state == "queued" for run in others)


def attempt(act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Do something with a run from a callback; what is refused is kept, to be said on the page."""
    st.session_state.pop(_REFUSED, None)
    try:
        return act(visitor_id(), *arguments, **named)
    except SentenceError as failure:
        refuse(str(failure))
        return None


def attempt_each(act: Callable[..., Any], ids: Iterable[str]) -> list[str]:
    """Do something with several runs from a callback; return those with which it was done, say why not the others."""
    done, refused = [], []
    for each in ids:
        try:
            act(visitor_id(), each)
        except SentenceError as failure:
            refused.append(str(failure))
        else:
            done.append(each)
    st.session_state.pop(_REFUSED, None)
    if refused:
        refuse(" ".join(dict.fromkeys(refused)))
    return done


def refuse(sentence: str) -> None:
    """Keep a sentence that says why something was not done."""
    st.session_state[_REFUSED] = sentence


def say_refused() -> str:
    """Say what was refused since the last press of a button, and return it, "" for nothing."""
    sentence = str(st.session_state.pop(_REFUSED, None) or "")
    if sentence:
        st.error(sentence, icon=":material/block:")
    return sentence
