"""Draw a picture of the drawn world, a scene, a batch or a whole sheet: each a function of its arguments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from explorer.pictures.drawn_world import textures
from explorer.pictures.drawn_world.backgrounds import BackgroundSet, background, grid
from explorer.pictures.drawn_world.chance import Roll
from explorer.pictures.drawn_world.objects import KINDS
from explorer.pictures.drawn_world.palette import choose
from explorer.pictures.drawn_world.pen import Pen, Pose, rasterise

CLASSES: tuple[str, ...] = tuple(kind.name for kind in KINDS)
"""All classes; a label is an index into these."""

PRETRAINING_CLASSES: tuple[str, ...] = CLASSES[:12]
"""The classes that the bundled networks know."""

KEPT_CLASSES: tuple[str, ...] = CLASSES[12:]
"""The classes kept aside, for lessons on transfer."""

GALLERY_SEED = 2718281
"""The seed behind pictures named by class and index, plus the label; nothing is trained on these sixteen."""

_WORLD = 20240607
_LAYOUT, _BACKGROUND, _OBJECT, _FINISH = 0, 1, 2, 3
_PATTERN_KINDS = ("stripes", "dots", "checks", "waves", "noise")

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawing:
    """A picture of one object.

    Attributes:
        pixels: uint8 (size, size, 3), sRGB.
        mask: uint8 (size, size), how much of each pixel the object covers, 0 to 255, without its
            shadow.
        label: The object's class, an index into `CLASSES`.
        box: (top, left, bottom, right) in pixels, the smallest that holds every pixel the object touches;
            bottom and right are exclusive.
    """

    pixels: np.ndarray
    mask: np.ndarray
    label: int
    box: Box


@dataclass(frozen=True)
class Scene:
    """A picture of several objects.

    Attributes:
        pixels: uint8 (size, size, 3), sRGB.
        label_map: uint8 (size, size), what covers most of each pixel: 0 the background, else label + 1.
        masks: uint8 (objects, size, size), how much of each pixel shows each object, 0 to 255; what a
            nearer object hides is not in it. Objects stand from the farthest to the nearest.
        labels: The objects' classes, indices into `CLASSES`.
        boxes: (top, left, bottom, right) of what is visible of each object; bottom and right are exclusive.
    """

    pixels: np.ndarray
    label_map: np.ndarray
    masks: np.ndarray
    labels: tuple[int, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Light:
    """Where the light comes from, and how strong light and shadow are."""

    angle: float
    slope: float
    shadow: float
    reach: float
    blur: float


def _light(roll: Roll) -> _Light:
    shadowed = roll.happens(0.45)
    strength = roll.between(0.2, 0.55)
    return _Light(
        angle=roll.between(0, 2 * math.pi),
        slope=roll.between(0.0, 0.3),
        shadow=strength if shadowed else 0.0,
        reach=roll.between(0.015, 0.05),
        blur=roll.between(0.005, 0.025),
    )


def _tone(roll: Roll) -> float:
    """Return the brightness of a background: dark, middle or light."""
    low, high = roll.pick(((0.1, 0.32), (0.1, 0.32), (0.42, 0.58), (0.68, 0.9), (0.68, 0.9)))
    return roll.between(low, high)


def _pose(roll: Roll, label: int, x: float, y: float, scale: float) -> Pose:
    kind = KINDS[label]
    turn = math.radians(roll.around(0.0, kind.turn))
    stretch = math.exp(roll.around(0.0, 0.2))
    shear = roll.around(0.0, 0.25)
    mirrored = -1.0 if roll.happens(0.5) and kind.flips else 1.0
    cos, sin = math.cos(turn), math.sin(turn)
    wide, tall = scale * math.sqrt(stretch), scale / math.sqrt(stretch)
    matrix = (
        cos * wide * mirrored,
        (cos * shear - sin) * tall,
        sin * wide * mirrored,
        (sin * shear + cos) * tall,
    )
    wobble = (roll.between(0.0, 0.045), roll.between(2.0, 6.0), roll.between(0, 6.3), roll.between(0, 6.3))
    return Pose(x, y, matrix, wobble)


def _put(picture: np.ndarray, roll: Roll, label: int, pose: Pose, tone: float, light: _Light) -> np.ndarray:
    """Draw an object and its shadow into the picture, float32 (size, size, 3); return its coverage, uint8."""
    size = len(picture)
    pen = Pen(choose(roll, KINDS[label].hues, tone))
    KINDS[label].draw(pen, roll)
    sprite = rasterise(pen, pose, size)
    top, left = sprite.top, sprite.left
    height, width = sprite.coverage.shape
    mask = np.zeros((size, size), np.uint8)
    mask[top : top + height, left : left + width] = sprite.coverage
    if light.shadow:
        _cast(picture, mask, light)
    colours = sprite.colours
    kind, periods = roll.pick(_PATTERN_KINDS), roll.pick((12, 18, 26))
    turn, slope, number = roll.between(0, 2 * math.pi), roll.pick((1.0, 1.5)), roll.whole(0, 1)
    if sprite.patterned is not None and pen.palette.pattern is not None:
        texture = textures.noise(slope, 60 + number, 1) if kind == "noise" else textures.pattern(kind, periods)
        view = textures.turned(texture, size, left, top, width, height, 0.55, turn)
        share = np.asarray(view).astype(np.float32)[..., None] / 255
        first, second = (np.array(paint[:3], np.float32) for paint in pen.palette.pattern)
        colours = colours + (first + (second - first) * share) * sprite.patterned[..., None]
    if light.slope:
        x, y = grid(size)
        along = (x[:, left : left + width] - pose.x) * math.cos(light.angle)
        along = along + (y[top : top + height] - pose.y) * math.sin(light.angle)
        colours = colours * (1 - light.slope * np.clip(along / pose.scale, -1, 1))
    part = picture[top : top + height, left : left + width]
    part *= 1 - sprite.coverage[..., None].astype(np.float32) / 255
    part += colours
    return mask


def _cast(picture: np.ndarray, mask: np.ndarray, light: _Light) -> None:
    """Darken the picture where the light does not reach."""
    size = len(mask)
    dx, dy = (
        round(light.reach * size * math.cos(light.angle)),
        round(light.reach * size * math.sin(light.angle)),
    )
    moved = Image.new("L", (size, size))
    moved.paste(Image.fromarray(mask), (dx, dy))
    soft = np.asarray(moved.filter(ImageFilter.BoxBlur(light.blur * size))).astype(np.float32)
    picture *= 1 - soft[..., None] * (light.shadow / 255)


def _finish(picture: np.ndarray, roll: Roll) -> np.ndarray:
    """Return the picture as a camera would: with a little grain and uneven exposure, as uint8."""
    size = len(picture)
    if roll.happens(0.5):
        x, y = grid(size)
        angle, slope = roll.between(0, 2 * math.pi), roll.between(0.0, 0.35)
        picture = picture * (1 + slope * ((x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle)))
    if roll.happens(0.6):
        share = 0.72
        view = textures.window(textures.grain(), size, roll.unit() * (1 - share), roll.unit() * (1 - share), share)
        amount = roll.between(0.02, 0.2)
        picture = picture + (np.asarray(view).astype(np.float32) - 128) * amount
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _seen(picture: np.ndarray, roll: Roll, backgrounds: BackgroundSet) -> np.ndarray:
    """Return the picture as a camera would, or as it was drawn where the background is plain, as uint8."""
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8) if backgrounds == "plain" else _finish(picture, roll)


def _box(mask: np.ndarray) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _check(size: int, labels: Iterable[int]) -> None:
    if size < 16:
        raise ValueError(f"A picture of the drawn world has at least 16 pixels a side, not {size}.")
    for label in labels:
        if not 0 <= label < len(CLASSES):
            raise ValueError(f"There is no class {label}; labels go from 0 to {len(CLASSES) - 1}.")


def _choices(classes: Sequence[int] | None) -> Sequence[int]:
    if classes is None:
        return range(len(CLASSES))
    if not len(classes):
        raise ValueError("There has to be at least one class to pick from.")
    return classes


def draw(
    seed: int,
    index: int,
    *,
    size: int = 96,
    label: int | None = None,
    classes: Sequence[int] | None = None,
    backgrounds: BackgroundSet = "training",
) -> Drawing:
    """Draw one object before a background.

    Args:
        seed: Which world of pictures, 0 or more.
        index: Which picture of it, 0 or more.
        size: Pixels a side, 16 or more. Another size gives the same picture, finer or coarser.
        label: The class to draw; if None, chance picks one of `classes`. Everything else stays the same.
        classes: The labels to pick from; all if None.
        backgrounds: "training"; "unseen": other families and other photos; "plain": one colour or two, without grain;
            "sea" and "meadow". The object stays the same.

    Raises:
        ValueError: for a size, label or background set that does not exist, and for a negative seed or index.
    """
    choices = _choices(classes)
    layout = Roll(_WORLD, seed, index, _LAYOUT)
    picked = layout.pick(choices)
    label = picked if label is None else label
    _check(size, (label,))
    tone = _tone(layout)
    light = _light(layout)
    scale = 0.21 * (0.44 / 0.21) ** layout.unit()
    reach = 0.78 * scale
    x, y = layout.between(reach, 1 - reach), layout.between(reach, 1 - reach)
    pose = _pose(layout, label, x, y, scale)
    picture = np.array(background(backgrounds, Roll(_WORLD, seed, index, _BACKGROUND), size, tone))
    mask = _put(picture, Roll(_WORLD, seed, index, _OBJECT, label), label, pose, tone, light)
    pixels = _seen(picture, Roll(_WORLD, seed, index, _FINISH), backgrounds)
    return Drawing(pixels, mask, label, _box(mask))


def draw_without_object(
    seed: int, index: int, *, size: int = 96, backgrounds: BackgroundSet = "training"
) -> np.ndarray:
    """Draw the picture that `draw` draws with the same arguments, but for the object and its shadow.

    Returns:
        uint8 (size, size, 3).

    Raises:
        ValueError: as for `draw`.
    """
    _check(size, ())
    layout = Roll(_WORLD, seed, index, _LAYOUT)
    layout.unit()  # that which picks the class
    picture = np.array(background(backgrounds, Roll(_WORLD, seed, index, _BACKGROUND), size, _tone(layout)))
    return _seen(picture, Roll(_WORLD, seed, index, _FINISH), backgrounds)


def draw_class(class_name: str, index: int, size: int = 96) -> Drawing:
    """Draw picture `index` (0 or more) of a class of the gallery, from which no network has been trained.

    Raises:
        ValueError: if there is no such class.
    """
    if class_name not in CLASSES:
        raise ValueError(f"The drawn world has no {class_name!r}; it has {', '.join(CLASSES)}.")
    label = CLASSES.index(class_name)
    return draw(GALLERY_SEED + label, index, size=size, label=label)


_SCALES = {1: (0.26, 0.42), 2: (0.22, 0.32), 3: (0.19, 0.27)}


def _places(roll: Roll, count: int) -> list[tuple[float, float, float]]:
    """Return x, y, scale of objects that may hide a part of each other but never most of it.

    Chosen among circles in units of the picture's side, so that the choice does not depend on pixels.
    """
    low, high = _SCALES.get(count, (0.14, 0.2))
    placed: list[tuple[float, float, float]] = []
    for _ in range(count):
        best: tuple[float, tuple[float, float, float]] | None = None
        for _ in range(12):
            scale = roll.between(low, high)
            x, y = (roll.between(0.9 * scale, 1 - 0.9 * scale) for _ in range(2))
            room = min((math.hypot(x - a, y - b) / (scale + s) for a, b, s in placed), default=9.0)
            if best is None or room > best[0]:
                best = (room, (x, y, scale))
            if room > 0.75:
                break
        assert best is not None
        placed.append(best[1])
    return placed


def draw_scene(
    seed: int,
    index: int,
    *,
    size: int = 96,
    objects: tuple[int, int] = (1, 3),
    classes: Sequence[int] | None = None,
    backgrounds: BackgroundSet = "training",
) -> Scene:
    """Draw several objects, of which nearer ones may hide parts of farther ones, with an exact label map.

    Args:
        seed: Which world of scenes, 0 or more.
        index: Which scene of it, 0 or more.
        size: Pixels a side, 16 or more. Another size gives the same scene, finer or coarser.
        objects: The fewest and the most objects, between 1 and 6.
        classes: The labels to pick from; all if None.
        backgrounds: "training", "unseen" or "plain", as for `draw`.

    Raises:
        ValueError: for a size, number of objects, label or background set that does not exist, and for a
            negative seed or index.
    """
    if not 1 <= objects[0] <= objects[1] <= 6:
        raise ValueError(f"A scene has 1 to 6 objects, not {objects[0]} to {objects[1]}.")
    choices = _choices(classes)
    _check(size, choices)
    layout = Roll(_WORLD, seed, index, _LAYOUT, 1)
    tone = _tone(layout)
    light = _light(layout)
    count = layout.whole(*objects)
    labels = tuple(layout.pick(choices) for _ in range(count))
    poses = [_pose(layout, label, *place) for label, place in zip(labels, _places(layout, count), strict=True)]
    picture = np.array(background(backgrounds, Roll(_WORLD, seed, index, _BACKGROUND, 1), size, tone))
    coverages = [
        _put(picture, Roll(_WORLD, seed, index, _OBJECT, label, 1 + k), label, pose, tone, light)
        for k, (label, pose) in enumerate(zip(labels, poses, strict=True))
    ]
    pixels = _seen(picture, Roll(_WORLD, seed, index, _FINISH, 1), backgrounds)
    visible, rest = _visible(coverages)
    masks = np.round(visible * 255).astype(np.uint8)
    winners = np.concatenate([rest[None], visible]).argmax(axis=0)
    label_map = np.array([0, *(label + 1 for label in labels)], np.uint8)[winners]
    return Scene(pixels, label_map, masks, labels, tuple(_box(mask) for mask in masks))


def _visible(coverages: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return what each pixel shows of each object (objects, h, w) and of the background (h, w), 0 to 1."""
    shares = np.stack(coverages).astype(np.float32) / 255
    rest: np.ndarray = np.ones(shares.shape[1:], np.float32)
    for k in reversed(range(len(shares))):
        shares[k] *= rest
        rest = rest * (1 - coverages[k].astype(np.float32) / 255)
    return shares, rest


