"""Grids of numbers as text: short enough for a link, readable from a spreadsheet, safe against whatever comes in."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Sequence

import numpy as np

MOST_CELLS = 4096
"""More numbers than any board has; a larger grid is refused before its numbers are read."""

LARGEST = 1e9
"""The largest magnitude of a number."""

_READABLE = 240
_TEXT = 24 * MOST_CELLS
_LOSSLESS = 1500
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


def to_text(array: np.ndarray) -> str:
    """Return a grid `(h, w)` or `(h, w, planes)` as text that `from_text` reads.

    Short grids stay readable: cells apart by spaces, rows by semicolons, planes by strokes ("1 2;3 4/5 6;7 8").
    Others are the same text compressed: "z" and base64url. Every number survives to its last bit, unless that would
    take more than 1,500 characters; then numbers keep six significant digits.

    Raises:
        ValueError: the array is empty, has another number of axes, or holds what `from_text` refuses.
    """
    values = np.asarray(array, dtype=np.float64)
    if values.ndim not in (2, 3) or not values.size:
        raise ValueError(f"a grid has rows and columns; this has the shape {values.shape}")
    if not np.isfinite(values).all() or np.abs(values).max() > LARGEST:
        raise ValueError("a cell takes a finite number up to a thousand million")
    planes = values[..., None] if values.ndim == 2 else values
    plain = _join(planes, 17)
    if len(plain) <= _READABLE:
        return plain
    packed = _pack(plain)
    return packed if len(packed) <= _LOSSLESS else _pack(_join(planes, 6))


def from_text(text: str, most: Sequence[int] = ()) -> np.ndarray:
    """Return the float64 grid of a text, `(h, w)`, or `(h, w, planes)` where it has more planes than one.

    Args:
        text: what `to_text` gives, or what a person types in that form.
        most: the largest shape taken, `(h, w)` or `(h, w, planes)`; empty for up to 4,096 cells of any shape.

    Raises:
        ValueError: one sentence why the text is no such grid.
    """
    text = text.strip()
    if text.startswith("z"):
        text = _unpack(text[1:])
    if len(text) > _TEXT:
        raise ValueError("the text is too long")
    text = text.replace("−", "-")
    planes = [[row.split() for row in plane.split(";")] for plane in text.split("/")]
    return _array(planes, tuple(most))


def from_block(text: str) -> np.ndarray:
    """Return the float64 grid `(h, w)` of a block copied from a spreadsheet.

    Rows are lines; cells are apart by tabs, else by semicolons, else by spaces, else by commas. A comma that does not
    separate cells is a decimal comma. In lines with nothing but commas, it is one where no line has two.

    Raises:
        ValueError: one sentence why the block is no grid of numbers.
    """
    if len(text) > _TEXT:
        raise ValueError("the block is too long")
    lines = [line.strip(" \r\u00a0") for line in text.replace("−", "-").split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    for separator in ("\t", ";", " "):
        if any(separator in line for line in lines):
            rows = [line.split() if separator == " " else [cell.strip() for cell in line.split(separator)]
                    for line in lines]  # fmt: skip
            break
    else:
        several = any(line.count(",") > 1 for line in lines)
        rows = [[cell.strip() for cell in line.split(",")] if several else [line] for line in lines]
    return _array([[[cell.replace(",", ".") for cell in row] for row in rows]], ())


def fitted(values: np.ndarray | None, default: np.ndarray) -> np.ndarray:
    """Return a float64 grid of `default`'s shape: `values` where they reach, `default` elsewhere.

    Args:
        values: `(h, w)` or `(h, w, planes)` of any size, or None for none.
        default: `(h, w)` or `(h, w, planes)`.
    """
    fit = np.array(default, dtype=np.float64)
    if values is None:
        return fit
    given = np.asarray(values, dtype=np.float64)
    if given.ndim == 2 and fit.ndim == 3:
        given = given[..., None]
    elif given.ndim == 3 and fit.ndim == 2:
        given = given[..., 0]
    common = tuple(slice(min(a, b)) for a, b in zip(given.shape, fit.shape, strict=True))
    fit[common] = given[common]
    return fit


def _join(planes: np.ndarray, digits: int) -> str:
    return "/".join(
        ";".join(" ".join(_number_text(value, digits) for value in row) for row in planes[..., plane].tolist())
        for plane in range(planes.shape[2])
    )


def _number_text(value: float, digits: int) -> str:
    if digits < 17:
        value = float(f"{value:.{digits}g}")
    whole = int(value)
    if whole == value:
        return str(whole)
    text = repr(value)
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _pack(text: str) -> str:
    return "z" + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def _unpack(text: str) -> str:
    if len(text) > _TEXT:
        raise ValueError("the text is too long")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        # A few hundred bytes can unpack to gigabytes: no more than a grid can need is unpacked.
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(packed, _TEXT)
        if not unpacking.eof:
            raise ValueError("the compressed numbers are cut off or too many")
        return plain.decode("ascii")
    except (binascii.Error, zlib.error, UnicodeError) as error:
        raise ValueError("the compressed numbers are damaged") from error


def _array(planes: list[list[list[str]]], most: tuple[int, ...]) -> np.ndarray:
    height, width, depth = len(planes[0]), max(len(row) for plane in planes for row in plane), len(planes)
    shape = (height, width, depth)
    limits = most + (1,) * (3 - len(most)) if most else (MOST_CELLS,) * 3
    if any(size > limit for size, limit in zip(shape, limits, strict=True)) or np.prod(shape) > MOST_CELLS:
        size_text = " × ".join(str(part) for part in (shape if depth > 1 else shape[:2]))
        limit_text = " × ".join(str(part) for part in most) if most else f"{MOST_CELLS:,} cells"
        raise ValueError(f"{size_text} numbers are more than the {limit_text} that fit")
    if not width or any(len(plane) != height or any(len(row) != width for row in plane) for plane in planes):
        raise ValueError("every row needs the same number of numbers")
    values = np.array([[[_number(cell) for cell in row] for row in plane] for plane in planes], dtype=np.float64)
    return values[0] if depth == 1 else np.moveaxis(values, 0, -1)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        shown = text if len(text) <= 12 else text[:12] + "…"
        raise ValueError(f"“{shown}” is no number" if text else "a cell is empty")
    number = float(text)
    if abs(number) > LARGEST:
        raise ValueError("a cell takes a number up to a thousand million")
    return number
