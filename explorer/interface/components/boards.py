"""The browser components of the app, each registered once at import and wrapped in a typed function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from explorer.convolution.stage import Stage
from explorer.interface.components.packing import pack
from explorer.interface.components.registration import digest_of as _digest
from explorer.interface.components.registration import register as _register
from explorer.interface.components.stage_message import stage_message
from explorer.interface.theme import palette

_tiles = _register("tiles")
_network_column = _register("network_column")
_close_up = _register("close_up")
_settings_strip = _register("settings_strip")
_photo = _register("photo")
_stage = _register("stage")


def tiles(
    values: np.ndarray,
    sheet: bytes,
    *,
    columns: int,
    channels: Sequence[int],
    silent: Sequence[bool],
    labels: Sequence[str],
    selected: int | None,
    key: str,
    on_channel: Callable[[], None],
    tile: int = 78,
) -> Any:
    """Show feature maps as clickable tiles with the exact value under the pointer.

    Args:
        values: float32 `(n, h, w)`, the maps of the tiles in their order.
        sheet: PNG with the coloured tiles, `columns` beside each other, one cell a pixel, no gaps.
        columns: tiles in one row of the sheet.
        channels: channel number of each tile.
        silent: whether each channel is silent.
        labels: what is printed under each tile beside the channel number.
        selected: the channel drawn as selected.
        key: Streamlit key of the element.
        on_channel: called after a click; `st.session_state[key].channel` holds the channel.
        tile: smallest width of a tile in pixels of the page.
    """
    raw = np.ascontiguousarray(values, dtype="<f4").tobytes()
    names = "|".join([*map(str, channels), *labels, *map(str, silent)]).encode()
    header = {
        "digest": _digest(raw, sheet, names),
        "height": values.shape[1],
        "width": values.shape[2],
        "columns": columns,
        "channels": [int(c) for c in channels],
        "silent": [bool(s) for s in silent],
        "labels": list(labels),
        "selected": selected,
        "tile": tile,
    }
    return _tiles(key=key, data=pack(header, {"values": raw, "sheet": sheet}), on_channel_change=on_channel)


def network_column(
    tree: Sequence[Mapping[str, Any]],
    layers: Mapping[str, Mapping[str, Any]],
    *,
    network: str,
    digest: str,
    selected: str,
    open_stages: bool,
    hues: Mapping[str, str],
    height: int,
    key: str,
    on_layer: Callable[[], None],
) -> Any:
    """Show a network as a column of stages and blocks that open; a click on a layer selects it.

    Args:
        tree: nodes; a layer is `{"path"}`, a block `{"title", "kind", "shape", "parameters", "children",
            "branches", "merge"}`.
        layers: by path: `name`, `kind`, `shape`, `parameters` and optionally `silent`, all ready to print.
        network: identity of the network; which blocks are open is remembered for each.
        digest: changes when the tree or the printed facts change.
        selected: path of the selected layer; the blocks around it open.
        open_stages: whether stages start open.
        hues: colours of "weight", "activation" and "input".
        height: height of the column in pixels.
        key: Streamlit key of the element.
        on_layer: called after a click; `st.session_state[key].layer` holds the path.
    """
    data = {
        "tree": tree,
        "layers": layers,
        "network": network,
        "digest": digest,
        "selected": selected,
        "open_stages": open_stages,
        "hues": hues,
        "height": height,
    }
    return _network_column(key=key, data=data, on_layer_change=on_layer)


def close_up(
    values: np.ndarray,
    map_png: bytes,
    photo: bytes,
    *,
    photo_type: str,
    alt: str,
    cell: tuple[int, int] | None,
    field: tuple[float, float, float, float] | None,
    key: str,
    on_cell: Callable[[], None],
    opacity: int = 70,
    most: int = 420,
) -> Any:
    """Show one map over the picture, with the exact value under the pointer; a click picks a cell.

    Args:
        values: float32 `(h, w)`, the map.
        map_png: the coloured map, one cell a pixel.
        photo: the encoded picture below it.
        photo_type: its media type.
        alt: what the picture shows, in words.
        cell: the picked cell as (row, column).
        field: the picked cell's receptive field as fractions (top, left, bottom, right) of the picture.
        key: Streamlit key of the element.
        on_cell: called after a click; `st.session_state[key].cell` holds [row, column].
        opacity: first position of the slider between picture (0) and map (100).
        most: largest width in pixels of the page.
    """
    raw = np.ascontiguousarray(values, dtype="<f4").tobytes()
    header = {
        "digest": _digest(raw, map_png, photo),
        "height": values.shape[0],
        "width": values.shape[1],
        "alt": alt,
        "cell": list(cell) if cell else None,
        "field": list(field) if field else None,
        "photo_type": photo_type,
        "opacity": opacity,
        "most": most,
    }
    message = pack(header, {"values": raw, "map": map_png, "photo": photo})
    return _close_up(key=key, data=message, on_cell_change=on_cell)


def settings_strip(
    controls: Sequence[Mapping[str, Any]], *, complaint: str, key: str, on_set: Callable[[], None]
) -> Any:
    """Show settings in one row, the lesser ones folded; what a hand sets goes to Python as text.

    Args:
        controls: `{"name", "label", "kind", "text", "main", "help"}` and, by kind, `"down"` and `"up"`
            (`{"text"}` of the next possible value or `{"why"}` there is none), `"low"`, `"high"`, `"step"`,
            `"options"` (`{"name", "title", "why"}`), `"why"` of a switch, `"refused"` (a typed text that cannot be).
        complaint: one sentence why the last wish cannot be, or "".
        key: Streamlit key of the element.
        on_set: called after a change; `st.session_state[key].set` holds `{"name", "text"}`.
    """
    return _settings_strip(key=key, data={"controls": list(controls), "complaint": complaint}, on_set_change=on_set)


def stage(
    stage: Stage,
    *,
    key: str,
    on_edit: Callable[[], None],
    on_cell: Callable[[], None] | None = None,
    hidden: Sequence[str] = (),
    pinned: int | None = None,
    playing: bool | None = None,
    speed: float = 1.0,
) -> Any:
    """Show the grids of a layer, in which stepping, playing, hovering and editing happen in the browser.

    Args:
        stage: what stands on it.
        key: Streamlit key of the element.
        on_edit: called after an edit; `st.session_state[key].edit` holds `{"board", "row", "column", "plane",
            "values"}`: a block of numbers and where its first cell lies in the board's own array.
        on_cell: called after a click that pins; `st.session_state[key].cell` holds the flat number of a cell of
            the animated link's target, or −1 when none is pinned any more.
        hidden: names of boards whose numbers are withheld.
        pinned: the cell of the animated link's target that is pinned, as a link names it.
        playing: whether the animation starts by itself; None: on a visitor's first stage.
        speed: steps a second at the start.
    """
    colours = palette()
    options = {
        "pinned": pinned,
        "playing": playing,
        "speed": speed,
        "hues": {
            "input": colours.input,
            "weight": colours.weight,
            "output": colours.activation,
            "negative": colours.gradient,
            "highlight": colours.highlight,
            "muted": colours.muted,
            "error": colours.error,
        },
    }
    message = stage_message(stage, hidden, options)
    return _stage(key=key, data=message, on_edit_change=on_edit, on_cell_change=on_cell or (lambda: None))


def photo_pixels(packed: bytes, *, picture: str, size: tuple[int, int], key: str) -> Any:
    """Send the pixels of a picture to the browser, where `photo` of the same `picture` waits for them.

    An element of its own, so that they travel once and not with every kernel.

    Args:
        packed: three planes of differences from the pixel to the left, deflated (zlib).
        picture: names the picture.
        size: its rows and columns.
        key: Streamlit key of the element.
    """
    header = {"part": "pixels", "picture": picture, "height": size[0], "width": size[1]}
    return _photo(key=key, data=pack(header, {"pixels": packed}), height="content", width="content")


def photo(
    kernel: np.ndarray,
    *,
    picture: str,
    alt: str,
    made: tuple[int, int],
    strides: tuple[int, int],
    dilation_rate: tuple[int, int],
    before: tuple[int, int],
    colour: bool,
    signed: bool,
    pinned: tuple[int, int],
    key: str,
    on_pin: Callable[[], None],
) -> Any:
    """Show a picture beside what a kernel makes of it, and the pixels under the pointer as numbers.

    The browser computes the result from the pixels, so that nothing but the kernel has to travel.

    Args:
        kernel: `(kh, kw)`.
        picture: names the picture whose pixels `photo_pixels` has sent.
        alt: what the picture shows, in words.
        made: rows and columns of the result.
        strides: rows and columns.
        dilation_rate: rows and columns.
        before: pixels of padding above and to the left.
        colour: whether each channel is convolved for itself; in grey otherwise.
        signed: whether the result is shown centred on 0 instead of as brightness.
        pinned: row and column of the pinned pixel of the result.
        key: Streamlit key of the element.
        on_pin: called after a click; `st.session_state[key].pin` holds [row, column] of the result.
    """
    colours = palette()
    header: dict[str, Any] = {
        "part": "view",
        "picture": picture,
        "alt": alt,
        "kernel": [float(weight) for weight in kernel.reshape(-1)],
        "shape": list(kernel.shape),
        "made": list(made),
        "strides": list(strides),
        "rates": list(dilation_rate),
        "before": list(before),
        "colour": colour,
        "signed": signed,
        "hues": {"highlight": colours.highlight, "weight": colours.weight, "output": colours.activation},
    }
    header |= {"digest": _digest(repr(header).encode()), "pinned": list(pinned)}
    return _photo(key=key, data=pack(header, {}), on_pin_change=on_pin)
