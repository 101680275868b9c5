"""Occlusion: cover a patch, see how far the score falls, move on."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from explorer.explanations.baselines import baseline as baseline_of
from explorer.explanations.passes import batches
from explorer.explanations.question import Answer, Question
from explorer.explanations.results import Fact
from explorer.networks.gradients import Compiled, as_array
from explorer.networks.work_context import Stopped


def maps(question: Question, *, window: float, stride: float, baseline: str) -> Answer:
    """Return how far the score falls on average when a place is covered (Zeiler, Fergus 2014, section 4.2).

    A square window moves over the picture in steps; its fall S(x) − S(x with the window covered) counts for every
    place that it covers, and a place has the mean over its windows, which is Captum's definition (xplique sums).

    Args:
        question: What to explain.
        window: Side of the window as a share of the picture's shorter side.
        stride: From one window to the next, as a share of the window.
        baseline: What a covered place shows, see `explorer.explanations.baselines.baseline`.

    Returns:
        Signed maps; raw has one value for each window.

    Raises:
        Stopped: if the visitor asked to stop: part of a picture covered is no map.
    """
    height, width = question.pictures.shape[1:3]
    side = max(1, round(window * min(height, width)))
    step = max(1, round(stride * side))
    tops, lefts = starts(height, side, step), starts(width, side, step)
    corners = np.stack(np.meshgrid(tops, lefts, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.int32)
    falls = falls_of(question, corners, (side, side), baseline_of(question.network, question.pictures, baseline))
    raw = falls.reshape(len(falls), len(tops), len(lefts))
    found = np.stack([mean_over_windows(each, tops, lefts, (side, side), (height, width)) for each in raw])
    fact = Fact("Windows", float(len(corners)), f"Covers of {side}×{side} pixels, {step} pixels apart, were tried.")
    return Answer(found, raw=raw, facts=((fact,),) * len(found))


def falls_of(question: Question, corners: np.ndarray, side: tuple[int, int], covers: np.ndarray) -> np.ndarray:
    """Return S(x) − S(x with a window covered) for every picture and window.

    Args:
        question: What to explain.
        corners: int32 (windows, 2), top and left; a window may reach beyond the edges.
        side: (height, width) of a window.
        covers: What a covered place shows, the pictures' shape.

    Returns:
        float32 (n, windows).
    """
    count, windows = len(question.pictures), len(corners)
    size = question.rows(windows)
    score = question.score_function

    def run(picture: Any, cover: Any, corners: Any, side: Any, index: Any, against: Any) -> Any:
        return score(covered_pictures(picture, cover, corners, side), index, against)[1]

    kernel = question.kernel(("occlusion",), lambda: Compiled(run, network=question.network, compiled=True))
    scores = np.empty((count, windows), np.float32)
    for number in range(count):
        fixed = (question.pictures[number], covers[number])
        progress: dict[str, Any] = {"unit": "windows", "before": number * windows, "total": count * windows}
        done = 0
        for at in batches(windows, size, context=question.context, message="Covering the picture", **progress):
            given = (*fixed, corners[at], np.array(side, np.int32), *question.who(number, size))
            scores[number, at] = as_array(question.call(kernel, *given, forward=int(at[-1] - at[0]) + 1))
            done = int(at[-1]) + 1
        if done < windows:
            raise Stopped
    return question.base()[:, None] - scores


def starts(length: int, side: int, stride: int) -> np.ndarray:
    """Return where windows begin along one axis: every `stride` until the last place is covered.

    The last window may reach beyond the edge and then covers less, as in Captum.

    Args:
        length: Of the axis.
        side: Of the window.
        stride: From one window to the next, at most the side.
    """
    return np.arange(math.ceil(max(0, length - side) / stride) + 1) * stride


def mean_over_windows(
    falls: np.ndarray, tops: np.ndarray, lefts: np.ndarray, side: tuple[int, int], size: tuple[int, int]
) -> np.ndarray:
    """Return for each place the mean over the windows that cover it.

    Args:
        falls: One number for each window, (tops, lefts).
        tops: First row of the windows.
        lefts: First column of the windows.
        side: (height, width) of a window.
        size: (height, width) of the map.

    Returns:
        float32 of the size; NaN where no window covers.
    """
    rows = _covered(tops, side[0], size[0])
    columns = _covered(lefts, side[1], size[1])
    total = rows.T @ np.asarray(falls, np.float64) @ columns
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total / np.outer(rows.sum(axis=0), columns.sum(axis=0))).astype(np.float32)


def covered_pictures(picture: Any, cover: Any, corners: Any, side: Any) -> Any:
    """Return copies of a picture with one window covered in each, in `keras.ops`.

    Args:
        picture: (height, width, channels).
        cover: What a covered place shows, the picture's shape.
        corners: int (b, 2), top and left of the windows.
        side: int (2,), height and width of a window.
    """
    height, width = picture.shape[:2]
    rows = keras.ops.arange(height)[None] - corners[:, :1]
    columns = keras.ops.arange(width)[None] - corners[:, 1:]
    in_rows = keras.ops.logical_and(rows >= 0, rows < side[0])
    in_columns = keras.ops.logical_and(columns >= 0, columns < side[1])
    inside = keras.ops.logical_and(in_rows[:, :, None], in_columns[:, None, :])[..., None]
    return keras.ops.where(inside, cover[None], picture[None])


def _covered(begins: np.ndarray, side: int, length: int) -> np.ndarray:
    places = np.arange(length)[None]
    return ((places >= begins[:, None]) & (places < begins[:, None] + side)).astype(np.float64)
