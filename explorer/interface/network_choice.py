"""What every page about a network needs: its choice, its name in print, its answer to the current picture."""

import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import streamlit as st
from PIL import Image

from explorer.architectures.registration import register_networks
from explorer.inside.results import Overview
from explorer.interface import runs_service, work
from explorer.interface.state import PageState
from explorer.interface.visitor import visitor_id
from explorer.networks import catalogue
from explorer.pictures.picture import Picture
from explorer.runs import trained

# Before the list is made, which therefore has the project's own architectures at its end.
register_networks()
NETWORK_NAMES = tuple(entry.name for entry in catalogue.entries())
FITS = {"pad": "Pad to a square", "crop": "Crop the middle", "stretch": "Stretch"}
WEIGHTS = {"trained": "Trained", "random": "Random"}


NOT_HERE = (
    "The network in this link is not in your list: it may come from somebody else's training run, or from one that "
    "was deleted; the page shows another one."
)


_NOT_HERE = "_not_here_"
_TIME = re.compile(r", \d\d:\d\d")
"""What the printed name of a run's network has and no other has."""


def title_of(name: str) -> str:
    """Return how the list of networks prints a name; those of runs have the time beside it there."""
    return catalogue.entry(name).title


def network_box(state: PageState, *, on_change: Callable[[], None] | None = None, **more: Any) -> str:
    """Draw the choice of a page's network and return its name.

    After the bundled pair come the networks of the visitor's own runs, and of those whose link the session has opened.
    A link to another run's shows the default; `say_if_not_here` says so.
    """
    own = run_networks()
    options = with_runs(state.items["network"].options, own)

    def printed(name: str) -> str:
        return own[name] if name in own else title_of(name)

    key = state.key("network")
    asked_for = st.query_params.get(key)
    if key not in st.session_state and asked_for is not None:
        of_a_run = trained.is_name(asked_for) or _TIME.search(asked_for) is not None
        st.session_state[_NOT_HERE + key] = of_a_run and asked_for not in {*options, *own.values()}

    def changed() -> None:
        st.session_state[_NOT_HERE + key] = False
        if on_change is not None:
            on_change()

    return str(state.selectbox("network", options, format_func=printed, on_change=changed, **more))


def say_if_not_here(state: PageState) -> None:
    """Say, until another network is chosen, that the link named one that this visitor cannot open."""
    if st.session_state.get(_NOT_HERE + state.key("network")):
        st.warning(NOT_HERE, icon=":material/link_off:")


def with_runs(names: Sequence[str], own: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of a page's networks with those of runs after the bundled pair."""
    bundled = [name for name in names if catalogue.entry(name).family == "Drawn world"]
    return (*bundled, *own, *(name for name in names if name not in bundled))


def run_networks() -> dict[str, str]:
    """Return the networks of runs that this visitor may open, newest first, and how the list prints them."""
    zone = _time_zone()
    now = datetime.now(zone)
    visitor = visitor_id()
    titles: dict[str, str] = {}
    for run in reversed(runs_service.visible(visitor, runs_service.link_keys()).runs):
        for entry in trained.networks_of(run):
            at = datetime.fromtimestamp(run.config.created, zone)
            titles[entry.name] = _with_time(entry.title, at, now, shared=run.owner != visitor)
    counted = Counter(titles.values())
    # What is printed stands in the address, so no two may be printed alike.
    return {name: title if counted[title] == 1 else f"{title} ({_unlike(name)})" for name, title in titles.items()}


def _unlike(name: str) -> str:
    """Return what tells two runs of one minute apart: the end of the run's id, and the variant."""
    return name.removeprefix(trained.PREFIX).split("-", 2)[2]


def _with_time(title: str, at: datetime, now: datetime, *, shared: bool) -> str:
    """Return "Transfer, 12:40 · fine-tuned": the time of today, or the day and the time."""
    day = "" if at.date() == now.date() else f"{at.day} {at:%b}, "
    first, _, variant = title.partition(" · ")
    return f"{first}, {day}{at:%H:%M}{f' · {variant}' if variant else ''}{' (shared)' if shared else ''}"


def _time_zone() -> tzinfo:
    """Return the time zone of the visitor's browser, or UTC where that is not known."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC


def weights_choice(state: PageState, network: str) -> None:
    """Draw the choice between trained and random weights; a network that nobody trained has only random ones."""
    if catalogue.entry(network).weights is not None:
        state.segments("weights", format_func=WEIGHTS.__getitem__)
        return
    st.segmented_control(
        "Weights",
        [WEIGHTS["random"]],
        default=WEIGHTS["random"],
        disabled=True,
        key=f"unseen_{state.page}_only_random",
        help="Nobody trained this network here: it is an architecture with random weights.",
    )


def named(work_name: str, network: str) -> str:
    """Return the name under which work on a network waits: large networks have their own line, behind nobody's hand."""
    return f"{work_name}.large" if catalogue.is_large(catalogue.entry(network)) else work_name


def overview_of(network: str, weights: str, fit: str, picture: Picture) -> Overview:
    """Return what all layers did with a picture, kept in the session."""
    return work.run(
        named("inside.overview", network),
        label=f"{catalogue.entry(network).title} looks at the picture",
        keep_as=(network, weights, fit, picture.sha256),
        network=network,
        weights=weights,
        pixels=picture.pixels,
        fit=fit,
    )


def encoded(pixels: np.ndarray) -> bytes:
    """Encode a picture for the browser, without loss of what matters at this size."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "WEBP", quality=90, method=2)
    return target.getvalue()


def say_what_it_knows(entry: catalogue.NetworkEntry, picture: Picture) -> None:
    """Say where a picture lies outside what a network of the drawn world has learned."""
    known = entry.class_names or ()
    drawn = picture.source.split(":")[1] if picture.source.startswith("drawn:") else None
    if not picture.is_drawn:
        st.warning(
            f"**{entry.title} knows only drawings** of {len(known)} things: on a photo its answers are wrong. "
            "Its maps are still worth a look; for its opinion choose an ImageNet network.",
            icon=":material/brush:",
        )
    elif drawn is not None and drawn not in known:
        st.info(
            f"**{entry.title} never learned “{drawn}”**: its answer can only be one "
            f"of the {len(known)} things it knows.",
            icon=":material/brush:",
        )
