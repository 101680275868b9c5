"""The numbers of well-known examples: lectures, textbooks, papers."""

from __future__ import annotations

import numpy as np


def grid(text: str) -> np.ndarray:
    """Return a float64 grid `(h, w)` typed as "1 2 3 / 4 5 6"."""
    return np.array([[float(number) for number in row.split()] for row in text.split("/")])


LECTURE_INPUT = grid(
    "255 220 150 200 110 100 / 240 50 35 45 200 130 / 0 20 245 250 230 120 / "
    "170 180 235 145 170 255 / 190 185 170 165 130 120 / 255 255 245 190 200 170"
)
LECTURE_KERNEL = grid("-.7 .2 .1 / .3 .5 .4 / -.2 -.4 .2")

EDGE_INPUT = np.tile(grid("10 10 10 0 0 0"), (6, 1))
VERTICAL_EDGE = grid("1 0 -1 / 1 0 -1 / 1 0 -1")

CURVE = grid(
    "0 0 0 0 0 30 0 / 0 0 0 0 30 0 0 / 0 0 0 30 0 0 0 / 0 0 0 30 0 0 0 / "
    "0 0 0 30 0 0 0 / 0 0 0 30 0 0 0 / 0 0 0 0 0 0 0"
)
CURVE_MATCH = grid(
    "0 0 0 0 0 0 30 / 0 0 0 0 50 50 50 / 0 0 0 20 50 0 0 / 0 0 0 50 50 0 0 / "
    "0 0 0 50 50 0 0 / 0 0 0 50 50 0 0 / 0 0 0 50 50 0 0"
)
CURVE_NO_MATCH = grid(
    "0 0 0 0 0 0 0 / 0 40 0 0 0 0 0 / 40 0 40 0 0 0 0 / 40 20 0 0 0 0 0 / "
    "0 50 0 0 0 0 0 / 0 0 50 0 0 0 0 / 25 25 0 50 0 0 0"
)

STRIDE_INPUT = grid(
    "2 3 7 4 6 2 9 / 6 6 9 8 7 4 3 / 3 4 8 3 8 9 7 / 7 8 3 6 6 3 4 / 4 2 1 8 3 4 6 / 3 2 4 1 9 8 3 / 0 1 3 9 2 1 4"
)
STRIDE_KERNEL = grid("3 4 4 / 1 0 2 / -1 0 3")

POOL_INPUT = grid("1 3 2 1 / 2 9 1 1 / 1 3 2 3 / 5 6 1 2")

# A cross of 5 and, in the corner, a bright square without any shape: the square has the larger dot product.
SEARCH_INPUT = grid(
    "0 0 0 0 0 0 0 0 / 0 0 5 0 0 0 0 0 / 0 5 5 5 0 0 0 0 / 0 0 5 0 0 0 0 0 / "
    "0 0 0 0 0 9 9 9 / 0 0 0 0 0 9 9 9 / 0 0 0 0 0 9 9 9 / 0 0 0 0 0 0 0 0"
)
CROSS = grid("0 1 0 / 1 1 1 / 0 1 0")

# A single one shows what a kernel looks like when it is stamped: turned round by correlation, upright by convolution.
IMPULSE = grid("0 0 0 0 0 / 0 0 0 0 0 / 0 0 1 0 0 / 0 0 0 0 0 / 0 0 0 0 0")
COUNTING_KERNEL = grid("1 2 3 / 4 5 6 / 7 8 9")

L2_INPUT = grid("3 4 6 0 / 0 0 8 0 / 1 1 2 4 / 1 1 4 8")

# Spots on even rows and columns: one step to the right or down leaves each in its 2×2 window.
SHIFT_INPUT = grid(
    "0 0 0 0 0 0 0 0 / 0 0 0 0 0 0 0 0 / 0 0 2 0 0 0 0 0 / 0 0 0 0 0 0 0 0 / "
    "0 0 0 0 3 0 0 0 / 0 0 0 0 0 0 0 0 / 0 0 1 0 0 0 0 0 / 0 0 0 0 0 0 0 0"
)
SPOT = grid("0 -1 0 / -1 4 -1 / 0 -1 0")

# A stroke that leans to the left in one channel after the other, as four filters for four angles would see it.
STROKES = np.stack(
    [
        grid("0 1 0 0 / 0 1 0 0 / 0 2 0 0 / 0 1 0 0"),
        grid("0 0 8 0 / 0 9 0 0 / 0 9 0 0 / 8 0 0 0"),
        grid("0 0 0 3 / 0 0 4 0 / 0 4 0 0 / 3 0 0 0"),
        grid("0 0 0 0 / 0 0 0 1 / 1 1 1 0 / 0 0 0 0"),
    ],
    axis=-1,
)


def default_picture(height: int, width: int) -> np.ndarray:
    """Return a bright disc on dark ground, numbers 0 to 9, `(height, width)`."""
    rows = (np.arange(height)[:, None] + 0.5) / height - 0.5
    columns = (np.arange(width)[None, :] + 0.5) / width - 0.5
    return np.clip(np.round(9 * (1.25 - 3.2 * np.hypot(rows, columns))), 0, 9)


def default_kernel(height: int, width: int) -> np.ndarray:
    """Return a kernel that answers to vertical edges: 1 on the left, 0 in the middle, −1 on the right."""
    columns = np.arange(width) - (width - 1) / 2
    return np.tile(-np.sign(columns) if width > 1 else np.ones(1), (height, 1))


def default_planes(size: tuple[int, int], planes: int) -> np.ndarray:
    """Return a picture of several channels, each with the disc in another place, numbers 0 to 9, `(h, w, planes)`."""
    picture = default_picture(*size)
    moves = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1))
    return np.stack([np.roll(picture, moves[plane % 6], axis=(0, 1)) for plane in range(planes)], axis=-1)


def default_kernels(height: int, width: int, channels: int, filters: int) -> np.ndarray:
    """Return kernels of −1, 0 and 1 that differ from filter to filter, `(height, width, channels, filters)`."""
    rows = np.sign(np.arange(height) - (height - 1) / 2)[:, None] * np.ones(width)
    columns = np.ones((height, 1)) * np.sign(np.arange(width) - (width - 1) / 2)
    centre = np.zeros((height, width))
    centre[height // 2, width // 2] = 1
    # In a single cell there is no direction: whole numbers then tell channels and filters apart.
    single = height * width == 1
    patterns = [-columns, -rows, centre, np.sign(rows + columns), -np.sign(rows + columns), rows * columns]
    kernels = np.zeros((height, width, channels, filters))
    for channel in range(channels):
        for number in range(filters):
            if single:
                kernels[..., channel, number] = (1, 0, 2, -1, 1, -2)[(channel + 4 * number) % 6]
            else:
                kernels[..., channel, number] = patterns[(channel + 3 * number) % 6]
    return kernels
