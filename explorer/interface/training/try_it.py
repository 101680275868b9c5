"""What a run's networks make of the visitor's own current picture."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from explorer.interface import picture_picker, work
from explorer.interface.current_picture import plain
from explorer.interface.figures import training_charts
from explorer.interface.network_choice import encoded
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette
from explorer.interface.training import elsewhere, items, words
from explorer.interface.training.page_state import STATE
from explorer.runs.applied import Applicable, Applied, read_applicable
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.record import Run

SHOWN_SIDE = 384
"""Pixels of the page up to which a small picture is enlarged, by whole factors."""

MOST_CLASSES = 6
MOST_TOLD = 12

_DOES = {
    "classifies": "What is it?",
    "segments": "A class for each pixel",
    "enlarges": "Enlarged",
    "reconstructs": "Reconstructed",
}


def models_of(run: Run) -> tuple[Applicable, ...]:
    """Return the networks of a run that a picture can be handed to."""
    return read_applicable(run.folder)


def show(run: Run, lesson: Lesson | None) -> None:
    """Draw what one of the run's networks makes of the current picture."""
    models = {model.variant: model for model in models_of(run)}
    if not models:
        st.caption("No network of this run takes pictures.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="training_try"):
        picture_picker.picture_controls("training")
        variant = next(iter(models))
        if len(models) > 1:
            variant = STATE.pick(
                "tried", list(models), width=320, label_visibility="collapsed",
                format_func=lambda name: models[name].title or words.variant_title(lesson, name),
            )  # fmt: skip
        for page in elsewhere.BUTTONS:
            elsewhere.open_button(run, variant, page)
    picture = picture_picker.current_picture("training")
    if picture is None:
        return
    try:
        applied = work.run(
            "runs.apply",
            label=f"{words.title_of(run)} looks at {picture.title}",
            keep_as=(run.id, variant, picture.sha256),
            folder=str(run.folder),
            variant=variant,
            pixels=picture.pixels,
        )
    except work.WorkFailed as failure:
        st.error(plain(str(failure)), icon=":material/error:")
        st.button("Try again", icon=":material/refresh:", key="training_try_again")  # a rerun asks anew
        return
    draw(applied, picture.title)


def draw(applied: Applied, name: str) -> None:
    """Draw an answer beside what was given."""
    shown = [("What it is given", applied.shown)]
    if applied.answer is not None:
        shown.append((f"{_DOES[applied.what]} by the network", applied.answer))
    if applied.compared is not None:
        shown.append(("Without a network", applied.compared))
    if applied.truth is not None:
        shown.append(("What would be right", applied.truth))
    if applied.answer is None:
        left, right = st.columns([1, 1.6], gap="medium")
        with left:
            _picture(*shown[0], name)
        with right:
            _chances(applied)
    else:
        with st.grid(max(3, len(shown)), min_column_width=150, gap="small"):
            for words_for_it, pixels in shown:
                _picture(words_for_it, pixels, name)
        _legend(applied)
    if applied.numbers:
        with st.container(horizontal=True, gap="medium", key="training_top_tried"):
            for label, value in applied.numbers:
                st.metric(plain(label), value_text(value), width="content")
    for note in applied.notes:
        st.caption(plain(note))


def _picture(words_for_it: str, pixels: np.ndarray, name: str) -> None:
    factor = max(1, SHOWN_SIDE // max(pixels.shape[:2]))
    image = Image.fromarray(pixels).resize(
        (pixels.shape[1] * factor, pixels.shape[0] * factor), Image.Resampling.NEAREST
    )
    with st.container(gap="xxsmall"):
        st.image(encoded(np.asarray(image)), width="stretch", alt=f"{name}: {words_for_it.lower()}")
        st.caption(words_for_it)


def _chances(applied: Applied) -> None:
    """Draw the probabilities of the classes."""
    if applied.shares is None or not len(applied.shares):
        return
    chances = [float(share) for share in applied.shares]
    best = int(np.argmax(chances))
    st.markdown(f"It says **{plain(applied.classes[best])}** {share_text(chances[best])}")
    st.plotly_chart(
        training_charts.guess_bars(applied.classes, chances, None, palette(), most=MOST_CLASSES),
        config=items.PLAIN_CHART,
        key="training_try_bars",
        alt=", ".join(f"{n} {share_text(p)}" for n, p in zip(applied.classes, chances, strict=True)),
    )
    if len(applied.classes) <= MOST_TOLD:
        st.caption(f"It knows nothing else than {plain(', '.join(applied.classes))}.")


def _legend(applied: Applied) -> None:
    """Draw which colour is which class, and how much of the picture it has."""
    if applied.colours is None or applied.shares is None:
        return
    parts = []
    for name, colour, share in zip(applied.classes, applied.colours, applied.shares, strict=True):
        if share > 0:
            hue = "#" + "".join(f"{int(part):02x}" for part in colour)
            parts.append(
                f'<span><i style="background:{hue}"></i>{items.escaped(name)} {share_text(float(share))}</span>'
            )
    st.html(f'<div class="training-data-key">{"".join(parts)}</div>')
