"""Augmentation: each time a picture is learnt from it looks a little different, and its mask follows.

NumPy and Pillow, no Keras: so a page shows at once exactly what a run would learn from, masks get the very geometry of
their pictures, and it takes less than a third of the time of Keras' layers on a CPU (tests/benchmarks/augmentation.py).

Every setting has a stream of chance of its own, and its strength only scales what that stream says: while a slider
moves, the pictures change smoothly and nothing else about them does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from explorer.runs.data.augmentation_knobs import KNOBS, PREFIX, augmentation_settings

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_STREAMS = {knob.name.removeprefix(PREFIX): number for number, knob in enumerate(KNOBS)}
_PADS = {"mirror": "symmetric", "repeat": "edge", "black": "constant"}


@dataclass(frozen=True, eq=False)
class Augmented:
    """A batch to learn from.

    Attributes:
        inputs: float32 (n, height, width, channels), 0 to 1.
        labels: as they were given, or mixed.
        masks: uint8 (n, height, width), where there are some.
    """

    inputs: np.ndarray
    labels: np.ndarray | None = None
    masks: np.ndarray | None = None


class Augmentation:
    """Changes batches by chance.

    Args:
        settings: of a lesson; those in `augmentation_knobs` count, what is missing is off.
        seed: of everything random.
    """

    def __init__(self, settings: Mapping[str, Any], seed: int) -> None:
        found = augmentation_settings(settings)
        self._strength = {name.removeprefix(PREFIX): value for name, value in found.items()}
        self._seed = seed

    @property
    def mixes(self) -> bool:
        """Whether labels are mixed, so that they have to be one-hot."""
        return self._strength["mixup"] > 0

    @property
    def changes(self) -> bool:
        """Whether it changes anything at all."""
        return any(value not in (0, "none") for name, value in self._strength.items() if name != "border")

    def __call__(
        self,
        pixels: np.ndarray,
        *,
        labels: np.ndarray | None = None,
        masks: np.ndarray | None = None,
        step: int | tuple[int, ...] = 0,
    ) -> Augmented:
        """Return a batch, each picture changed in its own way.

        Masks follow flips, rotation, shift, zoom and crop, pixel by pixel (nearest neighbour), and nothing else; with
        masks nothing is mixed.

        Args:
            pixels: uint8 (n, height, width, channels), one or three channels.
            labels: (n,), or float (n, classes) where `mixes`.
            masks: uint8 (n, height, width).
            step: which batch it is; the same step changes the same pictures in the same way.

        Raises:
            ValueError: if labels are to be mixed and are not one-hot.
        """
        chance = _Chance(self._seed, step)
        pixels, masks = self._moved(pixels, masks, chance)
        values = pixels.astype(np.float32) / 255.0
        values = self._coloured(values, chance)
        values = self._noisy(values, chance)
        self._cut(values, chance)
        if self.mixes and masks is None:
            values, labels = self._mixed(values, labels, chance)
        return Augmented(values, labels, masks)

    # --- geometry ---

    def _moved(
        self, pixels: np.ndarray, masks: np.ndarray | None, chance: _Chance
    ) -> tuple[np.ndarray, np.ndarray | None]:
        count, height, width, _ = pixels.shape
        flips = chance.stream("flip").random((count, 2)) < 0.5
        for axis, words in ((2, ("horizontal", "both")), (1, ("vertical", "both"))):
            if self._strength["flip"] in words:
                pixels = _flipped(pixels, flips[:, 2 - axis], axis)
                masks = None if masks is None else _flipped(masks, flips[:, 2 - axis], axis)
        if not any(self._strength[name] for name in ("rotation", "shift", "zoom", "crop")):
            return pixels, masks
        matrices = self._matrices(count, height, width, chance)
        pad = _reach(matrices, height, width)
        pixels = _warped(pixels, matrices, pad, self._strength["border"], Image.Resampling.BILINEAR)
        if masks is not None:
            masks = _warped(masks[..., None], matrices, pad, self._strength["border"], Image.Resampling.NEAREST)[..., 0]
        return pixels, masks

    def _matrices(self, count: int, height: int, width: int, chance: _Chance) -> np.ndarray:
        """Return for each picture the (2, 3) matrix from a place in the result, in pixels, to one in the picture."""
        angle = np.radians(self._strength["rotation"]) * chance.signed("rotation", count)
        zoom = 1.0 + self._strength["zoom"] * chance.signed("zoom", count)
        cropping = chance.stream("crop").random((count, 3))
        kept = 1.0 - self._strength["crop"] * cropping[:, 0]
        scale = kept / zoom
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        sides = np.array([width, height])
        moved = self._strength["shift"] * chance.signed("shift", (count, 2)) * sides
        moved = moved + (cropping[:, 1:] - 0.5) * (1.0 - kept)[:, None] * sides
        matrices = np.empty((count, 2, 3))
        matrices[:, 0, :2] = np.stack([cos, -sin], axis=1)
        matrices[:, 1, :2] = np.stack([sin, cos], axis=1)
        middle = sides / 2.0
        matrices[:, :, 2] = middle + moved - matrices[:, :, :2] @ middle
        return matrices

    # --- colours ---

    def _coloured(self, values: np.ndarray, chance: _Chance) -> np.ndarray:
        count, height, width, channels = values.shape
        strength = self._strength
        if channels == 3 and (strength["saturation"] or strength["hue"]):
            saturation = 1.0 + strength["saturation"] * chance.signed("saturation", count)
            turn = 2 * math.pi * strength["hue"] * chance.signed("hue", count)
            matrices = _saturating(saturation) @ _turning(turn)
            values = values.reshape(count, height * width, 3) @ matrices.transpose(0, 2, 1).astype(np.float32)
            values = values.reshape(count, height, width, 3)
        if strength["contrast"] or strength["brightness"]:
            contrast = 1.0 + strength["contrast"] * chance.signed("contrast", count)
            added = strength["brightness"] * chance.signed("brightness", count)
            mean = values.mean(axis=(1, 2))
            mean = mean @ _LUMA if channels == 3 else mean[:, 0]
            shift = (mean * (1.0 - contrast) + added).astype(np.float32)
            values = values * contrast.astype(np.float32)[:, None, None, None] + shift[:, None, None, None]
        return np.clip(values, 0.0, 1.0)

    def _noisy(self, values: np.ndarray, chance: _Chance) -> np.ndarray:
        if not self._strength["noise"]:
            return values
        grain = chance.stream("noise").standard_normal(values.shape, np.float32)
        return np.clip(values + np.float32(self._strength["noise"]) * grain, 0.0, 1.0)

    def _cut(self, values: np.ndarray, chance: _Chance) -> None:
        """Hide a square of each picture (DeVries and Taylor 2017, "Improved regularization … with Cutout")."""
        if not self._strength["cutout"]:
            return
        count, height, width, _ = values.shape
        places = chance.stream("cutout").random((count, 3))
        for picture, (size, across, down) in zip(values, places.tolist(), strict=True):
            half = self._strength["cutout"] * (0.5 + 0.5 * size) / 2
            top, bottom = (max(0, round((down + side * half) * height)) for side in (-1, 1))
            left, right = (max(0, round((across + side * half) * width)) for side in (-1, 1))
            picture[top:bottom, left:right] = 0.5

    def _mixed(
        self, values: np.ndarray, labels: np.ndarray | None, chance: _Chance
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Mix pictures and labels (Zhang et al. 2018, "mixup: beyond empirical risk minimization")."""
        if labels is not None and labels.ndim != 2:
            raise ValueError("labels that are mixed must be one-hot, (n, classes)")
        stream = chance.stream("mixup")
        other = stream.permutation(len(values))
        share = stream.beta(self._strength["mixup"], self._strength["mixup"], len(values)).astype(np.float32)
        share = np.maximum(share, 1 - share)  # so that a picture stays mostly itself
        values = share[:, None, None, None] * values + (1 - share)[:, None, None, None] * values[other]
        if labels is not None:
            labels = (share[:, None] * labels + (1 - share)[:, None] * labels[other]).astype(np.float32)
        return values, labels


