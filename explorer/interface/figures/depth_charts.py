"""Charts of depth: gradients and spreads by layer, paths by length, dropped blocks, training errors, loss surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.interface.figures.gradient_flow_charts import legend_above, rounded
from explorer.interface.figures.plain_figure import PlainFigure, plain_base, title_above
from explorer.interface.numbers import value_text
from explorer.interface.theme import SEQUENTIAL_COLOURS, Palette

_DASHES = ("dot", "solid")
"""Of what is plain and what is residual, on every chart."""


def lines(
    series: Sequence[tuple[str, np.ndarray, np.ndarray, str, str]],
    palette: Palette,
    *,
    x_title: str,
    y_title: str,
    log: bool = False,
    y_range: tuple[float, float] | None = None,
    x_range: tuple[float, float] | None = None,
    percent: bool = False,
    mark: float | None = None,
    markers: bool = False,
    height: int = 300,
) -> PlainFigure:
    """Draw lines; what is not finite, or not above 0 on a logarithmic axis, leaves a gap.

    Args:
        series: name, x, y, colour and dash of each.
        palette: colours of the theme.
        x_title: what the horizontal axis shows.
        y_title: what the vertical one shows.
        log: a logarithmic vertical axis.
        y_range: its limits.
        x_range: of the horizontal axis.
        percent: whether y is a share, written as a percentage.
        mark: where a vertical line marks what is looked at.
        markers: draw the points too.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=44, bottom=38, right=10)
    for name, x, y, colour, dash in series:
        shown = np.where(y > 0, y, np.nan) if log else y
        figure.add(
            "scatter", x=np.asarray(x).tolist(), y=rounded(np.asarray(shown, float)), name=name,
            mode="lines+markers" if markers or len(x) < 3 else "lines",
            line={"color": colour, "width": 2.4, "dash": dash}, marker={"size": 6, "color": colour},
            hovertemplate=f"%{{x}}: %{{y{':.1%' if percent else ':.4g'}}}<extra>{name}</extra>",
        )  # fmt: skip
    axis: dict[str, Any] = {"nticks": 7}
    if log:
        axis |= {"type": "log", **_decades(np.concatenate([np.ravel(y) for _, _, y, _, _ in series]))}
    if percent:
        axis |= _percents(0.2, 1.0)
    if y_range is not None:
        axis |= {"range": list(y_range)}
    across: dict[str, Any] = {"title": {"text": x_title, "standoff": 4}, "showgrid": False}
    if x_range is not None:
        across |= {"range": list(x_range)}
    figure.lay_out(xaxis=across, yaxis=axis)
    if mark is not None:
        figure.lay_out(
            shapes=[{"type": "line", "x0": mark, "x1": mark, "yref": "paper", "y0": 0, "y1": 1,
                     "line": {"color": palette.highlight, "width": 1.5, "dash": "dot"}}]
        )  # fmt: skip
    legend_above(figure)
    title_above(figure, y_title, palette)
    figure.lay_out(legend={"y": 1.1, "x": 1, "xanchor": "right"})
    return figure


def _percents(step: float, last: float) -> dict[str, Any]:
    """Return ticks of an axis of shares, from 0 to the last, written as on the rest of the page: 20 %."""
    values = [number * step for number in range(round(last / step) + 1)]
    return {"tickvals": values, "ticktext": [f"{100 * value:.0f}\u00a0%" for value in values]}


def _step(largest: float) -> float:
    """Return the distance of ticks on an axis of shares that ends at the largest."""
    return next((step for step in (0.05, 0.1) if largest <= 5 * step), 0.2)


def _decades(values: np.ndarray) -> dict[str, Any]:
    """Return ticks of a logarithmic axis: powers of ten, not too many, or 1, 2 and 5 of them where there are few."""
    known = values[np.isfinite(values) & (values > 0)]
    if not len(known) or known.max() < 3 * known.min():
        return {"nticks": 4}  # what Plotly finds
    low, high = np.floor(np.log10(known.min())), np.ceil(np.log10(known.max()))
    powers = np.arange(int(low), int(high) + 1)
    if len(powers) <= 3:
        ticks = [first * 10.0**power for power in powers for first in (1, 2, 5)]
        return {"tickvals": ticks, "ticktext": [value_text(tick) for tick in ticks]}
    step = int(np.ceil(len(powers) / 7))
    shown = [int(power) for power in powers if power % step == 0]
    texts = [str(10**power) if 0 <= power <= 2 else f"10<sup>{power}</sup>".replace("-", "−") for power in shown]
    return {"tickvals": [10.0**power for power in shown], "ticktext": texts}


def both(pair: np.ndarray, x: np.ndarray, colour: str, palette: Palette, **more: Any) -> PlainFigure:
    """Draw a quantity (2, n) of a plain and of a residual network: its own colour, dotted and solid."""
    return lines(
        [("plain", x, pair[0], colour, _DASHES[0]), ("residual", x, pair[1], colour, _DASHES[1])], palette, **more
    )


