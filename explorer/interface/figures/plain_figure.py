"""A Plotly figure that is only its JSON: a tenth of the time to make, and a fifth of the bytes of a small one.

`plotly.graph_objects` checks every property against a schema as it is set, which takes 15 to 80 ms a chart, and puts
Streamlit's template into each. Here properties go into plain dictionaries as they are; the tests pass every chart
through Plotly's own checks instead. The browser fills in a template that is missing, so none is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotly.basedatatypes import BaseFigure

from explorer.interface.theme import Palette


class PlainFigure(BaseFigure):
    """Traces and a layout as dictionaries, which `st.plotly_chart` takes for a figure that has been checked.

    It is not to be changed any more once it is shared between visitors. To look into one as Plotly does:
    `plotly.graph_objects.Figure(figure.to_dict())`.
    """

    def __init__(self) -> None:
        """Begin with no traces; Plotly's own start, which makes the checking objects, is left out on purpose."""
        self._plain: dict[str, Any] = {"data": [], "layout": {}}

    def add(self, kind: str, **properties: Any) -> None:
        """Add a trace of a kind ("bar", "scatter")."""
        self._plain["data"].append({"type": kind, **properties})

    def lay_out(self, **properties: Any) -> None:
        """Set properties of the layout; inside nested ones what is not named stays as it is."""
        _merge(self._plain["layout"], properties)

    def annotate(self, **properties: Any) -> None:
        """Add a text at a place."""
        self._plain["layout"].setdefault("annotations", []).append(properties)

    def line_across(self, y: float, line: Mapping[str, Any], words: Mapping[str, Any]) -> None:
        """Add a horizontal line over the whole width at `y`, with an annotation above its left end."""
        self._plain["layout"].setdefault("shapes", []).append(
            {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y, "yref": "y", "line": dict(line)}
        )
        self.annotate(
            x=0, xref="x domain", xanchor="left", y=y, yref="y", yanchor="bottom", showarrow=False, **words
        )  # fmt: skip

    def with_trace(self, kind: str, **properties: Any) -> PlainFigure:
        """Return a figure that shares everything with this one and has a trace more."""
        figure = PlainFigure()
        figure._plain = {"data": [*self._plain["data"], {"type": kind, **properties}], "layout": self._plain["layout"]}
        return figure

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as Plotly's JSON has it; no copy."""
        return self._plain

    def __repr__(self) -> str:
        """Return in few words what it is: Plotly's own would ask for what was left out."""
        return f"PlainFigure({[trace['type'] for trace in self._plain['data']]})"


def _merge(known: dict[str, Any], news: Mapping[str, Any]) -> None:
    for name, value in news.items():
        if isinstance(value, Mapping):
            # Never the given dictionary itself: both axes may have been given the same.
            _merge(known.setdefault(name, {}), value)
        else:
            known[name] = value


def plain_base(
    palette: Palette, *, height: int, left: int = 8, right: int = 8, top: int = 8, bottom: int = 30
) -> PlainFigure:
    """Return an empty figure in the app's manner, as `charts.base` does."""
    figure = PlainFigure()
    axis = {"gridcolor": palette.border, "zerolinecolor": palette.border, "automargin": True, "fixedrange": True}
    figure.lay_out(
        height=height,
        margin={"l": left, "r": right, "t": top, "b": bottom},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.text, "size": 12},
        showlegend=False,
        hoverlabel={"font": {"size": 12}},
        xaxis=axis,
        yaxis=axis,
    )
    return figure


def title_above(figure: PlainFigure, text: str, palette: Palette) -> None:
    """Write what the vertical axis shows above its end: along it one has to tilt the head to read."""
    figure.annotate(
        text=text, x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", xshift=-24, yshift=4,
        showarrow=False, font={"size": 12, "color": palette.muted},
    )  # fmt: skip
