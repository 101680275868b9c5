"""The scene *Activations*: value and slope of each function, where it saturates, and what it makes of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.gradient_flow import activations as functions
from explorer.gradient_flow.activations import ACTIVATIONS, Activation, Passed
from explorer.gradient_flow.initialisers import TITLES as INITIALISER_TITLES
from explorer.gradient_flow.initialisers import dense_batch
from explorer.interface.figures import gradient_flow_charts as charts
from explorer.interface.gradient_flow import frame, places
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import Palette, palette

_MOST_LOGITS = 8
_LARGEST_LOGIT = 1000.0

_BACKGROUND = r"""
On the way back, backpropagation multiplies the gradient by $\varphi'(z)$ at every activation and by the weights at
every layer: $\frac{\partial L}{\partial z_l} = \varphi'(z_l) \odot W_{l+1}^\top \frac{\partial L}{\partial z_{l+1}}$.
This scene looks at the first factor alone; the weights may make up for it or not, which the scenes of deep networks
measure. The sigmoid's slope is at most $\frac14$, so $L$ of them leave at most $0.25^L$.

A function **saturates** where its slope tends to zero. Sigmoid and tanh do so on both sides; ReLU, ELU, GELU and SiLU
below zero only, so that the half of the units that is on passes the gradient whole; leaky ReLU nowhere.

FORMULAS

**Softmax** takes a vector: $p_i = e^{z_i / T} / \sum_j e^{z_j / T}$, so that its derivative is a matrix,
$\frac{\partial p_i}{\partial z_j} = \frac1T\, p_i (\delta_{ij} - p_j)$. It saturates as well: where one class has all
of the probability, every entry is near zero. Cross-entropy cancels this: its gradient at the logits is $p - y$.