def path_shares(counts: np.ndarray, share: np.ndarray | None, palette: Palette, *, height: int = 300) -> PlainFigure:
    """Draw which share of all paths has each length, and which share of the gradient goes along them.

    Args:
        counts: (n + 1,), with the sum 1.
        share: (n + 1,) likewise; None where it is not measured.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, top=44, bottom=38, right=10)
    lengths = list(range(len(counts)))
    largest = max(float(np.max(each)) for each in (counts, share) if each is not None)
    for name, values, colour in (("of the paths", counts, palette.muted), ("of the gradient", share, palette.gradient)):
        if values is not None:
            figure.add(
                "bar", x=lengths, y=rounded(values), name=name, marker={"color": colour, "line": {"width": 0}},
                hovertemplate=f"length %{{x}}: %{{y:.3%}} {name}<extra></extra>",
            )  # fmt: skip
    figure.lay_out(
        barmode="group", bargap=0.15, bargroupgap=0,
        xaxis={"title": {"text": "path length: branches on the way", "standoff": 4}, "showgrid": False},
        yaxis={**_percents(_step(largest), 1.0), "rangemode": "tozero"},
    )  # fmt: skip
    legend_above(figure)
    title_above(figure, "share", palette)
    figure.lay_out(legend={"y": 1.1, "x": 1, "xanchor": "right"})
    return figure


def surface(
    across: np.ndarray,
    down: np.ndarray,
    heights: np.ndarray,
    limits: tuple[float, float],
    words: str,
    palette: Palette,
    *,
    height: int = 330,
) -> PlainFigure:
    """Draw a loss surface in three dimensions.

    Args:
        across: (m,), steps along the second direction.
        down: (k,), steps along the first.
        heights: (k, m), already cut off at the limits.
        limits: of height and colours, the same for whatever stands beside it.
        words: what the height is.
        palette: colours of the theme.
        height: in pixels.
    """
    figure = plain_base(palette, height=height, left=0, right=0, top=0, bottom=0)
    figure.add(
        "surface", x=rounded(across), y=rounded(down), z=[rounded(row) for row in heights],
        colorscale=SEQUENTIAL_COLOURS.capitalize(), cmin=limits[0], cmax=limits[1], showscale=False,
        hovertemplate=f"%{{y:.3g}}, %{{x:.3g}}: {words} %{{z:.4g}}<extra></extra>",
        contours={"z": {"show": True, "width": 1, "color": "rgba(255,255,255,.35)",
                        "start": limits[0], "end": limits[1], "size": (limits[1] - limits[0]) / 12}},
        lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
    )  # fmt: skip
    axis = {
        "gridcolor": palette.border, "color": palette.muted, "backgroundcolor": "rgba(0,0,0,0)",
        "zerolinecolor": palette.border, "nticks": 5, "title": {"text": ""},
    }  # fmt: skip
    figure.lay_out(
        scene={
            "xaxis": axis, "yaxis": axis, "zaxis": {**axis, "range": list(limits)},
            # Far enough for the numbers at the near corner, also where the chart is as narrow as a phone.
            "camera": {"eye": {"x": 1.4, "y": 1.4, "z": 0.95}, "center": {"x": 0, "y": 0, "z": -0.13}},
            "aspectratio": {"x": 1, "y": 1, "z": 0.75},
        },
        uirevision="surface",
    )  # fmt: skip
    return figure


def contour(
    across: np.ndarray,
    down: np.ndarray,
    heights: np.ndarray,
    limits: tuple[float, float],
    words: str,
    palette: Palette,
    *,
    path: np.ndarray | None = None,
    height: int = 300,
) -> PlainFigure:
    """Draw the same surface from above, with the path of training; arguments as of `surface`, and the path (t, 2)."""
    figure = plain_base(palette, height=height, top=8, bottom=30, right=8)
    figure.add(
        "contour", x=rounded(across), y=rounded(down), z=[rounded(row) for row in heights],
        colorscale=SEQUENTIAL_COLOURS.capitalize(), zmin=limits[0], zmax=limits[1],
        contours={"start": limits[0], "end": limits[1], "size": (limits[1] - limits[0]) / 16},
        line={"width": 0.6, "color": "rgba(255,255,255,.4)"},
        colorbar={"thickness": 10, "len": 1, "outlinewidth": 0, "tickfont": {"size": 10}, "tickmode": "linear",
                  "tick0": limits[0], "dtick": (limits[1] - limits[0]) / (3 if limits[0] else 4),
                  "title": {"text": words, "side": "right", "font": {"size": 11}}},
        hovertemplate=f"%{{y:.3g}}, %{{x:.3g}}: {words} %{{z:.4g}}<extra></extra>",
    )  # fmt: skip
    if path is not None:
        figure.add(
            "scatter", x=rounded(path[:, 1]), y=rounded(path[:, 0]), mode="lines+markers",
            line={"color": palette.weight, "width": 2.5}, marker={"size": 5, "color": palette.weight},
            hovertemplate="after epoch %{pointNumber}<extra></extra>",
        )  # fmt: skip
    figure.lay_out(
        xaxis={"range": [float(across[0]), float(across[-1])], "nticks": 6, "showgrid": False},
        yaxis={"range": [float(down[0]), float(down[-1])], "nticks": 6, "showgrid": False},
    )  # fmt: skip
    return figure
