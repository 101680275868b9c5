"""LayerCAM: a layer's activations, each place weighted by its own positive gradient."""

from __future__ import annotations

import numpy as np

from explorer.explanations import cam
from explorer.explanations.question import Answer, Question


def maps(question: Question) -> Answer:
    """Return ReLU(Σₖ ReLU(∂S/∂Aₖ) · Aₖ) (Jiang et al. 2021, equations 6 and 7).

    The paper's rescaling by tanh, for mixing several layers, is left out.

    Args:
        question: Pictures, target and layer.

    Returns:
        Maps nowhere negative; `raw` is the layer's own grid.
    """
    return cam.answer(question, cam.raw_maps(question, weighted))


def weighted(activation: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the raw map (n, h, w) from activations and gradients (n, h, w, channels)."""
    return np.maximum((np.maximum(gradient, 0) * activation).sum(axis=-1), 0)
