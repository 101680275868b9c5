"""Grad-CAM++: Grad-CAM with a weight for each place, so that several objects of a class all count."""

from __future__ import annotations

import numpy as np

from explorer.explanations import cam
from explorer.explanations.question import Answer, Question


def maps(question: Question) -> Answer:
    """Return ReLU(Σₖ wₖ Aₖ), wₖ = Σ α ReLU(g), α = g² / (2g² + g³ Σ A) (Chattopadhay et al. 2018, eq. 5, 10, 19).

    g is the gradient of the score itself, as equation 19 has it once exp(S) is taken as the class's score: the
    factor exp(S) that is common to all weights is left out. Where the denominator is 0, α is 0. Other
    libraries add a small number inside the fraction, take the mean instead of the sum, or multiply by exp(S);
    their maps differ by a few percent or by a factor.

    Args:
        question: Pictures, target and layer.

    Returns:
        Maps nowhere negative; `raw` is the layer's own grid.
    """
    return cam.answer(question, cam.raw_maps(question, weighted))


def weighted(activation: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the raw map (n, h, w) from activations and gradients (n, h, w, channels)."""
    # In double precision: g³ of a logit's gradient at one of many places is tiny.
    activation = activation.astype(np.float64)
    gradient = gradient.astype(np.float64)
    square = gradient**2
    below = 2 * square + square * gradient * activation.sum(axis=(1, 2), keepdims=True)
    shares = np.divide(square, below, out=np.zeros_like(square), where=below != 0)
    weights = (shares * np.maximum(gradient, 0)).sum(axis=(1, 2))
    return np.maximum(np.einsum("nhwk,nk->nhw", activation, weights), 0).astype(np.float32)
