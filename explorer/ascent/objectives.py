"""What is wanted of an image: a channel, a neuron, a direction, a whole layer, a class's logit or its evidence.

An objective is a function from the network's input to one value for each picture, the larger the better. It
looks into the network by a tap, so that nested, shared and residual layers are all alike, and ends the pass as soon
as it has seen what it needs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from explorer.ascent.few_channels import few_channels
from explorer.ascent.passing import (
    Size,
    activation_of,
    called,
    is_activation,
    is_rectifier,
    layer_passed,
    passed,
    preactivation,
    redirected,
    without_activation,
)
from explorer.ascent.results import Plan
from explorer.networks.predictions import giving_logits
from explorer.networks.tap import Enough, model_of, plain_name, tapped
from explorer.networks.work_context import SentenceError

CENTRE = 1 / 4
"""Share of the side of the last maps that counts as their centre: 3 of 12 cells, room for one object."""


def mean_of_others(logits: Any, selection: Any, classes: int) -> Any:
    """Return the mean logit of all classes but one's own."""
    return keras.ops.sum(logits * (1 - selection), axis=-1) / (classes - 1)


CLASS_OBJECTIVES = ("class", "class_evidence")


@dataclass(frozen=True)
class Objective:
    """A plan's objective for one network.

    Attributes:
        values: `values(x, selection, leak)` returns (values (n,), maps (n, h, w, c) or None) as tensors: x is the
            network's input, selection (n, targets) weighs channels or classes, leak is how much of the gradient
            shut ReLUs pass on (only where `redirects`).
        width: Number of channels or classes that a selection weighs; 0 where there is nothing to select.
        redirects: Whether `leak` matters.
        notes: Sentences that belong beside the images.
        alone: `alone(x, channels)` returns values (n,), as `values` does where image i wants nothing but
            channels[i], an int tensor (n,), at less cost; None where there is no such way.
    """

    values: Callable[[Any, Any, Any], tuple[Any, Any]]
    width: int
    redirects: bool
    notes: tuple[str, ...] = ()
    alone: Callable[[Any, Any], Any] | None = None


def objective_of(network: Any, plan: Plan, size: Size) -> Objective:
    """Return the objective that a plan names.

    Args:
        network: A loaded network or a keras.Model. Its lock is held whenever `values` is called.
        plan: Its `objective`, `layer` and `cell` count; targets and direction come as the selection.
        size: (height, width) of the images.

    Raises:
        SentenceError: if the network has no such layer or class, or no classes at all.
    """
    if plan.objective in CLASS_OBJECTIVES:
        return _of_classes(network, plan, size)
    return _of_layer(network, plan, size)


def _of_layer(network: Any, plan: Plan, size: Size) -> Objective:
    if not plan.layer:
        raise SentenceError("Choose a layer for this objective.")
    target = layer_passed(network, plan.layer, size)
    before = preactivation(network, plan.layer)
    cell = _cell(target.shape, plan.cell) if plan.objective == "neuron" else None
    as_it_is = plan.objective == "layer"

    def values(x: Any, selection: Any, leak: Any) -> tuple[Any, Any]:
        maps = maps_of(network, x, plan.layer, kind="as it is" if as_it_is else before.kind, leak=leak)
        if as_it_is:
            squares = keras.ops.square(maps)
            return keras.ops.mean(keras.ops.reshape(squares, (squares.shape[0], -1)), axis=1), maps
        return keras.ops.sum(answers_of(maps) * selection, axis=-1), maps

    def answers_of(maps: Any) -> Any:
        if cell is not None and len(maps.shape) == 4:
            return maps[:, cell[0], cell[1]]
        if len(maps.shape) > 2:
            return keras.ops.mean(maps, axis=tuple(range(1, len(maps.shape) - 1)))
        return maps

    few = few_channels(network, plan.layer, before.kind) if plan.objective in ("channel", "neuron") else None

    def alone(x: Any, channels: Any) -> Any:
        assert few is not None
        # Of every image to every image's channel.
        answers = few.means(x, channels) if cell is None else answers_of(few.maps(x, channels))
        return keras.ops.sum(answers * keras.ops.eye(answers.shape[0]), axis=-1)

    notes = (before.note,) if before.note and not as_it_is else ()
    width = 0 if as_it_is else target.shape[-1]
    return Objective(values, width, before.kind == "redirected" and not as_it_is, notes, None if few is None else alone)


