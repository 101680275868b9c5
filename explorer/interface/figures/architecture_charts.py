"""Charts of what networks are made of: accuracy against cost, thirty years of ILSVRC, where weights and work are.

Each comes with the sentence that tells the same to who cannot see it (`…_words`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log10
from textwrap import wrap
from typing import Any, Literal

from explorer.architectures.cards import Winner
from explorer.architectures.results import Card, Cost, NetworkTable, Totals
from explorer.interface.figures.name_places import Box, Disc, place_names
from explorer.interface.figures.plain_figure import PlainFigure, plain_base, title_above
from explorer.interface.numbers import count_text, shape_text, share_text
from explorer.interface.theme import Palette
from explorer.networks.structure import LayerInfo

Measure = Literal["parameters", "multiply_adds", "activations"]
Price = Literal["parameters", "multiply_adds"]

MEASURES: dict[str, str] = {
    "parameters": "parameters", "multiply_adds": "multiply-adds", "activations": "values in outputs",
}  # fmt: skip
NARROW_NAME_SIZE, WIDE_NAME_SIZE = 11.1, 10.9
"""Letters of the names in pixels: those for a phone and those for wider screens, which a page tells apart by this."""

_NARROW, _WIDE = (300, 235), (600, 290)
"""The smallest plots, width and height in pixels, that a phone and a wider screen give the chart of accuracies."""


TITLES: dict[str, str] = {"parameters": "Parameters", "multiply_adds": "Multiply-adds", "activations": "Activations"}


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


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them: "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def any_accuracy(cards: Sequence[Card]) -> bool:
    """Return whether the chart of accuracies has anything to show."""
    return any(card.top1 is not None and not card.twin for card in cards)


def _with_accuracy(cards: Sequence[Card], totals: Sequence[Totals]) -> list[tuple[Card, Totals]]:
    """Return the networks with a published accuracy, each of them once however often it was written."""
    pairs = zip(cards, totals, strict=True)
    return [(card, total) for card, total in pairs if card.top1 is not None and not card.twin]


def accuracy_against_cost(
    cards: Sequence[Card], totals: Sequence[Totals], price: Price, palette: Palette, *, marked: Sequence[str] = ()
) -> PlainFigure:
    """Draw top-1 accuracy against what it costs, one disc for each network with a published accuracy.

    Weights that were first trained on more than ImageNet's 1,000 classes are diamonds and stay out of the front: what
    they owe to the network and what to the pictures cannot be told.

    Args:
        cards: Of the networks; those without top-1, and networks written a second time, are left out.
        totals: Of the same networks, in the same order.
        price: What stands on the axis, logarithmic; the area of a disc is the other one.
        palette: Colours of the theme.
        marked: Names drawn strong.
    """
    shown = _with_accuracy(cards, totals)
    alike = [(card, total) for card, total in shown if not card.more_data]
    other: Price = "parameters" if price == "multiply_adds" else "multiply_adds"
    figure = plain_base(palette, height=430, bottom=44, right=18, top=14)
    front = [alike[at] for at in pareto([(getattr(total, price), float(card.top1 or 0)) for card, total in alike])]
    figure.add(
        "scatter",
        x=[getattr(total, price) for _, total in front],
        y=[card.top1 for card, _ in front],
        mode="lines",
        line={"color": palette.highlight, "width": 2, "dash": "dot", "shape": "hv"},
        name="nothing is both cheaper and better",
        hoverinfo="skip",
    )
    largest = max((getattr(total, other) for _, total in shown), default=1)

    def across(total: Totals) -> float:
        return round(8 + 46 * (getattr(total, other) / largest) ** 0.5, 1)

    best = {card.name for card, _ in front}
    for symbol, name, group in (
        ("circle", f"a network; its area: {MEASURES[other]}", alike),
        ("diamond-open", "trained on more than ImageNet's 1,000 classes", [one for one in shown if one[0].more_data]),
    ):
        figure.add(
            "scatter",
            x=[getattr(total, price) for _, total in group],
            y=[card.top1 for card, _ in group],
            mode="markers",
            marker={
                "symbol": symbol,
                "size": [across(total) for _, total in group],
                "color": [palette.highlight if card.name in marked else palette.weight for card, _ in group],
                "opacity": 0.62,
                "line": {
                    "color": [
                        palette.text if card.name in best or card.name in marked else palette.background
                        for card, _ in group
                    ],
                    "width": 1.2,
                },
            },
            cliponaxis=False,
            customdata=[
                [card.title, card.year, count_text(total.parameters), count_text(total.multiply_adds), card.name,
                 card.accuracy_source]
                for card, total in group
            ],
            hovertemplate="<b>%{customdata[0]}</b> (%{customdata[1]})<br>top-1 %{y:.1f} %<br>"
            "%{customdata[2]} parameters<br>%{customdata[3]} multiply-adds<br>%{customdata[5]}<extra></extra>",
            name=name,
            showlegend=bool(group),
        )  # fmt: skip
    x_range, y_range = _ranges([(getattr(total, price), float(card.top1 or 0)) for card, total in shown])
    # What is marked, then the two ends of the front, then the rest of it.
    order = [one for one in shown if one[0].name in marked] + front[-1:] + front[:1] + front[1:-1]
    order = list({card.name: (card, total) for card, total in order}.values())
    for size, (width, height) in ((NARROW_NAME_SIZE, _NARROW), (WIDE_NAME_SIZE, _WIDE)):

        def disc(card: Card, total: Totals, width: int = width, height: int = height) -> Disc:
            return Disc(
                width * (log10(max(1, getattr(total, price))) - x_range[0]) / (x_range[1] - x_range[0]),
                height * (y_range[1] - float(card.top1 or 0)) / (y_range[1] - y_range[0]),
                # A diamond reaches farther than a disc of its size.
                across(total) / 2 * (1.3 if card.more_data else 1),
            )

        corners = [disc(card, total) for card, total in front]
        places = place_names(
            [(shown.index(one), one[0].title) for one in order],
            [disc(card, total) for card, total in shown],
            [box for before, after in pairwise(corners) for box in _step(before, after)],
            width, height, size,
        )  # fmt: skip
        named = [(shown.index(one), one) for one in order]
        named = [(at, one) for at, one in named if at in places or one[0].name in marked]
        figure.add(
            "scatter",
            x=[getattr(total, price) for _, (_, total) in named],
            y=[card.top1 for _, (card, _) in named],
            mode="markers+text",
            # Unseen, and as large as the disc: the name keeps off it.
            marker={"size": [across(total) for _, (_, total) in named], "opacity": 0},
            text=[card.title for _, (card, _) in named],
            textposition=[places.get(at, "top center") for at, _ in named],
            textfont={"size": size, "color": palette.text},
            cliponaxis=False,
            hoverinfo="skip",
            showlegend=False,
        )
    figure.lay_out(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.09, "yanchor": "bottom", "itemsizing": "constant"},
        xaxis={
            "type": "log",
            "title": {"text": f"{MEASURES[price]} for one picture" if price == "multiply_adds" else "parameters"},
            "exponentformat": "SI",
            "range": x_range,
        },
        yaxis={"range": y_range},
    )
    title_above(figure, "top-1 accuracy on ImageNet, %", palette)
    return figure


def _ranges(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return the ends of both axes, that of the prices as powers of ten: with room for the discs at the border."""
    prices, merits = [log10(max(1, price)) for price, _ in points], [merit for _, merit in points]
    if not points:
        return [0.0, 1.0], [0.0, 100.0]
    return [round(min(prices) - 0.2, 3), round(max(prices) + 0.35, 3)], [round(min(merits) - 5), round(max(merits) + 6)]


