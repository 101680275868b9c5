"""Networks in this worker: built once, shared by everybody, as many as memory allows."""

from __future__ import annotations

import importlib
import inspect
import logging
import math
import threading
import weakref
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import keras
import numpy as np

from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry
from explorer.networks.drawn import weights as drawn_weights
from explorer.networks.preprocessing import TORCH_DEVIATION
from explorer.networks.tap import lock_of
from explorer.networks.work_context import SentenceError
from explorer.settings import get_settings

Weights = Literal["trained", "random"]

log = logging.getLogger(__name__)


class WeightsMissing(SentenceError):  # noqa: N818
    """The trained weights are not on this machine; the text says how large they are and where they belong."""


class WeightsBroken(SentenceError):  # noqa: N818
    """The file of trained weights cannot be read, or belongs to another network."""


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network that is ready to compute.

    Attributes:
        entry: What the catalogue says about it.
        model: The keras.Model, built; its output are logits for every network of the catalogue.
        weights: "trained" or "random".
        lock: Held by whoever runs the model; taps change it while they last.
        nbytes: Bytes of its variables.
    """

    entry: NetworkEntry
    model: keras.Model
    weights: Weights
    lock: threading.RLock = field(init=False, repr=False)
    nbytes: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lock", lock_of(self.model))
        object.__setattr__(self, "nbytes", bytes_of(self.model))


def bytes_of(model: keras.Model) -> int:
    """Return the bytes that a model's variables take."""
    return sum(math.prod(variable.shape) * _item_bytes(variable.dtype) for variable in model.variables)


def _item_bytes(dtype: Any) -> int:
    name = keras.backend.standardize_dtype(dtype)
    return 2 if name == "bfloat16" else np.dtype(name).itemsize


