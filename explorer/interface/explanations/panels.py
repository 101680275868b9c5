"""What stands below the stage: what judges the maps, what the network forgets, which channels matter, who is near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer.explanations.results import ChannelEffects, Sanity, SanityStep, Scores, SwitchedOff
from explorer.explanations.table import METHODS
from explorer.inside.evidence import Neighbour, Neighbours
from explorer.inside.results import Overview
from explorer.interface import jobs, work
from explorer.interface.components.heat_maps import HeatMap, HeatRow, heat_maps
from explorer.interface.current_picture import plain
from explorer.interface.explanations import cells, report_panel, stage
from explorer.interface.explanations.page_state import STATE, Question, Row, class_title, unit_layers
from explorer.interface.figures import score_charts
from explorer.interface.figures.heat_scales import suited_rule
from explorer.interface.jobs import Job
from explorer.interface.network_choice import named
from explorer.interface.numbers import seconds_text, share_text, value_text
from explorer.interface.state import show_in
from explorer.interface.theme import palette
from explorer.networks import catalogue

RANDOM = "random"
STATIC = {"displayModeBar": False}


def title_of_map(name: str) -> str:
    """Return how a row of scores is printed."""
    return "Random map" if name == RANDOM else METHODS[name].title


def _job(key: str, name: str, label: str, this: tuple, *, start: bool, **arguments: Any) -> Job | None:
    """Return the job of a panel, begun if wanted; one about something else is stopped."""
    job = jobs.job(key)
    if job is not None and job.identity != this:
        jobs.forget(key)
        job = None
    if job is None and start:
        try:
            job = jobs.start(key, name, label=label, identity=this, **arguments)
        except jobs.JobRefused as refusal:
            st.error(str(refusal), icon=":material/error:")
    return job


def _common(question: Question, row: Row) -> dict[str, Any]:
    return {
        "network": question.network,
        "weights": question.weights,
        "pixels": row.picture.pixels,
        "fit": question.fit,
    }


def _watch(job: Job, draw: Any) -> None:
    """Draw a job's result, or how far it is with a button that stops it."""

    def one(job: Job) -> None:
        if job.running:
            with st.container(horizontal=True, vertical_alignment="center"):
                jobs.progress_line(job)
                st.button("Stop", key=f"{job.key}_stop", icon=":material/stop:", on_click=job.stop)
        elif job.sentence:
            st.error(job.sentence, icon=":material/error:")
            st.button("Try again", key=f"{job.key}_again", on_click=jobs.forget, args=(job.key,))
        elif job.state == "stopped":
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption("This was stopped.")
                st.button("Start again", key=f"{job.key}_again", on_click=jobs.forget, args=(job.key,))
        draw(job)

    jobs.poll(job, one)


def show(
    panel: str, question: Question, rows: Sequence[Row], names: Sequence[str], overviews: Sequence[Overview]
) -> None:
    """Draw the panel that was chosen, for the first row of the stage.

    Raises:
        WorkFailed: with one sentence for the visitor.
    """
    if panel == "scores":
        _scores(question, rows, names)
    elif panel == "sanity":
        _sanity(question, rows[0], names)
    elif panel == "channels":
        _channels(question, rows[0], overviews[0])
    elif panel == "neighbours":
        _neighbours(question, rows)
    elif panel == "report":
        report_panel.show(question, rows, names, overviews)


# -- scores ----------------------------------------------------------------------------------------------------


