"""Mixed precision: a GPU computes in 16 bits, weights and saved networks keep 32.

Micikevicius and others, "Mixed Precision Training" (2018). Keras scales the loss by itself, so that small gradients do
not vanish among the 16-bit numbers.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from explorer.runs.lessons.mixed_precision import MIXED_PRECISION


def is_wanted(settings: Mapping[str, Any], device: str) -> bool:
    """Tell whether a run computes in 16 bits: where it was asked for, and on a GPU, since a CPU is slower with it.

    Args:
        settings: of the run's lesson.
        device: what it computes on, as a visitor reads it.
    """
    return settings.get(MIXED_PRECISION) is True and device.startswith("GPU")


@contextlib.contextmanager
def precision(settings: Mapping[str, Any], device: str) -> Iterator[None]:
    """Have networks that are made meanwhile compute in 16 bits, where that is wanted."""
    if not is_wanted(settings, device):
        yield
        return
    keras = importlib.import_module("keras")  # by name, since the web process knows this module, too
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def keep_in_full(model: Any) -> None:
    """Have all layers of a trained network compute in 32 bits from the next call on, on whatever device that will be.

    Args:
        model: of Keras, or a layer; changed in place. Its weights have 32 bits anyway.
    """
    for layer in getattr(model, "layers", ()):
        keep_in_full(layer)
    policy = getattr(model, "dtype_policy", None)
    if policy is not None and policy.name.startswith("mixed"):
        model.dtype_policy = "float32"
