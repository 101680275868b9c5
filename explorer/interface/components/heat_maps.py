"""The heat maps component: maps beside and over their pictures, with values under the pointer, boxes and painting."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from explorer.explanations import colouring
from explorer.interface.components.packing import pack
from explorer.interface.components.registration import digest_of, register
from explorer.interface.figures.heat_scales import RULES, HeatScale, Rule, scale_of
from explorer.interface.theme import palette

Box = tuple[int, int, int, int]
View = Literal["over", "map", "picture"]

_heat_maps = register("heat_maps")

MOST_CELLS = 64
"""Longest side of what can be painted."""
_CODE = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?)-([A-Za-z0-9_-]*)")


@dataclass(frozen=True, eq=False)
class HeatMap:
    """One map of a row.

    Keep the object while its values are the same: its colour scales are found once for each object.

    Attributes:
        name: names the method within its row; maps of one name share a scale if the visitor wants so.
        title: for people.
        caption: one short line under the map, such as seconds or the layer.
        values: float32 `(h, w)`, or None where there is no map (yet): the tile then shows `note`.
        signed: whether the sign of a value has a meaning.
        note: a sentence that must be seen, such as why the map is zero.
        box: what the map says where the object is, (top, left, bottom, right) in places of the map.
        busy: whether the map is still being computed.
        progress: share that is done, 0 to 1, of a map that is still being computed.
        rule: where its colour scale ends unless the visitor chooses otherwise.
    """

    name: str
    title: str
    caption: str = ""
    values: np.ndarray | None = None
    signed: bool = False
    note: str = ""
    box: Box | None = None
    busy: bool = False
    progress: float | None = None
    rule: Rule = "highest"

    @cached_property
    def raw(self) -> bytes:
        """The values as little-endian float32."""
        return b"" if self.values is None else np.ascontiguousarray(self.values, dtype="<f4").tobytes()

    @cached_property
    def scales(self) -> dict[Rule, HeatScale]:
        """The map's own colour scale under each rule that needs no other map."""
        if self.values is None:
            return {}
        return {rule: scale_of(self.values, self.signed, rule) for rule in RULES if rule != "shared"}


@dataclass(frozen=True, eq=False)
class HeatRow:
    """One picture and its maps.

    Attributes:
        label: heading of the row, such as the class that is explained; may be empty for a single row.
        picture: the picture as the network got it, encoded.
        maps: its maps; an empty row shows the picture alone.
        alt: what the picture shows, in words.
        media_type: of the encoded picture.
        outline: bool `(h, w)`, where the object truly is, drawn as an outline on request.
    """

    label: str
    picture: bytes
    maps: tuple[HeatMap, ...] = ()
    alt: str = "The picture as the network got it"
    media_type: str = "image/webp"
    outline: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Painting:
    """What a visitor may paint on the first picture.

    Attributes:
        rows: cells from top to bottom.
        columns: cells from left to right.
        mask: bool `(rows, columns)`, what has been painted; its outline lies over the maps.
        open: whether the board to paint on is open at first, with the maps out of sight.
        words: what to do, in one sentence.
    """

    rows: int = 24
    columns: int = 24
    mask: np.ndarray | None = None
    open: bool = False
    words: str = "Paint where you think the network looks."


def paint_grid(height: int, width: int, longest: int = 24) -> tuple[int, int]:
    """Return rows and columns to paint on, of the shape of a picture and at most `longest` cells long."""
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def mask_code(mask: np.ndarray) -> str:
    """Return a painted mask as short text that fits into a link: `24x24-` and its packed bits (URL-safe base64)."""
    rows, columns = mask.shape
    bits = np.packbits(np.asarray(mask, bool)).tobytes()
    return f"{rows}x{columns}-{base64.urlsafe_b64encode(bits).decode().rstrip('=')}"


