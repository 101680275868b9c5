"""Score-CAM: a layer's maps, weighted by the score of the picture seen through each of them, without gradients."""

from __future__ import annotations

import numpy as np

from explorer.explanations import cam
from explorer.explanations.question import Answer, Question
from explorer.explanations.resize import enlarge
from explorer.networks.predictions import softmax


def maps(question: Question) -> Answer:
    """Return ReLU(Σₖ softmaxₖ(S(x ∘ Mₖ)) Aₖ) (Wang et al. 2020, equations 5 to 8).

    Mₖ is Aₖ enlarged with aligned corners and scaled to 0 … 1; the masks multiply the prepared input, and the
    score of an empty picture, the same for all, is not taken off, since the softmax does not see it. A channel
    that is constant has no mask and no weight. Some libraries enlarge by other rules, or take only some
    channels; this takes all.

    Args:
        question: Pictures, target and layer.

    Returns:
        Maps nowhere negative; `raw` is the layer's own grid. `extra["weights"]` is (n, channels).
    """
    raw, weights = [], []
    for number in range(question.count):
        activation = cam.activations(question, number)
        each = _weights(question, number, activation)
        weights.append(each)
        raw.append(np.maximum(activation @ each, 0))
    answer = cam.answer(question, np.stack(raw))
    return Answer(answer.maps, answer.raw, notes=answer.notes, extra={"weights": np.stack(weights)})


def _weights(question: Question, number: int, activation: np.ndarray) -> np.ndarray:
    """Return each channel's weight for one picture, from its activation (h, w, channels)."""
    channels = activation.shape[-1]
    low, high = activation.min(axis=(0, 1)), activation.max(axis=(0, 1))
    alive = np.flatnonzero(high > low)
    weights = np.zeros(channels, np.float32)
    if not len(alive):
        return weights
    scores = np.empty(len(alive), np.float32)
    step = question.rows(len(alive))
    for start in range(0, len(alive), step):
        chosen = alive[start : start + step]
        # An enlarged mask reaches exactly its cells' lowest and highest values only where corners are aligned
        # on a pixel, so what is scaled is the mask as enlarged.
        masks = enlarge(activation[..., chosen].transpose(2, 0, 1), question.size, aligned=True)
        masks -= masks.min(axis=(1, 2), keepdims=True)
        span = masks.max(axis=(1, 2), keepdims=True)
        masks /= np.where(span > 0, span, 1)
        rows = question.pictures[number] * masks[..., None]
        scores[start : start + step] = question.scores(rows, number, fill=step)
        question.report(number * channels + int(chosen[-1]) + 1, question.count * channels, "masks")
    weights[alive] = softmax(scores)
    return weights
