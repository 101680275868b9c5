"""Charts of optimisers and regularisers on a small network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.gradient_flow.network_race import NetworkRace
from explorer.gradient_flow.regularisers import Compared
from explorer.interface.figures.gradient_flow_charts import legend_above, rounded
from explorer.interface.figures.plain_figure import PlainFigure, plain_base, title_above
from explorer.interface.theme import Palette

MOST_POINTS = 300
_LARGEST_DRAWN = 1e12
_MOST_TICKS = 7


def by_factors(figure: PlainFigure) -> dict[str, Any]:
    """Return a vertical axis by factors, with a tick at each power of ten, or at each second, third … of many."""
    values = [value for trace in figure.to_dict()["data"] for value in trace["y"] if value is not None and value > 0]
    decades = math.log10(max(values) / min(values)) if values else 1.0
    return {
        "type": "log",
        "exponentformat": "power",
        "dtick": max(1, math.ceil(decades / _MOST_TICKS)),
        "zeroline": False,
    }


def race_losses(
    race: NetworkRace, shown: Sequence[str], titles: Mapping[str, str], palette: Palette, height: int = 320
) -> PlainFigure:
    """Draw the loss of the batches, the mean of each tenth of an epoch, by factors.

    Args:
        race: so far.
        shown: optimisers.
        titles: of all optimisers, in the order of the colours.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=56, bottom=34, right=10)
    for name in shown:
        losses = race.runners[name].losses
        if not losses.size:
            continue
        width = max(1, race.batches // 10, losses.size // MOST_POINTS)
        whole = losses[: losses.size // width * width].reshape(-1, width)
        # A mean over what has gone to infinity says so by a gap.
        means = np.where(np.abs(whole) < _LARGEST_DRAWN, whole, np.nan).mean(axis=1)
        x = (np.arange(len(means)) + 0.5) * width / race.batches
        figure.add(
            "scatter", x=rounded(x), y=rounded(np.maximum(means, 1e-8)), mode="lines", name=titles[name],
            line={"color": palette.lines[list(titles).index(name) % len(palette.lines)], "width": 2},
            hovertemplate="epoch %{x:.2f}: %{y:.4g}<extra>" + titles[name] + "</extra>",
        )  # fmt: skip
    figure.lay_out(
        xaxis={"title": {"text": "epoch", "standoff": 2}, "range": [0, race.epochs], "zeroline": False},
        yaxis=by_factors(figure),
    )
    title_above(figure, "loss of the batches", palette)
    return figure


def race_accuracies(
    race: NetworkRace, shown: Sequence[str], titles: Mapping[str, str], palette: Palette, height: int = 320
) -> PlainFigure:
    """Draw the accuracy on pictures that no network has learnt from, by epoch; arguments as of `race_losses`."""
    figure = plain_base(palette, height=height, top=56, bottom=34, right=10)
    for name in shown:
        values = 100 * race.runners[name].accuracies
        figure.add(
            "scatter", x=list(range(len(values))), y=rounded(values), mode="lines+markers", name=titles[name],
            line={"color": palette.lines[list(titles).index(name) % len(palette.lines)], "width": 2},
            marker={"size": 5},
            hovertemplate="after epoch %{x}: %{y:.1f} %<extra>" + titles[name] + "</extra>",
        )  # fmt: skip
    figure.lay_out(
        xaxis={"title": {"text": "epoch", "standoff": 2}, "range": [-0.2, race.epochs + 0.2], "zeroline": False},
        yaxis={"range": [0, 102], "ticksuffix": " %", "zeroline": False},
    )
    legend_above(figure)
    title_above(figure, "accuracy", palette)
    figure.lay_out(legend={"y": 1.08})
    return figure


def weight_histogram(
    weights: np.ndarray, reach: float, near: float, palette: Palette, height: int = 150
) -> PlainFigure:
    """Draw how often weights occur, on a scale by factors that shows the few large ones; near zero in amber.

    Args:
        weights: (n,).
        reach: bins go from −reach to reach.
        near: weights below this magnitude count as near zero.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=6, bottom=24, right=6)
    edges = np.linspace(-reach, reach, 62)
    counts, _ = np.histogram(np.clip(weights, -reach, reach), bins=edges)
    middles = (edges[:-1] + edges[1:]) / 2
    width = float(edges[1] - edges[0])
    figure.add(
        "bar", x=rounded(middles), y=counts.tolist(), width=width,
        marker={
            "color": [palette.highlight if abs(x) < max(near, width / 2) else palette.weight for x in middles],
            "line": {"width": 0},
        },
        hovertemplate="%{x:.3g}: %{y} weights<extra></extra>",
    )  # fmt: skip
    figure.lay_out(
        bargap=0,
        xaxis={"showgrid": False, "nticks": 5, "zeroline": False},
        yaxis={"type": "log", "range": [-0.3, 3.7], "tickvals": [1, 10, 100, 1000]},
    )
    return figure


def gap_curves(compared: Compared, titles: Mapping[str, str], palette: Palette, height: int = 300) -> PlainFigure:
    """Draw cross-entropy over the epochs: on training pictures thin and dotted, on the others strong.

    Args:
        compared: so far.
        titles: of all regularisers, in the order of the colours.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=60, bottom=34, right=10)
    for number, (name, one) in enumerate(compared.networks.items()):
        colour = palette.lines[number % len(palette.lines)]
        epochs = list(range(len(one.losses)))
        for values, words, look in (
            (one.losses, "training", {"width": 1.3, "dash": "dot"}),
            (one.test_losses, "other pictures", {"width": 2.2}),
        ):
            figure.add(
                "scatter", x=epochs, y=rounded(np.maximum(values, 1e-8)), mode="lines", name=titles[name],
                line={"color": colour, **look}, showlegend=words != "training",
                hovertemplate="epoch %{x}: %{y:.4g}<extra>" + f"{titles[name]}, {words}" + "</extra>",
            )  # fmt: skip
    figure.lay_out(
        xaxis={"title": {"text": "epoch", "standoff": 2}, "range": [0, compared.epochs], "zeroline": False},
        yaxis=by_factors(figure),
    )
    legend_above(figure)
    title_above(figure, "loss", palette)
    figure.lay_out(legend={"y": 1.09})
    return figure
