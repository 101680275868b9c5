"""Small networks of many equal layers (`explorer.gradient_flow.stacks`), run and trained with Keras' operations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import numpy as np
from keras import ops

from explorer.gradient_flow.digits import CLASSES, SIDE
from explorer.gradient_flow.stacks import KERNEL_SIDE, STEM_STRIDE, Stack, Weights
from explorer.networks.gradients import Compiled, WithGradient, as_array

EPSILON = 1e-3
"""What batch normalisation adds to the variance, as in Keras."""

UNROLLED = 5
"""Layers in one turn of the loop over layers: it then is almost as fast as without a loop, and soon traced."""

LEAST_SPREAD = 1e-15
"""Squares of less are lost in 32 bits."""

PLAIN, RESIDUAL = 0.0, 1.0
"""The factor of what a layer hands on beside its own work."""


@dataclass(frozen=True)
class Passed:
    """What a pass through a network leaves behind, as tensors.

    Attributes:
        logits: (…, n, 10).
        hidden: (depth + 1, …, n, w): what the stem and then each layer hands on; (depth + 1, …, 16 n, w) of a
            convolutional network, whose positions are treated like so many pictures.
    """

    logits: Any
    hidden: Any


def forward(
    stack: Stack,
    weights: Weights,
    pictures: Any,
    skip: Any,
    keep: Any = None,
    statistics: Weights | None = None,
    layer: Callable[[Any, Any, Any], Any] | None = None,
    unrolled: int | None = None,
) -> Passed:
    """Run pictures through a network.

    Args:
        stack: What it is made of.
        weights: As `begun` makes them, or several `beside` each other.
        pictures: float (n, 64).
        skip: 1 for a residual network, 0 for a plain one; any shape that (…, n, w) can be multiplied by, or, where the
            network is convolutional, (…, 16 n, w).
        keep: (depth, …) of such shapes, or None for 1: a layer at 0 is left out, in a plain network too, and hands on
            what it got.
        statistics: "mean" and "variance" (depth + 1, …, 1, w) that batch normalisation uses; those of the batch if
            None.
        layer: Instead of that sum, from what a layer got, its work and its `keep` to what it hands on.
        unrolled: So many layers are written out in one turn of the loop over layers: more of them are faster, and take
            longer to trace.
    """
    weights, statistics, skip, keep = _tensors((weights, statistics, skip, keep))
    activation = keras.activations.get(stack.activation)
    rows: Weights = {name: weights[name] for name in ("gamma", "beta") if stack.batch_norm}
    if statistics is not None and stack.batch_norm:
        rows |= {name: statistics[name] for name in ("mean", "variance")}
    layers = {name: each[: stack.depth] for name, each in rows.items()}
    layers |= {"kernel": weights["kernel"], "bias": weights["bias"]}
    if keep is not None:
        layers["keep"] = keep

    def summed(h: Any, work: Any, kept: Any) -> Any:
        if kept is None:
            return skip * h + work
        return kept * (skip * h + work) + (1 - kept) * h

    def one(h: Any, own: Weights) -> Any:
        work = product(activation(_normalised(h, own)), own["kernel"]) + own["bias"]
        return (layer or summed)(h, work, own.get("keep"))

    product = _convolved if stack.convolutional else ops.matmul
    h = ops.matmul(_stem_inputs(pictures) if stack.convolutional else pictures, weights["stem"]) + weights["stem_bias"]
    h, hidden = _through(one, h, layers, stack.depth, unrolled or _written_out(stack))
    last = {name: each[stack.depth] for name, each in rows.items()}
    features = activation(_normalised(h, last))
    if stack.convolutional:
        features = ops.mean(ops.reshape(features, (*h.shape[:-2], -1, stack.positions, stack.width)), axis=-2)
    logits = ops.matmul(features, weights["head"]) + weights["head_bias"]
    return Passed(logits, hidden)


def _tensors(nest: Any) -> Any:
    """Make every array of a nest a tensor: PyTorch's operations take no arrays, nor does Keras make tensors of all."""
    return keras.tree.map_structure(lambda leaf: leaf if leaf is None else ops.convert_to_tensor(leaf, "float32"), nest)


