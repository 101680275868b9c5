"""From a picture to the numbers that a network expects, and back from its coordinates to the picture's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from explorer.networks.catalogue import NetworkEntry

Fit = Literal["pad", "crop", "stretch"]
Box = tuple[float, float, float, float]

PADDING_GREY = 128
# Means and deviations of ImageNet's training pictures as keras.applications uses them: "torch" in RGB on
# [0, 1], "caffe" in BGR on [0, 255].
TORCH_MEAN = (0.485, 0.456, 0.406)
TORCH_DEVIATION = (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A picture brought to a network's input size, and the way back.

    Coordinates are continuous, in pixels, with 0 at the outer edge of the first pixel:
    `network = offset + scale * picture`, for rows and columns separately.

    Attributes:
        pixels: uint8 (height, width, 3) at the network's input size.
        how: "pad" (all of the picture, grey bars beside it), "crop" (its centre) or "stretch".
        picture_size: (height, width) of the picture that was fitted.
        scale: Network pixels for one picture pixel, (rows, columns).
        offset: Where the picture's upper left corner lies in the network's input; negative where cropped.
    """

    pixels: np.ndarray
    how: Fit
    picture_size: tuple[int, int]
    scale: tuple[float, float]
    offset: tuple[float, float]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the network's input."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def content(self) -> Box:
        """Which part of the input shows the picture: (top, left, bottom, right) in network coordinates."""
        top, left = (max(0.0, offset) for offset in self.offset)
        bottom, right = (
            min(float(side), offset + scale * length)
            for side, offset, scale, length in zip(self.size, self.offset, self.scale, self.picture_size, strict=True)
        )
        return top, left, bottom, right

    def to_picture(self, box: Box, *, clip: bool = True) -> Box:
        """Map (top, left, bottom, right) from the network's input to the picture, clipped to it if asked."""
        return self._map(box, clip, inverse=True)

    def to_network(self, box: Box, *, clip: bool = True) -> Box:
        """Map (top, left, bottom, right) from the picture to the network's input, clipped to it if asked."""
        return self._map(box, clip, inverse=False)

    def _map(self, box: Box, clip: bool, *, inverse: bool) -> Box:
        limits = self.picture_size if inverse else self.size
        mapped = []
        for index, value in enumerate(box):
            axis = index % 2
            scale, offset = self.scale[axis], self.offset[axis]
            moved = (value - offset) / scale if inverse else offset + scale * value
            mapped.append(float(min(max(moved, 0.0), limits[axis])) if clip else float(moved))
        return mapped[0], mapped[1], mapped[2], mapped[3]


def fit(pixels: np.ndarray, entry: NetworkEntry, how: Fit = "pad") -> Fitted:
    """Bring a picture to a network's input size.

    Args:
        pixels: uint8 (height, width, 3).
        entry: The network; only its `input_size` counts.
        how: "pad" keeps the whole picture and its proportions and fills up with grey, "crop" keeps the
            proportions and takes the centre, "stretch" keeps the whole picture and changes its proportions.

    Returns:
        The fitted picture; pixels are untouched where the size already agrees.

    Raises:
        ValueError: for pixels of another type or an unknown way to fit.
    """
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"A picture must be uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}.")
    if how not in ("pad", "crop", "stretch"):
        raise ValueError(f'A picture is fitted by "pad", "crop" or "stretch", not by {how!r}.')
    picture_size = (int(pixels.shape[0]), int(pixels.shape[1]))
    target = entry.input_size
    ratios = tuple(side / length for side, length in zip(target, picture_size, strict=True))
    if how == "stretch":
        drawn_size = target
    else:
        ratio = min(ratios) if how == "pad" else max(ratios)
        drawn_size = (max(1, round(ratio * picture_size[0])), max(1, round(ratio * picture_size[1])))
    # Whole pixels were rounded to, so the true scale is the ratio of the sizes, not the ratio aimed at.
    scale = tuple(drawn / length for drawn, length in zip(drawn_size, picture_size, strict=True))
    offset = tuple(int((side - drawn) // 2) for side, drawn in zip(target, drawn_size, strict=True))
    resized = pixels
    if drawn_size != picture_size:
        image = Image.fromarray(np.ascontiguousarray(pixels))
        resized = np.asarray(image.resize((drawn_size[1], drawn_size[0]), Image.Resampling.BICUBIC))
    canvas = np.full((*target, 3), PADDING_GREY, np.uint8)
    top, left = offset
    inner = resized[max(0, -top) : max(0, -top) + target[0], max(0, -left) : max(0, -left) + target[1]]
    row, column = max(0, top), max(0, left)
    canvas[row : row + inner.shape[0], column : column + inner.shape[1]] = inner
    canvas.flags.writeable = False
    return Fitted(canvas, how, picture_size, (scale[0], scale[1]), (float(top), float(left)))


def fit_mask(mask: np.ndarray, entry: NetworkEntry, how: Fit = "pad") -> np.ndarray:
    """Bring a picture's mask to a network's input size as `fit` brings the picture.

    Args:
        mask: bool (height, width).
        entry: The network; only its `input_size` counts.
        how: See `fit`.

    Returns:
        bool at the input's size; true where at least half of a pixel is covered, never in the bars beside the
        picture.
    """
    covered = np.repeat(np.where(mask, np.uint8(255), np.uint8(0))[..., None], 3, axis=2)
    fitted = fit(covered, entry, how)
    top, left, bottom, right = (round(edge) for edge in fitted.content)
    inside = np.zeros(fitted.size, bool)
    inside[top:bottom, left:right] = True
    return (fitted.pixels[..., 0] >= 128) & inside


def prepare(fitted_pixels: np.ndarray, entry: NetworkEntry) -> np.ndarray:
    """Turn fitted pixels into the input that the network was trained on.

    The modes are those of `keras.applications.imagenet_utils.preprocess_input`, plus "zero_one" (divided by
    255) and "included" (unchanged: the network's first layers do it).

    Args:
        fitted_pixels: uint8 or float (height, width, 3) on [0, 255], or a batch (n, height, width, 3).
        entry: The network; only its `preprocessing` counts.

    Returns:
        float32 (1, height, width, 3), or (n, height, width, 3) for a batch.
    """
    batch: np.ndarray = np.array(fitted_pixels, dtype=np.float32)
    if batch.ndim == 3:
        batch = batch[None]
    mode = entry.preprocessing
    if mode == "zero_one":
        batch /= np.float32(255)
    elif mode == "tf":
        batch /= np.float32(127.5)
        batch -= np.float32(1)
    elif mode == "torch":
        batch /= np.float32(255)
        batch = (batch - np.array(TORCH_MEAN, np.float32)) / np.array(TORCH_DEVIATION, np.float32)
    elif mode == "caffe":
        batch = batch[..., ::-1] - np.array(CAFFE_MEAN_BGR, np.float32)
    elif mode != "included":
        raise ValueError(f"Unknown preprocessing {mode!r} of network {entry.name}.")
    return np.ascontiguousarray(batch, dtype=np.float32)
