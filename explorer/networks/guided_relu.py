"""Guided backpropagation's one change to a network: ReLUs let only positive gradients through on the way back."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras

# What a rectifier's own slope is 1 for: relu from 0 on, relu6 between 0 and 6.
_UPPER = {"relu": None, "relu6": 6.0}
# Made of rectifiers in some backends, but none themselves.
_NOT_MEANT = ("hard_sigmoid", "hard_silu", "leaky_relu", "selu", "elu")
_GUIDING = threading.local()
_install_lock = threading.Lock()
_installed = 0
_originals: list[tuple[Any, str, Callable]] = []


class Found:
    """How many rectifiers came by while a network ran."""

    def __init__(self) -> None:
        self.count = 0


@contextlib.contextmanager
def guided_relu() -> Iterator[Found]:
    """Give every ReLU that this thread runs (or traces) inside the `with` block the guided gradient.

    That is gradient · (gradient > 0) · (x > 0), and for ReLU6 also · (x < 6) (Springenberg et al. 2014,
    section 3.4). The functions of the backend are changed, not the network: so a ReLU is caught wherever it
    stands, as a layer, as a layer's activation, as an operation, or in somebody's own code, and the network
    stays as it was. Other threads keep the usual gradient. LeakyReLU and PReLU, which let
    negative values through, are left alone.

    Yields:
        The count of rectifiers that came by.
    """
    found = Found()
    outer = getattr(_GUIDING, "found", None)
    _install()
    _GUIDING.found = found
    try:
        yield found
    finally:
        _GUIDING.found = outer
        _uninstall()


def _install() -> None:
    global _installed
    with _install_lock:
        _installed += 1
        if _installed > 1:
            return
        for module in _modules():
            for name in (*_UPPER, *_NOT_MEANT):
                original = getattr(module, name, None)
                if original is None:
                    continue
                _originals.append((module, name, original))
                replacement = _unguided(original) if name in _NOT_MEANT else _perhaps_guided(original, _UPPER[name])
                setattr(module, name, replacement)


def _uninstall() -> None:
    global _installed
    with _install_lock:
        _installed -= 1
        if not _installed:
            for module, name, original in reversed(_originals):
                setattr(module, name, original)
            _originals.clear()


def _modules() -> list[Any]:
    """Where ReLU is looked up: Keras' functions of the backend, and the backend's own for code that uses them."""
    backend = keras.backend.backend()
    own = {"tensorflow": "tensorflow.nn", "jax": "jax.nn", "torch": "torch.nn.functional"}[backend]
    modules = [importlib.import_module(f"keras.src.backend.{backend}.nn")]
    parent, _, name = own.rpartition(".")
    modules.append(getattr(importlib.import_module(parent), name))
    return modules


def _perhaps_guided(original: Callable, upper: float | None) -> Callable:
    def relu(*args: Any, **kwargs: Any) -> Any:
        found = getattr(_GUIDING, "found", None)
        if found is None:
            return original(*args, **kwargs)
        found.count += 1
        _GUIDING.found = None  # the backend's own function stands below Keras'
        try:
            # The only other arguments that there are: a name, and whether to work in place.
            return _guided(original, upper)(args[0] if args else next(iter(kwargs.values())))
        finally:
            _GUIDING.found = found

    return relu


def _unguided(original: Callable) -> Callable:
    def function(*args: Any, **kwargs: Any) -> Any:
        found = getattr(_GUIDING, "found", None)
        _GUIDING.found = None
        try:
            return original(*args, **kwargs)
        finally:
            _GUIDING.found = found

    return function


def _guided(original: Callable, upper: float | None) -> Callable:
    def forward(x: Any) -> tuple[Any, Callable]:
        x = keras.ops.convert_to_tensor(x)
        active = x > 0 if upper is None else keras.ops.logical_and(x > 0, x < upper)

        def back(*args: Any, upstream: Any = None) -> Any:
            gradient = upstream if upstream is not None else args[0]
            allowed = keras.ops.logical_and(active, gradient > 0)
            return keras.ops.where(allowed, gradient, keras.ops.zeros_like(gradient))

        return original(x), back

    return keras.ops.custom_gradient(forward)
