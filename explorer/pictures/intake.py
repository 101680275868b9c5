"""Makes a visitor's file a picture: decoded by content, bounded, upright, in sRGB, without its metadata.

Nothing is written to disk and nothing of full size is kept: what comes out is at most `picture_side` pixels
on its longest side. Whatever the file is, the outcome is a `Picture` or a `PictureError` with one sentence.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from explorer.pictures.colour import simplify, to_srgb
from explorer.pictures.file_kinds import recognise
from explorer.pictures.headers import DAMAGED, TRUNCATED, Header, exif_orientation, read_header
from explorer.pictures.picture import Picture, PictureError
from explorer.settings import Settings, get_settings

_log = logging.getLogger(__name__)

# A class uploads all at once: so many pixels are being decoded at a time, or one picture that has more.
_PIXELS_AT_ONCE = 32_000_000

_PNG_BITS = 24
"""Where the bits of a channel stand in a PNG file (W3C PNG third edition, section 11.2.1)."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TITLES = {"upload": "Uploaded picture", "webcam": "Webcam picture"}


def decode(data: bytes, *, name: str = "", source_kind: str = "upload", settings: Settings | None = None) -> Picture:
    """Decode a file that a visitor gave.

    Args:
        data: The whole file.
        name: The name that it had; it serves only as a title.
        source_kind: "upload" or "webcam": the first word of the picture's source.
        settings: The limits; those of this process when None.

    Returns:
        The picture, upright, in sRGB, over white, at most `settings.picture_side` pixels a side.

    Raises:
        PictureError: The file is no picture, too large, damaged or cut off; its text says what to do.
    """
    settings = settings or get_settings()
    data = bytes(data)
    _check_bytes(len(data), settings)
    kind = recognise(data)
    header = read_header(kind, data)
    if header.size is not None:
        _check_pixels(header.size, settings)
    with _in_a_sentence(kind), _gate.turn(header.size):
        image, header = _open(kind, header)
        _check_pixels(image.size, settings)
        image, size, steps = _load_small(image, kind, settings)
    return _finish(
        image,
        size,
        header,
        steps,
        source=f"{source_kind}:{hashlib.sha256(data).hexdigest()}",
        title=_title(name) or _TITLES.get(source_kind, "Picture"),
        unit="page" if kind == "TIFF" else "frame",
    )


def decode_mask(data: bytes, *, settings: Settings | None = None) -> np.ndarray:
    """Decode a mask: a PNG file whose values are classes.

    Args:
        data: The whole file.
        settings: The limits; those of this process when None.

    Returns:
        uint8 (height, width): palette indices, or grey values as they are stored.

    Raises:
        PictureError: The file is no such mask, or as for `decode`.
    """
    settings = settings or get_settings()
    _check_bytes(len(data), settings)
    kind = recognise(data)
    if kind != "PNG":
        raise PictureError(f"A mask in a {kind} file may have lost its exact values: save it as PNG and upload that.")
    header = read_header(kind, data)
    if header.size is not None:
        _check_pixels(header.size, settings)
    with _in_a_sentence(kind), _gate.turn(header.size):
        image = Image.open(io.BytesIO(header.data), formats=(kind,))
        _check_pixels(image.size, settings)
        image.load()
        return _mask_values(image, bits=header.data[_PNG_BITS])


def _mask_values(image: Image.Image, bits: int) -> np.ndarray:
    """Return the values as they are stored, with so many bits of each channel."""
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    values = np.asarray(image)
    if image.mode == "L" and bits < 8:
        # The decoder has spread grey values of few bits over 0 to 255.
        values = values // (255 // (2**bits - 1))
    if image.mode in ("RGB", "RGBA", "LA"):
        colours = values[..., :3] if image.mode != "LA" else values[..., :1]
        if (colours != colours[..., :1]).any():
            raise PictureError(
                "This mask has colours and no palette, so its classes have no numbers: "
                "save it as PNG with a palette, or as grey values."
            )
        values = colours[..., 0]
    if values.max(initial=0) > 255:
        raise PictureError("This mask has classes above 255: number them from 0 and save it as PNG with 8 bits.")
    return np.ascontiguousarray(values.astype(np.uint8))


@contextlib.contextmanager
def _in_a_sentence(kind: str) -> Iterator[None]:
    """Turn whatever goes wrong in a decoder into a sentence."""
    try:
        yield
    except PictureError:
        raise
    except MemoryError:
        raise PictureError(
            "This picture needs more memory than there is now: make it smaller and upload that."
        ) from None
    except Image.DecompressionBombError:
        raise PictureError(
            "The picture has more pixels than can be decoded here: make it smaller and upload that."
        ) from None
    except Exception as error:  # the decoders meet hostile files: any failure of theirs is the file's
        _log.info("A %s file could not be decoded: %s: %s", kind, type(error).__name__, error)
        cut_off = any(word in str(error).lower() for word in ("truncated", "end of file", "unexpected eof"))
        raise PictureError(TRUNCATED if cut_off else DAMAGED) from None