class _Loading:
    """A network that one thread builds while others wait for it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.network: LoadedNetwork | None = None
        self.error: BaseException | None = None


Key = tuple[str, str, Any]

_lock = threading.Lock()
_build_lock = threading.Lock()
_kept: OrderedDict[Key, LoadedNetwork] = OrderedDict()
# Also those that were evicted while somebody still holds them: they are handed out again, not built twice.
_alive: weakref.WeakValueDictionary[Key, LoadedNetwork] = weakref.WeakValueDictionary()
_underway: dict[Key, _Loading] = {}


def load(name: str, weights: Weights = "trained") -> LoadedNetwork:
    """Return a network, building it unless this worker has it already.

    Threads that ask for one network at the same time wait for one build. The networks that nobody asked for
    longest are let go when all together exceed `settings.network_cache_megabytes`; one that computes stays.

    Args:
        name: Name in the catalogue.
        weights: "trained", or "random": drawn by the network's own initialisers from a seed that depends
            on its name only, so that all workers have the same.

    Returns:
        The network, shared: hold its lock while it runs (activations and gradients do so themselves).

    Raises:
        KeyError: if the catalogue has no such network.
        ValueError: if weights is neither "trained" nor "random".
        WeightsMissing: if the trained weights are not on this machine.
        WeightsBroken: if their file cannot be used.
    """
    if weights not in ("trained", "random"):
        raise ValueError(f'Weights are "trained" or "random", not {weights!r}.')
    entry = catalogue.entry(name)
    key = (name, weights, _version(entry, weights))
    with _lock:
        network = _kept.get(key) or _alive.get(key)
        if network is not None:
            _keep(key, network)
            return network
        loading = _underway.get(key)
        mine = loading is None
        if loading is None:
            loading = _underway[key] = _Loading()
    if mine:
        try:
            loading.network = _build(entry, weights)
        except BaseException as error:
            loading.error = error
            raise
        finally:
            with _lock:
                del _underway[key]
                if loading.network is not None:
                    _alive[key] = loading.network
                    _keep(key, loading.network)
            loading.done.set()
    else:
        loading.done.wait()
    if loading.network is None:
        if isinstance(loading.error, SentenceError):
            raise type(loading.error)(str(loading.error)) from loading.error
        raise RuntimeError(f"{entry.title} could not be loaded.") from loading.error
    return loading.network


def release_all() -> None:
    """Let go of every network; those in use live until their users are done."""
    with _lock:
        _kept.clear()
        _alive.clear()


def loaded_bytes() -> int:
    """Return the bytes of the networks that are kept."""
    with _lock:
        return sum(network.nbytes for network in _kept.values())


def _version(entry: NetworkEntry, weights: Weights) -> Any:
    """What the cached network depends on besides its name: the registered builder and the weights file."""
    path = catalogue.weights_path(entry) if weights == "trained" or _is_whole(entry) else None
    changed: tuple[int, ...] | None = None
    if path is not None:
        try:
            stat = path.stat()
            changed = stat.st_mtime_ns, stat.st_size, stat.st_ino
        except OSError:
            raise WeightsMissing(missing_sentence(entry)) from None
    elif weights == "trained":
        raise WeightsMissing(missing_sentence(entry))
    return catalogue.builder_path(entry.name), None if path is None else str(path), changed


def _keep(key: Key, network: LoadedNetwork) -> None:
    """Put a network last in line and let go of the first ones; to be called under the lock."""
    _kept[key] = network
    _kept.move_to_end(key)
    limit = get_settings().network_cache_megabytes * 1_000_000
    total = sum(other.nbytes for other in _kept.values())
    for other_key, other in list(_kept.items()):
        if total <= limit:
            return
        if other is network or not other.lock.acquire(blocking=False):
            continue
        try:
            del _kept[other_key]
            total -= other.nbytes
            log.info("Let go of %s (%s).", other.entry.name, other.weights)
        finally:
            other.lock.release()


def missing_sentence(entry: NetworkEntry) -> str:
    """Return the sentence for a visitor about trained weights that are not on this machine."""
    file = entry.weights
    if file is None:
        return f"There are no trained weights for {entry.title}."
    if file.kind == "model":
        return f"The network {entry.title} is not there any more."
    if file.kind == "bundled":
        return f"The weights of {entry.title} ({file.file_name}) are missing from this installation."
    return (
        f"The trained weights of {entry.title} (about {file.megabytes:.0f} MB) are not on this machine; "
        f"download them, or ask an administrator to put {file.file_name} "
        f"into {get_settings().weights_folder}."
    )


def _build(entry: NetworkEntry, weights: Weights) -> LoadedNetwork:
    """Build in a thread of its own: Keras numbers unnamed layers per thread, so names always start at 0."""
    result: list[keras.Model] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            result.append(_model(entry, weights))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name=f"build {entry.name}", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return LoadedNetwork(entry, result[0], weights)


def _model(entry: NetworkEntry, weights: Weights) -> keras.Model:
    with _build_lock, _seeded(zlib.crc32(entry.name.encode())):
        if catalogue.is_application(entry.name):
            model = _application(entry, weights)
        elif _is_whole(entry):
            with _openable(entry):
                model = _builder(catalogue.builder_path(entry.name))(entry.name, weights)
        else:
            with _buildable(entry):
                model = _builder(catalogue.builder_path(entry.name))(entry.name)
            if weights == "trained":
                with _readable(entry):
                    _fill(model, entry)
    return model


def _is_whole(entry: NetworkEntry) -> bool:
    """Tell whether a network's file has all of it, so that also its random weights need the file."""
    return entry.weights is not None and entry.weights.kind == "model"


def _builder(path: str) -> Callable[..., keras.Model]:
    module, _, function = path.partition(":")
    return getattr(importlib.import_module(module), function)


def _fill(model: keras.Model, entry: NetworkEntry) -> None:
    if entry.weights is not None and entry.weights.kind == "bundled":
        drawn_weights.load_weights(model, entry.name)
    else:
        model.load_weights(catalogue.weights_path(entry))


@contextmanager
def _buildable(entry: NetworkEntry) -> Iterator[None]:
    """Turn it into a sentence where Keras refuses to build a network, as it does with NASNetMobile on PyTorch."""
    try:
        yield
    except (ValueError, NotImplementedError) as error:
        raise SentenceError(f"Keras cannot build {entry.title} on its {keras.backend.backend()} backend.") from error