def _step(before: Disc, after: Disc) -> list[Box]:
    """Return the two pieces of the front between two of its networks, as thin rectangles."""
    return [
        Box(before.x, before.y - 1, after.x, before.y + 1),
        Box(after.x - 1, min(before.y, after.y), after.x + 1, max(before.y, after.y)),
    ]


def accuracy_words(cards: Sequence[Card], totals: Sequence[Totals], price: Price) -> str:
    """Say which networks nothing beats, from the cheapest on."""
    shown = _with_accuracy(cards, totals)
    if not shown:
        return "None of these has a published ImageNet accuracy"
    alike = [(card, total) for card, total in shown if not card.more_data]
    said = []
    if alike:
        front = pareto([(getattr(total, price), float(card.top1 or 0)) for card, total in alike])
        best = listed(
            [f"{alike[at][0].title} {alike[at][0].top1:.1f} % at {count_text(getattr(alike[at][1], price))}"
             for at in front]
        )  # fmt: skip
        said.append(f"Top-1 accuracy against {MEASURES[price]}: nothing is both cheaper and better than {best}")
    if len(alike) < len(shown):
        more = listed([card.title for card, _ in shown if card.more_data])
        said.append(f"Trained on more than ImageNet's 1,000 classes first, and so not compared: {more}")
    return ". ".join(said)


