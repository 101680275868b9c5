"""The head that every stage-like page shares: title and the one-sentence question, close above the stage."""

import streamlit as st

# Streamlit's own margins leave a third of a 900 pixel high screen to white; the stage needs it.
_CLOSE = """<style>
[data-testid="stMainBlockContainer"] {
  padding: 3.25rem clamp(1rem, 2.5vw, 2.5rem) 3rem;
}
.st-key-page_head h1 { padding: 0; }
.st-key-page_head p { margin: 0 0 .3rem; }
</style>"""


def page_head(title: str, question: str) -> None:
    """Draw a page's title and, beside it where there is room, the question that the page answers."""
    st.html(_CLOSE)
    with st.container(horizontal=True, vertical_alignment="center", key="page_head", gap="small"):
        st.title(title, width="content", anchor=False)
        st.markdown(question, width="content")
