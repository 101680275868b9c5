"""The scenes of the gradient flow page, in the order of their buttons. A further scene is one line more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.interface.gradient_flow import activations, optimisers


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
    Scene("optimisers", "Optimisers", "Which way down, and how fast?", optimisers.show),
)
