"""pytorch-grad-cam (1.5, PyTorch), on Keras' torch backend.

Conventions: it expects channels first, and given channels-last pictures returns a map of a wrong shape without
complaint, so the network is wrapped and `reshape_transform` turns the layer's maps round. It stretches every map to
[0, 1]; the raw grid is caught before that.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM, ScoreCAM, score_cam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from tests.benchmarks.peers.case import Case, Way


class _ChannelsFirst(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Any) -> Any:
        return self.model(x.permute(0, 2, 3, 1))


class _LivingScoreCAM(ScoreCAM):
    """Score-CAM whose softmax runs over the channels that vary.

    The library gives a constant channel a mask of zeros, hence the empty picture's score, and a share of the softmax:
    the map is the same but for a factor for each picture, which can be a hundred.
    """

    def get_cam_weights(self, *arguments: Any) -> np.ndarray:
        activations = arguments[3]
        living = activations.max(axis=(2, 3)) > activations.min(axis=(2, 3))
        weights = super().get_cam_weights(*arguments) * living
        return weights / weights.sum(axis=1, keepdims=True)


def ways(case: Case) -> dict[str, Way]:
    """Return this library's ways, by the names of `explorer.explanations.table`."""
    wrapped = _ChannelsFirst(case.model)
    x = torch.tensor(case.pictures.transpose(0, 3, 1, 2).copy())
    targets = [ClassifierOutputTarget(int(index)) for index in case.classes]

    def raw(library: Any) -> np.ndarray:
        grids: list[np.ndarray] = []
        explainer = library(
            wrapped, [case.model.get_layer(case.layer)], reshape_transform=lambda maps: maps.permute(0, 3, 1, 2)
        )
        seen = explainer.get_cam_image

        def keeping(*arguments: Any, **named: Any) -> Any:
            grids.append(seen(*arguments, **named))
            return grids[-1]

        with (
            explainer,
            mock.patch.object(explainer, "get_cam_image", keeping),
            mock.patch.object(score_cam.tqdm, "tqdm", lambda rows: rows),
        ):
            explainer(x, targets)
        return np.maximum(grids[0], 0)

    def way(library: Any, note: str, same: bool = True) -> Way:
        return Way(lambda: raw(library), lambda: raw(library), same, note)

    return {
        "grad_cam": way(GradCAM, "mean gradient, ReLU of the sum"),
        "layer_cam": way(LayerCAM, "positive gradients place by place"),
        "grad_cam_plus_plus": way(GradCAMPlusPlus, "1e-6 inside the fraction", same=False),
        "score_cam": way(_LivingScoreCAM, "corners aligned, softmax of the scores over the channels that vary"),
    }
