"""Charts of activations: curves with their saturated regions, a batch before and after, softmax and its Jacobian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from explorer.gradient_flow.activations import Activation, Passed
from explorer.interface.figures.colour_scales import STEPS, lookup_table
from explorer.interface.figures.plain_figure import PlainFigure, plain_base, title_above
from explorer.interface.theme import Palette

CURVE_POINTS = 401
_STRIP = 0.045
"""Height of one activation's saturated strip, as a share of the chart."""


def rounded(values: np.ndarray) -> list[float | None]:
    """Return numbers with as many digits as a chart shows; what is not finite leaves a gap."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]


def legend_above(figure: PlainFigure) -> None:
    """Set the legend in a row above the chart."""
    figure.lay_out(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
    )


def runs_of(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return (first, last) of each unbroken run of true values in (n,) booleans."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def activation_curves(
    shown: Sequence[tuple[Activation, str]],
    what: Literal["value", "slope"],
    palette: Palette,
    *,
    reach: float,
    below: float,
    batch: np.ndarray | None = None,
    height: int = 300,
) -> PlainFigure:
    """Draw φ or φ' of several activations; where one is saturated its curve is dotted, with a bar of its colour below.

    Args:
        shown: activations and their colours.
        what: which of both.
        palette: colours of the theme.
        reach: z goes from −reach to reach.
        below: share of the largest slope under which an activation counts as saturated.
        batch: pre-activations, whose distribution stands pale behind the curves.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=30, bottom=34, right=10)
    z = np.linspace(-reach, reach, CURVE_POINTS)
    strips = _STRIP * len(shown)
    for number, (one, colour) in enumerate(shown):
        y = one.value(z) if what == "value" else one.derivative(z)
        flat = one.saturated(z, below)
        line = {"color": colour, "width": 2.4}
        name = one.title if what == "value" else f"{one.title}'"
        hover = "z = %{x:.3g}: %{y:.4g}<extra>" + name + "</extra>"
        _curve(figure, z, np.where(flat, np.nan, y), line, name, hover, legend=True)
        for first, last in runs_of(flat):
            part = slice(max(first - 1, 0), last + 2)
            _curve(figure, z[part], y[part], {**line, "dash": "dot", "width": 1.8}, name, hover)
            _strip(figure, float(z[first]), float(z[last]), number, len(shown), colour)
    if batch is not None and batch.size:
        _behind(figure, batch, reach, palette)
    figure.lay_out(
        xaxis={"title": {"text": "z", "standoff": 2}, "range": [-reach, reach], "zeroline": True, "anchor": "free",
               "position": 0},
        yaxis={"domain": [strips + 0.03 if strips else 0, 1], "zeroline": True},
    )  # fmt: skip
    title_above(figure, "φ(z)" if what == "value" else "φ'(z)", palette)
    return figure


def _curve(
    figure: PlainFigure, x: np.ndarray, y: np.ndarray, line: dict[str, Any], name: str, hover: str, legend: bool = False
) -> None:
    figure.add(
        "scatter", x=rounded(x), y=rounded(y), mode="lines", line=line, name=name, hovertemplate=hover,
        showlegend=legend,
    )  # fmt: skip


def _strip(figure: PlainFigure, start: float, end: float, number: int, count: int, colour: str) -> None:
    top = _STRIP * (count - number)
    layout = figure.to_dict()["layout"]
    layout.setdefault("shapes", []).append(
        {
            "type": "rect", "xref": "x", "x0": start, "x1": end, "yref": "paper", "y0": top - 0.8 * _STRIP, "y1": top,
            "fillcolor": colour, "opacity": 0.45, "line": {"width": 0},
        }
    )  # fmt: skip


