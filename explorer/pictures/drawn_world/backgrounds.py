"""What stands behind the objects: one set for training, one of other families and other photos for tests."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from explorer.pictures.drawn_world import textures
from explorer.pictures.drawn_world.chance import Roll
from explorer.pictures.drawn_world.palette import colour

BackgroundSet = Literal["training", "unseen", "plain", "sea", "meadow"]

_CLUTTER_SAMPLES = 3

Colour = tuple[float, float, float]
Matrix = tuple[float, ...]


@lru_cache(maxsize=8)
def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the x (1, size, 1) and y (size, 1, 1) of the pixels' middles, 0 to 1, float32."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size
    return line[None, :, None], line[:, None, None]


def _toned(roll: Roll, tone: float, spread: float = 0.1) -> Colour:
    """Return a colour whose brightness is about `tone`, more or less saturated."""
    return _as_bright(colour(roll.unit(), roll.unit() * 0.85, 1.0)[:3], roll.around(tone, spread))


def _as_bright(pure: tuple[int, int, int], tone: float) -> Colour:
    """Return a colour of the same hue with this brightness."""
    wanted = 255 * min(max(tone, 0.02), 0.98)
    factor = wanted / (0.3 * pure[0] + 0.59 * pure[1] + 0.11 * pure[2])
    # Too bright for a colour this saturated: fade it rather than change its hue.
    fade = min(1.0, (255 - wanted) / max(factor * max(pure) - wanted, 1e-6))
    red, green, blue = (wanted + fade * (channel * factor - wanted) for channel in pure)
    return red, green, blue


def _mixing(roll: Roll, saturation: float, contrast: float, mean: Sequence[float], target: Sequence[float]) -> Matrix:
    """Return the matrix that fades, scales and perhaps swaps colour channels and takes `mean` to `target`."""
    order = roll.pick(((0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)))
    grey = (1 - saturation) / 3
    rows: list[float] = []
    for channel in range(3):
        row = [contrast * (grey + (saturation if order[channel] == k else 0.0)) for k in range(3)]
        rows += row
        rows.append(target[channel] - sum(w * m for w, m in zip(row, mean, strict=True)))
    return tuple(rows)


def _recoloured(image: Image.Image, matrix: Matrix) -> np.ndarray:
    return np.asarray(image.convert("RGB", matrix)).astype(np.float32)


def _two_colours(mask: Image.Image, first: Colour, second: Colour) -> np.ndarray:
    share = np.asarray(mask).astype(np.float32)[..., None] / 255
    a, b = np.array(first, np.float32), np.array(second, np.float32)
    return a + (b - a) * share


def _from_texture(roll: Roll, size: int, tone: float, texture: textures.Texture, contrast: float) -> np.ndarray:
    share = roll.between(0.3, 0.95)
    view = textures.window(texture, size, roll.unit() * (1 - share), roll.unit() * (1 - share), share)
    matrix = _mixing(roll, roll.unit(), contrast, (128, 128, 128), _toned(roll, tone))
    return _recoloured(view, matrix)


def _noise(roll: Roll, size: int, tone: float) -> np.ndarray:
    slope = roll.pick((0.7, 1.0, 1.4, 1.8))
    return _from_texture(roll, size, tone, textures.noise(slope, roll.whole(0, 1)), roll.between(0.3, 1.1))


def _gradient(roll: Roll, size: int, tone: float) -> np.ndarray:
    x, y = grid(size)
    angle = roll.between(0, 2 * math.pi)
    first, second = _toned(roll, tone, 0.25), _toned(roll, tone, 0.25)
    if roll.happens(0.6):
        t = 0.5 + (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle)
    else:
        cx, cy = roll.unit(), roll.unit()
        t = np.sqrt((x - cx) ** 2 + (y - cy) ** 2)
    a, b = np.array(first, np.float32), np.array(second, np.float32)
    return a + (b - a) * np.clip(t, 0, 1)


def _pattern(roll: Roll, size: int, tone: float, names: Sequence[str]) -> np.ndarray:
    texture = textures.pattern(roll.pick(names), roll.pick((8, 14, 24)))
    mask = textures.turned(texture, size, 0, 0, size, size, roll.between(0.4, 0.7), roll.between(0, 2 * math.pi))
    spread = roll.between(0.05, 0.35)
    return _two_colours(mask, _toned(roll, tone - spread / 2), _toned(roll, tone + spread / 2))


def _photo(roll: Roll, size: int, tone: float, names: Sequence[str]) -> np.ndarray:
    texture, mean = textures.photo(roll.pick(names))
    share = roll.between(0.25, 0.9)
    detail = roll.pick((0, 8, 14, 24, 40))
    view = textures.window(texture, size, roll.unit() * (1 - share), roll.unit() * (1 - share), share, detail)
    saturation, contrast = roll.between(0.3, 1.2), roll.between(0.5, 1.1)
    own = roll.between(0.2, 0.7)
    wanted = _toned(roll, tone)
    target = [own * m + (1 - own) * w for m, w in zip(mean, wanted, strict=True)]
    return _recoloured(view, _mixing(roll, saturation, contrast, mean, target))


def _plain(roll: Roll, size: int, tone: float) -> np.ndarray:
    return np.broadcast_to(np.array(_toned(roll, tone), np.float32), (size, size, 3))


def _hills(roll: Roll, size: int, tone: float) -> np.ndarray:
    """Draw a sky and two or three rolling grounds before it."""
    picture = _gradient(roll, size, tone)
    x, y = grid(size)
    level = roll.between(0.35, 0.6)
    for _ in range(roll.whole(1, 3)):
        ridge = level + roll.between(0.02, 0.08) * np.sin(roll.between(3, 9) * x + roll.between(0, 6.3))
        share = np.clip((y - ridge) * size + 0.5, 0, 1)
        picture = picture + (np.array(_toned(roll, tone, 0.25), np.float32) - picture) * share
        level += roll.between(0.12, 0.25)
    return picture


def _bands(roll: Roll, size: int, tone: float) -> np.ndarray:
    """Draw hard-edged fans of three or four colours around a point."""
    x, y = grid(size)
    turns = np.arctan2(y - roll.unit(), x - roll.unit()) / (2 * math.pi)
    count = roll.whole(3, 4)
    repeats = roll.whole(1, 3)
    place = (turns * repeats) % 1 * count
    first = np.array(_toned(roll, tone, 0.25), np.float32)
    picture: np.ndarray = np.broadcast_to(first, (size, size, 3))
    soft = 0.5 * size / (count * repeats)
    for k in range(1, count):
        share = np.clip((place - k) * soft, 0, 1)
        picture = picture + (np.array(_toned(roll, tone, 0.25), np.float32) - picture) * share
    return picture


def _lights(roll: Roll, size: int, tone: float) -> np.ndarray:
    """Draw overlapping soft discs of light, as a lens draws lamps far behind its focus."""
    picture = np.array(_toned(roll, tone), np.float32) + np.zeros((size, size, 3), np.float32)
    x, y = grid(size)
    for _ in range(roll.whole(4, 9)):
        radius = roll.between(0.05, 0.22)
        distance = np.sqrt((x - roll.unit()) ** 2 + (y - roll.unit()) ** 2)
        share = np.clip((radius - distance) * (8 / radius) * 0.3, 0, roll.between(0.3, 0.8))
        picture += (np.array(_toned(roll, tone, 0.3), np.float32) - picture) * share
    return picture


def _stacked(roll: Roll, size: int, tone: float) -> np.ndarray:
    """Draw panes: rectangles of colour that split the picture as a window's bars do."""
    x, y = grid(size)
    picture = _plain(roll, size, tone)
    for _ in range(roll.whole(2, 5)):
        axis = x if roll.happens(0.5) else y
        start = roll.unit()
        stop = start + roll.between(0.08, 0.4)
        share = np.clip((axis - start) * size, 0, 1) * np.clip((stop - axis) * size, 0, 1) * roll.between(0.4, 1.0)
        picture = picture + (np.array(_toned(roll, tone, 0.3), np.float32) - picture) * share
    return picture


