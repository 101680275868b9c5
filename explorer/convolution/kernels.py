"""Kernels that people know from pictures: edges, blurs, Sobel, emboss, Gabor."""

from __future__ import annotations

import numpy as np

from explorer.convolution.presets import grid

IDENTITY = grid("0 0 0 / 0 1 0 / 0 0 0")
EDGE_1 = grid("-1 -1 -1 / -1 8 -1 / -1 -1 -1")
EDGE_2 = grid("0 1 0 / 1 -4 1 / 0 1 0")
SHARPEN = grid("0 -1 0 / -1 5 -1 / 0 -1 0")
EMBOSS = grid("-2 -1 0 / -1 1 1 / 0 1 2")
SOBEL_X = grid("-1 0 1 / -2 0 2 / -1 0 1")
SOBEL_Y = grid("-1 -2 -1 / 0 0 0 / 1 2 1")
DIFFERENCE = grid("-1 1")
LAPLACIAN = grid("1 1 1 / 1 -8 1 / 1 1 1")


def identity(size: tuple[int, int]) -> np.ndarray:
    """Return a kernel `(h, w)` that changes nothing: 1 in the middle."""
    kernel = np.zeros(size)
    kernel[size[0] // 2, size[1] // 2] = 1
    return kernel


def box(size: tuple[int, int]) -> np.ndarray:
    """Return a kernel `(h, w)` that averages: every weight is 1 / (h · w)."""
    return np.full(size, 1 / (size[0] * size[1]))


def _offsets(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each weight is below and to the right of the middle, in cells."""
    rows, columns = np.indices(size, dtype=np.float64)
    return rows - (size[0] - 1) / 2, columns - (size[1] - 1) / 2


def gaussian(size: tuple[int, int], sigma: float) -> np.ndarray:
    """Return a Gaussian bell `(h, w)` of standard deviation `sigma` cells; its weights add up to 1."""
    y, x = _offsets(size)
    bell = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    return bell / bell.sum()


def gabor(
    size: tuple[int, int], *, wavelength: float, angle: float, sigma: float, phase: float = 0.0, aspect: float = 1.0
) -> np.ndarray:
    """Return a Gabor kernel `(h, w)`: a wave under a Gaussian bell.

    exp(−(x′² + γ²y′²) / 2σ²) · cos(2πx′/λ + ψ) with x′ = x cos θ + y sin θ, y′ = −x sin θ + y cos θ
    (J. G. Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation", 1985; in the
    notation of N. Petkov, 1995). Rows count downwards, so the angle turns clockwise on the screen.

    Args:
        size: rows and columns.
        wavelength: λ in cells.
        angle: θ in degrees; 0 for a wave that runs to the right, and so for upright edges.
        sigma: σ, the bell's standard deviation along the wave, in cells.
        phase: ψ in degrees: 0 for a bright or dark line, 90 for an edge.
        aspect: γ; below 1 the bell is longer across the wave.
    """
    y, x = _offsets(size)
    theta = np.deg2rad(angle)
    along, across = x * np.cos(theta) + y * np.sin(theta), -x * np.sin(theta) + y * np.cos(theta)
    bell = np.exp(-(along**2 + (aspect * across) ** 2) / (2 * sigma**2))
    return bell * np.cos(2 * np.pi * along / wavelength + np.deg2rad(phase))


def is_signed(kernel: np.ndarray) -> bool:
    """Return whether results swing around 0 (edges) rather than being brightness again (blurs, sharpening).

    On an even area a kernel gives the brightness times the sum of its weights. Where that sum is small beside the
    weights themselves, or negative, the result is no picture but a measure of change.
    """
    return bool(kernel.sum() < 0.1 * np.abs(kernel).sum() or not kernel.any())
