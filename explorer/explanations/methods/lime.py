"""LIME: a simple model of which superpixels must be there, learnt from pictures that lack some of them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from skimage.segmentation import slic

from explorer.explanations.baselines import as_seen
from explorer.explanations.baselines import baseline as baseline_of
from explorer.explanations.passes import batches
from explorer.explanations.question import Answer, Question
from explorer.explanations.results import Fact
from explorer.networks.gradients import Compiled, as_array
from explorer.networks.work_context import Stopped

Model = Literal["ridge", "lasso", "forest"]
KERNEL_WIDTH = 0.25
RIDGE_PENALTY = 1.0
FEWEST_SEGMENTS = 4
_SMALL = 128
_LASSO_SHARE = 0.05
_TREES = 100


def maps(question: Question, *, samples: int, segments: int, model: Model, baseline: str) -> Answer:
    """Return what each superpixel weighs in a simple model of the network near the picture.

    Ribeiro, Singh, Guestrin 2016, section 3.4, with the conventions of its authors' package `lime`: each superpixel
    is on or off with probability ½, a sample counts by √exp(−d²/0.25²) with d its cosine distance, and the model is
    a ridge regression with penalty 1 on all superpixels.

    Args:
        question: What to explain.
        samples: Pictures with superpixels switched off, the whole picture among them.
        segments: How many superpixels to aim at.
        model: "ridge", "lasso" or "forest".
        baseline: What a superpixel that is off shows, see `explorer.explanations.baselines.baseline`.

    Returns:
        Maps that are constant on each superpixel, signed unless by a forest; `extra` has "segments",
        int32 (n, height, width), and "weights", float32 (superpixels,) for each picture. After a stop the
        samples so far are used.

    Raises:
        Stopped: if the visitor asked to stop before every picture had more samples than superpixels.
    """
    question.base()  # now: after a stop no pass is made
    hidden = baseline_of(question.network, question.pictures, baseline)
    seen = as_seen(question.network, question.pictures)
    found, numbers, weights, facts, notes = [], [], [], [], []
    for number, picture in enumerate(seen):
        pieces = superpixels(picture, segments)
        switches = draw_switches(question.seed, samples, pieces.total)
        scores = _scores(question, number, hidden[number], pieces, switches)
        if len(scores) < min(samples, pieces.total + 1):
            raise Stopped
        copy = fitted_copy(switches[: len(scores)], scores, model, question.seed)
        numbers.append(pieces.numbers)
        weights.append(copy.weights.astype(np.float32))
        found.append(weights[-1][pieces.numbers])
        facts.append(
            (
                Fact("R²", copy.quality, _quality_note(model, copy.quality)),
                Fact("Superpixels", float(pieces.total), "Pieces that the picture was cut into."),
            )
        )
        if pieces.grid:
            notes.append("The picture gave too few superpixels, so a grid of squares takes their place.")
        if len(scores) < samples:
            notes.append(f"Stopped after {len(scores)} of {samples} samples.")
    return Answer(
        np.stack(found),
        signed=model != "forest",
        facts=tuple(facts),
        notes=tuple(dict.fromkeys(notes)),
        extra={"segments": np.stack(numbers), "weights": weights},
    )


def _quality_note(model: Model, quality: float | None) -> str:
    if quality is None:
        return "The score never changed, so there is nothing to copy."
    unseen = " on samples it has not learnt from" if model == "forest" else ""
    return f"Share of the score's variation that the simple model copies{unseen}: near 1 it may be trusted, near 0 not."


def _scores(question: Question, number: int, hidden: np.ndarray, pieces: Segments, switches: np.ndarray) -> np.ndarray:
    """Return the scores of one picture's samples, float32 (samples,), after a stop fewer."""
    count, samples = len(question.pictures), len(switches)
    batch = question.rows(samples)
    score = question.score_function

    def run(picture: Any, hidden: Any, numbers: Any, switches: Any, index: Any, against: Any) -> Any:
        return score(switched_pictures(picture, hidden, numbers, switches), index, against)[1]

    # Traced once for all pictures, however many superpixels they have: what is on comes in a fixed width.
    width = 1 << max(0, pieces.total - 1).bit_length()
    padded = np.zeros((samples, width), np.float32)
    padded[:, : pieces.total] = switches
    kernel = question.kernel(("lime",), lambda: Compiled(run, network=question.network, compiled=True))
    scores = np.empty(samples, np.float32)
    done = 0
    progress: dict[str, Any] = {"unit": "samples", "before": number * samples, "total": count * samples}
    for at in batches(samples, batch, context=question.context, message="Switching superpixels off", **progress):
        given = (question.pictures[number], hidden, pieces.numbers, padded[at], *question.who(number, batch))
        try:
            scores[at] = as_array(question.call(kernel, *given, forward=int(at[-1] - at[0]) + 1))
        except Stopped:
            break
        done = int(at[-1]) + 1
    return scores[:done]


class Segments(NamedTuple):
    """A picture cut into pieces.

    Attributes:
        numbers: int32 (height, width), from 0 on without gaps.
        total: How many pieces.
        grid: Whether they are the cells of a grid, because superpixels degenerated.
    """

    numbers: np.ndarray
    total: int
    grid: bool