def draw_batch(
    seed: int,
    indices: Iterable[int],
    *,
    size: int = 96,
    label: int | None = None,
    classes: Sequence[int] | None = None,
    backgrounds: BackgroundSet = "training",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw many pictures; the arguments are those of `draw`.

    Returns:
        pixels uint8 (n, size, size, 3), labels int64 (n,), masks uint8 (n, size, size).
    """
    drawings = [
        draw(seed, int(index), size=size, label=label, classes=classes, backgrounds=backgrounds) for index in indices
    ]
    if not drawings:
        return (
            np.zeros((0, size, size, 3), np.uint8),
            np.zeros(0, np.int64),
            np.zeros((0, size, size), np.uint8),
        )
    return (
        np.stack([drawing.pixels for drawing in drawings]),
        np.array([drawing.label for drawing in drawings], np.int64),
        np.stack([drawing.mask for drawing in drawings]),
    )


def contact_sheet(
    seed: int = GALLERY_SEED,
    *,
    columns: int = 12,
    size: int = 96,
    classes: Sequence[int] | None = None,
    backgrounds: BackgroundSet = "training",
    gap: int = 2,
) -> np.ndarray:
    """Return a sheet with a row per class (all if None), every picture another.

    Returns:
        uint8 (height, width, 3), white between the pictures.
    """
    labels = list(range(len(CLASSES))) if classes is None else list(classes)
    step = size + gap
    sheet = np.full((len(labels) * step - gap, columns * step - gap, 3), 255, np.uint8)
    for row, label in enumerate(labels):
        for column in range(columns):
            index = row * columns + column
            picture = draw(seed, index, size=size, label=label, backgrounds=backgrounds).pixels
            sheet[row * step : row * step + size, column * step : column * step + size] = picture
    return sheet