class _Chance:
    """A stream of random numbers for each setting of each batch."""

    def __init__(self, seed: int, step: int | tuple[int, ...]) -> None:
        self._key = (seed, *((step,) if isinstance(step, int) else step))

    def stream(self, name: str) -> np.random.Generator:
        return np.random.default_rng((*self._key, _STREAMS[name]))

    def signed(self, name: str, shape: int | tuple[int, ...]) -> np.ndarray:
        """Return numbers between −1 and 1."""
        return self.stream(name).random(shape) * 2.0 - 1.0


def _flipped(values: np.ndarray, which: np.ndarray, axis: int) -> np.ndarray:
    mirrored = np.flip(values, axis)
    return np.where(which.reshape(-1, *[1] * (values.ndim - 1)), mirrored, values)


def _reach(matrices: np.ndarray, height: int, width: int) -> tuple[int, int]:
    """Return how many rows and columns beyond the edge the pictures are looked up at, at most."""
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], float)
    places = matrices @ corners.T
    beyond = np.maximum(-places, places - np.array([width, height])[None, :, None]).max(axis=(0, 2))
    columns, rows = (max(0, math.ceil(value)) + 1 for value in beyond.tolist())
    return rows, columns


def _warped(
    values: np.ndarray, matrices: np.ndarray, pad: tuple[int, int], border: str, method: Image.Resampling
) -> np.ndarray:
    """Return pictures, uint8 (n, height, width, channels), each looked up at other places."""
    count, height, width, channels = values.shape
    rows, columns = pad
    mode: Any = _PADS[border]
    padded = np.pad(values, ((0, 0), (rows, rows), (columns, columns), (0, 0)), mode=mode)
    shown = padded[..., 0] if channels == 1 else padded
    result = np.empty((count, height, width) if channels == 1 else values.shape, np.uint8)
    shifted = matrices + np.array([[0, 0, columns], [0, 0, rows]])
    for number in range(count):
        image = Image.fromarray(shown[number])
        data = shifted[number].ravel().tolist()
        result[number] = np.asarray(image.transform((width, height), Image.Transform.AFFINE, data, method))
    return result.reshape(values.shape)


