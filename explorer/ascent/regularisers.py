"""What is held against an image, each named after what it keeps small.

Each is a mean over the image, on [0, 1], and weighed in the objective's own slope (see `render.slope_of`): a weight
of 1 takes as much from a picture whose every pixel is wrong by 1 as the objective could give it. So one weight suits
a channel of an early layer, whose values are small, and a class, whose evidence is large.

Of those that look at pixels an ascent needs but the derivative, which is written out: half the work of computing the
values too and leaving their gradient to the backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from explorer.ascent.transforms import GREY

SOFT = 0.01

RAMP_STEPS = 32
"""Over so many steps the weights rise from 0 to their own: at full weight from the first, some images never start."""

BLUR_EVERY = 4
"""Steps from one blur to the next."""


def ramp(step: int) -> float:
    """Return the share of their weights that regularisers have at a step, counted from 0."""
    return min(1.0, (step + 1) / RAMP_STEPS)


def held_against(pictures: Any, slope: Callable[[Any], Any]) -> Any:
    """Return pictures as they are, but from whatever gradient comes back to them, a slope is taken away.

    Args:
        pictures: Tensor (n, h, w, channels) on [0, 1].
        slope: From the pictures to a tensor of their shape.
    """

    def unchanged(pictures: Any) -> tuple[Any, Callable[..., Any]]:
        against = slope(pictures)

        def back(*args: Any, upstream: Any = None) -> Any:
            return (args[0] if upstream is None else upstream) - against

        return pictures, back

    return keras.ops.custom_gradient(unchanged)(pictures)


def roughness(pictures: Any) -> Any:
    """Return the derivative of the squared differences of neighbouring pixels (total variation, squared).

    Args:
        pictures: Tensor (n, h, w, channels) on [0, 1].

    Returns:
        Tensor of the same shape.
    """
    down, across = _differences(pictures)
    return 2.0 * _spread(down, across, pictures)


def variation(pictures: Any) -> Any:
    """Return the derivative of the absolute differences of neighbouring pixels (total variation, anisotropic).

    It wants plain areas and allows sharp edges between them, where the squared one wants everything soft (Rudin,
    Osher, Fatemi, Physica D 1992). A difference d counts √(d² + 0.01²), so that there is a derivative.

    Args:
        pictures: Tensor (n, h, w, channels) on [0, 1].

    Returns:
        Tensor of the same shape.
    """
    down, across = (each * keras.ops.rsqrt(keras.ops.square(each) + SOFT**2) for each in _differences(pictures))
    return _spread(down, across, pictures)


def distance_from_grey(pictures: Any) -> Any:
    """Return the derivative of the squared distance from middle grey.

    Args:
        pictures: Tensor (n, h, w, channels) on [0, 1].

    Returns:
        Tensor of the same shape.
    """
    _, height, width, channels = pictures.shape
    return (pictures - GREY) * (2.0 / (height * width * channels))


def _differences(pictures: Any) -> tuple[Any, Any]:
    """Return each value less the one above it, and less the one to the left, rows laid out flat."""
    count, height, width, channels = pictures.shape
    rows = keras.ops.reshape(pictures, (count, height, width * channels))
    return rows[:, 1:] - rows[:, :-1], rows[:, :, channels:] - rows[:, :, :-channels]


def _spread(down: Any, across: Any, pictures: Any) -> Any:
    """Return the derivative by the pictures of Σ down · difference + Σ across · difference, both as means."""
    _, height, width, channels = pictures.shape
    below = keras.ops.pad(down, ((0, 0), (1, 0), (0, 0))) - keras.ops.pad(down, ((0, 0), (0, 1), (0, 0)))
    beside = keras.ops.pad(across, ((0, 0), (0, 0), (channels, 0))) - keras.ops.pad(
        across, ((0, 0), (0, 0), (0, channels))
    )
    pairs_below, pairs_beside = max(1, height - 1) * width * channels, height * max(1, width - 1) * channels
    if pairs_below != pairs_beside:
        beside = beside * (pairs_below / pairs_beside)
    return keras.ops.reshape((below + beside) / pairs_below, pictures.shape)


def likeness(maps: Any, copies: int) -> Any:
    """Return how alike the copies of each target are, from -1 to 1, (n / copies,).

    The mean cosine between the copies' Gram matrices, as in "Feature Visualization" (Distill 2017, diversity):
    which features occur together, wherever they are.

    Args:
        maps: Tensor (n, h, w, channels) of a layer; the copies of a target lie together.
        copies: At least 2.
    """
    count, height, width, channels = maps.shape
    flat = keras.ops.reshape(maps, (count, height * width, channels))
    gram = keras.ops.reshape(keras.ops.matmul(keras.ops.transpose(flat, (0, 2, 1)), flat), (-1, copies, channels**2))
    gram = gram / (keras.ops.sqrt(keras.ops.sum(keras.ops.square(gram), axis=2, keepdims=True)) + 1e-12)
    cosines = keras.ops.matmul(gram, keras.ops.transpose(gram, (0, 2, 1)))
    return (keras.ops.sum(cosines, axis=(1, 2)) - copies) / (copies * (copies - 1))
