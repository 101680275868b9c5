"""Layers, losses and metrics of our own that the lessons' networks are made of and judged by.

All are registered with Keras, so that a saved model opens again once this module has been imported. Pictures are
channels-last; nothing here depends on Keras' backend.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import keras
import numpy as np
from keras import ops

PACKAGE = "cnn_explorer"

SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_K1, SSIM_K2 = 0.01, 0.03
LEAST_ERROR = 1e-10
"""Mean squared error of what counts as the same picture, so that PSNR ends at 100 dB."""

register = keras.saving.register_keras_serializable(PACKAGE)


# --- making pictures larger ---


@register
class PixelShuffle(keras.layers.Layer):
    """Turns channels into pixels: (n, h, w, c·s²) to (n, s·h, s·w, c) (Shi et al. 2016, section 3.2).

    Each pixel's s² groups of channels become a square of s × s pixels, row by row.

    Args:
        scale: s.
    """

    def __init__(self, scale: int, **options: Any) -> None:
        super().__init__(**options)
        self.scale = int(scale)

    def call(self, inputs: Any) -> Any:
        """Return the larger maps."""
        return ops.depth_to_space(inputs, self.scale, data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, s·h, s·w, c)."""
        return _enlarged(input_shape, self.scale, (input_shape[-1] or 0) // self.scale**2)

    def get_config(self) -> dict[str, Any]:
        """Return what it is built from."""
        return {**super().get_config(), "scale": self.scale}


@register
class Bicubic(keras.layers.Layer):
    """Enlarges pictures by bicubic interpolation, which is a fixed convolution followed by a pixel shuffle.

    With Keys' kernel, a = −0.5, as in Pillow (Keys 1981). Beyond its edge a picture goes on as its mirror image, where
    Pillow leaves the kernel's outer part out: within two pixels of the edge the two differ a little.

    Args:
        scale: 2, 3, 4, …
    """

    def __init__(self, scale: int, **options: Any) -> None:
        super().__init__(**options)
        self.scale = int(scale)

    def call(self, inputs: Any) -> Any:
        """Return (n, s·h, s·w, c)."""
        channels, scale = inputs.shape[-1], self.scale
        reach = len(bicubic_weights(scale)[0]) // 2
        weights = bicubic_weights(scale)
        square = np.einsum("pi,qj->ijpq", weights, weights).reshape(*[weights.shape[1]] * 2, 1, scale**2)
        kernel = ops.cast(np.repeat(square, channels, axis=2), inputs.dtype)
        padded = _mirrored(_mirrored(inputs, reach, axis=1), reach, axis=2)
        shares = ops.depthwise_conv(padded, kernel, padding="valid", data_format="channels_last")
        rows, columns = ops.shape(inputs)[1], ops.shape(inputs)[2]
        # The channels come out one after the other, each with its s² pixels; a shuffle wants it the other way round.
        shares = ops.reshape(shares, (-1, rows, columns, channels, scale**2))
        shares = ops.reshape(ops.swapaxes(shares, 3, 4), (-1, rows, columns, channels * scale**2))
        return ops.depth_to_space(shares, scale, data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, s·h, s·w, c)."""
        return _enlarged(input_shape, self.scale, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return what it is built from."""
        return {**super().get_config(), "scale": self.scale}


def _mirrored(pictures: Any, reach: int, axis: int) -> Any:
    """Return pictures that go on as their mirror image for some pixels; Keras on PyTorch repeats the edge instead."""
    first = [slice(None)] * axis
    before, after = pictures[(*first, slice(None, reach))], pictures[(*first, slice(-reach, None))]
    return ops.concatenate([ops.flip(before, axis), pictures, ops.flip(after, axis)], axis=axis)


def _enlarged(shape: tuple[int | None, ...], scale: int, channels: int | None) -> tuple[int | None, ...]:
    rows, columns = (None if side is None else side * scale for side in shape[1:3])
    return (shape[0], rows, columns, channels)


@lru_cache(maxsize=8)
def bicubic_weights(scale: int) -> np.ndarray:
    """Return float32 (scale, 5): for each new pixel between two old ones, the weights of the five nearest old pixels.

    Args:
        scale: how many new pixels stand in the place of an old one.
    """
    new = (np.arange(scale) + 0.5) / scale - 0.5
    distance = np.abs(new[:, None] - np.arange(-2, 3))
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0)).astype(np.float32)


# --- every pixel a class ---


