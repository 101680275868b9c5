"""One image large, how it has grown, its numbers, and beside it the pictures that drive the same channel or class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st

from explorer.ascent.results import Grown, Quality
from explorer.inside.evidence import ChannelEvidence, Patch, TopPatches
from explorer.interface import jobs
from explorer.interface.components.gallery import Tile, gallery
from explorer.interface.filters import album, growing
from explorer.interface.filters.album import Shown
from explorer.interface.filters.curves import climb
from explorer.interface.filters.wishes import View, title_of
from explorer.interface.jobs import Job
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette
from explorer.pictures.picture import Picture

MOST_FRAMES = 32
_KEPT = "_filters_evidence"
_KEPT_MOST = 16

_FACTS = """<style>
.grown_facts { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 0; padding: 0 !important; }
.grown_facts { font-variant-numeric: tabular-nums; }
.grown_facts div { min-width: 0; }
.grown_facts dt { font-size: .78rem; opacity: .8; }
.grown_facts dd { margin: 0; font-size: 1.05rem; font-weight: 600; }
.grown_facts dd small { font-size: .78rem; font-weight: 400; opacity: .85; }
</style>"""


def facts_html(quality: Quality) -> str:
    """Return the numbers of one image."""
    rows = [("reached", value_text(quality.clean), f"from {value_text(quality.start)}")]
    if quality.shaken is not None:
        share = album.stays_under_shaking(quality)
        kept = "" if share is None else f"{share_text(share)} of it"
        rows.append(("under 16 shakes", value_text(quality.shaken), kept))
    rows.append(("fine detail", share_text(quality.high_frequency), "of its power"))
    body = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)} <small>{escape(more)}</small></dd></div>"
        for name, value, more in rows
    )
    return f'{_FACTS}<dl class="grown_facts" data-testid="grown-facts">{body}</dl>'


def frames_of(grown: Grown, positions: Sequence[int], most: int = MOST_FRAMES) -> list[tuple[int, np.ndarray]]:
    """Return (step, images) of the kept steps for some of the images, at most `most`, first and last among them."""
    frames = [frame for frame in grown.frames if len(frame.images) > max(positions, default=0)]
    if len(frames) > most:
        frames = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, most).round().astype(int))]
    return [(frame.step, frame.images[list(positions)]) for frame in frames]


def show_climb(view: View, names: Sequence[str], job: Job | None, target: int | None) -> None:
    """Draw how the images of a run have climbed, those of one target strong (None: all alike)."""
    live = _live(job, view, target)
    if live is None:
        return
    curve, done, steps, positions, targets = live
    st.plotly_chart(
        climb(curve, steps, positions, [title_of(view, names, t) for t in targets], palette(), done=done),
        key="filters_climb",
        config={"displayModeBar": False},
        alt="The objective against the steps",
    )


def _live(job: Job | None, view: View, target: int | None) -> tuple[np.ndarray, int, int, list[int], list[int]] | None:
    """Return (curve, steps done, steps planned, positions of the target, all targets) of the run it is part of."""
    if job is None or job.identity[0] != view:
        return None
    now, ended = growing.growings(job), growing.results_of(job)
    plan = job.identity[1][0]
    if ended:
        curve, done, steps = ended[0].curve, ended[0].step, getattr(ended[0].plan, "steps", ended[0].step)
    elif now:
        curve, done, steps = now[0].curve, now[0].step, now[0].steps
    else:
        return None
    targets = [t for t in plan.targets for _ in range(album.copies_of(plan))]
    positions = [i for i, t in enumerate(targets) if target is None or t == target]
    if not positions or curve.ndim != 2 or curve.shape[1] != len(targets) or len(curve) < 2:
        return None
    return curve, done, steps, positions, targets


def show(
    shown: Sequence[Shown],
    view: View,
    names: Sequence[str],
    job: Job | None,
    picture: Picture | None,
) -> None:
    """Draw one target from near.

    Args:
        shown: its images (several where there are copies).
        view: what is on the stage.
        names: of the classes.
        job: the latest run.
        picture: the visitor's.
    """
    target = shown[0].target
    live = _live(job, view, target)
    frames: list[tuple[int, np.ndarray]] = []
    results = growing.results_of(job)
    if live is not None and results and all(one.source == "grown" for one in shown):
        frames = frames_of(results[0], live[3])
    st.markdown(f"**{title_of(view, names, target).capitalize()}**")
    gallery(
        album.pixels_of(shown),
        [
            Tile(
                one.id,
                alt=f"{title_of(view, names, target)}, large",
                state="ready" if one.image is not None else "empty",
                void="not grown yet: press Grow",
            )
            for one in shown
        ],
        name="The picked image, large",
        key="filters_large",
        tile=250 if len(shown) == 1 else 120,
        most=340,
        frames=frames,
        play=True,
    )  # fmt: skip
    _offer_growth(shown[0], view, names)
    _show_evidence(evidence_of(view, target, picture), view)
    quality = shown[0].quality
    if quality is not None:
        if quality.flat:
            st.warning("This image is **flat**: the ascent never started, so it says nothing.", icon=":material/block:")
        elif quality.clean <= quality.start:
            st.caption(album.NO_HIGHER)
        st.html(facts_html(quality))
    show_climb(view, names, job, target)


def _offer_growth(one: Shown, view: View, names: Sequence[str]) -> None:
    """Offer to grow a ready image again, as it was grown: of it there is the end alone, and no way to watch."""
    if one.source != "sheet" or one.plan is None or growing.growing_now():
        return
    plan = replace(one.plan, targets=(one.target,))

    def again() -> None:
        growing.start(growing.GROW, view, [plan], label=f"Growing {title_of(view, names, one.target)} again")

    st.button(
        "Grow it again", key="filters_again", icon=":material/replay:", on_click=again,
        help=f"With the settings of the ready image: {plan.steps} steps, seed {plan.seed}. Watch how it comes about.",
    )  # fmt: skip


def _identity(view: View, target: int, picture: Picture | None) -> tuple:
    return (view, target, None if picture is None else picture.sha256)


def _keep_evidence() -> dict[tuple, TopPatches]:
    """Return what is known of this session's pictures, with what has just been found."""
    kept: dict[tuple, TopPatches] = st.session_state.setdefault(_KEPT, {})
    job = jobs.job(growing.EVIDENCE)
    if job is not None and isinstance(job.result, TopPatches):
        kept[job.identity] = job.result
        while len(kept) > _KEPT_MOST:
            del kept[next(iter(kept))]
    return kept


