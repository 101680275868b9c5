"""tf-keras-vis (0.8.7, TensorFlow). Eager; it builds a model anew for every activation map.

Conventions: `expand_cam=False, normalize_cam=False` for the raw grid, and `seek_penultimate_conv_layer=False`, because
it otherwise walks from the layer that was named back to the convolution before it, without a word.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.layercam import Layercam
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.scores import CategoricalScore

from tests.benchmarks.peers.case import Case, Way, strongest

_RAW = {"expand_cam": False, "normalize_cam": False}


def ways(case: Case) -> dict[str, Way]:
    """Return this library's ways, by the names of `explorer.explanations.table`."""
    score = CategoricalScore([int(index) for index in case.classes])
    saliency = Saliency(case.model)

    def cam(library: Any, note: str, same: bool = True) -> Way:
        explainer = library(case.model)
        where = {"penultimate_layer": case.layer, "seek_penultimate_conv_layer": False}

        def run(**raw: Any) -> Any:
            with contextlib.redirect_stdout(io.StringIO()):
                return explainer(score, case.pictures, **where, **raw)

        return Way(run, lambda: np.asarray(run(**_RAW)), same, note)

    def gradient(**how: Any) -> Any:
        return saliency(score, case.pictures, keepdims=True, normalize_map=False, **how)

    # Its noise cannot be given: it is drawn inside, with a deviation of a share of each channel's range.
    samples = case.samples["smoothgrad"]
    return {
        "saliency": Way(gradient, lambda: strongest(gradient()), note="absolute, maximum over channels"),
        "smoothgrad": Way(
            lambda: gradient(smooth_samples=samples, smooth_noise=0.1),
            lambda: strongest(gradient(smooth_samples=samples, smooth_noise=0.1)),
            same=False,
            note="noise of its own",
        ),
        "grad_cam": cam(Gradcam, "mean gradient, ReLU of the sum"),
        "layer_cam": cam(Layercam, "positive gradients place by place"),
        "grad_cam_plus_plus": cam(GradcamPlusPlus, "gradient of exp(score), weights that sum to 1", same=False),
        "score_cam": cam(Scorecam, "softmax over classes, of the score itself as weight", same=False),
    }
