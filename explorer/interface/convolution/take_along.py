"""What one takes along from the convolution page: the code of the layer, the link, pictures for slides, the numbers."""

from __future__ import annotations

import streamlit as st

from explorer.convolution import export_csv
from explorer.convolution.scene import Scene, Settings
from explorer.convolution.stage import Stage
from explorer.interface.convolution import photo, scene_state
from explorer.interface.convolution.scene_state import STATE
from explorer.interface.figures import stage_drawing
from explorer.interface.theme import PALETTES, theme_name

_LINK_BYTES = 4000


def show(chosen: Scene, settings: Settings, stage: Stage, *, answered: bool) -> None:
    """Draw the row of buttons; while a question waits for its answer there is only the link."""
    with st.container(horizontal=True, key="convolution_take_along"):
        if answered:
            with st.popover("Show the code", icon=":material/code:"):
                code = chosen.code(settings)
                keras, numpy = st.tabs(["Keras", "NumPy"])
                keras.code(code.keras, language="python")
                numpy.code(code.numpy, language="python")
        with st.popover("Link", icon=":material/link:"):
            link = STATE.link()
            st.code(link, language=None, wrap_lines=True)
            st.caption(
                f"{len(link):,} characters. Append `&hide=settings,scene` to hide controls, by their names in links."
            )
        if answered:
            _downloads(chosen, settings, stage)


def _downloads(chosen: Scene, settings: Settings, stage: Stage) -> None:
    with st.popover("Download", icon=":material/download:"):
        theme = st.segmented_control(
            "Theme of the picture", ["light", "dark"], default=theme_name(), required=True, key="convolution_export"
        )
        palette = PALETTES["dark" if theme == "dark" else "light"]
        name = f"cnn-explorer-{chosen.name}"
        cell = scene_state.pinned_cell(stage)
        # Steps that stamp are counted by input cells, and pinned is an output.
        order = stage.steps.order.tolist() if stage.steps.by == "target" else []
        step = order.index(cell) if cell in order else None
        if chosen.name == "photo":
            st.download_button(
                "The result as PNG",
                lambda: photo.result_png(settings),
                f"{name}-result.png",
                "image/png",
                on_click="ignore",
                key="convolution_download_result",
                width="stretch",
            )
        for label, kind, make in (
            ("Animated GIF", "image/gif", lambda: stage_drawing.gif(stage, palette)),
            ("SVG", "image/svg+xml", lambda: stage_drawing.svg(stage, palette, step=step).encode()),
            ("PNG", "image/png", lambda: stage_drawing.png(stage, palette, step=step)),
            ("Every step as CSV", "text/csv", lambda: export_csv.csv(stage).encode("utf-8-sig")),
        ):
            ending = {"image/svg+xml": "svg", "text/csv": "csv"}.get(kind, kind.split("/")[1])
            st.download_button(
                label,
                make,
                f"{name}.{ending}",
                kind,
                on_click="ignore",
                key=f"convolution_download_{ending}",
                width="stretch",
            )
