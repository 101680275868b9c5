"""One signature for every way to explain: which places of each picture mattered for a target, and what it cost."""

from __future__ import annotations

import importlib
import time
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.explanations import layers, table
from explorer.explanations.question import Answer, Question
from explorer.explanations.results import Cost, Explanation, Score, Target
from explorer.explanations.target import checked, gives_only_probabilities
from explorer.networks.work_context import NO_CONTEXT, SentenceError, WorkContext


def explain(
    network: Any,
    pictures: np.ndarray,
    target: Target | int | None = None,
    method: str = "grad_cam",
    *,
    layer: str | None = None,
    score: Score = "logits",
    batch: int | None = None,
    seed: int = 0,
    context: WorkContext = NO_CONTEXT,
    **options: Any,
) -> Explanation:
    """Return maps that say which places of each picture mattered for a target.

    Args:
        network: A loaded network or a keras.Model from pictures to classes (one or several outputs).
        pictures: Prepared input, float (n, height, width, channels), see `explorer.networks.preprocessing`.
        target: What is explained; a number is that class, None each picture's own predicted class.
        method: Name in `explorer.explanations.table.METHODS`.
        layer: For methods that look at a layer its path; None for the last one that has places, see
            `explorer.explanations.layers.default_layer`.
        score: "logits", or "softmax" to see what the other classes do to a map.
        batch: Pictures at a time, as far as four times the usual memory goes; None for what that bears: 256 MB, on a
            GPU 2 GB.
        seed: Of everything random.
        context: Hears of progress, and may stop the work between batches.
        options: The method's knobs, see the table.

    Returns:
        Maps at the size of the pictures, neither clipped nor stretched, with scores and cost.

    Raises:
        SentenceError: if the network cannot answer this question; the text says why.
        KeyError: if there is no such method.
        Stopped: if the context asked to stop and nothing worth showing was there yet.
    """
    about = table.method(method)
    started = time.perf_counter()
    wanted = target if isinstance(target, Target) else Target(index=target)
    inputs = _pictures(pictures)
    layers.ready(network, inputs)
    wanted = checked(network, wanted, score, about, inputs)
    path = layers.checked(network, layer, inputs) if about.layer else ""
    chosen = _options(about, options)
    question = Question(
        network, inputs, wanted, score=score, layer=path, batch=_batch(batch), seed=int(seed), context=context
    )
    if about.sampling:
        # Before anything else: what is shown of a work that was stopped has its score as well.
        question.base()
    answer: Answer = importlib.import_module(f"explorer.explanations.methods.{method}").maps(question, **chosen)
    indices = question.indices()
    scores = question.base()
    maps = np.ascontiguousarray(answer.maps, np.float32)
    same = len(set(indices.tolist())) == 1
    return Explanation(
        method=method,
        maps=maps,
        raw=maps if answer.raw is None else np.ascontiguousarray(answer.raw, np.float32),
        signed=about.signed if answer.signed is None else answer.signed,
        target=replace(wanted, index=int(indices[0])) if same else wanted,
        indices=tuple(int(index) for index in indices),
        scores=scores,
        layer=path,
        cost=Cost(time.perf_counter() - started, question.forward, question.backward, question.largest),
        facts=answer.facts or ((),) * len(maps),
        notes=_notes(maps, answer.notes + _of_score(network, wanted, inputs), about),
        extra=answer.extra,
    )


def _pictures(pictures: np.ndarray) -> np.ndarray:
    inputs = np.asarray(pictures, np.float32)
    if inputs.ndim != 4 or not inputs.size:
        raise SentenceError(f"Pictures must be (n, height, width, channels), not of shape {inputs.shape}.")
    if not np.isfinite(inputs).all():
        raise SentenceError("The picture holds values that are not finite numbers.")
    return inputs


def _batch(batch: int | None) -> int | None:
    if batch is None or (int(batch) == batch and batch >= 1):
        return None if batch is None else int(batch)
    raise SentenceError("At least one picture must be computed at a time.")


def _options(about: table.Method, given: dict[str, Any]) -> dict[str, Any]:
    """Return every option of a method, checked against the table's limits."""
    known = {option.name: option for option in about.options}
    for name in given:
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            raise SentenceError(f"{about.title} has no option {name!r}; {there}.")
    chosen: dict[str, Any] = {}
    for name, option in known.items():
        value = given.get(name, option.default)
        if option.options:
            if isinstance(value, str) and value not in option.options:
                raise SentenceError(f"{option.label} is one of {', '.join(option.options)}, not {value!r}.")
        else:
            value = _number(option, value)
        chosen[name] = value
    return chosen


def _number(option: table.Option, value: Any) -> float | int:
    whole = isinstance(option.default, int)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    low = -np.inf if option.low is None else option.low
    high = np.inf if option.high is None else option.high
    if not low <= number <= high or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        raise SentenceError(f"{option.label} must be {kind} from {option.low:g} to {option.high:g}, not {value!r}.")
    return int(number) if whole else number


def _of_score(network: Any, target: Target, inputs: np.ndarray) -> tuple[str, ...]:
    if target.kind == "class" and gives_only_probabilities(network, target, inputs.shape[1:]):
        return ("The score is a probability: this network's code gives no logits.",)
    return ()


def _notes(maps: np.ndarray, notes: tuple[str, ...], about: table.Method) -> tuple[str, ...]:
    """Add what a display must say of maps that are zero everywhere, unless the method has said why."""
    if not np.isfinite(maps).all():
        raise SentenceError("The map holds values that are not finite numbers: the network's own numbers overflow.")
    empty = [number for number, values in enumerate(maps) if not values.any()]
    if not empty or any("zero everywhere" in note for note in notes):
        return notes
    if len(maps) == 1:
        why = "the target does not depend on this picture's pixels here"
        if about.name == "gradient_input":
            why += ", or the picture is the input's zero, by which every gradient is multiplied"
        elif any(option.name == "baseline" for option in about.options):
            why += ", or the picture is its own baseline, so that nothing was changed"
        return (*notes, f"The map is zero everywhere: {why}.")
    which = ", ".join(str(number + 1) for number in empty)
    return (*notes, f"The map is zero everywhere for picture {which}.")
