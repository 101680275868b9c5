"""Charts of the app, made of plain arrays; colours and fonts come from the theme."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import Palette


def base(palette: Palette, *, height: int, left: int = 8, right: int = 8, top: int = 8, bottom: int = 30) -> go.Figure:
    """Return an empty figure in the app's manner: transparent, tight, the theme's text colour."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": left, "r": right, "t": top, "b": bottom},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.text, "size": 12},
        showlegend=False,
        hoverlabel={"font": {"size": 12}},
    )
    axis = {
        "gridcolor": palette.border,
        "zerolinecolor": palette.border,
        "automargin": True,
        "fixedrange": True,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def prediction_bars(
    names: Sequence[str], probabilities: Sequence[float], logits: Sequence[float | None], palette: Palette
) -> go.Figure:
    """Draw the most probable classes as horizontal bars, the first on top; logits stand in the hover text."""
    figure = base(palette, height=32 * len(names) + 16, bottom=4, top=4, right=44)
    hover = [
        f"{name}: probability {p:.4f}" + ("" if z is None else f", logit {value_text(z)}")
        for name, p, z in zip(names, probabilities, logits, strict=True)
    ]
    figure.add_bar(
        x=list(probabilities),
        y=list(range(len(names))),
        orientation="h",
        marker={"color": palette.activation},
        text=[f" {share_text(p)}" for p in probabilities],
        textposition="outside",
        cliponaxis=False,
        hovertext=hover,
        hoverinfo="text",
        width=0.62,
    )
    figure.update_xaxes(range=[0, 1], visible=False)
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=list(names),
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )
    return figure


def histogram_bars(
    counts: Sequence[int], edges: Sequence[float], palette: Palette, *, threshold: float | None = None
) -> go.Figure:
    """Draw how often each value occurs in one map.

    Args:
        counts: cells in each bin.
        edges: bin limits, one more than counts.
        palette: colours of the theme.
        threshold: where a channel starts to count as not silent, drawn as a line if it lies within the bins.
    """
    figure = base(palette, height=150, top=6)
    edges_array = np.asarray(edges, float)
    figure.add_bar(
        x=(edges_array[:-1] + edges_array[1:]) / 2,
        y=list(counts),
        width=np.diff(edges_array),
        marker={"color": palette.activation, "line": {"width": 0}},
        customdata=np.stack([edges_array[:-1], edges_array[1:]], axis=1),
        hovertemplate="%{customdata[0]:.4g} to %{customdata[1]:.4g}: %{y} cells<extra></extra>",
    )
    figure.update_layout(bargap=0)
    figure.update_xaxes(title={"text": "value", "standoff": 4}, nticks=5, showgrid=False)
    figure.update_yaxes(title={"text": "cells", "standoff": 4}, nticks=4)
    if threshold is not None and edges_array[0] < threshold < edges_array[-1]:
        figure.add_vline(threshold, line={"color": palette.highlight, "dash": "dot", "width": 1.5})
    return figure


def silent_share(
    names: Sequence[str],
    shares: Sequence[float],
    resting: Sequence[float],
    channels: Sequence[int],
    silent: Sequence[int],
    selected: int | None,
    palette: Palette,
) -> go.Figure:
    """Draw the shares of silent channels and of values at rest against depth; the selected layer is marked.

    Args:
        names: layers in the order of depth.
        shares: silent channels over channels, 0 to 1.
        resting: values at or near zero over all values, 0 to 1.
        channels: channels of each layer.
        silent: silent channels of each layer.
        selected: position of the selected layer, if it is among them.
        palette: colours of the theme.
    """
    figure = base(palette, height=250, bottom=40, top=28)
    depth = list(range(1, len(names) + 1))
    sizes = [11 if i == selected else 6 for i in range(len(names))]
    for title, values, colour, dash, words in (
        ("silent channels", shares, palette.activation, "solid", "silent channels"),
        ("values at rest", resting, palette.muted, "dot", "of the values at rest"),
    ):
        figure.add_scatter(
            name=title,
            x=depth,
            y=[100 * value for value in values],
            mode="lines+markers",
            line={"color": colour, "width": 1.5, "dash": dash},
            marker={
                "size": sizes,
                "color": [palette.highlight if i == selected else colour for i in range(len(names))],
                "line": {"width": 0},
            },
            customdata=[[n, s, c] for n, s, c in zip(names, silent, channels, strict=True)],
            hovertemplate="%{customdata[0]}: %{y:.1f} % "
            + words
            + "<br>%{customdata[1]} of %{customdata[2]} channels silent<extra></extra>",
        )
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.16, "x": 0})
    figure.update_xaxes(title={"text": "depth: layers from the input", "standoff": 6}, rangemode="tozero")
    figure.update_yaxes(title={"text": "share, %", "standoff": 6}, range=[-3, 103])
    return figure


def vector_bars(
    values: np.ndarray,
    order: Sequence[int],
    names: Sequence[str] | None,
    selected: int | None,
    palette: Palette,
    *,
    other: np.ndarray | None = None,
) -> go.Figure:
    """Draw a vector layer as bars in the given order.

    Args:
        values: float `(c,)`.
        order: positions in the order to draw.
        names: class names of the positions, where the layer is the output.
        selected: the marked position.
        other: float `(c,)`, the same layer for a second picture, drawn as marks on the same axis.
        palette: colours of the theme.
    """
    few = len(order) <= 24
    figure = base(palette, height=380, bottom=60)
    labels = [names[i] if names else str(i) for i in order]
    figure.add_bar(
        x=list(range(len(order))),
        y=[float(values[i]) for i in order],
        marker={
            "color": [palette.highlight if i == selected else palette.activation for i in order],
            "line": {"width": 0},
        },
        customdata=[[int(i), label] for i, label in zip(order, labels, strict=True)],
        hovertemplate="channel %{customdata[0]} %{customdata[1]}: %{y:.5g}<extra></extra>"
        if names
        else "channel %{customdata[0]}: %{y:.5g}<extra></extra>",
    )
    if other is not None:
        figure.add_scatter(
            x=list(range(len(order))),
            y=[float(other[i]) for i in order],
            mode="markers",
            marker={"symbol": "diamond", "size": 8 if few else 4, "color": palette.text},
            hovertemplate="second picture: %{y:.5g}<extra></extra>",
        )
    figure.update_layout(bargap=0.15 if few else 0)
    if few:
        figure.update_xaxes(tickvals=list(range(len(order))), ticktext=labels, showgrid=False)
    else:
        figure.update_xaxes(title={"text": "position in this order"}, showgrid=False)
    figure.update_yaxes(title={"text": "activation", "standoff": 6})
    return figure