def _sea(roll: Roll, size: int, tone: float) -> np.ndarray:
    """Draw waves in two blues."""
    texture = textures.pattern("waves", roll.pick((8, 14, 24)))
    zoom, turn = roll.between(0.4, 0.7), roll.around(0.0, 0.3)
    mask = textures.turned(texture, size, 0, 0, size, size, zoom, turn)
    hue, spread = roll.between(0.53, 0.64), roll.between(0.05, 0.2)
    first, second = (colour(hue, roll.between(0.5, 0.85), 1.0)[:3] for _ in range(2))
    return _two_colours(mask, _as_bright(first, tone - spread / 2), _as_bright(second, tone + spread / 2))


def _meadow(roll: Roll, size: int, tone: float) -> np.ndarray:
    """Draw blades of grass, a photo's, in two greens."""
    texture, _ = textures.photo("grass.png")
    share = roll.between(0.3, 0.8)
    view = textures.window(texture, size, roll.unit() * (1 - share), roll.unit() * (1 - share), share)
    hue, spread = roll.between(0.22, 0.36), roll.between(0.3, 0.5)
    first, second = (colour(hue, roll.between(0.5, 0.85), 1.0)[:3] for _ in range(2))
    mask = view.convert("L")
    return _two_colours(mask, _as_bright(first, tone - spread / 2), _as_bright(second, tone + spread / 2))