@contextmanager
def _readable(entry: NetworkEntry) -> Iterator[None]:
    """Turn whatever goes wrong while weights are read into a sentence."""
    try:
        yield
    except FileNotFoundError:
        raise WeightsMissing(missing_sentence(entry)) from None
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError) as error:
        file_name = entry.weights.file_name if entry.weights else "of the weights"
        raise WeightsBroken(
            f"The file {file_name} cannot be used for {entry.title}: it is damaged or belongs to another "
            f"network; remove it from {get_settings().weights_folder} and fetch it again."
        ) from error


@contextmanager
def _openable(entry: NetworkEntry) -> Iterator[None]:
    """Turn whatever goes wrong while a whole model is opened into a sentence, except a lack of memory."""
    try:
        yield
    except (SentenceError, MemoryError):
        raise
    except FileNotFoundError:
        raise WeightsMissing(missing_sentence(entry)) from None
    except Exception as error:  # a damaged file may bring any of zipfile's, h5py's, JSON's and Keras'
        if {each.__name__ for each in type(error).__mro__} & {"ResourceExhaustedError", "OutOfMemoryError"}:
            raise
        raise WeightsBroken(
            f"The network {entry.title} cannot be opened: its file is damaged, or was made by another version of this "
            "app or of Keras."
        ) from error


def _application(entry: NetworkEntry, weights: Weights) -> keras.Model:
    """Build a network of keras.applications that gives logits.

    Keras itself offers `classifier_activation=None`; the softmax is computed where probabilities are shown.
    """
    build = getattr(keras.applications, entry.name)
    arguments: dict[str, Any] = {"input_shape": (*entry.input_size, 3), "classifier_activation": None}
    with _buildable(entry):
        model = build(weights=None, **arguments)
    if weights == "random":
        return model
    with _readable(entry):
        model.load_weights(catalogue.weights_path(entry))
        if entry.family == "EfficientNet":
            _as_efficientnet_was_trained(model)
    return model


def _as_efficientnet_was_trained(model: keras.Model) -> None:
    """Divide the input once more by the square root of the deviations.

    EfficientNet's ImageNet weights expect (x - mean) / deviation, but their file holds the deviation as the
    layer's variance. Keras adds a layer for this only to a model that it fills itself (`weights="imagenet"`),
    not to one filled from a path, whose answers are quietly wrong; here the layer's variance is corrected.
    """
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
    layer.adapt_variance.assign(layer.adapt_variance * np.array(TORCH_DEVIATION, np.float32))
    layer.finalize_state()


@contextmanager
def seeded_building(seed: int) -> Iterator[None]:
    """Build models inside so that all that is drawn at random depends on the seed; one thread builds at a time."""
    with _build_lock, _seeded(seed):
        yield


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed, in this thread, every initialiser that has no seed of its own; to be used under the build lock.

    Keras seeds them from Python's global generator, on which other threads draw as well.
    """
    add_weight = keras.Layer.add_weight
    signature = inspect.signature(add_weight)
    thread = threading.get_ident()
    drawn = 0

    def add_seeded_weight(self: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        nonlocal drawn
        if threading.get_ident() != thread:
            return add_weight(self, *args, **kwargs)
        bound = signature.bind(self, *args, **kwargs)
        given = bound.arguments.get("initializer")
        dtype = bound.arguments.get("dtype") or self.variable_dtype
        if given is None and "float" in keras.backend.standardize_dtype(dtype):
            given = "glorot_uniform"  # what add_weight itself would take
        initializer = given if given is None else keras.initializers.get(given)
        if isinstance(initializer, keras.initializers.Initializer):
            config = initializer.get_config()
            if "seed" in config and config["seed"] is None:
                drawn += 1
                initializer = type(initializer).from_config({**config, "seed": (seed + drawn) % 2**31})
            bound.arguments["initializer"] = initializer
        return add_weight(*bound.args, **bound.kwargs)

    keras.Layer.add_weight = add_seeded_weight
    try:
        yield
    finally:
        keras.Layer.add_weight = add_weight