def mask_from_code(code: Any) -> np.ndarray | None:
    """Return the mask of a text made by `mask_code`, in Python or by the browser.

    Returns:
        bool `(rows, columns)`; None for anything that is no such text, and for a mask with nothing painted.
    """
    found = _CODE.fullmatch(code) if isinstance(code, str) and len(code) <= 800 else None
    if found is None:
        return None
    rows, columns = int(found[1]), int(found[2])
    if max(rows, columns) > MOST_CELLS:
        return None
    try:
        packed = base64.urlsafe_b64decode(found[3] + "=" * (-len(found[3]) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(packed) != (rows * columns + 7) // 8:
        return None
    mask = np.unpackbits(np.frombuffer(packed, np.uint8), count=rows * columns).astype(bool).reshape(rows, columns)
    return mask if mask.any() else None


def enlarged(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a painted mask at the size of a map, bool `size`: each place takes the cell that its centre lies in."""
    rows, columns = (
        ((np.arange(length) + 0.5) * cells / length).astype(int) for length, cells in zip(size, mask.shape, strict=True)
    )
    return np.asarray(mask, bool)[np.ix_(rows, columns)]


@dataclass
class _Blobs:
    """The bytes of a message, each content once."""

    parts: dict[str, bytes] = field(default_factory=dict)

    def add(self, content: bytes) -> str:
        name = digest_of(content)
        self.parts[name] = content
        return name


def message(
    rows: Sequence[HeatRow],
    *,
    opacity: float = 0.6,
    threshold: float = 0.0,
    view: View = "over",
    painting: Painting | None = None,
    selected: tuple[int, str] | None = None,
    selectable: bool = False,
    largest: int = 340,
    hues: dict[str, str] | None = None,
) -> bytes:
    """Return what travels to the browser; arguments as for `heat_maps`."""
    blobs = _Blobs()
    tables = {
        name: blobs.add(colouring.table(signed).tobytes()) for name, signed in (("plain", False), ("diverging", True))
    }
    listed = []
    for row in rows:
        tiles = []
        for one in row.maps:
            tile: dict[str, Any] = {
                "name": one.name,
                "title": one.title,
                "caption": one.caption,
                "note": one.note,
                "busy": one.busy,
                "progress": one.progress,
            }
            if one.values is not None:
                others = [
                    other.values
                    for line in rows
                    for other in line.maps
                    if other is not one and other.name == one.name and other.values is not None
                ]
                scales = dict(one.scales)
                if others:
                    scales["shared"] = scale_of(one.values, one.signed, "shared", others)
                tile |= {
                    "values": blobs.add(one.raw),
                    "height": one.values.shape[0],
                    "width": one.values.shape[1],
                    "box": list(one.box) if one.box else None,
                    "rule": one.rule,
                    "scales": {
                        rule: [scale.low, scale.high, scale.diverging, scale.words] for rule, scale in scales.items()
                    },
                }
            tiles.append(tile)
        listed.append(
            {
                "label": row.label,
                "alt": row.alt,
                "picture": blobs.add(row.picture),
                "type": row.media_type,
                "outline": None if row.outline is None else _plain_code(row.outline, blobs),
                "maps": tiles,
            }
        )
    header: dict[str, Any] = {
        "rows": listed,
        "tables": tables,
        "painting": None
        if painting is None
        else {
            "rows": painting.rows,
            "columns": painting.columns,
            "code": "" if painting.mask is None else mask_code(painting.mask),
            "open": painting.open,
            "words": painting.words,
        },
        "selectable": selectable,
        "largest": largest,
        "hues": hues or {},
    }
    header["digest"] = digest_of(repr(header).encode())
    header |= {
        "selected": list(selected) if selected else None,
        "opacity": opacity,
        "threshold": threshold,
        "view": view,
    }
    return pack(header, blobs.parts)


def _plain_code(mask: np.ndarray, blobs: _Blobs) -> dict[str, Any]:
    """Return how an outline's mask is named in the message."""
    bits = np.packbits(np.asarray(mask, bool)).tobytes()
    return {"rows": mask.shape[0], "columns": mask.shape[1], "bits": blobs.add(bits)}


def heat_maps(
    rows: Sequence[HeatRow],
    *,
    key: str,
    opacity: float = 0.6,
    threshold: float = 0.0,
    view: View = "over",
    painting: Painting | None = None,
    selected: tuple[int, str] | None = None,
    on_paint: Callable[[], None] | None = None,
    on_select: Callable[[], None] | None = None,
    height: int | None = None,
    largest: int = 340,
) -> Any:
    """Show maps over their pictures; opacity, threshold, scale, boxes and hovering stay in the browser.

    Under the pointer, the finger or the arrow keys the values at one place are shown in all maps at once.

    Args:
        rows: pictures with their maps, one under the other.
        key: Streamlit key of the element.
        opacity: first position of the slider, 0 (picture) to 1 (map).
        threshold: first position of the slider that leaves places uncoloured whose absolute value is below this
            share of the map's highest.
        view: what is shown first: the map over the picture, the map alone, or the picture.
        painting: what may be painted on the first picture; None for nothing.
        selected: row number and name of the map drawn as selected.
        on_paint: called when the visitor is done painting; `st.session_state[key].paint` is text for
            `mask_from_code` (None there: nothing is painted).
        on_select: called after a click on a map's title; `st.session_state[key].selected` is `[row, name]`.
        height: height of the element in pixels, with scrolling, instead of that of its content.
        largest: greatest width of a map in pixels of the page.
    """
    colours = palette()
    hues = {
        "highlight": colours.highlight,
        "input": colours.input,
        "gradient": colours.gradient,
        "activation": colours.activation,
    }
    data = message(
        rows,
        opacity=opacity,
        threshold=threshold,
        view=view,
        painting=painting,
        selected=selected,
        selectable=on_select is not None,
        largest=largest,
        hues=hues,
    )
    return _heat_maps(
        key=key,
        data=data,
        height="content" if height is None else height,
        on_paint_change=on_paint or _ignore,
        on_selected_change=on_select or _ignore,
    )


def _ignore() -> None:
    """Do nothing: the trigger is registered in any case, so that the browser may always send it."""
