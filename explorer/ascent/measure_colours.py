"""Measure how the drawn world's colours hang together: `python -m explorer.ascent.measure_colours`."""

from __future__ import annotations

import sys

import numpy as np

from explorer.pictures.drawn_world import PRETRAINING_CLASSES, draw

SEED = 20_261
PICTURES = 600


def covariance(pictures: int = PICTURES, seed: int = SEED) -> np.ndarray:
    """Return the covariance (3, 3) of red, green and blue on [0, 1] over all pixels of drawn pictures.

    Args:
        pictures: How many; with 600 the second digit stands.
        seed: Of the pictures; the classes take turns.
    """
    total, squares, count = np.zeros(3), np.zeros((3, 3)), 0
    for index in range(pictures):
        drawing = draw(seed, index, size=48, label=index % len(PRETRAINING_CLASSES))
        pixels = drawing.pixels.reshape(-1, 3) / 255.0
        total += pixels.sum(axis=0)
        squares += pixels.T @ pixels
        count += len(pixels)
    mean = total / count
    return squares / count - np.outer(mean, mean)


if __name__ == "__main__":
    np.savetxt(sys.stdout, covariance(), fmt="%.4f")
