"""The scene *Vanishing*: gradient norm and activation spread by layer, plain beside residual, along training."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.gradient_flow.activations import ACTIVATIONS
from explorer.gradient_flow.depth_results import PLAIN_AND_RESIDUAL, Vanishing, VanishingPlan
from explorer.gradient_flow.initialisers import TITLES as INITIALISER_TITLES
from explorer.interface.figures import depth_charts as charts
from explorer.interface.gradient_flow import frame
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.gradient_flow.stepwise import Stepwise
from explorer.interface.numbers import value_text
from explorer.interface.state import show_in
from explorer.interface.theme import palette

_WORK = Stepwise("gradient_flow.vanishing", "Two networks", "Compute", "van_seed", always=True)

VANISHED, EXPLODED = 1e-2, 1e2
"""Below and above these the first layer's gradient, over the last's, is called vanished or exploded."""

_TINY = 1e-30
"""Where the smallest number but 0 is below this, the zeros beside it are what 32 bits cannot hold."""

_BACKGROUND = r"""
Two networks that begin with the **same weights** look at the same batch of 128 digits (scikit-learn's, 8 × 8). A dense
stem brings the 64 pixels to 32 numbers, $L$ layers of 32 × 32 follow, an output layer ends in ten classes. Layer $l$ is

$$h_l = s \cdot h_{l-1} + W_l\, \varphi(\mathrm{norm}(h_{l-1})) + b_l$$

with $s = 0$ in the plain and $s = 1$ in the residual network: they differ in this sum alone. The activation stands in
front of the weights (He et al. 2016), *norm* is batch normalisation with the batch's own mean and variance, or nothing.
The chosen initialisation is that of the $L$ layers; stem and output layer begin with Glorot's, biases with 0.

On the way back the plain network multiplies the gradient at every layer by $W_l$ and $\varphi'$: after $L$ of them it
shrinks or grows like a power of $L$'s. The residual one multiplies by $1 + W_l\, \varphi'$, and the 1 lets it through.
*Gradient* is the Euclidean norm of $\partial \mathcal L / \partial W_l$, with the cross-entropy $\mathcal L$ of the
batch; *spread* is the standard deviation of $h_l$ over pictures and numbers. All is computed with 32 bits, as in
training: what is below 1e−45 is 0, what is above 3e38 is infinite.

Sources: Hochreiter (1991); Bengio, Simard and Frasconi (1994); Glorot and Bengio (2010); He, Zhang, Ren and Sun,
*Deep residual learning* (2015) and *Identity mappings in deep residual networks* (2016); Yang et al., *A mean field
theory of batch normalization* (2019): with batch normalisation and without skips gradients explode with depth.
"""


def show() -> None:
    """Draw the scene."""
    with frame.controls():
        depth = int(STATE.slider("van_depth", width=150))
        activation = STATE.selectbox("van_activation", width=130)
        names = list(INITIALISER_TITLES)
        initialiser = STATE.pick(
            "van_initialiser", names, index=names.index(VanishingPlan().initialiser),
            format_func=INITIALISER_TITLES.__getitem__, width=170,
        )  # fmt: skip
        norm = STATE.switch("van_norm")
        steps = int(STATE.slider("van_steps", width=150))
        with frame.more():
            seed = STATE.number("van_seed", low=0, high=LARGEST_SEED) or 0
            rate = float(STATE.selectbox("van_rate"))
    plan = VanishingPlan(depth, activation, initialiser, norm, steps, rate, seed)
    at = STATE.linked("van_at")
    _WORK.show(plan, lambda result: _draw(result, int(at) if at.isdecimal() else 0), code=code, table=_csv)
    frame.background(_BACKGROUND)


def _row(result: Vanishing, wanted: int) -> int:
    """Draw which step is looked at, where there are several, and return its row."""
    last = len(result.gradient) - 1
    if last < 1:
        return 0
    key = f"gradient_flow_van_at_shown_{last}"
    show_in(key, min(wanted, last))
    return int(
        st.slider(
            "Before step, counted from 0", 0, last, key=key,
            on_change=lambda: STATE.set("van_at", str(st.session_state[key] or "")),
        )
    )  # fmt: skip


def _draw(result: Vanishing, at: int) -> None:
    colours = palette()
    row = _row(result, at)
    layers = np.arange(1, result.plan.depth + 1)
    last = result.plan.depth + 0.5
    left, right = st.columns(2)
    with left:
        figure = charts.both(
            result.gradient[row], layers, colours.gradient, colours, log=True, x_title="layer", x_range=(0.5, last),
            y_title="gradient norm of a layer's weights",
        )  # fmt: skip
        st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_van_gradient")
    with right:
        figure = charts.both(
            result.spread[row], np.arange(result.plan.depth + 1), colours.activation, colours, log=True,
            x_title="layer (0: the stem)", y_title="spread of what a layer hands on", x_range=(-0.5, last),
        )  # fmt: skip
        st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_van_spread")
    sentence, numbers, holds, because = decided(result, row)
    frame.verdict(sentence, numbers, holds, because)
    for words in happenings(result, row):
        st.info(words, icon=":material/info:")
    if len(result.gradient) > 1:
        _along(result, row)


def _along(result: Vanishing, row: int) -> None:
    """Draw the ratio and the loss along training."""
    colours = palette()
    at = np.arange(len(result.gradient))
    ratios = np.stack([result.ratio(int(each)) for each in at])
    left, right = st.columns(2)
    with left:
        figure = charts.both(
            ratios.T, at, colours.gradient, colours, log=True, x_title="step", mark=row, height=240,
            y_title="first layer's gradient over the last's",
        )  # fmt: skip
        st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_van_ratio")
    with right:
        figure = charts.both(
            result.loss.T, at, colours.text, colours, x_title="step", y_title="loss of the batch", mark=row,
            height=240,
        )  # fmt: skip
        st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_van_loss")


def _written(norms: np.ndarray, ratio: float) -> str:
    return "0 / 0" if norms[0] == norms[-1] == 0 else value_text(float(ratio))


def decided(result: Vanishing, row: int) -> frame.Decided:
    """Return the lecture's sentence, its numbers, whether it holds, and what follows (see `frame.Decided`)."""
    plain, residual = result.ratio(row)
    sentence = "Saturating activations and depth shrink the early layers' gradients; residual connections restore them."
    said = [_written(result.gradient[row, number], ratio) for number, ratio in enumerate((plain, residual))]
    numbers = f"First layer's gradient over the last's: plain **{said[0]}** · residual **{said[1]}**"
    if result.plan.depth == 1:
        return sentence, numbers, None, "With one layer the first is the last: the ratio is 1. Choose more."
    if not np.isfinite(plain) or not np.isfinite(residual):
        return sentence, numbers, None, "One of the two is no number that could be compared; the reason stands below."
    activation = ACTIVATIONS[result.plan.activation]
    if activation.saturates != "both sides":
        decides = (
            "batch norm, which divides by the spread at every layer, and the depth decide"
            if result.plan.batch_norm
            else "the spread of the weights decides"
        )
        return sentence, numbers, None, (
            f"{activation.title} does not saturate on both sides, which the sentence is about: here {decides} whether "
            "the gradient shrinks or grows on the way back. Choose the sigmoid or tanh."
        )  # fmt: skip
    kept = VANISHED <= residual <= EXPLODED
    if plain < VANISHED:
        return sentence, numbers, bool(kept), (
            "" if kept else "The plain network's gradient has vanished, and the residual one's is out of bounds too."
        )  # fmt: skip
    if plain > EXPLODED:
        why = (
            " Batch normalisation without skips does that: each layer's division by the spread makes it grow on the "
            "way back."
            if result.plan.batch_norm
            else " These weights make it grow at every layer on the way back."
        )
        return sentence, numbers, False, (
            "Here the plain network's early gradients explode instead of vanishing."
            + why
            + (" The residual network keeps them in bounds." if kept else "")
        )  # fmt: skip
    return sentence, numbers, False, (
        "The plain network's gradient arrives at the first layer: this initialisation was made for that, the layers "
        "are few, or batch normalisation helps. Try the sigmoid with Glorot's initialisation, or more layers."
    )  # fmt: skip


def _why_zero(result: Vanishing, row: int, number: int) -> str:
    """Say why gradients are exactly 0, unless it is the first weights that are."""
    norms = np.concatenate([result.gradient[row, number], result.spread[row, number]])
    if result.loss[row, number] == 0:
        return "the loss is 0, so nothing is left to learn."
    if norms.any() and norms[norms > 0].min() < _TINY:
        return "it has become smaller than the 1e−45 that 32 bits hold."
    activation = ACTIVATIONS[result.plan.activation]
    if activation.saturates == "below zero":
        return f"all units of a layer are off, where {activation.title} is flat, so nothing comes back through it."
    if activation.saturates == "both sides":
        return f"all units of a layer are so far out on {activation.title} that its slope is 0 in 32 bits."
    return "nothing comes back through one of the layers."


def happenings(result: Vanishing, row: int) -> list[str]:
    """Return a sentence for each thing that numbers alone would not explain: zeros, overflow, one layer."""
    found = []
    for number, name in enumerate(PLAIN_AND_RESIDUAL):
        gradient, spread = result.gradient[row, number], result.spread[row, number]
        broken = np.flatnonzero(~np.isfinite(spread))
        if row and not np.isfinite(result.loss[row, number]):
            first = int(np.flatnonzero(~np.isfinite(result.loss[:, number]))[0])
            found.append(
                f"The {name} network has diverged: before step {first} its loss is no finite number any more. A "
                "smaller learning rate, batch norm or another initialisation may help."
            )
        elif len(broken):
            found.append(
                f"The {name} network overflows: what layer {broken[0]} hands on is beyond the 3e38 that 32 bits hold, "
                "so no gradient comes back."
            )
        elif not np.isfinite(gradient).all():
            layer = int(np.flatnonzero(~np.isfinite(gradient))[-1]) + 1
            found.append(
                f"The {name} network's gradient overflows on the way back: from layer {layer} down it is beyond the "
                "3e38 that 32 bits hold."
            )
        elif (gradient == 0).all():
            found.append(
                f"All gradients of the {name} network's layers are 0: with weights of 0 each layer hands on only 0, "
                "and hands back only 0; no step can change that."
                if result.plan.initialiser == "zeros"
                else f"The {name} network's gradient is 0 in all its layers: {_why_zero(result, row, number)}"
            )
        elif (gradient == 0).any():
            zero = np.flatnonzero(gradient == 0) + 1
            layer = int(zero[-1])
            # Beside a shortcut a layer may be off while those below it are not.
            where = f"from layer {layer} down" if len(zero) == layer else f"in some layers, such as layer {layer}"
            # The weights above are still 0 where their own gradient has always been.
            still = result.plan.initialiser == "zeros" and not result.gradient[:row, number, layer : layer + 1].any()
            found.append(
                f"The {name} network's gradient is 0 {where}: "
                + ("weights of 0 hand nothing back." if still else _why_zero(result, row, number))
            )
    for number, name in enumerate(PLAIN_AND_RESIDUAL):
        later = np.flatnonzero(~np.isfinite(result.loss[row + 1 :, number]))
        if len(later) and np.isfinite(result.loss[row, number]):
            found.append(
                f"Later in training the {name} network diverges: before step {row + 1 + int(later[0])} its loss is no "
                f"finite number any more. A smaller learning rate than {result.plan.rate:g} may help."
            )
    if result.plan.initialiser == "zeros" and not row and (result.gradient[row, 1] > 0).all():
        found.append(
            "With weights of 0 every residual layer is the identity, so the gradient reaches each of them whole: "
            "residual networks can begin that way."
        )
    return found


def code(plan: VanishingPlan) -> str:
    """Return the lines that give the same numbers in a notebook."""
    return (
        "from explorer.gradient_flow.depth_results import VanishingPlan\n"
        "from explorer.gradient_flow.vanishing import vanishing\n\n"
        f"result = vanishing({plan!r})\n"
        "print(result.gradient[0])  # (plain or residual, layer)\n"
        "print(result.ratio(0))     # first layer's over the last's\n"
    )


def _csv(result: Vanishing) -> bytes:
    rows = [
        [step, name, layer, result.gradient[step, number, layer - 1] if layer else "", spread]
        for step in range(len(result.gradient))
        for number, name in enumerate(PLAIN_AND_RESIDUAL)
        for layer, spread in enumerate(result.spread[step, number])
    ]
    return frame.csv_bytes(["before step", "network", "layer", "gradient norm", "spread"], rows)
