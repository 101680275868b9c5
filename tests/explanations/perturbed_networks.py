"""Small networks whose answers to a changed picture are known, and contexts that count and stop."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from explorer.networks.work_context import Stopped


def linear(shape: tuple[int, int, int] = (9, 7, 3), classes: int = 3, seed: int = 0) -> keras.Model:
    """Logits that are x · W + b."""
    random = np.random.default_rng(seed)
    given = keras.Input(shape, name="picture")
    model = keras.Model(given, layers.Dense(classes, name="logits")(layers.Flatten(name="flat")(given)), name="linear")
    model.set_weights([random.normal(size=weight.shape).astype(np.float32) for weight in model.weights])
    return model


def linear_weights(model: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """W (height, width, channels, classes) and b (classes,) in float64."""
    kernel, bias = (np.asarray(each, np.float64) for each in model.get_weights())
    return kernel.reshape(*model.input_shape[1:], -1), bias


def convolutional(shape: tuple[int, int, int] = (16, 12, 3), classes: int = 4, seed: int = 1) -> keras.Model:
    """Two convolutions with batch normalisation and ReLU, averaging, logits."""
    given = x = keras.Input(shape, name="picture")
    for number, filters in enumerate((6, 8), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv_{number}")(x)
        x = layers.BatchNormalization(name=f"norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    model = keras.Model(given, layers.Dense(classes, name="logits")(x), name="convolutional")
    random = np.random.default_rng(seed)
    for weight in model.weights:
        values = random.normal(scale=0.5, size=weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    return model


def logits(model: keras.Model, pictures: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(np.asarray(pictures, np.float32))))


def pictures(shape: tuple[int, ...], count: int = 1, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).random((count, *shape)).astype(np.float32)


class Listening:
    """A context that keeps all reports and says stop after a number of batches of a kind."""

    def __init__(self, stop_after: float = float("inf")) -> None:
        self.stop_after = stop_after
        self.reports: list[tuple[Any, Any, str, str]] = []
        self.payloads: list[Any] = []
        self.parts: list[int] = []
        self.batches = 0

    def report(
        self,
        done: Any = None,
        total: Any = None,
        unit: str = "",
        message: str = "",
        payload: Any = None,
        part: int = 0,
    ) -> None:
        self.reports.append((done, total, unit, message))
        if payload is not None:
            self.payloads.append(payload)
            self.parts.append(part)

    def stopped(self) -> bool:
        return self.batches >= self.stop_after

    def raise_if_stopped(self) -> None:
        if self.stopped():
            raise Stopped

    def told(self) -> dict[str, Any]:
        return {}

    def should_yield(self) -> bool:
        return False


def counting_batches(monkeypatch: Any, context: Listening) -> None:
    """Let a context hear of every batch that goes through a network for an explanation."""
    from explorer.explanations.question import Question

    call = Question.call

    def counted(self: Question, *arguments: Any, **more: Any) -> Any:
        result = call(self, *arguments, **more)
        context.batches += 1
        return result

    monkeypatch.setattr(Question, "call", counted)