def _written_out(stack: Stack) -> int:
    """Return how many layers are written out in one turn of the loop over layers.

    All of them make a step a third faster where a layer is three operations. With batch normalisation it is a dozen:
    then a hundred layers take TensorFlow nine seconds to trace, and no step is faster. XLA, without which JAX compiles
    nothing, takes long in either case.
    """
    return UNROLLED if stack.batch_norm or keras.backend.backend() == "jax" else stack.depth


def _stem_inputs(pictures: Any) -> Any:
    """Return what the stem's kernel sees at each of its positions, 0 beyond the edges: (n, 64) to (16 n, 9).

    As Keras' padding "same": with an even side and stride 2 only below and to the right.
    """
    padded = ops.pad(ops.reshape(pictures, (-1, SIDE, SIDE)), ((0, 0), (0, 1), (0, 1)))
    shifted = [
        padded[:, row : row + SIDE - 1 : STEM_STRIDE, column : column + SIDE - 1 : STEM_STRIDE]
        for row in range(KERNEL_SIDE)
        for column in range(KERNEL_SIDE)
    ]
    return ops.reshape(ops.stack(shifted, axis=-1), (-1, KERNEL_SIDE**2))


def _convolved(h: Any, kernel: Any) -> Any:
    """Return the convolution of (…, 16 n, w) with kernels (…, 9 w, w), one for each network, or one for all."""
    side, width = SIDE // STEM_STRIDE, kernel.shape[-1]

    def one(h: Any, kernel: Any) -> Any:
        maps = ops.reshape(h, (-1, side, side, width))
        kernel = ops.reshape(kernel, (KERNEL_SIDE, KERNEL_SIDE, width, width))
        return ops.reshape(ops.conv(maps, kernel, padding="same"), h.shape)

    if math.prod(kernel.shape[:-2]) == 1:
        return one(h, kernel)
    return ops.stack([one(h[number], kernel[number]) for number in range(kernel.shape[0])])


def _normalised(h: Any, own: Weights) -> Any:
    if "gamma" not in own:
        return h
    if "mean" in own:
        mean, variance = own["mean"], own["variance"]
    else:
        mean, variance = ops.mean(h, -2, keepdims=True), ops.var(h, -2, keepdims=True)
    return (h - mean) * (ops.rsqrt(variance + EPSILON) * own["gamma"]) + own["beta"]


def _through(one: Callable[[Any, Weights], Any], h: Any, layers: Weights, depth: int, unrolled: int) -> tuple[Any, Any]:
    """Run through all layers, some at a time; return the last output and all of them, the input first."""
    turns = depth // unrolled if depth >= 2 * unrolled else 0
    looped = turns * unrolled
    outputs = [ops.expand_dims(h, 0)]
    if turns:
        groups = {name: ops.reshape(each[:looped], (turns, unrolled, *each.shape[1:])) for name, each in layers.items()}

        def turn(before: list[Any], group: Weights) -> tuple[list[Any], list[Any]]:
            h, found = before[-1], []
            for own in _each(group, unrolled):
                h = one(h, own)
                found.append(h)
            return found, found  # Keras wants what is carried on and what is collected to look alike

        last, found = ops.scan(turn, [h] * unrolled, groups)
        h, seen = last[-1], ops.stack(found, axis=1)
        outputs.append(ops.reshape(seen, (looped, *seen.shape[2:])))
    for own in _each({name: each[looped:] for name, each in layers.items()}, depth - looped):
        h = one(h, own)
        outputs.append(ops.expand_dims(h, 0))
    return h, ops.concatenate(outputs, axis=0)


def _each(layers: Weights, count: int) -> list[Weights]:
    """Return the weights of each of so many layers; taken apart at once, the gradient is put together at once too."""
    if not count:
        return []
    parts = {name: ops.unstack(each, count, axis=0) for name, each in layers.items()}
    return [{name: each[number] for name, each in parts.items()} for number in range(count)]