@register
class Dice(keras.losses.Loss):
    """1 − the mean of all classes' Dice coefficients, 2·|answer ∩ truth| / (|answer| + |truth|).

    Each class counts the same, however few pixels it has (Milletari, Navab & Ahmadi 2016, section 3, for more than two
    classes). Probabilities stand for the answer; a class's pixels are counted over the whole batch, and one pixel is
    added above and below, so that a class that is nowhere costs nothing.

    Call with classes (n, h, w) as numbers and logits (n, h, w, classes).
    """

    def __init__(self, name: str = "dice", **options: Any) -> None:
        super().__init__(name=name, **{"reduction": None, **options})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of a batch, a scalar."""
        chances = ops.softmax(y_pred, axis=-1)
        truth = _one_hot(y_true, y_pred)
        axes = tuple(range(len(y_pred.shape) - 1))
        both = ops.sum(chances * truth, axis=axes)
        either = ops.sum(chances, axis=axes) + ops.sum(truth, axis=axes)
        return 1.0 - ops.mean((2.0 * both + 1.0) / (either + 1.0))


@register
class CrossEntropyAndDice(keras.losses.Loss):
    """The sum of the pixels' mean cross-entropy and the Dice loss; see `Dice` for what it takes."""

    def __init__(self, name: str = "cross_entropy_and_dice", **options: Any) -> None:
        super().__init__(name=name, **{"reduction": None, **options})
        self._dice = Dice()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of a batch, a scalar."""
        losses = ops.categorical_crossentropy(_one_hot(y_true, y_pred), y_pred, from_logits=True)
        return ops.mean(losses) + self._dice.call(y_true, y_pred)


def _one_hot(classes: Any, logits: Any) -> Any:
    if len(classes.shape) == len(logits.shape):
        classes = ops.squeeze(classes, -1)
    return ops.one_hot(ops.cast(classes, "int32"), logits.shape[-1], dtype=logits.dtype)


# --- how alike two pictures are ---


@register
def psnr(y_true: Any, y_pred: Any) -> Any:
    """Return the peak signal-to-noise ratio of each picture in dB, (n,), for values from 0 to 1: 10·log₁₀(1 / MSE)."""
    error = ops.mean(ops.square(ops.cast(y_true, y_pred.dtype) - y_pred), axis=tuple(range(1, len(y_pred.shape))))
    return -10.0 / math.log(10.0) * ops.log(ops.maximum(error, LEAST_ERROR))


@register
def clipped_psnr(y_true: Any, y_pred: Any) -> Any:
    """Return the `psnr` of pictures as a screen shows them: what lies beyond 0 and 1 is cut off."""
    return psnr(y_true, ops.clip(y_pred, 0.0, 1.0))


@register
def ssim(y_true: Any, y_pred: Any) -> Any:
    """Return the structural similarity of each picture, (n,), for values from 0 to 1 (Wang et al. 2004).

    With their Gaussian window of 11 × 11, σ = 1.5; the mean is taken over the places where all of the window lies
    within the picture, and over the channels.
    """
    truth = ops.cast(y_true, y_pred.dtype)
    # All five in one go, down and then across: a fifth of the products of the square window, and the processor works
    # on many channels at once.
    blurred = ops.concatenate([truth, y_pred, truth * truth, y_pred * y_pred, truth * y_pred], axis=-1)
    row = np.repeat(gaussian_row()[:, None, None, None], blurred.shape[-1], axis=2)
    for kernel in (row, row.transpose(1, 0, 2, 3)):
        kernel = ops.cast(kernel, blurred.dtype)
        blurred = ops.depthwise_conv(blurred, kernel, padding="valid", data_format="channels_last")
    mean_true, mean_pred, square_true, square_pred, product = ops.split(blurred, 5, axis=-1)
    variance_true = square_true - mean_true * mean_true
    variance_pred = square_pred - mean_pred * mean_pred
    covariance = product - mean_true * mean_pred
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    likeness = (2.0 * mean_true * mean_pred + c1) * (2.0 * covariance + c2)
    likeness = likeness / ((mean_true**2 + mean_pred**2 + c1) * (variance_true + variance_pred + c2))
    return ops.mean(likeness, axis=(1, 2, 3))


@lru_cache(maxsize=1)
def gaussian_row() -> np.ndarray:
    """Return what the window of `ssim` is the outer product of, float32 (11,), whose sum is 1."""
    places = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    row = np.exp(-(places**2) / (2 * SSIM_SIGMA**2))
    return (row / row.sum()).astype(np.float32)


@register
class StructuralLoss(keras.losses.Loss):
    """1 − structural similarity, see `ssim`."""

    def __init__(self, name: str = "structural_loss", **options: Any) -> None:
        super().__init__(name=name, **options)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each picture, (n,)."""
        return 1.0 - ssim(y_true, y_pred)