def _check_bytes(count: int, settings: Settings) -> None:
    if count > settings.upload_megabytes * 2**20:
        raise PictureError(
            f"The file has {count / 2**20:.1f} MB and the limit is {settings.upload_megabytes} MB: "
            "make the picture smaller, or save it as JPEG, and upload that."
        )


def _check_pixels(size: tuple[int, int], settings: Settings) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise PictureError(DAMAGED)
    if width * height > settings.upload_megapixels * 1_000_000:
        raise PictureError(
            f"The picture has {width} × {height} pixels ({width * height / 1e6:.0f} megapixels) "
            f"and the limit is {settings.upload_megapixels} megapixels: make it smaller and upload that."
        )


class _Gate:
    """Lets pictures be decoded side by side as long as they are not too many pixels together."""

    def __init__(self, pixels: int) -> None:
        self._all = self._free = pixels
        self._door = threading.Lock()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def turn(self, size: tuple[int, int] | None) -> Iterator[None]:
        """Wait for room for a picture of (width, height); one of unknown size counts as large."""
        wanted = self._all if size is None else min(size[0] * size[1], self._all)
        # The door is held while waiting, so that a large picture is not overtaken again and again by small ones.
        with self._door, self._changed:
            self._changed.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()


_gate = _Gate(_PIXELS_AT_ONCE)


def _open(kind: str, header: Header) -> tuple[Image.Image, Header]:
    """Open with the one decoder that the content asks for, and complete the header from it."""
    if kind == "HEIF":
        return _open_heif(header)
    image = Image.open(io.BytesIO(header.data), formats=(kind,))
    if header.frames is None:
        header = replace(header, frames=getattr(image, "n_frames", 1))
    if kind in {"WEBP", "AVIF"}:
        # Both keep the orientation beside the pixels; the AVIF decoder writes the container's into it.
        header = replace(header, orientation=exif_orientation(image.info.get("exif")), turned=False)
    return image, header


def _open_heif(header: Header) -> tuple[Image.Image, Header]:
    """Open HEIC by libheif, which turns the picture upright itself as the container says.

    Importing it costs time and memory, so that happens when the first such file arrives.
    """
    import pillow_heif

    image = pillow_heif.HeifImageFile(io.BytesIO(header.data))
    return image, replace(header, frames=1)


def _load_small(
    image: Image.Image, kind: str, settings: Settings
) -> tuple[Image.Image, tuple[int, int], tuple[str, ...]]:
    """Decode and reduce; return the picture, its full size (width, height) and what was done."""
    size = image.size
    target = fit_within(size, settings.picture_side)
    if kind == "JPEG":
        # The decoder leaves out the high frequencies that the reduced picture cannot show (1/2, 1/4, 1/8).
        image.draft(None, target)
    image.load()
    if kind != "JPEG":
        _check_pixels(image.size, settings)  # a TIFF is turned, and HEIC may turn out different, by loading
        size = image.size
        target = fit_within(size, settings.picture_side)
    profile = image.info.get("icc_profile")
    image, steps = simplify(image)
    if image.size != target:
        image = image.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
    image.info["icc_profile"] = profile
    return image, size, steps


def fit_within(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return (width, height) of the same shape whose longest side is at most `side`, and at least 1 × 1."""
    width, height = size
    longest = max(size)
    if longest <= side:
        return size
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def _finish(
    image: Image.Image,
    size: tuple[int, int],
    header: Header,
    steps: tuple[str, ...],
    *,
    source: str,
    title: str,
    unit: str,
) -> Picture:
    """Turn the reduced picture upright, bring it to sRGB and say what was done."""
    profile = image.info.get("icc_profile")
    turn = _UPRIGHT.get(header.orientation)
    if turn is not None and not header.turned:
        image = image.transpose(turn)
        if header.orientation >= 5:
            size = size[1], size[0]
    pixels, colour_steps = to_srgb(image, profile)
    notes = []
    height, width = pixels.shape[:2]
    if (width, height) != size:
        notes.append(f"shown at {width} × {height}, reduced from {size[0]} × {size[1]}")
    if turn is not None:
        notes.append("turned upright, as the camera noted")
    if header.frames and header.frames > 1:
        notes.append(f"first {unit} of {header.frames}")
    notes += [*steps, *colour_steps]
    if _is_grey(pixels):
        notes.append("grey: red, green and blue are equal")
    return Picture(pixels, source, title, (size[1], size[0]), tuple(notes))


def _is_grey(pixels: np.ndarray) -> bool:
    return bool(np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 1], pixels[..., 2]))


def _title(name: str) -> str:
    """Return a file's name as a title: no folders, no control or direction characters, at most 60 long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(c for c in last if unicodedata.category(c)[0] != "C")
    short = " ".join(visible.split())
    return short if len(short) <= 60 else short[:59] + "…"
