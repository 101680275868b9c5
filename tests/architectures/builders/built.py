"""Builds networks to be counted, not run: no weight is allocated, and each network once for all tests."""

from __future__ import annotations

import importlib
import math
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import keras


def builder(name: str) -> Callable[..., keras.Model]:
    """Return the function "module.function" of the builders."""
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(f"explorer.architectures.builders.{module}"), function)


def without_weights(build: Callable[..., keras.Model], **arguments: Any) -> keras.Model:
    """Return a network whose weights have shapes but no values."""
    built: list[keras.Model | Exception] = []

    def work() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                built.append(build(**arguments))
        except Exception as error:
            built.append(error)

    # Keras remembers, for each thread, the weights that still lack values, and gives them some when the next network
    # is built there. In a thread that ends they are forgotten.
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(built[0], Exception):
        raise built[0]
    return built[0]


@cache
def outline(name: str, **arguments: Any) -> keras.Model:
    """Return the network of a builder "module.function", without values in its weights."""
    return without_weights(builder(name), **arguments)


def parameters(layer: Any) -> int:
    """Return the number of a layer's or network's weights."""
    return sum(math.prod(weight.shape) for weight in layer.weights)


def trainable(layer: Any) -> int:
    """Return how many of them training changes."""
    return sum(math.prod(weight.shape) for weight in layer.trainable_weights)


def shape(model: keras.Model, name: str) -> tuple[int, ...]:
    """Return the output shape of the layer of that name, without the batch."""
    return tuple(model.get_layer(name).output.shape[1:])
