"""Lets a run's network loose on a visitor's picture: named work of the engine, which returns plain arrays."""

from __future__ import annotations

import threading
import zipfile
from collections import OrderedDict
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from explorer.networks.predictions import softmax
from explorer.networks.preprocessing import fit, prepare
from explorer.networks.work_context import SentenceError, WorkContext
from explorer.runs import layers, strips
from explorer.runs.applied import Applicable, Applied, read_applicable
from explorer.runs.folder import read_config
from explorer.runs.layers import psnr, ssim
from explorer.runs.opening import import_layers, trained
from explorer.runs.patches import resized
from explorer.runs.trained import entry_of, read_models

MODELS_KEPT = 4
LONGEST_ENLARGED = 384
"""Pixels of the longer side of an enlarged picture: four times as many would take sixteen times as long."""
LONGEST_SHOWN = 512
NOISE_SEED = 9

CANNOT_BE_OPENED = "This network cannot be opened: the run was stopped before it was saved, or its file is damaged."

_kept: OrderedDict[tuple[str, int], keras.Model] = OrderedDict()
_lock = threading.Lock()


def apply(context: WorkContext, folder: str, variant: str, pixels: np.ndarray) -> Applied:
    """Return what a network of a run makes of a picture.

    Args:
        context: of the work.
        folder: of the run; whoever calls has made sure that the visitor may see it.
        variant: which of the run's networks, see `explorer.runs.applied.read_applicable`.
        pixels: uint8 (h, w, 3), of any size and shape.

    Raises:
        SentenceError: if the run has no such network, or it cannot be opened.
    """
    about = next((each for each in read_applicable(Path(folder)) if each.variant == variant), None)
    if about is None:
        raise SentenceError(CANNOT_BE_OPENED)
    context.report(message="opening the network")
    needs = read_models(Path(folder)).needs if about.what == "classifies" else (layers.__name__,)
    model = _model(Path(folder) / about.file, needs)
    context.raise_if_stopped()
    context.report(message="running it")
    with _lock:
        if about.what == "classifies":
            return _classified(model, about, Path(folder), pixels)
        return {"segments": _segmented, "enlarges": _enlarged, "reconstructs": _reconstructed}[about.what](
            model, about, pixels
        )


def _model(path: Path, needs: tuple[str, ...]) -> keras.Model:
    """Return a model, one of the last few from memory; a file that has changed meanwhile is read anew."""
    try:
        key = (str(path), path.stat().st_mtime_ns)
        with _lock:
            if key in _kept:
                _kept.move_to_end(key)
                return _kept[key]
        import_layers(needs)
        model = trained(path)
    except (OSError, ValueError, TypeError, KeyError, ImportError, AttributeError, zipfile.BadZipFile) as error:
        raise SentenceError(CANNOT_BE_OPENED) from error
    with _lock:
        _kept[key] = model
        while len(_kept) > MODELS_KEPT:
            _kept.popitem(last=False)
    return model


def _classified(model: keras.Model, about: Applicable, folder: Path, pixels: np.ndarray) -> Applied:
    try:
        described = next(each for each in read_models(folder).models if each.variant == about.variant)
        entry = entry_of(read_config(folder), folder, described)
    except (StopIteration, OSError, ValueError) as error:  # the run was deleted meanwhile
        raise SentenceError(CANNOT_BE_OPENED) from error
    fitted = fit(pixels, entry)
    given = _channels(fitted.pixels, about.channels)
    logits = _run(model, prepare(given, entry) if about.channels == 3 else given[None] / np.float32(255))
    shown = np.repeat(given, 3, axis=2) if about.channels == 1 else given
    return Applied("classifies", about.title, shown, classes=about.classes, shares=softmax(logits)[0])


def _segmented(model: keras.Model, about: Applicable, pixels: np.ndarray) -> Applied:
    small = _channels(_nearest_size(pixels, about), about.channels)
    answer = _run(model, _from_zero_to_one(small)).argmax(axis=-1)[0].astype(np.uint8)
    colours = strips.class_colours(len(about.classes))
    shown = _limited(pixels, LONGEST_SHOWN)
    # Classes are no quantities: nothing lies between two of them.
    mask = np.asarray(Image.fromarray(answer).resize(shown.shape[1::-1], Image.Resampling.NEAREST))
    counts = np.bincount(answer.ravel(), minlength=len(about.classes))
    return Applied(
        "segments",
        about.title,
        shown,
        answer=strips.overlaid(shown, mask, colours),
        classes=about.classes,
        mask=mask,
        shares=counts / counts.sum(),
        colours=colours,
        notes=(f"The network saw it at {small.shape[1]} × {small.shape[0]} pixels.",),
    )


