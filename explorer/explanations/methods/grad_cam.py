"""Grad-CAM: a layer's maps, weighted by how much each speaks for the target."""

from __future__ import annotations

import numpy as np

from explorer.explanations import cam
from explorer.explanations.question import Answer, Question


def maps(question: Question) -> Answer:
    """Return ReLU(Σₖ αₖ Aₖ) with αₖ the mean over places of ∂S/∂Aₖ (Selvaraju et al. 2017, equations 1 and 2).

    Args:
        question: Pictures, target and layer.

    Returns:
        Maps nowhere negative, not stretched; `raw` is the layer's own grid.
    """
    return cam.answer(question, cam.raw_maps(question, weighted))


def weighted(activation: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the raw map (n, h, w) from activations and gradients (n, h, w, channels)."""
    weights = gradient.mean(axis=(1, 2))
    return np.maximum(np.einsum("nhwk,nk->nhw", activation, weights), 0)
