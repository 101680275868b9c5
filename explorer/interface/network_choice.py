"""What every page about a network needs: its choice, its name in print, its answer to the current picture."""

import io

import numpy as np
import streamlit as st
from PIL import Image

from explorer.architectures.registration import register_networks
from explorer.inside.results import Overview
from explorer.interface import work
from explorer.interface.state import PageState
from explorer.networks import catalogue
from explorer.pictures.picture import Picture

# Before the list is made, which therefore has the project's own architectures at its end.
register_networks()
NETWORK_NAMES = tuple(entry.name for entry in catalogue.entries())
FITS = {"pad": "Pad to a square", "crop": "Crop the middle", "stretch": "Stretch"}
WEIGHTS = {"trained": "Trained", "random": "Random"}


def title_of(name: str) -> str:
    """Return how the list of networks prints a name."""
    return catalogue.entry(name).title


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
