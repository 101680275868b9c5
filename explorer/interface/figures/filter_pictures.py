"""A filter as a picture: colours where its inputs are colours, one grey tile per input channel elsewhere."""

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from explorer.inside.results import FilterView
from explorer.interface.figures.colour_scales import ColourScale, lookup_table
from explorer.interface.figures.tile_sheet import sheet_columns
from explorer.interface.numbers import value_text

SIDE = 150
MOST_TILES = 64


@dataclass(frozen=True)
class FilterPicture:
    """A drawn filter: the PNG, its width on the page, what it shows in words, and what its colours mean."""

    png: bytes
    width: int
    alt: str
    legend: str


def _png(pixels: np.ndarray, zoom: int) -> bytes:
    image = Image.fromarray(pixels)
    target = io.BytesIO()
    image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST).save(target, "PNG")
    return target.getvalue()


def colour_filter(kernel: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a kernel over red, green and blue as colours, and the size of weight that gives full colour.

    Grey (0.5) is weight 0 and one scale serves all three channels, so a filter without preference for a colour is
    grey and a weak weight looks weak.

    Args:
        kernel: float `(h, w, 3)` in the order red, green, blue.

    Returns:
        uint8 `(h, w, 3)` and the largest absolute weight.
    """
    size = float(np.abs(kernel).max())
    share = kernel / size if size > 0 else np.zeros_like(kernel)
    return np.rint(255 * (0.5 + 0.5 * share)).astype(np.uint8), size


def filter_png(view: FilterView) -> FilterPicture | None:
    """Draw a filter; None where there is none.

    A first layer's filter is one colour picture; a deeper one is a sheet with a tile per input channel, all on
    one diverging scale.
    """
    kernel = view.kernel
    if kernel is None or kernel.size == 0 or kernel.ndim != 3:
        return None
    if view.kind == "first layer colour":
        pixels, size = colour_filter(kernel)
        zoom = max(1, SIDE // max(pixels.shape[:2]))
        legend = f"Grey is weight 0; full colour is ±{value_text(size)}, one scale for red, green and blue."
        return FilterPicture(_png(pixels, zoom), zoom * pixels.shape[1], "The filter as a colour picture", legend)
    height, width, inputs = kernel.shape
    strongest = np.argsort(-np.abs(kernel).sum(axis=(0, 1)), kind="stable")[:MOST_TILES]
    shown = np.sort(strongest)
    size = float(np.abs(kernel).max())
    scale = ColourScale(-size, size) if size > 0 else ColourScale(-1, 1)
    colours = lookup_table(True)[scale.indices(np.moveaxis(kernel[..., shown], -1, 0))]
    columns = sheet_columns(len(shown))
    rows = math.ceil(len(shown) / columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 128, np.uint8)
    for position, tile in enumerate(colours):
        y, x = position // columns * (height + 1), position % columns * (width + 1)
        sheet[y : y + height, x : x + width] = tile
    zoom = max(1, 240 // max(sheet.shape[:2]))
    which = "all" if len(shown) == inputs else f"the {len(shown)} strongest of"
    legend = (
        f"One tile per input channel ({which} {inputs}); blue −{value_text(size)}, white 0, red {value_text(size)}."
    )
    return FilterPicture(_png(sheet, zoom), zoom * sheet.shape[1], "The filter, one tile per input channel", legend)
