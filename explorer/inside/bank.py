"""A bank of pictures to look for evidence in: drawn things and scenes, and the sample photos.

Every picture has a source that `explorer.pictures.sources.resolve` understands, so that a picture found here can be
chosen as the current one. No network was trained on any of them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from explorer.networks.catalogue import NetworkEntry
from explorer.networks.preprocessing import Fit, fit
from explorer.networks.work_context import NO_CONTEXT, WorkContext
from explorer.pictures.drawn_world import CLASSES, draw, draw_scene
from explorer.pictures.picture import PictureError
from explorer.pictures.samples import SAMPLES, sample
from explorer.pictures.sources import DRAWN_SIDE, SHOW_SEED

FIRST = 5000
"""Numbers of the bank's drawn pictures start here, far from those that a visitor usually looks at."""

THUMBNAIL_SIDE = 96
_KEPT = 2

# Of each class, and of scenes. A picture for a large network costs a hundred times one for the bundled ones.
_SIZES = {"small": (18, 48), "middle": (7, 8), "large": (3, 0)}


@dataclass(frozen=True, eq=False)
class Bank:
    """Pictures as a network gets them.

    Attributes:
        pixels: uint8 (n, height, width, 3) at the network's input size.
        sources: What each is, as a link writes it.
        titles: Their names for people.
    """

    pixels: np.ndarray
    sources: tuple[str, ...]
    titles: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all pixels: what is computed from equal banks may be shared."""
        return hashlib.sha256(
            repr(self.pixels.shape).encode() + np.ascontiguousarray(self.pixels).tobytes()
        ).hexdigest()

    def __len__(self) -> int:
        return len(self.sources)


_banks: OrderedDict[tuple, Bank] = OrderedDict()
_lock = threading.Lock()


def bank(entry: NetworkEntry, how: Fit = "pad", context: WorkContext = NO_CONTEXT) -> Bank:
    """Return the bank at a network's input size; the last two are kept.

    Large networks get a smaller one: 303 or more drawn pictures and photos for the bundled networks, about 130 at
    224 pixels, about 60 for the largest.

    Args:
        entry: The network; its input size and cost count.
        how: How photos are brought to the input size, see `explorer.networks.preprocessing.fit`.
        context: Who hears of the progress.

    Raises:
        Stopped: if the visitor stops while pictures are drawn.
    """
    each, scenes = _SIZES[_cost(entry)]
    key = (entry.input_size, how, each, scenes)
    with _lock:
        if key in _banks:
            _banks.move_to_end(key)
            return _banks[key]
    made = _make(entry, how, each, scenes, context)
    with _lock:
        _banks[key] = made
        while len(_banks) > _KEPT:
            _banks.popitem(last=False)
    return made


def _cost(entry: NetworkEntry) -> str:
    if entry.input_size[0] * entry.input_size[1] <= 128 * 128 and entry.parameters < 5_000_000:
        return "small"
    return "middle" if entry.parameters < 30_000_000 and max(entry.input_size) <= 240 else "large"


def _make(entry: NetworkEntry, how: Fit, each: int, scenes: int, context: WorkContext) -> Bank:
    side = min(max(16, *entry.input_size), DRAWN_SIDE)
    total = each * len(CLASSES) + scenes + len(SAMPLES)
    pixels: list[np.ndarray] = []
    names: list[tuple[str, str]] = []

    def keep(picture: np.ndarray, source: str, title: str) -> None:
        pixels.append(fit(picture, entry, how).pixels)
        names.append((source, title))
        if len(names) % 16 == 0:
            context.raise_if_stopped()
            context.report(len(names), total, "pictures", "Drawing the bank of pictures")

    for number in range(each):
        for label, name in enumerate(CLASSES):
            # Another number for each class, or all of them would stand before the same background.
            index = FIRST + number * len(CLASSES) + label
            drawing = draw(SHOW_SEED, index, size=side, label=label)
            keep(drawing.pixels, f"drawn:{name}:{index}", f"Drawn {name} {index}")
    for number in range(scenes):
        index = FIRST + number
        keep(draw_scene(SHOW_SEED, index, size=side).pixels, f"scene:{index}", f"Drawn scene {index}")
    for name, entry_of_sample in SAMPLES.items():
        try:
            keep(sample(name).pixels, f"sample:{name}", entry_of_sample.title)
        except PictureError:
            continue  # a package that is missing takes its photos along; the bank does without
    found = np.stack(pixels)
    found.flags.writeable = False
    return Bank(found, tuple(source for source, _ in names), tuple(title for _, title in names))


def thumbnail(pixels: np.ndarray, side: int = THUMBNAIL_SIDE) -> np.ndarray:
    """Return a picture at most `side` pixels a side, uint8 (h, w, 3), proportions kept."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest <= side:
        return np.ascontiguousarray(pixels)
    size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BOX))
