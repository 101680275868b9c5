"""Charts of what judges maps and predictions: curves, agreement, forgetting, logits that move.

Each comes with the sentence that tells the same to who cannot see it (`…_words`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from explorer.explanations.results import ChannelEffects, SanityStep, Scores, SwitchedOff
from explorer.interface.figures.charts import base
from explorer.interface.numbers import value_text
from explorer.interface.theme import DIVERGING_COLOURS, Palette

Title = Callable[[str], str]
Kind = Literal["insertion", "deletion"]

RANDOM = "random"
# The methods that are shown most often have colours of their own; the others share a relative's with another dash.
_LOOKS: Mapping[str, tuple[int, str]] = {
    "grad_cam": (0, "solid"),
    "integrated_gradients": (1, "solid"),
    "saliency": (2, "solid"),
    "occlusion": (3, "solid"),
    "lime": (4, "solid"),
    "rise": (5, "solid"),
    "grad_cam_plus_plus": (0, "dot"),
    "gradient_input": (1, "dot"),
    "smoothgrad": (2, "dot"),
    "score_cam": (3, "dot"),
    "guided_backprop": (4, "dot"),
    "layer_cam": (0, "dashdot"),
    "guided_grad_cam": (2, "dashdot"),
}


def line_of(method: str, palette: Palette) -> dict[str, str | float]:
    """Return colour, dash and width of a method's line, the same in every chart; the random map's is grey, dashed."""
    if method == RANDOM:
        return {"color": palette.muted, "dash": "dash", "width": 2}
    number, dash = _LOOKS.get(method, (len(method) % len(palette.lines), "longdashdot"))
    return {"color": palette.lines[number], "dash": dash, "width": 2.2}


def _keys_below(figure: go.Figure, entries: int, height: int) -> None:
    """Put the legend below the plot, in as many columns as its names leave room for, and make room for two."""
    figure.update_layout(
        showlegend=True,
        height=height + 21 * math.ceil(entries / 2),
        legend={
            "orientation": "h",
            "xref": "container",
            "yref": "container",
            "x": 0.02,
            "y": 0,
            "yanchor": "bottom",
            "font": {"size": 12},
        },
    )


def curves(scores: Scores, kind: Kind, palette: Palette, title: Title) -> go.Figure:
    """Draw the insertion or deletion curves of all maps, the area under each in the legend.

    Args:
        scores: of all maps; the random one is dashed and grey.
        kind: which of the two.
        palette: colours of the theme.
        title: from a row's method to its printed name.
    """
    figure = base(palette, height=250, right=18)
    for row in scores.rows:
        curve = getattr(row, kind)
        name = title(row.method)
        figure.add_scatter(
            name=f"{name}, {curve.area:.2f}",
            x=100 * curve.shares,
            y=curve.scores,
            mode="lines",
            line=line_of(row.method, palette),
            hovertemplate="%{x:.0f} %: %{y:.3f}<extra>" + name + "</extra>",
        )
    _keys_below(figure, len(scores.rows), 250)
    done = "inserted" if kind == "insertion" else "deleted"
    figure.update_xaxes(title={"text": f"pixels {done} in the map's order, %", "standoff": 12}, range=[0, 100])
    drawn = [float(np.nanmax(getattr(row, kind).scores)) for row in scores.rows]
    lowest = [float(np.nanmin(getattr(row, kind).scores)) for row in scores.rows]
    chances = min(lowest, default=0) >= 0 and max(drawn, default=1) <= 1
    figure.update_yaxes(
        title={"text": "probability of the target" if chances else "score of the target", "standoff": 12},
        **({"range": [0, 1.03]} if chances else {"rangemode": "tozero"}),
    )
    return figure


def curves_words(scores: Scores, kind: Kind, title: Title) -> str:
    """Say the areas under the curves, the best map first."""
    rows = sorted(scores.rows, key=lambda row: getattr(row, kind).area, reverse=kind == "insertion")
    areas = ", ".join(f"{title(row.method)} {getattr(row, kind).area:.2f}" for row in rows)
    return f"{kind.capitalize()} curves, area under each, the best first: {areas}"


def agreement(scores: Scores, palette: Palette, title: Title) -> go.Figure:
    """Draw Spearman's rank correlation between all maps as a matrix with its numbers, −1 (blue) to 1 (red)."""
    names = [title(row.method) for row in scores.rows]
    figure = base(palette, height=96 + 34 * len(names), bottom=4, right=64)
    values = np.asarray(scores.agreement, float)
    figure.add_heatmap(
        z=values,
        x=list(range(len(names))),
        y=list(range(len(names))),
        zmin=-1,
        zmax=1,
        colorscale=DIVERGING_COLOURS,
        showscale=False,
        text=[[_correlation(value) if np.isfinite(value) else "" for value in row] for row in values],
        texttemplate="%{text}",
        textfont={"size": 12},
        hovertext=[
            [f"{down} and {across}: {_correlation(value)}" for across, value in zip(names, row, strict=True)]
            for down, row in zip(names, values, strict=True)
        ],
        hoverinfo="text",
        xgap=2,
        ygap=2,
    )
    # A number where there is no colour: heat maps write none into their gaps.
    for row, column in zip(*np.nonzero(~np.isfinite(values)), strict=True):
        figure.add_annotation(x=int(column), y=int(row), text="–", showarrow=False, font={"color": palette.text})
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "zeroline": False}
    figure.update_yaxes(autorange="reversed", **ticks)
    figure.update_xaxes(side="top", tickangle=-35, **ticks)
    return figure


