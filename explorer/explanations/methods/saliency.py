"""Gradient saliency: how much the score changes when a pixel changes a little."""

from __future__ import annotations

from explorer.explanations.question import Answer, Question, strongest


def maps(question: Question) -> Answer:
    """Return max over channels of |∂S/∂x| (Simonyan, Vedaldi, Zisserman 2013, section 3).

    Args:
        question: Pictures and target.

    Returns:
        Maps (n, height, width), nowhere negative, in score per unit of prepared input.
    """
    return Answer(strongest(question.gradients()))
