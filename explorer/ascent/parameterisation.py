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

    An image's parameters are a matrix (2 · h, (w // 2 + 1) · channels): its rows the waves down the picture, the even
    ones before the odd ones, each kind all real parts before all imaginary ones; its columns the waves across, again
    the even ones first, each with its channels together. (So the transform need not sort them, see `pictures`; of an
    odd number of pixels the waves stay in order.)

    Attributes:
        exponent: d of the spectrum.
    """

    exponent: float

    def _sorted(self, spectrum: np.ndarray) -> np.ndarray:
        """Return a spectrum (h, w // 2 + 1, channels) of complex numbers as parameters lie, float32."""
        height, width, _ = self.shape
        spectrum = spectrum[:, np.concatenate(_kinds(spectrum.shape[1], width))]
        kinds = [spectrum[kind].reshape(len(kind), -1) for kind in _kinds(height, height)]
        return np.concatenate([part for kind in kinds for part in (kind.real, kind.imag)]).astype(np.float32)

    def _sorted_reals(self, values: np.ndarray) -> np.ndarray:
        """Return one real number for each wave (h, w // 2 + 1), for real and imaginary part of all channels."""
        return self._sorted(np.repeat((values + 1j * values)[..., None], self.shape[2], axis=2))

    @property
    def _scale(self) -> np.ndarray:
        return spectrum_scale(self.shape[0], self.shape[1], float(self.exponent))

    def noise(self, random: np.random.Generator) -> np.ndarray:
        """Return normal noise of deviation `NOISE`, float32 (2 · h, (w // 2 + 1) · channels)."""
        real, imaginary = random.normal(scale=NOISE, size=(2, *self._scale.shape, self.shape[2]))
        return self._sorted(real + 1j * imaginary)

    def grey(self) -> np.ndarray:
        """Return zeros, which the sigmoid makes middle grey."""
        rows, columns = self._scale.shape
        return np.zeros((2 * rows, columns * self.shape[2]), np.float32)

    def parameters(self, picture: np.ndarray) -> np.ndarray:
        """Return what stands for a picture (h, w, channels); colours are clipped to 0.01 … 0.99."""
        spectrum = np.fft.rfft2(_SOFTENED * self._hidden(picture), axes=(0, 1)) / self._scale[..., None]
        return self._sorted(spectrum)

    def pictures(self, parameters: Any) -> Any:
        """Return the pictures (n, h, w, channels) on [0, 1].

        The inverse transform is products with matrices of waves, along the columns and then along the rows, where the
        colours are mixed as well: up to some hundred pixels that is faster than the fast transform, on CPUs by far.
        One step of the fast transform halves the products (Cooley, Tukey, Mathematics of Computation 1965): half a
        side later, even waves are what they were and odd ones the opposite.
        """
        height, width, channels = self.shape
        down, across = _waves(height, width, self.colours, channels)
        scale = self._sorted_reals(self._scale / np.float32(_SOFTENED))
        waves = keras.ops.reshape(
            parameters * keras.ops.convert_to_tensor(scale), (-1, len(down), down.shape[2], scale.shape[1])
        )
        columns = keras.ops.matmul(keras.ops.convert_to_tensor(down), waves)
        columns = _halves(keras.ops.split(columns, len(down), axis=1), axis=1)
        # A row of the picture in each: its real parts, then its imaginary ones.
        columns = keras.ops.reshape(columns, (-1, 2, scale.shape[1]))
        kinds = keras.ops.split(columns, [len(across[0]) // 2], axis=2) if len(across) == 2 else [columns]
        rows = _halves(
            [
                keras.ops.matmul(keras.ops.reshape(kind, (-1, len(matrix))), keras.ops.convert_to_tensor(matrix))
                for kind, matrix in zip(kinds, across, strict=True)
            ],
            axis=1,
        )
        return keras.ops.sigmoid(keras.ops.reshape(rows, (-1, height, width, channels)))

    def blurred(self, parameters: Any, deviation: Any) -> Any:
        """Blur exactly: a Gaussian's transform is a Gaussian (the picture's edges meet)."""
        decay = keras.ops.convert_to_tensor(self._sorted_reals(-2 * np.pi**2 * frequencies(*self.shape[:2]) ** 2))
        faded = keras.ops.exp(decay * keras.ops.square(keras.ops.convert_to_tensor(deviation)))
        return parameters * faded


def _kinds(count: int, side: int) -> list[np.ndarray]:
    """Return the numbers of so many waves: the even and the odd ones apart where the side can be halved."""
    return [np.arange(count)] if side % 2 else [np.arange(0, count, 2), np.arange(1, count, 2)]


def _halves(kinds: list[Any], axis: int) -> Any:
    """Return what even and odd waves make together over the whole side, from what each makes over its first half."""
    if len(kinds) == 1:
        return kinds[0]
    even, odd = kinds
    return keras.ops.concatenate([even + odd, even - odd], axis=axis)


@lru_cache(maxsize=16)
def _waves(height: int, width: int, colours: Colours, channels: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the matrices of the inverse transform of half a spectrum, and of the colours.

    There is one of each for the even and one for the odd waves, which make half of the side; for an odd side one for
    all waves, which makes the whole.

    Returns:
        (down, across): the first, (kinds, 2 · h / kinds, 2 · h / kinds), takes a column of the spectrum, all real
        parts before all imaginary ones, to the complex values of each row of the picture, real and imaginary in turn;
        each of the second, (2 · waves · channels, w / kinds · channels), takes a row of those to the picture's real
        values.
    """
    down = []
    for waves in _kinds(height, height):
        angles = 2 * np.pi * np.outer(np.arange(len(waves)), waves) / height
        cosine, sine = np.cos(angles) / height, np.sin(angles) / height
        real, imaginary = np.concatenate([cosine, -sine], axis=1), np.concatenate([sine, cosine], axis=1)
        down.append(np.stack([real, imaginary], axis=1).reshape(2 * len(waves), 2 * len(waves)))

    twice = np.full((width // 2 + 1, 1), 2.0)  # a wave whose mirror image is missing counts for both
    twice[0] = 1.0
    if width % 2 == 0:
        twice[-1] = 1.0
    colour = colour_matrix(colours if channels == 3 else "none", channels).T
    across = []
    kinds = _kinds(width // 2 + 1, width)
    for waves in kinds:
        angles = 2 * np.pi * np.outer(waves, np.arange(width // len(kinds))) / width
        values = np.concatenate([twice[waves] * np.cos(angles), -twice[waves] * np.sin(angles)]) / width
        across.append(np.kron(values, colour).astype(np.float32))
    return np.stack(down).astype(np.float32), across


def image_of(plan: Plan, shape: tuple[int, int, int]) -> Image:
    """Return the parameterisation that a plan asks for.

    Args:
        plan: Its `parameterisation`, `spectrum` and `colours` count.
        shape: (height, width, channels) of the pictures.
    """
    if plan.parameterisation == "pixels":
        return PixelImage(shape, plan.colours)
    return FourierImage(shape, plan.colours, plan.spectrum)
