"""The explanation of one picture as named work: from pixels and names to maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.explanations.explain import explain
from explorer.explanations.results import Explained, Score, Target
from explorer.networks.gradients import device_label
from explorer.networks.loading import Weights, load
from explorer.networks.preprocessing import Fit, prepare
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.work_context import WorkContext


def explain_work(
    context: WorkContext,
    network: str,
    weights: Weights,
    pixels: np.ndarray,
    fit: Fit,
    target: Target,
    method: str,
    options: dict[str, Any],
    layer: str | None = None,
    score: Score = "logits",
    batch: int | None = None,
    seed: int = 0,
) -> Explained:
    """Explain one picture (named work).

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        fit: How it is brought to the network's input size.
        target: What is explained.
        method: Name in `explorer.explanations.table`.
        options: The method's knobs.
        layer: Path of the layer to look at; None for the default.
        score: "logits" or "softmax".
        batch: Pictures at a time; None for what memory bears.
        seed: Of everything random.

    Raises:
        SentenceError: if the network cannot be loaded or cannot answer this question.
        Stopped: if the visitor asked to stop before there was anything to show.
    """
    context.report(message="Loading the network")
    loaded = load(network, weights)
    context.raise_if_stopped()
    fitted = fit_picture(pixels, loaded.entry, fit)
    batch_of_one = prepare(fitted.pixels, loaded.entry)
    context.report(message="Explaining")
    explanation = explain(
        loaded,
        batch_of_one,
        target,
        method,
        layer=layer,
        score=score,
        batch=batch,
        seed=seed,
        context=context,
        **options,
    )
    return Explained(explanation, fitted, device_label())
