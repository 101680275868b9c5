"""Adversarial pictures inside an L2 ball: one step along the gradient, or several projected ones (PGD)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from explorer.networks.gradients import ValueAndGradient

InputGradient = Callable[[np.ndarray, np.ndarray], np.ndarray]


def input_gradient(model: keras.Model) -> InputGradient:
    """Return a compiled function: the gradient of the cross-entropy with respect to the pictures.

    Args:
        model: pictures `(n, h, w, 3)` to logits; it runs in inference mode (batch norm's moving averages).

    Returns:
        A function of pictures float32 `(n, h, w, 3)` and labels int `(n,)` that gives float32 `(n, h, w, 3)`.
    """

    def loss(pictures_and_truth: Any) -> Any:
        pictures, truth = pictures_and_truth
        logits = keras.ops.cast(model(pictures, training=False), "float32")
        return keras.ops.sum(keras.losses.categorical_crossentropy(truth, logits, from_logits=True))

    both = ValueAndGradient(loss, compiled=True, variables=model.variables)
    one_hot = np.eye(model.output_shape[-1], dtype=np.float32)
    return lambda pictures, labels: both([pictures, one_hot[labels]])[1][0]


def fast_gradient(gradient: InputGradient, pictures: np.ndarray, labels: np.ndarray, radius: float) -> np.ndarray:
    """Move each picture by `radius` (L2 norm, [0, 1] scale) along its unit gradient, then clip to [0, 1].

    Source: Goodfellow, Shlens and Szegedy 2015, "Explaining and harnessing adversarial examples", with the
    L2 norm in place of the maximum norm.
    """
    if radius == 0:
        return pictures
    return np.clip(pictures + radius * _unit(gradient(pictures, labels)), 0, 1)


def projected_gradient(
    gradient: InputGradient, pictures: np.ndarray, labels: np.ndarray, radius: float, *, steps: int = 10
) -> np.ndarray:
    """Climb the loss in steps of 2.5·radius/steps, each projected back into the L2 ball and into [0, 1].

    Source: Madry et al. 2018, "Towards deep learning models resistant to adversarial attacks", section 2.1,
    with the L2 norm; the start is the picture itself.
    """
    moved = pictures
    for _ in range(steps):
        moved = moved + 2.5 * radius / steps * _unit(gradient(moved, labels))
        away = moved - pictures
        norms = np.sqrt((away**2).sum((1, 2, 3), keepdims=True))
        moved = np.clip(pictures + away * np.minimum(1, radius / np.maximum(norms, 1e-12)), 0, 1).astype(np.float32)
    return moved


def _unit(gradient: np.ndarray) -> np.ndarray:
    norms = np.sqrt((gradient**2).sum((1, 2, 3), keepdims=True))
    return gradient / np.maximum(norms, 1e-12)
