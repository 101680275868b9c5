"""Numbers that judge a map: insertion, deletion, agreement, pointing, overlap, and the random map to compare with."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np
from scipy.stats import rankdata

from explorer.explanations.baselines import baseline
from explorer.explanations.box import above, box_of
from explorer.explanations.passes import batches
from explorer.explanations.question import Question
from explorer.explanations.results import Curve, MapScores, Score, Scores, Target
from explorer.networks.gradients import Compiled, as_array
from explorer.networks.work_context import NO_CONTEXT, SentenceError, Stopped, WorkContext

STEPS = 32
INSERTION_BASELINE = "blur"
DELETION_BASELINE = "black"
RANDOM = "random"


class Curves(NamedTuple):
    """The two curves of one map, and what stood where the picture was not shown in each."""

    insertion: Curve
    deletion: Curve


def random_map(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return the map that knows nothing: independent uniform numbers on [0, 1), float32 of the shape."""
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def pixel_ranks(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return for each place of a map how many places come before it, the highest value first.

    Places of one value come in random order: in the order of rows, the zero half of a map would say something after
    all. NaN comes last.

    Args:
        values: The map, (height, width).
        seed: Of that order.

    Returns:
        int32 (height, width), a permutation of 0 … height · width − 1.
    """
    flat = np.nan_to_num(np.asarray(values, np.float64).ravel(), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    shuffled = np.random.default_rng(seed).permutation(flat.size)
    order = shuffled[np.argsort(-flat[shuffled], kind="stable")]
    ranks = np.empty(flat.size, np.int32)
    ranks[order] = np.arange(flat.size, dtype=np.int32)
    return ranks.reshape(np.shape(values))


def area_under(shares: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under a curve by the trapezoid rule."""
    return float(np.trapezoid(np.asarray(scores, np.float64), np.asarray(shares, np.float64)))


def curves(
    network: Any,
    picture: np.ndarray,
    maps: Sequence[np.ndarray],
    target: Target | int | None = None,
    *,
    inserted_into: str | float | np.ndarray = INSERTION_BASELINE,
    deleted_to: str | float | np.ndarray = DELETION_BASELINE,
    steps: int = STEPS,
    batch: int | None = None,
    seed: int = 0,
    context: WorkContext = NO_CONTEXT,
) -> list[Curves]:
    """Return the insertion and deletion curves of maps on one picture.

    Insertion starts from a picture without content and shows the picture's own pixels in the order of the map,
    the highest first; deletion starts from the picture and takes them away in that order (Petsiuk, Das, Saenko 2018,
    section 4.1; as there, insertion starts from the blurred picture and deletion ends at one colour). After step k
    of K, round(k · pixels / K) pixels have changed. The end points are computed once for all maps.

    Args:
        network: A loaded network or a keras.Model.
        picture: The prepared picture, (1, height, width, channels).
        maps: Maps (height, width) of the picture's size.
        target: What is followed: of a class (None is the predicted one) the probability, whatever stands against
            it; of a channel or cell its value.
        inserted_into: What insertion starts from, see `explorer.explanations.baselines.baseline`.
        deleted_to: What deletion ends at.
        steps: Parts that the pixels are divided into.
        batch: Pictures at a time; None for what memory bears.
        seed: Of the order of places with one value.
        context: Hears of the progress in pictures.

    Returns:
        The two curves of each map.

    Raises:
        SentenceError: for a map of another size.
        Stopped: if the context asked to stop.
    """
    picture = np.asarray(picture, np.float32)
    height, width = picture.shape[1:3]
    for values in maps:
        if np.shape(values) != (height, width):
            shown = " × ".join(map(str, np.shape(values)[::-1]))
            raise SentenceError(f"A map of {shown} does not judge a picture of {width} × {height} pixels.")
    if not maps:
        return []
    question = _question(network, picture, target, batch=batch, seed=seed, context=context)
    score = question.score_function

    def run(first: Any, rest: Any, ranks: Any, which: Any, into: Any, changed: Any, index: Any, against: Any) -> Any:
        # `into` is 1 where the picture's own pixels appear (insertion) and 0 where they disappear.
        early = keras.ops.take(ranks, which, axis=0) < changed[:, None, None]
        shown = keras.ops.equal(early, into[:, None, None] > 0)[..., None]
        return score(keras.ops.where(shown, first[None], keras.ops.take(rest, into, axis=0)), index, against)[1]

    kernel = question.kernel(("insertion and deletion",), lambda: Compiled(run, network=network, compiled=True))
    pixels = height * width
    steps = max(1, min(steps, pixels))
    counts = np.round(np.arange(steps + 1) * (pixels / steps)).astype(np.int32)
    # Map, whether it is insertion, and pixels changed; the three pictures that end the curves are those of any map.
    ends = [(0, 1, 0), (0, 1, pixels), (0, 0, pixels)]
    inner = [(number, into, int(count)) for number in range(len(maps)) for into in (1, 0) for count in counts[1:-1]]
    table = np.array(ends + inner, np.int32)
    ranks = np.stack([pixel_ranks(values, seed) for values in maps])
    rest = np.concatenate([baseline(network, picture, each) for each in (deleted_to, inserted_into)])
    fixed = [keras.ops.convert_to_tensor(each) for each in (picture[0], rest, ranks)]
    size = question.rows(len(table))
    scores = np.empty(len(table), np.float32)
    done = 0
    for at in batches(len(table), size, context=context, message="Inserting and deleting pixels"):
        given = (*fixed, *table[at].T.copy(), *question.who(0, size))
        scores[at] = as_array(question.call(kernel, *given, forward=int(at[-1] - at[0]) + 1))
        done = int(at[-1]) + 1
    if done < len(table):
        raise Stopped
    shares = (counts / pixels).astype(np.float32)
    names = [each if isinstance(each, str) else "own" for each in (inserted_into, deleted_to)]

    def curve(start: float, middle: np.ndarray, end: float, name: str) -> Curve:
        values = np.array([start, *middle, end], np.float32)
        return Curve(shares, values, area_under(shares, values), name)

    return [
        Curves(
            curve(scores[0], each[0], scores[1], names[0]),
            curve(scores[1], each[1], scores[2], names[1]),
        )
        for each in scores[3:].reshape(len(maps), 2, steps - 1)
    ]


def judged(
    network: Any,
    picture: np.ndarray,
    target: Target | int | None,
    maps: Mapping[str, np.ndarray],
    mask: np.ndarray | None = None,
    *,
    share: float = 0.3,
    batch: int | None = None,
    seed: int = 0,
    context: WorkContext = NO_CONTEXT,
) -> Scores:
    """Judge the maps of one picture and target beside a random map.

    Args:
        network: A loaded network or a keras.Model.
        picture: The prepared picture, (1, height, width, channels).
        target: What the maps explain.
        maps: By name, each (height, width).
        mask: Where the object truly is, bool (height, width); None if nobody knows.
        share: Which share of its maximum a map must reach for its box and overlap.
        batch: Pictures at a time; None for what memory bears.
        seed: Of the random map and of the order of places with one value.
        context: Hears of the progress in pictures.

    Returns:
        One row for each map in their order, and last "random".

    Raises:
        SentenceError: for a map of another size.
        Stopped: if the context asked to stop.
    """
    started = time.perf_counter()
    height, width = picture.shape[1:3]
    rows = {name: values for name, values in maps.items() if name != RANDOM}
    rows[RANDOM] = random_map((height, width), seed)
    found = curves(network, picture, list(rows.values()), target, batch=batch, seed=seed, context=context)
    return Scores(
        tuple(
            MapScores(
                method=name,
                insertion=both.insertion,
                deletion=both.deletion,
                hit=None if mask is None else points_at(values, mask),
                overlap=None if mask is None else overlap(values, mask, share),
                box=box_of(values, share),
            )
            for (name, values), both in zip(rows.items(), found, strict=True)
        ),
        agreement(list(rows.values())),
        time.perf_counter() - started,
    )


def _question(
    network: Any,
    picture: np.ndarray,
    target: Target | int | None,
    *,
    batch: int | None,
    seed: int,
    context: WorkContext,
) -> Question:
    wanted = target if isinstance(target, Target) else Target(index=target)
    score: Score = "softmax" if wanted.kind == "class" else "logits"
    wanted = replace(wanted, against=None)
    return Question(network, picture, wanted, score=score, layer="", batch=batch, seed=seed, context=context)


def agreement(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Return Spearman's rank correlation between maps, place by place.

    Args:
        maps: Maps of one shape.

    Returns:
        float32 (maps, maps); NaN, also on the diagonal, for a map that is constant: it ranks nothing.
    """
    if not len(maps):
        return np.empty((0, 0), np.float32)
    ranks = np.stack([rankdata(np.asarray(values, np.float64), axis=None) for values in maps])
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(ranks, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (ranks @ ranks.T) / np.outer(length, length)
    constant = length == 0
    found[constant] = found[:, constant] = np.nan
    return np.clip(found, -1, 1).astype(np.float32)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two maps, NaN if one is constant."""
    return float(agreement([first, second])[0, 1])


def points_at(values: np.ndarray, mask: np.ndarray) -> bool:
    """Return whether a map's highest point lies on the object: one round of the pointing game, without tolerance.

    Zhang et al. 2016, section 4.2. Where several places are equally high, at least half of them must lie on the
    object; a constant map points nowhere and misses.

    Args:
        values: The map, (height, width); NaN is never highest.
        mask: The true mask, bool (height, width).
    """
    values = np.nan_to_num(np.asarray(values, np.float64), nan=-np.inf)
    if values.min() == values.max():
        return False
    return bool(np.asarray(mask, bool)[values == values.max()].mean() >= 0.5)


def overlap(values: np.ndarray, mask: np.ndarray, share: float = 0.3) -> float:
    """Return the intersection over union of a map above a share of its maximum with the true mask.

    Args:
        values: The map, (height, width).
        mask: The true mask, bool (height, width).
        share: Which share of the maximum a place must reach.

    Returns:
        From 0 to 1; 0 for a map without positive values, NaN if the mask is empty as well.
    """
    found, mask = above(values, share), np.asarray(mask, bool)
    union = np.count_nonzero(found | mask)
    return float(np.count_nonzero(found & mask) / union) if union else float("nan")
