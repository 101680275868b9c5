"""The scene *Loss surface*: a slice through the loss around trained weights, with and without skips, by depth."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.gradient_flow.depth_results import (
    CONCAVE_PART,
    PATH_EPOCHS,
    PLAIN_AND_RESIDUAL,
    RESOLUTIONS,
    SurfacePlan,
    Surfaces,
    share_non_convex,
)
from explorer.interface.figures import depth_charts as charts
from explorer.interface.gradient_flow import frame
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.gradient_flow.stepwise import Stepwise
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette

_WORK = Stepwise("gradient_flow.loss_surface", "Loss surface", "Compute", "sur_seed")

ROUGH = 0.1
"""A surface that is not convex at more than this share of its points is called rough."""

CLEAR = 0.05
"""On the two sides of `ROUGH`, shares must be so far apart for one surface to be rough and the other smooth."""

_LOG_LIMITS = (-3.0, 6.0)
_BACKGROUND = rf"""
The height at $(\alpha, \beta)$ is the cross-entropy of 512 training digits at the weights
$\theta^* + \alpha\, \delta + \beta\, \eta$, with the trained weights $\theta^*$ in the middle. **Random directions are
filter-normalised** (Li et al. 2018): each neuron's part of $\delta$ is made as long as the neuron's incoming weights,
$\delta_{{j}} \leftarrow \frac{{\delta_j}}{{\|\delta_j\|}} \|\theta_j\|$, since networks with ReLU and batch
normalisation answer the same when weights are rescaled, and surfaces could not be compared otherwise. Biases and the
numbers of batch normalisation stay as they are; its mean and variance are those over all training pictures.

**Along the path**: the first two principal components of the weights after each epoch, minus the last. Two random
directions see next to nothing of that path: in so many dimensions they are at right angles to it (Li et al., section
7).

**Non-convex** is called a point of the grid where the slice's smaller curvature (of its 2-D Hessian, by central
differences) is negative and more than {CONCAVE_PART:g} of the size of the larger one. The **largest eigenvalue** is
that of the full Hessian at $\theta^*$, by Lanczos' method on exact Hessian–vector products. Where training has
brought the loss near 0, it is small also for that reason.

The networks are those of *Degradation*: dense, 32 wide, ReLU, batch normalisation, same first weights and batches for
both. The grid grows: every new point lies between two known ones.

