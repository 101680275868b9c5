"""What an image is made of: numbers that ascent may change, and the way from them to a picture on [0, 1].

The same steps of the same optimiser give very different images in different parameterisations of one picture
(Mordvintsev, Pezzotti, Schubert, Olah, "Differentiable Image Parameterizations", Distill 2018): pixels let
neighbours disagree, so noise wins; a Fourier image gives every wavelength a step of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import keras
import numpy as np

from explorer.ascent.colours import colour_matrix
from explorer.ascent.results import Colours, Plan

NOISE = 0.01
"""Standard deviation of the numbers that a start from noise draws (as in lucid)."""

_SOFTENED = 4.0
_DARKEST = 0.01  # a sigmoid never reaches 0, and hardly moves where it comes near


class Image(Protocol):
    """A parameterisation of pictures of one size."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of a picture."""

    def noise(self, random: np.random.Generator) -> np.ndarray:
        """Return the parameters of one image of noise."""

    def grey(self) -> np.ndarray:
        """Return the parameters of one grey image."""

    def parameters(self, picture: np.ndarray) -> np.ndarray:
        """Return the parameters of one picture, float (h, w, channels) on [0, 1]."""

    def pictures(self, parameters: Any) -> Any:
        """Return the pictures (n, h, w, channels) on [0, 1] that a batch of parameters stands for, as a tensor."""

    def blurred(self, parameters: Any, deviation: Any) -> Any:
        """Return parameters of images blurred, before the sigmoid, by a Gaussian of this deviation in pixels."""


def frequencies(height: int, width: int) -> np.ndarray:
    """Return the length of each frequency of a real image's half spectrum, in cycles for each pixel.

    Returns:
        float64 (height, width // 2 + 1), from 0 to √½.
    """
    return np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])


@lru_cache(maxsize=32)
def spectrum_scale(height: int, width: int, exponent: float) -> np.ndarray:
    """Return √(w·h) / max(f, 1 / max(w, h))^d, by which a Fourier image's numbers are multiplied.

    Natural pictures have amplitudes that fall like 1/f; with this scale a step of one length changes all
    wavelengths as pictures do. The root makes one learning rate fit all sizes.

    Args:
        height: In pixels.
        width: In pixels.
        exponent: d.
    """
    lengths = np.maximum(frequencies(height, width), 1.0 / max(height, width))
    return (np.sqrt(width * height) / lengths**exponent).astype(np.float32)


@dataclass(frozen=True)
class Coloured:
    """The way from decorrelated, unbounded values to colours on [0, 1]: a matrix, then a sigmoid.

    Attributes:
        shape: (height, width, channels) of a picture.
        colours: Whose colour correlations are taken out; of one channel there are none.
    """

    shape: tuple[int, int, int]
    colours: Colours

    @property
    def _matrix(self) -> np.ndarray:
        return colour_matrix(self.colours if self.shape[2] == 3 else "none", self.shape[2])

    def _shown(self, values: Any) -> Any:
        if self.colours != "none" and self.shape[2] == 3:
            values = keras.ops.matmul(values, keras.ops.convert_to_tensor(self._matrix.T))
        return keras.ops.sigmoid(values)

    def _hidden(self, picture: np.ndarray) -> np.ndarray:
        picture = np.clip(np.asarray(picture, np.float64), _DARKEST, 1 - _DARKEST)
        values = np.log(picture / (1 - picture))
        return values @ np.linalg.inv(self._matrix.astype(np.float64)).T


@dataclass(frozen=True)
class PixelImage(Coloured):
    """One number for each pixel and colour."""

    def noise(self, random: np.random.Generator) -> np.ndarray:
        """Return normal noise of deviation `NOISE`, float32 (h, w, channels)."""
        return random.normal(scale=NOISE, size=self.shape).astype(np.float32)

    def grey(self) -> np.ndarray:
        """Return zeros, which the sigmoid makes middle grey."""
        return np.zeros(self.shape, np.float32)

    def parameters(self, picture: np.ndarray) -> np.ndarray:
        """Return what stands for a picture (h, w, channels); colours are clipped to 0.01 … 0.99."""
        return self._hidden(picture).astype(np.float32)

    def pictures(self, parameters: Any) -> Any:
        """Return the pictures (n, h, w, channels) on [0, 1]."""
        return self._shown(parameters)

    def blurred(self, parameters: Any, deviation: Any) -> Any:
        """Blur rows and columns with a Gaussian whose ends repeat the edge."""
        down, across = (_blur_matrix(side, deviation) for side in self.shape[:2])
        return keras.ops.einsum("ij,njkc,lk->nilc", down, parameters, across)


def _blur_matrix(side: int, deviation: Any) -> Any:
    places = np.arange(side, dtype=np.float32)
    distances = keras.ops.convert_to_tensor((places[:, None] - places[None, :]) ** 2)
    weights = keras.ops.exp(-distances / (2 * keras.ops.square(deviation) + 1e-6))
    return weights / keras.ops.sum(weights, axis=1, keepdims=True)


