"""Setting a run up: preset, data, network, knobs, how long it will take, and the button that starts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.interface import runs_service
from explorer.interface.current_picture import plain
from explorer.interface.state import show_in
from explorer.interface.training import asking, augmenting, data_panel, starting, take_along, timing, words
from explorer.interface.training.knobs import knob_widget
from explorer.interface.training.page_state import (
    LARGEST_SEED,
    STATE,
    Plan,
    choose_preset,
    open_run,
    plan_of,
    set_setting,
)
from explorer.networks import catalogue
from explorer.runs.folder import LONGEST_TITLE
from explorer.runs.lessons.lesson import Knob, Lesson
from explorer.runs.record import Run
from explorer.settings import get_settings

MANY_PRESETS = 4

_LOOK = """<style>
/* A long note wraps within its own room, so that the button that starts stays in its row. */
.st-key-training_start_row > .stElementContainer:has([data-testid="stCaptionContainer"]) { flex: 1 1 12rem; }
</style>"""


def show(lesson: Lesson, runs: Sequence[Run]) -> None:
    """Draw the set-up of a lesson.

    Args:
        lesson: which.
        runs: all runs that this machine has seen, for how long this one will take.
    """
    plan = plan_of(lesson)
    data, refused = data_panel.data_of(plan)
    st.html(_LOOK)
    with st.container(border=True, key="training_set_up"):
        st.markdown(f"The lecture says: **“{plain(lesson.sentence)}”** Does it hold? Your run's own numbers decide.")
        with st.container(horizontal=True, vertical_alignment="center", key="training_start_row"):
            _presets(plan)
            if plan.preset.note:
                st.caption(plain(plan.preset.note), width="stretch")
            else:
                st.space("stretch")
            ready = st.container(horizontal=True, vertical_alignment="center", width="content")
        for sentence in (*plan.refused, *refused):
            st.warning(plain(sentence), icon=":material/link_off:")
        beside = bool(lesson.data) or lesson.glance is not None
        if beside:
            left, right = st.columns([1.3, 1], gap="large")
        else:  # there is nothing to be seen of its data: the settings have all the room
            left = right = st.container()
        with right, STATE.part("settings"):
            network = _network(plan)
            title, seed = _knobs(plan, columns=1 if beside else 3)
        with left, STATE.part("data"):
            there = data_panel.show(plan, data, seed)
        with ready:
            _start(plan, data, network, title, seed, runs, there)
    take_along.show_plan(lesson, data=data, network=network, settings=dict(plan.settings), seed=seed)


def _presets(plan: Plan) -> None:
    presets = plan.lesson.presets
    if len(presets) < 2:
        return
    titles = {preset.name: preset.title for preset in presets}
    key = f"training_preset_{plan.lesson.name}_shown"
    show_in(key, plan.preset.name)

    def changed() -> None:
        if (name := st.session_state[key]) is not None:
            choose_preset("" if name == presets[0].name else name)

    with STATE.part("preset"):
        if len(presets) <= MANY_PRESETS:
            st.segmented_control(
                "Preset", list(titles), format_func=titles.__getitem__, key=key, on_change=changed, required=True,
                label_visibility="collapsed",
            )  # fmt: skip
        else:
            st.selectbox(
                "Preset", list(titles), format_func=titles.__getitem__, key=key, on_change=changed,
                label_visibility="collapsed", width=300,
            )  # fmt: skip


def network_choices(lesson: Lesson) -> tuple[list[str], dict[str, str]]:
    """Return the networks that a lesson can begin from, and of the others the reason why not, by title."""
    if not lesson.pretrained:
        return [], {}
    ready: list[str] = []
    missing: dict[str, str] = {}
    for entry in catalogue.entries():
        if entry.weights is None:
            continue  # nobody trained it: there is nothing to begin from
        if catalogue.weights_present(entry):
            ready.append(entry.name)
        else:
            missing[entry.title] = f"{entry.weights.megabytes:.0f} MB to download"
    return ready, missing


def _network(plan: Plan) -> str:
    """Draw the choice of the network that learning begins from, and return it."""
    ready, missing = network_choices(plan.lesson)
    if not ready:
        return ""
    index = ready.index(catalogue.DEFAULT_NETWORK) if catalogue.DEFAULT_NETWORK in ready else 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = STATE.pick(
            "network", ready, index=index, format_func=lambda name: catalogue.entry(name).title, width=260
        )
        if missing:
            with st.popover(f"{len(missing)} more", icon=":material/cloud_download:", type="tertiary"):
                st.markdown(
                    "The trained weights of these networks are not on this machine. Open one on the page "
                    "*Feature maps* and download them there."
                    if get_settings().allow_downloads
                    else "The trained weights of these networks are not on this machine; whoever runs it can add them."
                )
                st.dataframe(
                    [{"Network": title, "Weights": why} for title, why in missing.items()], hide_index=True,
                    key="training_missing_networks",
                )  # fmt: skip
    return network


def _knobs(plan: Plan, columns: int) -> tuple[str, int]:
    """Draw the knobs, the main ones in so many columns, and return the title and the seed of the run."""
    used = [knob for knob in plan.lesson.in_use(plan.settings) if not augmenting.is_augmentation(knob)]
    if not runs_service.trains_on_gpu():
        used = [knob for knob in used if not knob.gpu]
    with st.grid(columns, min_column_width=250, gap="medium"):
        for knob in used:
            if knob.main:
                with st.container():
                    _knob(plan, knob)
    with (
        STATE.part("more"),
        st.popover("More settings", icon=":material/tune:", key="training_more"),
        st.container(width=420),
    ):
        for knob in used:
            if not knob.main:
                _knob(plan, knob)
        seed = STATE.number("seed", low=0, high=LARGEST_SEED) or 0
        title = st.text_input(
            "Name of the run",
            key="training_title",
            max_chars=LONGEST_TITLE,
            placeholder=default_title(plan),
            help="To find it again in the table of runs.",
        )
        st.button("Reset this page", on_click=STATE.reset, key="training_reset", icon=":material/restart_alt:")
    return str(title or "").strip(), seed


def _knob(plan: Plan, knob: Knob) -> None:
    knob_widget(
        knob, plan.settings[knob.name], plan.lesson.name, lambda name, value: set_setting(plan.lesson, name, value)
    )


def default_title(plan: Plan) -> str:
    """Return what a run is called that nobody has named."""
    first = plan.preset.name == plan.lesson.presets[0].name
    return plan.lesson.title if first else f"{plan.lesson.title}: {plan.preset.title}"[:LONGEST_TITLE]


def _start(
    plan: Plan, data: Mapping[str, Any], network: str, title: str, seed: int, runs: Sequence[Run], there: bool
) -> None:
    """Draw how long it will take, and the button that starts it, once there are data to learn from."""
    seconds = timing.estimate(plan.lesson, plan.settings, data)
    if seconds is not None:
        here = timing.pace(runs)
        st.markdown(f"{words.about_seconds(seconds * here.of(plan.lesson)).capitalize()} {here.where}", width="content")
    if st.button("Start", type="primary", icon=":material/play_arrow:", key="training_start", disabled=not there):
        run = starting.start(
            plan.lesson,
            title=title or default_title(plan),
            settings=plan.settings,
            data=data,
            network=network,
            seed=seed,
        )
        if run is not None:
            open_run(run.id)
        st.rerun()
    if asking.others_busy()[0]:
        st.caption("Others are training: it may wait its turn.")
