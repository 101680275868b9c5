"""Degradation: a deeper plain network has the higher training error, a deeper residual one has not (He et al. 2015)."""

from __future__ import annotations

import numpy as np

from explorer.gradient_flow.deep_networks import PLAIN, RESIDUAL, Training, evaluated, hidden_of, statistics_of
from explorer.gradient_flow.depth_results import Degradation, DegradationPlan
from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.stacks import Stack, Weights, begun, beside
from explorer.networks.work_context import NO_CONTEXT, WorkContext


class Race:
    """Four networks that learn in turn: shallow and deep, each plain and residual.

    Args:
        plan: What is asked.
    """

    def __init__(self, plan: DegradationPlan) -> None:
        self.plan = plan
        self._data = digits(plan.seed)
        self._pairs = [self._pair(depth) for depth in (plan.shallow, plan.deep)]
        self._rows: list[np.ndarray] = []
        self._identity = np.array([identity_gap(plan.deep, skip, plan.seed) for skip in (PLAIN, RESIDUAL)])

    def _pair(self, depth: int) -> Training:
        stack = Stack(depth, "relu", self.plan.batch_norm)
        weights = begun(stack, "he_normal", self.plan.seed)
        return Training(
            stack, beside([weights, weights]), np.array([PLAIN, RESIDUAL]), self._data.pictures, self._data.labels,
            rate=self.plan.rate, seed=self.plan.seed,
        )  # fmt: skip

    @property
    def _steps(self) -> int:
        return self.plan.epochs * self._pairs[0].steps_per_epoch

    @property
    def amount(self) -> tuple[int, int, str]:
        """How much is done, of how much, in what."""
        per_epoch = self._pairs[0].steps_per_epoch
        return self._pairs[1].steps // per_epoch, self.plan.epochs, "epochs"

    @property
    def done(self) -> bool:
        """Whether all epochs are over and judged."""
        return len(self._rows) > self.plan.epochs

    def advance(self, context: WorkContext = NO_CONTEXT) -> None:
        """Take one step with each of the four, or judge them where an epoch has ended."""
        steps = self._pairs[1].steps
        if steps == len(self._rows) * self._pairs[0].steps_per_epoch:
            self._rows.append(np.stack([self._judged(pair) for pair in self._pairs]))
            return
        for pair in self._pairs:
            pair.step()

    def _judged(self, pair: Training) -> np.ndarray:
        """Return (2, 3): training error, loss and test error of the plain and the residual one."""
        known = statistics_of(pair.stack, pair.weights, pair.skip, self._data.pictures)
        loss, accuracy = evaluated(
            pair.stack, pair.weights, pair.skip, self._data.pictures, self._data.labels, statistics=known
        )
        _, test = evaluated(
            pair.stack, pair.weights, pair.skip, self._data.test_pictures, self._data.test_labels, statistics=known
        )
        return np.stack([1 - accuracy, loss, 1 - test], axis=1)

    def result(self) -> Degradation:
        """Return what is known so far; at least one `advance` must have been."""
        rows = np.stack(self._rows, axis=-1).astype(np.float64)
        return Degradation(self.plan, rows[:, :, 0], rows[:, :, 1], rows[:, :, 2], self._identity, finished=self.done)


def identity_gap(depth: int, skip: float, seed: int) -> float:
    """Return the largest |out − in| of any layer whose weights are all 0, over a few digits: 0 for residual ones.

    Args:
        depth: Layers.
        skip: 1 for a residual network, 0 for a plain one, which hands on zeros.
        seed: Of stem and pictures.
    """
    stack = Stack(depth, "relu", batch_norm=True)
    weights: Weights = begun(stack, "zeros", seed)
    hidden = hidden_of(stack, weights, np.float32(skip), digits(seed).pictures[:64])
    return float(np.abs(np.diff(hidden, axis=0)).max())


def degradation(plan: DegradationPlan) -> Degradation:
    """Train the four networks and return their errors, epoch by epoch.

    Args:
        plan: What is asked.
    """
    race = Race(plan)
    while not race.done:
        race.advance()
    return race.result()
