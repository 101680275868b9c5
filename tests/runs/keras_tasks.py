"""Tasks for tests and benchmarks that train a small CNN on drawn noise, with Keras, in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.runs.context import RunContext
from explorer.runs.tasks import register

CLASSES = ("left", "right")


def pictures(count: int, side: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Noise that is brighter in its left or in its right half: (count, side, side, 3) and the classes."""
    generator = np.random.default_rng(0)
    labels = np.arange(count) % 2
    drawn = generator.random((count, side, side, 3), np.float32) * 0.5
    for label in (0, 1):
        drawn[labels == label, :, label * side // 2 : (label + 1) * side // 2] += 0.5
    return drawn, labels


def small_cnn(context: RunContext) -> None:
    """Train, save and describe; settings: count, epochs, batch_size, learning_rate, side."""
    import keras

    from explorer.runs.fitting import fit

    said: dict[str, Any] = context.config.settings
    side = said.get("side", 16)
    inputs, targets = pictures(said.get("count", 256), side)
    keras.utils.set_random_seed(context.config.seed)
    picture = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="conv")(picture)
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    outputs = keras.layers.Dense(2, name="logits")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(picture, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(said.get("learning_rate", 0.1))
    model.compile(optimizer, loss, metrics=["accuracy"])
    fit(context, model, inputs, targets, epochs=said.get("epochs", 2), batch_size=said.get("batch_size", 32))
    context.save_model(model)
    context.describe_model(classes=CLASSES, input_size=(side, side), parameters=model.count_params())


register("small_cnn", "keras_tasks:small_cnn")