Source: Li, Xu, Taylor, Studer and Goldstein, *Visualizing the loss landscape of neural nets* (2018): without skips the
surface turns rough between 20 and 56 layers.
"""


def show() -> None:
    """Draw the scene."""
    with frame.controls():
        depth = int(STATE.segments("sur_depth"))
        scale = STATE.segments("sur_scale")
        with frame.more():
            seed = STATE.number("sur_seed", low=0, high=LARGEST_SEED) or 0
            directions = STATE.selectbox("sur_directions")
            resolution = int(STATE.selectbox("sur_resolution"))
            extent = round(float(STATE.slider("sur_extent")), 2)
            top = float(STATE.slider("sur_top", unseen=scale == "log"))
            epochs = int(STATE.slider("sur_epochs"))
            rate = float(STATE.selectbox("sur_rate"))
    if directions == "path" and epochs < PATH_EPOCHS:
        st.info(
            "A path needs two epochs at least, since its two directions come from them: choose more, or random "
            "directions.",
            icon=":material/route:",
        )
        frame.take_along("loss_surface", None)
        frame.background(_BACKGROUND)
        return
    plan = SurfacePlan(depth, epochs, rate, directions, resolution, extent, seed)
    _WORK.show(plan, lambda result: _draw(result, scale, top), code=code, table=_csv)
    frame.background(_BACKGROUND)


Drawn = tuple[np.ndarray, tuple[float, float], str]
"""What is drawn of a surface: heights, their limits, and what they are."""


def whole_grid(losses: np.ndarray) -> np.ndarray:
    """Return the places along a side (k,) of the finest grid all of whose points are known in both networks."""
    side = losses.shape[-1]
    for resolution in reversed(RESOLUTIONS):
        if resolution <= side:
            places = np.arange(0, side, (side - 1) // (resolution - 1))
            if not np.isnan(losses[:, places[:, None], places]).any():
                return places
    return np.array([], int)


def heights(losses: np.ndarray, scale: str, top: float) -> Drawn:
    """Return what is drawn of losses, cut off at the limits, these, and what it is.

    Args:
        losses: any shape.
        scale: "linear" or "log".
        top: largest loss of the linear scale.
    """
    if scale == "log":
        limits = _LOG_LIMITS
        with np.errstate(divide="ignore"):
            values = np.log10(losses)
        return np.clip(np.where(np.isnan(values), limits[1], values), *limits), limits, "log₁₀ loss"
    limits = (0.0, top)
    return np.clip(np.where(np.isnan(losses), top, losses), *limits), limits, "loss"


def _draw(result: Surfaces, scale: str, top: float) -> None:
    places = whole_grid(result.losses)
    if not len(places):
        st.caption(f"Training: {result.epochs_done:.0f} of {result.plan.epochs} epochs. The surface follows.")
        return
    drawn = [heights(losses[np.ix_(places, places)], scale, top) for losses in result.losses]
    _three_dimensions(result, places, drawn)
    frame.verdict(*decided(result, places))
    _from_above(result, places, drawn)
    limits = drawn[0][1]
    most = 10.0 ** limits[1] if scale == "log" else limits[1]
    cut = [float(np.mean(~(losses[np.ix_(places, places)] <= most))) for losses in result.losses]
    st.caption(_legend(result, cut, len(places), most))


def _three_dimensions(result: Surfaces, places: np.ndarray, drawn: list[Drawn]) -> None:
    for number, (place, name) in enumerate(zip(st.columns(2), PLAIN_AND_RESIDUAL, strict=True)):
        steps = result.steps[number][places]
        with place:
            st.markdown(
                f"**{name.capitalize()}, {result.plan.depth} layers** · training error "
                f"{100 * result.error[number]:.1f}\u00a0%"
            )
            st.plotly_chart(
                charts.surface(steps, steps, *drawn[number], palette()), config={**frame.PLAIN, "scrollZoom": False},
                key=f"gradient_flow_sur_3d_{name}",
            )  # fmt: skip


def _from_above(result: Surfaces, places: np.ndarray, drawn: list[Drawn]) -> None:
    for number, (place, name) in enumerate(zip(st.columns(2), PLAIN_AND_RESIDUAL, strict=True)):
        steps = result.steps[number][places]
        with place:
            st.caption(f"{name.capitalize()}, from above")
            st.plotly_chart(
                charts.contour(steps, steps, *drawn[number], palette(), path=result.path[number]), config=frame.PLAIN,
                key=f"gradient_flow_sur_contour_{name}",
            )  # fmt: skip


def _legend(result: Surfaces, cut: list[float], side: int, most: float) -> str:
    """Say what height, colour and line mean, and what is not to be seen."""
    of_path = " and ".join(
        f"{share_text(float(result.explained[number].sum()))} ({name})"
        for number, name in enumerate(PLAIN_AND_RESIDUAL)
    )
    return (
        f"Same scale for both, {side} × {side} points. Losses above {most:,.0f} are cut off: {share_text(cut[0])} of "
        f"the plain network's points, {share_text(cut[1])} of the residual one's. Vermilion: the way of training, "
        f"epoch by epoch, as far as it lies in this plane, which holds {of_path} of its squared length."
        + (" Each network has its own two directions and units." if result.plan.directions == "path" else "")
    )


def decided(result: Surfaces, places: np.ndarray) -> frame.Decided:
    """Return the lecture's sentence, its numbers, whether it holds, and what follows (see `frame.Decided`)."""
    rough = [share_non_convex(losses[np.ix_(places, places)]) for losses in result.losses]
    sentence = "Without skip connections the loss surface turns rough with depth; with them it stays smooth."
    said = [
        f"{name}: **{share_text(rough[number])}** of the points non-convex, largest Hessian eigenvalue "
        + ("not known yet" if np.isnan(result.curvature[number]) else value_text(float(result.curvature[number])))
        for number, name in enumerate(PLAIN_AND_RESIDUAL)
    ]
    numbers = " · ".join(said)
    if not np.isfinite(rough).all():
        return sentence, numbers, None, "There are too few finite losses to tell: the learning rate may be too large."
    if result.plan.directions == "path":
        return sentence, numbers, None, (
            "Slices along the path are not filter-normalised, each network has units of its own: random directions "
            "decide."
        )  # fmt: skip
    if max(rough) <= ROUGH:
        return sentence, numbers, None, (
            f"With {result.plan.depth} layers both are smooth: without skips the surface turns rough only with depth."
        )  # fmt: skip
    if min(rough) <= ROUGH and abs(rough[0] - rough[1]) < CLEAR and rough[0] <= 2 * rough[1]:
        return sentence, numbers, None, (
            f"The two are too near to each other, and to the {share_text(ROUGH)} from which on a surface is called "
            "rough, to tell."
        )  # fmt: skip
    holds = rough[0] > ROUGH >= rough[1] or rough[0] > 2 * rough[1]
    because = ""
    if result.error[0] > 0.5:
        because = (
            "The plain network has hardly learnt anything: what is seen here is the surroundings of where it is stuck."
        )
    return sentence, numbers, bool(holds), because


def code(plan: SurfacePlan) -> str:
    """Return the lines that give the same numbers in a notebook."""
    return (
        "from explorer.gradient_flow.depth_results import SurfacePlan, share_non_convex\n"
        "from explorer.gradient_flow.loss_surface import loss_surfaces\n\n"
        f"result = loss_surfaces({plan!r})\n"
        "print([share_non_convex(losses) for losses in result.losses])  # plain, residual\n"
        "print(result.curvature)\n"
    )


def _csv(result: Surfaces) -> bytes:
    rows = [
        [name, result.steps[number, i], result.steps[number, j], result.losses[number, i, j]]
        for number, name in enumerate(PLAIN_AND_RESIDUAL)
        for i in range(result.losses.shape[1])
        for j in range(result.losses.shape[2])
        if np.isfinite(result.losses[number, i, j])
    ]
    return frame.csv_bytes(["network", "alpha", "beta", "loss"], rows)
