"""*Optimisers*, third part: what L1, L2, elastic net and dropout do to the weights of one small network."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from explorer.gradient_flow.regularisers import REGULARISERS, Compared, Regularised, Strengths, computing_seconds
from explorer.interface.figures import optimiser_charts as charts
from explorer.interface.figures.colour_scales import ColourScale, lookup_table
from explorer.interface.gradient_flow import frame
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette

JOB = "gradient_flow_weights"
SIDE, ZOOM, COLUMNS, SHOWN_UNITS = 8, 4, 8, 32
MORE_ZEROS = 5.0
"""L1 makes weights zero where it has so many times as many near zero as no regulariser, and twice as many as L2."""
SMALLER = 0.75
"""L2 makes weights small where their norm is below this share of that without a regulariser."""
OVERFITTED = 0.05
"""A network overfits where its accuracy on the training pictures is so much higher than on others."""

BACKGROUND = r"""
A regulariser adds to the loss what large weights cost: **L1** $\lambda \sum |w|$, **L2** $\lambda \sum w^2$, **elastic
net** both. The gradient of L1, $\lambda\,\mathrm{sign}(w)$, pulls as strongly on a small weight as on a large one, and
so all the way to zero; that of L2, $2 \lambda w$, pulls less the smaller the weight is, and never gets there.
**Dropout** sets each hidden value to zero with probability $p$ while it trains and multiplies the rest by
$1/(1 - p)$; it does not hold weights back at all, but keeps units from relying on each other.

Weights do not become exactly zero by gradient steps: they swing around it by about $\eta \lambda$. So the learning rate
falls to zero over the second half of the epochs, and what counts as *near zero* stands beside the number.

**Overfitting** is what helps on the training pictures alone. Wrong labels make it plain: they can only be learnt by
heart, and a network that does so answers wrong on pictures that look alike.

The network: 64 inputs, 64 hidden units (ReLU), 10 classes; SGD with momentum 0.9, learning rate 0.05. Definitions as in
`keras.regularizers` and `keras.layers.Dropout`.

