"""Turns the pixels of any Pillow mode into sRGB: grey scales, palettes, printing colours, profiles, alpha.

The order matters: a large picture is reduced first, in the colours it has (premultiplied where it has
alpha), and everything exact is then done on the small one.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

MOST_PROFILE_BYTES = 4_000_000
_BAND_PIXELS = 4_000_000
_BITS_PER_SAMPLE = 258  # a TIFF tag
_SIMPLE_MODES = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB"}
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


def simplify(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Return the picture in a mode that can be resized: L, LA, RGB, RGBA, CMYK or LAB, 8 bits a channel.

    Args:
        image: A decoded picture of any mode.

    Returns:
        The picture, and what was done to its numbers, in plain words.
    """
    if image.mode in {"F", "I"} or image.mode.startswith("I;16"):
        return _scale_grey(image)
    if image.mode == "1" and "transparency" not in image.info:
        return image.convert("L"), ()
    if image.has_transparency_data:
        return (image if image.mode in _SIMPLE_MODES - {"L", "RGB"} else image.convert("RGBA")), ()
    if image.mode in _SIMPLE_MODES:
        return image, ()
    return image.convert("RGB"), ()


def _scale_grey(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Scale grey values of 16 bits, 32 bits or floating point to 0..255, in bands of rows.

    Sixteen bits are divided by 257, so that 65535 becomes 255. Other numbers carry no fixed white: 0..1 and
    0..255 are taken as such, whole numbers up to 65535 as sixteen bits, and all else from its smallest to
    its largest value, which the note says.
    """
    if image.mode.startswith("I;16"):
        bits = 12 if getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE) == (12,) else 16
        low, high, note = 0.0, float(2**bits - 1), f"{bits} bits per channel, shown with 8"
    else:
        low, high, note = _range_of(image)
    values = np.empty((image.height, image.width), np.uint8)
    transparent = image.info.get("transparency")
    opacity = np.full(values.shape, 255, np.uint8) if isinstance(transparent, int) else None
    for top, band in _bands(image):
        rows = slice(top, top + band.shape[0])
        if opacity is not None:
            opacity[rows][band == transparent] = 0
        scaled = (band.astype(np.float64) - low) * 255.0 / (high - low)
        values[rows] = np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255))
    grey = Image.fromarray(values)
    if opacity is not None:
        grey.putalpha(Image.fromarray(opacity))
    return grey, (note,) if note else ()


def _range_of(image: Image.Image) -> tuple[float, float, str]:
    """Return which values are black and white in a picture of whole or floating-point numbers."""
    low, high = np.inf, -np.inf
    broken = False
    for _, band in _bands(image):
        finite = np.isfinite(band)
        broken = broken or not finite.all()
        if finite.any():
            low = min(low, float(band[finite].min()))
            high = max(high, float(band[finite].max()))
    gaps = "; what is no number is shown black" if broken else ""
    if not low < np.inf:
        return 0.0, 1.0, "no value is a number, so all is shown black"
    if low >= 0 and image.mode == "F" and high <= 1:
        return 0.0, 1.0, "values from 0 to 1" + gaps
    if low >= 0 and high <= 255:
        return 0.0, 255.0, gaps.removeprefix("; ")
    if low >= 0 and image.mode == "I" and high <= 65535:
        return 0.0, 65535.0, "16 bits per channel, shown with 8"
    return (
        low,
        max(high, np.nextafter(low, np.inf)),
        f"values from {low:.6g} (black) to {high:.6g} (white){gaps}",
    )


def _bands(image: Image.Image) -> Any:
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return uint8 (height, width, 3) sRGB pixels over white, and what was done, in plain words.

    Args:
        image: A picture in one of the modes that `simplify` returns.
        profile: Its embedded ICC profile (ICC.1:2022), from a file that is not to be trusted.
    """
    notes: list[str] = []
    alpha = np.asarray(image.getchannel("A")) if image.mode in {"LA", "RGBA"} else None
    solid = image.convert(image.mode[:-1]) if alpha is not None else image
    converted = _through_profile(solid, profile)
    if converted is not None:
        pixels, name = converted
        if name:
            notes.append(f"colours converted from {name} to sRGB")
    else:
        pixels = np.asarray(solid.convert("RGB"))
        if solid.mode == "CMYK":
            notes.append("printing colours (CMYK) converted to sRGB")
    if alpha is not None and alpha.min() < 255:
        pixels = over_white(pixels, alpha)
        notes.append("transparent parts are shown on white")
    return np.array(pixels), tuple(notes)


def over_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return pixels (h, w, 3) laid over white with alpha (h, w), both uint8, rounded to the nearest."""
    opacity = alpha.astype(np.uint32)[..., None]
    return ((pixels * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


def _through_profile(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, str] | None:
    """Convert to sRGB by a profile; None when there is none that fits, an empty name when nothing changes."""
    if image.mode == "LAB":
        source, name = ImageCms.createProfile("LAB"), "CIE Lab"
    else:
        opened = _open_profile(image.mode, profile)
        if opened is None:
            return None
        source, name = opened
    try:
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB")
        applied = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if applied is None:
        return None
    pixels = np.asarray(applied)
    if image.mode in {"L", "RGB"}:
        before = np.asarray(image.convert("RGB"))
        # A profile that is sRGB by another name moves nothing by more than rounding: keep the numbers.
        if np.abs(pixels.astype(np.int16) - before).max() <= 1:
            return before, ""
    return pixels, name


def _open_profile(mode: str, profile: bytes | None) -> tuple[Any, str] | None:
    """Open a profile that fits the mode; None when it is missing, too large, broken or for another space."""
    if not isinstance(profile, bytes) or not 128 <= len(profile) <= MOST_PROFILE_BYTES:
        return None
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        description = ImageCms.getProfileDescription(opened)
    except Exception:  # the profile is a visitor's file: whatever it breaks, the picture is shown without it
        return None
    name = "".join(c for c in description if c.isascii() and (c.isalnum() or c in " .-()")).strip()[:40]
    return opened, name or "the colours of its profile"