def _behind(figure: PlainFigure, batch: np.ndarray, reach: float, palette: Palette) -> None:
    """Add where the batch lies, on an axis of its own without numbers."""
    counts, edges = np.histogram(batch, bins=80, range=(-reach, reach))
    figure.add(
        "bar", x=rounded((edges[:-1] + edges[1:]) / 2), y=counts.tolist(), yaxis="y2", width=float(edges[1] - edges[0]),
        marker={"color": palette.muted, "opacity": 0.22, "line": {"width": 0}}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    figure.lay_out(
        yaxis2={"overlaying": "y", "side": "right", "visible": False, "range": [0, 1.15 * max(1, int(counts.max()))]},
        bargap=0,
    )


def batch_histogram(
    values: np.ndarray, colour: str, palette: Palette, *, title: str, height: int = 150, reach: float | None = None
) -> PlainFigure:
    """Draw how often values occur.

    Args:
        values: of any shape, at least one.
        colour: of the bars.
        palette: colours of the theme.
        title: of the horizontal axis.
        height: in pixels.
        reach: bins go from −reach to reach; None for the values' own range.
    """
    figure = plain_base(palette, height=height, top=8, bottom=40, right=8)
    low, high = (-reach, reach) if reach is not None else (float(values.min()), float(values.max()))
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(values, bins=60, range=(low, high))
    shares = 100 * counts / max(1, values.size)
    figure.add(
        "bar", x=rounded((edges[:-1] + edges[1:]) / 2), y=rounded(shares), width=float(edges[1] - edges[0]),
        marker={"color": colour, "line": {"width": 0}}, hovertemplate="%{x:.3g}: %{y:.3g} %<extra></extra>",
    )  # fmt: skip
    figure.lay_out(
        bargap=0,
        xaxis={"title": {"text": title, "standoff": 8}, "showgrid": False, "nticks": 7},
        yaxis={"nticks": 4, "ticksuffix": " %"},
    )
    return figure


def products(shown: Sequence[tuple[Passed, str]], layers: int, palette: Palette, height: int = 220) -> PlainFigure:
    """Draw what is left of a gradient after 1, 2, … layers, by factors: the mean slope to the power of the layer.

    Args:
        shown: activations on a batch, and their colours.
        layers: so many.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=26, bottom=34, right=10)
    count = np.arange(0, layers + 1)
    for one, colour in shown:
        left = np.power(one.mean_slope, count.astype(float))
        left = np.where(left > 0, left, np.nan)
        figure.add(
            "scatter", x=count.tolist(), y=rounded(left), mode="lines+markers" if layers <= 20 else "lines",
            line={"color": colour, "width": 2.2}, marker={"size": 5}, name=one.activation.title,
            hovertemplate="%{x} layers: %{y:.3g}<extra>" + one.activation.title + "</extra>",
        )  # fmt: skip
    figure.lay_out(
        xaxis={"title": {"text": "layers", "standoff": 2}, "zeroline": False},
        yaxis={"type": "log", "exponentformat": "power", "nticks": 6, "zeroline": False},
    )
    title_above(figure, "share of the gradient that is left", palette)
    return figure


def _diverging() -> list[list[Any]]:
    """Return the app's scale for signed values as Plotly takes it."""
    table = lookup_table(True)[:STEPS]
    places = np.linspace(0, STEPS - 1, 17).astype(int)
    return [[int(place) / (STEPS - 1), f"rgb({','.join(map(str, table[place]))})"] for place in places]


def jacobian(values: np.ndarray, names: Sequence[str], palette: Palette, height: int = 300) -> PlainFigure:
    """Draw a Jacobian as a heat map centred on zero, with its numbers where they fit.

    Args:
        values: (n, n), ∂pᵢ/∂zⱼ in row i and column j.
        names: of the n classes.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=26, bottom=34)
    most = float(np.abs(values).max()) or 1.0
    figure.add(
        "heatmap", z=[rounded(row) for row in values], x=list(names), y=list(names), zmin=-most, zmax=most,
        colorscale=_diverging(), xgap=2, ygap=2, texttemplate="%{text}" if len(names) <= 6 else "",
        text=[[f"{value:.3f}".replace("-0.000", "0.000").replace("-", "−") for value in row] for row in values],
        colorbar={"thickness": 10, "outlinewidth": 0, "tickformat": ".2g"},
        hovertemplate="∂p(%{y})/∂z(%{x}) = %{z:.4g}<extra></extra>",
    )  # fmt: skip
    figure.lay_out(
        xaxis={
            "title": {"text": "logit z of class", "standoff": 8},
            "showgrid": False,
            "zeroline": False,
            "tickmode": "linear",
            "dtick": 1,
        },
        yaxis={"autorange": "reversed", "showgrid": False, "zeroline": False, "tickmode": "linear", "dtick": 1},
    )
    title_above(figure, "probability p of class", palette)
    return figure


def probabilities(
    logits: np.ndarray, p: np.ndarray, names: Sequence[str], palette: Palette, height: int = 300
) -> PlainFigure:
    """Draw the probabilities of softmax as bars, with the logit that each comes from.

    Args:
        logits: (n,).
        p: (n,), their softmax.
        names: of the n classes.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=26, bottom=34)
    figure.add(
        "bar", x=list(names), y=rounded(p), marker={"color": palette.activation},
        text=[f"{100 * value:.1f} %<br>z = {z:g}".replace("-", "−") for value, z in zip(p, logits, strict=True)],
        textposition="outside",
        cliponaxis=False, hovertemplate="class %{x}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.lay_out(
        xaxis={"title": {"text": "class", "standoff": 8}, "showgrid": False, "tickmode": "linear", "dtick": 1},
        yaxis={"range": [0, 1.15], "tickvals": [0, 0.5, 1]},
    )
    title_above(figure, "probability", palette)
    return figure
