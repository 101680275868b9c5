"""Vanishing and exploding: gradient norm and activation spread of each layer, in a plain and a residual network."""

from __future__ import annotations

import numpy as np

from explorer.gradient_flow.deep_networks import PLAIN, RESIDUAL, Training
from explorer.gradient_flow.depth_results import Vanishing, VanishingPlan
from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.stacks import Stack, begun, beside
from explorer.networks.work_context import NO_CONTEXT, WorkContext


class Descent:
    """A plain and a residual network that take steps of gradient descent while their gradients are written down.

    Args:
        plan: What is asked.
    """

    def __init__(self, plan: VanishingPlan) -> None:
        self.plan = plan
        stack = Stack(plan.depth, plan.activation, plan.batch_norm)
        weights = begun(stack, plan.initialiser, plan.seed)
        data = digits(plan.seed)
        self._training = Training(
            stack, beside([weights, weights]), np.array([PLAIN, RESIDUAL]), data.pictures, data.labels,
            rate=plan.rate, momentum=0.0, seed=plan.seed,
        )  # fmt: skip
        self._rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    @property
    def amount(self) -> tuple[int, int, str]:
        """How much is done, of how much, in what."""
        return max(0, len(self._rows) - 1), self.plan.steps, "steps"

    @property
    def done(self) -> bool:
        """Whether all steps are taken and the gradient after them is known."""
        return len(self._rows) > self.plan.steps

    def advance(self, context: WorkContext = NO_CONTEXT) -> None:
        """Write down the gradient of the next batch, and take the step unless it was the last."""
        last = len(self._rows) == self.plan.steps
        told, gradient = self._training.gradient() if last else self._training.step()
        with np.errstate(over="ignore", invalid="ignore"):
            norms = np.linalg.norm(gradient["kernel"].astype(np.float64), axis=(-2, -1)).T
        self._rows.append((norms, told["spread"].T.astype(np.float64), told["loss"].astype(np.float64)))

    def result(self) -> Vanishing:
        """Return what is known so far; at least one `advance` must have been."""
        gradient, spread, loss = (np.stack(rows) for rows in zip(*self._rows, strict=True))
        return Vanishing(self.plan, gradient, spread, loss, finished=self.done)


def vanishing(plan: VanishingPlan) -> Vanishing:
    """Return gradient norms and activation spreads, layer by layer, before each step and after the last.

    Args:
        plan: What is asked.

    Returns:
        `plan.steps + 1` rows.
    """
    descent = Descent(plan)
    while not descent.done:
        descent.advance()
    return descent.result()
