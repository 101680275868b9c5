"""Makes the pictures of the home page and of README.md: `python -m tests.browser.screenshots`.

Two kinds: `hero_…`, a drawn picture and feature maps of three layers that a bundled network computes from it;
and for each page `<address>-light.jpg` and `<address>-dark.jpg`, shot in Chromium from a fresh app. They are
JPEG and PNG because Streamlit hands out these two as they are and encodes all others anew at every rerun.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from explorer.interface.figures.colour_scales import ColourScale, lookup_table
from explorer.interface.page_table import PAGES
from explorer.pictures.sources import DEFAULT_SOURCE, resolve
from tests.app_server import AppServer

FOLDER = Path(__file__).resolve().parents[2] / "explorer" / "interface" / "pictures"
HERO_NETWORK = "drawn_plain"
MOST_BYTES = 150_000
SHOT_SIZE = (1440, 900)
KEPT_WIDTH = 1120
HERO_SIDE = 456


def rounded(image: Image.Image, radius: int) -> Image.Image:
    """Return `image` as RGBA with rounded corners."""
    mask = Image.new("L", (image.width * 4, image.height * 4), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *mask.size), radius * 4, fill=255)
    result = image.convert("RGBA")
    result.putalpha(mask.resize(image.size, Image.Resampling.LANCZOS))
    return result


def tiles(maps: np.ndarray, *, columns: int, side: int, gap: int) -> Image.Image:
    """Return maps, float (n, h, w), as rounded tiles on a transparent board, all on one scale from 0.

    The scale ends at the 99.5th percentile so that one bright cell does not darken the rest; each cell stays
    a square of one colour.
    """
    scale = ColourScale(0.0, float(np.percentile(maps, 99.5)) or 1.0)
    rows = -(-len(maps) // columns)
    board = Image.new("RGBA", (columns * (side + gap) - gap, rows * (side + gap) - gap), (0, 0, 0, 0))
    for number, values in enumerate(maps):
        tile = Image.fromarray(lookup_table(False)[scale.indices(values)])
        tile = rounded(tile.resize((side, side), Image.Resampling.NEAREST), max(3, side // 12))
        board.paste(tile, (number % columns * (side + gap), number // columns * (side + gap)))
    return board


def compose_hero(pixels: np.ndarray, stages: Sequence[np.ndarray]) -> dict[str, Image.Image]:
    """Return four squares: the picture, and the maps of three layers with ever smaller tiles.

    Args:
        pixels: uint8 (h, w, 3).
        stages: For each layer, from early to deep, maps as float (n, h, w): 9, 25 and 49 of them.
    """
    squares = {"picture": Image.fromarray(pixels).resize((HERO_SIDE, HERO_SIDE), Image.Resampling.LANCZOS)}
    for name, maps, columns in zip(("early", "middle", "deep"), stages, (3, 5, 7), strict=True):
        gap = 12 - columns
        side = (HERO_SIDE - gap * (columns - 1)) // columns
        board = tiles(maps, columns=columns, side=side, gap=gap)
        squares[name] = board.resize((HERO_SIDE, HERO_SIDE), Image.Resampling.NEAREST)
    return squares


def strongest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the `count` channels of (h, w, c) with the largest mean as (count, h, w), in their own order."""
    chosen = np.sort(np.argsort(values.mean((0, 1)))[::-1][:count])
    return np.moveaxis(values[..., chosen], -1, 0)


def hero() -> dict[str, Image.Image]:
    """Compute the hero's four squares with the bundled network."""
    from explorer.inside.feature_maps import layer_maps, overview
    from explorer.networks.work_context import NO_CONTEXT

    picture = resolve(DEFAULT_SOURCE)
    seen = overview(NO_CONTEXT, HERO_NETWORK, "trained", picture.pixels)
    layers = [summary.path for summary in seen.layers if _is_shown(seen.structure.layers[summary.path])]
    early, middle, deep = (layers[round(share * (len(layers) - 1))] for share in (0.0, 0.5, 0.9))
    stages = [
        strongest(layer_maps(NO_CONTEXT, HERO_NETWORK, "trained", picture.pixels, layer).values, count)
        for layer, count in ((early, 9), (middle, 25), (deep, 49))
    ]
    print(f"hero: {early}, {middle}, {deep}")
    return compose_hero(picture.pixels, stages)


def _is_shown(layer: Any) -> bool:
    """Tell whether a layer is an activation with at least 49 maps or one of the first."""
    return layer.kind in {"ReLU", "Activation"} and len(layer.output_shape) == 3


def save(image: Image.Image, name: str) -> None:
    """Write a picture with transparency as PNG of few colours, another as the best JPEG under the limit."""
    stream = io.BytesIO()
    if image.mode == "RGBA":
        path = FOLDER / f"{name}.png"
        image.quantize(192, method=Image.Quantize.FASTOCTREE).save(stream, "PNG", optimize=True)
    else:
        path = FOLDER / f"{name}.jpg"
        for quality in range(92, 40, -4):
            stream = io.BytesIO()
            image.save(stream, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)
            if stream.tell() <= MOST_BYTES:
                break
    path.write_bytes(stream.getvalue())
    print(f"{path.name}: {image.width} x {image.height}, {stream.tell() / 1000:.0f} kB")


def shoot_pages(browser: Any, url: str) -> None:
    """Shoot every page in both themes; the home page last, because it shows the others."""
    from tests.browser.conftest import wait_until_idle

    for entry in sorted(PAGES, key=lambda entry: not entry.address):
        for theme in ("light", "dark"):
            context = browser.new_context(viewport={"width": SHOT_SIZE[0], "height": SHOT_SIZE[1]}, color_scheme=theme)
            page = context.new_page()
            page.goto(f"{url}/{entry.address}")
            wait_until_idle(page)
            page.get_by_text("Computes on").wait_for(timeout=180_000)
            for underway in page.get_by_text("Computing …").all():
                underway.wait_for(state="detached", timeout=180_000)
            wait_until_idle(page)
            page.wait_for_timeout(8000)  # components draw after the script has ended, on a busy machine long after
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            size = (KEPT_WIDTH, round(shot.height * KEPT_WIDTH / shot.width))
            save(
                shot.resize(size, Image.Resampling.LANCZOS),
                f"{entry.address or 'home'}-{theme}",
            )
            context.close()


def main() -> None:
    """Make all pictures, or only those of the pages with `pages` as the argument."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS, chromium_program

    if "pages" not in sys.argv[1:]:
        for name, image in hero().items():
            save(image, f"hero_{name}")
    with AppServer() as server, sync_playwright() as playwright:
        server.wait_for("/ready", seconds=120)
        browser = playwright.chromium.launch(executable_path=chromium_program(playwright), args=FLAGS)
        shoot_pages(browser, server.url)
        browser.close()


if __name__ == "__main__":
    main()
