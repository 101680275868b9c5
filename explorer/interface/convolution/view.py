"""The convolution page from top to bottom: scene, example and settings, the stage, what stands below it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.convolution import settings as convolution_settings
from explorer.convolution.scene import Control, Scene, Settings
from explorer.convolution.scenes.table import SCENES, scene
from explorer.convolution.stage import Fact, Stage
from explorer.interface import picture_picker, state
from explorer.interface.components import boards
from explorer.interface.convolution import photo, predict, scene_state, take_along
from explorer.interface.convolution.scene_state import STATE
from explorer.interface.current_picture import plain
from explorer.interface.page_frame import page_head

_FACTS = """<style>
.facts { display: flex; flex-wrap: wrap; gap: .5rem 1.6rem; margin: 0; padding: 0 !important; font-size: .9rem; }
.facts div { min-width: 0; }
.facts dt { font-size: .78rem; opacity: .8; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts small { display: block; font-size: .78rem; font-weight: 400; opacity: .85; }
</style>"""


def _pick_scene() -> Scene:
    titles = {one.name: one.title for one in SCENES}
    name = scene_state.choice(
        "scene", titles, st.segmented_control, scene_state.scene_chosen, label_visibility="collapsed", required=True
    )
    return scene(name)


def _pick_preset(chosen: Scene) -> str:
    titles = {preset.name: preset.title for preset in chosen.presets}
    return scene_state.choice("preset", titles, st.selectbox, lambda: scene_state.preset_chosen(chosen), width=230)


def control_data(chosen: Scene, settings: Settings, control: Control, refused: tuple[str, str, str]) -> dict[str, Any]:
    """Return one setting as the strip draws it, with what can be reached from here."""
    data: dict[str, Any] = {
        "name": control.name,
        "label": control.label,
        "kind": control.kind,
        "text": convolution_settings.to_text(control, settings[control.name]),
        "main": control.main,
        "help": control.help,
    }
    if control.kind in ("count", "pair"):
        for way, there in zip(("down", "up"), convolution_settings.neighbours(chosen, settings, control), strict=True):
            data[way] = (
                {"text": convolution_settings.to_text(control, there.value)}
                if there.value is not None
                else {"why": there.why}
            )
    elif control.kind == "number":
        data |= {"low": control.low, "high": control.high, "step": control.step}
    elif control.kind == "choice":
        data["options"] = [
            {
                "name": name,
                "title": title,
                "why": convolution_settings.refusal(chosen, settings, control.name, name) or "",
            }
            for name, title in control.options.items()
        ]
    elif control.kind == "switch":
        other = "0" if data["text"] == "1" else "1"
        data["why"] = convolution_settings.refusal(chosen, settings, control.name, other) or ""
    if refused[0] == control.name:
        data["refused"] = refused[1][:40]
    return data


def _settings_strip(chosen: Scene, settings: Settings, given: dict[str, Any]) -> None:
    refused = scene_state.complaint()
    shown = [
        control_data(chosen, settings, control, refused)
        for control in chosen.controls
        if control.kind != "grid" and control.shown(settings) and not STATE.hidden(control.name)
    ]

    def on_set() -> None:
        wish = st.session_state["convolution_strip"].set
        if isinstance(wish, dict) and isinstance(wish.get("name"), str):
            scene_state.wish(chosen, settings, given, wish["name"], str(wish.get("text", ""))[:4000])

    boards.settings_strip(shown, complaint=refused[2], key="convolution_strip", on_set=on_set)


def facts_html(facts: tuple[Fact, ...]) -> str:
    """Return the numbers beside the stage as a list."""
    rows = []
    for fact in facts:
        exact = "" if fact.exact == fact.value else f"<small>{_escaped(fact.exact)}</small>"
        rows.append(f"<div><dt>{_escaped(fact.label)}</dt><dd>{_escaped(fact.value)}{exact}</dd></div>")
    return f'{_FACTS}<dl class="facts" data-testid="facts">{"".join(rows)}</dl>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stage(chosen: Scene, stage: Stage, asked: predict.Asked | None) -> None:
    cell = scene_state.pinned_cell(stage)
    shown, hidden = (stage, ()) if asked is None else predict.withhold(stage, asked)

    def on_edit() -> None:
        scene_state.edit(chosen, stage, st.session_state["convolution_stage"].edit)

    def on_cell() -> None:
        scene_state.pin(stage, st.session_state["convolution_stage"].cell)

    boards.stage(
        shown,
        key="convolution_stage",
        on_edit=on_edit,
        on_cell=on_cell,
        hidden=hidden,
        pinned=cell if asked is None else asked.pinned(stage),
        playing=None if asked is None else False,
    )


def show() -> None:
    """Draw the page."""
    state.hide_unseen()
    page_head("Convolution", scene_state.current().question)
    with st.container(horizontal=True, vertical_alignment="center", key="convolution_scenes"):
        chosen = _pick_scene()
        with STATE.part("class"), st.container(width="content"):
            predict.choice()
    # Before all that shows them: these fields read the link.
    texts = scene_state.texts(chosen)
    STATE.text("cell", unseen=True)
    STATE.text("question", unseen=True)
    # What no control sets: a scene may look at the pinned cell, and at the visitor's picture.
    given: dict[str, Any] = {"cell": scene_state.pinned_number()}
    picture = None
    with st.container(horizontal=True, vertical_alignment="top", key="convolution_controls"):
        preset = _pick_preset(chosen)
        if chosen.name == "photo":
            with STATE.part("picture"), st.container(width="content"):
                picture_picker.picture_controls("convolution")
            picture = picture_picker.current_picture("convolution")
            if picture is None:
                scene_state.scene_shown(chosen)
                return
            given["pixels"] = picture.pixels
        result = convolution_settings.choose(chosen, preset, texts, **given)
        try:
            fitting = convolution_settings.made_possible(chosen, result.settings)
        except ValueError as error:
            st.error(plain(str(error)), icon=":material/broken_image:")
            scene_state.scene_shown(chosen)
            return
        settings = fitting.settings
        if chosen.name != "photo":
            with STATE.part("settings"):
                _settings_strip(chosen, settings, given)
    if chosen.name == "photo":  # the picture's own controls fill the row
        with STATE.part("settings"):
            _settings_strip(chosen, settings, given)
    for sentence in (*result.complaints, *fitting.complaints):
        st.warning(plain(sentence), icon=":material/link_off:")
    stage = chosen.build(settings)
    asked = predict.question_of(chosen, stage)
    # Facts and notes follow from one another: none is said that could give an answer away.
    open_question = asked is not None and not asked.answered
    if asked is not None:
        predict.show(stage, asked)
    if chosen.name == "photo" and picture is not None:
        if open_question:
            st.caption("The picture's result is hidden until you have answered.")
        else:
            photo.show_photo(settings, picture.pixels, on_pin=scene_state.pin_pixel, alt=picture.title)
    _stage(chosen, stage, asked)
    if not open_question:
        st.html(facts_html(stage.facts))
        for note in stage.notes:
            st.caption(plain(note))
        if chosen.table is not None:
            st.dataframe(chosen.table(settings), hide_index=True, width="stretch")
        if chosen.name == "photo" and picture is not None:
            photo.show_comparison(settings, picture.pixels)
    take_along.show(chosen, settings, stage, answered=not open_question)
    if chosen.background:
        with st.expander("Background, formulas, source"):
            st.markdown(chosen.background)
    scene_state.scene_shown(chosen)