Family = Callable[[Roll, int, float], np.ndarray]

FAMILIES: dict[str, tuple[tuple[float, Family], ...]] = {
    "training": (
        (0.26, _noise),
        (0.14, _gradient),
        (0.16, lambda roll, size, tone: _pattern(roll, size, tone, textures.TRAINING_PATTERNS)),
        (0.26, lambda roll, size, tone: _photo(roll, size, tone, textures.TRAINING_PHOTOS)),
        (0.08, _plain),
        (0.10, _hills),
    ),
    "unseen": (
        (
            0.16,
            lambda roll, size, tone: _from_texture(roll, size, tone, textures.mosaic(roll.whole(0, 2)), 0.8),
        ),
        (
            0.14,
            lambda roll, size, tone: _from_texture(roll, size, tone, textures.marble(roll.whole(0, 1)), 0.6),
        ),
        (0.12, _bands),
        (0.18, lambda roll, size, tone: _pattern(roll, size, tone, textures.UNSEEN_PATTERNS)),
        (0.22, lambda roll, size, tone: _photo(roll, size, tone, textures.UNSEEN_PHOTOS)),
        (0.10, _lights),
        (0.08, _stacked),
    ),
    "plain": ((0.5, _plain), (0.5, _gradient)),
    "sea": ((1.0, _sea),),
    "meadow": ((1.0, _meadow),),
}
"""Per set: how often each family is drawn, and what draws it."""


def background(kind: BackgroundSet, roll: Roll, size: int, tone: float) -> np.ndarray:
    """Draw a background.

    Args:
        kind: "training"; "unseen": other families, other photos, other clutter; "plain": one colour or a slow
            gradient and nothing on it; "sea" and "meadow": blue waves and green grass, for lessons on shortcuts.
        roll: Where chance comes from.
        size: Pixels a side.
        tone: Brightness about which it varies, 0 to 1.

    Returns:
        float32 (size, size, 3), about 0 to 255, not clipped.

    Raises:
        ValueError: if there is no such set.
    """
    if kind not in FAMILIES:
        raise ValueError(f"There is no background set {kind!r}; there are {', '.join(FAMILIES)}.")
    at = roll.unit()
    families = FAMILIES[kind]
    chosen = families[-1][1]
    for weight, family in families:
        if at < weight:
            chosen = family
            break
        at -= weight
    picture = chosen(roll, size, tone)
    if kind in _CLUTTER and roll.happens(0.7):
        picture = _cluttered(picture, roll, size, tone, _CLUTTER[kind])
    return picture


