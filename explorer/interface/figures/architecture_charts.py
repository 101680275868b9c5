"""Charts of what networks are made of: accuracy against cost, thirty years of ILSVRC, where weights and work are.

Each comes with the sentence that tells the same to who cannot see it (`…_words`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from explorer.architectures.cards import Winner
from explorer.architectures.results import Card, Cost, NetworkTable, Totals
from explorer.interface.figures.charts import base
from explorer.interface.numbers import count_text, shape_text, share_text
from explorer.interface.theme import Palette

Measure = Literal["parameters", "multiply_adds", "activations"]
Price = Literal["parameters", "multiply_adds"]

MEASURES: dict[str, str] = {"parameters": "weights", "multiply_adds": "multiply-adds", "activations": "values kept"}
NAME_APART = 1.9
TITLES: dict[str, str] = {"parameters": "Weights", "multiply_adds": "Multiply-adds", "activations": "Activations"}


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return which of (price, merit) no other beats: none is as cheap and better, or as good and cheaper.

    Returns:
        Positions in the order of their price. Of equal points all are kept.
    """
    order = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1]))
    front: list[int] = []
    for at in order:
        price, merit = points[at]
        if not front or merit > points[front[-1]][1] or points[front[-1]] == (price, merit):
            front.append(at)
    return front


def _apart(front: Sequence[int], prices: Sequence[float]) -> list[int]:
    """Return those of the front whose names do not lie over each other: a factor of `NAME_APART` between them."""
    kept: list[int] = []
    for at in front:
        if not kept or prices[at] >= NAME_APART * prices[kept[-1]]:
            kept.append(at)
    return kept


def accuracy_against_cost(
    cards: Sequence[Card], totals: Sequence[Totals], price: Price, palette: Palette, *, marked: Sequence[str] = ()
) -> go.Figure:
    """Draw top-1 accuracy against what it costs, one disc for each network with a published accuracy.

    Args:
        cards: Of the networks; those without top-1 are left out.
        totals: Of the same networks, in the same order.
        price: What stands on the axis, logarithmic; the area of a disc is the other one.
        palette: Colours of the theme.
        marked: Names drawn strong.
    """
    shown = [(card, total) for card, total in zip(cards, totals, strict=True) if card.top1 is not None]
    other: Price = "parameters" if price == "multiply_adds" else "multiply_adds"
    figure = base(palette, height=430, bottom=44, right=18, top=14)
    front = pareto([(getattr(total, price), float(card.top1 or 0)) for card, total in shown])
    figure.add_scatter(
        x=[getattr(shown[at][1], price) for at in front],
        y=[shown[at][0].top1 for at in front],
        mode="lines",
        line={"color": palette.highlight, "width": 2, "dash": "dot", "shape": "hv"},
        name="nothing is both cheaper and better",
        hoverinfo="skip",
    )
    largest = max((getattr(total, other) for _, total in shown), default=1)
    best = {shown[at][0].name for at in front}
    named = {shown[at][0].name for at in _apart(front, [getattr(total, price) for _, total in shown])} | set(marked)
    figure.add_scatter(
        x=[getattr(total, price) for _, total in shown],
        y=[card.top1 for card, _ in shown],
        mode="markers+text",
        marker={
            "size": [8 + 46 * (getattr(total, other) / largest) ** 0.5 for _, total in shown],
            "sizemode": "diameter",
            "color": [palette.highlight if card.name in marked else palette.weight for card, _ in shown],
            "opacity": 0.62,
            "line": {
                "color": [
                    palette.text if card.name in best or card.name in marked else palette.background
                    for card, _ in shown
                ],
                "width": 1.2,
            },
        },
        text=[card.title if card.name in named else "" for card, _ in shown],
        textposition="top center",
        textfont={"size": 11, "color": palette.text},
        cliponaxis=False,
        customdata=[
            [card.title, card.year, count_text(total.parameters), count_text(total.multiply_adds), card.name]
            for card, total in shown
        ],
        hovertemplate="<b>%{customdata[0]}</b> (%{customdata[1]})<br>top-1 %{y:.1f} %<br>%{customdata[2]} weights<br>"
        "%{customdata[3]} multiply-adds<extra></extra>",
        name=f"a network; its area: {MEASURES[other]}",
    )
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"}
    )
    figure.update_xaxes(
        type="log", title={"text": f"{MEASURES[price]} for one picture" if price == "multiply_adds" else "weights"}
    )
    figure.update_yaxes(title={"text": "top-1 accuracy on ImageNet, %", "standoff": 6})
    return figure