def _cell(shape: tuple[int, ...], cell: tuple[int, int] | None) -> tuple[int, int] | None:
    if len(shape) != 3:
        return None
    height, width = shape[:2]
    row, column = (height // 2, width // 2) if cell is None else cell
    if not (0 <= row < height and 0 <= column < width):
        raise SentenceError(f"The layer's maps have {height} × {width} cells; choose one of these.")
    return row, column


def maps_of(network: Any, x: Any, path: str, *, kind: str, leak: Any = 0.0) -> Any:
    """Return what a layer answers, before its activation where there is such a place; the pass ends there.

    Args:
        network: A loaded network or a keras.Model; its lock is taken.
        x: Its input, a tensor.
        path: Of the layer.
        kind: See `Preactivation`.
        leak: See `redirected`; of no matter for the other kinds.

    Returns:
        Tensor (n, …).
    """
    found: list[Any] = []
    given_last: list[Any] = [None]
    name = plain_name(path)
    everything = passed(network, until=path)
    quiet: dict[int, tuple[Any, Any]] = {}
    if kind == "inside":
        layer = everything[path].layer
        quiet[id(layer)] = (layer, activation_of(layer))
    elif kind == "redirected":
        for one in everything.values():
            if is_rectifier(one.layer) and activation_of(one.layer) is not None:
                quiet[id(one.layer)] = (one.layer, activation_of(one.layer))
    current: list[Any] = [None]

    def watch(at: str, layer: Any, given: list[Any], put: list[Any]) -> None:
        current[0], given_last[0] = layer, given[0] if given else None
        if at == path and kind == "before":
            found.append(given[0])
            raise Enough

    def see(at: str, tensor: Any) -> Any:
        layer = current[0]
        replacement = None
        before = quiet.get(id(layer))
        if before is not None and not (at == path and kind == "inside"):
            replacement = before[1](tensor)
            if kind == "redirected":
                replacement = redirected(layer, tensor, replacement, leak)
        elif kind == "redirected" and is_activation(layer) and is_rectifier(layer):
            replacement = redirected(layer, given_last[0], tensor, leak)
        if at == path:
            found.append(tensor if replacement is None else replacement)
            raise Enough
        return replacement

    wanted = None if kind == "redirected" else (path, name)
    with (
        tapped(network, see, wanted=wanted, watch=watch) as model,
        without_activation([layer for layer, _ in quiet.values()]),
        contextlib.suppress(Enough),
    ):
        called(model, x)
    if not found:
        raise SentenceError(f"The network has no layer {path!r} that was called.")
    return keras.ops.cast(found[-1], "float32")


def classes_of(network: Any) -> int:
    """Return the number of classes that a network tells apart.

    Raises:
        SentenceError: if its (first) output is not one vector for each picture.
    """
    shape = getattr(model_of(network), "output_shape", None)
    if isinstance(shape, dict):
        shape = list(shape.values())
    if isinstance(shape, list):
        shape = shape[0]
    if shape is None:
        shape = (None, *list(passed(network).values())[-1].shape)
    if len(shape) != 2 or not shape[1]:
        raise SentenceError("This network does not answer with classes; choose a layer and a channel instead.")
    return int(shape[1])


def last_maps(network: Any, size: Size | None = None) -> tuple[str, bool]:
    """Return the last layer with spatial extent, and whether its average alone makes the classes.

    Args:
        network: A loaded network or a keras.Model.
        size: (height, width) of its input.

    Returns:
        (path, averaged); ("", False) where no layer has more than one cell.
    """
    layers = passed(network, size)
    last, averaged = "", False
    for path, one in layers.items():
        name = type(one.layer).__name__
        if name in ("GlobalAveragePooling2D", "Mean") and last:
            source = one.source
            if source in layers and len(layers[source].shape) == 3:
                last = source
            averaged = True
        elif len(one.shape) == 3 and one.shape[0] * one.shape[1] > 1 and type(one.layer).__name__ != "InputLayer":
            last, averaged = path, False
    return last, averaged


def _of_classes(network: Any, plan: Plan, size: Size) -> Objective:
    classes = classes_of(network)
    path, averaged = last_maps(network, size)
    shape = passed(network, size)[path].shape if path else (1, 1, 1)
    centred = plan.objective == "class_evidence" and averaged
    notes: tuple[str, ...] = ()
    if plan.objective == "class_evidence" and not averaged:
        notes = ("This network does not average its last maps, so the whole image counts, not its centre.",)
    window = centre_window(shape[0], shape[1])

    def values(x: Any, selection: Any, leak: Any) -> tuple[Any, Any]:
        seen: list[Any] = []

        def see(at: str, tensor: Any) -> Any:
            if at != path:
                return None
            seen.append(tensor)
            return tensor * keras.ops.cast(keras.ops.convert_to_tensor(window), tensor.dtype) if centred else None

        with giving_logits(network), tapped(network, see, wanted=(path,)) as model:
            logits = keras.ops.cast(keras.tree.flatten(called(model, x))[0], "float32")
        own = keras.ops.sum(logits * selection, axis=-1)
        if plan.objective == "class_evidence" and classes > 1:
            own = own - mean_of_others(logits, selection, classes)
        return own, keras.ops.cast(seen[-1], "float32") if seen else None

    return Objective(values, classes, False, notes)


def centre_window(height: int, width: int) -> np.ndarray:
    """Return weights of a map's cells: its centre (see `CENTRE`) counts, scaled so that the map's mean is the centre's.

    Returns:
        float32 (1, height, width, 1).
    """
    window = np.zeros((1, height, width, 1), np.float32)
    rows, columns = (max(1, round(side * CENTRE)) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    window[:, top : top + rows, left : left + columns] = height * width / (rows * columns)
    return window


def selection_of(plan: Plan, width: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return which channels or classes each image of a plan is for.

    Args:
        plan: Its targets, copies and direction count.
        width: Number of channels or classes; 0 for an objective that selects nothing.

    Returns:
        (selection, targets): float32 (n, max(width, 1)) and the n targets, the copies of one together.

    Raises:
        SentenceError: if a target is not there.
    """
    if plan.objective == "direction":
        direction = np.asarray(plan.direction, np.float32)
        if direction.shape != (width,) or not np.isfinite(direction).all() or not direction.any():
            raise SentenceError(f"A direction needs a weight for each of the layer's {width} channels, not all zero.")
        return np.tile(direction / np.linalg.norm(direction), (plan.copies, 1)), (0,) * plan.copies
    if width == 0:
        return np.ones((plan.copies, 1), np.float32), (0,) * plan.copies
    for target in plan.targets:
        if not 0 <= target < width:
            what = "classes" if plan.objective in CLASS_OBJECTIVES else "channels"
            raise SentenceError(f"There are {width} {what}, numbered from 0; {target} is not one of them.")
    targets = tuple(target for target in plan.targets for _ in range(plan.copies))
    selection = np.zeros((len(targets), width), np.float32)
    selection[np.arange(len(targets)), targets] = 1
    return selection, targets
