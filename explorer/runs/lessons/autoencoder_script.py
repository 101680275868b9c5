"""The script of the lesson on autoencoders: the same networks, data and numbers with Keras alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons.shown_code import functions, in_docstring, loading
from explorer.runs.record import Config

_HEADER = '''"""Autoencoder: train networks that bring pictures through a few numbers, as the run "{title}" does."""

import keras
import numpy as np
from sklearn.decomposition import PCA

from explorer.runs.data.loading import {loader}


'''

_BODY = """

SEED = {seed}
data = {load}
halvings = 2 if data.training.pixels.shape[1] <= 32 else 3
multiple = 2**halvings


def from_zero_to_one(pixels: np.ndarray) -> np.ndarray:
    height, width = (side // multiple * multiple for side in pixels.shape[1:3])
    return pixels[:, :height, :width].astype(np.float32) / 255


pictures, judged = from_zero_to_one(data.training.pixels), from_zero_to_one(data.validation.pixels)
noise = np.random.default_rng((SEED, 9)).normal(0.0, {noise}, judged.shape)
given = np.clip(judged + noise, 0.0, 1.0).astype(np.float32)
flat = pictures[:2000].reshape(len(pictures[:2000]), -1)


def train(size: int) -> keras.Model:
    keras.utils.set_random_seed(SEED)
    encoder, decoder = {build}
    model = keras.Model(encoder.inputs[0], decoder(encoder.outputs[0]))
    noisy = keras.layers.GaussianNoise({noise}, seed=SEED)(encoder.inputs[0]) if {noise} else encoder.inputs[0]
    learner = keras.Model(encoder.inputs[0], model(noisy))
    steps = {epochs} * -(-len(pictures) // {batch_size})
    learner.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay({learning_rate}, steps)),
        loss="mse",
        jit_compile=keras.backend.backend() == "jax",
    )
    learner.fit(
        pictures,
        pictures,
        validation_data=(given, judged),
        epochs={epochs},
        batch_size={batch_size},
        verbose=2,
    )
    return model


for size in {sizes}:
    model = train(size)
    model.save(f"autoencoder-{{size}}.keras")
    error = float(np.mean((model.predict(given, verbose=0) - judged) ** 2))
    print(f"{{size}} numbers: error {{error:.4f}}")
    if size <= min(flat.shape):  # PCA has no more directions than pixels or pictures
        pca = PCA(size, svd_solver="randomized", random_state=SEED).fit(flat)
        straight = pca.inverse_transform(pca.transform(given.reshape(len(given), -1))).reshape(judged.shape)
        print(f"    PCA {{np.mean((straight - judged) ** 2):.4f}}")
"""

_BUILDS = {
    "convolutional": "convolutional_autoencoder(pictures.shape[1:], size, halvings)",
    "dense": "dense_autoencoder(pictures.shape[1:], size)",
}


def script(config: Config, settings: Mapping[str, Any]) -> str:
    """Return the script.

    Args:
        config: of the run.
        settings: all of them, checked.
    """
    network = settings["network"]
    needed = ["convolved", "doubled"] if network == "convolutional" else []
    loaded = loading(config.data, "SEED", "pictures")
    body = _BODY.format(seed=config.seed, **loaded, build=_BUILDS[network], **settings)
    header = _HEADER.format(title=in_docstring(config.title or "autoencoder"), **loaded)
    return header + functions("picture_networks.py", *needed, f"{network}_autoencoder") + "\n" + body
