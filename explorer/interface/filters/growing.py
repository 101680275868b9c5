"""Live runs of the filters page: start, stop, go on, another learning rate; what has grown is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from explorer.ascent.results import DreamPlan, Growing, Grown, Plan, octave_sizes
from explorer.interface import jobs
from explorer.interface.current_picture import plain
from explorer.interface.filters import album
from explorer.interface.filters.wishes import STATE, View, title_of
from explorer.interface.jobs import Job
from explorer.interface.numbers import seconds_text

GROW = "filters_grow"
LADDER = "filters_ladder"
DREAM = "filters_dream"
EVIDENCE = "filters_evidence"
_REFUSED = "_filters_refused"
_HARVESTED = "_filters_harvested"
_NUMBER = "_filters_runs"
_HELD = "_filters_held"


def unfinished(results: Sequence[Grown], arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Return what `ascent.grow` needs to go on after it gave way to others; None when all is done."""
    if all(one.finished or one.state is None for one in results):
        return None
    return {"plans": tuple(one.plan for one in results), "states": tuple(one.state for one in results)}


def start(
    key: str,
    view: View,
    plans: Sequence[Plan],
    *,
    label: str,
    pixels: np.ndarray | None = None,
    picture: str = "",
    fit: str = "pad",
    states: Sequence[dict[str, Any] | None] | None = None,
) -> None:
    """Start growing (in a callback); what ran under the key is stopped.

    Args:
        key: `GROW` or `LADDER`.
        view: what is on the stage.
        plans: one to four.
        label: for the progress line.
        pixels: the visitor's picture, for plans that start from it.
        picture: its source, which the job remembers (see `picture_of`): the visitor may soon look at another.
        fit: how it is fitted.
        states: where to go on from.
    """
    jobs.forget(EVIDENCE)  # of one visitor only one thing is computed at a time, and this is what is waited for
    from_picture = any(plan.start == "picture" for plan in plans)
    begin(
        key,
        "ascent.grow",
        label=label,
        about=(view, tuple(plans), picture if from_picture else ""),
        go_on=unfinished,
        plans=tuple(plans),
        states=None if states is None else tuple(states),
        pixels=pixels if from_picture else None,
        fit=fit,
    )


def begin(key: str, name: str, *, label: str, about: tuple, **arguments: Any) -> None:
    """Start a job whose identity is what it is about and a number of its own; say why where it is not taken."""
    st.session_state.pop(_REFUSED, None)
    number = st.session_state[_NUMBER] = st.session_state.get(_NUMBER, 0) + 1
    try:
        jobs.start(key, name, label=label, identity=(*about, number), **arguments)
    except jobs.JobRefused as refusal:
        refuse(str(refusal))


def picture_of(job: Job) -> str:
    """Return the source of the picture that a run of `GROW` or `LADDER` began with, or ""."""
    return str(job.identity[2])


def go_on(key: str, job: Job) -> None:
    """Go on from where a run was stopped or had ended (in a callback), in the second case for as long again."""
    results: Sequence[Grown] = job.result or ()
    plans, states = [], []
    for one in results:
        if isinstance(one.plan, Plan) and one.state is not None:
            steps = one.plan.steps if one.step < one.plan.steps else one.step + int(STATE.value("steps"))
            plans.append(replace(one.plan, steps=steps))
            states.append(one.state)
    if plans:
        # Their states have the picture in them that they may have begun with.
        start(key, job.identity[0], plans, label=job.label, picture=picture_of(job), states=states)


def refusal() -> str:
    """Return why the last run was not taken, or ""."""
    return str(st.session_state.get(_REFUSED, ""))


def refuse(sentence: str) -> None:
    """Say why a run is not started."""
    st.session_state[_REFUSED] = sentence


def growing_now() -> bool:
    """Tell whether anything grows or dreams in this session."""
    return any(job is not None and job.running for job in map(jobs.job, (GROW, LADDER, DREAM)))


def growings(job: Job | None) -> list[Growing]:
    """Return what is known of the images that grow, in the order of the plans (see `Growing.plan`)."""
    if job is None:
        return []
    payloads = job.payloads
    return [payloads[part] for part in sorted(payloads) if isinstance(payloads[part], Growing)]


def results_of(job: Job | None) -> tuple[Grown, ...]:
    """Return the results of a job that has ended, also partial ones."""
    if job is None or job.running:
        return ()
    result = job.result
    several = result if isinstance(result, tuple | list) else (result,)
    return tuple(one for one in several if isinstance(one, Grown))