Sources: Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010);
Glorot, Bordes and Bengio, *Deep sparse rectifier neural networks* (2011); Maas et al., *Rectifier nonlinearities
improve neural network acoustic models* (2013); Clevert et al., ELU (2015); Hendrycks and Gimpel, GELU (2016);
Ramachandran et al., *Searching for activation functions* (2017). Definitions and defaults
as in `keras.activations`.
"""


def show() -> None:
    """Draw the scene."""
    with frame.controls():
        view = places.view("act_view")
        if view == "softmax":
            logits_text = STATE.text("act_logits", width=260)
            temperature = STATE.slider("act_temperature", width=200)
            with frame.more():
                pass
        else:
            batch, layers, below = _batch_controls()
    if view == "softmax":
        _softmax(logits_text, float(temperature))
    else:
        _curves(batch, layers, below)
    formulas = "\n\n".join(
        rf"**{one.title}**: $\varphi(z) = {one.formula}$, $\varphi'(z) = {one.slope_formula}$"
        for one in ACTIVATIONS.values()
    )
    frame.background(_BACKGROUND.replace("FORMULAS", formulas))


def _batch_controls() -> tuple[np.ndarray, int, float]:
    """Draw the controls of the batch; return it, the number of layers and the threshold of saturation."""
    kind = STATE.segments("act_batch")
    normal, titles = kind == "normal", list(INITIALISER_TITLES)
    mean = STATE.slider("act_mean", width=150, unseen=not normal)
    spread = STATE.slider("act_spread", width=150, unseen=not normal)
    initialiser = STATE.pick(
        "act_initialiser", titles, index=titles.index("large_normal"), format_func=INITIALISER_TITLES.__getitem__,
        width=190, unseen=normal,
    )  # fmt: skip
    fan_in = STATE.number("act_fan_in", low=1, high=1024, width=150, unseen=normal) or 64
    layers = int(STATE.slider("act_layers", width=150))
    with frame.more():
        seed = STATE.number("act_seed", low=0, high=LARGEST_SEED) or 0
        below = STATE.slider("act_below", format="%g %%") / 100
    if normal:
        return functions.normal_batch(float(mean), float(spread), seed), layers, below
    return dense_batch(initialiser, fan_in, seed), layers, below


def colours_of(names: Sequence[str], colours: Palette) -> dict[str, str]:
    """Return a colour for each activation: always the same one, but for a seventh, which takes the muted one."""
    row = (*colours.lines, colours.muted)
    return {name: row[list(ACTIVATIONS).index(name) % len(row)] for name in names}


def _curves(batch: np.ndarray, layers: int, below: float) -> None:
    colours = palette()
    names = STATE.several("act_shown", label_visibility="collapsed")
    if not names:
        st.info("Choose an activation to see it.", icon=":material/touch_app:")
        frame.take_along("activations", None)
        return
    hues = colours_of(names, colours)
    shown = [(ACTIVATIONS[name], hues[name]) for name in names]
    reach = _reach(batch)
    left, right = st.columns(2)
    for place, what in ((left, "value"), (right, "slope")):
        with place:
            figure = charts.activation_curves(
                shown, "value" if what == "value" else "slope", colours, reach=reach, below=below, batch=batch
            )
            if what == "value":
                charts.legend_above(figure)
            st.plotly_chart(figure, config=frame.PLAIN, key=f"gradient_flow_act_{what}")
    st.caption(
        "Dotted, and barred below: saturated, the slope is under "
        f"{100 * below:g}\u00a0% of its largest. Grey: the batch of {batch.size:,} pre-activations "
        f"(mean {value_text(float(batch.mean()))}, spread {value_text(float(batch.std()))}, "
        f"seed {STATE.value('act_seed')})."
    )
    results = [functions.passed(one, batch, below) for one, _ in shown]
    _verdict(results, batch, layers)
    _before_and_after(results, hues, batch, layers, colours)
    frame.take_along("activations", _code(names, below, layers), lambda: _csv(shown, reach))


def _reach(batch: np.ndarray) -> float:
    """Return how far the curves go: as far as nearly all of the batch, at least ±6 and in round numbers."""
    far = float(np.quantile(np.abs(batch), 0.995))
    return float(np.clip(2 * math.ceil(far / 2), 6, 40))


def _verdict(results: Sequence[Passed], batch: np.ndarray, layers: int) -> None:
    """Draw the lecture's sentence: each saturating activation against ReLU on the same batch."""
    saturating = [one for one in results if one.activation.saturates == "both sides"]
    relu = functions.passed(ACTIVATIONS["relu"], batch)
    sentence = "Saturating activations shrink the gradient."
    said = " · ".join(
        f"{one.activation.title} **{value_text(one.left_after(layers))}**"
        + (
            f" (at most $0.25^{{{layers}}}$ = {value_text(one.at_most(layers))})"
            if one.activation.name == "sigmoid"
            else ""
        )
        for one in [*saturating, relu]
    )
    numbers = f"After {_layers(layers)} the activations leave of a gradient: {said}"
    if not saturating:
        frame.verdict(sentence, numbers, None, "Choose sigmoid or tanh: they are the ones that saturate on both sides.")
        return
    smaller = [one for one in saturating if one.mean_slope < relu.mean_slope]
    larger = [one for one in saturating if one not in smaller]
    because = ""
    if larger:
        because = _why_larger(larger, relu, batch)
    frame.verdict(sentence, numbers, not larger, because)


def _why_larger(larger: Sequence[Passed], relu: Passed, batch: np.ndarray) -> str:
    """Say why saturating activations pass on as much as ReLU, or more."""
    off = share_text(float(np.mean(batch <= 0)))
    if relu.mean_slope == 0:
        return f"ReLU is off for {off} of these pre-activations, so it lets nothing back. Give them another mean."
    flat = " and ".join(f"{share_text(one.saturated)} of them where {one.activation.title} is flat" for one in larger)
    return (
        f"{' and '.join(one.activation.title for one in larger)} let{'s' if len(larger) == 1 else ''} through more "
        f"than ReLU here: of these pre-activations ReLU is off for {off}, and only {flat}. Give them a larger spread."
    )


def _layers(count: int) -> str:
    return "one layer" if count == 1 else f"{count} layers"


def _before_and_after(
    results: Sequence[Passed], hues: dict[str, str], batch: np.ndarray, layers: int, colours: Palette
) -> None:
    st.subheader("A batch, before and after", anchor=False)
    with st.grid(3, min_column_width=250, gap="small"):
        with st.container():
            st.markdown(f"**Before** · spread {value_text(float(batch.std()))}")
            st.plotly_chart(
                charts.batch_histogram(batch, colours.muted, colours, title="z"), config=frame.PLAIN,
                key="gradient_flow_act_before",
            )  # fmt: skip
        for one in results:
            with st.container():
                st.markdown(
                    f"**{one.activation.title}** · {share_text(one.saturated)} saturated · mean slope "
                    f"{value_text(one.mean_slope)} · spread {value_text(one.spread)}"
                )
                figure = charts.batch_histogram(one.after, hues[one.activation.name], colours, title="φ(z)")
                st.plotly_chart(figure, config=frame.PLAIN, key=f"gradient_flow_act_after_{one.activation.name}")
    figure = charts.products([(one, hues[one.activation.name]) for one in results], layers, colours)
    st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_act_products")
    st.caption(
        "The mean of |φ'| over the batch, to the power of the number of layers, if every layer met such a batch; what "
        "the weights do to the gradient is not in it."
    )


