"""Turns the few words that name a picture in a link into the picture: drawn, a scene, a digit, or a sample.

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
    from explorer.pictures.drawn_world.backgrounds import BackgroundSet

DEFAULT_SOURCE = "drawn:cat:13"
DRAWN_SIDE = 384
MOST_DRAWN = 10_000
# Not a seed that the bundled networks were trained or tested with, so what is shown is new to them.
SHOW_SEED = 38_401

_LONGEST = 80
_INDEX = re.compile(r"[0-9]{1,4}")
_RUN_INDEX = re.compile(r"[0-9]{1,5}")
_WORLD = re.compile(r"[56][0-9]{6}")  # those of training runs
_BACKGROUNDS: tuple[BackgroundSet, ...] = ("training", "unseen", "plain", "sea", "meadow")


def resolve(source: str) -> Picture:
    """Return the picture that `source` names.

    Args:
        source: `drawn:<class>:<index>`, `scene:<index>` or `sample:<name>`, with an index of 0 to 9999. A picture of a
            training run also says its world and backgrounds, a scene which classes it may show (hexadecimal, one
            bit each), a digit its noise in percent: `drawn:<class>:<index>:<world>:<backgrounds>`,
            `scene:<index>:<world>:<backgrounds>:<classes>`, `digit:<digit>:<index>:<world>:<noise>`.

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
    address, title, drawing = _drawing(rest)
    return Picture(drawing.pixels, f"drawn:{address}", title, (DRAWN_SIDE, DRAWN_SIDE))


def _drawing(rest: str) -> tuple[str, str, Drawing]:
    """Return the one way to write an address, a title, and what it names."""
    from explorer.pictures.drawn_world import CLASSES, draw

    name, _, rest = rest.partition(":")
    if name not in CLASSES:
        raise PictureError(f"Nothing of that name can be drawn: choose one of {', '.join(CLASSES)}.")
    label = CLASSES.index(name)
    index, *of_run = rest.split(":")
    if not of_run:
        number = _number(index)
        drawing = draw(SHOW_SEED, number, size=DRAWN_SIDE, label=label)
        return f"{name}:{number}", f"Drawn {name} {number}", drawing
    if len(of_run) != 2:
        raise _unknown()
    number, world, backgrounds = _of_run(index, *of_run)
    drawing = draw(world, number, size=DRAWN_SIDE, label=label, backgrounds=backgrounds)
    return f"{name}:{number}:{world}:{backgrounds}", f"Drawn {name} {number} of a run", drawing


def _scene(rest: str) -> Picture:
    from explorer.pictures.drawn_world import CLASSES, draw_scene

    index, *of_run = rest.split(":")
    if not of_run:
        number = _number(index)
        scene = draw_scene(SHOW_SEED, number, size=DRAWN_SIDE)
        return Picture(scene.pixels, f"scene:{number}", f"Drawn scene {number}", (DRAWN_SIDE, DRAWN_SIDE))
    if len(of_run) != 3 or not re.fullmatch(r"[0-9a-f]{1,4}", of_run[2]):
        raise _unknown()
    number, world, backgrounds = _of_run(index, *of_run[:2])
    bits = int(of_run[2], 16)
    classes = [label for label in range(len(CLASSES)) if bits >> label & 1]
    if not classes:
        raise _unknown()
    scene = draw_scene(world, number, size=DRAWN_SIDE, classes=classes, backgrounds=backgrounds)
    source = f"scene:{number}:{world}:{backgrounds}:{bits:x}"
    return Picture(scene.pixels, source, f"Drawn scene {number} of a run", (DRAWN_SIDE, DRAWN_SIDE))


def _digit(rest: str) -> Picture:
    from explorer.pictures.drawn_digits import SIDE, draw_digit

    parts = rest.split(":")
    if len(parts) != 4 or not re.fullmatch(r"[0-9]", parts[0]) or not re.fullmatch(r"[0-9]{1,3}", parts[3]):
        raise _unknown()
    label, noise = int(parts[0]), int(parts[3])
    number, world, _ = _of_run(parts[1], parts[2], "plain")
    pixels = draw_digit(world, number, label, noise=noise / 100)
    source = f"digit:{label}:{number}:{world}:{noise}"
    return Picture(np.repeat(pixels[..., None], 3, axis=2), source, f"Drawn digit {label}", (SIDE, SIDE))


def _of_run(index: str, world: str, backgrounds: str) -> tuple[int, int, BackgroundSet]:
    """Return index, world and backgrounds of a picture that a training run has drawn for itself."""
    if not _RUN_INDEX.fullmatch(index) or not _WORLD.fullmatch(world):
        raise _unknown()
    for known in _BACKGROUNDS:
        if backgrounds == known:
            return int(index), int(world), known
    raise _unknown()


def _unknown() -> PictureError:
    return PictureError("The link names no picture that can be drawn: choose a picture on this page.")


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
    "digit": _digit,
    "sample": _sample,
    "upload": _missing_upload,
    "webcam": _missing_webcam,
}