def agreement_words(scores: Scores, title: Title) -> str:
    """Say which two maps agree most and which least."""
    names, values = [title(row.method) for row in scores.rows], np.asarray(scores.agreement, float)
    pairs = [
        (float(values[i, j]), f"{names[i]} and {names[j]}")
        for i in range(len(names))
        for j in range(i)
        if np.isfinite(values[i, j])
    ]
    if not pairs:
        return "Rank correlation between the maps: there are no two maps that can be compared"
    (most, alike), (least, unlike) = max(pairs), min(pairs)
    between = f"from {_correlation(least)} ({unlike}) to {_correlation(most)} ({alike})"
    return f"Rank correlation between {len(names)} maps: {between}"


def _correlation(value: float) -> str:
    if not np.isfinite(value):
        return "none, one map is constant"
    return f"{0.0 if abs(value) < 0.005 else value:.2f}".replace("-", "−")


def overlaps(scores: Scores, palette: Palette, title: Title) -> go.Figure:
    """Draw how far each map's strong places cover the true object (IoU), and whether its highest one hits it."""
    rows = [row for row in scores.rows if row.overlap is not None]
    figure = base(palette, height=34 * len(rows) + 44, bottom=34, right=70)
    figure.add_bar(
        x=[row.overlap for row in rows],
        y=list(range(len(rows))),
        orientation="h",
        marker={"color": [line_of(row.method, palette)["color"] for row in rows]},
        text=[f" {row.overlap:.2f}, {'hit' if row.hit else 'missed'}" for row in rows],
        textposition="outside",
        cliponaxis=False,
        customdata=[[title(row.method), "lies" if row.hit else "does not lie"] for row in rows],
        hovertemplate="%{customdata[0]}: IoU %{x:.3f}; its highest place %{customdata[1]} on the object<extra></extra>",
        width=0.6,
    )
    figure.update_xaxes(range=[0, 1], title={"text": "IoU with the true object", "standoff": 12})
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[title(row.method) for row in rows],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )
    return figure


def overlaps_words(scores: Scores, title: Title) -> str:
    """Say each map's IoU and whether it hits the object."""
    told = [
        f"{title(row.method)} {row.overlap:.2f} and {'hits' if row.hit else 'misses'} it"
        for row in scores.rows
        if row.overlap is not None
    ]
    return "IoU with the true object: " + ", ".join(told)


def sanity(steps: Sequence[SanityStep], palette: Palette, title: Title) -> go.Figure:
    """Draw how alike each method's map stays to the trained network's, while the layers forget from the top down."""
    methods = list(steps[0].maps) if steps else []
    figure = base(palette, height=270)
    names = [step.layer.rsplit("/", 1)[-1] or "trained" for step in steps]
    lowest = 0.0
    for method in methods:
        values = [float(step.correlation[method]) for step in steps]
        lowest = min([lowest, *(value for value in values if np.isfinite(value))])
        figure.add_scatter(
            name=title(method),
            x=list(range(len(steps))),
            y=values,
            mode="lines+markers",
            line=line_of(method, palette),
            marker={"size": 6},
            customdata=[step.layer or "nothing forgotten" for step in steps],
            hovertemplate="%{customdata}: %{y:.2f}<extra>" + title(method) + "</extra>",
        )
    _keys_below(figure, len(methods), 280)
    figure.update_xaxes(
        tickvals=list(range(len(steps))),
        ticktext=names,
        tickangle=-40 if len(steps) > 4 else 0,
        title={"text": "forgotten from the top down to", "standoff": 12},
        zeroline=False,
        showgrid=False,
    )
    figure.update_yaxes(
        title={"text": "rank correlation", "standoff": 12}, range=[min(-0.1, lowest - 0.05), 1.05], zerolinewidth=2
    )
    return figure


def sanity_words(steps: Sequence[SanityStep], title: Title) -> str:
    """Say what is left of each map's likeness when everything is forgotten."""
    if len(steps) < 2:
        return "Rank correlation with the trained network's map: nothing is forgotten yet"
    left = ", ".join(
        f"{title(method)} {_correlation(float(steps[-1].correlation[method]))}" for method in steps[-1].maps
    )
    return f"Rank correlation with the trained network's map after {len(steps) - 1} layers have forgotten: {left}"


