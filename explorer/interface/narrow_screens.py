"""What stands above a page's stage, made small on a phone: the stage begins on the first screen there, too."""

import streamlit as st

# Streamlit's own distances are made for a mouse and a wide window: on 390 pixels the controls alone fill a screen.
# Buttons stay at least 32 pixels high, which a finger still meets.
_NARROW = """<style>
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding-inline: .8rem; }
  [data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: .5rem; }
  .st-key-page_head { gap: 0 .6rem !important; align-items: baseline !important; padding-top: .5rem; }
  .st-key-page_head h1 { font-size: 1.45rem; line-height: 1.2; }
  .st-key-page_head p { font-size: .85rem; line-height: 1.3; margin: 0; }
  /* Streamlit pulls what follows a text up by its last margin, which is none now. */
  .st-key-page_head [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
  .st-key-PAGE_controls, .st-key-PAGE_question { gap: .4rem !important; }
  .st-key-PAGE_controls :is([data-testid="stPopoverButton"], [role="radio"], .stButton button) {
    min-height: 34px; padding-block: .2rem; padding-inline: .55rem;
  }
  .st-key-PAGE_controls :is(p, input) { font-size: .88rem; }
  .st-key-PAGE_network { flex: 1 1 9rem !important; min-width: 8rem; width: auto !important; }
  /* Beside the network there is room for the menu, beside the picture none. */
  .st-key-filters_controls > :has(.st-key-filters_picture_popover) { order: 1; }
  /* A row of a few buttons fits, or goes on in a second line; one of many is moved with the finger. */
  .st-key-PAGE_controls [role="radiogroup"], .st-key-PAGE_kind [role="radiogroup"],
  .st-key-PAGE_panel [role="radiogroup"] { flex-wrap: wrap; overflow: visible; row-gap: .25rem; }
  .st-key-PAGE_methods_shown [role="toolbar"] {
    flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; padding-inline-end: 2rem;
    mask-image: linear-gradient(to left, transparent, #000 2.5rem);
  }
  .st-key-PAGE_methods_shown [role="toolbar"] button { flex: none; }
  .st-key-PAGE_question > * { flex: 1 1 9.5rem !important; min-width: 0; width: auto !important; }
  .st-key-PAGE_question > .st-key-PAGE_kind { flex-basis: 100% !important; }
  .st-key-PAGE_question [data-testid="stWidgetLabel"] { min-height: 0; margin-bottom: .1rem; }
  .st-key-PAGE_question [data-testid="stWidgetLabel"] p { font-size: .78rem; }
  /* Its three buttons say it themselves; a screen reader still has the words. */
  .st-key-PAGE_kind [data-testid="stWidgetLabel"] {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }
}
</style>"""


def fit_narrow_screens(page: str) -> None:
    """Make the head, the controls and the question of a page small on narrow screens; call once per page.

    Args:
        page: its address, which the keys of its containers begin with.
    """
    st.html(_NARROW.replace("PAGE", page))