def ilsvrc(years: Sequence[Winner], human: float, palette: Palette) -> PlainFigure:
    """Draw the top-5 error of ILSVRC's best entries by year as bars, their depth below, and the human line.

    Args:
        years: In the order of time; two of one year stand side by side.
        human: Top-5 error of a trained person, percent.
        palette: Colours of the theme.
    """
    figure = plain_base(palette, height=360, bottom=64, top=30)
    places = list(range(len(years)))
    figure.add(
        "bar",
        x=places,
        y=[won.error for won in years],
        marker={"color": [palette.muted if won.depth is None and won.year < 2012 else palette.weight for won in years]},
        width=0.66,
        showlegend=False,
        customdata=[
            [won.name, won.year, f"{won.depth} layers" if won.depth else "no depth given",
             "<br>".join(wrap(won.note, 60))]
            for won in years
        ],
        hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]}<br>top-5 error %{y:.1f} %<br>%{customdata[2]}<br>"
        "%{customdata[3]}<extra></extra>",
    )  # fmt: skip
    figure.add(
        "scatter",
        x=places,
        # A number over a bar that ends below the line would lie on it, or touch it from above.
        y=[won.error if won.error > human + 1 else max(won.error, human + 0.8) for won in years],
        mode="text",
        text=[f"{won.error:.1f}" for won in years],
        textposition="top center",
        textfont={"size": 12, "color": palette.text},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    # Said in the legend: beside the line there is no place that no bar and no number takes.
    figure.add(
        "scatter",
        x=[-0.5, len(years) - 0.5],
        y=[human, human],
        mode="lines",
        line={"color": palette.activation, "dash": "dash", "width": 1.5},
        name=f"a trained person, {human:g} %",
        hoverinfo="skip",
    )
    figure.lay_out(
        showlegend=True,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.01, "yanchor": "bottom"},
        xaxis={
            "tickvals": places,
            "ticktext": [
                f"{won.name}<br>{won.year}" + (f" · {won.depth} layers" if won.depth else "") for won in years
            ],
            "showgrid": False,
            "zeroline": False,
            "range": [-0.5, len(years) - 0.5],
        },
        yaxis={"range": [0, 32]},
    )
    title_above(figure, "top-5 error, %", palette)
    return figure


def ilsvrc_words(years: Sequence[Winner], human: float) -> str:
    """Say every year's error and depth."""
    told = ", ".join(
        f"{won.year} {won.name} {won.error:g} %" + (f" with {won.depth} layers" if won.depth else "") for won in years
    )
    return f"Top-5 error of ILSVRC's best entries: {told}; a trained person {human:g} %"


ILSVRC_ENTRIES = (
    "Errors are those of whole entries on the test set. Since 2012 these were averages of several networks, over many "
    "crops of each picture: one network with one crop errs more often, and a depth is that of the deepest of them"
)
"""What must be said beside the contest's numbers."""


def _hue(kind: str, palette: Palette) -> str:
    if kind in ("Dense", "MultiHeadAttention"):
        return palette.input
    if "Conv" in kind:
        return palette.weight
    return palette.muted


def weighty(table: NetworkTable) -> list[str]:
    """Return the paths of all layers that hold weights or multiply, in order."""
    return [path for path, cost in table.costs.items() if cost.parameters or cost.multiply_adds]


