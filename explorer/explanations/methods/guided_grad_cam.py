"""Guided Grad-CAM: guided backprop's detail in the regions that Grad-CAM points at."""

from __future__ import annotations

from explorer.explanations import cam
from explorer.explanations.methods.grad_cam import weighted
from explorer.explanations.methods.guided_backprop import guided_gradients
from explorer.explanations.question import Answer, Question
from explorer.explanations.resize import enlarge


def maps(question: Question) -> Answer:
    """Return the guided gradient, summed over channels, times the enlarged Grad-CAM (Selvaraju et al. 2017, 3.2).

    Args:
        question: Pictures, target and layer.

    Returns:
        Signed maps; `extra["grad_cam"]` is Grad-CAM's raw grid (n, h, w).

    Raises:
        SentenceError: if the network has no ReLU.
    """
    gradients, rectifiers = guided_gradients(question)
    raw = cam.raw_maps(question, weighted)
    fine = gradients.sum(axis=-1) * enlarge(raw, question.size)
    return Answer(fine, notes=cam.notes(question, raw), extra={"grad_cam": raw, "rectifiers": rectifiers})
