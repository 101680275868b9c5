"""The scene *Paths*: how many there are, which carry the gradient, and what is left when blocks are dropped."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.gradient_flow.depth_results import TRAINED, Paths, PathsPlan, carrying, path_counts
from explorer.interface.figures import depth_charts as charts
from explorer.interface.gradient_flow import frame
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.gradient_flow.stepwise import Stepwise
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette

_WORK = Stepwise("gradient_flow.paths", "Three networks", "Train and measure", "path_seed")

SEVERAL = 1 / 6
"""Of the blocks, dropped together: with many more than that nothing is left of either network."""

LEARNT = 0.5
"""A network with less test accuracy than this has nothing to lose that would tell anything."""

TOO_NEAR = 0.02
"""Test accuracies that differ by less than this are too near to each other to tell which network is better."""

_DIVERGED = "The networks have diverged in training, or nothing comes back through them: take a smaller learning rate."

_BACKGROUND = r"""
A residual block hands on $h + f(h)$, so $n$ of them, multiplied out, are a sum of $2^n$ **paths**: through the branch
$f$ of some blocks, past the others. $\binom nk$ of them go through $k$ branches: lengths are binomially distributed
around $n/2$. By the chain rule the gradient is the sum of what arrives along all paths,
$\prod_l (1 + J_l) = \sum_{\text{paths}} \prod_{l \in \text{path}} J_l$ with the branches' derivatives $J_l$.

**Gradient by length**, as Veit et al. measure it: for each $k$, 256 pictures, each with a random path of that length;
the forward pass is whole, the backward pass goes through the chosen branches only. The mean norm of what arrives at the
stem, times $\binom nk$, over the sum of these for all $k$, is the share of that length. (Norms add up to more than the
norm of the sum: it is a share of what all paths bring, in whatever direction.)

**Dropping** a block leaves out its branch, when the trained network is tested: $h$ goes on as it is. In a plain network
a layer is left out likewise. **Stochastic depth** trains with each branch left out at random, kept with probability
$p$; in the test it is multiplied by $p$.

The **convolutional** networks are small ResNets: a 3 × 3 convolution with stride 2 to 16 channels, $n$ blocks of batch
normalisation, ReLU and a 3 × 3 convolution (the order of He et al., 2016), batch normalisation, ReLU, global average
pooling, and ten outputs. The **dense** ones are those of *Vanishing* with ReLU and batch normalisation, 32 wide, one
layer a block. Both learn from 1,437 digits by gradient descent with momentum 0.9, batches of 128; accuracy is on the
other 360. Batch normalisation uses mean and variance over all training pictures.

Sources: Veit, Wilber and Belongie, *Residual networks behave like ensembles of relatively shallow networks* (2016): of
54 blocks' paths, those of length 5 to 17 carry the gradient; Huang et al., *Deep networks with stochastic depth*
(2016).
"""


def show() -> None:
    """Draw the scene."""
    with frame.controls():
        network = STATE.segments("path_network")
        blocks = int(STATE.slider("path_blocks", width=220))
        survival = round(float(STATE.slider("path_survival", width=200)), 2)
        with frame.more():
            seed = STATE.number("path_seed", low=0, high=LARGEST_SEED) or 0
            epochs = int(STATE.slider("path_epochs"))
            rate = float(STATE.selectbox("path_rate"))
    plan = PathsPlan(blocks, epochs, survival, rate, seed, network)
    _WORK.show(plan, _draw, code=code, table=_csv, empty=lambda: _lengths(blocks, None))
    frame.background(_BACKGROUND)


def _lengths(blocks: int, share: np.ndarray | None) -> None:
    """Draw the lengths of the paths, which are known before anything is measured."""
    counts = path_counts(blocks)
    figure = charts.path_shares(counts / counts.sum(), share, palette())
    st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_path_shares")
    st.caption(
        f"{blocks} blocks: 2{raised(blocks)} = {2**blocks:,} paths, of mean length {blocks / 2:g}."
        + ("" if share is None else " Purple: the share of the gradient that paths of this length carry, measured.")
    )


def raised(number: int) -> str:
    """Return a whole number in superscript digits."""
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _draw(result: Paths) -> None:
    colours = palette()
    share = result.share()
    measured = share if np.isfinite(share).all() else None
    left, right = st.columns(2)
    with left:
        _lengths(result.plan.blocks, measured)
    hues = (colours.muted, colours.lines[1], colours.lines[3])
    with right:
        drop = np.concatenate([[0], result.drop_counts])
        many = np.concatenate([result.accuracy[:, None], result.drop_many], axis=1)
        figure = charts.lines(
            [(name, drop, many[at], hues[at], ("dot", "solid", "dash")[at]) for at, name in enumerate(TRAINED)],
            colours, x_title="blocks dropped together", y_title="test accuracy", percent=True, y_range=(0, 1.02),
            markers=True,
        )  # fmt: skip
        st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_path_many")
        st.caption("Mean of eight draws of which blocks are dropped; in the plain network layers are left out.")
    frame.verdicts("paths", decided(result))
    left, right = st.columns(2)
    with left:
        figure = charts.lines(
            [("of the paths", np.arange(len(result.norm)), result.norm, colours.gradient, "solid")],
            colours, x_title="path length", y_title="mean gradient norm along one path", log=True, height=260,
        )  # fmt: skip
        st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_path_norm")
    with right:
        at_block = np.arange(1, result.plan.blocks + 1)
        figure = charts.lines(
            [(name, at_block, result.drop_one[at], hues[at], ("dot", "solid", "dash")[at])
             for at, name in enumerate(TRAINED)],
            colours, x_title="the one block that is dropped", y_title="test accuracy", percent=True,
            y_range=(0, 1.02), height=260,
        )  # fmt: skip
        st.plotly_chart(figure, config=frame.PLAIN, key="gradient_flow_path_one")


def decided(result: Paths) -> list[frame.Decided]:
    """Return the lecture's three sentences, each with its numbers (see `frame.Decided`)."""
    return [_short_paths(result), _one_dropped(result), _stochastic(result)]


