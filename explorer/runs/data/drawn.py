"""Pictures that are drawn for a run: which ones, in which order, and by how many processes.

Training and validation come from different worlds (seeds), and by default from different families of backgrounds.
Each picture has a name that opens it again, finer, on the other pages.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from explorer.networks.work_context import SentenceError
from explorer.pictures.drawn_digits import SIDE as DIGIT_SIDE
from explorer.pictures.drawn_digits import draw_digit
from explorer.pictures.drawn_world import CLASSES, draw, draw_scene
from explorer.runs.data.picture_set import PictureSet
from explorer.runs.data.sources import DIGITS
from explorer.runs.process import ROOT

Part = Literal["training", "validation"]

FIRST_WORLD = 5_000_000
"""Worlds from here on are those of runs; the bundled networks, and the pictures shown on pages, come from others."""

HELPED_FROM = 1500
"""Pictures from which a second process pays: it needs half a second to start."""

_AT_A_TIME = 32


class Sketch(NamedTuple):
    """What one picture is before it is drawn.

    Attributes:
        what: "object", "scene" or "digit".
        world: seed.
        number: which of that world.
        label: class, an index into all classes; -1 for a scene.
        backgrounds: which set.
        bits: which classes a scene may show, one bit each.
        noise: of a digit.
    """

    what: str
    world: int
    number: int
    label: int
    backgrounds: str
    bits: int
    noise: float

    @property
    def name(self) -> str:
        """How a link names it."""
        if self.what == "object":
            return f"drawn:{CLASSES[self.label]}:{self.number}:{self.world}:{self.backgrounds}"
        if self.what == "scene":
            return f"scene:{self.number}:{self.world}:{self.backgrounds}:{self.bits:x}"
        return f"digit:{self.label}:{self.number}:{self.world}:{round(self.noise * 100)}"


@dataclass(frozen=True)
class Plan:
    """The pictures of one part, before they are drawn.

    Attributes:
        sketches: one for each picture, in order.
        side: pixels.
        classes: names, as in `PictureSet`.
        labels: int64 (n,) or None.
        mask_of_class: uint8 (17,), from a scene's label map (or 0 and 1 for one object) to the class of a pixel; None
            where masks are not wanted.
    """

    sketches: tuple[Sketch, ...]
    side: int
    classes: tuple[str, ...]
    labels: np.ndarray | None
    mask_of_class: np.ndarray | None

    def taken(self, which: Sequence[int]) -> Plan:
        """Return the plan of some of the pictures."""
        labels = None if self.labels is None else self.labels[list(which)]
        return replace(self, sketches=tuple(self.sketches[at] for at in which), labels=labels)


def plan(settings: Mapping[str, Any], seed: int, part: Part, masks: bool = False) -> Plan:
    """Return what a part of a drawn source consists of.

    Args:
        settings: checked, of "drawn", "drawn_scenes", "drawn_clean" or "drawn_digits".
        seed: of the run.
        part: which.
        masks: whether the masks of single objects are wanted, object or background.
    """
    world = FIRST_WORLD + 2 * (seed % 1_000_000) + (part == "validation")
    return _PLANS[settings["source"]](settings, world, part, masks)


def _background_set(settings: Mapping[str, Any], part: Part) -> str:
    chosen = settings["backgrounds"]
    return chosen if part == "validation" or chosen == "plain" else "training"


def _objects(settings: Mapping[str, Any], world: int, part: Part, masks: bool) -> Plan:
    labels = [CLASSES.index(name) for name in settings["classes"]]
    count = settings["per_class" if part == "training" else "validation"]
    backgrounds = _background_set(settings, part)
    # Two pictures of one index share their background, so every picture has an index of its own.
    sketches = tuple(
        Sketch("object", world, number * len(CLASSES) + label, label, backgrounds, 0, 0.0)
        for number in range(count)
        for label in labels
    )
    if masks:
        return Plan(sketches, settings["side"], ("background", "object"), None, np.array([0, 1], np.uint8))
    return Plan(sketches, settings["side"], tuple(settings["classes"]), np.tile(np.arange(len(labels)), count), None)


def _scenes(settings: Mapping[str, Any], world: int, part: Part, masks: bool) -> Plan:
    count = settings["pictures" if part == "training" else "validation"]
    labels = [CLASSES.index(name) for name in settings["classes"]]
    bits = sum(1 << label for label in labels)
    backgrounds = _background_set(settings, part)
    each = settings["target"] == "classes"
    mapping = np.zeros(len(CLASSES) + 1, np.uint8)
    for number, label in enumerate(labels):
        mapping[label + 1] = number + 1 if each else 1
    classes = ("background", *(settings["classes"] if each else ("object",)))
    sketches = tuple(Sketch("scene", world, index, -1, backgrounds, bits, 0.0) for index in range(count))
    return Plan(sketches, settings["side"], classes, None, mapping)


def _clean(settings: Mapping[str, Any], world: int, part: Part, masks: bool) -> Plan:
    count = settings["pictures" if part == "training" else "validation"]
    bits = (1 << len(CLASSES)) - 1
    sketches = tuple(Sketch("scene", world, index, -1, "plain", bits, 0.0) for index in range(count))
    return Plan(sketches, settings["side"], (), None, None)


def _digits(settings: Mapping[str, Any], world: int, part: Part, masks: bool) -> Plan:
    count = settings["pictures" if part == "training" else "validation"]
    sketches = tuple(Sketch("digit", world, index, index % 10, "plain", 0, settings["noise"]) for index in range(count))
    return Plan(sketches, DIGIT_SIDE, DIGITS, np.arange(count) % 10, None)


_PLANS: dict[str, Callable[[Mapping[str, Any], int, Part, bool], Plan]] = {
    "drawn": _objects,
    "drawn_scenes": _scenes,
    "drawn_clean": _clean,
    "drawn_digits": _digits,
}


def draw_sketches(sketches: Sequence[Sketch], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pictures.

    Returns:
        Pixels uint8 (n, side, side, 3), or (n, 28, 28, 1) for digits, and label maps uint8 (n, side, side): what each
        pixel shows, 0 the background; for a single object 1, for a scene the object's class + 1, for digits 0.
    """
    pixels, maps = zip(*(_drawn(each, side) for each in sketches), strict=True)
    return np.stack(pixels), np.stack(maps)


