"""The images on the stage: those that come with the app, over them what this session has grown, over them what grows.

Images of one session are kept by what they show, at most a few megabytes, and end with the session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from PIL import Image

from explorer.ascent.results import Growing, Grown, Plan, Quality, Sheet
from explorer.interface.components.gallery import Tile, TileState
from explorer.interface.filters.wishes import View, title_of
from explorer.interface.numbers import share_text, value_text

KEPT_BYTES = 6_000_000
NO_HIGHER = "It is no higher than where it started."
_KEPT = "_filters_album"


@dataclass(frozen=True, eq=False)
class Shown:
    """One image on the stage.

    Attributes:
        target: class or channel.
        copy: which of several images of the same target.
        image: uint8 `(h, w, 3)`, or None where there is none yet.
        quality: how good it is, once it is finished.
        growing: what is known while it grows.
        value: the objective at the last step, while it grows.
        source: "sheet", "grown", "growing" or "empty".
        plan: what it was grown with.
        picture: source of the picture that it was grown from, or "".
    """

    target: int
    copy: int = 0
    image: np.ndarray | None = None
    quality: Quality | None = None
    growing: Growing | None = None
    value: float | None = None
    source: str = "empty"
    plan: Plan | None = None
    picture: str = ""

    @property
    def id(self) -> str:
        """Name in clicks; its first part is the target."""
        return f"{self.target}:{self.copy}" if self.copy else str(self.target)


def copies_of(plan: Plan) -> int:
    """Return how many images a plan grows of each target."""
    return max(1, plan.copies)


def from_sheet(sheet: Sheet | None) -> dict[int, list[Shown]]:
    """Return the images that come with the app, by target."""
    if sheet is None:
        return {}
    quality = dict(enumerate(sheet.quality))
    return {
        target: [Shown(target, 0, sheet.images[i], quality.get(i), source="sheet", plan=sheet.plan)]
        for i, target in enumerate(sheet.targets)
    }


def from_grown(grown: Grown, picture: str = "") -> dict[int, list[Shown]]:
    """Return finished or stopped images by target.

    Args:
        grown: the images.
        picture: source of the picture that they began as, or "".
    """
    found: dict[int, list[Shown]] = {}
    # The code that makes a stopped run's images stops there.
    plan = replace(grown.plan, steps=max(1, grown.step)) if isinstance(grown.plan, Plan) else None
    for i, target in enumerate(grown.targets[: len(grown.images)]):
        copies = found.setdefault(int(target), [])
        quality = grown.quality[i] if i < len(grown.quality) else None
        one = Shown(int(target), len(copies), grown.images[i], quality, source="grown", plan=plan, picture=picture)
        copies.append(one)
    return found


def from_growing(growing: Growing, plan: Plan, picture: str = "") -> dict[int, list[Shown]]:
    """Return images as they are just now, by target; for `picture` see `from_grown`."""
    found: dict[int, list[Shown]] = {}
    for i, image in enumerate(growing.images):
        target = plan.targets[min(i // copies_of(plan), len(plan.targets) - 1)]
        copies = found.setdefault(int(target), [])
        value = float(growing.curve[-1, i]) if growing.curve.ndim == 2 and len(growing.curve) else None
        copies.append(Shown(int(target), len(copies), image, None, growing, value, "growing", plan, picture))
    return found


def waiting(plan: Plan) -> dict[int, list[Shown]]:
    """Return places for images that have been asked for and of which there is nothing to see yet."""
    return {int(t): [Shown(int(t), c, source="waiting") for c in range(copies_of(plan))] for t in plan.targets}


def _album() -> OrderedDict[tuple[View, int], list[Shown]]:
    return st.session_state.setdefault(_KEPT, OrderedDict())


def keep(view: View, grown: Grown, picture: str = "") -> None:
    """Keep what was grown (from a picture); the oldest images of earlier runs go when there are too many."""
    album = _album()
    new = from_grown(grown, picture)
    for target, images in new.items():
        album.pop((view, target), None)
        album[view, target] = images

    def size(images: Iterable[Shown]) -> int:
        return sum(one.image.nbytes for one in images if one.image is not None)

    whole = sum(map(size, album.values()))
    for key in [key for key in album if key[0] != view or key[1] not in new]:
        if whole <= KEPT_BYTES:
            break
        whole -= size(album.pop(key))


def kept(view: View) -> dict[int, list[Shown]]:
    """Return this session's own images of a view, by target."""
    return {target: images for (of, target), images in _album().items() if of == view}


