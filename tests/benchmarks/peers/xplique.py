"""Xplique (2.0, TensorFlow). Its maps come unstretched; Grad-CAM and its kin enlarged bicubically.

Conventions: it explains the output times a one-hot row, so the network must give logits. The channel reducer is
named for each method. Baselines and covers are one number for all channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf
import xplique.attributions as library
from sklearn.linear_model import Ridge
from xplique.attributions.gradient_statistics.gradient_statistic import GradientStatistic

from tests.benchmarks.peers.case import Case, Way, strongest


def ways(case: Case) -> dict[str, Way]:
    """Return this library's ways, by the names of `explorer.explanations.table`."""
    x, y = tf.constant(case.pictures), tf.constant(case.one_hot)
    steps, noisy = case.samples["integrated_gradients"], case.samples["smoothgrad"]
    plain = {
        "saliency": (library.Saliency(case.model), "absolute, maximum over channels"),
        "gradient_input": (library.GradientInput(case.model, reducer="sum"), "sum over channels"),
        "integrated_gradients": (
            library.IntegratedGradients(
                case.model, steps=steps, baseline_value=case.absent, reducer="sum", batch_size=max(32, steps)
            ),
            "trapezoid over linspace(0, 1, steps), sum over channels",
        ),
    }
    found = {name: Way(lambda e=e: e(x, y), lambda e=e: _map(e(x, y)), note=note) for name, (e, note) in plain.items()}

    guided = library.GuidedBackprop(case.model, reducer=None)
    found["guided_backprop"] = Way(
        lambda: guided(x, y), lambda: strongest(guided(x, y)), note="absolute, maximum over channels"
    )
    smooth = library.SmoothGrad(
        case.model, nb_samples=noisy, noise=0.1, reducer=None, batch_size=noisy * len(case.pictures)
    )
    _averaging_maps(smooth)
    found["smoothgrad"] = Way(
        lambda: smooth(x, y),
        lambda: _map(_with_noise(case, lambda: smooth(x, y))),
        note="same noise; absolute, maximum over channels, before the mean and not after it",
    )
    cam = library.GradCAM(case.model, conv_layer=case.layer)
    found["grad_cam"] = Way(lambda: cam(x, y), lambda: _grid(cam, x, y), note="mean gradient, ReLU of the sum")
    plus = library.GradCAMPP(case.model, conv_layer=case.layer)
    found["grad_cam_plus_plus"] = Way(
        lambda: plus(x, y),
        lambda: _grid(plus, x, y),
        same=False,
        note="means instead of sums over the places",
    )
    occlusion = library.Occlusion(
        case.model, patch_size=case.window, patch_stride=case.stride, occlusion_value=case.absent, batch_size=32
    )
    found["occlusion"] = Way(
        lambda: occlusion(x, y),
        lambda: _map(occlusion(x, y)) / _coverings(case),
        note="sum over windows, divided by how many cover",
    )
    rise = library.Rise(
        case.model, nb_samples=case.samples["rise"], grid_size=7, preservation_probability=0.5, mask_value=0.0,
        batch_size=32,
    )  # fmt: skip
    found["rise"] = Way(
        lambda: rise(x, y),
        lambda: _rise(case, rise, x, y),
        note="same masks, hiding with 0; divided by the share shown, not by the masks' sum",
    )
    if case.cut is not None:
        found["lime"] = _lime(case)
    return found


def _map(explained: Any) -> np.ndarray:
    values = np.asarray(explained)
    return values[..., 0] if values.ndim == 4 else values


def _grid(cam: Any, x: Any, y: Any) -> np.ndarray:
    """Return the map on the layer's own grid, which the library only hands out enlarged."""
    maps, gradients = cam._gradient(x, y)
    return np.asarray(cam._apply_weights(cam._compute_weights(gradients, maps), maps))


def _averaging_maps(smooth: Any) -> None:
    """Let SmoothGrad average saliency maps; the library averages gradients, whose signs cancel."""
    gradient = smooth.batch_gradient
    smooth.batch_gradient = lambda *inputs: tf.reduce_max(tf.abs(gradient(*inputs)), axis=-1, keepdims=True)


def _with_noise(case: Case, explain: Callable[[], Any]) -> np.ndarray:
    """Explain with the case's noise in place of the library's own."""

    def perturbed(inputs: Any, count: int, noise: float) -> Any:
        repeated = tf.repeat(inputs, repeats=count, axis=0)
        return repeated + tf.reshape(case.noise, repeated.shape)

    with mock.patch.object(GradientStatistic, "_perturb_samples", staticmethod(perturbed)):
        return np.asarray(explain())


def _coverings(case: Case) -> np.ndarray:
    """Return how many windows cover each place."""
    size = case.pictures.shape[1:]
    masks = np.asarray(library.Occlusion._get_masks(size, (case.window,) * 2, (case.stride,) * 2), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(masks.any(axis=0), masks.sum(axis=0), np.nan)


def _rise(case: Case, rise: Any, x: Any, y: Any) -> np.ndarray:
    """Explain with the case's masks; the library divides by their sum, we by the share they show."""

    def masks(shape: Any, samples: int, *_: Any) -> Any:
        return tf.range(samples)

    def shown(picture: Any, numbers: Any, value: float) -> Any:
        chosen = tf.gather(tf.constant(case.masks)[..., None], numbers)
        return chosen * picture[None] + (1 - chosen) * value, chosen

    with (
        mock.patch.object(library.Rise, "_get_masks", staticmethod(masks)),
        mock.patch.object(library.Rise, "_apply_masks", staticmethod(shown)),
    ):
        explained = _map(rise(x, y))
    return explained * case.masks.sum(axis=0) / (len(case.masks) * 0.5)


def _lime(case: Case) -> Way:
    """LIME with the `lime` package's samples, distances and model; this library's own defaults differ in all three."""
    numbers = iter(())

    def cosine(_: Any, switches: Any, __: Any) -> Any:
        distance = 1 - tf.sqrt(tf.reduce_mean(tf.cast(switches, tf.float32), axis=1))
        return tf.sqrt(tf.exp(-(distance**2) / 0.25**2))

    def samples(features: Any, count: int) -> Any:
        drawn = np.random.RandomState(case.seed).randint(0, 2, count * int(features[0])).reshape(count, -1)
        drawn[0] = 1
        return tf.constant(drawn, tf.int32)

    explainer = library.Lime(
        case.model,
        batch_size=32,
        interpretable_model=Ridge(alpha=1.0),
        similarity_kernel=cosine,
        pertub_func=samples,
        map_to_interpret_space=lambda picture: tf.constant(case.cut(next(numbers)), tf.int32),
        ref_value=np.full(case.pictures.shape[-1], case.absent),
        nb_samples=case.samples["lime"],
    )

    def run() -> Any:
        nonlocal numbers
        numbers = iter(range(len(case.pictures)))
        return explainer(case.pictures, case.one_hot)

    return Way(run, lambda: _map(run()), note="cosine distance, √exp kernel, Ridge(1), same samples and segments")
