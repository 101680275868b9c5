"""An app with nothing but a network diagram, for tests/browser/test_network_diagram.py: `?network=VGG16`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import streamlit as st

from explorer.architectures.results import NetworkTable
from explorer.architectures.sketch import Clash, Sketch
from explorer.architectures.tables import table_of
from explorer.interface.components.network_diagram import layers_in, network_diagram

st.set_page_config(page_title="Network diagram", layout="wide")
asked = st.query_params.to_dict()
name = asked.get("network", "VGG16")


def bottleneck(shortcut_fits: bool) -> tuple[NetworkTable, dict[str, str]]:
    """A residual bottleneck; without a shortcut that fits, the sentence why not."""
    s = Sketch("bottleneck")
    x = s.input((28, 28, 256))
    y = s.conv(x, 64, 1, activation="relu", name="reduce")
    y = s.conv(y, 64, 3, strides=1 if shortcut_fits else 2, padding="same", activation="relu", name="look")
    y = s.conv(y, 256, 1, name="widen")
    try:
        s.activation(s.add([x, y], name="join"), "relu", name="relu")
    except Clash as clash:
        return s.table(), {clash.path: str(clash)}
    return s.table(), {}


broken: dict[str, str] = {}
if name in ("fits", "clash"):
    table, broken = bottleneck(name == "fits")
else:
    table = table_of(name)
changes = {path: "same" for path in table.structure.layers}
changes |= {path: kind for kind in ("changed", "only") for path in asked.get(kind, "").split(",") if path}


def on_select() -> None:
    """Keep what was selected, as a page does."""
    st.session_state["chosen"] = st.session_state["diagram"].selected


network_diagram(
    table,
    key="diagram",
    measure=asked.get("measure", "parameters"),
    open_to=asked.get("open", "stages"),
    selected=st.session_state.get("chosen", asked.get("selected")),
    changes=changes if "changed" in asked or "only" in asked else None,
    broken=broken,
    on_select=on_select if "select" in asked else None,
    title=asked.get("title"),
    tools="bare" not in asked,
)
st.button("Run again")
chosen = st.session_state.get("chosen")
st.text(f"chosen: {chosen}, {len(layers_in(table, chosen))} layers")