def drop(view: View) -> None:
    """Forget this session's own images of a view: the ready ones are seen again."""
    for key in [key for key in _album() if key[0] == view]:
        del _album()[key]


def board_of(targets: Sequence[int], *layers: dict[int, list[Shown]]) -> list[Shown]:
    """Return what stands on the stage: for each target the images of the last layer that has some."""
    board: list[Shown] = []
    for target in targets:
        best = next((layer[target] for layer in reversed(layers) if layer.get(target)), None)
        board += best or [Shown(target)]
    return board


def pixels_of(board: Sequence[Shown]) -> np.ndarray:
    """Return the images of a board as one array uint8 `(n, h, w, 3)`, smaller ones enlarged to the largest.

    Places without an image are black, which nobody sees.
    """
    sides = [one.image.shape[:2] for one in board if one.image is not None]
    height, width = max(sides, key=lambda side: side[0] * side[1]) if sides else (96, 96)
    pixels = np.zeros((len(board), height, width, 3), np.uint8)
    for place, one in zip(pixels, board, strict=True):
        if one.image is not None:
            place[:] = fitted(one.image, (height, width))
    return pixels


def fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image at (height, width), smoothly enlarged or made smaller where it has another size."""
    if image.shape[:2] == tuple(size):
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC))


def quality_words(quality: Quality | None) -> tuple[str, str, str]:
    """Return the number under an image, the words behind it, and in words whether it is flat.

    Returns:
        (line, tip, "flat" or "").
    """
    if quality is None:
        return "", "", ""
    lines = [f"reached {value_text(quality.clean)} (the start image: {value_text(quality.start)})"]
    if quality.shaken is not None:
        share = stays_under_shaking(quality)
        of_it = "" if share is None else f", {share_text(share)} of it"
        lines.append(f"under 16 random shakes {value_text(quality.shaken)}{of_it}")
    lines.append(f"{share_text(quality.high_frequency)} of its power in fine detail")
    if quality.flat:
        return "flat", "\n".join(["It never started: the image says nothing.", *lines]), "flat"
    if quality.clean <= quality.start:
        lines.insert(0, NO_HIGHER)
    return value_text(quality.clean), "\n".join(lines), ""


def stays_under_shaking(quality: Quality) -> float | None:
    """Return which share of what an image reaches it keeps when it is shaken; None where that means nothing."""
    if quality.shaken is None or quality.clean <= 0:
        return None
    share = quality.shaken / quality.clean
    return share if 0 <= share <= 9.99 else None


def tile_of(one: Shown, view: View, names: Sequence[str], *, guess: bool, picked: bool) -> Tile:
    """Return what stands around one image.

    Args:
        one: the image.
        view: what is on the stage.
        names: of the classes.
        guess: whether names are kept back until a tile is picked.
        picked: whether it is.
    """
    full = "?" if guess and not picked else title_of(view, names, one.target)
    # Many channels stand beside each other: their number is enough to see, not to hear.
    title = (str(one.target) if view.layer else full) + (f" · {one.copy + 1}" if one.copy else "")
    line, tip, flat = quality_words(one.quality)
    state: TileState = "ready"
    share, void = None, ""
    if one.source == "growing" and one.growing is not None:
        state, share = "growing", one.growing.step / max(1, one.growing.steps)
        line = value_text(one.value) if one.value is not None else ""
        tip = f"step {one.growing.step} of {one.growing.steps}"
    elif one.source == "waiting":
        state, void = "waiting", "waiting …"
    elif one.source == "empty":
        state, void = "empty", "not grown yet"
    elif flat:
        state, line = "flat", "flat: never started"
    if guess and not picked:
        line = tip = ""
    return Tile(one.id, title, line, tip=tip, state=state, share=share, void=void, alt=_alt(one, full))


def _alt(one: Shown, title: str) -> str:
    kinds = {"sheet": "ready image", "grown": "image grown here", "growing": "growing"}
    return f"{title}, {'no image yet' if one.image is None else kinds.get(one.source, '')}"
