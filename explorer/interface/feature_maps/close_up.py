"""One channel from near: over the picture, its values, its histogram, and the filter behind it."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from explorer.inside import selection
from explorer.inside.results import FilterView, LayerMaps, ReceptiveField
from explorer.interface.components import boards
from explorer.interface.feature_maps.tile_board import Colouring, coloured
from explorer.interface.figures import charts, filter_pictures, tile_sheet
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette
from explorer.networks.preprocessing import Fitted


def parse_cell(text: str, height: int, width: int) -> tuple[int, int] | None:
    """Return the cell "row,column" of a link, or None where it is none of this map."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() and len(part) < 7 for part in parts):
        return None
    row, column = (int(part) for part in parts)
    return (row, column) if row < height and column < width else None


def field_in_picture(field: ReceptiveField, fitted: Fitted) -> tuple[float, float, float, float]:
    """Return a receptive field as fractions (top, left, bottom, right) of the network's input."""
    height, width = fitted.size
    # Behind a gate that looks at everything, the box without the gate is where the cell has its place.
    top, left, bottom, right = field.local_box if field.whole_input else field.box
    return top / height, left / width, bottom / height, right / width


def show_map(
    maps: LayerMaps,
    channel: int,
    colours: Colouring,
    photo: bytes,
    alt: str,
    *,
    cell: tuple[int, int] | None,
    field: tuple[float, float, float, float] | None,
    key: str,
    on_cell: Callable[[int, int], None],
) -> None:
    """Draw one channel's map over the picture; a click picks a cell."""
    values = np.ascontiguousarray(maps.values[..., channel])
    height, width = values.shape

    def picked() -> None:
        at = st.session_state[key].cell
        if isinstance(at, list) and len(at) == 2 and all(isinstance(v, int | float) for v in at):
            row, column = int(at[0]), int(at[1])
            if 0 <= row < height and 0 <= column < width:
                on_cell(row, column)

    boards.close_up(
        values,
        tile_sheet.map_png(coloured(values[None], colours)[0], colours.scale),
        photo,
        photo_type="image/webp",
        alt=alt,
        cell=cell,
        field=field,
        key=key,
        on_cell=picked,
    )


def numbers_line(maps: LayerMaps, channel: int) -> str:
    """Return a channel's figures as one line."""
    values = maps.values[..., channel]
    words = [
        f"smallest {value_text(float(maps.minimum[channel]))}",
        f"mean {value_text(float(maps.mean[channel]))}",
        f"largest {value_text(float(maps.maximum[channel]))}",
        f"{share_text(float(np.mean(values == 0)))} zeros",
    ]
    return " · ".join(words)


def show_histogram(maps: LayerMaps, channel: int, key: str) -> None:
    """Draw how often each value occurs in a channel."""
    detail = selection.channel_detail(maps.values[..., channel])
    st.plotly_chart(
        charts.histogram_bars(detail.counts.tolist(), detail.edges.tolist(), palette()),
        key=key,
        config={"displayModeBar": False},
        alt="Histogram of the channel's values",
    )


def show_filter(view: FilterView) -> None:
    """Draw the filter behind a channel, with the sentence on what can be read from it."""
    picture = filter_pictures.filter_png(view)
    if picture is not None:
        st.image(picture.png, width=picture.width, alt=picture.alt)
        st.caption(picture.legend)
    st.markdown(view.sentence)


def field_words(field: ReceptiveField, cell: tuple[int, int], value: float) -> str:
    """Return the picked cell, its value and what it depends on as one line."""
    return f"Cell {cell[0]}, {cell[1]}: {value_text(value)}. {field.sentence}"
