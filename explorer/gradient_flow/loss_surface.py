"""Loss surfaces by depth and skips: the loss on a plane through the trained weights, and how it curves.

After Li, Xu, Taylor, Studer and Goldstein, "Visualizing the Loss Landscape of Neural Nets" (2018): random directions
are normalised neuron by neuron to the length of the trained weights; biases and batch normalisation stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

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
from explorer.gradient_flow.depth_results import PATH_EPOCHS, PLAIN_AND_RESIDUAL, RESOLUTIONS, SurfacePlan, Surfaces
from explorer.gradient_flow.digits import Digits, digits
from explorer.gradient_flow.stacks import PER_LAYER, Stack, Weights, alone, begun, beside
from explorer.networks.gradients import Compiled, HessianVector, as_array
from explorer.networks.work_context import NO_CONTEXT, SentenceError, WorkContext

PICTURES = 512
"""So many training pictures make the loss of a surface."""

AT_ONCE = 16
"""So many points run beside each other in one call."""

NORMALISED = ("stem", "kernel", "head")
"""Kinds of weights that random directions change."""

_RESTARTS = 20
"""Of Lanczos' method, some products each."""

_DIRECTION_SEEDS = (1_000_003, 2_000_003)


def random_direction(weights: Weights, seed: int) -> Weights:
    """Return a filter-normalised random direction: each neuron's part is as long as its incoming weights are.

    Args:
        weights: Of one network.
        seed: Of the draw.
    """
    random = np.random.default_rng(seed)
    found: Weights = {}
    for name, value in weights.items():
        if name not in NORMALISED:
            found[name] = np.zeros_like(value)
            continue
        drawn = random.standard_normal(np.shape(value))
        length = np.linalg.norm(value, axis=-2, keepdims=True) / np.linalg.norm(drawn, axis=-2, keepdims=True)
        found[name] = (drawn * length).astype(np.float32)
    return found


def flat(weights: Weights) -> np.ndarray:
    """Return all weights of a network one after the other, float64, kinds in the order of their names."""
    return np.concatenate([np.asarray(weights[name], np.float64).ravel() for name in sorted(weights)])


def shaped(values: np.ndarray, like: Weights) -> Weights:
    """Return weights with the values that `flat` has laid in a row."""
    found, at = {}, 0
    for name in sorted(like):
        size = np.size(like[name])
        found[name] = values[at : at + size].reshape(np.shape(like[name])).astype(np.float32)
        at += size
    return found


def path_directions(weights: Sequence[Weights]) -> tuple[Weights, Weights]:
    """Return the first two principal components, of length 1, of the way that weights went to the last of them."""
    way = np.stack([flat(each) for each in weights])
    components = np.linalg.svd(way - way[-1], full_matrices=False)[2]
    return shaped(components[0], weights[-1]), shaped(components[1], weights[-1])


def coordinates(weights: Sequence[Weights], directions: tuple[Weights, Weights]) -> tuple[np.ndarray, np.ndarray]:
    """Project the way that weights went onto the plane of two directions through the last of them.

    Returns:
        Coordinates (t, 2), by least squares, and (2,): which share of the way's squared length lies along the first
        direction, and which lies along what of the second is at right angles to it.
    """
    way = np.stack([flat(each) for each in weights])
    way -= way[-1]
    basis = np.stack([flat(each) for each in directions], axis=1)
    found = np.linalg.lstsq(basis, way.T, rcond=None)[0].T
    orthogonal = np.linalg.qr(basis)[0]
    whole = (way**2).sum()
    explained = ((way @ orthogonal) ** 2).sum(axis=0) / whole if whole > 0 else np.zeros(2)
    return found, explained


@lru_cache(maxsize=8)
def _losses(stack: Stack) -> Compiled:
    def run(
        weights: Weights, first: Weights, second: Weights, statistics: Any, skip: Any, down: Any, across: Any,
        pictures: Any, targets: Any,
    ) -> Any:  # fmt: skip
        def at(name: str, value: Any) -> Any:
            return value[:, None] if name in PER_LAYER else value[None]

        moved = {
            name: at(name, value)
            + down[:, None, None] * at(name, first[name])
            + across[:, None, None] * at(name, second[name])
            for name, value in weights.items()
        }
        known = None if statistics is None else {name: at(name, value) for name, value in statistics.items()}
        return cross_entropy(forward(stack, moved, pictures, skip, None, known).logits, targets)

    return Compiled(run, compiled=True)