def _short_paths(result: Paths) -> frame.Decided:
    blocks = result.plan.blocks
    sentence = f"{blocks} residual blocks give 2{raised(blocks)} paths, and the short ones carry the gradient."
    share, counts = result.share(), path_counts(blocks)
    if not np.isfinite(share).all():
        if not result.finished:
            return sentence, f"**{2**blocks:,}** paths; the gradient is not measured yet.", None, ""
        return sentence, f"**{2**blocks:,}** paths; the gradient is no finite number.", None, _DIVERGED
    first, last = carrying(share)
    of_paths = counts[first : last + 1].sum() / counts.sum()
    mean, middle = float(share @ np.arange(len(share))), blocks / 2
    numbers = (
        f"90\u00a0% of the gradient comes along lengths **{first} to {last}**, which are {share_text(of_paths)} of the "
        f"paths. Mean length: paths **{middle:g}**, weighted by gradient **{value_text(mean)}**"
    )
    return sentence, numbers, mean < 0.9 * middle, ""


def _one_dropped(result: Paths) -> frame.Decided:
    sentence = "Without one of its blocks a residual network hardly gets worse; a plain one fails."
    if not np.isfinite(result.drop_one).all():
        return sentence, "Not measured yet.", None, ""
    means = result.drop_one.mean(axis=1)
    said = [
        f"{name}: {share_text(result.accuracy[at])} → **{share_text(means[at])}**"
        for at, name in enumerate(TRAINED[:2])
    ]
    numbers = " · ".join(said) + " (test accuracy whole, and without one block, mean over which)"
    lost = result.accuracy - means
    if result.accuracy[1] < LEARNT:
        return sentence, numbers, None, (
            "The residual network has hardly learnt anything: give it more epochs, or another learning rate."
        )  # fmt: skip
    if result.accuracy[0] < LEARNT:
        return sentence, numbers, None, (
            "The plain network has hardly learnt anything, so it has nothing to lose: take fewer blocks or more epochs."
        )  # fmt: skip
    holds = bool(lost[1] < 0.15 and lost[0] > 3 * max(lost[1], 0.05))
    worst = int(result.drop_one[1].argmin())
    return sentence, numbers, holds, (
        f"Not all blocks count alike: without block {worst + 1} the residual network tells "
        f"{share_text(result.drop_one[1, worst])} right, without the least needed one "
        f"{share_text(result.drop_one[1].max())}."
    )  # fmt: skip


def _stochastic(result: Paths) -> frame.Decided:
    sentence = "A network that is trained with stochastic depth bears more dropped blocks."
    if not np.isfinite(result.drop_many).all():
        return sentence, "Not measured yet.", None, ""
    several = int(np.abs(result.drop_counts - result.plan.blocks * SEVERAL).argmin())
    count = int(result.drop_counts[several])
    without, trained = result.drop_many[1, several], result.drop_many[2, several]
    numbers = (
        f"With {count} of {result.plan.blocks} blocks dropped: residual **{share_text(without)}** · with stochastic "
        f"depth (p = {result.plan.survival:g}) **{share_text(trained)}** test accuracy"
    )
    if result.plan.survival == 1:
        return sentence, numbers, None, "With p = 1 no block is ever left out in training: both are the same network."
    if result.accuracy[1:].min() < LEARNT:
        return sentence, numbers, None, (
            "A network that has hardly learnt anything has nothing to lose: give them more epochs, or another learning "
            "rate."
        )  # fmt: skip
    if abs(trained - without) < TOO_NEAR:
        return sentence, numbers, None, "The two are too near to each other to tell."
    return sentence, numbers, bool(trained > without), ""


def code(plan: PathsPlan) -> str:
    """Return the lines that give the same numbers in a notebook."""
    return (
        "from explorer.gradient_flow.depth_results import PathsPlan, carrying\n"
        "from explorer.gradient_flow.paths import paths\n\n"
        f"result = paths({plan!r})\n"
        "print(result.share())            # of the gradient, by path length\n"
        "print(carrying(result.share()))  # lengths with 90 % of it\n"
        "print(result.accuracy, result.drop_one.mean(axis=1))\n"
    )


def _csv(result: Paths) -> bytes:
    counts, share = path_counts(result.plan.blocks), result.share()
    rows: list[list[object]] = [
        ["paths of length", length, "", int(counts[length]), result.norm[length], share[length]]
        for length in range(len(counts))
    ]
    for at, name in enumerate(TRAINED):
        rows.append(["accuracy whole", "", name, result.accuracy[at], "", ""])
        rows += [["accuracy without block", i + 1, name, value, "", ""] for i, value in enumerate(result.drop_one[at])]
        rows += [
            ["accuracy with so many dropped", int(count), name, value, "", ""]
            for count, value in zip(result.drop_counts, result.drop_many[at], strict=True)
        ]
    return frame.csv_bytes(["what", "number", "network", "value", "mean gradient norm", "share of gradient"], rows)