def evidence_of(view: View, target: int, picture: Picture | None) -> tuple[TopPatches, ChannelEvidence] | None:
    """Return the pictures that drive a channel or class, if they are known already."""
    found = _keep_evidence().get(_identity(view, target, picture))
    return (found, found.channels[0]) if found is not None and found.channels else None


def ask_for_evidence(view: View, target: int, picture: Picture | None, fit: str) -> None:
    """Have the pictures that drive a channel or class looked up, unless that is known or on its way.

    While images grow they have the worker for themselves. A search in the same layer is waited for: it looks at
    all channels at once, and after it the next answer takes no time.
    """
    identity = _identity(view, target, picture)
    job = jobs.job(growing.EVIDENCE)
    if growing.growing_now() or evidence_of(view, target, picture) is not None:
        return
    if job is not None and (job.identity == identity or (job.running and job.identity[0] == view)):
        return
    try:
        jobs.start(
            growing.EVIDENCE,
            "inside.top_patches",
            label="Looking through the pictures",
            identity=identity,
            network=view.network,
            weights=view.weights,
            layer=view.layer,
            channels=(target,),
            own=() if picture is None else (picture.pixels,),
            fit=fit,
            count=9,
        )
    except jobs.JobRefused:
        jobs.forget(growing.EVIDENCE)


def _patch_tile(patch: Patch, unit: str) -> Tile:
    title = "yours" if patch.own else ""
    where = "" if patch.cell is None else f"\nat row {patch.cell[0]}, column {patch.cell[1]} of the map"
    tip = f"{patch.title}\n{unit} {value_text(patch.value)}, rank {patch.rank}{where}"
    return Tile(f"{patch.source}:{patch.rank}", title, value_text(patch.value), tip=tip, alt=f"Part of {patch.title}")


def _show_evidence(evidence: tuple[TopPatches, ChannelEvidence] | None, view: View) -> None:
    thing = "channel" if view.layer else "class"
    st.markdown(f"**The pictures that drive this {thing} most**")
    if evidence is None:
        job = jobs.job(growing.EVIDENCE)
        if growing.growing_now():
            st.caption("They are looked up when nothing grows any more.")
        elif job is not None and job.running:
            jobs.progress_line(job)
        elif job is not None:
            st.caption(job.sentence or "This was stopped.")
        return
    found, channel = evidence
    patches = [*channel.patches, *(one for one in channel.own if one.source not in {p.source for p in channel.patches})]
    if channel.note:
        st.caption(channel.note)
    if patches:
        side = max(len(one.pixels) for one in patches), max(one.pixels.shape[1] for one in patches)
        gallery(
            np.stack([album.fitted(one.pixels, side) for one in patches]),
            [_patch_tile(one, "logit" if found.kind == "class" else "activation") for one in patches],
            name=f"Pictures that drive this {thing} most",
            key="filters_patches",
            tile=54,
        )
    st.caption(found.sentence)
