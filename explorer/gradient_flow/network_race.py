"""Optimisers racing on a small network: the same first weights, the same batches, six update rules."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.optimisers import OPTIMISERS, Optimiser
from explorer.gradient_flow.small_network import SmallNetwork
from explorer.networks.work_context import NO_CONTEXT, SentenceError, WorkContext

BATCH = 64
MOST_EPOCHS = 100
TELL_SECONDS = 0.3

DEFAULT_RATES: Mapping[str, float] = {
    "sgd": 0.1,
    "momentum": 0.03,
    "nesterov": 0.03,
    "rmsprop": 0.002,
    "adam": 0.003,
    "adamw": 0.003,
}


@dataclass(frozen=True, eq=False)
class Runner:
    """What one optimiser has made of the network so far.

    Attributes:
        name: of the optimiser.
        rate: its learning rate.
        losses: of each batch, before its step.
        test_losses: before the first epoch and after each.
        accuracies: on the test pictures, likewise, 0 to 1.
        broken_at: the step at which the loss or a weight was no number any more; None where there is none.
        spread: standard deviation of all weights at the end.
    """

    name: str
    rate: float
    losses: np.ndarray
    test_losses: np.ndarray
    accuracies: np.ndarray
    broken_at: int | None
    spread: float


@dataclass(frozen=True, eq=False)
class NetworkRace:
    """A race on the small network.

    Attributes:
        runners: by name of the optimiser.
        epochs: that were planned.
        epoch: that are done.
        batches: in an epoch.
        seed: of first weights and order.
        finished: whether all epochs are done.
        seconds: it took.
    """

    runners: dict[str, Runner]
    epochs: int
    epoch: int
    batches: int
    seed: int
    finished: bool
    seconds: float


@dataclass(eq=False)
class _State:
    """One optimiser under way."""

    rate: float
    parameters: np.ndarray
    memory: dict[str, np.ndarray]
    losses: list[float] = field(default_factory=list)
    test_losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    broken_at: int | None = None


@threadpool_limits.wrap(limits=1)  # products this small take many times as long on several threads
def race_network(
    context: WorkContext = NO_CONTEXT,
    rates: Mapping[str, float] = DEFAULT_RATES,
    epochs: int = 20,
    seed: int = 0,
    activation: str = "relu",
    hidden: int = 32,
) -> NetworkRace:
    """Train one network per optimiser on scikit-learn's digits, all on the same batches.

    Several times a second it reports the epochs done, with a `NetworkRace` as payload. Stopped, it returns what there
    is, `finished=False`.

    Args:
        context: Of the engine; left out in a notebook.
        rates: learning rate by name of the optimiser.
        epochs: 1 to `MOST_EPOCHS`.
        seed: of first weights and order.
        activation: of the hidden layer.
        hidden: units of it.

    Raises:
        SentenceError: for what cannot be trained.
    """
    unknown = [name for name in rates if name not in OPTIMISERS]
    if unknown or not rates:
        raise SentenceError("Choose at least one of the optimisers that there are.")
    if not 1 <= epochs <= MOST_EPOCHS:
        raise SentenceError(f"A race has 1 to {MOST_EPOCHS} epochs.")
    data = digits(seed)
    network = SmallNetwork(hidden, activation)
    start = network.begin(seed)
    rules = {name: OPTIMISERS[name].make(rate) for name, rate in rates.items()}
    states = {name: _State(rates[name], start.copy(), rules[name].begin(start)) for name in rates}
    order = np.random.default_rng(seed + 1)
    count = len(data.labels)
    batches = -(-count // BATCH)
    began = told = time.monotonic()

    def so_far(epoch: int) -> NetworkRace:
        runners = {name: _runner(name, one, network) for name, one in states.items()}
        return NetworkRace(runners, epochs, epoch, batches, seed, epoch == epochs, time.monotonic() - began)

    for one in states.values():
        _judge(one, network, data.test_pictures, data.test_labels)
    context.report(0, epochs, "epochs", "training", payload=so_far(0))
    step = 0
    for epoch in range(1, epochs + 1):
        shuffled = order.permutation(count)
        for first in range(0, count, BATCH):
            if context.stopped():
                return so_far(epoch - 1)
            step += 1
            chosen = shuffled[first : first + BATCH]
            for name, one in states.items():
                _advance(one, rules[name], network, data.pictures[chosen], data.labels[chosen], step)
        for one in states.values():
            _judge(one, network, data.test_pictures, data.test_labels)
        now = time.monotonic()
        if now - told >= TELL_SECONDS:
            told = now
            context.report(epoch, epochs, "epochs", "training", payload=so_far(epoch))
    return so_far(epochs)


def _advance(
    one: _State,
    rule: Optimiser,
    network: SmallNetwork,
    pictures: np.ndarray,
    labels: np.ndarray,
    step: int,
) -> None:
    """Make one step, unless the optimiser's numbers have gone."""
    if one.broken_at is not None:
        one.losses.append(float("nan"))
        return
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss, gradient = network.loss_and_gradient(one.parameters, pictures, labels)
        one.parameters = rule.update(one.parameters, gradient, one.memory, step)
    one.losses.append(loss)
    if not (np.isfinite(loss) and np.all(np.isfinite(one.parameters))):
        one.broken_at = step


def _judge(one: _State, network: SmallNetwork, pictures: np.ndarray, labels: np.ndarray) -> None:
    loss, accuracy = network.judge(one.parameters, pictures, labels)
    one.test_losses.append(loss)
    one.accuracies.append(accuracy)


def _runner(name: str, one: _State, network: SmallNetwork) -> Runner:
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.std(one.parameters[network.is_weight()]))
    return Runner(
        name,
        one.rate,
        np.array(one.losses),
        np.array(one.test_losses),
        np.array(one.accuracies),
        one.broken_at,
        spread,
    )
