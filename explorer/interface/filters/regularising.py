"""*Why regularise?*: one class, grown in four settings at once, each with one more thing that keeps noise away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.ascent.results import Growing, Grown, Plan
from explorer.interface import jobs
from explorer.interface.components.gallery import Tile, TileState, gallery
from explorer.interface.filters import album, close_up, growing, take_along, wishes
from explorer.interface.filters.wishes import STATE, Rung, View
from explorer.interface.numbers import share_text, value_text
from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry

POLL_SECONDS = 0.7


def _start(view: View, rungs: tuple[Rung, ...], name: str) -> None:
    growing.start(growing.LADDER, view, [rung.plan for rung in rungs], label=f"Growing “{name}” in four settings")


def subject(entry: NetworkEntry) -> None:
    """Draw the choice of the class."""
    names = _names(entry)
    if names:
        STATE.selectbox("subject", names, width=190, label_visibility="collapsed")


def _names(entry: NetworkEntry) -> list[str]:
    known = catalogue.class_names(entry) or ()
    unnamed = catalogue.IMAGENET_CLASSES if catalogue.is_application(entry.name) else 0
    return wishes.class_names(entry, len(known) or unnamed)


def show(entry: NetworkEntry, weights: str) -> None:
    """Draw the mode."""
    names = _names(entry)
    if not names:
        st.info(
            "The classes of this network have no names here: grow them under *Classes*.", icon=":material/label_off:"
        )
        return
    name = STATE.value("subject")
    target = names.index(name) if name in names else 0
    rungs = wishes.ladder(entry, weights, target)
    view = View(rungs[0].plan.network, weights, f"ladder {target}")
    job = jobs.job(growing.LADDER)
    polled = job is not None and job.running
    st.fragment(_stage, run_every=POLL_SECONDS if polled else None)(view, rungs, names[target], polled)


def _verdict(results: Sequence[Grown]) -> str:
    """Return what the first two settings' values say of the first one's noise; "" before both are judged."""
    judged = [one.quality[0].clean for one in results[:2] if one.quality]
    if len(judged) < 2:
        return ""
    first, second = judged
    if first >= second:
        return (
            " The noise of the first setting is no mistake: to the network it is as good an answer as the second's "
            f"picture ({value_text(first)} against {value_text(second)})."
        )
    return (
        f" Here the noise of the first setting reached less than the second's picture ({value_text(first)} against "
        f"{value_text(second)}): with other seeds and classes it is often the other way round."
    )


def _tile(rung: Rung, position: int, grown: Grown | None, growing_now: Growing | None, *, waits: bool) -> Tile:
    title = f"{position + 1} · {rung.title}"
    line, tip, under = "", "", rung.words
    void = "waiting …" if waits else "press Grow"
    state: TileState = "empty"
    share = None
    if growing_now is not None:
        state, share = "growing", growing_now.step / max(1, growing_now.steps)
    elif waits:
        state = "waiting"
    elif grown is not None:
        quality = grown.quality[0] if grown.quality else None
        line, tip, flat = album.quality_words(quality)
        state = "flat" if flat else "ready"
        if quality is not None:
            kept = album.stays_under_shaking(quality)
            line = f"reached {value_text(quality.clean)}"
            stays = "" if kept is None else f"{share_text(kept)} of it stays under shaking, "
            under = f"{rung.words} {stays.capitalize()}{share_text(quality.high_frequency)} is fine detail."
    return Tile(str(position), title, line, under, tip, rung.words, state, share, void)


def _stage(view: View, rungs: tuple[Rung, ...], name: str, polled: bool) -> None:
    job = jobs.job(growing.LADDER)
    if (job is not None and job.running) != polled:
        st.rerun()
    mine = job if job is not None and job.identity[:2] == (view, tuple(rung.plan for rung in rungs)) else None
    same_subject = job if job is not None and job.identity[0] == view else None
    shown = mine or same_subject
    if shown is not None and shown.running:
        growing.running_bar(shown)
    else:
        with st.container(horizontal=True, vertical_alignment="center", key="filters_ladder_idle"):
            st.button(
                f"Grow “{name}” four times", key="filters_ladder_grow", icon=":material/play_arrow:",
                type="secondary" if growing.results_of(shown) else "primary", on_click=_start,
                args=(view, rungs, name),
            )  # fmt: skip
            results = growing.results_of(shown)
            if shown is not None and results and not all(one.finished for one in results):
                st.button(
                    "Continue", key="filters_ladder_continue", icon=":material/resume:", on_click=growing.go_on,
                    args=(growing.LADDER, shown),
                )  # fmt: skip
            if growing.refusal():
                st.caption(f":red[{growing.refusal()}]")
            elif shown is not None:
                st.caption(shown.sentence or growing.outcome_words(shown))
            elif jobs.let_go(growing.LADDER):
                st.caption(jobs.LET_GO)
            else:
                st.caption("The same class, the same seed, the same steps: only what holds noise back differs.")
    results = growing.results_of(shown)
    running = shown is not None and shown.running
    now = {one.plan: one for one in growing.growings(shown)} if running else {}
    seen: dict[int, Growing | Grown] = {**(now or dict(enumerate(results)))}
    size = max((one.images.shape[1:3] for one in seen.values()), key=lambda side: side[0] * side[1], default=(96, 96))
    images = [seen[i].images[0] if i in seen else np.zeros((*size, 3), np.uint8) for i in range(len(rungs))]
    plan = results[-1].plan if results else rungs[-1].plan
    assert isinstance(plan, Plan)
    frames = _frames([close_up.frames_of(one, [0]) for one in results], size)
    tiles = [
        _tile(rung, i, results[i] if i < len(results) else None, now.get(i), waits=running)
        for i, rung in enumerate(rungs)
    ]
    gallery(
        np.stack([album.fitted(image, size) for image in images]),
        tiles,
        name=f"“{name}” in four settings",
        key="filters_ladder_gallery",
        tile=210,
        most=300,
        frames=frames,
        play=True,
    )
    st.caption(
        "Values reached by two networks cannot be compared with each other; what stays under shaking and the share of "
        f"fine detail can.{_verdict(results)}"
    )
    growing.show_notes(shown)
    take_along.row(
        plan,
        "",
        key="filters_ladder",
        name=f"why regularise {name}",
        make_png=(
            lambda: take_along.png(
                np.stack([album.fitted(image, size) for image in images]),
                [(tile.title, tile.line) for tile in tiles],
                f"“{name}”: why regularise?".replace("“", '"').replace("”", '"'),
                f"{plan.steps} steps, learning rate {plan.learning_rate:g}, seed {plan.seed}; the first in pixels and "
                "unshaken, the second of waves, the third and fourth shaken",
            )
        )
        if results
        else None,
        frames=frames,
    )


def _frames(each: list[list[tuple[int, np.ndarray]]], size: tuple[int, int]) -> list[tuple[int, np.ndarray]]:
    """Return the growths of several runs as one: their steps are the same but for a stopped run's last ones."""
    if not each or min(map(len, each)) < 2:
        return []
    length = min(map(len, each))
    chosen = [[frames[round(i * (len(frames) - 1) / (length - 1))] for i in range(length)] for frames in each]
    return [
        (chosen[0][i][0], np.stack([album.fitted(frames[i][1][0], size) for frames in chosen])) for i in range(length)
    ]
