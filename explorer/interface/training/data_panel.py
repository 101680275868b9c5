"""The data of a run: which, how much, and what they look like before anything learns from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.interface import runs_service
from explorer.interface.current_picture import plain
from explorer.interface.training import augmenting, examples, own_data, sequence_examples, settings_link
from explorer.interface.training.knobs import knob_widget
from explorer.interface.training.page_state import STATE, Plan, set_setting
from explorer.interface.visitor import visitor_id
from explorer.networks.work_context import SentenceError
from explorer.runs.data import own
from explorer.runs.data.sequence_overview import SequenceOverview
from explorer.runs.data.sources import DataSource, source
from explorer.runs.lessons.lesson import DataKind


def sources_of(plan: Plan) -> list[DataSource]:
    """Return the sources that the lesson takes and this version has, its default first."""
    found = []
    for name in plan.lesson.data:
        try:
            found.append(source(name))
        except SentenceError:
            continue
    return found


def base_settings(plan: Plan, chosen: DataSource) -> dict[str, Any]:
    """Return the settings of a source as the preset has them; it speaks of the source that it names, or the first."""
    said = dict(plan.preset.data)
    about = said.pop("source", plan.lesson.data[0])
    try:
        return chosen.settings(said if about == chosen.name else {})
    except SentenceError:
        return chosen.settings({})


def chosen_source(plan: Plan) -> DataSource | None:
    """Return the source that is chosen, the preset's or the lesson's first where the link names none it takes."""
    there = sources_of(plan)
    wanted = STATE.linked("source") or str(plan.preset.data.get("source", ""))
    return next((each for each in there if each.name == wanted), there[0] if there else None)


def data_of(plan: Plan) -> tuple[dict[str, Any], list[str]]:
    """Return what goes into the config of the run, and a sentence for each setting of the link that cannot be."""
    chosen = chosen_source(plan)
    if chosen is None:
        return {}, []
    changes, refused = settings_link.changes_of(chosen.knobs, STATE.linked("data"))
    return {"source": chosen.name, **base_settings(plan, chosen), **changes}, refused


def set_data(plan: Plan, name: str, value: Any) -> None:
    """Change a setting of the data, from a callback."""
    chosen = chosen_source(plan)
    if chosen is None:
        return
    data, _ = data_of(plan)
    asked = {**data, name: value}
    base = base_settings(plan, chosen)
    changes = {key: asked[key] for key in base if asked[key] != base[key]}
    STATE.set("data", settings_link.text_of(chosen.knobs, changes))


def kind_of(plan: Plan) -> DataKind:
    """Return what the lesson needs: the first thing that all of its sources can be used as."""
    there = sources_of(plan)
    return next((kind for kind in there[0].kinds if all(kind in each.kinds for each in there)), there[0].kind)


def show(plan: Plan, data: dict[str, Any], seed: int) -> bool:
    """Draw the choice of the data, their settings and examples; own pictures that are chosen go into `data`.

    Returns:
        Whether there is something to learn from.
    """
    chosen = chosen_source(plan)
    if chosen is None:
        return _of_lesson(plan, seed)
    _source_row(plan, chosen, data)
    if chosen.name == "own":
        about = own_data.show(str(data.get("id", "")), lambda set_id: set_data(plan, "id", set_id))
        if about is None:
            return False
        data["id"] = about.id
        STATE.linked("data")  # the address follows at once
        kind: DataKind | None = kind_of(plan)
        try:
            own.usable(about, kind_of(plan))
        except SentenceError as failure:
            st.warning(plain(str(failure)), icon=":material/layers_clear:")
            return False
    else:
        kind = None
        if chosen.note:
            st.caption(plain(chosen.note))
    if chosen.kind == "sequences":
        return True
    loaded = plan.lesson.data_loaded(data, plan.settings)
    found = examples.show(loaded, seed, kind, visitor_id(), runs_service.runs_folder())
    if found is not None:
        augmenting.show(plan, found, seed, lambda name, value: set_setting(plan.lesson, name, value))
    return True


def _of_lesson(plan: Plan, seed: int) -> bool:
    """Draw what a lesson makes for itself, where it does; return whether there is something to learn from."""
    if plan.lesson.glance is None:
        return True
    try:
        found = examples.of_lesson(plan.lesson, plan.settings, seed)
    except SentenceError as failure:
        st.warning(plain(str(failure)), icon=":material/layers_clear:")
        return False
    if isinstance(found, SequenceOverview):
        sequence_examples.draw(found)
        return True
    examples.draw(found)
    augmenting.show(plan, found, seed, lambda name, value: set_setting(plan.lesson, name, value))
    return True


def _source_row(plan: Plan, chosen: DataSource, data: Mapping[str, Any]) -> None:
    """Draw the choice of the source and its knobs."""
    names = [each.name for each in sources_of(plan)]
    titles = {each.name: each.title for each in sources_of(plan)}
    default = str(plan.preset.data.get("source", names[0]))

    def changed(name: str, value: Any) -> None:
        set_data(plan, name, value)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        STATE.pick(
            "source", names, index=names.index(default) if default in names else 0, format_func=titles.__getitem__,
            width=230, on_change=lambda: STATE.set("data", ""),
        )  # fmt: skip
        knobs = [knob for knob in chosen.knobs if not plan.lesson.is_settled(chosen.name, knob.name)]
        for knob in knobs:
            if knob.main:
                with st.container(width=190 if knob.kind in ("integer", "number") else "content"):
                    knob_widget(knob, data[knob.name], f"data_{chosen.name}", changed)
        others = [knob for knob in knobs if not knob.main and knob.name != "id"]
        if others:
            with st.popover("More", icon=":material/tune:", key="training_data_more"), st.container(width=400):
                for knob in others:
                    knob_widget(knob, data[knob.name], f"data_{chosen.name}", changed)