def _scores(question: Question, rows: Sequence[Row], names: Sequence[str]) -> None:
    row = rows[0]
    if len(rows) > 1:
        labels = [each.label for each in rows]
        row = rows[labels.index(st.selectbox("Judge the row", labels, key="explanations_judged", width=320))]
    there = {name: cells.found(question, row, METHODS[name]) for name in names}
    maps = {name: explained.explanation.maps[0] for name, explained in there.items() if explained is not None}
    if cells.underway(question, row, names):
        st.caption("The maps are judged when all of them are there.")
        return
    if not maps:
        st.caption("There is no map to judge.")
        return
    this = ("scores", *(cells.identity(question, row, METHODS[name]) for name in maps))
    small = not catalogue.is_large(catalogue.entry(question.network)) and (
        catalogue.entry(question.network).family == "Drawn world"
    )
    job = _job(
        "explanations scores",
        "explanations.judge",
        "Judging the maps",
        this,
        start=small or st.session_state.get("_explanations_judge") == this,
        target=row.target,
        maps=maps,
        mask=stage.mask_of_picture(row.picture),
        seed=question.seed,
        **_common(question, row),
    )
    if job is None:
        st.button(
            f"Judge {len(maps)} maps",
            key="explanations_judge",
            icon=":material/balance:",
            type="primary",
            on_click=lambda: st.session_state.update(_explanations_judge=this),
            help="About 60 pictures go through the network for each map.",
        )
        return
    _watch(job, _draw_scores)


def _draw_scores(job: Job) -> None:
    scores = job.result
    if not isinstance(scores, Scores):
        return
    colours = palette()
    known = any(row.hit is not None for row in scores.rows)
    table = [
        {
            "Map": title_of_map(row.method),
            "Insertion ↑": row.insertion.area,
            "Deletion ↓": row.deletion.area,
            **({"Hits the object": "yes" if row.hit else "no", "IoU ↑": row.overlap} if known else {}),
        }
        for row in scores.rows
    ]
    number = st.column_config.NumberColumn(format="%.3f")
    left, right = st.columns([1, 1], gap="medium")
    with left:
        st.dataframe(
            table,
            hide_index=True,
            column_config={"Insertion ↑": number, "Deletion ↓": number, "IoU ↑": number},
            key="explanations_score_table",
        )
        st.caption(
            "Insertion adds the picture's pixels in the map's order, deletion takes them away: a good map raises the "
            "score early, or lowers it early. The two often disagree; what a random map reaches is the measure of both."
        )
    with right:
        st.plotly_chart(
            score_charts.agreement(scores, colours, title_of_map),
            key="explanations_agreement",
            config=STATIC,
            alt=score_charts.agreement_words(scores, title_of_map),
        )
    one, two = st.columns(2, gap="medium")
    with one:
        st.plotly_chart(
            score_charts.curves(scores, "insertion", colours, title_of_map),
            key="explanations_insertion",
            config=STATIC,
            alt=score_charts.curves_words(scores, "insertion", title_of_map),
        )
    with two:
        st.plotly_chart(
            score_charts.curves(scores, "deletion", colours, title_of_map),
            key="explanations_deletion",
            config=STATIC,
            alt=score_charts.curves_words(scores, "deletion", title_of_map),
        )
    st.caption(f"Judged in {seconds_text(scores.seconds)}.")


# -- sanity check ----------------------------------------------------------------------------------------------


def _sanity(question: Question, row: Row, names: Sequence[str]) -> None:
    st.markdown(
        "Take a copy of the network and let it forget: give its layers random weights, one after the other, from the "
        "top down. A map that explains what the network has **learned** must change. One that stays the same has only "
        "redrawn the picture (Adebayo et al. 2018)."
    )
    usable = [name for name in names if row.target.kind in METHODS[name].targets]
    if not usable:
        st.caption("Choose a method first.")
        return
    this = ("sanity", *(cells.identity(question, row, METHODS[name]) for name in usable))
    wanted = st.session_state.get("_explanations_sanity") == this
    job = _job(
        "explanations sanity",
        "explanations.sanity",
        "Forgetting layer by layer",
        this,
        start=wanted,
        target=row.target,
        methods=tuple(usable),
        layer=question.layer or None,
        seed=question.seed,
        score=question.score,
        options={name: question.of(name) for name in usable},
        **_common(question, row),
    )
    if job is None:
        st.button(
            f"Let a copy forget, and watch {len(usable)} maps",
            key="explanations_sanity_start",
            icon=":material/psychology_alt:",
            type="primary",
            on_click=lambda: st.session_state.update(_explanations_sanity=this),
        )
        return
    picture = stage.seen(question, row.picture).encoded

    def draw(job: Job) -> None:
        steps = job.result.steps if isinstance(job.result, Sanity) else _steps_so_far(job)
        if steps:
            _draw_sanity(tuple(steps), picture, row)

    _watch(job, draw)