def accuracy_words(cards: Sequence[Card], totals: Sequence[Totals], price: Price) -> str:
    """Say which networks nothing beats, from the cheapest on."""
    shown = [(card, total) for card, total in zip(cards, totals, strict=True) if card.top1 is not None]
    front = pareto([(getattr(total, price), float(card.top1 or 0)) for card, total in shown])
    listed = ", ".join(
        f"{shown[at][0].title} {shown[at][0].top1:.1f} % at {count_text(getattr(shown[at][1], price))}" for at in front
    )
    return f"Top-1 accuracy against {MEASURES[price]}: nothing is both cheaper and better than {listed}"


def ilsvrc(years: Sequence[Winner], human: float, palette: Palette) -> go.Figure:
    """Draw the top-5 error of ILSVRC's winners by year as bars, their depth as numbers, and the human line.

    Args:
        years: In the order of time; two of one year stand side by side.
        human: Top-5 error of a trained person, percent.
        palette: Colours of the theme.
    """
    figure = base(palette, height=360, bottom=64, top=26)
    places = list(range(len(years)))
    figure.add_bar(
        x=places,
        y=[won.error for won in years],
        marker={"color": [palette.muted if won.depth is None and won.year < 2012 else palette.weight for won in years]},
        text=[f"{won.error:.1f}" for won in years],
        textposition="outside",
        cliponaxis=False,
        width=0.66,
        customdata=[[won.name, won.year, f"{won.depth} layers" if won.depth else "no depth given"] for won in years],
        hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]}<br>top-5 error %{y:.1f} %<br>%{customdata[2]}"
        "<extra></extra>",
    )
    figure.add_hline(
        human,
        line={"color": palette.activation, "dash": "dash", "width": 1.5},
        annotation={"text": f"a trained person, {human:g} %", "font": {"color": palette.activation}},
        annotation_position="top right",
    )
    for place, won in zip(places, years, strict=True):
        if won.depth:
            figure.add_annotation(
                x=place, y=won.error / 2, text=f"{won.depth}<br>layers", showarrow=False,
                font={"color": palette.background, "size": 11},
            ) if won.error > 6 else figure.add_annotation(
                x=place, y=won.error, yshift=26, text=f"{won.depth} layers", showarrow=False, font={"size": 11}
            )  # fmt: skip
    figure.update_xaxes(
        tickvals=places, ticktext=[f"{won.name}<br>{won.year}" for won in years], showgrid=False, zeroline=False
    )
    figure.update_yaxes(title={"text": "top-5 error, %", "standoff": 6}, range=[0, 32])
    return figure


def ilsvrc_words(years: Sequence[Winner], human: float) -> str:
    """Say every year's error and depth."""
    listed = ", ".join(
        f"{won.year} {won.name} {won.error:g} %" + (f" with {won.depth} layers" if won.depth else "") for won in years
    )
    return f"Top-5 error of ILSVRC's winners: {listed}; a trained person {human:g} %"


def _hue(kind: str, palette: Palette) -> str:
    if kind in ("Dense", "MultiHeadAttention"):
        return palette.input
    if "Conv" in kind:
        return palette.weight
    return palette.muted


def weighty(table: NetworkTable) -> list[str]:
    """Return the paths of all layers that hold weights or multiply, in order."""
    return [path for path, cost in table.costs.items() if cost.parameters or cost.multiply_adds]


