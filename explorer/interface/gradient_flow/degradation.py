"""The scene *Degradation*: training errors of shallow and deep networks, plain and residual, live."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.gradient_flow.depth_results import PLAIN_AND_RESIDUAL, Degradation, DegradationPlan
from explorer.interface.figures import depth_charts as charts
from explorer.interface.gradient_flow import frame
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.gradient_flow.stepwise import Stepwise
from explorer.interface.numbers import value_text
from explorer.interface.theme import palette

_WORK = Stepwise("gradient_flow.degradation", "Four networks", "Train the four", "deg_seed")

MARGIN = 0.02
"""By so much, of all training pictures, an error must be higher to count as higher."""

LEARNT = 0.5
"""A shallow network that errs more often than this has hardly learnt anything."""

_BACKGROUND = r"""
A deeper network can do whatever a shallower one does: its further layers could just hand on what they get. Yet plain
ones that are deeper end with a higher **training** error, so it is not overfitting; they are harder to train. A
residual layer $h + W\,\varphi(\mathrm{norm}(h)) + b$ *is* the identity once its weights are 0, so the shallower
solution is always near.

Four networks as in *Vanishing*, with ReLU and He's initialisation, 32 wide; each pair begins with the same weights, and
all see the same batches of 128 of 1,437 digits (scikit-learn's, 8 × 8), by gradient descent with momentum 0.9. The
errors are over all training pictures at the end of each epoch; there batch normalisation uses mean and variance over
all of them.

Source: He, Zhang, Ren and Sun, *Deep residual learning for image recognition* (2015), figures 1 and 4: 20 against 56
and 18 against 34 layers.
"""


def show() -> None:
    """Draw the scene."""
    with frame.controls():
        shallow = int(STATE.slider("deg_shallow", width=150))
        deep = int(STATE.slider("deg_deep", width=190))
        norm = STATE.switch("deg_norm")
        epochs = int(STATE.slider("deg_epochs", width=150))
        with frame.more():
            seed = STATE.number("deg_seed", low=0, high=LARGEST_SEED) or 0
            rate = float(STATE.selectbox("deg_rate"))
    if deep <= shallow:
        st.info(
            f"The deep networks need more layers than the shallow ones, which have {shallow}.",
            icon=":material/straighten:",
        )
        frame.take_along("degradation", None)
        frame.background(_BACKGROUND)
        return
    _WORK.show(DegradationPlan(shallow, deep, norm, epochs, rate, seed), _draw, code=code, table=_csv)
    frame.background(_BACKGROUND)


def _draw(result: Degradation) -> None:
    colours = palette()
    at = np.arange(result.error.shape[-1])
    hues = (colours.lines[1], colours.lines[0])
    for number, (place, name) in enumerate(zip(st.columns(2), PLAIN_AND_RESIDUAL, strict=True)):
        with place:
            figure = charts.lines(
                [
                    (f"{depth} layers", at, result.error[which, number], hues[which], "solid")
                    for which, depth in enumerate((result.plan.shallow, result.plan.deep))
                ],
                colours, x_title="epoch", y_title=f"{name}: training error", percent=True, y_range=(-0.02, 1),
                x_range=(0, result.plan.epochs), height=330,
            )  # fmt: skip
            st.plotly_chart(figure, config=frame.PLAIN, key=f"gradient_flow_deg_{name}")
    frame.verdicts("degradation", decided(result))
    st.table(
        {
            "network": [
                f"{name}, {depth} layers"
                for name in PLAIN_AND_RESIDUAL
                for depth in (result.plan.shallow, result.plan.deep)
            ],
            "training error": _column(result.error),
            "training loss": [value_text(float(value)) for value in result.loss[..., -1].T.ravel()],
            "test error": _column(result.test_error),
        },
        border="horizontal",
    )


def _column(errors: np.ndarray) -> list[str]:
    return [_percent(value) for value in errors[..., -1].T.ravel()]


def _percent(value: float) -> str:
    return f"{100 * value:.1f}\u00a0%"


def decided(result: Degradation) -> list[frame.Decided]:
    """Return the lecture's two sentences, each with its numbers (see `frame.Decided`)."""
    error = result.error[..., -1]
    plan, done = result.plan, result.error.shape[-1] - 1
    sentence = "The deeper plain network has the higher training error; the deeper residual one has not."
    numbers = (
        f"Training error after {'one epoch' if done == 1 else f'{done} epochs'}, {plan.shallow} → {plan.deep} layers: "
        f"plain {_percent(error[0, 0])} → **{_percent(error[1, 0])}** · residual {_percent(error[0, 1])} → "
        f"**{_percent(error[1, 1])}**"
    )
    broken = ~np.isfinite(result.loss[..., -1])
    holds: bool | None = bool(error[1, 0] > error[0, 0] + MARGIN and error[1, 1] <= error[0, 1] + MARGIN)
    because = ""
    if broken.any():
        names = [
            f"{name} {depth}"
            for which, depth in enumerate((plan.shallow, plan.deep))
            for number, name in enumerate(PLAIN_AND_RESIDUAL)
            if broken[which, number]
        ]
        holds = None
        because = (
            f"The loss of {', '.join(names)} is no finite number any more: they have diverged, and what they answer "
            "means nothing. A smaller learning rate or batch norm helps."
        )
    elif done == 0:
        holds, because = None, "Before training."
    elif error[0].min() > LEARNT:
        holds, because = None, "The networks have hardly learnt anything: more epochs, or another learning rate."
    elif not holds and error[1, 0] <= error[0, 0] + MARGIN:
        because = "Plain networks of these depths end alike: give the deep one more layers."
    elif not holds:
        because = "The deep residual network needs more epochs, or another learning rate."
    identity = (
        "A residual block with zero weights is the identity.",
        f"All weights of the {plan.deep} layers at 0: largest |out − in| of a layer over 64 digits: residual "
        f"**{value_text(float(result.identity[1]))}** · plain {value_text(float(result.identity[0]))}",
        bool(result.identity[1] == 0),
        "A plain layer with zero weights hands on 0 and forgets the picture.",
    )
    return [(sentence, numbers, holds, because), identity]


def code(plan: DegradationPlan) -> str:
    """Return the lines that give the same numbers in a notebook."""
    return (
        "from explorer.gradient_flow.degradation import degradation\n"
        "from explorer.gradient_flow.depth_results import DegradationPlan\n\n"
        f"result = degradation({plan!r})\n"
        "print(result.error[..., -1])  # (shallow or deep, plain or residual)\n"
        "print(result.identity)        # plain, residual\n"
    )


def _csv(result: Degradation) -> bytes:
    measured = (result.error, result.loss, result.test_error)
    rows = [
        [epoch, depth, name, *(float(each[which, number, epoch]) for each in measured)]
        for which, depth in enumerate((result.plan.shallow, result.plan.deep))
        for number, name in enumerate(PLAIN_AND_RESIDUAL)
        for epoch in range(result.error.shape[-1])
    ]
    return frame.csv_bytes(["epoch", "layers", "network", "training error", "training loss", "test error"], rows)
