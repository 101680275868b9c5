"""Integrated gradients: the score's difference from a baseline picture, shared out among the pixels."""

from __future__ import annotations

import numpy as np

from explorer.explanations.baselines import baseline as baseline_of
from explorer.explanations.question import Answer, Question
from explorer.explanations.results import Fact


def maps(question: Question, *, steps: int, baseline: str | np.ndarray) -> Answer:
    """Return the sum over channels of (x − x′) · mean of ∂S/∂x on the way (Sundararajan et al. 2017, eq. 1 and 3).

    The mean is the trapezoid rule's over `steps` points from the baseline x′ to the picture x, both ends
    included. By completeness the map sums up to S(x) − S(x′); the gap that the rule leaves is a Fact.

    Args:
        question: Pictures and target.
        steps: Points on the way, at least 2.
        baseline: Name of a baseline, or numbers in prepared units that can be broadcast to the pictures.

    Returns:
        Signed maps (n, height, width), in units of the score.
    """
    indices = question.indices()
    start_pictures = baseline_of(question.network, question.pictures, baseline)
    weights = np.full(steps, 1 / (steps - 1), np.float32)
    weights[[0, -1]] /= 2
    shares = np.linspace(0, 1, steps, dtype=np.float32)
    fill = question.rows(steps, gradients=True)
    total = question.count * steps
    found, facts = [], []
    for number, (picture, start_picture) in enumerate(zip(question.pictures, start_pictures, strict=True)):
        difference = picture - start_picture
        mean = np.zeros_like(picture)
        scores = np.empty(steps, np.float32)
        for start, stop in question.chunks(steps, gradients=True):
            rows = start_picture + shares[start:stop, None, None, None] * difference
            index = np.full(len(rows), indices[number], np.int32)
            _, scores[start:stop], gradients = question.input_gradients(rows, index, fill)
            mean += np.tensordot(weights[start:stop], gradients, axes=1)
            question.report(number * steps + stop, total, "steps")
        values = (difference * mean).sum(axis=-1)
        found.append(values)
        facts.append(_facts(float(values.sum(dtype=np.float64)), float(scores[0]), float(scores[-1])))
    return Answer(np.stack(found), facts=tuple(facts))


def _facts(total: float, at_baseline: float, at_picture: float) -> tuple[Fact, ...]:
    difference = at_picture - at_baseline
    gap = total - difference
    return (
        Fact("Sum of the map", total, "What all pixels together are said to have added."),
        Fact("Score at the baseline", at_baseline, "What the network says to the baseline picture."),
        Fact("Score above the baseline", difference, "What there is to share out: S(x) − S(x′)."),
        Fact("Completeness gap", gap, "Sum of the map less what there was to share out; more steps make it smaller."),
        Fact(
            "Completeness gap, relative",
            gap / abs(difference) if difference else None,
            "The gap as a share of what there was to share out.",
        ),
    )