def _ranked(effects: ChannelEffects, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what each channel gives the target's logit, and the order of the bars: the `most` largest in size."""
    losses = effects.base[0] - effects.logits[:, 0]
    order = np.argsort(-np.abs(losses), kind="stable")[:most]
    return losses, order[np.argsort(-losses[order], kind="stable")]


def channel_effects(effects: ChannelEffects, name: str, palette: Palette, most: int = 24) -> go.Figure:
    """Draw what the class's logit loses without each channel, the strongest first, and those that speak against it.

    Args:
        effects: of the channels.
        name: of the class.
        palette: colours of the theme.
        most: how many bars.
    """
    losses, order = _ranked(effects, most)
    figure = base(palette, height=250, bottom=44)
    figure.add_bar(
        x=[str(effects.channels[i]) for i in order],
        y=losses[order],
        marker={"color": [palette.activation if losses[i] >= 0 else palette.weight for i in order]},
        customdata=np.stack([-losses[order], effects.logits[order, 0]], axis=1) if len(order) else [],
        hovertemplate="channel %{x}: without it the logit is %{customdata[1]:.4g} (%{customdata[0]:+.3g})"
        "<extra></extra>",
    )
    figure.update_xaxes(type="category", title={"text": "channel", "standoff": 12}, showgrid=False)
    figure.update_yaxes(
        title={"text": f"what the logit of {name} loses", "standoff": 12, "font": {"size": 11}}, zerolinewidth=2
    )
    return figure


def channel_effects_words(effects: ChannelEffects, name: str) -> str:
    """Say which channels matter most for the class, and which speaks most against it."""
    losses, order = _ranked(effects, len(effects.channels))
    for_it = [f"channel {effects.channels[i]} ({value_text(float(losses[i]))})" for i in order[:3] if losses[i] > 0]
    words = f"What the logit of {name} ({value_text(float(effects.base[0]))}) loses without a channel: "
    words += "most without " + ", ".join(for_it) if for_it else "no channel speaks for it"
    if len(order) and losses[order[-1]] < 0:
        last = order[-1]
        words += f"; it gains {value_text(float(-losses[last]))} without channel {effects.channels[last]}"
    return words


def switched_off(after: SwitchedOff, order: Sequence[int], names: Sequence[str], palette: Palette) -> go.Figure:
    """Draw logits before and after channels are switched off, as pairs of bars.

    Args:
        after: logits and probabilities of all classes.
        order: numbers of the classes that are drawn, the first on top.
        names: of these classes.
        palette: colours of the theme.
    """
    figure = base(palette, height=250, bottom=34, right=48)
    for title, values, chances, colour in (
        ("all channels on", after.before, after.probabilities_before, palette.muted),
        ("switched off", after.after, after.probabilities_after, palette.activation),
    ):
        drawn = [float(values[i]) for i in order]
        figure.add_bar(
            name=title,
            x=drawn,
            y=list(range(len(order))),
            orientation="h",
            marker={"color": colour},
            text=[value_text(round(value, 2)) for value in drawn],
            textposition="outside",
            cliponaxis=False,
            customdata=[[name, float(chances[i])] for i, name in zip(order, names, strict=True)],
            hovertemplate="%{customdata[0]}: logit %{x:.4g}, probability %{customdata[1]:.4f}<extra>"
            + title
            + "</extra>",
        )
    _keys_below(figure, 2, 46 * len(order) + 40)
    figure.update_layout(barmode="group", bargap=0.25, bargroupgap=0.06)
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=list(names), autorange="reversed", showgrid=False, zeroline=False
    )
    figure.update_xaxes(title={"text": "logit", "standoff": 12}, zerolinewidth=2)
    return figure


def switched_off_words(after: SwitchedOff, order: Sequence[int], names: Sequence[str]) -> str:
    """Say how each of these classes' logits moves."""
    moves = ", ".join(
        f"{name} from {value_text(round(float(after.before[i]), 2))} to {value_text(round(float(after.after[i]), 2))}"
        for i, name in zip(order, names, strict=True)
    )
    return f"Logits before and after channels are switched off: {moves}"


def completeness(total: float, difference: float, palette: Palette) -> go.Figure:
    """Draw what a map shares out against what there was to share out, as two bars that should be equally long.

    Args:
        total: sum of the map of integrated gradients.
        difference: the score at the picture minus the score at the baseline.
        palette: colours of the theme.
    """
    figure = base(palette, height=104, bottom=6, top=4, right=56)
    figure.add_bar(
        x=[total, difference],
        y=["sum of the map", "score above the baseline"],
        orientation="h",
        marker={"color": [palette.gradient, palette.activation]},
        text=[f" {value_text(total)}", f" {value_text(difference)}"],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
        width=0.55,
    )
    figure.update_xaxes(visible=False, zeroline=True)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def completeness_words(total: float, difference: float) -> str:
    """Say both numbers and the gap between them."""
    gap = f", a gap of {abs(total - difference) / abs(difference):.1%}" if difference else ""
    return f"The map adds up to {value_text(total)}, the score lies {value_text(difference)} above the baseline's{gap}"