def layer_bars(table: NetworkTable, measure: Measure, palette: Palette) -> PlainFigure:
    """Draw one measure for each layer in the order of calls; convolutions, dense layers and others are told apart.

    Args:
        table: The network.
        measure: What the bars are.
        palette: Colours of the theme.
    """
    paths = _in_bars(table, measure)
    figure = plain_base(palette, height=250, bottom=34, top=10)
    layers = table.structure.layers
    groups = {
        "convolutions": [path for path in paths if "Conv" in layers[path].kind],
        "dense": [path for path in paths if layers[path].kind == "Dense"],
    }
    told = {path for group in groups.values() for path in group}
    groups["all others"] = [path for path in paths if path not in told]
    place = {path: number for number, path in enumerate(paths, 1)}
    for name, group in groups.items():
        if group:
            hues = [_hue(layers[path].kind, palette) for path in group]
            colour = hues if len(set(hues)) > 1 else hues[0]
            figure.add("bar", name=name, **_bars(table, measure, group, place, colour, len(paths)))
    figure.lay_out(
        barmode="overlay",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.16, "yanchor": "bottom"},
        xaxis={"title": {"text": "layers from the input", "standoff": 4}, "showgrid": False, "nticks": 8},
        yaxis={"nticks": 4, "exponentformat": "SI"},
    )
    title_above(figure, MEASURES[measure], palette)
    return figure


def with_layer(figure: PlainFigure, table: NetworkTable, measure: Measure, path: str, palette: Palette) -> PlainFigure:
    """Return a chart of `layer_bars` with the bar of one layer drawn strong; as it is where the layer has no bar."""
    paths = _in_bars(table, measure)
    if path not in paths:
        return figure
    place = {path: paths.index(path) + 1}
    bars = _bars(table, measure, [path], place, palette.highlight, len(paths))
    return figure.with_trace("bar", showlegend=False, **bars)


def _in_bars(table: NetworkTable, measure: Measure) -> list[str]:
    return list(table.costs) if measure == "activations" else weighty(table)


def _bars(
    table: NetworkTable,
    measure: Measure,
    paths: Sequence[str],
    place: Mapping[str, int],
    colour: str | Sequence[str],
    many: int,
) -> dict[str, Any]:
    """Return the bars of some layers among so many."""
    layers = table.structure.layers
    whole = max(1, getattr(table, measure))
    values = [getattr(table.costs[path], measure) for path in paths]
    return {
        "x": [place[path] for path in paths],
        "y": values,
        "width": 0.9 if many < 120 else 1.0,
        "marker": {"color": colour, "line": {"width": 0}},
        # Nothing wraps here, so plain spaces do, which are a sixth as long in JSON as those that keep together.
        "customdata": [
            [path, f"{layers[path].kind} to {_plain(shape_text(layers[path].output_shape))}",
             f"{count_text(value)} ({_plain(share_text(value / whole))})"]
            for path, value in zip(paths, values, strict=True)
        ],
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<br>"
        + MEASURES[measure]
        + ": %{customdata[2]}<extra></extra>",
    }  # fmt: skip


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def layer_bars_words(table: NetworkTable, measure: Measure) -> str:
    """Say which layers hold most of a measure."""
    whole = max(1, getattr(table, measure))
    values = {path: getattr(cost, measure) for path, cost in table.costs.items()}
    ranked = sorted(values, key=lambda path: -values[path])
    told = ", ".join(f"{path} {count_text(values[path])} ({share_text(values[path] / whole)})" for path in ranked[:3])
    level = sum(values[path] == values[ranked[2]] for path in ranked[3:]) if len(ranked) > 3 else 0
    more = f", and {level} more like {ranked[2]}" if level else ""
    return f"{TITLES[measure]} layer by layer, the largest: {told}{more}"


