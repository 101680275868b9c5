"""An app with nothing but heat maps, for tests/browser/test_heat_maps.py: `?case=five`."""

import sys
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import streamlit as st
from PIL import Image

from explorer.interface.components.heat_maps import HeatMap, HeatRow, Painting, heat_maps, mask_from_code
from explorer.pictures.sources import mask_of, resolve
from tests.browser.plain_maps import CASES, SIDE

st.set_page_config(page_title="Heat maps", layout="wide")
st.title("Heat maps")
name = st.query_params.get("case", "five")


@st.cache_data
def _picture(source: str) -> tuple[bytes, np.ndarray | None]:
    pixels = Image.fromarray(resolve(source).pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = BytesIO()
    pixels.save(file, "WEBP", lossless=True)
    mask = mask_of(source)
    return file.getvalue(), None if mask is None else np.asarray(Image.fromarray(mask).resize((SIDE, SIDE)))


@st.cache_resource
def _maps(case: str) -> list[tuple[str, str, tuple[HeatMap, ...]]]:
    return CASES[case]()


def on_paint() -> None:
    """Keep what has been painted, as a page does."""
    st.session_state["painted"] = st.session_state["heat_maps"].paint


def on_select() -> None:
    """Keep the selected map."""
    st.session_state["chosen"] = tuple(st.session_state["heat_maps"].selected)


mask = mask_from_code(st.session_state.get("painted"))
rows = [
    HeatRow(label, _picture(source)[0], maps, alt=source, outline=_picture(source)[1])
    for label, source, maps in _maps(name)
]
heat_maps(
    rows,
    key="heat_maps",
    painting=Painting(mask=mask, open="open" in st.query_params) if "painting" in st.query_params else None,
    selected=st.session_state.get("chosen"),
    on_paint=on_paint,
    on_select=on_select,
)
st.button("Run again")
st.text(f"painted: {0 if mask is None else int(mask.sum())} cells")
st.text(f"chosen: {st.session_state.get('chosen')}")
