"""Captum (0.9, PyTorch), on Keras' torch backend: a forward function of channels-last pictures is all it wants.

Conventions: its trapezoid weighs every step 1/n, so n − 1 steps' worth is scaled by n/(n − 1). Its LayerGradCam
averages over the last axes, which for a channels-last layer are a column and the channels: it is left out. Its guided
backpropagation only sees `torch.nn.ReLU` (not even `ReLU6`), of which a Keras network has none, and returns the plain
gradient without a word: it is shown ReLUs.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import torch
from captum.attr import GuidedBackprop, InputXGradient, IntegratedGradients, Occlusion, Saliency

from tests.benchmarks.peers.case import Case, Way, strongest


def ways(case: Case) -> dict[str, Way]:
    """Return this library's ways, by the names of `explorer.explanations.table`."""
    x = torch.tensor(case.pictures)
    target = torch.tensor(case.classes)
    steps = case.samples["integrated_gradients"]
    channels = case.pictures.shape[-1]

    def attribute(library: Any, **how: Any) -> Any:
        return library(case.model).attribute(x, target=target, **how).detach().numpy()

    def integrated(rule: str) -> np.ndarray:
        how = {"baselines": case.absent, "n_steps": steps, "method": rule}
        return attribute(IntegratedGradients, **how).sum(axis=-1)

    def guided() -> np.ndarray:
        with _Shown(case.model) as shown:
            return GuidedBackprop(shown).attribute(x, target=target).detach().numpy()

    def covered() -> np.ndarray:
        return attribute(
            Occlusion,
            sliding_window_shapes=(case.window, case.window, channels),
            strides=(case.stride, case.stride, channels),
            baselines=case.absent,
            perturbations_per_eval=16,
        )[..., 0]

    def way(run: Any, note: str, same: bool = True) -> Way:
        return Way(run, run, same, note)

    return {
        "saliency": way(lambda: strongest(attribute(Saliency, abs=True)), "absolute, maximum over channels"),
        "gradient_input": way(lambda: attribute(InputXGradient).sum(axis=-1), "sum over channels"),
        "integrated_gradients": way(
            lambda: integrated("riemann_trapezoid") * steps / (steps - 1), "riemann_trapezoid × n/(n − 1)"
        ),
        "guided_backprop": way(lambda: strongest(guided()), "ReLUs shown to it; absolute, maximum over channels"),
        "occlusion": way(covered, "mean over the windows that cover"),
    }


class _Clipped(torch.nn.Module):
    """ReLU up to a largest value; the library sees `torch.nn.ReLU` alone, and would overlook a `torch.nn.ReLU6`."""

    def __init__(self, most: float | None) -> None:
        super().__init__()
        self.relu, self.most = torch.nn.ReLU(), most

    def forward(self, x: Any) -> Any:
        return self.relu(x) if self.most is None else torch.clamp(self.relu(x), max=self.most)


class _Shown(torch.nn.Module):
    """The network, with a `torch.nn.ReLU` in the place of each of Keras' while a `with` block lasts."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        layers = model._flatten_layers()
        self._places = [(layer, "call", layer.max_value) for layer in layers if isinstance(layer, keras.layers.ReLU)]
        named = [layer for layer in layers if getattr(layer, "activation", None) is keras.activations.relu]
        self._places += [(layer, "activation", None) for layer in named]
        self.relus = torch.nn.ModuleList(_Clipped(most) for *_, most in self._places)

    def forward(self, x: Any) -> Any:
        return self.model(x)

    def __enter__(self) -> _Shown:
        # Past Keras' and PyTorch's own __setattr__, which would track the modules in a layer that is built.
        for (layer, name, _), module in zip(self._places, self.relus, strict=True):
            layer.__dict__[name] = module
        return self

    def __exit__(self, *_: Any) -> None:
        for layer, name, _ in self._places:
            del layer.__dict__[name]
            if name == "activation":
                layer.activation = keras.activations.relu
