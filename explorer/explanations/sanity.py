"""The sanity check: forget the network's weights layer by layer, and see whether a map notices."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from explorer.explanations import table
from explorer.explanations.explain import explain
from explorer.explanations.faithfulness import rank_correlation
from explorer.explanations.results import Explanation, Sanity, SanityStep, Score, Target
from explorer.networks.copies import copy_of, drawn_anew, layers_with_weights, untrained
from explorer.networks.tap import model_of
from explorer.networks.work_context import NO_CONTEXT, Stopped, WorkContext

MOST_STEPS = 10
_LITTER = 100e6


def sanity_check(
    network: Any,
    picture: np.ndarray,
    methods: Sequence[str],
    target: Target | int | None = None,
    *,
    layer: str | None = None,
    score: Score = "logits",
    seed: int = 0,
    options: dict[str, dict[str, Any]] | None = None,
    most_steps: int = MOST_STEPS,
    context: WorkContext = NO_CONTEXT,
) -> Sanity:
    """Randomise a network from the top layer down and compare each map with that of the trained network.

    The cascading randomisation of Adebayo et al. 2018, section 3.1, on a copy: the weights of one layer after the
    other, from the output towards the input, are drawn anew by that layer's own initialiser, and stay so. A layer
    without a kernel (a normalisation) goes with the layer before it. The class that the trained network explains is
    kept, whatever the spoilt one predicts.

    Args:
        network: A loaded network or a keras.Model; it is not touched.
        picture: The prepared input, (1, height, width, channels).
        methods: Names in `explorer.explanations.table`.
        target: What is explained; None is the class that the trained network predicts.
        layer: For methods that look at a layer.
        score: "logits" or "softmax".
        seed: Of the drawn weights and of the methods.
        options: Knobs of methods, by method.
        most_steps: Steps after the first at most; in deeper networks several layers are randomised in one.
        context: Hears of the progress in maps, and of each step as a payload part of its own, a tuple of one; a stop
            ends the check with the steps so far.

    Returns:
        The steps, first that of the trained network (whose correlations are 1, or NaN for a constant map).

    Raises:
        SentenceError: if the network cannot be copied, or a method cannot explain it.
        Stopped: if the context asked to stop before the first step.
    """
    started = time.perf_counter()
    context.report(message="Copying the network")
    spoilt = copy_of(network)
    layers = layers_with_weights(spoilt, picture[:1])
    forget = _Forgetting(network, spoilt, layers, seed)
    groups = _groups(layers, most_steps)
    wanted = target if isinstance(target, Target) else Target(index=target)
    total = (len(groups) + 1) * len(methods)
    steps: list[SanityStep] = []
    first: dict[str, Explanation] = {}
    try:
        for number, (name, spoil) in enumerate([("", []), *groups]):
            context.raise_if_stopped()
            for each in spoil:
                forget(each)
            maps: dict[str, np.ndarray] = {}
            for place, method in enumerate(methods):
                context.report(number * len(methods) + place, total, "maps", _said(name, method))
                within = _Within(context)
                knobs = (options or {}).get(method, {})
                found = explain(
                    spoilt, picture[:1], wanted, method,
                    layer=layer if table.method(method).layer else None,
                    score=score, seed=seed, context=within, **knobs,
                )  # fmt: skip
                if within.was_stopped:
                    raise Stopped
                first.setdefault(method, found)
                if wanted.index is None:
                    wanted = replace(wanted, index=found.indices[0])
                maps[method] = found.maps[0]
            steps.append(SanityStep(name, maps, {each: _likeness(first[each], maps[each]) for each in methods}))
            done = (number + 1) * len(methods)
            context.report(done, total, "maps", _said(name, methods[-1]), payload=(steps[-1],), part=number)
    except Stopped:
        if not steps:
            raise
    context.report(total, total, "maps")
    return Sanity(tuple(steps), time.perf_counter() - started)


class _Within:
    """Lets a method inside of longer work hear a stop without mixing its progress into that of the whole."""

    def __init__(self, context: WorkContext) -> None:
        self._context = context
        self.was_stopped = False

    def report(self, *words: Any, **more: Any) -> None:
        """Forget it: the whole counts maps."""

    def stopped(self) -> bool:
        self.was_stopped = self.was_stopped or self._context.stopped()
        return self.was_stopped

    def raise_if_stopped(self) -> None:
        if self.stopped():
            raise Stopped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def _said(name: str, method: str) -> str:
    title = table.method(method).title
    return f"{title} with trained weights" if not name else f"{title} with random weights down to {name}"


def _likeness(trained: Explanation, values: np.ndarray) -> float:
    before = trained.maps[0]
    return rank_correlation(np.abs(before), np.abs(values)) if trained.signed else rank_correlation(before, values)


class _Forgetting:
    """Draws the weights of a copy anew, one layer at a time, so that no third network lies in memory."""

    def __init__(self, network: Any, spoilt: Any, layers: dict[str, keras.Layer], seed: int) -> None:
        self._network, self._spoilt, self._seed = network, spoilt, seed
        self._numbers = {id(layer): number for number, layer in enumerate(layers.values())}
        self._forgotten: set[int] = set()
        self._untrained: dict[int, Any] | None = None
        self._litter = 0.0

    def __call__(self, layer: keras.Layer) -> None:
        """Give a layer random weights; those that it shares with a layer before stay as they were drawn then."""
        drawn = drawn_anew(layer, seed_of_layer(self._seed, self._numbers[id(layer)]))
        if drawn is None:
            fresh = self._whole()
            drawn = [keras.ops.convert_to_tensor(fresh[id(variable)]) for variable in layer.weights]
        for variable, values in zip(layer.weights, drawn, strict=True):
            if id(variable) not in self._forgotten:
                self._forgotten.add(id(variable))
                variable.assign(values)
                self._litter += 4.0 * math.prod(variable.shape)
        del drawn
        if self._litter > _LITTER:
            # What the weights were drawn in refers to itself, and would stay in memory until Python happens to look.
            gc.collect()
            self._litter = 0.0

    def _whole(self) -> dict[int, Any]:
        """Return the variables of a whole untrained network, by the id of the copy's."""
        if self._untrained is None:
            fresh = untrained(self._network, self._seed)
            pairs = zip(model_of(self._spoilt).weights, model_of(fresh).weights, strict=True)
            self._untrained = {id(variable): other for variable, other in pairs}
        return self._untrained


def seed_of_layer(seed: int, number: int) -> int:
    """Return the seed of a layer's weights, given which layer it is in the order of the calls."""
    return seed + 1000 * number  # each weight of a layer takes the next seed


def _groups(layers: dict[str, keras.Layer], most: int) -> list[tuple[str, list[keras.Layer]]]:
    """Return what is randomised step by step, from the top down: the lowest layer's path, and the layers."""
    groups: list[tuple[str, list[keras.Layer]]] = []
    for path, layer in layers.items():
        if not groups or any(len(variable.shape) > 1 for variable in layer.weights):
            groups.append((path, [layer]))
        else:
            groups[-1][1].append(layer)
    groups.reverse()
    if len(groups) <= most:
        return groups
    # The output layer alone first, as every check does; the rest in parts of nearly one size.
    parts = [part for part in np.array_split(np.arange(1, len(groups)), most - 1) if len(part)]
    merged = [(groups[int(part[-1])][0], [layer for at in part for layer in groups[int(at)][1]]) for part in parts]
    return [groups[0], *merged]
