"""The recipes of the two bundled networks: every number that decides what training does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """What a training run does; two runs with the same recipe see the same batches in the same order.

    Attributes:
        name: name of the network, "drawn_plain" or "drawn_robust".
        start: bundled network whose weights it starts from, or None for fresh ones.
        seed: decides initial weights, pictures, their order and the augmentation.
        pictures: how many pictures are drawn ahead; each is seen once in an epoch.
        epochs: passes over them.
        batch: pictures per step.
        learning_rate: peak of the schedule: linear warm-up, then a cosine down to 0.
        warm_up: share of all steps spent on the warm-up.
        weight_decay: AdamW's decoupled decay, on kernels alone.
        label_smoothing: probability mass spread over all classes.
        smoothness: weight of the stem's penalty, see `explorer.networks.drawn.stem`.
        blur_until: the stem is blurred at the start and for the last time after this share of the steps.
        blurs: how many times the stem is blurred between start and `blur_until`, the start included.
        radius: L2 radius of the adversarial pictures on the [0, 1] scale; 0 trains on clean pictures.
        ramp: share of all steps in which the radius grows from 0 to its full size.
    """

    name: str
    start: str | None = None
    seed: int = 1
    pictures: int = 60_000
    epochs: int = 6
    batch: int = 64
    learning_rate: float = 3e-3
    warm_up: float = 0.05
    weight_decay: float = 0.03
    label_smoothing: float = 0.05
    smoothness: float = 0.05
    blurs: int = 2
    blur_until: float = 0.5
    radius: float = 0.0
    ramp: float = 0.0

    @property
    def steps_per_epoch(self) -> int:
        """Number of whole batches in one pass; what is left over changes with the order of each epoch."""
        return self.pictures // self.batch

    @property
    def steps(self) -> int:
        """Number of training steps."""
        return self.epochs * self.steps_per_epoch

    def radius_at(self, step: int) -> float:
        """Return the L2 radius of the adversarial pictures of one step."""
        ramp = self.ramp * self.steps
        return self.radius if step >= ramp else self.radius * step / ramp

    def blur_steps(self) -> tuple[int, ...]:
        """Return the steps before which the stem is blurred."""
        if self.blurs < 2:
            return (0,) * self.blurs
        return tuple(round(self.blur_until * self.steps * i / (self.blurs - 1)) for i in range(self.blurs))

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values, for checkpoints and cards."""
        return asdict(self)


PLAIN = Recipe(name="drawn_plain")
ROBUST_FIRST = Recipe(
    name="drawn_robust",
    start="drawn_plain",
    epochs=3,
    learning_rate=2e-3,
    smoothness=0.03,
    blurs=0,
    radius=2.0,
    ramp=0.4,
)
# It goes on from what the first part wrote. At radius 4 its pictures are changed so much that people see it, and what
# gradient ascent draws is far easier to name.
ROBUST = Recipe(
    name="drawn_robust",
    start="drawn_robust",
    pictures=24_000,
    epochs=1,
    learning_rate=1e-3,
    smoothness=0.03,
    blurs=0,
    radius=4.0,
    ramp=0.3,
)
RECIPES = {"plain": PLAIN, "robust_first": ROBUST_FIRST, "robust": ROBUST}
"""In this order: each network starts from the one before it."""
