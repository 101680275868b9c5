"""Turns the few words that name a picture in a link into the picture: drawn, a scene, or a sample.

A link may come from anywhere, so its words are checked as strictly as an upload is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from explorer.pictures.picture import Picture, PictureError

if TYPE_CHECKING:
    from explorer.pictures.drawn_world import Drawing

DEFAULT_SOURCE = "drawn:cat:13"
DRAWN_SIDE = 384
MOST_DRAWN = 10_000
# Not a seed that the bundled networks were trained or tested with, so what is shown is new to them.
SHOW_SEED = 38_401

_LONGEST = 80
_INDEX = re.compile(r"[0-9]{1,4}")


def resolve(source: str) -> Picture:
    """Return the picture that `source` names.

    Args:
        source: `drawn:<class>:<index>`, `scene:<index>` or `sample:<name>`, with an index of 0 to 9999.

    Raises:
        PictureError: It names an upload, which no link can carry, or nothing at all.
    """
    kind, _, rest = source.partition(":") if isinstance(source, str) and len(source) <= _LONGEST else ("", "", "")
    if kind not in _RESOLVERS:
        raise PictureError("The link names a picture in a way that is not understood: choose a picture on this page.")
    return _RESOLVERS[kind](rest)


def mask_of(source: str) -> np.ndarray | None:
    """Return where the object truly is in the picture that `source` names.

    Args:
        source: As for `resolve`.

    Returns:
        bool (DRAWN_SIDE, DRAWN_SIDE) for `drawn:<class>:<index>`, true where the object covers at least half of a
        pixel (its shadow does not count); None for everything else: scenes have several objects, and of photos
        nobody knows it.

    Raises:
        PictureError: for a drawn picture that there is not.
    """
    kind, _, rest = source.partition(":") if isinstance(source, str) and len(source) <= _LONGEST else ("", "", "")
    return _drawing(rest)[2].mask >= 128 if kind == "drawn" else None


def _drawn(rest: str) -> Picture:
    name, number, drawing = _drawing(rest)
    return Picture(drawing.pixels, f"drawn:{name}:{number}", f"Drawn {name} {number}", (DRAWN_SIDE, DRAWN_SIDE))


def _drawing(rest: str) -> tuple[str, int, Drawing]:
    from explorer.pictures.drawn_world import CLASSES, draw

    name, _, index = rest.partition(":")
    if name not in CLASSES:
        raise PictureError(f"Nothing of that name can be drawn: choose one of {', '.join(CLASSES)}.")
    number = _number(index)
    return name, number, draw(SHOW_SEED, number, size=DRAWN_SIDE, label=CLASSES.index(name))


def _scene(rest: str) -> Picture:
    from explorer.pictures.drawn_world import draw_scene

    number = _number(rest)
    scene = draw_scene(SHOW_SEED, number, size=DRAWN_SIDE)
    return Picture(scene.pixels, f"scene:{number}", f"Drawn scene {number}", (DRAWN_SIDE, DRAWN_SIDE))


def _sample(rest: str) -> Picture:
    from explorer.pictures.samples import sample

    return sample(rest)


def _missing_upload(rest: str) -> Picture:
    raise PictureError(
        "The link was made with an uploaded picture, which does not travel in it: upload that file again."
    )


def _missing_webcam(rest: str) -> Picture:
    raise PictureError("The link was made with a webcam picture, which does not travel in it: take the picture again.")


def _number(text: str) -> int:
    if not _INDEX.fullmatch(text):
        raise PictureError(f"Drawn pictures are numbered from 0 to {MOST_DRAWN - 1}: choose such a number.")
    return int(text)


_RESOLVERS: dict[str, Callable[[str], Picture]] = {
    "drawn": _drawn,
    "scene": _scene,
    "sample": _sample,
    "upload": _missing_upload,
    "webcam": _missing_webcam,
}
