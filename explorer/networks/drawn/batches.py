"""Batches of a training run: which pictures come when, and how they are shaken."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

SHIFT = 8
_GREY = np.full((3, 3), 1 / 3)


def batch_indices(seed: int, step: int, pictures: int, batch: int) -> np.ndarray:
    """Return which pictures make the batch of one step: all in an epoch, each epoch in its own order."""
    per_epoch = pictures // batch
    epoch, position = divmod(step, per_epoch)
    order = np.random.default_rng((seed, 1, epoch)).permutation(pictures)
    return order[position * batch : (position + 1) * batch]


def augment(pixels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Flip, shift, change contrast, brightness, saturation and colour balance, each picture in its own way.

    Args:
        pixels: uint8 `(n, h, w, 3)`.
        generator: source of chance.

    Returns:
        float32 `(n, h, w, 3)` in [0, 1]; what a shift uncovers repeats the border.
    """
    count, height, width, _ = pixels.shape
    padded = np.pad(pixels, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    offsets = generator.integers(0, 2 * SHIFT + 1, (count, 2))
    flips = generator.random((count,))
    moved = np.empty_like(pixels)
    for i, (top, left) in enumerate(offsets.tolist()):
        picture = padded[i, top : top + height, left : left + width]
        moved[i] = picture[:, ::-1] if flips[i] < 0.5 else picture
    matrices, shifts = _colour_changes(count, generator)
    values = moved.reshape(count, height * width, 3).astype(np.float32) / 255
    values = values @ matrices + shifts
    return np.clip(values, 0, 1, out=values).reshape(count, height, width, 3)


def _colour_changes(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    contrast = generator.uniform(0.65, 1.35, (count, 1, 1))
    brightness = generator.uniform(-0.12, 0.12, (count, 1, 1))
    saturation = generator.uniform(0.5, 1.4, (count, 1, 1))
    gains = generator.uniform(0.8, 1.2, (count, 1, 3))
    colour = saturation * np.eye(3) + (1 - saturation) * _GREY
    matrices = contrast * colour * gains
    # Contrast turns around middle grey, which stays where it is but for the balance.
    shifts = 0.5 * gains * (1 - contrast) + brightness
    return matrices.astype(np.float32), shifts.astype(np.float32)


def batches(
    pixels: np.ndarray, labels: np.ndarray, *, seed: int, batch: int, first: int, last: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the batches of steps first … last − 1, each prepared in a thread while the one before is in use.

    Yields:
        Pictures float32 `(batch, h, w, 3)` in [0, 1] and labels `(batch,)`.
    """

    def prepare(step: int) -> tuple[np.ndarray, np.ndarray]:
        indices = batch_indices(seed, step, len(labels), batch)
        return augment(pixels[indices], np.random.default_rng((seed, 2, step))), labels[indices]

    with ThreadPoolExecutor(1) as ahead:
        future = ahead.submit(prepare, first) if first < last else None
        for step in range(first, last):
            assert future is not None
            ready = future.result()
            future = ahead.submit(prepare, step + 1) if step + 1 < last else None
            yield ready
