"""The scene *Optimisers*: a race on a surface, the same race on a small network, and what regularisers do."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.gradient_flow.optimisers import OPTIMISERS, largest_stable_rate
from explorer.gradient_flow.race import STAYED, Race, fate
from explorer.gradient_flow.race import race as run_race
from explorer.gradient_flow.surfaces import Surface, surface
from explorer.interface.components.race import race as race_component
from explorer.interface.gradient_flow import frame, learning_rates, link_reading, network_race, places, regularisers
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.numbers import share_text, value_text

TITLES = {name: entry.title for name, entry in OPTIMISERS.items()}

_BACKGROUND = r"""
All rules see the gradient $g$ of the loss at the weights $w$; $\eta$ is the learning rate, all is by element.

* **SGD**: $w \leftarrow w - \eta g$.
* **Momentum** ($\beta = 0.9$): $v \leftarrow \beta v - \eta g$, $w \leftarrow w + v$.
* **Nesterov**: the same $v$, then $w \leftarrow w + \beta v - \eta g$.
* **RMSprop** ($\rho = 0.9$): $s \leftarrow \rho s + (1 - \rho) g^2$, $w \leftarrow w - \eta g / \sqrt{s + \epsilon}$.
* **Adam** ($\beta_1 = 0.9, \beta_2 = 0.999$): $m \leftarrow \beta_1 m + (1 - \beta_1) g$,
  $v \leftarrow \beta_2 v + (1 - \beta_2) g^2$,
  $w \leftarrow w - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \frac{m}{\sqrt v + \epsilon}$.
* **AdamW**: first $w \leftarrow w - \eta \lambda w$ with $\lambda = 0.004$, then Adam.

These are the definitions of `keras.optimizers`, with $\epsilon = 10^{-7}$. On a quadratic whose largest curvature is
$\lambda_{\max}$, SGD diverges above $\eta = 2/\lambda_{\max}$, with momentum above $2(1 + \beta)/\lambda_{\max}$, with
Nesterov's above $2(1 + \beta)/((1 + 2\beta)\lambda_{\max})$. RMSprop and Adam divide by the size of the gradient: their
steps are about $\eta$ long wherever they are, so they do not run away, and do not come to rest closer than that either.

Sources: Polyak, *Some methods of speeding up the convergence of iteration methods* (1964); Nesterov (1983); Tieleman
and Hinton, *RMSProp* (2012); Kingma and Ba, *Adam* (2015); Loshchilov and Hutter, *Decoupled weight decay
regularization* (2019); Goh, *Why momentum really works* (Distill 2017).
"""


def show() -> None:
    """Draw the scene."""
    with frame.controls() as row:
        view = places.view("opt_view")
    if view == "network":
        network_race.show(row)
    elif view == "weights":
        regularisers.show(row)
    else:
        _surface(row)
    frame.background(_BACKGROUND if view != "weights" else regularisers.BACKGROUND)


@lru_cache(maxsize=64)
def kept_race(
    name: str, stretch: float, rates: tuple[tuple[str, float], ...], start: tuple[float, float] | None, steps: int,
    seed: int,
) -> Race:  # fmt: skip
    """Return a race; the last ones are kept for all visitors, since nothing of theirs is in them."""
    return run_race(surface(name, stretch), dict(rates), start=start, steps=steps, seed=seed)


def read_start(text: str, ground: Surface) -> tuple[float, float] | None:
    """Return the start that a link names ("x,y") if it lies in the picture; None for anything else."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        return None
    left, right, bottom, top = ground.window
    return (x, y) if left <= x <= right and bottom <= y <= top else None


def _start(ground: Surface) -> tuple[float, float] | None:
    """Return the start that the link or a click names, None for the surface's own."""
    said = STATE.linked("opt_start")
    found = read_start(said, ground)
    if said and found is None:
        link_reading.say(
            f"Start cannot be {link_reading.quoted(said)} as the link says, but two numbers of the picture with a "
            f"comma between; {ground.start[0]:g}, {ground.start[1]:g} is shown."
        )
    return found


def _start_fields(start: tuple[float, float], ground: Surface) -> None:
    """Draw a field for each coordinate of the start."""
    left, right, bottom, top = ground.window
    for number, (place, low, high) in enumerate(zip(st.columns(2), (left, bottom), (right, top), strict=True)):
        key = f"gradient_flow_opt_start_{ground.name}_{number}_{start[number]:g}"

        def changed(number: int = number, key: str = key) -> None:
            value = st.session_state[key]
            if value is not None:
                x, y = (float(value), start[1]) if number == 0 else (start[0], float(value))
                STATE.set("opt_start", f"{x:g},{y:g}")

        with place:
            st.number_input("xy"[number], low, high, float(start[number]), step=None, format="%g", key=key,
                            on_change=changed)  # fmt: skip


def _forget() -> None:
    """Let start and learning rates be those of the new surface."""
    STATE.set("opt_start", "")
    STATE.set("opt_rates", "")


