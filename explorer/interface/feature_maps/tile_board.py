"""The tiles of one layer: which are shown, in which colours, and the legend that says what the colours mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from explorer.inside import selection
from explorer.inside.results import LayerMaps, LayerSummary
from explorer.inside.selection import ScaleRange
from explorer.interface.components import boards
from explorer.interface.figures import tile_sheet
from explorer.interface.figures.colour_scales import ColourScale
from explorer.interface.numbers import value_text

SCOPE_WORDS = {"map": "each map's own", "layer": "this layer's", "network": "the network's"}


@dataclass(frozen=True)
class Colouring:
    """How values become colours on this board.

    Attributes:
        scope: "map", "layer" or "network".
        span: the values that the scale spans; for scope "map" those of the whole layer, which say whether
            there are negative ones.
        contrast: the scale ends at the largest size divided by this.
    """

    scope: str
    span: ScaleRange
    contrast: float

    @property
    def scale(self) -> ColourScale:
        """The scale of what `coloured` returns."""
        if self.scope == "map":
            return ColourScale(-1.0 if self.span.diverging else 0.0, 1.0)
        return ColourScale(self.span.low, self.span.high)


def colouring(scope: str, contrast: float, summaries: Sequence[LayerSummary], layers: Sequence[LayerMaps]) -> Colouring:
    """Return how the chosen layer is coloured.

    Args:
        scope: "map", "layer" or "network".
        contrast: 1 for the whole range.
        summaries: all layers of the pictures on the page, for the scope "network".
        layers: the chosen layer for each picture: pictures that are compared share one scale.
    """
    over = "layer" if scope == "map" else scope
    return Colouring(scope, selection.scope_range(over, layers, summaries, contrast=contrast), contrast)


def legend(colours: Colouring) -> str:
    """Return the legend as HTML: the bar with its end values, and whose scale it is."""
    words = SCOPE_WORDS[colours.scope]
    scale, span = colours.scale, colours.span
    if colours.scope == "map":
        size = "its largest size" if span.diverging else "its largest value"
        end = size if colours.contrast == 1 else f"{size} ÷ {colours.contrast:g}"
        ends = (f"− {end}" if span.diverging else "0", end)
    else:
        ends = (
            ("≤ " if span.clipped_low else "") + value_text(span.low),
            ("≥ " if span.clipped_high else "") + value_text(span.high),
        )
    middle = "0" if scale.diverging else ""
    return (
        '<div class="legend" style="display:flex;flex-wrap:wrap;align-items:center;gap:4px 8px;font-size:12px;'
        'font-variant-numeric:tabular-nums">'
        f"<span>Colour scale: {escape(words)}</span>"
        f'<span data-testid="legend-low">{escape(ends[0])}</span>'
        f'<span style="display:inline-block;width:120px;height:12px;border-radius:3px;text-align:center;'
        f'font-size:10px;line-height:12px;color:#222;background:{scale.css_gradient()}">{middle}</span>'
        f'<span data-testid="legend-high">{escape(ends[1])}</span></div>'
    )


def coloured(values: np.ndarray, colours: Colouring) -> np.ndarray:
    """Return maps `(n, h, w)` ready for one shared scale: with scope "map" each is divided by its own largest size.

    The tiles travel as one picture with one palette, so that maps with scales of their own are brought to
    the common scale from -1 or 0 to 1 first.
    """
    if colours.scope != "map":
        return values
    real = np.where(np.isfinite(values), np.abs(values), 0.0)
    sizes = real.max(axis=(1, 2), keepdims=True, initial=0.0) / colours.contrast
    shown = np.divide(values, sizes, out=np.zeros_like(values), where=sizes > 0)
    shown[np.isnan(values)] = np.nan
    return shown


def _label(maps: LayerMaps, channel: int) -> str:
    """Return what stands under a tile: the channel's peak, and whether it is the same at every place."""
    constant = bool(maps.constant[channel]) if len(maps.constant) else False
    return ("constant " if constant else "") + value_text(float(maps.strength[channel]))


def show_tiles(
    maps: LayerMaps,
    channels: Sequence[int],
    colours: Colouring,
    *,
    selected: int | None,
    key: str,
    on_channel: Callable[[int], None],
    tile: int,
) -> None:
    """Draw one page of tiles.

    Args:
        maps: the layer.
        channels: which channels, in which order.
        colours: how values become colours.
        selected: the selected channel.
        key: Streamlit key.
        on_channel: called with the channel that was clicked.
        tile: smallest width of a tile.
    """
    values = np.ascontiguousarray(np.moveaxis(maps.values[..., list(channels)], -1, 0))

    def clicked() -> None:
        channel = st.session_state[key].channel
        # What comes from a browser is input like any other.
        if isinstance(channel, int | float) and 0 <= int(channel) < maps.values.shape[-1]:
            on_channel(int(channel))

    boards.tiles(
        values,
        tile_sheet.sheet_png(coloured(values, colours), colours.scale),
        columns=tile_sheet.sheet_columns(len(channels)),
        channels=channels,
        silent=[bool(maps.silent[c]) for c in channels],
        labels=[_label(maps, c) for c in channels],
        selected=selected,
        key=key,
        on_channel=clicked,
        tile=tile,
    )
