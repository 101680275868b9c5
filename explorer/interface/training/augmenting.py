"""Augmentation, shown on the pictures at hand before anything learns from them, with its sliders beside them."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from explorer.interface.training.examples import coloured_masks, strip_tag
from explorer.interface.training.knobs import knob_widget
from explorer.interface.training.page_state import STATE, Plan
from explorer.runs.data import augmentation_knobs
from explorer.runs.data.augmentation import examples
from explorer.runs.data.overview import Overview
from explorer.runs.lessons.lesson import Knob

SHOWN, VERSIONS = 3, 6


def is_augmentation(knob: Knob) -> bool:
    """Tell whether a knob belongs here and not among the others."""
    return knob.name in augmentation_knobs.NEUTRAL


def knobs_of(plan: Plan) -> list[Knob]:
    """Return the lesson's settings of augmentation that matter with its other settings."""
    return [knob for knob in plan.lesson.in_use(plan.settings) if is_augmentation(knob)]


def show(plan: Plan, overview: Overview, seed: int, changed: Callable[[str, Any], None]) -> None:
    """Draw the settings and what they make of a few pictures; nothing for a lesson without augmentation.

    Args:
        plan: of the run.
        overview: the data.
        seed: of the run.
        changed: told what a visitor sets.
    """
    knobs = knobs_of(plan)
    if not knobs:
        return
    active = [knob for knob in knobs if plan.settings[knob.name] != augmentation_knobs.NEUTRAL[knob.name]]
    words = f"Augmentation: {', '.join(knob.label.lower() for knob in active)}" if active else "Augmentation: none"
    with STATE.part("augmentation"), st.expander(words, icon=":material/auto_fix_high:", expanded=bool(active)):
        settings = {knob.name: plan.settings[knob.name] for knob in knobs}
        st.html(versions_html(overview, settings, seed))
        st.caption("Left the picture itself, then what the network gets in its place: another one in each epoch.")
        with st.grid(3, min_column_width=150, gap="small"):
            for knob in knobs:
                with st.container():
                    knob_widget(knob, plan.settings[knob.name], plan.lesson.name, changed)


def versions_html(overview: Overview, settings: Mapping[str, Any], seed: int) -> str:
    """Return pictures beside what augmentation makes of them; masks follow in a row below."""
    rows = _versions(overview, settings, seed)
    return "".join(f"<div>{strip_tag(pixels, html.escape(words))}</div>" for words, pixels in rows)


def _versions(overview: Overview, settings: Mapping[str, Any], seed: int) -> list[tuple[str, np.ndarray]]:
    found = overview.examples
    if not len(found):
        return []
    # One of each class, as far as there is room: they lie class after class.
    chosen = np.unique(np.linspace(0, len(found) - 1, SHOWN).round().astype(int))
    pixels = found.pixels[chosen]
    masks = None if found.masks is None else found.masks[chosen]
    shown, followed = examples(pixels, masks, settings, seed, VERSIONS)
    rows = []
    for number in range(len(chosen)):
        name = found.names[int(chosen[number])] if found.names else "A picture"
        both = np.concatenate([pixels[number : number + 1], shown[number]])
        rows.append((f"{name} and {VERSIONS} changed versions", both))
        if masks is not None and followed is not None and number == 0:
            rows.append(("Their masks", coloured_masks(np.concatenate([masks[:1], followed[0]]), len(found.classes))))
    return rows