def _surface(row: DeltaGenerator) -> None:
    with row:
        name = STATE.selectbox("opt_surface", width=150, on_change=_forget)
        stretch = float(STATE.slider("opt_stretch", width=110, unseen=name != "valley"))
        ground = surface(name, stretch)
        steps = int(STATE.slider("opt_steps", width=110))
        said = STATE.text("opt_rate", placeholder="each its own", width=120)
        with frame.more():
            seed = STATE.number("opt_seed", low=0, high=LARGEST_SEED) or 0
            st.markdown("**Learning rates**")
            rates = learning_rates.fields("opt_rates", ground.rates, f"{name}{stretch:g}")
            st.markdown("**Start**")
            start = _start(ground)
            _start_fields(start or ground.start, ground)
            st.button(
                "Start and learning rates as at first", on_click=_forget, key="gradient_flow_opt_usual",
                icon=":material/undo:",
            )  # fmt: skip
    one = learning_rates.read_rate(said) if said.strip() else None
    if said.strip() and one is None:
        st.warning("A learning rate is a number from 0 to 1,000,000, such as 0.01 or 1e6.", icon=":material/edit:")
    if one is not None:
        rates = dict.fromkeys(rates, one)
    shown = STATE.several("opt_shown", label_visibility="collapsed")
    every = kept_race(name, stretch, tuple(rates.items()), start, steps, seed)
    seen = Race(ground, every.start, {one: every.paths[one] for one in shown}, steps, seed)
    race_component(
        seen, TITLES, stretch=stretch, key="gradient_flow_race",
        on_start=lambda x, y: STATE.set("opt_start", f"{x:g},{y:g}"),
    )  # fmt: skip
    noise = f" Seed {seed}." if ground.noise else ""
    st.caption(
        f"${ground.formula}$. {ground.says}{noise} A click on the surface starts there, with the keyboard the arrow "
        "keys on it and then Enter, or the fields under *More*. × marks the minima; "
        "*arrived*: 1\u00a0% of the height is left, for good."
    )
    if not shown:
        st.info("Choose an optimiser to see it run.", icon=":material/touch_app:")
    still = [TITLES[path.name] for path in seen.paths.values() if path.rate == 0]
    if still:
        st.info(f"With a learning rate of 0 nothing moves: {', '.join(still)}.", icon=":material/info:")
    for path in seen.paths.values():
        if words := fate(path, seen, TITLES[path.name]):
            st.warning(words, icon=":material/trending_up:")
    _verdict(every)
    frame.take_along("optimisers", _code(name, stretch, rates, shown, every), lambda: _csv(seen))


def _verdict(every: Race) -> None:
    """Draw the lecture's sentence: momentum against plain gradient descent, each at its own rate."""
    said = []
    for name in OPTIMISERS:
        at = every.paths[name].arrived_at
        said.append(f"{TITLES[name]} **{'never' if at is None else at}**")
    holds = momentum_sooner(every)
    numbers = f"Steps until 1\u00a0% of the height is left: {' · '.join(said)}"
    bound = None
    if every.surface.curvature is not None:
        bound = largest_stable_rate("sgd", every.surface.curvature)
    because = ""
    if bound is not None:
        because = (
            f"The largest learning rate at which SGD does not diverge is 2/λmax = {value_text(bound)}; its own is "
            f"{value_text(every.paths['sgd'].rate)}."
        )
    if holds is None:
        because = f"{_why_open(every)} {because}"
    frame.verdict(network_race.SENTENCE, numbers, holds, because)


def momentum_sooner(every: Race) -> bool | None:
    """Tell whether momentum arrives clearly sooner than plain gradient descent; None where the race cannot tell."""
    plain, momentum = every.paths["sgd"], every.paths["momentum"]
    if every.surface.noise or any(path.rate == 0 or path.gone_at is not None for path in (plain, momentum)):
        return None
    if 0 in (plain.arrived_at, momentum.arrived_at):
        return None
    # Whoever comes within the last few steps has not yet been seen to stay.
    return network_race.sooner(plain.arrived_at, momentum.arrived_at, every.steps + 2 - STAYED)


def _why_open(every: Race) -> str:
    """Say why it cannot be told which of SGD and momentum is sooner."""
    both = [every.paths[name] for name in ("sgd", "momentum")]
    still = [TITLES[path.name] for path in both if path.rate == 0]
    gone = [TITLES[path.name] for path in both if path.gone_at is not None]
    if any(path.arrived_at == 0 for path in both):
        return "They start at the minimum: click on the surface for another start."
    if still:
        return (
            "Neither moves: give them learning rates above 0."
            if len(still) == 2
            else f"{still[0]} does not move: give it a learning rate above 0."
        )
    if gone:
        return (
            "Both have left the picture: give them smaller learning rates."
            if len(gone) == 2
            else f"{gone[0]} has left the picture: give it a smaller learning rate."
        )
    if every.surface.noise:
        return "The noise of the gradient decides here, and another seed may say otherwise: take a surface without."
    if all(path.arrived_at is None for path in both):
        return "Neither arrives within these steps: give them more, or other learning rates."
    if any(path.arrived_at is None for path in both):
        return "The slower one may be only a few steps behind: give them more."
    return f"Both are about equally soon, closer than {share_text(network_race.ALIKE)} or one step."


def _csv(seen: Race) -> bytes:
    rows = [
        [path.name, path.rate, step, *point, loss]
        for path in seen.paths.values()
        for step, (point, loss) in enumerate(zip(path.points.tolist(), path.losses.tolist(), strict=True))
        if np.all(np.isfinite(point))
    ]
    return frame.csv_bytes(["optimiser", "learning rate", "step", "x", "y", "loss"], rows)


def _code(name: str, stretch: float, rates: dict[str, float], shown: list[str], every: Race) -> str:
    ground = f'surface("{name}", {stretch:g})' if name == "valley" else f'surface("{name}")'
    chosen = {one: rates[one] for one in shown}
    keras = "\n".join(f"# keras.optimizers.{OPTIMISERS[one].keras.format(rate=f'{rates[one]:g}')}" for one in shown)
    return (
        "from explorer.gradient_flow.race import race\nfrom explorer.gradient_flow.surfaces import surface\n\n"
        f"found = race({ground}, {chosen!r},\n"
        f"             start=({every.start[0]:g}, {every.start[1]:g}), steps={every.steps}, seed={every.seed})\n"
        "for name, path in found.paths.items():\n"
        "    print(name, path.points[-1], path.losses[-1], path.arrived_at, path.gone_at)\n\n"
        f"{keras}\n"
    )
