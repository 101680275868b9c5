"""The lessons as cards: what each claims, what a visitor finds out, and how long it takes here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.interface.training import timing, words
from explorer.interface.training.page_state import STATE, choose_lesson
from explorer.runs.lessons import lessons
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.record import Run

# The whole card is the button: it lies over the card, unseen, and is what the keyboard and a screen reader meet.
_LOOK = """<style>
.st-key-training_cards [class*="st-key-training_card_"] {
  position: relative; border: 1px solid light-dark(#D5DDE5, #33414F); border-radius: .7rem;
  padding: .55rem .8rem .5rem; gap: .15rem; height: 100%; transition: border-color .15s, box-shadow .15s;
}
.st-key-training_cards [class*="st-key-training_card_"]:hover { border-color: light-dark(#0072B2, #56B4E9); }
.st-key-training_cards .st-key-training_card_CHOSEN {
  border-color: light-dark(#0072B2, #56B4E9); box-shadow: inset 0 0 0 1px light-dark(#0072B2, #56B4E9);
  background: light-dark(#F2F7FB, #18222C);
}
.st-key-training_cards [class*="st-key-training_card_"]:has(button:focus-visible) {
  outline: 2px solid light-dark(#0072B2, #56B4E9); outline-offset: 2px;
}
.st-key-training_cards [class*="st-key-training_card_"] .stButton {
  position: absolute; inset: 0; width: 100%; height: 100%;
}
.st-key-training_cards [class*="st-key-training_card_"] .stButton :is(div, button) { width: 100%; height: 100%; }
.st-key-training_cards [class*="st-key-training_card_"] .stButton button { opacity: 0; }
.st-key-training_cards [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
.st-key-training_cards [data-testid="stMarkdownContainer"] p { font-size: .86rem; line-height: 1.32; margin: 0; }
.st-key-training_cards [data-testid="stMarkdownContainer"] p strong { font-size: .95rem; }
.st-key-training_cards [data-testid="stCaptionContainer"] p { font-size: .78rem; }
@media (max-width: 640px) {
  /* One row that is moved with the finger: the set-up begins on the first screen. */
  .st-key-training_cards .stGrid { display: flex; overflow-x: auto; scroll-snap-type: x proximity; padding: 2px; }
  .st-key-training_cards .stGrid > * { flex: 0 0 225px; width: 225px; scroll-snap-align: start; }
  .st-key-training_cards .stGrid > :has(.st-key-training_card_CHOSEN) { order: -1; }
}
</style>"""


def show(chosen: Lesson, runs: Sequence[Run]) -> None:
    """Draw the cards.

    Args:
        chosen: the lesson that stands below.
        runs: all runs that this machine has seen, for how long lessons take here.
    """
    # A card keeps its key when it is chosen: with another one the keyboard would lose its place.
    st.html(_LOOK.replace("CHOSEN", chosen.name))
    pace = timing.pace(runs)
    with STATE.part("lessons"), st.container(key="training_cards"), st.grid(4, min_column_width=215, gap="small"):
        for lesson in lessons():
            _card(lesson, pace)


def _card(lesson: Lesson, pace: timing.Pace) -> None:
    seconds = timing.preset_seconds(lesson, lesson.presets[0], pace)
    with st.container(key=f"training_card_{lesson.name}"):
        st.markdown(f"{lesson.icon} **{lesson.title}**")
        st.markdown(lesson.question)
        st.caption(f"{words.about_seconds(seconds).capitalize()} {pace.where}")
        st.button(
            f"Lesson {lesson.order}: {lesson.title}",
            key=f"training_choose_{lesson.name}",
            on_click=choose_lesson,
            args=(lesson.name,),
            width="stretch",
        )