def _cluttered(picture: np.ndarray, roll: Roll, size: int, tone: float, shapes: Sequence[_Clutter]) -> np.ndarray:
    """Draw one to five distracting shapes, some of them thin, over the picture."""
    samples = size * _CLUTTER_SAMPLES
    canvas = Image.new("CMYK", (samples, samples))
    drawing = ImageDraw.Draw(canvas)
    for _ in range(roll.whole(1, 5)):
        red, green, blue = _toned(roll, tone, 0.4)
        roll.pick(shapes)(drawing, roll, samples, (int(red), int(green), int(blue), 255))
    small = np.asarray(canvas.reduce(_CLUTTER_SAMPLES)).astype(np.float32)
    strength = roll.between(0.55, 1.0)
    return picture * (1 - small[..., 3:] * (strength / 255)) + small[..., :3] * strength


_Clutter = Callable[[ImageDraw.ImageDraw, Roll, int, tuple[int, int, int, int]], None]


def _polygon(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    corners = roll.whole(3, 6)
    x, y, r, turn = roll.unit() * n, roll.unit() * n, roll.between(0.06, 0.22) * n, roll.between(0, 6.3)
    flat: list[float] = []
    for k in range(corners):
        angle, far = turn + 2 * math.pi * k / corners, r * roll.between(0.6, 1.0)
        flat += (x + far * math.cos(angle), y + far * math.sin(angle))
    drawing.polygon(flat, fill=ink)


def _ellipse(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    x, y, rx, ry = roll.unit() * n, roll.unit() * n, roll.between(0.04, 0.2) * n, roll.between(0.04, 0.2) * n
    drawing.ellipse((x - rx, y - ry, x + rx, y + ry), fill=ink)


def _line(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    ends = [roll.between(-0.1, 1.1) * n for _ in range(4)]
    drawing.line(ends, fill=ink, width=max(1, round(roll.between(0.008, 0.05) * n)))


def _open_arc(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    x, y, r = roll.unit() * n, roll.unit() * n, roll.between(0.06, 0.25) * n
    start = roll.between(0, 360)
    stop = start + roll.between(60, 360)
    drawing.arc(
        (x - r, y - r, x + r, y + r),
        start,
        stop,
        fill=ink,
        width=max(1, round(roll.between(0.008, 0.04) * n)),
    )


def _cross(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    x, y, r, turn = roll.unit() * n, roll.unit() * n, roll.between(0.05, 0.14) * n, roll.between(0, 3.2)
    width = max(1, round(roll.between(0.02, 0.06) * n))
    for angle in (turn, turn + math.pi / 2):
        dx, dy = r * math.cos(angle), r * math.sin(angle)
        drawing.line((x - dx, y - dy, x + dx, y + dy), fill=ink, width=width)


def _half_disc(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    x, y, r, start = roll.unit() * n, roll.unit() * n, roll.between(0.06, 0.2) * n, roll.between(0, 360)
    drawing.chord((x - r, y - r, x + r, y + r), start, start + roll.between(150, 210), fill=ink)


def _squiggle(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    x, y, turn = roll.unit() * n, roll.unit() * n, roll.between(0, 6.3)
    length, swing, waves = roll.between(0.15, 0.4) * n, roll.between(0.02, 0.06) * n, roll.between(6, 14)
    cos, sin = math.cos(turn), math.sin(turn)
    flat: list[float] = []
    for k in range(25):
        along, across = length * (k / 24 - 0.5), swing * math.sin(waves * k / 24)
        flat += (x + along * cos - across * sin, y + along * sin + across * cos)
    drawing.line(flat, fill=ink, width=max(1, round(roll.between(0.01, 0.035) * n)))


def _corner(drawing: ImageDraw.ImageDraw, roll: Roll, n: int, ink: tuple[int, int, int, int]) -> None:
    x, y, turn = roll.unit() * n, roll.unit() * n, roll.between(0, 6.3)
    first, second = roll.between(0.08, 0.25) * n, roll.between(0.08, 0.25) * n
    flat = (
        x + first * math.cos(turn),
        y + first * math.sin(turn),
        x,
        y,
        x - second * math.sin(turn),
        y + second * math.cos(turn),
    )
    drawing.line(flat, fill=ink, width=max(1, round(roll.between(0.015, 0.05) * n)), joint="curve")


_CLUTTER: dict[str, tuple[_Clutter, ...]] = {
    "training": (_polygon, _ellipse, _line, _open_arc),
    "unseen": (_cross, _half_disc, _squiggle, _corner),
}