class Plane:
    """The loss of a network on a plane through its weights, many points in one compiled call.

    Args:
        stack: What it is made of.
        weights: Of one network, the plane's origin.
        statistics: Of batch normalisation, which stay as they are.
        skip: 1 for a residual network, 0 for a plain one.
        directions: Two, of the weights' structure.
        pictures: float (n, 64).
        labels: int (n,).
    """

    def __init__(
        self,
        stack: Stack,
        weights: Weights,
        statistics: Weights | None,
        skip: float,
        directions: tuple[Weights, Weights],
        pictures: np.ndarray,
        labels: np.ndarray,
    ) -> None:
        self._stack = stack
        self._fixed = (weights, *directions, statistics, np.float32(skip))
        self._data = (pictures, one_hot(labels))

    def losses(self, points: np.ndarray) -> np.ndarray:
        """Return the mean cross-entropy, float64 (k,), at weights + a · first + b · second for (a, b) of (k, 2).

        At most `AT_ONCE` at a time run beside each other, which keeps the call's memory small and one trace enough.
        """
        run, found = _losses(self._stack), []
        for start in range(0, len(points), AT_ONCE):
            some = np.asarray(points[start : start + AT_ONCE], np.float32)
            filled = np.concatenate([some, np.zeros((AT_ONCE - len(some), 2), np.float32)])
            found.append(as_array(run(*self._fixed, filled[:, 0], filled[:, 1], *self._data))[: len(some)])
        return np.concatenate(found).astype(np.float64) if found else np.zeros(0)


@lru_cache(maxsize=8)
def _hessian(stack: Stack) -> HessianVector:
    def loss(weights: Weights, statistics: Any, skip: Any, pictures: Any, targets: Any) -> Any:
        passed = forward(stack, weights, pictures, skip, None, statistics, unrolled=1)
        return cross_entropy(passed.logits, targets)

    return HessianVector(loss, compiled=True)


class Curvature:
    """The Hessian of a network's loss, as far as products with it tell.

    Args:
        stack: What the network is made of.
        weights: Of one network.
        statistics: See `Plane`.
        skip: See `Plane`.
        pictures: float (n, 64).
        labels: int (n,).
    """

    def __init__(
        self,
        stack: Stack,
        weights: Weights,
        statistics: Weights | None,
        skip: float,
        pictures: np.ndarray,
        labels: np.ndarray,
    ) -> None:
        self._run = _hessian(stack)
        self._others = (statistics, np.float32(skip), pictures, one_hot(labels))
        self._weights = weights

    def product(self, vector: np.ndarray) -> np.ndarray:
        """Return H v, float64, for a vector in the order of `flat`."""
        found = self._run(self._weights, shaped(vector, self._weights), *self._others)
        return flat({name: as_array(value) for name, value in found.items()})

    def largest(self, context: WorkContext = NO_CONTEXT) -> float:
        """Return the largest eigenvalue, by SciPy's Lanczos method to a hundredth of itself.

        Not a number where products are none, or where the method does not settle.

        Args:
            context: Whose wish to stop is heard before each product.

        Raises:
            Stopped: when it was asked to stop.
        """
        size = len(flat(self._weights))
        start = np.random.default_rng(0).standard_normal(size)

        def product(vector: np.ndarray) -> np.ndarray:
            context.raise_if_stopped()
            return self.product(vector.ravel())

        if not np.isfinite(product(start)).all():
            return float("nan")
        operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
        try:
            found = eigsh(
                operator, k=1, which="LA", v0=start, ncv=10, maxiter=_RESTARTS, tol=1e-2, return_eigenvectors=False
            )
        except ArpackNoConvergence:
            return float("nan")
        return float(found[0])


