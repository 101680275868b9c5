"""How an image is shaken before every step: shifted, scaled and turned a little, with what lies outside filled in.

An image that only works unshaken is noise that the network happens to like; one that works under all small
movements has to show something (Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017, "the enemy
of feature visualization"). All of a step's movements are one resampling, the same for all images of the batch,
so that an image does not depend on its company.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from explorer.ascent.results import Transforms
from explorer.networks.gradients import sum_of_sorted

REFERENCE_SIDE = 96
"""Pixels are counted for an image of this (longer) side, so that a plan means the same at every size."""

GREY = 0.5


class Movement(NamedTuple):
    """One shake.

    Attributes:
        turn: In radians, counter-clockwise.
        scale: Above 1 the image gets larger.
        shift: (rows, columns) in pixels.
        zoom: How much more than the image's side is seen, because grey lies around it; 1 for nothing.
        grey: Whether grey lies outside; otherwise the edge is repeated.
    """

    turn: float
    scale: float
    shift: tuple[float, float]
    zoom: float
    grey: bool


class Sampling(NamedTuple):
    """A resampling of h·w pixels from h·w pixels: each is a weighted sum of four, and of grey.

    Attributes:
        places: int32 (4, h·w).
        weights: float32 (4, h·w).
        grey: float32 (h·w,), the share of grey.
        order: int32 (4 · h·w,), the numbers of the places, counted row by row, in ascending order of the place.
    """

    places: np.ndarray
    weights: np.ndarray
    grey: np.ndarray
    order: np.ndarray


def is_still(transforms: Transforms) -> bool:
    """Return whether these transforms leave the image as it is."""
    return not (transforms.jitter or transforms.scale or transforms.rotate or transforms.pad)


def movement(transforms: Transforms, side: int, random: np.random.Generator) -> Movement:
    """Draw one shake, each part uniformly between its limits.

    As in lucid's list of transforms (pad, jitter, scale, rotate), the jitter cuts its largest shift off the padded
    image, so that a padding wider than it shows a grey frame always.

    Args:
        transforms: The limits.
        side: Longer side of the image in pixels.
        random: Drawn from four times, whatever the limits.
    """
    drawn = random.uniform(-1, 1, size=4)
    unit = side / REFERENCE_SIDE
    frame = max(0.0, transforms.pad - transforms.jitter) * unit
    jitter = transforms.jitter * unit
    return Movement(
        turn=float(np.deg2rad(transforms.rotate) * drawn[0]),
        scale=float(1 + transforms.scale * drawn[1]),
        shift=(float(jitter * drawn[2]), float(jitter * drawn[3])),
        zoom=(side + 2 * frame) / side,
        grey=transforms.pad > 0,
    )


def sampling(moved: Movement, height: int, width: int) -> Sampling:
    """Return the bilinear resampling that a shake is, for images of one size.

    Args:
        moved: The shake; turned and scaled about the centre.
        height: Of image and result, in pixels.
        width: Likewise.
    """
    rows = np.arange(height, dtype=np.float32)[:, None] - np.float32((height - 1) / 2)
    columns = np.arange(width, dtype=np.float32)[None, :] - np.float32((width - 1) / 2)
    factor = moved.zoom / moved.scale
    cosine, sine = np.float32(factor * np.cos(moved.turn)), np.float32(factor * np.sin(moved.turn))
    row = cosine * rows - sine * columns + np.float32((height - 1) / 2 - moved.shift[0])
    column = sine * rows + cosine * columns + np.float32((width - 1) / 2 - moved.shift[1])
    if not moved.grey:
        row, column = row.clip(0, height - 1), column.clip(0, width - 1)
    top, left = np.floor(row), np.floor(column)
    down, right = row - top, column - left
    places, weights = [], []
    for step_down, share_down in ((0, 1 - down), (1, down)):
        for step_right, share_right in ((0, 1 - right), (1, right)):
            y, x = top.astype(np.int32) + step_down, left.astype(np.int32) + step_right
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            places.append((y.clip(0, height - 1) * width + x.clip(0, width - 1)).ravel())
            weights.append((share_down * share_right * inside).ravel())
    shares = np.stack(weights).astype(np.float32)
    grey = 1 - shares.sum(axis=0) if moved.grey else np.zeros(height * width)
    # NumPy sorts numbers of 16 bits by counting, in half the time.
    narrow = np.stack(places).astype(np.uint16 if height * width <= 2**16 else np.int32)
    order = np.argsort(narrow.ravel(), kind="stable")
    return Sampling(narrow.astype(np.int32), shares, grey.astype(np.float32), order.astype(np.int32))


def shaken(pictures: Any, places: Any, weights: Any, grey: Any, order: Any) -> Any:
    """Resample a batch of pictures.

    Whole rows of all pictures' values at one pixel are gathered, which CPUs do fast. The gradient is written out,
    because it is the same thing backwards: what a pixel was used for is gathered and added up in one go, which is
    several times faster than adding to pixels here and there. (That of TensorFlow's own projective transform is only
    approximate.)

    Args:
        pictures: Tensor (n, h, w, channels).
        places: See `Sampling`, as tensors.
        weights: Likewise.
        grey: Likewise.
        order: Likewise.

    Returns:
        Tensor of the same shape.
    """
    count, height, width, channels = pictures.shape
    pixels = height * width

    def resampled(rows: Any) -> tuple[Any, Callable[..., Any]]:
        moved = keras.ops.expand_dims(grey * GREY, 1)
        for corner in range(4):
            moved = moved + keras.ops.take(rows, places[corner], axis=0) * keras.ops.expand_dims(weights[corner], 1)

        def back(*args: Any, upstream: Any = None) -> Any:
            slope = args[0] if upstream is None else upstream
            used_for = keras.ops.take(slope, order % pixels, axis=0)
            shares = keras.ops.take(keras.ops.reshape(weights, (-1,)), order)
            whose = keras.ops.take(keras.ops.reshape(places, (-1,)), order)
            return sum_of_sorted(used_for * keras.ops.expand_dims(shares, 1), whose, pixels)

        return moved, back

    rows = keras.ops.reshape(keras.ops.transpose(pictures, (1, 2, 0, 3)), (pixels, count * channels))
    moved = keras.ops.custom_gradient(resampled)(rows)
    return keras.ops.transpose(keras.ops.reshape(moved, (height, width, count, channels)), (2, 0, 1, 3))
