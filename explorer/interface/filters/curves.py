"""The objective against the steps: how an image has climbed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.interface.theme import Palette


def climb(
    curve: np.ndarray,
    steps: int,
    strong: Sequence[int],
    names: Sequence[str],
    palette: Palette,
    *,
    done: int | None = None,
    height: int = 150,
) -> go.Figure:
    """Draw the objective of every image against the step, some of them strong.

    Args:
        curve: float (rows, n); the rows are spread evenly over the steps that are done.
        steps: planned; the axis ends there.
        strong: images that stand out.
        names: of the images.
        palette: colours of the theme.
        done: steps that the rows cover; None: one step a row.
        height: in pixels.
    """
    figure = go.Figure()
    rows, count = curve.shape
    at = np.linspace(1, done if done else max(rows, 1), rows)
    for i in [*(i for i in range(count) if i not in strong), *strong]:
        stands_out = i in strong
        figure.add_scatter(
            x=at,
            y=curve[:, i],
            mode="lines",
            line={"color": palette.gradient if stands_out else palette.border, "width": 2.2 if stands_out else 1},
            hovertemplate=f"{names[i]}<br>step %{{x:.0f}}: %{{y:.4g}}<extra></extra>" if stands_out else None,
            hoverinfo=None if stands_out else "skip",
        )
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 6, "b": 30},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.text, "size": 12},
        showlegend=False,
        uirevision="climb",
    )
    axis = {"gridcolor": palette.border, "zerolinecolor": palette.border, "automargin": True, "fixedrange": True}
    figure.update_xaxes(title={"text": "step", "standoff": 4}, range=[0, max(steps, 1)], showgrid=False, **axis)
    figure.update_yaxes(title={"text": "objective", "standoff": 4}, nticks=4, **axis)
    return figure