class Growth:
    """A plain and a residual network that are trained, and whose surfaces are then computed, coarse points first.

    Args:
        plan: What is asked.

    Raises:
        SentenceError: for a path of too few epochs.
    """

    def __init__(self, plan: SurfacePlan) -> None:
        if plan.directions == "path" and plan.epochs < PATH_EPOCHS:
            raise SentenceError("A path needs two epochs at least.")
        self.plan = plan
        self._stack = Stack(plan.depth, "relu", batch_norm=True)
        weights = begun(self._stack, "he_normal", plan.seed)
        self._training: Training | None = Training(
            self._stack, beside([weights, weights]), np.array([PLAIN, RESIDUAL]), self._data.pictures,
            self._data.labels, rate=plan.rate, seed=plan.seed,
        )  # fmt: skip
        self._steps = plan.epochs * self._training.steps_per_epoch
        self._visited = [self._training_weights()]
        self._planes: list[tuple[Weights, Weights | None, tuple[Weights, Weights]]] = []
        side = plan.resolution
        self._losses = np.full((2, side, side), np.nan)
        self._order = growing_order(side)
        self._known = 0
        self._curvature = np.full(2, np.nan)
        self._curved = 0
        self._error = np.full(2, np.nan)
        self._scale = np.full(2, plan.extent)
        self._path = np.full((2, plan.epochs + 1, 2), np.nan)
        self._explained = np.full((2, 2), np.nan)
        self._trained = 0

    @property
    def _data(self) -> Digits:
        return digits(self.plan.seed)

    def _training_weights(self) -> Weights:
        assert self._training is not None
        return {name: value.copy() for name, value in self._training.weights.items()}

    @property
    def amount(self) -> tuple[int, int, str]:
        """How much is done, of how much, in what."""
        if self._trained < self._steps:
            per_epoch = max(1, self._steps // max(1, self.plan.epochs))
            return self._trained // per_epoch, self.plan.epochs, "epochs"
        return 2 * self._known, 2 * len(self._order), "points"

    @property
    def done(self) -> bool:
        """Whether both surfaces are whole, and both curvatures known."""
        return self._known >= len(self._order) and self._curved == 2

    def advance(self, context: WorkContext = NO_CONTEXT) -> None:
        """Take one step of training, or compute some points of both surfaces, or one curvature."""
        if self._training is not None and self._trained < self._steps:
            self._training.step()
            self._trained += 1
            if self._trained % self._training.steps_per_epoch == 0:
                self._visited.append(self._training_weights())
        elif not self._planes:
            self._lay_planes()
        elif self._curved < 2 and self._known >= min(len(self._order), RESOLUTIONS[1] ** 2):
            self._curvature[self._curved] = self._curve(self._curved).largest(context)
            self._curved += 1
        else:
            some = self._order[self._known : self._known + AT_ONCE]
            for number in range(2):
                steps = np.linspace(-self._scale[number], self._scale[number], self.plan.resolution)
                self._losses[number][tuple(some.T)] = self._plane(number).losses(steps[some])
            self._known += len(some)

    def _lay_planes(self) -> None:
        assert self._training is not None
        data, training = self._data, self._training
        known = statistics_of(self._stack, training.weights, training.skip, data.pictures)
        self._error = 1 - evaluated(
            self._stack, training.weights, training.skip, data.pictures, data.labels, statistics=known
        )[1].astype(np.float64)
        for number in range(2):
            way = [alone(each, number) for each in self._visited]
            if not all(np.isfinite(flat(each)).all() for each in way):
                raise SentenceError(
                    f"The {PLAIN_AND_RESIDUAL[number]} network has diverged in training: its weights are no finite "
                    "numbers any more, so there is no surface around them. Take a smaller learning rate than "
                    f"{self.plan.rate:g}."
                )
            directions = self._directions(way)
            self._path[number], self._explained[number] = coordinates(way, directions)
            if self.plan.directions == "path":
                reached = np.abs(self._path[number]).max()
                self._scale[number] = self.plan.extent * (1.1 * reached if reached > 0 else 1.0)
            self._planes.append((way[-1], None if known is None else alone(known, number), directions))
        self._training, self._visited = None, []

    def _directions(self, way: list[Weights]) -> tuple[Weights, Weights]:
        if self.plan.directions == "path":
            return path_directions(way)
        first, second = (random_direction(way[-1], self.plan.seed + each) for each in _DIRECTION_SEEDS)
        return first, second

    def _plane(self, number: int) -> Plane:
        weights, known, directions = self._planes[number]
        data = self._data
        return Plane(
            self._stack, weights, known, (PLAIN, RESIDUAL)[number], directions, data.pictures[:PICTURES],
            data.labels[:PICTURES],
        )  # fmt: skip

    def _curve(self, number: int) -> Curvature:
        weights, known, _ = self._planes[number]
        data = self._data
        return Curvature(
            self._stack, weights, known, (PLAIN, RESIDUAL)[number], data.pictures[:PICTURES], data.labels[:PICTURES]
        )

    def result(self) -> Surfaces:
        """Return what is known so far."""
        steps = np.stack([np.linspace(-scale, scale, self.plan.resolution) for scale in self._scale])
        per_epoch = max(1, self._steps // max(1, self.plan.epochs))
        return Surfaces(
            self.plan, steps, self._losses.copy(), self._path.copy(), self._explained.copy(), self._error.copy(),
            self._curvature.copy(), epochs_done=self._trained / per_epoch, finished=self.done,
        )  # fmt: skip


def growing_order(side: int) -> np.ndarray:
    """Return the places (side², 2) of a grid's points, those of coarser grids first: every 2ⁿ-th, then between them.

    Args:
        side: 2ⁿ + 1.
    """
    found: list[np.ndarray] = []
    taken = np.zeros((side, side), bool)
    stride = (side - 1) // (RESOLUTIONS[0] - 1) if side >= RESOLUTIONS[0] else 1
    while stride >= 1:
        grid = np.zeros((side, side), bool)
        grid[::stride, ::stride] = True
        found.append(np.argwhere(grid & ~taken))
        taken |= grid
        stride //= 2
    return np.concatenate(found)


def loss_surfaces(plan: SurfacePlan) -> Surfaces:
    """Train a plain and a residual network and return their loss on a plane through the trained weights.

    Args:
        plan: What is asked.
    """
    growth = Growth(plan)
    while not growth.done:
        growth.advance()
    return growth.result()