def _steps_so_far(job: Job) -> tuple[SanityStep, ...]:
    return tuple(step for _, part in sorted(job.payloads.items()) for step in part)


def _draw_sanity(steps: tuple[SanityStep, ...], picture: bytes, row: Row) -> None:
    st.plotly_chart(
        score_charts.sanity(steps, palette(), title_of_map),
        key="explanations_sanity_chart",
        config=STATIC,
        alt=score_charts.sanity_words(steps, title_of_map),
    )
    shown = steps if len(steps) <= 6 else tuple(steps[i] for i in np.linspace(0, len(steps) - 1, 6).round().astype(int))
    heat_maps(
        [
            HeatRow(
                f"{step.layer} and all above forgotten" if step.layer else "trained",
                picture,
                tuple(
                    HeatMap(
                        name,
                        METHODS[name].title,
                        caption=f"rank correlation {value_text(step.correlation[name])}"
                        if np.isfinite(step.correlation[name])
                        else "constant map",
                        values=values,
                        signed=METHODS[name].signed,
                        rule=suited_rule(name),
                    )
                    for name, values in step.maps.items()
                ),
                alt=f"{row.picture.title}, as the network gets it",
            )
            for step in shown
        ],
        key="explanations_sanity_maps",
        largest=180,
    )


# -- channels --------------------------------------------------------------------------------------------------


def _channels(question: Question, row: Row, overview: Overview) -> None:
    st.markdown(
        "What drives this prediction, channel by channel? Each channel of a layer is switched off in turn (its map set "
        "to zero), and the class's logit is read again. Then switch off what you like."
    )
    if row.target.kind != "class" or not overview.predictions:
        st.caption("This asks about a class: choose one above.")
        return
    layers = unit_layers(overview.structure)
    if not layers:
        st.caption("No layer of this network has channels with places.")
        return
    layer = STATE.pick("off_layer", layers, index=len(layers) - 1, width=320, on_change=lambda: STATE.set("off", ""))
    names = catalogue.class_names(catalogue.entry(question.network))
    this = ("effects", *row.keep_as(question), layer)
    job = _job(
        "explanations effects",
        "explanations.channel_effects",
        f"Switching off the channels of {layer}",
        this,
        start=True,
        layer=layer,
        index=row.target.index,
        **_common(question, row),
    )
    if job is None:
        return
    _watch(job, lambda job: _draw_effects(job, names))
    effects = job.result
    if isinstance(effects, ChannelEffects):
        _switched_off(question, row, layer, effects, names)


def _draw_effects(job: Job, names: tuple[str, ...] | None) -> None:
    effects = job.result
    if not isinstance(effects, ChannelEffects):
        return
    title = class_title(names, effects.classes[0])
    st.plotly_chart(
        score_charts.channel_effects(effects, title, palette()),
        key="explanations_effects_chart",
        config=STATIC,
        alt=score_charts.channel_effects_words(effects, title),
    )
    tried = (
        f"{len(effects.channels)} of {effects.total} channels were tried"
        if effects.estimated
        else (f"all {effects.total} channels were tried")
    )
    chosen = ", chosen by activation × gradient" if effects.estimated else ""
    st.caption(f"{tried.capitalize()}{chosen}, in {seconds_text(effects.seconds)}.")


def _moved(by: float) -> str:
    return value_text(by) if by < 0 else f"+{value_text(by)}"


