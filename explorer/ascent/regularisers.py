"""What is held against an image, each named after what it keeps small.

Each is a mean over the image, on [0, 1], and weighed in the objective's own slope (see `render.slope_of`): a weight
of 1 takes as much from a picture whose every pixel is wrong by 1 as the objective could give it. So one weight suits
a channel of an early layer, whose values are small, and a class, whose evidence is large.
"""

from __future__ import annotations

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


def roughness(pictures: Any) -> Any:
    """Return the squared differences of neighbouring pixels (total variation, squared), (n,).

    Args:
        pictures: Tensor (n, h, w, channels) on [0, 1].
    """
    down, across = _differences(pictures)
    # Half the derivative, written out as in `variation`; as its product with the picture is the value itself, the
    # whole derivative is that of twice the product.
    half = _spread(down, across, pictures)
    value = keras.ops.sum(half * pictures, axis=(1, 2, 3))
    return 2 * value - keras.ops.stop_gradient(value)


def variation(pictures: Any) -> Any:
    """Return the absolute differences of neighbouring pixels (total variation, anisotropic), (n,).

    It wants plain areas and allows sharp edges between them, where the squared one wants everything soft (Rudin,
    Osher, Fatemi, Physica D 1992). Differences below 0.01 count as squared ones, so that there is a gradient.

    Args:
        pictures: Tensor (n, h, w, channels) on [0, 1].
    """
    # The derivative is written out, and its product with the picture is the variation itself (each difference d
    # counts d · d / √(d² + soft²)): a tenth of the work of leaving it to the backend. Slices of long rows are cheap.
    down, across = (each * keras.ops.rsqrt(keras.ops.square(each) + SOFT**2) for each in _differences(pictures))
    return keras.ops.sum(_spread(down, across, pictures) * pictures, axis=(1, 2, 3))


def _differences(pictures: Any) -> tuple[Any, Any]:
    """Return each value less the one above it, and less the one to the left, with no gradient, rows laid out flat."""
    count, height, width, channels = pictures.shape
    rows = keras.ops.reshape(keras.ops.stop_gradient(pictures), (count, height, width * channels))
    return rows[:, 1:] - rows[:, :-1], rows[:, :, channels:] - rows[:, :, :-channels]


def _spread(down: Any, across: Any, pictures: Any) -> Any:
    """Return the derivative by the pictures of Σ down · difference + Σ across · difference, both as means."""
    _, height, width, channels = pictures.shape
    down = down / (max(1, height - 1) * width * channels)
    across = across / (height * max(1, width - 1) * channels)
    slope = (
        keras.ops.pad(down, ((0, 0), (1, 0), (0, 0)))
        - keras.ops.pad(down, ((0, 0), (0, 1), (0, 0)))
        + keras.ops.pad(across, ((0, 0), (0, 0), (channels, 0)))
        - keras.ops.pad(across, ((0, 0), (0, 0), (0, channels)))
    )
    return keras.ops.reshape(slope, pictures.shape)


def distance_from_grey(pictures: Any) -> Any:
    """Return the squared distance from middle grey, (n,).

    Args:
        pictures: Tensor (n, h, w, channels) on [0, 1].
    """
    return keras.ops.mean(keras.ops.square(pictures - GREY), axis=(1, 2, 3))


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
