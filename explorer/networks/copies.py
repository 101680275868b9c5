"""A network to spoil: a faithful copy, or one of the same architecture that has never been trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from explorer.networks.loading import LoadedNetwork, seeded_building
from explorer.networks.tap import lock_of, model_of, tapped
from explorer.networks.work_context import SentenceError


def copy_of(network: Any) -> Any:
    """Return a copy with the same layers and weights that shares nothing with the network.

    Args:
        network: A loaded network or a keras.Model that is built.

    Returns:
        A loaded network (outside of the cache), or a model, as was given.

    Raises:
        SentenceError: if the network's code does not say how to build it again.
    """
    with lock_of(network):
        copied = _built_again(network, seed=0)
        for variable, own in zip(copied.weights, model_of(network).weights, strict=True):
            variable.assign(keras.ops.convert_to_numpy(own))
    _finalize(copied)
    return _like(network, copied)


def untrained(network: Any, seed: int = 0) -> Any:
    """Return a network of the same architecture whose weights its layers' own initialisers have drawn.

    Args:
        network: A loaded network or a keras.Model that is built.
        seed: Of all initialisers that have none of their own.

    Returns:
        A loaded network (outside of the cache), or a model, as was given.

    Raises:
        SentenceError: if the network's code does not say how to build it again.
    """
    with lock_of(network):
        return _like(network, _built_again(network, seed))


def drawn_anew(layer: keras.Layer, seed: int) -> list[Any] | None:
    """Return tensors for a layer's weights that its own initialisers have drawn; the layer stays as it is.

    Args:
        layer: A layer that is built.
        seed: Of all initialisers that have none of their own.

    Returns:
        Tensors in the order of `layer.weights`; None if the layer does not say how to build it alone.
    """
    try:
        with seeded_building(seed):
            again = type(layer).from_config(layer.get_config())
            again.build_from_config(layer.get_build_config())
    except Exception:  # whatever somebody's own layer raises: it can still be built with its network
        return None
    if [tuple(each.shape) for each in again.weights] != [tuple(each.shape) for each in layer.weights]:
        return None
    return [keras.ops.convert_to_tensor(each) for each in again.weights]


def layers_with_weights(network: Any, batch: np.ndarray) -> dict[str, keras.Layer]:
    """Return the layers that have weights by path, in the order in which a pass calls them for the first time.

    Args:
        network: A loaded network or a keras.Model.
        batch: A prepared input (n, …).
    """
    found: dict[str, keras.Layer] = {}
    seen: set[int] = set()

    def watch(path: str, layer: Any, given: list[Any], gave: list[Any]) -> None:
        if path and id(layer) not in seen and not isinstance(layer, keras.Model) and getattr(layer, "weights", None):
            seen.add(id(layer))
            found[path] = layer

    with lock_of(network), tapped(network, lambda path, tensor: None, watch=watch) as model:
        model(batch)
    return found


def _built_again(network: Any, seed: int) -> keras.Model:
    model = model_of(network)
    try:
        with seeded_building(seed):
            again = keras.models.clone_model(model)
        if len(again.weights) != len(model.weights):
            raise ValueError("The copy has other weights.")
    except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
        raise SentenceError(
            "This network cannot be copied, because its code does not say how to build it again "
            "(its class needs get_config and from_config)."
        ) from error
    return again


def _finalize(model: keras.Model) -> None:
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization) and layer.built and layer.input_mean is None:
            layer.finalize_state()  # what it subtracts was computed from the weights when it was built


def _like(network: Any, model: keras.Model) -> Any:
    return LoadedNetwork(network.entry, model, network.weights) if isinstance(network, LoadedNetwork) else model
