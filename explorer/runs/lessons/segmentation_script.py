"""The script of the lesson on segmentation: the same networks, data and numbers with Keras alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons.shown_code import functions, in_docstring, loading
from explorer.runs.record import Config

_HEADER = '''"""Segmentation: train networks that give every pixel a class, as the run "{title}" does."""

import keras
import numpy as np

from explorer.runs.data.loading import {loader}
'''

_DRAWN = """from explorer.networks.drawn.model import build
from explorer.networks.drawn.weights import load_weights
"""

_LOSSES = {
    "cross_entropy": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
    "dice": "Dice()",
    "both": "CrossEntropyAndDice()",
}
_IMPORTED = {"dice": "Dice", "both": "CrossEntropyAndDice"}

_MODELS = {
    "strided": "strided(classes, upsampling={upsampling!r})",
    "unet": "unet(classes, upsampling={upsampling!r})",
    "pretrained": "pretrained()",
}

_PRETRAINED = '''
def pretrained() -> keras.Model:
    """Return a decoder on the frozen encoder, tapped at half, a quarter and an eighth of the picture's size."""
    encoder = build({encoder!r}, side=None)
    load_weights(encoder, {encoder!r})
    return on_encoder(encoder, ["stem_relu", "shapes_2_relu", "objects_2_relu"], classes, upsampling={upsampling!r})

'''

_BODY = """
SEED = {seed}
data = {load}
classes = len(data.training.classes)


def colours(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels

{pretrained}
def train(model: keras.Model, loss: keras.losses.Loss) -> None:
    pixels = keras.Input(model.inputs[0].shape[1:], dtype="uint8")
    whole = keras.Model(pixels, model(keras.layers.Rescaling(1 / 255)(pixels)))
    steps = {epochs} * -(-len(data.training) // {batch_size})
    whole.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay({learning_rate}, steps)),
        loss=loss,
        metrics=[keras.metrics.MeanIoU(classes, sparse_y_pred=False, name="mean_iou")],
        jit_compile=keras.backend.backend() == "jax",
    )
    whole.fit(
        colours(data.training.pixels),
        data.training.masks,
        validation_data=(colours(data.validation.pixels), data.validation.masks),
        epochs={epochs},
        batch_size={batch_size},
        verbose=2,
    )

"""


def script(config: Config, settings: Mapping[str, Any]) -> str:
    """Return the script.

    Args:
        config: of the run.
        settings: all of them, checked.
    """
    networks, losses = settings["networks"], settings["losses"]
    needed = ["convolved", "doubled", *(name for name in ("strided", "unet") if name in networks)]
    loaded = loading(config.data, "SEED", "masks")
    parts = [_HEADER.format(title=in_docstring(config.title or "segmentation"), **loaded)]
    if "pretrained" in networks:
        needed.append("on_encoder")
        parts[0] = parts[0].replace("from explorer.runs.data", _DRAWN + "from explorer.runs.data")
    if any(loss in _IMPORTED for loss in losses):
        parts.append(f"from explorer.runs.layers import {', '.join(_IMPORTED[x] for x in losses if x in _IMPORTED)}\n")
    parts.append("\n\n" + functions("picture_networks.py", *needed) + "\n\n")
    defined = _PRETRAINED.format(**settings) if "pretrained" in networks else ""
    parts.append(_BODY.format(seed=config.seed, **loaded, pretrained=defined, **settings))
    for network in networks:
        for loss in losses:
            parts.append(f"\nkeras.utils.set_random_seed(SEED)\nmodel = {_MODELS[network].format(**settings)}\n")
            parts.append(f"train(model, {_LOSSES[loss]})\nmodel.save({_file(network, loss, losses)!r})\n")
    return "".join(parts)


def _file(network: str, loss: str, losses: tuple[str, ...]) -> str:
    return f"{network}-{loss}.keras" if len(losses) > 1 else f"{network}.keras"
