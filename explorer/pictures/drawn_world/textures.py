"""Large textures, made once, from which pictures take windows: noise, patterns, photos.

A texture is 512 pixels a side and kept at 256 and 128 too, so that a window is read at about the fineness
at which it is shown: at 96 pixels that is fast, at 384 it shows more detail of the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib.resources import files

import numpy as np
from PIL import Image

from explorer.pictures.drawn_world.chance import Roll

SIDE = 512

Texture = tuple[Image.Image, Image.Image, Image.Image]
"""The same picture at 512, 256 and 128 pixels a side."""

TRAINING_PHOTOS = ("coffee.png", "camera.png", "brick.png", "grass.png", "moon.png", "ihc.png")
"""Photos of scikit-image that stand behind training pictures; none shows a thing of the drawn world."""

UNSEEN_PHOTOS = ("astronaut.png", "gravel.png", "coins.png", "page.png", "microaneurysms.png")
"""Photos of scikit-image that stand behind unseen pictures only."""

TRAINING_PATTERNS = ("stripes", "dots", "checks", "waves")
UNSEEN_PATTERNS = ("zigzag", "plaid", "rings", "triangles", "bricks")


def _finenesses(master: Image.Image) -> Texture:
    return master, master.reduce(2), master.reduce(4)


def _pick(texture: Texture, share: float, size: int) -> Image.Image:
    """Return the coarsest version that still has about as many pixels as are shown."""
    for image in (texture[2], texture[1]):
        if share * image.width >= 0.75 * size:
            return image
    return texture[0]


def window(texture: Texture, size: int, left: float, top: float, share: float, detail: int = 0) -> Image.Image:
    """Return a square window of a texture.

    Args:
        texture: The texture.
        size: Pixels a side of what is returned.
        left: Place of the window, 0 to 1 - share.
        top: The same, downwards.
        share: Side of the window as a share of the texture's side.
        detail: If positive, the window is blurred to this many cells a side.
    """
    image = _pick(texture, share, min(detail, size) if detail else size)
    n = image.width
    crop = (left * n, top * n, (left + share) * n, (top + share) * n)
    if detail:
        return image.resize((detail, detail), Image.Resampling.BILINEAR, box=crop).resize(
            (size, size), Image.Resampling.BICUBIC
        )
    return image.resize((size, size), Image.Resampling.BILINEAR, box=crop)


def turned(
    texture: Texture, size: int, left: int, top: int, width: int, height: int, zoom: float, turn: float
) -> Image.Image:
    """Return a turned and scaled view of a texture for a part of a picture.

    Args:
        texture: The texture; its middle lies in the middle of the picture.
        size: Pixels a side of the whole picture.
        left: Where the wanted part of the picture begins, in pixels.
        top: The same, downwards.
        width: How wide that part is, in pixels.
        height: How tall it is.
        zoom: Texture sides per picture side, at most 0.7 if nothing outside the texture is to be seen.
        turn: Angle in radians.
    """
    image = _pick(texture, zoom, size)
    n = image.width
    a, b = zoom * n / size * math.cos(turn), -zoom * n / size * math.sin(turn)
    x, y = left - size / 2, top - size / 2
    return image.transform(
        (width, height),
        Image.Transform.AFFINE,
        (a, b, n / 2 + a * x + b * y, -b, a, n / 2 - b * x + a * y),
        Image.Resampling.BILINEAR,
    )


def _grid() -> tuple[np.ndarray, np.ndarray]:
    line = (np.arange(SIDE) + 0.5) / SIDE
    return line[None, :], line[:, None]


def _edge(values: np.ndarray, softness: float) -> np.ndarray:
    """Return 0 to 255: black below zero, white above, a ramp of this half width between."""
    return (np.clip(values / softness, -1, 1) + 1) * 127.5


def _to_image(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8))


_PATTERNS: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "stripes": lambda x, y, n: _edge(np.sin(2 * math.pi * n * x) + 0 * y, n * 4 * math.pi / SIDE),
    "waves": lambda x, y, n: _edge(
        np.sin(2 * math.pi * (n * y + 0.55 * np.sin(2 * math.pi * n * x / 1.6))), n * 5 * math.pi / SIDE
    ),
    "dots": lambda x, y, n: _edge(
        0.34 - np.hypot((n * x + 0.5 * (np.floor(n * y) % 2)) % 1 - 0.5, (n * y) % 1 - 0.5), n * 1.2 / SIDE
    ),
    "checks": lambda x, y, n: _edge(np.sin(math.pi * n * x) * np.sin(math.pi * n * y), n * 2 * math.pi / SIDE),
    "zigzag": lambda x, y, n: _edge(
        np.sin(2 * math.pi * (n * y + 1.1 * np.abs((n * x / 1.5) % 1 - 0.5))), n * 6 * math.pi / SIDE
    ),
    "plaid": lambda x, y, n: (
        _edge(np.sin(2 * math.pi * n * x), 0.3) * 0.4
        + _edge(np.sin(2 * math.pi * n * y), 0.3) * 0.4
        + _edge(np.sin(6 * math.pi * n * x) - 0.8, 0.3) * 0.2
    ),
    "rings": lambda x, y, n: _edge(
        np.sin(2 * math.pi * n * 1.2 * np.hypot(x - 0.38, y - 0.42)), n * 4 * math.pi / SIDE
    ),
    "triangles": lambda x, y, n: (
        _edge((n * x + 0.5 * np.floor(n * y)) % 1 - (np.abs((n * y) % 1) * 0.5 + 0.25), n * 1.5 / SIDE)
        * (0.6 + 0.4 * (np.floor(n * y) % 2))
    ),
    "bricks": lambda x, y, n: _edge(
        np.minimum(
            0.44 - np.abs((0.5 * n * x + 0.5 * (np.floor(n * y) % 2)) % 1 - 0.5),
            0.4 - np.abs((n * y) % 1 - 0.5),
        ),
        n * 1.2 / SIDE,
    ),
}


@cache
def pattern(name: str, periods: int) -> Texture:
    """Return a pattern as a grey texture, 0 for its first colour and 255 for its second."""
    return _finenesses(_to_image(_PATTERNS[name](*_grid(), periods)))


@cache
def noise(slope: float, number: int, channels: int = 3) -> Texture:
    """Return noise whose amplitude falls with frequency as 1/f^slope, mean 128 and standard deviation 50."""
    roll = Roll(9, number, int(slope * 100))
    frequencies = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]) * SIDE
    frequencies[0, 0] = 1.0
    envelope = frequencies**-slope
    envelope[0, 0] = 0.0
    planes = []
    for _ in range(channels):
        phases = np.exp(2j * math.pi * roll.units(envelope.size).reshape(envelope.shape))
        plane = np.fft.irfft2(envelope * phases, s=(SIDE, SIDE))
        planes.append(128 + 50 * plane / plane.std())
    stacked = np.stack(planes, axis=-1)
    return _finenesses(_to_image(stacked if channels > 1 else stacked[..., 0]))


@cache
def grain() -> Texture:
    """Return the noise of a camera: grains of about a hundredth of the picture, mean 128."""
    cells = 128 + 50 * math.sqrt(12) * (Roll(11).units(192 * 192 * 3).reshape(192, 192, 3) - 0.5)
    fine = _to_image(cells).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return fine, fine.reduce(2), _to_image(cells).resize((128, 128), Image.Resampling.BICUBIC)


@cache
def mosaic(number: int) -> Texture:
    """Return a plane of flat cells around random points (Voronoi), each of its own colour."""
    roll = Roll(13, number)
    cells = (150, 320, 600)[number % 3]
    places = roll.units(2 * cells).reshape(cells, 2) * SIDE
    colours = 128 + 150 * (roll.units(3 * cells).reshape(cells, 3) - 0.5)
    line = np.arange(SIDE)
    nearest = np.full((SIDE, SIDE), np.inf)
    owner = np.zeros((SIDE, SIDE), dtype=int)
    for k, (x, y) in enumerate(places.tolist()):
        distance = np.abs(line[None, :] - x) ** 2 + np.abs(line[:, None] - y) ** 2
        closer = distance < nearest
        nearest[closer] = distance[closer]
        owner[closer] = k
    return _finenesses(_to_image(colours[owner]))


@cache
def marble(number: int) -> Texture:
    """Return veins: sine waves bent by smooth noise, with its own phase in every colour."""
    x, y = _grid()
    bend = np.asarray(noise(1.8, 40 + number)[0]).astype(float)
    bands = 5 + 2 * number
    phases = (0.0, 0.5, 1.1)
    planes = [
        128 + 75 * np.sin(2 * math.pi * bands * (x + 0.6 * y) + bend[..., 0] / 14 + bend[..., 1] / 25 + phase)
        for phase in phases
    ]
    return _finenesses(_to_image(np.stack(planes, axis=-1)))


@cache
def photo(name: str) -> tuple[Texture, tuple[float, float, float]]:
    """Return the middle square of a photo that comes with scikit-image, and its mean colour."""
    with files("skimage").joinpath("data", name).open("rb") as stream, Image.open(stream) as opened:
        image = opened.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    mean = np.asarray(square).reshape(-1, 3).mean(axis=0).tolist()
    return _finenesses(square), (mean[0], mean[1], mean[2])
