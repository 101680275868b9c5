"""What the scenes about depth are asked and what they answer; without Keras, since the page unpickles it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import comb

import numpy as np

PLAIN_AND_RESIDUAL = ("plain", "residual")
"""The networks of each result, in their order along the axis that tells them apart."""


@dataclass(frozen=True, kw_only=True)
class SoFar:
    """What all results have that are computed step by step.

    Attributes:
        finished: Whether all is computed: every step, every epoch, the whole grid.
        state: What to go on from, where it gave way to others.
    """

    finished: bool = True
    state: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class VanishingPlan:
    """A plain and a residual network that begin with the same weights.

    Attributes:
        depth: layers between stem and output layer.
        activation: name that Keras knows.
        initialiser: name of `explorer.gradient_flow.initialisers.INITIALISERS`.
        batch_norm: batch normalisation before each activation.
        steps: of gradient descent.
        rate: its learning rate.
        seed: of the weights and the order of the pictures.
    """

    depth: int = 30
    activation: str = "sigmoid"
    initialiser: str = "glorot_uniform"
    batch_norm: bool = False
    steps: int = 0
    rate: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class Vanishing(SoFar):
    """Gradients and activations of a plain and a residual network, before each step.

    Attributes:
        plan: What was asked.
        gradient: float64 (rows, 2, depth), Euclidean norm of the gradient of a layer's weights; row t is before step
            t + 1.
        spread: float64 (rows, 2, depth + 1), standard deviation of what the stem and then each layer hands on.
        loss: float64 (rows, 2), mean cross-entropy of the batch.
    """

    plan: VanishingPlan
    gradient: np.ndarray
    spread: np.ndarray
    loss: np.ndarray

    def ratio(self, row: int = 0) -> np.ndarray:
        """Return (2,): the first layer's gradient norm over the last's; not a number where both are 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.gradient[row, :, 0] / self.gradient[row, :, -1]


@dataclass(frozen=True)
class PathsPlan:
    """A small residual network whose paths are measured, beside a plain one and one with stochastic depth.

    Attributes:
        blocks: residual blocks n.
        epochs: of training.
        survival: probability p with which a block takes part in a step, for the network with stochastic depth.
        rate: learning rate.
        seed: of weights, pictures, paths and which blocks are dropped.
        network: "convolutional", with blocks of one convolution of 3 × 3 over 16 channels, or "dense", with blocks of
            one layer of 32 × 32.
    """

    blocks: int = 24
    epochs: int = 20
    survival: float = 0.7
    rate: float = 0.05
    seed: int = 0
    network: str = "convolutional"


TRAINED = ("plain", "residual", "stochastic depth")
"""The networks of `Paths`, in order."""


@dataclass(frozen=True)
class Paths(SoFar):
    """What the paths through a residual network carry, and what becomes of networks without some of their layers.

    Attributes:
        plan: What was asked.
        accuracy: float (3,), on the test pictures, all blocks in place.
        norm: float64 (n + 1,), mean Euclidean norm of the gradient that arrives at the stem along one path, by length.
        drop_one: float (3, n), test accuracy without this block or layer.
        drop_counts: int (k,), how many are dropped together.
        drop_many: float (3, k), mean test accuracy over several draws of so many; not a number for what is not
            measured yet.
    """

    plan: PathsPlan
    accuracy: np.ndarray
    norm: np.ndarray
    drop_one: np.ndarray
    drop_counts: np.ndarray
    drop_many: np.ndarray

    def share(self) -> np.ndarray:
        """Return float64 (n + 1,): the share of each length, its number of paths times their mean norm."""
        total = path_counts(self.plan.blocks) * self.norm
        return total / total.sum() if np.isfinite(total).all() and total.sum() > 0 else np.full(len(total), np.nan)


def path_counts(blocks: int) -> np.ndarray:
    """Return float64 (n + 1,): how many of the 2ⁿ paths go through exactly k of n blocks' branches, n over k."""
    return np.array([float(comb(blocks, length)) for length in range(blocks + 1)])


def carrying(share: np.ndarray, part: float = 0.9) -> tuple[int, int]:
    """Return the first and the last of the fewest neighbouring lengths that together have this part of the whole.

    Args:
        share: (n + 1,), not negative, with the sum 1.
        part: 0 to 1.
    """
    sums = np.concatenate([[0.0], np.cumsum(share)])
    for width in range(1, len(share) + 1):
        held = sums[width:] - sums[:-width]
        best = int(np.argmax(held))
        if held[best] >= part - 1e-12:
            return best, best + width - 1
    return 0, len(share) - 1