@dataclass(frozen=True)
class FourierImage(Coloured):
    """Real and imaginary part of each wave of the picture's half spectrum, scaled by 1/f^d.

    Attributes:
        exponent: d of the spectrum.
    """

    exponent: float

    @property
    def _scale(self) -> np.ndarray:
        return spectrum_scale(self.shape[0], self.shape[1], float(self.exponent))

    def noise(self, random: np.random.Generator) -> np.ndarray:
        """Return normal noise of deviation `NOISE`, float32 (2 · h, (w // 2 + 1) · channels)."""
        return random.normal(scale=NOISE, size=self.grey().shape).astype(np.float32)

    def grey(self) -> np.ndarray:
        """Return zeros, which the sigmoid makes middle grey."""
        rows, columns = self._scale.shape
        return np.zeros((2 * rows, columns * self.shape[2]), np.float32)

    def parameters(self, picture: np.ndarray) -> np.ndarray:
        """Return what stands for a picture (h, w, channels); colours are clipped to 0.01 … 0.99."""
        spectrum = np.fft.rfft2(_SOFTENED * self._hidden(picture), axes=(0, 1)) / self._scale[..., None]
        flat = spectrum.reshape(len(spectrum), -1)
        return np.concatenate([flat.real, flat.imag]).astype(np.float32)

    def pictures(self, parameters: Any) -> Any:
        """Return the pictures (n, h, w, channels) on [0, 1].

        The inverse transform is two products with matrices of waves, along the columns and then along the rows, where
        the colours are mixed as well: up to some hundred pixels that is faster than the fast transform, on CPUs by
        far.
        """
        height, width, channels = self.shape
        along_columns, along_rows = _waves(height, width, self.colours, channels)
        scale = np.tile(np.repeat(self._scale, channels, axis=1), (2, 1)) / np.float32(_SOFTENED)
        columns = keras.ops.matmul(
            keras.ops.convert_to_tensor(along_columns), parameters * keras.ops.convert_to_tensor(scale)
        )
        rows = keras.ops.matmul(
            keras.ops.reshape(columns, (-1, along_rows.shape[0])), keras.ops.convert_to_tensor(along_rows)
        )
        return keras.ops.sigmoid(keras.ops.reshape(rows, (-1, height, width, channels)))

    def blurred(self, parameters: Any, deviation: Any) -> Any:
        """Blur exactly: a Gaussian's transform is a Gaussian (the picture's edges meet)."""
        squares = np.tile(np.repeat(frequencies(*self.shape[:2]) ** 2, self.shape[2], axis=1), (2, 1))
        decay = keras.ops.convert_to_tensor((-2 * np.pi**2 * squares).astype(np.float32))
        faded = keras.ops.exp(decay * keras.ops.square(keras.ops.convert_to_tensor(deviation)))
        return parameters * faded


@lru_cache(maxsize=16)
def _waves(height: int, width: int, colours: Colours, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices of the inverse transform of half a spectrum, and of the colours.

    Returns:
        (along_columns, along_rows): the first, (2 · h, 2 · h), takes a column of the spectrum, all real parts before
        all imaginary ones, to the complex values of each row of the picture, real and imaginary in turn; the second,
        (2 · (w // 2 + 1) · channels, w · channels), takes a row of those to the picture's real values.
    """
    angles = 2 * np.pi * np.outer(np.arange(height), np.arange(height)) / height
    cosine, sine = np.cos(angles) / height, np.sin(angles) / height
    real, imaginary = np.concatenate([cosine, -sine], axis=1), np.concatenate([sine, cosine], axis=1)
    along_columns = np.stack([real, imaginary], axis=1).reshape(2 * height, 2 * height)

    half = width // 2 + 1
    twice = np.full((half, 1), 2.0)  # a wave whose mirror image is missing counts for both
    twice[0] = 1.0
    if width % 2 == 0:
        twice[-1] = 1.0
    angles = 2 * np.pi * np.outer(np.arange(half), np.arange(width)) / width
    values = np.concatenate([twice * np.cos(angles), -twice * np.sin(angles)]) / width
    along_rows = np.kron(values, colour_matrix(colours if channels == 3 else "none", channels).T)
    return along_columns.astype(np.float32), along_rows.astype(np.float32)


def image_of(plan: Plan, shape: tuple[int, int, int]) -> Image:
    """Return the parameterisation that a plan asks for.

    Args:
        plan: Its `parameterisation`, `spectrum` and `colours` count.
        shape: (height, width, channels) of the pictures.
    """
    if plan.parameterisation == "pixels":
        return PixelImage(shape, plan.colours)
    return FourierImage(shape, plan.colours, plan.spectrum)