def _saturating(factor: np.ndarray) -> np.ndarray:
    """Return for each factor the matrix that takes colours so far from their grey."""
    return factor[:, None, None] * np.eye(3) + (1.0 - factor)[:, None, None] * np.tile(_LUMA, (3, 1))


def _turning(angle: np.ndarray) -> np.ndarray:
    """Return for each angle the rotation of colours about the axis of greys (Rodrigues' formula)."""
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return cos * np.eye(3) + sin * cross + (1 - cos) / 3.0


def examples(
    pixels: np.ndarray, masks: np.ndarray | None, settings: Mapping[str, Any], seed: int, n: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what a run would see of some pictures, for showing.

    Args:
        pixels: uint8 (pictures, height, width, channels).
        masks: uint8 (pictures, height, width), or None.
        settings: of the lesson.
        seed: of the run.
        n: how many versions of each.

    Returns:
        uint8 (pictures, n, height, width, channels), and the masks, uint8 (pictures, n, height, width), or None.
    """
    change = Augmentation(settings, seed)
    found = [change(pixels, masks=masks, step=version) for version in range(n)]
    shown = np.stack([np.rint(each.inputs * 255.0).astype(np.uint8) for each in found], axis=1)
    followed = [each.masks for each in found if each.masks is not None]
    return shown, np.stack(followed, axis=1) if followed else None
