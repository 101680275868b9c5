"""*Dream*: the visitor's picture, on which everything is strengthened that some layers see in it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.ascent.results import DreamPlan
from explorer.interface import jobs
from explorer.interface.components.gallery import Tile, gallery
from explorer.interface.current_picture import plain
from explorer.interface.filters import album, close_up, growing, take_along, wishes
from explorer.interface.filters.wishes import STATE, View
from explorer.interface.state import show_in
from explorer.networks.catalogue import NetworkEntry
from explorer.networks.structure import Structure
from explorer.pictures.picture import Picture

POLL_SECONDS = 0.7
_PICK = "filters_dream_pick"


def _start(view: View, plan: DreamPlan, picture: Picture) -> None:
    growing.begin(
        growing.DREAM, "ascent.dream", label="Dreaming", about=(view, (plan,), picture.sha256), plan=plan,
        pixels=picture.pixels,
    )  # fmt: skip


def first_mix(paths: list[str]) -> dict[str, float]:
    """Return the layers that dream at first: one from the middle and one deep."""
    return {paths[round(0.55 * (len(paths) - 1))]: 1.0, paths[round(0.8 * (len(paths) - 1))]: 0.5}


def _mixer(paths: list[str]) -> dict[str, float]:
    """Draw which layers dream, and how much each; return the mix."""
    text = STATE.linked("dream_layers")
    mixed = wishes.dream_layers_of(text, paths) or first_mix(paths)
    show_in(_PICK, list(mixed))
    for path, weight in mixed.items():
        show_in(f"filters_dream_{path}", weight)

    def changed() -> None:
        chosen = {path: float(st.session_state.get(f"filters_dream_{path}", 1.0)) for path in st.session_state[_PICK]}
        STATE.set("dream_layers", wishes.dream_text(chosen))

    st.multiselect(
        "Layers that dream", paths, key=_PICK, on_change=changed, max_selections=wishes.MOST_DREAM_LAYERS,
        help="Early layers strengthen strokes and textures, deep ones parts and whole things.",
    )  # fmt: skip
    for path in mixed:
        st.slider(path, 0.0, 1.0, step=0.05, key=f"filters_dream_{path}", on_change=changed)
    return mixed


def show(entry: NetworkEntry, weights: str, structure: Structure, picture: Picture | None) -> None:
    """Draw the mode."""
    paths = wishes.layers_with_channels(structure)
    if not paths:
        st.info("This network has no layer with maps that could dream.", icon=":material/grid_off:")
        return
    if picture is None:
        return
    stage, side = st.columns([2.6, 1], gap="medium")
    with side:
        mixed = _mixer(paths)
        st.caption("Octaves, step size and final size are under *More*.")
    view = View(entry.name, weights, "dream")
    job = jobs.job(growing.DREAM)
    polled = job is not None and job.running
    with stage:
        st.fragment(_stage, run_every=POLL_SECONDS if polled else None)(
            view, wishes.dream_plan(entry.name, weights, mixed), picture, polled
        )


def _stage(view: View, plan: DreamPlan, picture: Picture, polled: bool) -> None:
    job = jobs.job(growing.DREAM)
    if (job is not None and job.running) != polled:
        st.rerun()
    another = job is not None and (job.identity[0] != view or job.identity[2] != picture.sha256)
    if another and not polled:
        job = None  # a dream of another picture
    if job is not None and job.running:
        growing.running_bar(job)
    else:
        with st.container(horizontal=True, vertical_alignment="center", key="filters_dream_idle"):
            st.button(
                "Let it dream", key="filters_dream_start", icon=":material/play_arrow:", type="primary",
                disabled=not plan.layers, on_click=_start, args=(view, plan, picture),
            )  # fmt: skip
            if growing.refusal():
                st.caption(f":red[{growing.refusal()}]")
            elif job is not None:
                st.caption(job.sentence or growing.outcome_words(job))
            elif jobs.let_go(growing.DREAM):
                st.caption(jobs.LET_GO)
            else:
                st.caption(
                    "The network changes the picture so that the chosen layers answer more: what they see faintly "
                    "grows."
                    if plan.layers
                    else "Choose at least one layer, with a weight above 0."
                )
    # A dream that still runs may be another picture's: its bar is there to stop it, its image is not this one's.
    results = [] if another else growing.results_of(job)
    now = growing.growings(job) if job is not None and job.running and not another else []
    image = now[-1].images[0] if now else results[0].images[0] if results else None
    left, right = st.columns(2, gap="small")
    with left:
        st.image(picture.pixels, width="stretch", alt=picture.title)
        st.caption(plain(picture.title))
    frames = close_up.frames_of(results[0], [0]) if results else []
    with right:
        if image is None:
            shape = picture.pixels.shape
            image_or_grey, tile = (
                np.zeros((shape[0], shape[1], 3), np.uint8),
                Tile("0", state="empty", void="the dream"),
            )
        else:
            image_or_grey = image
            share = now[-1].step / max(1, now[-1].steps) if now else None
            tile = Tile("0", state="growing" if now else "ready", share=share, alt=f"The dream of {picture.title}")
        size = image_or_grey.shape[:2]
        gallery(
            image_or_grey[None],
            [tile],
            name="The dream",
            key="filters_dream_gallery",
            tile=260,
            frames=[(step, np.stack([album.fitted(one, size) for one in images])) for step, images in frames],
            play=True,
        )
    growing.show_notes(job)
    take_along.row(
        results[0].plan if results else plan,
        picture.source,
        key="filters_dream",
        name="dream",
        make_png=(lambda: take_along.dream_png(results[0].images[0])) if results else None,
        frames=[(step, np.stack([album.fitted(one, size) for one in images])) for step, images in frames],
    )