@dataclass(frozen=True)
class Share:
    """A part of a network and what of it lies there.

    Attributes:
        title: Of the part.
        parameters: Share of the weights, 0 to 1.
        multiply_adds: Share of the work.
        activations: Share of the values in all outputs.
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


def largest_share(parts: Sequence[Share]) -> float:
    """Return the largest share of the parameters or the work that any part has."""
    return max((max(part.parameters, part.multiply_adds) for part in parts), default=1.0)


def weights_and_work(parts: Sequence[Share], palette: Palette, *, most: float | None = None) -> PlainFigure:
    """Draw each part's share of the parameters (to the left) and of the work (to the right), from the input down.

    Args:
        parts: From the input on.
        palette: Colours of the theme.
        most: Share that the axis reaches to, for several charts to one scale; by default the largest of these.
    """
    figure = plain_base(palette, height=70 + 30 * len(parts), bottom=30, top=26, left=8, right=30)
    rows = list(range(len(parts)))
    for name, sign, values, numbers, colour in (
        ("parameters", -1, [part.parameters for part in parts],
         [part.total.parameters for part in parts], palette.weight),
        ("multiply-adds", 1, [part.multiply_adds for part in parts],
         [part.total.multiply_adds for part in parts], palette.activation),
    ):  # fmt: skip
        figure.add(
            "bar",
            name=name,
            x=[round(sign * 100 * value, 3) for value in values],
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
    # Beside the longest bar there is room for its number, on a phone too.
    most = 100 * (most or largest_share(parts)) * 1.5
    ticks = [tick for tick in (-100, -50, 0, 50, 100) if abs(tick) <= most]
    figure.lay_out(
        barmode="relative",
        showlegend=True,
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": 1.0, "yanchor": "bottom"},
        xaxis={
            "range": [-most, most],
            "tickvals": ticks,
            "ticktext": [f"{abs(tick)} %" for tick in ticks],
            "zeroline": True,
            "zerolinewidth": 1.5,
        },
        yaxis={
            "tickvals": rows,
            "ticktext": [part.title for part in parts],
            "autorange": "reversed",
            "showgrid": False,
            "zeroline": False,
        },
    )
    return figure


def weights_and_work_words(parts: Sequence[Share]) -> str:
    """Say which part has the most weights and which the most work; all of them where several are level."""
    if not parts:
        return "No part of this network has weights"
    said = []
    for measure, does, do, what in (
        ("parameters", "holds", "hold", "weights"),
        ("multiply_adds", "does", "do", "work"),
    ):
        most = max(getattr(part.total, measure) for part in parts)
        level = [part for part in parts if getattr(part.total, measure) == most]
        if not most:
            continue
        share = share_text(getattr(level[0], measure))
        if len(level) == 1:
            said.append(f"{level[0].title} {does} the most {what} ({share})")
        else:
            said.append(f"{listed([part.title for part in level])} {do} the most {what} ({share} each)")
    heavy, busy = (max(parts, key=lambda part: getattr(part.total, what)) for what in ("parameters", "multiply_adds"))
    if heavy is busy and len(said) == 2 and not any(one.endswith("each)") for one in said):
        said = [f"{said[0]} and {said[1].removeprefix(busy.title).strip()}"]
    return "Of all parts, " + ", ".join(said) if said else "No part of this network has weights"


@dataclass(frozen=True)
class FieldStep:
    """How far a network sees at one depth.

    Attributes:
        depth: Layers with a window of more than one cell on the longest way up to here.
        path: The layer of this depth whose cells see farthest, or of a depth before where none sees farther.
        side: Height of its receptive field in pixels.
        stride: Rows in pixels from one cell to the next; None where that is no whole number.
        gated: Whether a gate brings in the rest of the picture.
    """

    depth: int
    path: str
    side: int
    stride: int | None
    gated: bool


def field_along_depth(
    tables: Sequence[NetworkTable], palette: Palette, titles: Sequence[str] | None = None
) -> PlainFigure:
    """Draw the side of the largest receptive field so far against depth, one line for each network.

    Args:
        tables: One to four networks.
        palette: Colours of the theme.
        titles: What people call them; by default their names.
    """
    several = len(tables) > 1
    # The legend makes room for the title; without one there is none.
    figure = plain_base(palette, height=270, bottom=36, top=10 if several else 30)
    sides: dict[int, str] = {}
    most = 1
    for number, (table, title) in enumerate(zip(tables, titles or [table.name for table in tables], strict=True)):
        steps = field_steps(table)
        side = max(table.input_shape[:2]) if len(table.input_shape) == 3 else 0
        most = max([most, side, *(step.side for step in steps)])
        colour = palette.lines[number % len(palette.lines)]
        figure.add(
            "scatter",
            name=title,
            x=[step.depth for step in steps],
            y=[step.side for step in steps],
            mode="lines+markers" if len(steps) < 60 else "lines",
            line={"color": colour, "width": 1.8, "shape": "hv" if len(steps) < 60 else "linear"},
            marker={"size": 5},
            customdata=[
                [step.path, "" if step.stride is None else f"<br>the next one lies {step.stride} pixels on",
                 "<br>a gate brings in the whole picture" if step.gated else ""]
                for step in steps
            ],
            hovertemplate="<b>%{customdata[0]}</b><br>a cell sees %{y} pixels a side%{customdata[1]}%{customdata[2]}"
            "<extra></extra>",
        )  # fmt: skip
        if side:
            sides.setdefault(side, colour)
    for number, side in enumerate(sorted(sides)):
        # On the left no line has come so high yet. Two sides may lie close together: their words stand in a row.
        figure.line_across(
            side,
            {"color": sides[side] if len(sides) > 1 else palette.muted, "dash": "dot", "width": 1},
            {"text": f"the picture, {side}", "xshift": 4 + 95 * number, "bgcolor": palette.background, "borderpad": 0,
             "font": {"size": 11, "color": palette.muted}},
        )  # fmt: skip
    figure.lay_out(
        showlegend=several,
        legend={"orientation": "h", "x": 0, "y": 1.15, "yanchor": "bottom"},
        xaxis={"title": {"text": "layers that read more than one cell, on the longest way", "standoff": 4}},
        # Above the highest line there is room for its words.
        yaxis={"range": [0, round(1.12 * most)]},
    )
    title_above(figure, "receptive field, pixels a side", palette)
    return figure


def _reads_several(layer: LayerInfo) -> bool:
    """Return whether a layer's window has more than one cell."""
    window = layer.config.get("kernel_size") or layer.config.get("pool_size") or 1
    return max(window) > 1 if isinstance(window, tuple | list) else isinstance(window, int) and window > 1


