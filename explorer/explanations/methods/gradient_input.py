"""Gradient × input: what each pixel would add to the score, if the network were linear."""

from __future__ import annotations

from explorer.explanations.question import Answer, Question


def maps(question: Question) -> Answer:
    """Return the sum over channels of x · ∂S/∂x (Shrikumar, Greenside, Kundaje 2017).

    x is the prepared input: where preparing moves the zero (as "caffe" does to the mean colour), what counts
    as nothing moves as well.

    Args:
        question: Pictures and target.

    Returns:
        Signed maps (n, height, width), in units of the score.
    """
    return Answer((question.pictures * question.gradients()).sum(axis=-1))
