"""Charts of training: curves while a network learns, and the curves and bars of an outcome."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.interface.figures.charts import base
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import Palette
from explorer.runs.outcome import Line, Lines

MOST_TICKS = 10
DASHES = ("solid", "dot", "dashdot")
ROOM_OF_A_LETTER = 3.5
"""Pixels that a letter of a slanted name takes downwards."""

LETTERS_BELOW, ROOM_OF_A_LINE = 54, 14
"""Letters of a line below all bars of a chart on a phone, and pixels of each further line."""

SYMBOLS = ("circle", "x", "square-open")
"""For the first row of colours and those that repeat them."""


@dataclass(frozen=True, eq=False)
class Series:
    """What one network has to draw in a chart of learning.

    Attributes:
        name: in the legend.
        number: place in the row of colours.
        training: (x, y) within the epochs or of whole epochs, each (n,); None where there is none.
        training_smooth: the same, smoothed.
        validation: (x, y) of whole epochs.
        validation_smooth: the same, smoothed.
    """

    name: str
    number: int
    training: tuple[np.ndarray, np.ndarray] | None = None
    training_smooth: tuple[np.ndarray, np.ndarray] | None = None
    validation: tuple[np.ndarray, np.ndarray] | None = None
    validation_smooth: tuple[np.ndarray, np.ndarray] | None = None


def colour_of(number: int, palette: Palette) -> str:
    """Return the colour of the network at a place in the row."""
    return palette.lines[number % len(palette.lines)]


def learning(
    series: Sequence[Series],
    palette: Palette,
    *,
    title: str,
    logarithmic: bool = False,
    epochs: int | None = None,
    at: float | None = None,
    height: int = 290,
) -> go.Figure:
    """Draw one number over the epochs: validation strong, training thin; one colour for each network.

    Args:
        series: what there is of each network.
        palette: colours of the theme.
        title: of the vertical axis.
        logarithmic: whether the axis goes by factors.
        epochs: how many are planned, so that the axis does not grow while one looks.
        at: an epoch that is looked at, marked by a line.
        height: in pixels.
    """
    figure = base(palette, height=height, right=10, top=8, bottom=34)
    several = len(series) > 1
    for one in series:
        colour, dash = colour_of(one.number, palette), DASHES[one.number // len(palette.lines) % len(DASHES)]
        smooth = one.training_smooth is not None
        if one.training is not None:
            _add(figure, one.training, f"{one.name}, training" if several else "training", colour, dash,
                 width=1.3, opacity=0.25 if smooth else 0.6, legend=not several and not smooth)  # fmt: skip
        if one.training_smooth is not None:
            _add(figure, one.training_smooth, f"{one.name}, training" if several else "training", colour, dash,
                 width=1.5, opacity=0.75, legend=not several)  # fmt: skip
        if one.validation is not None:
            raw = one.validation_smooth is not None
            _add(figure, one.validation, f"{one.name}, validation" if several else "validation", colour, dash,
                 width=2.6, opacity=0.3 if raw else 1.0, legend=not several and not raw,
                 markers=len(one.validation[0]) <= 40)  # fmt: skip
        if one.validation_smooth is not None:
            _add(figure, one.validation_smooth, f"{one.name}, validation" if several else "validation", colour, dash,
                 width=2.6, opacity=1.0, legend=not several)  # fmt: skip
        if several:  # one entry for each network; which of its lines is which is said below
            figure.add_scatter(
                x=[None], y=[None], mode="lines", name=one.name, line={"color": colour, "dash": dash, "width": 2.6},
            )  # fmt: skip
    _axes(figure, series, title, logarithmic, epochs)
    if at is not None:
        figure.add_vline(at, line={"color": palette.highlight, "width": 1.5, "dash": "dot"})
    _legend_above(figure, len(series) if several else 2, height)
    return figure


def _add(
    figure: go.Figure,
    points: tuple[np.ndarray, np.ndarray],
    name: str,
    colour: str,
    dash: str,
    *,
    width: float,
    opacity: float,
    legend: bool,
    markers: bool = False,
) -> None:
    figure.add_scatter(
        x=np.round(points[0], 4).tolist(),
        y=[float(f"{value:.5g}") for value in points[1]],
        mode="lines+markers" if markers else "lines",
        name=name,
        line={"color": colour, "dash": dash, "width": width},
        marker={"size": 5},
        opacity=opacity,
        showlegend=legend,
        hovertemplate="epoch %{x:.4g}: %{y:.4g}<extra>" + name + "</extra>",
    )


def _axes(figure: go.Figure, series: Sequence[Series], title: str, logarithmic: bool, epochs: int | None) -> None:
    there = [part[0] for one in series for part in (one.training, one.validation) if part is not None and len(part[0])]
    first = min((float(x.min()) for x in there), default=0.0)
    last = max([*(float(x.max()) for x in there), float(epochs or 0), 1.0])
    shown = [min(first, 0.0 if first < 1 else 0.6), last * 1.01]
    figure.update_xaxes(title={"text": "epoch", "standoff": 6}, range=shown, zeroline=False, **_whole_ticks(last))
    figure.update_yaxes(title={"text": title, "standoff": 8}, zeroline=False, nticks=6)
    if logarithmic:
        figure.update_yaxes(type="log", dtick=None, nticks=6)


def _whole_ticks(last: float) -> dict[str, Any]:
    """Return a tick for each epoch where there are few: half an epoch is nothing that one counts."""
    return {"tickmode": "linear", "tick0": 0, "dtick": 1} if last <= MOST_TICKS else {}


def _legend_above(figure: go.Figure, entries: int, height: int) -> None:
    rows = math.ceil(entries / 3)
    figure.update_layout(
        showlegend=True,
        height=height + 20 * (rows - 1),
        margin={"t": 12},  # which grows by what the legend needs: the browser alone knows in how many rows it stands
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12},
            "itemsizing": "constant",
        },
    )


def learning_words(series: Sequence[Series], title: str) -> str:
    """Say the last values of a chart of learning."""
    said = []
    for one in series:
        parts = [
            f"{kind} {value_text(float(points[1][-1]))}"
            for kind, points in (("training", one.training), ("validation", one.validation))
            if points is not None and len(points[1])
        ]
        if parts:
            said.append(f"{one.name}: {', '.join(parts)}")
    return f"{title} over the epochs, the latest values: " + ("; ".join(said) if said else "none yet")


def _hues(lines: Sequence[Line], palette: Palette) -> list[tuple[str, int]]:
    """Return (colour, how often it was taken before) of each line, so that no two lines look alike.

    A line with a role has its role's hue; the others take, in turn, the colours that no role in the chart has.
    """
    roles: Mapping[str, str] = {
        "truth": palette.text,
        "input": palette.input,
        "weight": palette.weight,
        "activation": palette.activation,
        "attribution": palette.gradient,
        "highlight": palette.highlight,
    }
    taken = {roles[line.role] for line in lines if line.role in roles}
    free = [colour for colour in palette.lines if colour not in taken]
    turns: Counter[str] = Counter()
    found = []
    for line in lines:
        turn = turns[line.role]
        turns[line.role] += 1
        named = roles.get(line.role)
        found.append((named, turn) if named is not None else (free[turn % len(free)], turn // len(free)))
    return found


def outcome_lines(chart: Lines, palette: Palette, height: int = 300) -> go.Figure:
    """Draw curves of an outcome, or bars side by side where it names their positions."""
    figure = base(palette, height=height, right=12, bottom=40)
    texts = iter(bar_texts([value for line in chart.lines for value in line.y]))
    for line, (colour, around) in zip(chart.lines, _hues(chart.lines, palette), strict=True):
        if chart.bars:
            _bars(figure, chart, line, colour, list(itertools.islice(texts, len(line.y))))
            continue
        figure.add_scatter(
            x=list(line.x),
            y=list(line.y),
            name=line.name,
            mode="lines+markers" if line.points or len(line.x) == 1 else "lines",
            line={"color": colour, "width": 1.8 if line.dashed else 2.4, "dash": _dash(line, around)},
            marker={"size": 6, "symbol": SYMBOLS[around % len(SYMBOLS)]},
            hovertemplate="%{x:.4g}: %{y:.4g}<extra>" + line.name + "</extra>",
        )
    if chart.bars:
        axis, below = _bar_axis(chart.bars)
        height += below  # or long names leave the bars no room
        figure.update_layout(barmode="group", bargap=0.28, bargroupgap=0.08, height=height)
        figure.update_xaxes(showgrid=False, tickvals=list(chart.bars), **axis)
    figure.update_xaxes(title={"text": chart.x_title, "standoff": 8}, zeroline=False)
    figure.update_yaxes(title={"text": chart.y_title, "standoff": 8}, zeroline=bool(chart.bars))
    if chart.logarithmic_x:
        figure.update_xaxes(type="log", **_few_ticks(chart))
    elif chart.x_title == "epoch":
        figure.update_xaxes(**_whole_ticks(max((x for line in chart.lines for x in line.x), default=1.0)))
    if chart.logarithmic_y:
        figure.update_yaxes(type="log")
    if len(chart.lines) > 1:
        _legend_above(figure, len(chart.lines), height)
    return figure


def _bar_axis(names: Sequence[str]) -> tuple[dict[str, Any], int]:
    """Return how names stand below their bars, and the pixels that they need more than short ones.

    They stand in lines that have room on a phone, or slanted where a word is too long for that.
    """
    letters = max(LETTERS_BELOW // len(names), 1)
    if max(len(word) for name in names for word in name.split() or [""]) > letters:
        return {"tickangle": -35, "ticktext": list(names)}, round(ROOM_OF_A_LETTER * max(map(len, names)))
    lines = [textwrap.wrap(name, letters) for name in names]
    further = max(map(len, lines)) - 1
    return {"tickangle": 0, "ticktext": ["<br>".join(each) for each in lines]}, ROOM_OF_A_LINE * further


def _dash(line: Line, around: int) -> str:
    return "dash" if line.dashed else DASHES[around % len(DASHES)]


def _few_ticks(chart: Lines) -> dict[str, Any]:
    """Return ticks at the measured positions where there are few: 2, 5, 10 say more than powers of ten."""
    there = sorted({x for line in chart.lines for x in line.x if x > 0})
    if not 1 <= len(there) <= MOST_TICKS:
        return {}
    return {"tickvals": there, "ticktext": [f"{x:g}" for x in there]}


def bar_texts(values: Sequence[float | None]) -> list[str]:
    """Return the values of bars as they are printed: three digits of the largest, and all with as many decimals.

    Args:
        values: of all the bars of a chart; None where there is none.
    """
    there = [abs(value) for value in values if value]
    if not there or max(there) >= 1000 * min(there) or not all(map(math.isfinite, there)):
        return ["" if value is None else value_text(round(value, 4)) for value in values]
    decimals = max(0, 3 - math.ceil(math.log10(max(there))))
    return ["" if value is None else f"{value:.{decimals}f}".replace("-", "−") for value in values]


def _bars(figure: go.Figure, chart: Lines, line: Line, colour: str, texts: list[str]) -> None:
    few = len(chart.lines) * len(chart.bars) <= 16
    figure.add_bar(
        x=list(chart.bars)[: len(line.y)],
        y=list(line.y),
        name=line.name,
        marker={"color": colour, "opacity": 0.55 if line.dashed else 1.0},
        text=texts if few else None,
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.4g}<extra>" + line.name + "</extra>",
    )


def outcome_lines_words(chart: Lines) -> str:
    """Say the ends of the curves, or the bars, of a chart of an outcome."""
    said = []
    for line in chart.lines:
        values = [value for value in line.y if value is not None]
        if chart.bars:
            pairs = zip(chart.bars, line.y, strict=False)
            said.append(f"{line.name}: " + ", ".join(f"{name} {value_text(v)}" for name, v in pairs if v is not None))
        elif values:
            said.append(f"{line.name} from {value_text(values[0])} to {value_text(values[-1])}")
    return f"{chart.title}: " + ("; ".join(said) or "nothing")


def guess_bars(
    names: Sequence[str], probabilities: Sequence[float], truth: int | None, palette: Palette, most: int = 3
) -> go.Figure:
    """Draw what a classifier says of one picture, the most probable first; the true class in green.

    Args:
        names: of the classes.
        probabilities: (classes,).
        truth: the true class, or None.
        palette: colours of the theme.
        most: how many bars.
    """
    order = sorted(range(len(probabilities)), key=lambda i: -probabilities[i])[:most]
    figure = base(palette, height=19 * len(order) + 6, bottom=2, top=2, right=36)
    figure.add_bar(
        x=[probabilities[i] for i in order],
        y=list(range(len(order))),
        orientation="h",
        marker={"color": [palette.activation if i == truth else palette.weight for i in order]},
        text=[f" {share_text(probabilities[i])}" for i in order],
        textposition="outside",
        cliponaxis=False,
        hovertext=[f"{names[i]}: {probabilities[i]:.4f}" for i in order],
        hoverinfo="text",
        width=0.7,
    )
    figure.update_xaxes(range=[0, 1], visible=False)
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=[names[i] for i in order], autorange="reversed", showgrid=False,
        zeroline=False, tickfont={"size": 11},
    )  # fmt: skip
    return figure