def cross_entropy(logits: Any, targets: Any) -> Any:
    """Return the mean cross-entropy (…) of logits (…, n, 10) against one-hot targets (n, 10)."""
    return ops.mean(ops.logsumexp(logits, axis=-1) - ops.sum(logits * targets, axis=-1), axis=-1)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Return float32 (n, 10) with a 1 at each label."""
    return np.eye(CLASSES, dtype=np.float32)[labels]


def _right(logits: Any, targets: Any) -> Any:
    hits = ops.equal(ops.argmax(logits, axis=-1), ops.argmax(targets, axis=-1))
    return ops.mean(ops.cast(hits, "float32"), axis=-1)


def _spread(hidden: Any) -> Any:
    """Return the standard deviation over the last two axes, also where the squares of the numbers are no numbers."""
    plain = ops.std(hidden, axis=(-2, -1))

    def scaled() -> Any:
        most = ops.max(ops.abs(hidden), axis=(-2, -1), keepdims=True)
        unit = ops.where(most > 0, most, 1.0)
        return ops.std(hidden / unit, axis=(-2, -1)) * ops.squeeze(unit, (-2, -1))

    # Rarely needed, and three arrays of the size of all that went through the network.
    in_range = ops.logical_and(plain > LEAST_SPREAD, ops.isfinite(plain))
    return ops.cond(ops.all(in_range), lambda: plain, scaled)


@lru_cache(maxsize=12)
def training_step(stack: Stack) -> WithGradient:
    """Return the compiled loss with its gradient: (weights, pictures, targets, skip, keep) → (sum of all losses,
    {"loss" (…), "accuracy" (…), "spread" (depth + 1, …)}, gradient in the weights' structure).

    The spread is the standard deviation of what each layer hands on, over pictures and numbers. Where several networks
    lie beside each other, the gradient of the sum holds the gradient of each.
    """

    def loss(weights: Weights, pictures: Any, targets: Any, skip: Any, keep: Any) -> tuple[Any, Any]:
        passed = forward(stack, weights, pictures, skip, keep)
        losses = cross_entropy(passed.logits, targets)
        told = {
            "loss": losses,
            "accuracy": _right(passed.logits, targets),
            "spread": _spread(passed.hidden),
        }
        return ops.sum(losses), told

    return WithGradient(loss, compiled=True)


class Training:
    """Networks beside each other that learn from the same batches by gradient descent with momentum.

    Args:
        stack: What each of them is made of.
        weights: Of all of them (see `beside`).
        skip: float (networks,), 0 for plain and 1 for residual ones.
        pictures: float (n, 64).
        labels: int (n,).
        rate: Learning rate.
        momentum: v ← momentum · v − rate · gradient; weights ← weights + v, as `keras.optimizers.SGD`.
        batch: Pictures in a batch.
        seed: Of the order of the pictures.
        survival: (depth,), or None: the probability with which a layer takes part in a step (stochastic depth).
    """

    def __init__(
        self,
        stack: Stack,
        weights: Weights,
        skip: np.ndarray,
        pictures: np.ndarray,
        labels: np.ndarray,
        *,
        rate: float,
        momentum: float = 0.9,
        batch: int = 128,
        seed: int = 0,
        survival: np.ndarray | None = None,
    ) -> None:
        self.stack = stack
        self.weights = {name: np.array(value, np.float32) for name, value in weights.items()}
        self.skip = np.asarray(skip, np.float32)[:, None, None]
        self.rate, self.momentum = rate, momentum
        self.steps = 0
        self._pictures, self._targets = pictures, one_hot(labels)
        self._batch = batch
        self._random = np.random.default_rng(seed)
        self._survival = survival
        self._velocity = {name: np.zeros_like(value) for name, value in self.weights.items()}
        self._order: list[np.ndarray] = []
        self._run = training_step(stack)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the compiled step, which another process finds or makes for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "_run"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._run = training_step(self.stack)

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which each picture is seen once; what does not fill a batch waits for the next epoch."""
        return max(1, len(self._pictures) // self._batch)

    def _next(self) -> np.ndarray:
        if not self._order:
            shuffled = self._random.permutation(len(self._pictures))
            size = min(self._batch, len(shuffled))
            self._order = [shuffled[at : at + size] for at in range(0, len(shuffled) - size + 1, size)]
        return self._order.pop()

    def _kept(self) -> np.ndarray | None:
        if self._survival is None:
            return None
        kept = self._random.random(self.stack.depth) < self._survival
        return kept.astype(np.float32)[:, None, None, None]

    def gradient(self) -> tuple[dict[str, np.ndarray], Weights]:
        """Return what the next batch tells (see `training_step`) and the gradient, as arrays, without a step."""
        chosen = self._next()
        inputs = (self._pictures[chosen], self._targets[chosen], self.skip, self._kept())
        _, told, gradient = self._run(self.weights, *inputs)
        return (
            {name: as_array(value) for name, value in told.items()},
            {name: as_array(value) for name, value in gradient.items()},
        )

    def step(self) -> tuple[dict[str, np.ndarray], Weights]:
        """Take one step; return what the batch told before it, and the gradient."""
        told, gradient = self.gradient()
        for name, value in self.weights.items():
            velocity = self._velocity[name]
            velocity *= self.momentum
            velocity -= self.rate * gradient[name]
            value += velocity
        self.steps += 1
        return told, gradient


@lru_cache(maxsize=12)
def _evaluation(stack: Stack) -> Compiled:
    def run(weights: Weights, pictures: Any, targets: Any, skip: Any, keep: Any, statistics: Any) -> tuple[Any, Any]:
        logits = forward(stack, weights, pictures, skip, keep, statistics).logits
        return cross_entropy(logits, targets), _right(logits, targets)

    return Compiled(run, compiled=True)


def evaluated(
    stack: Stack,
    weights: Weights,
    skip: Any,
    pictures: np.ndarray,
    labels: np.ndarray,
    *,
    keep: Any = None,
    statistics: Weights | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean cross-entropy and accuracy (…) of networks on pictures; arguments as of `forward`."""
    found = _evaluation(stack)(weights, pictures, one_hot(labels), skip, keep, statistics)
    return as_array(found[0]), as_array(found[1])


@lru_cache(maxsize=12)
def _hidden(stack: Stack) -> Compiled:
    return Compiled(lambda weights, pictures, skip: forward(stack, weights, pictures, skip).hidden, compiled=True)


def hidden_of(stack: Stack, weights: Weights, skip: Any, pictures: np.ndarray) -> np.ndarray:
    """Return float32 (depth + 1, …, n, w): what the stem and then each layer hands on; arguments as of `forward`."""
    return as_array(_hidden(stack)(weights, pictures, skip))


@lru_cache(maxsize=12)
def _statistics(stack: Stack) -> Compiled:
    def run(weights: Weights, pictures: Any, skip: Any, keep: Any) -> dict[str, Any]:
        hidden = forward(stack, weights, pictures, skip, keep).hidden
        return {"mean": ops.mean(hidden, -2, keepdims=True), "variance": ops.var(hidden, -2, keepdims=True)}

    return Compiled(run, compiled=True)


def statistics_of(stack: Stack, weights: Weights, skip: Any, pictures: np.ndarray, keep: Any = None) -> Weights | None:
    """Return what batch normalisation knows after training: mean and variance before each layer, over all pictures.

    Exact where Keras keeps a running mean of batches; None for networks without batch normalisation.

    Args:
        stack: What they are made of.
        weights: Of the networks.
        skip: See `forward`.
        pictures: float (n, 64), those that they have learnt from.
        keep: See `forward`.
    """
    if not stack.batch_norm:
        return None
    found = _statistics(stack)(weights, pictures, skip, keep)
    return {name: as_array(value) for name, value in found.items()}
