"""The scenes of the gradient flow page, in the order of their buttons. A further scene is one line more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.interface.gradient_flow import (
    activations,
    backpropagation,
    degradation,
    loss_surface,
    optimisers,
    paths,
    vanishing,
)


@dataclass(frozen=True)
class Scene:
    """One scene.

    Attributes:
        name: in links.
        title: on its button.
        question: that it answers, in one sentence.
        show: draws it: controls (`frame.controls`), stage, the lecture's sentence, what one takes along, background.
    """

    name: str
    title: str
    question: str
    show: Callable[[], None]


SCENES: tuple[Scene, ...] = (
    Scene("activations", "Activations", "What does an activation let through, forward and back?", activations.show),
    Scene("vanishing", "Vanishing", "What arrives at the first layers of a deep network?", vanishing.show),
    Scene("paths", "Paths", "Which of its many paths carry a residual network?", paths.show),
    Scene(
        "degradation", "Degradation", "Why does a deeper network train worse, and a residual one not?", degradation.show
    ),
    Scene("loss_surface", "Loss surface", "What do skip connections do to the landscape?", loss_surface.show),
    Scene("optimisers", "Optimisers", "Which way down, how fast, and to which weights?", optimisers.show),
    Scene("backpropagation", "Backpropagation", "Where does every gradient come from?", backpropagation.show),
)