def field_steps(table: NetworkTable) -> list[FieldStep]:
    """Return how far a network sees at each depth; a branch that sees less than another is not told.

    What joins branches may see farther than each of them, for their fields need not lie on each other: it counts with
    the deepest of them.
    """
    layers = table.structure.layers
    depths: dict[str, int] = {}
    farthest: dict[int, str] = {}
    for path, cost in table.costs.items():
        layer = layers[path]
        depth = max((depths.get(source, 0) for source in layer.inputs), default=0) + _reads_several(layer)
        depths[path] = depth
        if cost.field is None or not depth:
            continue
        known = table.costs[farthest[depth]].field if depth in farthest else None
        if known is None or cost.field[0] > known[0]:
            farthest[depth] = path
    steps: list[FieldStep] = []
    for depth in sorted(farthest):
        cost = table.costs[farthest[depth]]
        assert cost.field is not None
        if steps and cost.field[0] < steps[-1].side:
            steps.append(replace(steps[-1], depth=depth))
        else:
            stride = None if cost.stride is None else cost.stride[0]
            steps.append(FieldStep(depth, farthest[depth], cost.field[0], stride, cost.sees_all))
    return steps


def field_words(tables: Sequence[NetworkTable], titles: Sequence[str] | None = None) -> str:
    """Say how far the last maps of each network see; `titles` are what people call them."""
    said = []
    for table, title in zip(tables, titles or [table.name for table in tables], strict=True):
        steps = field_steps(table)
        if not steps:
            continue
        path = [path for path, cost in table.costs.items() if cost.field is not None][-1]
        cost = table.costs[path]
        side = cost.field[0] if cost.field is not None else 0
        gates = "; its gates look at the whole picture besides" if cost.sees_all else ""
        said.append(
            f"{title}: a cell of its last maps ({path}) sees {side:,} pixels a side, through up to "
            f"{steps[-1].depth} layers that read more than one cell{gates}"
        )
    if not said:
        return "Nothing here has maps, and so no receptive field"
    return "Receptive field along depth. " + ". ".join(said)
