"""The one number whose cause is asked for: a class's logit or probability, a channel, or one cell of a layer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from explorer.explanations.results import Score, Target
from explorer.explanations.survey import Survey, survey
from explorer.explanations.table import Method
from explorer.networks.predictions import squashing, without_activation
from explorer.networks.tap import Enough, tapped
from explorer.networks.work_context import SentenceError

ScoreFunction = Callable[[Any, Any, Any], tuple[Any, Any]]
# Stands for "each picture's own predicted class" where a number is needed.
OWN = -1


def score_function(network: Any, target: Target, score: Score, size: tuple[int, ...] | None = None) -> ScoreFunction:
    """Return the target's score as a function of tensors, written with `keras.ops`.

    Args:
        network: A loaded network or a keras.Model.
        target: What is explained; its index and `against` are arguments of the function, and only whether
            there is an `against` counts here.
        score: For classes, "logits" or "softmax" (the probability, which of a network that ends in sigmoids is
            the sigmoid). A channel or a cell has neither.
        size: (height, width, channels) of the pictures; None for the network's own.

    Returns:
        function(x, index, against) → (picked, scores): x (n, height, width, channels); index and against
        int32 (n,), where -1 stands for a picture's own predicted class; picked (n,) is the class or channel
        that was taken, scores (n,) float32. It calls the network: hold its lock.
    """
    difference = target.against is not None
    values_of = _classes(network, target, score, size) if target.kind == "class" else _layer(network, target)

    def function(x: Any, index: Any, against: Any) -> tuple[Any, Any]:
        values = keras.ops.cast(values_of(x), "float32")
        own = keras.ops.cast(keras.ops.argmax(values, axis=-1), "int32")
        index = keras.ops.where(index < 0, own, index)
        scores = _picked(values, index)
        return index, scores - _picked(values, against) if difference else scores

    return function


def _picked(values: Any, index: Any) -> Any:
    return keras.ops.take_along_axis(values, keras.ops.expand_dims(index, -1), axis=-1)[..., 0]


def _classes(network: Any, target: Target, score: Score, size: tuple[int, ...] | None) -> Callable[[Any], Any]:
    head = survey(network, size).heads[target.output]
    end = {"softmax": keras.ops.softmax, "sigmoid": keras.ops.sigmoid}[squashing(head) or "softmax"]
    # Probabilities that code gives are taken as they are: their softmax would be none of theirs.
    as_it_is = score == "logits" or gives_only_probabilities(network, target, size)

    def values_of(x: Any) -> Any:
        with without_activation(network, head) as model:
            logits = keras.tree.flatten(model(x))[target.output]
        return logits if as_it_is else end(keras.ops.cast(logits, "float32"))

    return values_of


def gives_only_probabilities(network: Any, target: Target, size: tuple[int, ...] | None = None) -> bool:
    """Return whether a network's logits cannot be had: its code gives probabilities, and no layer makes them.

    Args:
        network: A loaded network or a keras.Model.
        target: Whose output is meant.
        size: (height, width, channels) of the pictures; None for the network's own.
    """
    seen = survey(network, size)
    known = squashing(seen.heads[target.output])
    return target.kind == "class" and seen.probabilities[target.output] and known is None


def _layer(network: Any, target: Target) -> Callable[[Any], Any]:
    """A layer's channels: the mean over all places, or the values at one place; the pass ends there."""

    def values_of(x: Any) -> Any:
        found: list[Any] = []

        def see(path: str, tensor: Any) -> None:
            if path == target.layer:
                found.append(tensor)
                raise Enough

        with tapped(network, see, wanted=[target.layer]) as model, contextlib.suppress(Enough):
            model(x)
        values = found[0]
        if len(values.shape) == 2:
            return values
        if target.kind == "cell":
            return values[:, target.row, target.column, :]
        return keras.ops.mean(values, axis=tuple(range(1, len(values.shape) - 1)))

    return values_of


def checked(network: Any, target: Target, score: Score, about: Method, pictures: np.ndarray) -> Target:
    """Return the target if this network and method have it.

    Raises:
        SentenceError: if not; the text says why.
    """
    if target.kind not in about.targets:
        kinds = {"class": "classes", "channel": "channels", "cell": "single cells"}
        able = " and ".join(kinds[kind] for kind in about.targets)
        raise SentenceError(f"{about.title} explains {able}, not {kinds.get(target.kind, target.kind)}.")
    if score not in ("logits", "softmax"):
        raise SentenceError(f'A score is "logits" or "softmax", not {score!r}.')
    seen = survey(network, pictures.shape[1:])
    if target.kind == "class":
        return _checked_class(target, score, seen)
    shape = seen.layers.get(target.layer)
    if shape is None:
        raise SentenceError(f"The network has no layer {target.layer!r} that was called.")
    if len(shape) not in (1, 3):
        raise SentenceError(f"The layer {target.layer} has no channels on a grid: its output has shape {shape}.")
    if target.index is None:
        raise SentenceError("Which channel is meant must be said.")
    for number in filter(lambda number: number is not None, (target.index, target.against)):
        _within(number, shape[-1], f"channel of {target.layer}")
    if target.kind == "cell" and len(shape) == 3:
        _within(target.row, shape[0], f"row of {target.layer}")
        _within(target.column, shape[1], f"column of {target.layer}")
    return target


def _checked_class(target: Target, score: Score, seen: Survey) -> Target:
    _within(target.output, len(seen.outputs), "output of the network")
    shape = seen.outputs[target.output]
    if len(shape) != 1:
        raise SentenceError(
            f"An explanation needs one vector of classes for each picture; this output has shape {shape}."
        )
    classes = shape[0]
    if classes == 1 and score == "softmax" and squashing(seen.heads[target.output]) != "sigmoid":
        raise SentenceError("The softmax of a single class is always 1 and depends on nothing; choose logits.")
    for number in filter(lambda number: number is not None, (target.index, target.against)):
        _within(number, classes, "class of the network")
    if target.against is not None and target.against == target.index:
        raise SentenceError("A class cannot be set against itself; choose another one.")
    return target


def _within(number: Any, count: int, what: str) -> None:
    if int(number) != number or not 0 <= number < count:
        raise SentenceError(f"There is no {what} with number {number}; they go from 0 to {count - 1}.")