def layer_bars(table: NetworkTable, measure: Measure, palette: Palette, *, selected: str | None = None) -> go.Figure:
    """Draw one measure for each layer in the order of calls; convolutions, dense layers and others are told apart.

    Args:
        table: The network.
        measure: What the bars are.
        palette: Colours of the theme.
        selected: Path of the layer drawn strong.
    """
    paths = list(table.costs) if measure == "activations" else weighty(table)
    whole = max(1, getattr(table, measure))
    figure = base(palette, height=230, bottom=34, top=10)
    layers = table.structure.layers
    groups = {
        "convolutions": [path for path in paths if "Conv" in layers[path].kind],
        "dense": [path for path in paths if layers[path].kind == "Dense"],
    }
    told = {path for group in groups.values() for path in group}
    groups["all others"] = [path for path in paths if path not in told]
    place = {path: number for number, path in enumerate(paths, 1)}
    for name, group in groups.items():
        if not group:
            continue
        values = [getattr(table.costs[path], measure) for path in group]
        figure.add_bar(
            name=name,
            x=[place[path] for path in group],
            y=values,
            width=0.9 if len(paths) < 120 else 1.0,
            marker={
                "color": [
                    palette.highlight if path == selected else _hue(layers[path].kind, palette) for path in group
                ],
                "line": {"width": 0},
            },
            customdata=[
                [path, layers[path].kind, shape_text(layers[path].output_shape), count_text(value),
                 share_text(value / whole)]
                for path, value in zip(group, values, strict=True)
            ],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} to %{customdata[2]}<br>%{customdata[3]} "
            + MEASURES[measure]
            + ", %{customdata[4]}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        barmode="overlay", showlegend=True, legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.14}
    )
    figure.update_xaxes(title={"text": "layers from the input", "standoff": 4}, showgrid=False, nticks=8)
    figure.update_yaxes(title={"text": MEASURES[measure], "standoff": 6}, nticks=4)
    return figure


def layer_bars_words(table: NetworkTable, measure: Measure) -> str:
    """Say which layers hold most of a measure."""
    whole = max(1, getattr(table, measure))
    values = {path: getattr(cost, measure) for path, cost in table.costs.items()}
    largest = sorted(values, key=lambda path: -values[path])[:3]
    listed = ", ".join(f"{path} {count_text(values[path])} ({share_text(values[path] / whole)})" for path in largest)
    return f"{TITLES[measure]} layer by layer, the largest: {listed}"


@dataclass(frozen=True)
class Share:
    """A part of a network and what of it lies there.

    Attributes:
        title: Of the part.
        parameters: Share of the weights, 0 to 1.
        multiply_adds: Share of the work.
        activations: Share of the values kept.
        total: The three as numbers.
    """

    title: str
    parameters: float
    multiply_adds: float
    activations: float
    total: Cost


def shares(table: NetworkTable, parts: Sequence[tuple[str, Sequence[str]]]) -> list[Share]:
    """Return what of a network lies in each of its parts.

    Args:
        table: The network.
        parts: Title and paths of each part; parts without layers are left out.
    """
    found = []
    for title, paths in parts:
        costs = [table.costs[path] for path in paths if path in table.costs]
        if not costs:
            continue
        total = Cost(
            sum(cost.parameters for cost in costs),
            sum(cost.trainable for cost in costs),
            sum(cost.multiply_adds for cost in costs),
            sum(cost.activations for cost in costs),
        )
        found.append(
            Share(
                title,
                total.parameters / max(1, table.parameters),
                total.multiply_adds / max(1, table.multiply_adds),
                total.activations / max(1, table.activations),
                total,
            )
        )
    return found