def _switched_off(
    question: Question, row: Row, layer: str, effects: ChannelEffects, names: tuple[str, ...] | None
) -> None:
    losses = effects.base[0] - effects.logits[:, 0]
    by_channel = dict(zip(effects.channels, losses, strict=True))
    wanted = [int(part) for part in STATE.linked("off").split(",") if part.isdecimal() and len(part) < 7]
    chosen = [channel for channel in wanted if channel in by_channel]
    shown = "explanations_off_shown"
    show_in(shown, chosen)

    def changed() -> None:
        STATE.set("off", ",".join(str(channel) for channel in st.session_state[shown]))

    def most(count: int) -> None:
        STATE.set("off", ",".join(str(channel) for channel in effects.channels[:count]))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "Switched off (and how the logit moves without it)",
            list(effects.channels),
            key=shown,
            on_change=changed,
            format_func=lambda channel: f"{channel} ({_moved(-float(by_channel[channel]))})",
            placeholder="Choose channels; the most important stand first",
        )
        for count in (1, 5, 20):
            if count < effects.total:
                st.button(
                    f"The {count} that speak most for it" if count > 1 else "The one that speaks most for it",
                    key=f"explanations_off_{count}",
                    on_click=most,
                    args=(count,),
                )
        st.button("All on", key="explanations_off_none", on_click=STATE.set, args=("off", ""))
    if not chosen:
        st.caption("All channels are on.")
        return
    after = work.run(
        named("explanations.switch_off", question.network),
        label="Switching off",
        keep_as=(*row.keep_as(question), layer, tuple(sorted(chosen))),
        layer=layer,
        channels=tuple(sorted(chosen)),
        **_common(question, row),
    )
    assert isinstance(after, SwitchedOff)
    order = [int(i) for i in np.argsort(-np.maximum(after.probabilities_before, after.probabilities_after))[:6]]
    st.plotly_chart(
        score_charts.switched_off(after, order, [class_title(names, i) for i in order], palette()),
        key="explanations_off_chart",
        config=STATIC,
        alt=score_charts.switched_off_words(after, order, [class_title(names, i) for i in order]),
    )
    before, now = int(np.argmax(after.before)), int(np.argmax(after.after))
    without = "this channel" if len(chosen) == 1 else f"these {len(chosen)} channels"
    said, says = plain(class_title(names, before)), plain(class_title(names, now))
    if before != now:
        st.markdown(f"Without {without} the network says **{says}** instead of **{said}**.")
    else:
        st.markdown(
            f"Without {without} the network still says **{said}**: {share_text(float(after.probabilities_after[now]))} "
            f"instead of {share_text(float(after.probabilities_before[now]))}."
        )


# -- neighbours ------------------------------------------------------------------------------------------------


def _neighbours(question: Question, rows: Sequence[Row]) -> None:
    st.markdown(
        "Which pictures are nearest to this one? On the left pixel by pixel, on the right by what the network makes of "
        "them: the numbers that its last layer reads."
    )
    row = rows[0]
    others = {each.picture.sha256: each.picture for each in rows if each.picture.sha256 != row.picture.sha256}
    this = ("neighbours", *row.keep_as(question)[:-1], *others)
    job = _job(
        "explanations neighbours",
        "inside.neighbours",
        "Looking for pictures nearby",
        this,
        start=True,
        own=tuple(picture.pixels for picture in others.values()),
        **_common(question, row),
    )
    if job is not None:
        names = catalogue.class_names(catalogue.entry(question.network))
        _watch(job, lambda job: _draw_neighbours(job, names))


def _draw_neighbours(job: Job, names: tuple[str, ...] | None) -> None:
    found = job.result
    if not isinstance(found, Neighbours):
        return
    for place, title, listed in zip(
        st.columns(2, gap="medium"), ("As pixels", "As features"), (found.pixels, found.features), strict=True
    ):
        place.markdown(f"**{title}**")
        with place.container(horizontal=True, key=f"explanations_near_{title[3:]}"):
            for neighbour in listed:
                with st.container(width=104):
                    st.image(neighbour.picture, width=96, alt=neighbour.title)
                    st.caption(_near_words(neighbour, names))
    st.caption(
        "Under each: its name, what the network sees in it, and its distance (root mean square difference of pixels; "
        "Euclidean distance of features, as a share of their usual length). "
        f"Among {found.among} drawn pictures and sample photos; features: {found.size} numbers of {found.layer}. "
        f"The two orders agree with a rank correlation of {found.rank_agreement:.2f}."
    )


def _near_words(neighbour: Neighbour, names: tuple[str, ...] | None) -> str:
    seen = "" if neighbour.predicted is None else f" · {plain(class_title(names, neighbour.predicted))}"
    return f"{plain(neighbour.title)}{seen} · {neighbour.distance:.3f}"
