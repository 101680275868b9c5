"""An animated GIF whose frames say only what has changed, with one table of colours for all of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import GifImagePlugin, Image

CLEAR = 255
"""Number of the colour that leaves a pixel as it is; frames must not use it."""


GIF_END = b";"


def gif_blocks(frames: Iterable[Image.Image], table: Image.Image, seconds: Sequence[float]) -> Iterator[bytes]:
    """Yield a GIF (version 89a) that repeats for ever, one piece for each frame; `GIF_END` ends it.

    Pillow's own writer gives each frame a table and keeps unchanged pixels: several times the bytes.

    Args:
        frames: mode "P", all of one size.
        table: mode "P"; its palette is that of all frames.
        seconds: how long each frame is shown, to a hundredth.
    """
    colours = bytes(table.getpalette() or [])[: 3 * 256].ljust(3 * 256, b"\0")
    repeat = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    before: np.ndarray | None = None
    for frame, shown in zip(frames, seconds, strict=True):
        now = np.asarray(frame)
        part, left, top, head = now, 0, 0, b""
        if before is None:
            head = b"GIF89a" + struct.pack("<HHBBB", *frame.size, 0xF7, 0, 0) + colours + repeat
        else:
            changed = now != before
            rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
            if rows.size == 0:
                # A frame like the one before still takes its time.
                rows = columns = np.zeros(1, np.int64)
            top, left = int(rows[0]), int(columns[0])
            here = np.s_[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
            part = np.where(changed[here], now[here], np.uint8(CLEAR))
        image = Image.fromarray(np.ascontiguousarray(part))
        yield head + b"".join(
            GifImagePlugin.getdata(image, (left, top), duration=round(1000 * shown), disposal=1, transparency=CLEAR)
        )
        before = now
