"""The gradient flow page from top to bottom: which scene, then that."""

from __future__ import annotations

import streamlit as st

from explorer.interface import jobs, state
from explorer.interface.gradient_flow import link_reading, places
from explorer.interface.gradient_flow.page_state import FIRST_SCENE, STATE
from explorer.interface.gradient_flow.scenes import SCENES, Scene
from explorer.interface.narrow_screens import fit_narrow_screens
from explorer.interface.page_frame import page_head
from explorer.interface.state import show_in

_SHOWN = "gradient_flow_scene_shown"

# Seven buttons fill three lines of a phone: there the row is moved with the finger.
_STYLE = """<style>
.st-key-gradient_flow_verdict { padding-block: .7rem; }
.st-key-gradient_flow_verdict [data-testid="stVerticalBlock"], .st-key-gradient_flow_verdict { gap: .35rem; }
@media (max-width: 640px) {
  .st-key-gradient_flow_scenes [role="radiogroup"] {
    flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; padding-inline-end: 2rem;
    mask-image: linear-gradient(to left, transparent, #000 2.5rem);
  }
  /* The chosen one stands first, or it might be out of sight. */
  .st-key-gradient_flow_scenes [role="radio"][aria-checked="true"] { order: -1; }
  .st-key-gradient_flow_scenes [role="radio"] { flex: none; min-height: 34px; padding-block: .2rem; }
}
</style>"""


def _chosen() -> Scene:
    """Return the scene that the link names, or the last click; the first where there is no such one."""
    by_name = {one.name: one for one in SCENES}
    return by_name.get(STATE.linked("scene"), by_name[FIRST_SCENE])


def _choice(scene: Scene) -> None:
    """Draw which scene is looked at.

    The property is bound to no widget (see `PageState.linked`): each change adds an entry to the browser's history (see
    `places`), and Back leads to the scene before.
    """
    titles = {one.name: one.title for one in SCENES}
    show_in(_SHOWN, scene.name)
    if STATE.linked("scene") not in titles:
        link_reading.say(f"The link names a scene that there is not; {scene.title} is shown.")
    with STATE.part("scene"), st.container(key="gradient_flow_scenes"):
        st.segmented_control(
            "Scene", list(titles), key=_SHOWN, format_func=titles.__getitem__, required=True,
            on_change=lambda: places.go_to("scene", st.session_state[_SHOWN]), label_visibility="collapsed",
        )  # fmt: skip


def show() -> None:
    """Draw the page."""
    state.hide_unseen()
    jobs.begin_look()
    fit_narrow_screens("gradient_flow")
    st.html(_STYLE)
    places.take_back_old_values()
    link_reading.look()
    scene = _chosen()
    page_head("Gradient flow", scene.question)
    _choice(scene)
    unread = st.container()
    scene.show()
    with unread:
        link_reading.say_what_was_not_understood()
    STATE.remember()
    places.drawn_to_the_end()
