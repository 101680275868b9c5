"""A picture's convolution by the fast Fourier transform, beside the direct one: equal results, another price."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft

from explorer.convolution.geometry import span
from explorer.convolution.operations import conv2d
from explorer.convolution.padding import padding_amounts

Pair = tuple[int, int]

_REPEATED_BELOW = 0.012
"""Seconds; what takes longer is timed once, so that nobody waits for a time."""


@dataclass(frozen=True)
class Comparison:
    """The same layer computed in two ways.

    Attributes:
        direct: `(oh, ow, c)`.
        direct_seconds: what it took.
        fft_seconds: what it took by the Fourier transform.
        largest_difference: the largest absolute difference between the two.
    """

    direct: np.ndarray
    direct_seconds: float
    fft_seconds: float
    largest_difference: float


def direct(
    x: np.ndarray, kernel: np.ndarray, *, strides: Pair = (1, 1), padding: str = "valid", dilation_rate: Pair = (1, 1)
) -> np.ndarray:
    """Return every channel of a picture under one kernel, window by window: `(oh, ow, c)`.

    Args:
        x: `(h, w, c)`.
        kernel: `(kh, kw)`, applied to each channel.
        strides: rows and columns.
        padding: "valid" or "same".
        dilation_rate: rows and columns.
    """
    weights = kernel[..., None, None].astype(x.dtype)
    # Channel by channel is twice as fast as one grouped convolution: each plane lies in one piece.
    planes = [
        conv2d(
            np.ascontiguousarray(x[..., channel : channel + 1]),
            weights,
            strides=strides,
            padding=padding,
            dilation_rate=dilation_rate,
        )
        for channel in range(x.shape[2])
    ]
    return np.concatenate(planes, axis=2)


def by_fft(
    x: np.ndarray, kernel: np.ndarray, *, strides: Pair = (1, 1), padding: str = "valid", dilation_rate: Pair = (1, 1)
) -> np.ndarray:
    """Return the same as `direct`, by the convolution theorem: a product of spectra.

    The whole picture is transformed, whatever the size of the kernel; with a stride all positions are computed and
    most are left out.
    """
    size = x.shape[:2]
    spans = [span(k, d) for k, d in zip(kernel.shape, dilation_rate, strict=True)]
    dilated = np.zeros(spans, dtype=x.dtype)
    dilated[:: dilation_rate[0], :: dilation_rate[1]] = kernel
    pads = [
        padding_amounts(padding, n, k, s, d)
        for n, k, s, d in zip(size, kernel.shape, strides, dilation_rate, strict=True)
    ]
    # Room for the full convolution, or its end would wrap round to its start.
    shape = [fft.next_fast_len(n + extent - 1, real=True) for n, extent in zip(size, spans, strict=True)]
    # A layer correlates: the kernel is turned by 180° before the theorem applies.
    spectrum = fft.rfft2(dilated[::-1, ::-1], shape)
    planes = np.ascontiguousarray(np.moveaxis(x, 2, 0))
    full = fft.irfft2(fft.rfft2(planes, shape) * spectrum, shape)
    rows, columns = (
        slice(extent - 1 - before, n + after, step)
        for n, extent, (before, after), step in zip(size, spans, pads, strides, strict=True)
    )
    return np.moveaxis(full[:, rows, columns], 0, 2)


def _timed(work: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return what the work makes of x and its shortest time of up to three, as long as that is no wait."""
    fastest = np.inf
    for _ in range(3):
        start = time.perf_counter()
        result = work(x)
        fastest = min(fastest, time.perf_counter() - start)
        if fastest > _REPEATED_BELOW:
            break
    return result, fastest


def compare(
    x: np.ndarray, kernel: np.ndarray, *, strides: Pair = (1, 1), padding: str = "valid", dilation_rate: Pair = (1, 1)
) -> Comparison:
    """Compute a picture both ways and say how long each took and how far they are apart."""
    settings: dict = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
    # The first call of all pays for what later ones find ready; a corner of the picture is enough for that.
    spans = [span(k, d) for k, d in zip(kernel.shape, dilation_rate, strict=True)]
    corner = x[: spans[0] + 8, : spans[1] + 8]
    direct(corner, kernel, **settings), by_fft(corner, kernel, **settings)
    first, direct_seconds = _timed(lambda picture: direct(picture, kernel, **settings), x)
    second, fft_seconds = _timed(lambda picture: by_fft(picture, kernel, **settings), x)
    return Comparison(first, direct_seconds, fft_seconds, float(np.abs(first - second).max(initial=0)))