Sources: Tibshirani, *Regression shrinkage and selection via the lasso* (1996); Zou and Hastie, *Regularization and
variable selection via the elastic net* (2005); Krogh and Hertz, *A simple weight decay can improve generalization*
(1991); Srivastava et al., *Dropout* (2014).
"""


def show(row: DeltaGenerator) -> None:
    """Draw the comparison; `row` is the row of controls."""
    with row:
        l1 = float(STATE.selectbox("reg_l1", width=110))
        l2 = float(STATE.selectbox("reg_l2", width=110))
        dropout = float(STATE.slider("reg_dropout", width=130))
        wrong = STATE.slider("reg_wrong", width=130) / 100
        with frame.more():
            near = float(STATE.slider("reg_near", format="%.3f"))
            epochs = int(STATE.slider("reg_epochs"))
            examples = int(STATE.slider("reg_examples"))
            seed = STATE.number("opt_seed", low=0, high=LARGEST_SEED) or 0
    strengths = Strengths(l1, l2, dropout)
    about = f"about {max(1.0, computing_seconds(epochs, examples)):.0f}\u00a0s of computing"
    frame.work(
        JOB, "gradient_flow.regularise", label=f"Training five networks, {about}", button="Train",
        identity=(strengths, epochs, examples, wrong, seed), effort=f"It takes {about}.",
        draw=lambda found, fits: _draw(found, near),
        strengths=strengths, epochs=epochs, examples=examples, wrong=wrong, seed=seed,
    )  # fmt: skip
    code = (
        "from explorer.gradient_flow.regularisers import Strengths, compare\n\n"
        f"found = compare(strengths=Strengths(l1={l1:g}, l2={l2:g}, dropout={dropout:g}),\n"
        f"                epochs={epochs}, examples={examples}, wrong={wrong:g}, seed={seed})\n"
        "for name, one in found.networks.items():\n"
        f"    print(name, one.near_zero({near:g}), one.norm, one.accuracies[-1], one.test_accuracies[-1])\n"
    )
    frame.take_along("regularisers", code, _table())


def _table() -> Callable[[], bytes] | None:
    """Return what makes the CSV file of the weights, None while nothing has been trained."""
    found = frame.result_of(JOB, Compared)
    if found is None:
        return None
    return lambda: frame.csv_bytes(
        list(found.networks), np.stack([one.weights for one in found.networks.values()], axis=1).tolist()
    )


def unit_pictures(first: np.ndarray, reach: float) -> np.ndarray:
    """Return the first weights of hidden units as pictures beside each other, red above zero and blue below.

    Args:
        first: (64, units).
        reach: the scale goes from −reach to reach.

    Returns:
        uint8 (h, w, 3).
    """
    units = min(first.shape[1], SHOWN_UNITS)
    table = lookup_table(True)
    rows = -(-units // COLUMNS)
    cell = SIDE * ZOOM + 3
    board = np.full((rows * cell, COLUMNS * cell, 3), 128, np.uint8)
    for unit in range(units):
        picture = table[ColourScale(-reach, reach).indices(first[:, unit].reshape(SIDE, SIDE))]
        row, column = divmod(unit, COLUMNS)
        large = picture.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
        board[row * cell : row * cell + SIDE * ZOOM, column * cell : column * cell + SIDE * ZOOM] = large
    return board


def _in_page(pixels: np.ndarray) -> str:
    """Return a picture (h, w, 3) as an address that holds it whole."""
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"


def _draw(found: Compared, near: float) -> None:
    colours = palette()
    networks = found.networks
    every = np.concatenate([one.weights for one in networks.values()])
    if not np.all(np.isfinite(every)):
        st.warning(
            "Weights have overflowed: a penalty this strong asks for a smaller learning rate than 0.05.",
            icon=":material/trending_up:",
        )
        return
    reach = float(np.quantile(np.abs(networks["none"].weights), 0.998))
    with st.grid(5, min_column_width=165, gap="small"):
        for name, one in networks.items():
            with st.container():
                st.markdown(f"**{REGULARISERS[name]}**")
                # Within the page: a picture of its own address is gone from the server before a slow browser asks.
                st.image(_in_page(unit_pictures(one.first, reach)), alt=_picture_words(name), width="stretch")
                figure = charts.weight_histogram(one.weights, reach, near, colours)
                st.plotly_chart(figure, config=frame.PLAIN, key=f"gradient_flow_weights_{name}")
                st.caption(_numbers(one, near))
    st.caption(
        f"First weights of {SHOWN_UNITS} of the 64 hidden units, all on one scale: red up to {value_text(reach)}, blue "
        f"down to {value_text(-reach)}, white zero. Below: all weights, counted by factors of ten; amber: near zero, "
        f"below {near:g}. {_pictures(found)}, epoch {found.epoch} of {found.epochs}, seed {found.seed}."
    )
    if found.epoch:
        frame.verdicts("weights", [of_weights(found, near), of_overfitting(found)])
    st.plotly_chart(
        charts.gap_curves(found, REGULARISERS, colours), config=frame.PLAIN, key="gradient_flow_weights_curves"
    )
    st.caption(
        "Loss: cross-entropy without the penalty, dotted on the training pictures, solid on 360 others, which are "
        "labelled right. Where the solid line climbs while the dotted one falls, the network overfits."
    )


def _pictures(found: Compared) -> str:
    """Say how many pictures are learnt, and how many of them with a wrong label."""
    count = round(found.wrong * found.examples)
    return f"{found.examples} training pictures" + (f", {count} of them with a wrong label" if count else "")


def _picture_words(name: str) -> str:
    return f"First weights of hidden units as small pictures, regulariser: {REGULARISERS[name]}"


def _numbers(one: Regularised, near: float) -> str:
    return (
        f"{share_text(one.near_zero(near))} near zero · norm {value_text(one.norm)} · accuracy: "
        f"{share_text(float(one.accuracies[-1]))} training, {share_text(float(one.test_accuracies[-1]))} others"
    )


def of_weights(found: Compared, near: float) -> frame.Decided:
    """Return the lecture's sentence on weights with what decides it; see `frame.Decided`."""
    none, l1, l2 = (found.networks[name] for name in ("none", "l1", "l2"))
    zeros = [one.near_zero(near) for one in (none, l1, l2)]
    holds = zeros[1] >= MORE_ZEROS * max(zeros[0], 1e-9) and zeros[1] >= 2 * zeros[2] and l2.norm <= SMALLER * none.norm
    numbers = (
        f"Weights below {near:g}: none **{share_text(zeros[0])}**, L1 **{share_text(zeros[1])}**, "
        f"L2 **{share_text(zeros[2])}** · norm of all: none **{value_text(none.norm)}**, L1 "
        f"**{value_text(l1.norm)}**, L2 **{value_text(l2.norm)}**"
    )
    sentence = "L1 makes weights zero, L2 makes them small."
    untried = [REGULARISERS[name] for name in ("l1", "l2") if not found.tried(name)]
    if untried:
        return sentence, numbers, None, (
            f"With a strength of 0 {' and '.join(untried)} cannot do anything: choose a λ above 0."
        )  # fmt: skip
    return sentence, numbers, holds, (
        f"It holds where L1 has at least {MORE_ZEROS:g} times as many near zero as no regulariser and twice as many as "
        f"L2, and L2's norm is at most {share_text(SMALLER)} of that without."
    )  # fmt: skip


def of_overfitting(found: Compared) -> frame.Decided:
    """Return the lecture's sentence on overfitting; see `of_weights`."""
    none, *others = found.networks.values()
    numbers = "Accuracy on training pictures → on others: " + " · ".join(
        f"{REGULARISERS[one.name]} {share_text(float(one.accuracies[-1]))} → "
        f"**{share_text(float(one.test_accuracies[-1]))}**"
        for one in found.networks.values()
    )
    sentence = "Regularisers shrink overfitting: less is learnt by heart, and other pictures are told better."
    tried = [one for one in others if found.tried(one.name)]
    untried = [REGULARISERS[one.name] for one in others if one not in tried]
    if not tried:
        return sentence, numbers, None, "All strengths are 0, so no regulariser was at work: choose one above 0."
    if not none.gap > OVERFITTED:
        return sentence, numbers, None, (
            "Without a regulariser the network hardly overfits here, so there is nothing to shrink: take fewer "
            "pictures, more wrong labels, or more epochs."
        )  # fmt: skip
    short = [
        REGULARISERS[one.name]
        for one in tried
        if not (one.gap < none.gap and one.test_accuracies[-1] > none.test_accuracies[-1])
    ]
    because = [f"Not both are so with {', '.join(short)}: try another strength."] if short else []
    because += [f"Left out, with a strength of 0: {', '.join(untried)}."] if untried else []
    return sentence, numbers, not short, " ".join(because)