def _csv(shown: Sequence[tuple[Activation, str]], reach: float) -> bytes:
    z = np.linspace(-reach, reach, charts.CURVE_POINTS)
    columns = [z]
    header = ["z"]
    for one, _ in shown:
        header += [one.name, f"{one.name} slope"]
        columns += [one.value(z), one.derivative(z)]
    return frame.csv_bytes(header, np.stack(columns, axis=1).tolist())


def _code(names: Sequence[str], below: float, layers: int) -> str:
    if STATE.value("act_batch") == "dense":
        source = "from explorer.gradient_flow.initialisers import dense_batch\n"
        initialiser = STATE.linked("act_initialiser") or "large_normal"
        batch = f'dense_batch("{initialiser}", {STATE.value("act_fan_in")}, seed={STATE.value("act_seed")})'
    else:
        source = ""
        batch = (
            f"normal_batch({STATE.value('act_mean'):g}, {STATE.value('act_spread'):g}, seed={STATE.value('act_seed')})"
        )
    imported = "ACTIVATIONS, passed" if source else "ACTIVATIONS, normal_batch, passed"
    return (
        f"from explorer.gradient_flow.activations import {imported}\n{source}\n"
        f"batch = {batch}\n"
        f"for name in {list(names)!r}:\n"
        f"    result = passed(ACTIVATIONS[name], batch, below={below:g})\n"
        f"    print(name, result.saturated, result.mean_slope, result.left_after({layers}))\n"
    )


def read_logits(text: str) -> np.ndarray | None:
    """Return two to eight logits out of a text with commas or spaces between; None where it says anything else."""
    try:
        values = [float(part) for part in text.replace(",", " ").replace("−", "-").split()]
    except ValueError:
        return None
    fits = 2 <= len(values) <= _MOST_LOGITS and all(abs(value) <= _LARGEST_LOGIT for value in values)
    return np.array(values) if fits else None


def _softmax(text: str, temperature: float) -> None:
    colours = palette()
    logits = read_logits(text)
    if logits is None:
        st.warning(
            f"Write two to {_MOST_LOGITS} numbers between −1000 and 1000 with commas between.", icon=":material/edit:"
        )
        frame.take_along("softmax", None)
        return
    p = functions.softmax(logits, temperature)
    matrix = functions.softmax_jacobian(logits, temperature)
    names = [str(number + 1) for number in range(len(logits))]
    left, right = st.columns(2)
    with left:
        st.plotly_chart(
            charts.probabilities(logits, p, names, colours), config=frame.PLAIN, key="gradient_flow_softmax_bars"
        )
    with right:
        st.plotly_chart(
            charts.jacobian(matrix, names, colours), config=frame.PLAIN, key="gradient_flow_softmax_jacobian"
        )
    largest = float(np.abs(matrix).max())
    most = 0.25 / temperature
    frame.verdict(
        "Softmax saturates where it is sure of one class.",
        f"Largest probability **{share_text(float(p.max()))}** · largest entry of the Jacobian "
        f"**{value_text(largest)}** of the possible {value_text(most)} · each row adds up to 0",
        None if float(p.max()) < 0.9 else largest < 0.5 * most,
        "No class has 90\u00a0% here: lower the temperature, or raise one logit." if float(p.max()) < 0.9 else "",
    )
    code = (
        "from explorer.gradient_flow.activations import softmax, softmax_jacobian\n\n"
        f"logits = {[float(value) for value in logits]!r}\n"
        f"print(softmax(logits, {temperature:g}))\nprint(softmax_jacobian(logits, {temperature:g}))\n"
    )
    frame.take_along(
        "softmax", code, lambda: frame.csv_bytes(
            ["class", "logit", "probability", *(f"dp/dz{name}" for name in names)],
            [[name, z, q, *row] for name, z, q, row in zip(names, logits, p, matrix, strict=True)],
        ),
    )  # fmt: skip