def superpixels(seen: np.ndarray, count: int) -> Segments:
    """Cut a picture into superpixels, or into a grid where these degenerate.

    SLIC (Achanta et al. 2012) with a compactness of 10, and of 30 for pictures of at most 128 pixels, where with
    less the superpixels collapse to one or two. Where fewer than `FEWEST_SEGMENTS` come out, or fewer than a third
    of those asked for, a grid takes their place.

    Args:
        seen: float32 (height, width, channels) on [0, 1], as a visitor sees it.
        count: How many to aim at.
    """
    height, width, channels = seen.shape
    found = slic(
        np.asarray(seen, np.float64),
        n_segments=count,
        compactness=30.0 if min(height, width) <= _SMALL else 10.0,
        sigma=0.0 if min(height, width) <= 32 else 1.0,
        start_label=0,
        channel_axis=-1,
        convert2lab=channels == 3,
    )
    _, numbers = np.unique(found, return_inverse=True)
    pieces = int(numbers.max()) + 1
    if pieces < max(FEWEST_SEGMENTS, count / 3):
        return grid_segments((height, width), count)
    return Segments(numbers.reshape(height, width).astype(np.int32), pieces, False)


def grid_segments(size: tuple[int, int], count: int) -> Segments:
    """Cut a picture into a grid of about `count` cells that are as square as can be, at least 2×2 where it has room."""
    height, width = size
    down = int(np.clip(round(np.sqrt(count * height / width)), min(2, height), height))
    across = int(np.clip(round(count / down), min(2, width), width))
    rows = np.arange(height) * down // height
    columns = np.arange(width) * across // width
    return Segments((rows[:, None] * across + columns[None]).astype(np.int32), down * across, True)


def draw_switches(seed: int, samples: int, count: int) -> np.ndarray:
    """Return which superpixels are on in each sample, float32 (samples, count); in the first one all are.

    Each is on with probability ½, drawn as the `lime` package does it (the same seed gives the same samples).
    """
    switches = np.random.RandomState(seed).randint(0, 2, samples * count).reshape(samples, count)
    switches[0] = 1
    return switches.astype(np.float32)


def sample_weights(switches: np.ndarray) -> np.ndarray:
    """Return how much each sample counts: √exp(−d² / 0.25²), with d its cosine distance from the whole picture.

    The convention of the `lime` package; a sample with everything off has distance 1.
    """
    share = switches.mean(axis=1, dtype=np.float64)
    distance = 1 - np.sqrt(share)
    return np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2))


class Copy(NamedTuple):
    """A simple model that copies the network near a picture.

    Attributes:
        weights: float64 (count,), what each superpixel adds to the score, or, of a forest, its importance.
        quality: Weighted R², of a forest on the samples that a tree has not seen; None where the score never
            changed.
        intercept: The score with everything off, as far as the model is linear.
    """

    weights: np.ndarray
    quality: float | None
    intercept: float


def fitted_copy(switches: np.ndarray, scores: np.ndarray, model: Model = "ridge", seed: int = 0) -> Copy:
    """Fit the simple model.

    Ridge with penalty 1 and an intercept as in the `lime` package; lasso with 0.05 of the smallest penalty that
    would put all weights to zero; a forest of 100 trees, whose importances have no sign.

    Args:
        switches: Which superpixels were on, (samples, count).
        scores: What the network said, (samples,).
        model: "ridge", "lasso" or "forest".
        seed: Of the forest.
    """
    weight = sample_weights(switches)
    scores = np.asarray(scores, np.float64)
    inputs = np.asarray(switches, np.float64)
    if np.ptp(scores) <= 1e-12 * max(1.0, float(np.abs(scores).max())):
        return Copy(np.zeros(inputs.shape[1]), None, float(scores[0]))
    if model == "forest":
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(_TREES, oob_score=True, random_state=seed, n_jobs=1)
        forest.fit(inputs, scores, sample_weight=weight)
        quality = _quality(scores, forest.oob_prediction_, weight)
        return Copy(forest.feature_importances_, quality, float("nan"))
    share = weight / weight.sum()
    centre, level = np.average(inputs, axis=0, weights=share), float(share @ scores)
    # Least squares about the weighted means need no intercept; it follows from them. (Not by a matrix product: the
    # sums are small, and to wake the linear algebra's threads on a busy machine takes longer than they do.)
    about = inputs - centre
    gram = np.einsum("ni,nj->ij", about, weight[:, None] * about)
    match = np.einsum("ni,n->i", about, weight * (scores - level))
    if model == "ridge":
        slopes = np.linalg.solve(gram + RIDGE_PENALTY * np.eye(len(gram)), match)
    else:
        from sklearn.linear_model import Lasso

        penalty = _LASSO_SHARE * float(np.abs(match).max()) / weight.sum()
        slopes = Lasso(alpha=penalty).fit(inputs, scores, sample_weight=weight).coef_
    intercept = level - float(centre @ slopes)
    return Copy(slopes, _quality(scores, np.einsum("ni,i->n", inputs, slopes) + intercept, weight), intercept)


def _quality(scores: np.ndarray, copied: np.ndarray, weight: np.ndarray) -> float:
    """Return the weighted coefficient of determination R²."""
    level = np.average(scores, weights=weight)
    return float(1 - weight @ (scores - copied) ** 2 / (weight @ (scores - level) ** 2))


def switched_pictures(picture: Any, hidden: Any, numbers: Any, switches: Any) -> Any:
    """Return copies of a picture without the superpixels that are off, in `keras.ops`.

    Args:
        picture: (height, width, channels).
        hidden: What a superpixel that is off shows, the picture's shape.
        numbers: int (height, width), the superpixel of each place.
        switches: (b, count), 1 for on.
    """
    shown = keras.ops.take(keras.ops.transpose(switches), numbers, axis=0) > 0.5
    return keras.ops.where(keras.ops.transpose(shown, (2, 0, 1))[..., None], picture[None], hidden[None])