def harvest(job: Job | None) -> None:
    """Keep what an ended run has grown among this session's images, once."""
    results = results_of(job)
    if not results or job is None or st.session_state.get(_HARVESTED) == job.identity[-1]:
        return
    st.session_state[_HARVESTED] = job.identity[-1]
    for one in results:
        album.keep(job.identity[0], one, picture_of(job))


def _words(job: Job, steps: tuple[int, int], seconds_left: float | None) -> str:
    if job.state == "stopping":
        return "stopping …"
    if job.place:
        return f"waiting, place {job.place} in line"
    if not steps[1]:
        return job.progress.message if job.progress and job.progress.message else "starting …"
    left = f" · {seconds_text(seconds_left)} left" if seconds_left is not None and np.isfinite(seconds_left) else ""
    if not steps[0]:
        return f"step 0 of {steps[1]} · the first step takes longest"
    return f"step {steps[0]} of {steps[1]}{left}"


def running_bar(job: Job) -> None:
    """Draw a running job: *Stop*, and how far it is."""
    now = growings(job)
    done, whole = sum(one.step for one in now), sum(one.steps for one in now)
    steps = (round(done / len(now)), round(whole / len(now))) if now else (0, 0)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{job.key}_bar"):
        st.button(
            "Stop", key=f"{job.key}_stop", icon=":material/stop:", type="primary", on_click=job.stop,
            disabled=job.state == "stopping",
        )  # fmt: skip
        with st.container(width="stretch"):
            left = now[-1].seconds_left if now else None
            st.progress(min(1.0, done / whole) if whole else 0.0, f"{job.label}: {_words(job, steps, left)}")


def rate_slider(job: Job) -> None:
    """Draw the learning rate, which can be changed while images grow."""
    key = f"{job.key}_rate_{job.identity[-1]}"
    st.slider(
        "Learning rate", 0.002, 0.2, float(job.identity[1][0].learning_rate), step=0.002, format="%.3f", key=key,
        on_change=lambda: job.tell(learning_rate=float(st.session_state[key])),
        help="Takes effect at the next step; nothing that has grown is lost.",
    )  # fmt: skip


def hold_choice(job: Job, view: View, names: Sequence[str]) -> None:
    """Draw which of several images shall stay as they are while the others grow."""
    targets = list(dict.fromkeys(target for plan in job.identity[1] for target in plan.targets))
    if len(targets) < 2:
        return
    key = f"{job.key}_hold_{job.identity[-1]}"

    def changed() -> None:
        held = list(st.session_state[key])
        job.tell(held=held)
        now = growings(job)
        before = st.session_state.get(_HELD, {}).get(job.identity[-1], {})
        since = {
            target: before.get(target, (title_of(view, names, target), now[0].step if now else 0)) for target in held
        }
        st.session_state[_HELD] = {job.identity[-1]: since}

    st.pills(
        "Stop only", targets, selection_mode="multi", key=key, format_func=lambda target: title_of(view, names, target),
        on_change=changed,
        help="These stay as they are while the others grow; press again to let them grow on.",
    )  # fmt: skip


def outcome_words(job: Job) -> str:
    """Return how a run ended, in a line."""
    results = results_of(job)
    if not results:
        return "Stopped before there was anything to see." if job.state == "stopped" else ""
    first = results[0]
    steps = first.plan.steps
    if isinstance(first.plan, DreamPlan):
        height, width = first.images.shape[1:3]
        steps *= len(octave_sizes(height, width, first.plan.octaves, first.plan.octave_scale))
    count = sum(len(one.images) for one in results)
    images = f"{count} image{'s' if count > 1 else ''}"
    how = f"stopped at step {first.step} of {steps}" if not first.finished else f"{first.step} steps"
    words = f"{images}, {how}, {seconds_text(sum(one.seconds for one in results))} on {first.device}"
    for title, step in st.session_state.get(_HELD, {}).get(job.identity[-1], {}).values():
        words += f"; {title} was stopped at step {step} and has stayed as it was"
    return words


def show_notes(job: Job | None) -> None:
    """Draw what must be said about the images of a run that has ended, each sentence once."""
    for note in dict.fromkeys(note for one in results_of(job) for note in one.notes):
        st.caption(plain(note))
