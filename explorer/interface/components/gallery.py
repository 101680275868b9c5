"""Python's door to the gallery: images that are picked by a click, grow in place, and show how they grew."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st
from PIL import Image

from explorer.interface.components.packing import pack
from explorer.interface.components.registration import digest_of, register
from explorer.interface.theme import palette

TileState = Literal["ready", "growing", "waiting", "empty", "flat"]

_gallery = register("gallery")
_KIND = "image/webp"
_KEPT = "_gallery_files"
_HEARD = "_gallery_clicks"


@dataclass(frozen=True)
class Tile:
    """What stands around one image.

    Attributes:
        id: names it in clicks.
        title: under the image, on the left.
        line: under the image, on the right: a number or two.
        under: a second line of words.
        tip: what is said under the pointer; lines are kept.
        alt: what the image shows, in words.
        state: "ready"; "growing" has a bar; "waiting" and "empty" say `void` in the image's place; "flat" marks
            an image that never started.
        share: how far the bar is, 0 to 1; None for no bar.
        void: words in the place of an image that is not there.
    """

    id: str
    title: str = ""
    line: str = ""
    under: str = ""
    tip: str = ""
    alt: str = ""
    state: TileState = "ready"
    share: float | None = None
    void: str = ""


def sheet_bytes(images: np.ndarray, quality: int = 90) -> tuple[bytes, int]:
    """Encode images as one WebP without gaps.

    Args:
        images: uint8 `(n, h, w, 3)`.
        quality: of WebP, 0 to 100.

    Returns:
        The file (empty where there is no image), and how many images stand beside each other.
    """
    count, height, width = images.shape[:3]
    columns = max(1, math.ceil(math.sqrt(count)))
    if not images.size:
        return b"", columns
    rows = -(-count // columns)
    board = np.zeros((rows * columns, height, width, 3), np.uint8)
    board[:count] = images
    board = board.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    target = io.BytesIO()
    Image.fromarray(board).save(target, "WEBP", quality=quality, method=1)
    return target.getvalue(), columns


def _encoded(
    key: str, images: np.ndarray, frames: Sequence[np.ndarray], steps: Sequence[int]
) -> tuple[str, int, dict[str, bytes]]:
    """Return (digest, images beside each other, files); the latest of a gallery are kept in the session.

    The page is drawn again at every click, and to encode a growth takes a hundred times as long as to tell it by its
    bytes.
    """
    shown = list(frames) or [images]
    digest = digest_of(repr((key, images.shape, steps)).encode(), *(one.tobytes() for one in shown))
    kept = st.session_state.setdefault(_KEPT, {})
    if key not in kept or kept[key][0] != digest:
        names = [f"frame{position}" for position in range(len(frames))] or ["sheet"]
        files = [sheet_bytes(one, 84 if frames else 90) for one in shown]
        kept[key] = digest, files[0][1], {name: file for name, (file, _) in zip(names, files, strict=True)}
    return kept[key]


def _once(key: str, on_pick: Callable[[], None] | None) -> None:
    """Tell of a click, unless it has been told already.

    Streamlit tells a click twice where the part of the page that is drawn again and again is interrupted by it: the
    second time would take back what the first has picked.
    """
    event = st.session_state[key].pick
    heard = st.session_state.setdefault(_HEARD, {})
    at = event.get("at") if isinstance(event, dict) else None
    if on_pick is None or (at is not None and heard.get(key) == at):
        return
    heard[key] = at
    on_pick()


def gallery(
    images: np.ndarray,
    tiles: Sequence[Tile],
    *,
    name: str,
    key: str,
    picked: Sequence[str] = (),
    opened: str | None = None,
    on_pick: Callable[[], None] | None = None,
    tile: int = 150,
    most: int | None = None,
    frames: Sequence[tuple[int, np.ndarray]] = (),
    play: bool = False,
) -> Any:
    """Show images as tiles; a click picks one, and a slider goes through the steps of their growth.

    Args:
        images: uint8 `(n, h, w, 3)`, one for each tile; what an empty tile has does not matter.
        tiles: what stands around each.
        name: of the whole group, for those who cannot see it.
        key: Streamlit key of the element.
        picked: ids of the picked tiles, in the order in which they were picked.
        opened: id of the one that stands large elsewhere.
        on_pick: called after a click; `st.session_state[key].pick` holds `{"id", "at"}`. Without it nothing can
            be clicked.
        tile: smallest width of a tile in pixels of the page.
        most: largest width of a tile where there are at most four.
        frames: (step, uint8 `(n, h, w, 3)`) of the growth, the finished images last.
        play: whether a growth that has just come plays once by itself.
    """
    colours = palette()
    steps = [int(step) for step, _ in frames] if len(frames) >= 2 else []
    digest, columns, pictures = _encoded(key, images, [shown for _, shown in frames] if steps else [], steps)
    header = {
        "digest": digest,
        "kind": _KIND,
        "name": name,
        "height": int(images.shape[1]),
        "width": int(images.shape[2]),
        "columns": columns,
        "tiles": [asdict(one) for one in tiles],
        "picked": list(picked),
        "opened": opened,
        "clickable": on_pick is not None,
        "tile": tile,
        "most": most,
        "steps": steps,
        "play": play,
        "hues": {"pick": colours.highlight, "grow": colours.gradient, "warn": colours.error},
    }
    return _gallery(key=key, data=pack(header, pictures), on_pick_change=lambda: _once(key, on_pick))
