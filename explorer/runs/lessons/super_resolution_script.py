"""The script of the lesson on super-resolution: the same networks, patches and numbers with Keras alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons.shown_code import functions, in_docstring, loading
from explorer.runs.record import Config

_HEADER = '''"""Super-resolution: train networks that enlarge pictures {scale} times, as the run "{title}" does."""

import keras
import numpy as np
from PIL import Image

from explorer.runs.data.loading import {loader}
from explorer.runs.layers import {layers}

LOOKS = 3


'''

_LOSSES = {
    "l1": "keras.losses.MeanAbsoluteError()",
    "l2": "keras.losses.MeanSquaredError()",
    "ssim": "StructuralLoss()",
}

_BODY = """

SEED, SCALE = {seed}, {scale}
data = {load}
large, judged = data.training.pixels, data.validation.pixels
small = reduced(large, SCALE)
inputs, targets = patches(large, small, {patches}, min(48, *large.shape[1:3]) // SCALE, SEED)


def from_zero_to_one(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255


def train(model: keras.Model, loss: keras.losses.Loss) -> None:
    steps = {epochs} * -(-len(inputs) // {batch_size})
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay({learning_rate}, steps)),
        loss=loss,
        metrics=[keras.metrics.MeanMetricWrapper(clipped_psnr, name="psnr")],
        jit_compile=keras.backend.backend() == "jax",
    )
    model.fit(
        from_zero_to_one(inputs),
        from_zero_to_one(targets),
        validation_data=(from_zero_to_one(reduced(judged, SCALE)), from_zero_to_one(judged)),
        validation_batch_size=8,
        epochs={epochs},
        batch_size={batch_size},
        verbose=2,
    )


bicubic = from_zero_to_one(resized(reduced(judged, SCALE), *judged.shape[1:3]))
print("bicubic:", float(np.mean(psnr(from_zero_to_one(judged), bicubic))), "dB")
"""


def script(config: Config, settings: Mapping[str, Any]) -> str:
    """Return the script.

    Args:
        config: of the run.
        settings: all of them, checked.
    """
    networks, losses = settings["networks"], settings["losses"]
    layers = ", ".join(
        ["Bicubic", "PixelShuffle", *(["StructuralLoss"] if "ssim" in losses else []), "clipped_psnr", "psnr"]
    )
    title = in_docstring(config.title or "super-resolution")
    loaded = loading(config.data, "SEED", "pictures")
    parts = [_HEADER.format(title=title, layers=layers, scale=settings["scale"], **loaded)]
    parts.append(functions("patches.py", "resized", "reduced", "patches") + "\n\n\n")
    parts.append(functions("picture_networks.py", "enlarging") + "\n")
    parts.append(_BODY.format(seed=config.seed, **loaded, **settings))
    for network in networks:
        skip, activation = output_of(network)
        for loss in losses:
            name = f"{network}-{loss}.keras" if len(losses) > 1 else f"{network}.keras"
            parts.append(
                f"\nkeras.utils.set_random_seed(SEED)\nmodel = enlarging(\n    SCALE,\n    large.shape[-1],\n"
                f"    filters={settings['filters']},\n    blocks={settings['blocks']},\n"
                f"    upsampling={settings['upsampling']!r},\n    skip={skip},\n    activation={activation!r},\n)\n"
                f"train(model, {_LOSSES[loss]})\nmodel.save({name!r})\n"
            )
    return "".join(parts)


def output_of(network: str) -> tuple[bool, str]:
    """Return whether a network's answer is added to the bicubic picture, and through which activation it goes."""
    kind, _, activation = network.partition("_")
    return kind == "residual", activation or "linear"
