"""What stands above the stage of the scene "On my photo": the picture, the kernel's result, and what both ways cost."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from explorer.convolution import fft
from explorer.convolution.scene import Settings
from explorer.convolution.scenes import photo
from explorer.interface.components import boards
from explorer.interface.figures.colour_scales import ColourScale, lookup_table

_SENT = "_convolution_photo_sent"
_COMPARED = "_convolution_photo_compared"
_KEY = "convolution_photo"


@dataclass(frozen=True)
class _Sent:
    """A picture as it travels: its name and its packed pixels."""

    pixels: np.ndarray
    name: str
    packed: bytes


def pack_pixels(pixels: np.ndarray) -> bytes:
    """Return uint8 pixels `(h, w, 3)` as deflated planes of differences from the pixel to the left.

    Not as an encoded picture, because browsers may change pixels while they decode one.
    """
    planes = np.moveaxis(pixels, 2, 0)
    differences = planes.copy()
    differences[..., 1:] -= planes[..., :-1]
    return zlib.compress(np.ascontiguousarray(differences).tobytes(), 1)


def _sent(pixels: np.ndarray) -> _Sent:
    """Return the packed picture of this session; the work is done once for each picture."""
    held: _Sent | None = st.session_state.get(_SENT)
    if held is None or held.pixels is not pixels:
        name = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:16]
        held = _Sent(pixels, name, pack_pixels(pixels)) if held is None or held.name != name else _Sent(
            pixels, name, held.packed
        )  # fmt: skip
        st.session_state[_SENT] = held
    return held


def _compared(settings: Settings, picture: str, kernel: np.ndarray) -> tuple[float, float, float]:
    """Return seconds directly and by FFT, and the largest difference, measured once for each picture and layer."""
    arguments = {name: settings[name] for name in ("strides", "padding", "dilation_rate")}
    identity = (picture, settings["colour"], kernel.shape, kernel.tobytes(), tuple(arguments.items()))
    held: tuple[tuple, tuple[float, float, float]] | None = st.session_state.get(_COMPARED)
    if held is None or held[0] != identity:
        x = photo.pixels_of(settings).astype(np.float32)
        both = fft.compare(x, kernel, **arguments)
        held = (identity, (both.direct_seconds, both.fft_seconds, both.largest_difference))
        st.session_state[_COMPARED] = held
    return held[1]


def show_photo(
    settings: Settings, pixels: np.ndarray, *, on_pin: Callable[[int, int], None], alt: str = "The picture"
) -> None:
    """Draw the picture beside its convolution, with the pixels under the pointer, and the price of both ways.

    Args:
        settings: possible settings of the scene, with "pixels".
        pixels: uint8 `(h, w, 3)`.
        on_pin: called with row and column of a pixel of the result that was clicked.
        alt: what the picture shows, in words.
    """
    sent = _sent(pixels)
    kernel = photo.kernel_of(settings)
    made = photo.output_size(settings)
    (above, _), (left, _) = photo.pads(settings)

    def pin() -> None:
        place = st.session_state[_KEY].pin
        if (
            isinstance(place, list | tuple)
            and len(place) == 2
            and all(isinstance(part, int | float) and 0 <= part < size for part, size in zip(place, made, strict=True))
        ):
            on_pin(int(place[0]), int(place[1]))

    boards.photo_pixels(sent.packed, picture=sent.name, size=pixels.shape[:2], key="convolution_photo_pixels")
    boards.photo(
        kernel,
        picture=sent.name,
        alt=alt,
        made=made,
        strides=settings["strides"],
        dilation_rate=settings["dilation_rate"],
        before=(above, left),
        colour=settings["colour"],
        signed=photo.scale_of(settings, kernel) == "signed",
        pinned=photo.pinned(settings),
        key=_KEY,
        on_pin=pin,
    )


def result_png(settings: Settings) -> bytes:
    """Return the kernel's result on the whole picture as PNG, one pixel each, on the scale that the page shows.

    Brightness is clipped to 0 to 255; signed results are centred on 0 and end at the largest size, in grey by the
    app's diverging colours and in colour by each channel's distance from the middle.
    """
    kernel = photo.kernel_of(settings)
    arguments = {name: settings[name] for name in ("strides", "padding", "dilation_rate")}
    values = fft.direct(photo.pixels_of(settings).astype(np.float32), kernel, **arguments)
    if photo.scale_of(settings, kernel) == "signed":
        most = float(np.abs(values).max(initial=0.0))
        if values.shape[2] == 1:
            shown = lookup_table(True)[ColourScale(-most, most).indices(values[..., 0])] if most else np.full(
                (*values.shape[:2], 3), 247, np.uint8
            )  # fmt: skip
        else:
            shown = np.rint(127.5 + 127.5 * values / (most or 1.0)).astype(np.uint8)
    else:
        shown = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(shown if shown.shape[2] == 3 else shown[..., 0]).save(target, "PNG")
    return target.getvalue()


def show_comparison(settings: Settings, pixels: np.ndarray) -> None:
    """Say what the layer costs window by window and by the Fourier transform; drawn last, for it takes longest.

    Args:
        settings: possible settings of the scene, with "pixels".
        pixels: uint8 `(h, w, 3)`.
    """
    direct_seconds, fft_seconds, difference = _compared(settings, _sent(pixels).name, photo.kernel_of(settings))
    st.caption(
        f"On the server, in float32: directly in {_milliseconds(direct_seconds)}, by FFT in "
        f"{_milliseconds(fft_seconds)}. The results agree: the largest difference is "
        f"{difference:.1g}."
    )


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"
