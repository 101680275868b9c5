"""The lectures' networks for digits, dense and convolutional, for pictures of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.runs.lessons.dense_convolutional import Treatment

if TYPE_CHECKING:
    import keras

HIDDEN = (500, 50)
LEAST_DEVIATION = 0.05
"""Standard deviation, of pixels from 0 to 1, that a standardised pixel is divided by at least."""


def statistics(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of each pixel for standardisation, (h, w, c) each.

    Where a pixel never varies, or hardly, the variance is `LEAST_DEVIATION` squared: a speck that no training picture
    has there stays a number of ordinary size.

    Args:
        pictures: float (n, h, w, c), from 0 to 1.
    """
    deviation = np.maximum(pictures.std(axis=0, dtype=np.float64), LEAST_DEVIATION)
    return pictures.mean(axis=0, dtype=np.float64), deviation**2


def build(
    network: str,
    input_shape: tuple[int, int, int],
    classes: int,
    treatment: Treatment,
    pixels: tuple[np.ndarray, np.ndarray] | None = None,
) -> keras.Model:
    """Return "dense", "cnn1" or "cnn2" with logits.

    Args:
        network: which.
        input_shape: (height, width, channels).
        classes: how many.
        treatment: batch normalisation, dropout and penalties.
        pixels: mean and variance of each pixel, where it is to be standardised.
    """
    import keras
    from keras import layers

    picture = keras.Input(input_shape, name="picture")
    x: Any = picture
    if pixels is not None:
        mean, variance = pixels
        x = layers.Normalization(axis=(1, 2, 3), mean=mean, variance=variance, name="standardise")(x)
    x = {"dense": _dense, "cnn1": _cnn1, "cnn2": _cnn2}[network](x, treatment)
    logits = layers.Dense(classes, name="classes", **_penalty(treatment))(x)
    return keras.Model(picture, logits, name=network)


def _dense(x: Any, treatment: Treatment) -> Any:
    from keras import layers

    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate(HIDDEN, start=1):
        x = layers.Dense(units, name=f"dense_{number}", **_penalty(treatment))(x)
        x = _normed(x, treatment, f"dense_{number}")
        x = _dropped(x, treatment, f"dense_{number}")
    return x


def _cnn1(x: Any, treatment: Treatment) -> Any:
    from keras import layers

    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_1", **_penalty(treatment))(x)
    x = layers.Flatten(name="flatten")(x)
    return _dropped(x, treatment, "flatten")


def _cnn2(x: Any, treatment: Treatment) -> Any:
    from keras import layers

    for block, filters in enumerate((8, 16), start=1):
        for number in (1, 2):
            name = f"conv_{block}_{number}"
            x = layers.Conv2D(filters, 3, padding="same", name=name, **_penalty(treatment))(x)
            x = _normed(x, treatment, name)
        x = layers.MaxPooling2D(2, name=f"pool_{block}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = _dropped(x, treatment, "flatten")
    x = layers.Dense(40, name="dense_1", **_penalty(treatment))(x)
    return _dropped(_normed(x, treatment, "dense_1"), treatment, "dense_1")


def _normed(x: Any, treatment: Treatment, name: str) -> Any:
    from keras import layers

    if treatment.batch_norm:
        # Runs are short: the running statistics must follow within a few dozen steps.
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _dropped(x: Any, treatment: Treatment, name: str) -> Any:
    from keras import layers

    return layers.Dropout(treatment.dropout, name=f"{name}_dropout")(x) if treatment.dropout else x


def _penalty(treatment: Treatment) -> dict[str, Any]:
    import keras

    if not (treatment.l1 or treatment.l2):
        return {}
    return {"kernel_regularizer": keras.regularizers.L1L2(treatment.l1, treatment.l2)}
