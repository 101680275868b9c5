"""What sequences look like before anything learns from them: waves as lines, texts as they read, rows as a table."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping

import numpy as np
import streamlit as st

from explorer.interface.current_picture import plain
from explorer.interface.training import examples, items
from explorer.runs.data.sequence_overview import SequenceOverview
from explorer.runs.outcome import Table

WIDTH, HEIGHT = 240, 46
"""Of the field that a wave is drawn in; it is stretched to the room there is."""

INK = "#2D8CCB"
"""Of a wave: the blue of inputs, between its lightness on a light page and on a dark one."""

MOST_COLUMNS = 6
"""Columns of a table that are shown."""

_LOOK = """<style>
.training-data.sequences { grid-template-columns: minmax(3.2rem, max-content) minmax(0, 1fr) minmax(7rem, 9rem);
  max-height: none; }
.training-data.sequences.uncounted { grid-template-columns: minmax(3.2rem, max-content) minmax(0, 1fr); }
.training-data.sequences .name { white-space: normal; }
.training-data.sequences .strip { display: flex; gap: .6rem; min-width: 0; }
.training-data.sequences .strip.column { flex-direction: column; gap: .25rem; }
.training-data.sequences img { flex: 1 1 0; min-width: 0; width: 100%; height: 3.2rem; }
.training-data.sequences p { margin: 0; font-size: inherit; line-height: 1.35; padding: .15rem .5rem;
  border-left: 3px solid light-dark(#0072B2, #56B4E9); }
@media (max-width: 640px) {
  .training-data.sequences { grid-template-columns: minmax(0, 1fr) 1.2fr; }
  .training-data.sequences.uncounted { grid-template-columns: minmax(0, 1fr); }
  .training-data.sequences .strip { grid-column: 1 / -1; }
}
</style>"""

_WORDS = {"series": "series", "recordings": "recordings", "texts": "texts", "rows": "rows"}


def draw(found: SequenceOverview) -> None:
    """Draw examples and counts."""
    if found.kind == "rows":
        items.table(rows_table(found))
    else:
        st.html(examples.LOOK + _LOOK + grid_html(found))
    for note in (found.axis and f"From the left to the right: {found.axis}.", *found.notes):
        if note:
            st.caption(plain(note))


def grid_html(found: SequenceOverview) -> str:
    """Return the examples of each class, and how many there are of it, as HTML."""
    shown: Mapping[str, str] = {name: _waves(name, waves) for name, waves in found.waves.items()} | {
        name: f'<span class="strip column">{"".join(f"<p>{html.escape(text)}</p>" for text in texts)}</span>'
        for name, texts in found.texts.items()
    }
    counted = bool(found.training.keys() & shown.keys())
    most = max([found.training.get(name, 0) + found.validation.get(name, 0) for name in shown] or [1]) or 1
    rows = ""
    for name, strip in shown.items():
        rows += f'<span class="name">{html.escape(name)}</span>{strip}'
        if counted:
            rows += examples.bar_html(found.training.get(name, 0), found.validation.get(name, 0), most)
    key = examples.key_html(found.training, found.validation, _WORDS[found.kind])
    look = "training-data sequences" + ("" if counted else " uncounted")
    return f'{key}<div class="{look}" tabindex="0">{rows}</div>'


def _waves(name: str, waves: np.ndarray) -> str:
    """Return waves (n, steps, channels) of a class as drawings side by side."""
    limit = float(np.abs(waves).max()) or 1.0
    drawings = ""
    for at, wave in enumerate(waves, start=1):
        address = base64.b64encode(wave_svg(wave, limit).encode()).decode()
        drawings += f'<img src="data:image/svg+xml;base64,{address}" alt="Example {at}: {html.escape(name)}">'
    return f'<span class="strip">{drawings}</span>'


def wave_svg(wave: np.ndarray, limit: float) -> str:
    """Return a recording as an SVG file, its channels below each other; as wide and high as there is room for it.

    Args:
        wave: float (steps, channels).
        limit: the value that reaches the edge of a channel's strip.
    """
    strip = HEIGHT / wave.shape[1]
    lines = ""
    for channel, values in enumerate(wave.T):
        x, y = outline(values)
        down = strip * (channel + 0.5) - y / limit * (strip / 2 - 1)
        right = x / max(1, len(values) - 1) * WIDTH
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(right.tolist(), down.tolist(), strict=True))
        lines += f'<polyline points="{points}" vector-effect="non-scaling-stroke"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" '
        f'fill="none" stroke="{INK}" stroke-width="1.4">{lines}</svg>'
    )


def outline(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a line goes through (steps,) values: a long one by the least and the largest of each piece.

    So that the loudness of a tone is seen that has more swings than the drawing has room for.
    """
    if len(values) <= 2 * WIDTH:
        return np.arange(len(values), dtype=float), np.asarray(values, float)
    edges = np.linspace(0, len(values), WIDTH + 1).astype(int)
    pieces = [values[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    places = np.repeat((edges[:-1] + edges[1:] - 1) / 2, 2)
    return places, np.array([bound for piece in pieces for bound in (piece.min(), piece.max())], float)


def rows_table(found: SequenceOverview) -> Table:
    """Return some rows of each class as a table of the first columns."""
    columns = found.columns[:MOST_COLUMNS]
    counts = ", ".join(f"{count:,} {name}" for name, count in found.training.items())
    rest = len(found.columns) - len(columns)
    return Table(
        title=f"{sum(found.training.values()):,} rows: {counts}",
        columns=("class", *columns),
        rows=tuple(
            (name, *(float(value) for value in row[: len(columns)]))
            for name, rows in found.rows.items()
            for row in rows
        ),
        digits=2,
        note=f"And {rest} more columns." if rest > 0 else "",
    )
