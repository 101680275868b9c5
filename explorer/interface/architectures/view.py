"""The architectures page from top to bottom: what to look at, then that."""

from __future__ import annotations

import streamlit as st

from explorer.interface import state
from explorer.interface.architectures import (
    blocks_panel,
    build_panel,
    catalogue_panel,
    compare_panel,
    one_network,
)
from explorer.interface.architectures.link_names import say_unknown, segments
from explorer.interface.architectures.page_state import MODES, STATE
from explorer.interface.figures.architecture_charts import NARROW_NAME_SIZE, WIDE_NAME_SIZE
from explorer.interface.narrow_screens import fit_narrow_screens
from explorer.interface.page_frame import page_head

_COUNTING = """
**Parameters** are all numbers that a network keeps: weights, biases, and for each channel the four of batch
normalisation, two of which training does not change.
**Multiply-adds** are the products that convolutions and dense layers add up for one picture, and whatever else
multiplies weights or maps with each other (attention, LeNet-5's subsampling and its comparison with drawn digits); some
papers and programs count two operations for each of them and call these FLOPs.
A convolution of $K$ filters of $F × F$ over $C$ channels
has $K (F² C + 1)$ parameters and does $H W · K F² C$ multiply-adds on an output of $H × W$: the size of the picture
does not enter its parameters, the number of filters enters both. Biases, normalisation, activation functions and
pooling count as no work, as in the papers.

**Activations** are the values in all layers' outputs together, four bytes each. An activation function, a padding or a
normalisation that is written as a layer of its own counts again, so that the same network may have more or fewer of
them, as it is written; training keeps most of these for the way back, fewer where a program works in place.
**Sees** is the receptive field, by Araujo, Norris and Sim, *Computing Receptive Fields of Convolutional Neural
Networks* (Distill 2019). **Depth** counts layers with weights on the longest way, as the 16 of VGG16 does.
"""

# On a phone there is no room for the names of all networks, and those that fit stand elsewhere.
_NARROW = f"""<style>
@media (max-width: 640px) {{
  .st-key-architectures_scatter text[style*="font-size: {WIDE_NAME_SIZE}px"] {{ display: none; }}
}}
@media (min-width: 640.1px) {{
  .st-key-architectures_scatter text[style*="font-size: {NARROW_NAME_SIZE}px"] {{ display: none; }}
}}
</style>"""


def _controls() -> tuple[str, str]:
    """Draw the row of main controls; return the mode and what was chosen in it."""
    chosen = ""
    with st.container(horizontal=True, vertical_alignment="center", key="architectures_controls"):
        mode = segments("mode", MODES, "view")
        if mode == "network":
            chosen = one_network.choice()
        elif mode == "blocks":
            chosen = blocks_panel.choice()
        with STATE.part("more"), st.popover("More", icon=":material/tune:"):
            st.button("Reset this page", on_click=STATE.reset, key="architectures_reset", icon=":material/restart_alt:")
            st.caption("This view's link:")
            st.code(STATE.link(), language=None, wrap_lines=True)
    return mode, chosen


def show() -> None:
    """Draw the page."""
    state.hide_unseen()
    fit_narrow_screens("architectures")
    st.html(_NARROW)
    page_head("Architectures", "What are networks made of, and what does it cost?")
    mode, chosen = _controls()
    say_unknown("mode")
    if mode == "catalogue":
        catalogue_panel.show()
    elif mode == "network":
        one_network.show(chosen)
    elif mode == "compare":
        compare_panel.show()
    elif mode == "blocks":
        blocks_panel.show(chosen)
    else:
        build_panel.show()
    with st.expander("How it is counted", icon=":material/menu_book:"):
        st.markdown(_COUNTING)