@dataclass(frozen=True)
class DegradationPlan:
    """Four networks, shallow and deep, plain and residual, with the same budget and seed.

    Attributes:
        shallow: layers of the shallow ones.
        deep: layers of the deep ones.
        batch_norm: batch normalisation before each activation.
        epochs: of training.
        rate: learning rate.
        seed: of weights and the order of the pictures.
    """

    shallow: int = 6
    deep: int = 50
    batch_norm: bool = True
    epochs: int = 15
    rate: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class Degradation(SoFar):
    """Errors of the four networks, epoch by epoch; axes (shallow or deep, plain or residual, row).

    Attributes:
        plan: What was asked.
        error: float (2, 2, rows), share of the training pictures that is told wrong; row 0 is before training.
        loss: float (2, 2, rows), mean cross-entropy on them.
        test_error: float (2, 2, rows).
        identity: float (2,): with all weights of the deep network's layers at 0, the largest |out − in| over layers
            and pictures, of the plain and the residual one.
    """

    plan: DegradationPlan
    error: np.ndarray
    loss: np.ndarray
    test_error: np.ndarray
    identity: np.ndarray


PATH_EPOCHS = 2
"""Fewer epochs of training leave no path with two directions of its own."""

RESOLUTIONS = (5, 9, 17, 33, 65)
"""Points along a side of a surface's grid: each has all points of the one before and one between each two."""

CONCAVE_PART = 0.125
"""A grid point is called non-convex where the slice's smaller curvature is negative, and larger than this part of the
size of the other."""


@dataclass(frozen=True)
class SurfacePlan:
    """Loss surfaces around a plain and a residual network.

    Attributes:
        depth: layers between stem and output layer.
        epochs: of training before.
        rate: learning rate.
        directions: "random", filter-normalised as by Li et al. (2018), or "path", the principal components of the
            weights along training, of `PATH_EPOCHS` epochs at least.
        resolution: points along a side, one of `RESOLUTIONS`.
        extent: half a side: so many times the directions' length is gone.
        seed: of weights, the order of the pictures and the directions.
    """

    depth: int = 20
    epochs: int = 20
    rate: float = 0.05
    directions: str = "random"
    resolution: int = 33
    extent: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Surfaces(SoFar):
    """Loss on a grid of two directions around the trained weights; first axis plain or residual.

    Attributes:
        plan: What was asked.
        steps: float (2, m), where the grid's points lie along a direction, for each network.
        losses: float64 (2, m, m), first direction down, second across; not a number where not yet computed.
        path: float64 (2, t, 2), the weights after each epoch in these coordinates; the last is (0, 0).
        explained: float64 (2, 2), how much of the path's squared length lies along each direction.
        error: float (2,), share of the training pictures that the trained networks tell wrong.
        curvature: float64 (2,), largest eigenvalue of the loss' Hessian at the trained weights.
        epochs_done: float, epochs trained.
    """

    plan: SurfacePlan
    steps: np.ndarray
    losses: np.ndarray
    path: np.ndarray
    explained: np.ndarray
    error: np.ndarray
    curvature: np.ndarray
    epochs_done: float = 0.0


def slice_curvatures(losses: np.ndarray, step: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues of a surface's 2-D Hessian at its inner points, by central differences.

    Args:
        losses: float (m, m), evenly spaced.
        step: distance of two neighbours.

    Returns:
        The smaller and the larger one, each (m − 2, m − 2).
    """
    inner = losses[1:-1, 1:-1]
    down = losses[2:, 1:-1] - 2 * inner + losses[:-2, 1:-1]
    across = losses[1:-1, 2:] - 2 * inner + losses[1:-1, :-2]
    mixed = (losses[2:, 2:] - losses[2:, :-2] - losses[:-2, 2:] + losses[:-2, :-2]) / 4
    middle, half = (down + across) / 2, np.hypot((down - across) / 2, mixed)
    return (middle - half) / step**2, (middle + half) / step**2


def share_non_convex(losses: np.ndarray, part: float = CONCAVE_PART) -> float:
    """Return the share of a surface's inner points where it curves down along some direction, 0 to 1.

    Args:
        losses: float (m, m); a point counts only where it and its neighbours are finite numbers.
        part: A point counts where the smaller eigenvalue of the slice's Hessian is below −part times the size of the
            larger one.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        smaller, larger = slice_curvatures(np.asarray(losses, np.float64))
        known = np.isfinite(smaller) & np.isfinite(larger)
    if not known.any():
        return float("nan")
    return float(np.mean((smaller < -part * np.abs(larger))[known]))
