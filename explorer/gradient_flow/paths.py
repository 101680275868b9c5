"""The paths through a residual network: what each carries back, and what is left when blocks are dropped.

A residual block hands on x + f(x), so n of them are the sum of 2ⁿ paths: each goes through the branch f of some blocks
and past the others. The chain rule says the same of the gradient, which is the sum of what arrives along all paths.
After Veit, Wilber and Belongie, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks" (2016).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops

from explorer.gradient_flow.deep_networks import (
    PLAIN,
    RESIDUAL,
    Training,
    cross_entropy,
    evaluated,
    forward,
    one_hot,
    statistics_of,
)
from explorer.gradient_flow.depth_results import TRAINED, Paths, PathsPlan
from explorer.gradient_flow.digits import Digits, digits
from explorer.gradient_flow.stacks import Stack, Weights, alone, begun, beside
from explorer.networks.gradients import WithGradient, as_array
from explorer.networks.work_context import NO_CONTEXT, WorkContext

SAMPLES = 256
"""So many pictures, each with a path of its own, are averaged for each length."""

CHANNELS = 16
"""Of the convolutional networks."""

AT_ONCE = {"dense": 54, "convolutional": 8}
"""So many choices of dropped blocks run beside each other: all that 54 layers hand on is kept meanwhile."""

DRAWS = 8
"""So many choices of which blocks are dropped are averaged."""


def _along(h: Any, work: Any, branch: Any) -> Any:
    """Return h + work, whose gradient goes through the branch where `branch` is 1 and past it where it is 0."""
    forth = ops.stop_gradient(h + work)
    return forth + branch * (work - ops.stop_gradient(work)) + (1 - branch) * (h - ops.stop_gradient(h))


@lru_cache(maxsize=6)
def _path_gradient(stack: Stack) -> WithGradient:
    def loss(start: Any, weights: Weights, pictures: Any, targets: Any, statistics: Any, branch: Any) -> Any:
        # The stem's bias, one for each picture and position, is where the gradient at the stem's output can be read.
        passed = forward(stack, weights | {"stem_bias": start}, pictures, RESIDUAL, branch, statistics, layer=_along)
        return ops.sum(cross_entropy(passed.logits[:, None], targets[:, None])), None

    return WithGradient(loss, compiled=True)


def gradient_along(
    stack: Stack,
    weights: Weights,
    statistics: Weights | None,
    pictures: np.ndarray,
    labels: np.ndarray,
    branches: np.ndarray,
) -> np.ndarray:
    """Return the gradient that arrives at the stem's output along one path for each picture.

    Args:
        stack: What the residual network is made of.
        weights: Of one network.
        statistics: Of batch normalisation (see `statistics_of`).
        pictures: float (n, 64).
        labels: int (n,).
        branches: (n, depth), 1 where the path goes through a block's branch and 0 where it goes past it.

    Returns:
        float32 (n, w), in a convolutional network (n, 16 w): of the cross-entropy of each picture.
    """
    start = np.repeat(np.asarray(weights["stem_bias"], np.float32), len(pictures) * stack.positions, axis=0)
    branch = np.ascontiguousarray(branches.T[:, :, None], np.float32).repeat(stack.positions, axis=1)
    run = _path_gradient(stack)
    found = as_array(run(start, weights, pictures, one_hot(labels), statistics, branch)[2])
    return found.reshape(len(pictures), -1)


def stack_of(plan: PathsPlan) -> Stack:
    """Return what the networks of a plan are made of."""
    if plan.network == "convolutional":
        return Stack(plan.blocks, "relu", batch_norm=True, width=CHANNELS, convolutional=True)
    return Stack(plan.blocks, "relu", batch_norm=True)


class Measured:
    """Three networks that are trained and then taken apart: plain, residual, residual with stochastic depth.

    Args:
        plan: What is asked.
    """

    def __init__(self, plan: PathsPlan) -> None:
        self.plan = plan
        self._stack = stack_of(plan)
        self._random = np.random.default_rng(plan.seed)
        weights = begun(self._stack, "he_normal", plan.seed)
        blocks, data = plan.blocks, self._data
        self._both = Training(
            self._stack, beside([weights, weights]), np.array([PLAIN, RESIDUAL]), data.pictures, data.labels,
            rate=plan.rate, seed=plan.seed,
        )  # fmt: skip
        self._stochastic = Training(
            self._stack, beside([weights]), np.array([RESIDUAL]), data.pictures, data.labels,
            rate=plan.rate, seed=plan.seed, survival=np.full(blocks, plan.survival),
        )  # fmt: skip
        self._networks: list[tuple[Weights, Weights | None]] = []
        counts = np.unique(np.linspace(1, blocks, min(blocks, 9)).round().astype(int))
        self._accuracy = np.full(len(TRAINED), np.nan)
        self._norm = np.full(blocks + 1, np.nan)
        self._one = np.full((len(TRAINED), blocks), np.nan)
        self._counts = counts
        self._many = np.full((len(TRAINED), len(counts)), np.nan)
        self._at = 0

    @property
    def _data(self) -> Digits:
        return digits(self.plan.seed)

    @property
    def _training_steps(self) -> int:
        return self.plan.epochs * self._both.steps_per_epoch

    @property
    def amount(self) -> tuple[int, int, str]:
        """How much is done, of how much, in what."""
        return self._at, self._training_steps + 1 + self.plan.blocks + 1 + 1 + len(self._counts), "steps"

    @property
    def done(self) -> bool:
        """Whether everything is measured."""
        return self._at >= self.amount[1]

    def advance(self, context: WorkContext = NO_CONTEXT) -> None:
        """Take one step of training, or measure one length, or drop blocks once."""
        at = self._at - self._training_steps
        lengths = self.plan.blocks + 1
        if at < 0:
            self._both.step()
            self._stochastic.step()
        elif at == 0:
            self._take_over()
        elif at <= lengths:
            self._norm[at - 1] = self._norm_of(at - 1)
        elif at == lengths + 1:
            self._one = self._dropped(1 - np.eye(self.plan.blocks))
        else:
            self._many[:, at - lengths - 2] = self._many_dropped(int(self._counts[at - lengths - 2]))
        self._at += 1

    def _take_over(self) -> None:
        """Keep the trained networks, and let go of what training needed."""
        for training, number in ((self._both, 0), (self._both, 1), (self._stochastic, 0)):
            known = statistics_of(
                self._stack, training.weights, training.skip, self._data.pictures, self._scale(training)
            )
            self._networks.append((alone(training.weights, number), None if known is None else alone(known, number)))
        self._accuracy = self._dropped(np.ones((1, self.plan.blocks)))[:, 0]

    def _scale(self, training: Training) -> np.ndarray | None:
        """In testing all blocks run, and those of stochastic depth count as often as they took part (Huang et al.)."""
        if training is not self._stochastic:
            return None
        return np.full((self.plan.blocks, 1, 1, 1), self.plan.survival, np.float32)

    def _norm_of(self, length: int) -> float:
        weights, known = self._networks[1]
        chosen = self._random.choice(len(self._data.labels), SAMPLES, replace=False)
        order = self._random.random((SAMPLES, self.plan.blocks)).argsort(axis=1)
        found = gradient_along(
            self._stack, weights, known, self._data.pictures[chosen], self._data.labels[chosen], order < length
        )
        return float(np.linalg.norm(found.astype(np.float64), axis=1).mean())

    def _dropped(self, kept: np.ndarray) -> np.ndarray:
        """Return (3, k): each network's test accuracy with only these blocks (k, n) in place."""
        size = AT_ONCE[self.plan.network]
        parts = [self._dropped_at_once(kept[at : at + size]) for at in range(0, len(kept), size)]
        return np.concatenate(parts, axis=1)

    def _dropped_at_once(self, kept: np.ndarray) -> np.ndarray:
        found = []
        for number, (weights, known) in enumerate(self._networks):
            scale = self.plan.survival if number == 2 else 1.0
            skip = np.float32(RESIDUAL if number else PLAIN)
            keep = np.ascontiguousarray(kept.T[:, :, None, None], np.float32) * np.float32(scale)
            # All choices run beside each other: the networks that differ in them share their weights.
            many = {name: value[:, None] if value.ndim == 3 else value[None] for name, value in weights.items()}
            shared = None if known is None else {name: value[:, None] for name, value in known.items()}
            many["stem"] = np.repeat(many["stem"], len(kept), axis=0)
            found.append(
                evaluated(
                    self._stack, many, skip, self._data.test_pictures, self._data.test_labels, keep=keep,
                    statistics=shared,
                )[1]
            )  # fmt: skip
        return np.stack(found).astype(np.float64)

    def _many_dropped(self, count: int) -> np.ndarray:
        order = self._random.random((DRAWS, self.plan.blocks)).argsort(axis=1)
        return self._dropped((order >= count).astype(np.float32)).mean(axis=1)

    def result(self) -> Paths:
        """Return what is known so far."""
        return Paths(
            self.plan, self._accuracy.copy(), self._norm.copy(), self._one.copy(), self._counts, self._many.copy(),
            finished=self.done,
        )  # fmt: skip


def paths(plan: PathsPlan) -> Paths:
    """Train the networks, measure the paths of the residual one and drop blocks of all three.

    Args:
        plan: What is asked.
    """
    measured = Measured(plan)
    while not measured.done:
        measured.advance()
    return measured.result()