def _drawn(sketch: Sketch, side: int) -> tuple[np.ndarray, np.ndarray]:
    if sketch.what == "digit":
        pixels = draw_digit(sketch.world, sketch.number, sketch.label, noise=sketch.noise)
        return pixels[..., None], np.zeros(pixels.shape, np.uint8)
    backgrounds: Any = sketch.backgrounds
    if sketch.what == "object":
        drawing = draw(sketch.world, sketch.number, size=side, label=sketch.label, backgrounds=backgrounds)
        return drawing.pixels, (drawing.mask >= 128).astype(np.uint8)
    classes = [label for label in range(len(CLASSES)) if sketch.bits >> label & 1]
    scene = draw_scene(sketch.world, sketch.number, size=side, classes=classes, backgrounds=backgrounds)
    return scene.pixels, scene.label_map


def drawn(
    wanted: Plan, *, say: Callable[[int, int], None], look: Callable[[], None], processes: int | None = None
) -> PictureSet:
    """Draw what is planned.

    Args:
        wanted: the plan.
        say: hears how many pictures are drawn, and of how many.
        look: called several times a second; it raises where the run shall stop.
        processes: how many draw; None: two from `HELPED_FROM` pictures on, if there are cores for them.

    Raises:
        SentenceError: if the second process fails.
    """
    count = len(wanted.sketches)
    if processes is None:
        processes = 2 if count >= HELPED_FROM and _cores() > 1 else 1
    first = count if processes == 1 else count // 2
    helper = _Helper(wanted.sketches[first:], wanted.side) if first < count else None
    try:
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for start in range(0, first, _AT_A_TIME):
            look()
            stop = min(start + _AT_A_TIME, first)
            parts.append(draw_sketches(wanted.sketches[start:stop], wanted.side))
            say(stop * processes, count)
        if helper is not None:
            parts.append(helper.result(look, _shape(wanted)))
    finally:
        if helper is not None:
            helper.close()
    pixels, maps = (np.concatenate(each) for each in zip(*parts, strict=True))
    masks = None if wanted.mask_of_class is None else wanted.mask_of_class[maps]
    names = tuple(sketch.name for sketch in wanted.sketches)
    return PictureSet(pixels, wanted.classes, wanted.labels, masks, names)


def _shape(wanted: Plan) -> tuple[int, int, int]:
    return wanted.side, wanted.side, 1 if wanted.sketches and wanted.sketches[0].what == "digit" else 3


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Helper:
    """A second process that draws a share; it dies with this one, since nobody reads what it writes."""

    def __init__(self, sketches: Sequence[Sketch], side: int) -> None:
        self._process = start([sys.executable, "-m", __name__])
        self._question = json.dumps([side, *sketches]).encode()
        self._answer = b""
        # A thread, for the helper would wait with a full pipe until this process has drawn its own share.
        self._talk = threading.Thread(target=self._converse, daemon=True)
        self._talk.start()

    def _converse(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._answer = self._process.communicate(self._question)[0]

    def result(self, look: Callable[[], None], shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Wait for the share and return it, as `draw_sketches` does."""
        while self._talk.is_alive():
            look()
            self._talk.join(0.1)
        height, width, channels = shape
        rows = np.frombuffer(self._answer, np.uint8)
        if self._process.returncode or len(rows) % (height * width * (channels + 1)):
            raise SentenceError("A process that draws the pictures has failed: start the run again.")
        rows = rows.reshape(-1, height, width, channels + 1)
        return rows[..., :channels], rows[..., channels]

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._talk.join()


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a Python process that knows this project, with pipes to and from it."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def main() -> None:
    """Draw what stdin asks for and write it to stdout: for each picture its pixels, each followed by its mask."""
    side, *rows = json.load(sys.stdin.buffer)
    sketches = [Sketch(*row) for row in rows]
    for begin in range(0, len(sketches), _AT_A_TIME):
        pixels, maps = draw_sketches(sketches[begin : begin + _AT_A_TIME], side)
        sys.stdout.buffer.write(np.concatenate([pixels, maps[..., None]], axis=-1).tobytes())


if __name__ == "__main__":
    main()