def weights_and_work(parts: Sequence[Share], palette: Palette) -> go.Figure:
    """Draw each part's share of the weights (to the left) and of the work (to the right), from the input down."""
    figure = base(palette, height=70 + 30 * len(parts), bottom=30, top=26, left=8, right=30)
    rows = list(range(len(parts)))
    for name, sign, values, numbers, colour in (
        ("weights", -1, [part.parameters for part in parts], [part.total.parameters for part in parts], palette.weight),
        ("work (multiply-adds)", 1, [part.multiply_adds for part in parts],
         [part.total.multiply_adds for part in parts], palette.activation),
    ):  # fmt: skip
        figure.add_bar(
            name=name,
            x=[sign * 100 * value for value in values],
            y=rows,
            orientation="h",
            marker={"color": colour, "line": {"width": 0}},
            text=[f" {share_text(value)} " for value in values],
            textposition="outside",
            cliponaxis=False,
            width=0.7,
            customdata=[[part.title, count_text(number)] for part, number in zip(parts, numbers, strict=True)],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} " + name + "<extra></extra>",
        )
    most = 100 * max((max(part.parameters, part.multiply_adds) for part in parts), default=1) * 1.22
    figure.update_layout(
        barmode="relative",
        showlegend=True,
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": 1.0, "yanchor": "bottom"},
    )
    ticks = [tick for tick in (-100, -75, -50, -25, 0, 25, 50, 75, 100) if abs(tick) <= most]
    figure.update_xaxes(
        range=[-most, most],
        tickvals=ticks,
        ticktext=[f"{abs(tick)} %" for tick in ticks],
        zeroline=True,
        zerolinewidth=1.5,
    )
    figure.update_yaxes(
        tickvals=rows, ticktext=[part.title for part in parts], autorange="reversed", showgrid=False, zeroline=False
    )
    return figure


def weights_and_work_words(parts: Sequence[Share]) -> str:
    """Say where most of the weights and most of the work are."""
    if not parts:
        return "No part of this network has weights."
    heavy, busy = max(parts, key=lambda part: part.parameters), max(parts, key=lambda part: part.multiply_adds)
    return (
        f"Most weights lie in {heavy.title} ({share_text(heavy.parameters)}), most work in {busy.title} "
        f"({share_text(busy.multiply_adds)})"
    )


def field_along_depth(tables: Sequence[NetworkTable], palette: Palette) -> go.Figure:
    """Draw the receptive field's side against depth (layers with windows), one line for each network.

    Args:
        tables: One to four networks.
        palette: Colours of the theme.
    """
    figure = base(palette, height=260, bottom=36, top=26)
    for number, table in enumerate(tables):
        rows = field_steps(table)
        side = max(table.input_shape[:2]) if len(table.input_shape) == 3 else 0
        colour = palette.lines[number % len(palette.lines)]
        figure.add_scatter(
            name=table.name,
            x=list(range(1, len(rows) + 1)),
            y=[height for _, height, _ in rows],
            mode="lines+markers" if len(rows) < 60 else "lines",
            line={"color": colour, "width": 1.8, "shape": "hv" if len(rows) < 60 else "linear"},
            marker={"size": 5},
            customdata=[[path, height, stride] for path, height, stride in rows],
            hovertemplate="<b>%{customdata[0]}</b><br>a cell sees %{customdata[1]} pixels a side<br>"
            "the next one lies %{customdata[2]} pixels on<extra></extra>",
        )
        if side:
            figure.add_hline(
                side,
                line={"color": colour, "dash": "dot", "width": 1},
                annotation={"text": f"the picture, {side}", "font": {"size": 11, "color": palette.muted}},
                annotation_position="bottom right",
            )
    figure.update_layout(showlegend=len(tables) > 1, legend={"orientation": "h", "x": 0, "y": 1.2})
    figure.update_xaxes(title={"text": "layers with windows, from the input", "standoff": 4})
    figure.update_yaxes(title={"text": "receptive field, pixels a side", "standoff": 6}, rangemode="tozero")
    return figure


def field_steps(table: NetworkTable) -> list[tuple[str, int, int]]:
    """Return (path, side of the receptive field, stride) of each layer that reads more than one cell, in order."""
    steps = []
    for path, cost in table.costs.items():
        kind = table.structure.layers[path].kind
        if cost.field is not None and cost.stride is not None and ("Conv" in kind or "Pooling" in kind):
            steps.append((path, cost.field[0], cost.stride[0]))
    return steps


def field_words(tables: Sequence[NetworkTable]) -> str:
    """Say how far the last cells of each network see."""
    said = []
    for table in tables:
        steps = field_steps(table)
        if steps:
            said.append(f"{table.name}: {steps[-1][1]} pixels a side after {len(steps)} layers with windows")
    return "Receptive field along depth. " + "; ".join(said)
