"""lime (0.2.0.1, NumPy). The picture is masked in a Python loop, the network called on batches.

Conventions: cosine distance of the switches, √exp(−d²/0.25²), `Ridge(1)` over all superpixels
(`feature_selection="none"`), superpixels and the hiding colour given. Its seed alone does not repeat a run: the
superpixels take another draw of the same generator.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf
from lime import lime_image

from tests.benchmarks.peers.case import Case, Way


def ways(case: Case) -> dict[str, Way]:
    """Return this library's way to LIME."""
    if case.segments is None or case.cut is None or case.pictures.shape[-1] != 3:
        return {}
    forward = tf.function(case.model, autograph=False)

    def answers(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(forward(tf.constant(pictures, tf.float32)))

    def one(number: int) -> Any:
        explainer = lime_image.LimeImageExplainer(feature_selection="none", random_state=case.seed)
        with mock.patch.object(lime_image, "tqdm", lambda rows: rows):
            return explainer.explain_instance(
                case.pictures[number].astype(np.float64),
                answers,
                labels=(int(case.classes[number]),),
                hide_color=case.absent,
                num_features=10**6,
                num_samples=case.samples["lime"],
                batch_size=32,
                segmentation_fn=lambda picture: case.cut(number),
                random_seed=case.seed,
            )

    def raw() -> np.ndarray:
        maps = np.zeros(case.segments.shape)
        for number in range(len(maps)):
            for piece, weight in one(number).local_exp[int(case.classes[number])]:
                maps[number][case.segments[number] == piece] = weight
        return maps

    return {
        "lime": Way(
            lambda: [one(number) for number in range(len(case.pictures))],
            raw,
            note="cosine distance, √exp kernel, Ridge(1), same samples and segments",
        )
    }
