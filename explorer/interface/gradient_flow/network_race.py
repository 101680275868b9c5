"""*Optimisers* on a small network: the same first weights, the same batches, and one curve for each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.gradient_flow.network_race import DEFAULT_RATES, NetworkRace, Runner
from explorer.gradient_flow.optimisers import OPTIMISERS
from explorer.interface.figures import optimiser_charts as charts
from explorer.interface.gradient_flow import frame, learning_rates
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette

JOB = "gradient_flow_network"
TITLES = {name: entry.title for name, entry in OPTIMISERS.items()}
SENTENCE = "Momentum gets down sooner than plain gradient descent."
ALIKE = 0.1
"""Two that differ by less than this share of the steps, or by one step, are about equally soon."""
CHANCE = 0.15
"""An accuracy on ten classes below which a network does no better than to guess, whatever the seed."""


def show(row: DeltaGenerator) -> None:
    """Draw the race; `row` is the row of controls."""
    with row:
        activation = STATE.selectbox("net_activation", width=150)
        epochs = int(STATE.slider("net_epochs", width=140))
        said = STATE.text("opt_rate", placeholder="each its own", width=150)
        with frame.more():
            seed = STATE.number("opt_seed", low=0, high=LARGEST_SEED) or 0
            st.markdown("**Learning rates**")
            rates = learning_rates.fields("net_rates", DEFAULT_RATES, "network")
    one = learning_rates.read_rate(said) if said.strip() else None
    if said.strip() and one is None:
        st.warning("A learning rate is a number from 0 to 1,000,000, such as 0.01 or 1e6.", icon=":material/edit:")
    if one is not None:
        rates = dict.fromkeys(rates, one)
    shown = STATE.several("opt_shown", label_visibility="collapsed")
    frame.work(
        JOB, "gradient_flow.race_network", label="Training six networks", button="Race",
        identity=(tuple(rates.items()), epochs, seed, activation),
        draw=lambda found, fits: _draw(found, shown),
        rates=rates, epochs=epochs, seed=seed, activation=activation,
    )  # fmt: skip
    code = (
        "from explorer.gradient_flow.network_race import race_network\n\n"
        f"found = race_network(rates={rates!r},\n"
        f'                     epochs={epochs}, seed={seed}, activation="{activation}")\n'
        "for name, one in found.runners.items():\n    print(name, one.losses[-1], one.accuracies[-1], one.broken_at)\n"
    )
    frame.take_along("optimisers_network", code, _table())


def _table() -> Callable[[], bytes] | None:
    """Return what makes the CSV file of the ended race, None while there is none."""
    found = frame.result_of(JOB, NetworkRace)
    if found is None:
        return None
    return lambda: frame.csv_bytes(
        ["optimiser", "learning rate", "step", "loss"],
        [
            [one.name, one.rate, step + 1, loss]
            for one in found.runners.values()
            for step, loss in enumerate(one.losses.tolist())
        ],
    )


def _draw(found: NetworkRace, shown: list[str]) -> None:
    if not shown:
        st.info("Choose an optimiser to see its curves.", icon=":material/touch_app:")
        return
    colours = palette()
    left, right = st.columns(2)
    with left:
        st.plotly_chart(
            charts.race_losses(found, shown, TITLES, colours), config=frame.PLAIN, key="gradient_flow_net_losses"
        )
    with right:
        st.plotly_chart(
            charts.race_accuracies(found, shown, TITLES, colours), config=frame.PLAIN, key="gradient_flow_net_right"
        )
    st.caption(
        f"Digits of 8 × 8 pixels, one hidden layer of 32 units, batches of 64, seed {found.seed}: the same first "
        f"weights and the same order for all. Epoch {found.epoch} of {found.epochs}. Accuracy: on 360 pictures that "
        "no network has learnt from."
    )
    if not found.epoch:
        return
    for name in shown:
        if words := fate(found.runners[name]):
            st.warning(words, icon=":material/trending_up:")
    _verdict(found)


def fate(runner: Runner) -> str:
    """Say in a sentence what a learning rate that is too large, or zero, has done to a network; "" if all is well."""
    title = TITLES[runner.name]
    losses = runner.losses
    if runner.rate == 0:
        return f"{title} has a learning rate of 0: nothing is learnt, the weights stay as they were."
    if runner.broken_at is not None:
        return (
            f"{title} overflowed at step {runner.broken_at}: with a learning rate of {runner.rate:g} the weights grew "
            "beyond what a number can hold."
        )
    if len(losses) > 1 and losses[1:].max() > 1000 * losses[0]:
        worst = int(np.argmax(losses))
        end = (
            "what is left guesses"
            if runner.accuracies[-1] < CHANCE
            else f"the accuracy got to {share_text(float(runner.accuracies[-1]))} nevertheless"
        )
        return (
            f"{title} at a learning rate of {runner.rate:g} jumped from a loss of {value_text(float(losses[0]))} to "
            f"{value_text(float(losses[worst]))} at step {worst + 1}; the spread of its weights is "
            f"{value_text(runner.spread)}, and {end}."
        )
    if len(losses) > 1 and runner.accuracies[-1] < CHANCE:
        return f"{title} does no better than to guess: a learning rate of {runner.rate:g} does not suit it here."
    return ""


def reached(runner: Runner, goal: float) -> int | None:
    """Return the step after which the mean loss of the last few batches was first below a goal, or None."""
    losses = runner.losses
    if len(losses) < _FEW_BATCHES:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        means = np.convolve(losses, np.ones(_FEW_BATCHES) / _FEW_BATCHES, "valid")
    there = np.flatnonzero(means < goal)
    return int(there[0]) + _FEW_BATCHES if there.size else None


def sooner(plain: int | None, momentum: int | None, unseen: int) -> bool | None:
    """Tell whether momentum was there clearly sooner than plain gradient descent; None where that cannot be told.

    Args:
        plain: the step at which plain gradient descent was there; None where it was not yet.
        momentum: likewise.
        unseen: the first step at which one that was not there yet may come.
    """
    if plain is None and momentum is None:
        return None
    first, other = (unseen if at is None else at for at in (momentum, plain))
    apart = abs(first - other)
    return None if apart <= 1 or apart < ALIKE * max(first, other) else first < other


_GOAL = 0.3
_FEW_BATCHES = 10


def _verdict(found: NetworkRace) -> None:
    """Draw the lecture's sentence: momentum against plain gradient descent, each at its own rate."""
    steps = {name: reached(one, _GOAL) for name, one in found.runners.items()}
    numbers = f"Steps until the mean loss of {_FEW_BATCHES} batches is below {_GOAL:g}: " + " · ".join(
        f"{TITLES[name]} **{'not yet' if at is None else at}**" for name, at in steps.items()
    )
    plain, momentum = steps["sgd"], steps["momentum"]
    rates = (
        f"SGD's learning rate is {value_text(found.runners['sgd'].rate)}, momentum's "
        f"{value_text(found.runners['momentum'].rate)}."
    )
    unfit = [TITLES[name] for name in ("sgd", "momentum") if fate(found.runners[name])]
    holds = None if unfit else sooner(plain, momentum, len(found.runners["sgd"].losses) + 1)
    if holds is not None:
        frame.verdict(SENTENCE, numbers, holds, rates)
        return
    if unfit:
        why = f"A learning rate that does not suit {' and '.join(unfit)} says nothing about the two rules"
    elif plain is None and momentum is None:
        why = "Neither has come so far"
    elif plain is None or momentum is None:
        why = "The slower one may be only a few steps behind: give them more epochs"
    else:
        why = f"Both are about equally soon, closer than {share_text(ALIKE)} or one step"
    frame.verdict(SENTENCE, numbers, None, f"{why}; {rates}")
