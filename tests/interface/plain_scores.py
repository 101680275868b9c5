"""Scores of four maps and a small network that forgets, by hand."""

from __future__ import annotations

import numpy as np

from explorer.explanations.results import ChannelEffects, Curve, MapScores, SanityStep, Scores, SwitchedOff

METHODS = ("grad_cam", "saliency", "guided_backprop", "occlusion", "random")


def title(method: str) -> str:
    return {"random": "Random map", "grad_cam": "Grad-CAM"}.get(method, method.replace("_", " ").capitalize())


def _curve(power: float, rising: bool) -> Curve:
    shares = np.linspace(0, 1, 21, dtype=np.float32)
    scores = (0.05 + 0.9 * (shares**power if rising else (1 - shares) ** power)).astype(np.float32)
    return Curve(shares, scores, float(np.trapezoid(scores, shares)))


def scores() -> Scores:
    powers = (0.2, 0.6, 0.9, 0.15, 2.0)
    rows = tuple(
        MapScores(name, _curve(power, True), _curve(2 / power, False), power < 0.8, 0.7 - 0.3 * power, (10, 10, 60, 60))
        for name, power in zip(METHODS, powers, strict=True)
    )
    agreement = np.array(
        [
            [1, 0.62, 0.31, 0.88, -0.02],
            [0.62, 1, 0.55, 0.49, 0.01],
            [0.31, 0.55, 1, np.nan, -0.2],
            [0.88, 0.49, np.nan, 1, 0.0],
            [-0.02, 0.01, -0.2, 0.0, 1],
        ],
        np.float32,
    )
    return Scores(rows, agreement, 1.3)


def steps() -> tuple[SanityStep, ...]:
    layers = ("", "logits", "block4/relu_b", "block4/relu_a", "block3/relu_b", "block3/relu_a", "stem/relu")
    fall = np.linspace(0, 1, len(layers))
    return tuple(
        SanityStep(
            layer,
            {},
            {
                "grad_cam": float(1 - 1.1 * share),
                "saliency": float(1 - 0.8 * share),
                "guided_backprop": float(1 - 0.35 * share),
                "occlusion": float("nan") if share > 0.9 else float(1 - 1.3 * share),
            },
        )
        for layer, share in zip(layers, fall, strict=True)
    )


def with_maps(all_steps: tuple[SanityStep, ...]) -> tuple[SanityStep, ...]:
    """The same steps with a map for each method."""
    return tuple(
        SanityStep(step.layer, {name: np.zeros((2, 2), np.float32) for name in step.correlation}, step.correlation)
        for step in all_steps
    )


def effects() -> ChannelEffects:
    losses = np.array([2.1, 1.4, 0.9, 0.3, 0.1, 0.02, 0.0, -0.05, -0.4, -0.8], np.float32)
    return ChannelEffects(
        layer="block4/relu_b",
        classes=(3, 1),
        base=np.array([7.1, 2.0], np.float32),
        channels=(17, 4, 33, 8, 90, 2, 1, 55, 61, 12),
        logits=np.stack([7.1 - losses, 2.0 + 0.2 * losses], axis=1).astype(np.float32),
        estimated=False,
        total=10,
        seconds=0.4,
    )


def switched() -> SwitchedOff:
    before = np.array([7.1, 2.0, 1.2, -0.7, -2.5], np.float32)
    after = np.array([1.9, 3.4, 1.3, -0.6, -2.0], np.float32)

    def chances(logits: np.ndarray) -> np.ndarray:
        raised = np.exp(logits - logits.max())
        return (raised / raised.sum()).astype(np.float32)

    return SwitchedOff(before, after, chances(before), chances(after))
