"""How good a grown image is: what it reaches unshaken and shaken, and how much of it is fine noise."""

from __future__ import annotations

import numpy as np

from explorer.ascent.results import Quality

SHAKES = 16
"""Fresh transforms under which an image is judged."""

HIGH = 0.25
"""Cycles for each pixel above which a wave counts as high: half of what pixels can show at most."""

NOTHING = 1e-4


def high_frequency_share(pictures: np.ndarray) -> np.ndarray:
    """Return which share of each picture's variance lies in waves shorter than four pixels.

    Args:
        pictures: (n, h, w, channels), any scale.

    Returns:
        float32 (n,), 0 to 1; 0 for a constant picture.
    """
    pictures = np.asarray(pictures, np.float64)
    spectrum = np.abs(np.fft.fft2(pictures, axes=(1, 2))) ** 2
    height, width = pictures.shape[1:3]
    lengths = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    power = spectrum.sum(axis=3)
    power[:, 0, 0] = 0
    total = power.sum(axis=(1, 2))
    high = power[:, lengths > HIGH].sum(axis=1)
    return np.where(total > 1e-9, high / np.maximum(total, 1e-9), 0.0).astype(np.float32)


def rose(start: float, clean: float) -> bool:
    """Return whether an ascent has come any higher than its start image.

    Args:
        start: The objective on the start image.
        clean: The objective on the finished one, unshaken.
    """
    if not (np.isfinite(start) and np.isfinite(clean)):
        return False
    return bool(clean - start > NOTHING * max(1e-3, abs(start)))


def qualities(
    start: np.ndarray,
    clean: np.ndarray,
    shaken: np.ndarray | None,
    pictures: np.ndarray,
    *,
    empty_start: bool = True,
) -> tuple[Quality, ...]:
    """Put the numbers beside each image together.

    Args:
        start: (n,), the objective on the start images.
        clean: (n,), on the finished ones.
        shaken: (shakes, n), on the finished ones under fresh transforms, or None.
        pictures: (n, h, w, channels), the finished images.
        empty_start: Whether there was nothing to see at the start: only such images can be called flat.
    """
    high = high_frequency_share(pictures)
    return tuple(
        Quality(
            start=float(start[i]),
            clean=float(clean[i]),
            shaken=None if shaken is None else float(shaken[:, i].mean()),
            high_frequency=float(high[i]),
            flat=empty_start and not rose(float(start[i]), float(clean[i])),
        )
        for i in range(len(start))
    )
