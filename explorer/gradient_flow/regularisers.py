"""What regularisers do to weights: one small network trained five times, alike but for what holds its weights back.

Penalties are those of `keras.regularizers`: L1 adds λ Σ|w| to the loss, L2 adds λ Σw², elastic net adds both; they are
on the weights, not on the biases. Dropout sets hidden values to zero at random and scales up the rest (Srivastava et
al. 2014).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from explorer.gradient_flow.digits import CLASSES, digits
from explorer.gradient_flow.optimisers import SGD
from explorer.gradient_flow.small_network import SmallNetwork
from explorer.networks.work_context import NO_CONTEXT, SentenceError, WorkContext

BATCH = 32
HIDDEN = 64
LEARNING_RATE = 0.05
MOMENTUM = 0.9
MOST_EPOCHS = 200
MOST_WRONG = 0.5
TELL_SECONDS = 0.3
SECONDS_A_BATCH = 0.0011
"""Processor time of one batch of all networks, measured on a core of a server; the largest comparison has 9,000."""
DECAY_SHARE = 0.5
"""From this share of the epochs on the learning rate falls evenly to zero: what L1 pulls to zero shall stay there."""

REGULARISERS = {"none": "None", "l1": "L1", "l2": "L2", "elastic_net": "Elastic net", "dropout": "Dropout"}
"""The settings by name, with what people call them."""


@dataclass(frozen=True)
class Strengths:
    """How strongly weights are held back.

    Attributes:
        l1: λ of L1, also in the elastic net.
        l2: λ of L2, also in the elastic net.
        dropout: share of hidden values set to zero, 0 to below 1.
    """

    l1: float = 0.005
    l2: float = 0.005
    dropout: float = 0.5


@dataclass(frozen=True, eq=False)
class Regularised:
    """One network at the end, or so far.

    Attributes:
        name: of the regulariser.
        first: first weights (64, hidden).
        second: second weights (hidden, 10).
        losses: cross-entropy on the training pictures, before the first epoch and after each; without the penalty.
        test_losses: on the others.
        accuracies: on the training pictures, by the labels they are learnt with, wrong ones too; 0 to 1.
        test_accuracies: on the others.
    """

    name: str
    first: np.ndarray
    second: np.ndarray
    losses: np.ndarray
    test_losses: np.ndarray
    accuracies: np.ndarray
    test_accuracies: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """Return all weights as one vector."""
        return np.concatenate([self.first.ravel(), self.second.ravel()])

    def near_zero(self, below: float) -> float:
        """Return the share of weights whose magnitude is below a threshold, 0 to 1."""
        return float(np.mean(np.abs(self.weights) < below))

    @property
    def norm(self) -> float:
        """Return the square root of the sum of all squared weights."""
        return float(np.linalg.norm(self.weights))

    @property
    def gap(self) -> float:
        """Return by how much the accuracy is higher on the training pictures than on the others, −1 to 1."""
        return float(self.accuracies[-1] - self.test_accuracies[-1])


@dataclass(frozen=True, eq=False)
class Compared:
    """All settings of one comparison.

    Attributes:
        networks: by name of the regulariser.
        epochs: that were planned.
        epoch: that are done.
        examples: training pictures.
        wrong: share of them that is learnt with a wrong label, 0 to 1.
        seed: of data, wrong labels, first weights, order and dropout.
        strengths: of the regularisers.
        finished: whether all epochs are done.
        seconds: it took.
    """

    networks: dict[str, Regularised]
    epochs: int
    epoch: int
    examples: int
    wrong: float
    seed: int
    strengths: Strengths
    finished: bool
    seconds: float

    def tried(self, name: str) -> bool:
        """Tell whether a regulariser had a strength above 0, without which it is none."""
        return any(_parts(name, self.strengths))


Curve = list[tuple[float, float, float, float]]
"""Loss on the training pictures and on others, accuracy likewise, before the first epoch and after each."""


def computing_seconds(epochs: int, examples: int) -> float:
    """Return about how many seconds of processor time `compare` takes."""
    return SECONDS_A_BATCH * epochs * -(-examples // BATCH)


def penalty(parameters: np.ndarray, weights: np.ndarray, l1: float, l2: float) -> float:
    """Return λ₁ Σ|w| + λ₂ Σw² over the weights.

    Args:
        parameters: of the network.
        weights: which of them are weights, as booleans.
        l1: λ₁.
        l2: λ₂.
    """
    chosen = parameters[weights]
    return float(l1 * np.abs(chosen).sum() + l2 * np.square(chosen).sum())


def penalty_gradient(
    parameters: np.ndarray, weights: np.ndarray, l1: float | np.ndarray, l2: float | np.ndarray
) -> np.ndarray:
    """Return the gradient of `penalty`: λ₁ sign(w) + 2λ₂ w on the weights; at w = 0 the first part is 0.

    For several networks, one a row of the parameters, λ₁ and λ₂ are (networks, 1).
    """
    return np.where(weights, l1 * np.sign(parameters) + 2 * l2 * parameters, 0.0)


def _parts(name: str, strengths: Strengths) -> tuple[float, float, float]:
    """Return λ₁, λ₂ and the share dropped of a setting."""
    l1 = strengths.l1 if name in ("l1", "elastic_net") else 0.0
    l2 = strengths.l2 if name in ("l2", "elastic_net") else 0.0
    return l1, l2, strengths.dropout if name == "dropout" else 0.0


def mislabelled(labels: np.ndarray, wrong: float, seed: int) -> np.ndarray:
    """Return labels (n,) of which the given share, rounded, is another class than it was, drawn by a seed."""
    random = np.random.default_rng(seed + 3)
    chosen = random.permutation(len(labels))[: round(wrong * len(labels))]
    found = labels.copy()
    found[chosen] = (found[chosen] + random.integers(1, CLASSES, len(chosen))) % CLASSES
    return found


@threadpool_limits.wrap(limits=1)  # products this small take many times as long on several threads
def compare(
    context: WorkContext = NO_CONTEXT,
    strengths: Strengths | None = None,
    epochs: int = 60,
    examples: int = 300,
    wrong: float = 0.3,
    seed: int = 0,
) -> Compared:
    """Train one network per regulariser on few digits, all from the same weights on the same batches.

    Several times a second it reports the epochs done, with a `Compared` as payload. Stopped, it returns what there is,
    `finished=False`.

    Args:
        context: Of the engine; left out in a notebook.
        strengths: of the regularisers; None for the usual ones.
        epochs: 1 to `MOST_EPOCHS`.
        examples: training pictures, 20 to 1,437: with few of them a network learns by heart.
        wrong: share of them with a wrong label, 0 to `MOST_WRONG`: what is learnt of those helps nowhere else.
        seed: of data, wrong labels, first weights, order and dropout.

    Raises:
        SentenceError: for what cannot be trained.
    """
    strengths = strengths or Strengths()
    data = digits(seed)
    if not 1 <= epochs <= MOST_EPOCHS:
        raise SentenceError(f"The networks are trained for 1 to {MOST_EPOCHS} epochs.")
    if not 20 <= examples <= len(data.labels):
        raise SentenceError(f"There are 20 to {len(data.labels)} pictures to learn from.")
    if not 0 <= wrong <= MOST_WRONG:
        raise SentenceError(f"At most {100 * MOST_WRONG:g} % of the labels can be wrong, or there is nothing to learn.")
    if not 0 <= strengths.dropout < 1:
        raise SentenceError("Dropout keeps at least something: its share is below 1.")
    pictures, labels = data.pictures[:examples].astype(float), mislabelled(data.labels[:examples], wrong, seed)
    network = SmallNetwork(HIDDEN, "relu")
    weights = network.is_weight()
    # The five in one stack: products this small cost less than the calls that ask for them.
    parameters = np.tile(network.begin(seed), (len(REGULARISERS), 1))
    l1, l2, dropped = np.array([_parts(name, strengths) for name in REGULARISERS]).T[:, :, None]
    memory = SGD(LEARNING_RATE, MOMENTUM).begin(parameters)
    curves: dict[str, Curve] = {name: [] for name in REGULARISERS}
    order, drops = np.random.default_rng(seed + 1), np.random.default_rng(seed + 2)
    steps = epochs * -(-examples // BATCH)
    began = told = time.monotonic()

    def judge() -> None:
        for own, curve in zip(parameters, curves.values(), strict=True):
            loss, accuracy = network.judge(own, pictures, labels)
            test_loss, test_accuracy = network.judge(own, data.test_pictures, data.test_labels)
            curve.append((loss, test_loss, accuracy, test_accuracy))

    def so_far(epoch: int) -> Compared:
        found = {
            name: _regularised(name, own, curves[name], network)
            for name, own in zip(REGULARISERS, parameters, strict=True)
        }
        seconds = time.monotonic() - began
        return Compared(found, epochs, epoch, examples, wrong, seed, strengths, epoch == epochs, seconds)

    judge()
    context.report(0, epochs, "epochs", "training", payload=so_far(0))
    step = 0
    for epoch in range(1, epochs + 1):
        shuffled = order.permutation(examples)
        for first in range(0, examples, BATCH):
            if context.stopped():
                return so_far(epoch - 1)
            step += 1
            left = (1 - (step - 1) / steps) / (1 - DECAY_SHARE)
            rule = SGD(LEARNING_RATE * min(1.0, left), MOMENTUM)
            chosen = shuffled[first : first + BATCH]
            kept = None
            if strengths.dropout:
                drawn = drops.random((len(chosen), HIDDEN))
                kept = (drawn >= dropped[:, None]) / (1 - dropped[:, None])
            with np.errstate(over="ignore", invalid="ignore"):
                gradient = network.gradient(parameters, pictures[chosen], labels[chosen], kept)
                gradient += penalty_gradient(parameters, weights, l1, l2)
                parameters = rule.update(parameters, gradient, memory, step)
        judge()
        now = time.monotonic()
        if now - told >= TELL_SECONDS:
            told = now
            context.report(epoch, epochs, "epochs", "training", payload=so_far(epoch))
    return so_far(epochs)


def _regularised(name: str, parameters: np.ndarray, curve: Curve, network: SmallNetwork) -> Regularised:
    first, _, second, _ = network.parts(parameters)
    losses, test_losses, accuracies, test_accuracies = np.array(curve).T
    return Regularised(name, first.copy(), second.copy(), losses, test_losses, accuracies, test_accuracies)