def _enlarged(model: keras.Model, about: Applicable, pixels: np.ndarray) -> Applied:
    scale = about.scale
    height, width = (max(2, side // scale) * scale for side in _limited_size(pixels, LONGEST_ENLARGED))
    truth = _channels(resized(pixels[None], height, width)[0], about.channels)
    small = resized(truth[None], height // scale, width // scale)
    answer = _as_pixels(_run(model, _from_zero_to_one(small[0])))[0]
    bicubic = resized(small, height, width)[0]
    numbers = []
    for name, picture in (("bicubic", bicubic), ("network", answer)):
        pair = _from_zero_to_one(truth), _from_zero_to_one(picture)
        numbers.append((f"PSNR of {name} in dB", float(keras.ops.convert_to_numpy(psnr(*pair))[0])))
        if min(height, width) >= layers.SSIM_WINDOW:
            numbers.append((f"SSIM of {name}", float(keras.ops.convert_to_numpy(ssim(*pair))[0])))
    nearest = small[0].repeat(scale, axis=0).repeat(scale, axis=1)
    shown, answer, truth, bicubic = (_coloured(each) for each in (nearest, answer, truth, bicubic))
    return Applied(
        "enlarges",
        about.title,
        shown,
        answer=answer,
        truth=truth,
        compared=bicubic,
        numbers=tuple(numbers),
        notes=(
            f"The picture was reduced to {width // scale} × {height // scale} pixels and enlarged {scale} times, "
            "so that the truth is known.",
        ),
    )


def _reconstructed(model: keras.Model, about: Applicable, pixels: np.ndarray) -> Applied:
    truth = _channels(resized(_square(pixels)[None], *about.side)[0], about.channels)
    given = truth.astype(np.float32)[None] / 255
    if about.noise:
        added = np.random.default_rng(NOISE_SEED).normal(0.0, about.noise, given.shape)
        given = np.clip(given + added, 0.0, 1.0).astype(np.float32)
    values = _run(model, given)
    error = float(np.mean((values - truth.astype(np.float32)[None] / 255) ** 2))
    notes = [f"Its middle, at {about.side[1]} × {about.side[0]} pixels; it knows only pictures such as it learnt from."]
    if about.noise:
        notes.append(f"Noise of {about.noise:g} was added.")
    return Applied(
        "reconstructs",
        about.title,
        _coloured(_as_pixels(given)[0]),
        answer=_coloured(_as_pixels(values)[0]),
        truth=_coloured(truth),
        numbers=(("mean squared error", error),),
        notes=tuple(notes),
    )


def _run(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(inputs, training=False)), np.float32)


def _from_zero_to_one(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32)[None] / np.float32(255)


def _as_pixels(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)


def _channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return uint8 (h, w, channels) of a colour picture."""
    return np.asarray(Image.fromarray(pixels).convert("L"))[..., None] if channels == 1 else pixels


def _coloured(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _square(pixels: np.ndarray) -> np.ndarray:
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _limited_size(pixels: np.ndarray, longest: int) -> tuple[int, int]:
    ratio = min(1.0, longest / max(pixels.shape[:2]))
    height, width = (max(1, round(side * ratio)) for side in pixels.shape[:2])
    return height, width


def _limited(pixels: np.ndarray, longest: int) -> np.ndarray:
    height, width = _limited_size(pixels, longest)
    return pixels if (height, width) == pixels.shape[:2] else resized(pixels[None], height, width)[0]


def _nearest_size(pixels: np.ndarray, about: Applicable) -> np.ndarray:
    """Return a picture whose shorter side is that of the pictures learnt from, as near to its proportions as may be."""
    ratio = min(about.side) / min(pixels.shape[:2])
    height, width = (max(1, round(side * ratio / about.multiple)) * about.multiple for side in pixels.shape[:2])
    longest = 4 * max(about.side)
    return resized(pixels[None], min(height, longest), min(width, longest))[0]


def forget() -> None:
    """Let go of all models."""
    with _lock:
        _kept.clear()
