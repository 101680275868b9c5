"""How a report looks: its style sheet, its pictures as data, and its charts as SVG."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from explorer.explanations.colouring import coloured

# Okabe and Ito's colours, which stay apart for colour-blind eyes; the dashes help on grey paper.
_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A4EAB")
_DASHES = ("", "7 3", "2 3")

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")


def data_uri(pixels: np.ndarray) -> str:
    """Return a picture as a `data:` address: PNG up to 256 pixels a side, WebP beyond.

    Args:
        pixels: uint8 (h, w, 3), or (h, w) of colour numbers with their table.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    target = io.BytesIO()
    if max(image.size) <= 256:
        image.save(target, "PNG", optimize=True)
        kind = "png"
    else:
        image.save(target, "WEBP", quality=88)
        kind = "webp"
    return f"data:image/{kind};base64,{base64.b64encode(target.getvalue()).decode()}"


def painted(values: np.ndarray, signed: bool) -> np.ndarray:
    """Return a map in its own colours, uint8 (h, w, 3)."""
    return coloured(values, signed)


def overlaid(picture: np.ndarray, values: np.ndarray, signed: bool, opacity: float = 0.6) -> np.ndarray:
    """Return a map over its picture as the page shows it, uint8 (h, w, 3): places near 0 are dimmed, others lit.

    Args:
        picture: uint8 (h, w, 3).
        values: The map, (h, w).
        signed: Whether its sign has a meaning.
        opacity: Of the map.
    """
    return np.rint(picture * (1 - opacity) + coloured(values, signed) * opacity).astype(np.uint8)


def matrix_colour(value: float) -> str:
    """Return the ground of a correlation from −1 to 1 as a CSS colour: none at 0, never too strong to read on."""
    if np.isnan(value):
        return "transparent"
    share = 45 * min(abs(value), 1.0)
    return f"color-mix(in srgb, var({'--accent' if value >= 0 else '--below'}) {share:.0f}%, transparent)"


_WIDE, _HIGH, _LEFT, _BELOW = 420, 220, 36, 26


def curves_chart(curves: Sequence[tuple[str, np.ndarray, np.ndarray]], words: str) -> str:
    """Return curves over shares of pixels as SVG with a key below; the last one is the random map's, dashed.

    Args:
        curves: (title, shares, scores) of each; shares from 0 to 1.
        words: What the chart shows.
    """
    scores = np.concatenate([np.asarray(one[2], np.float64) for one in curves])
    scores = scores[np.isfinite(scores)]
    low, high = (float(scores.min()), float(scores.max())) if scores.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif high == low:
        low, high = low - 1, high + 1

    def place(share: float, score: float) -> str:
        x = _LEFT + share * (_WIDE - _LEFT - 8)
        y = 8 + (high - score) / (high - low) * (_HIGH - _BELOW - 8)
        return f"{x:.1f},{y:.1f}"

    parts = []
    for step in range(5):
        value = low + (high - low) * step / 4
        x, y = place(0, value).split(",")
        x_end = place(1, value).split(",")[0]
        parts.append(f'<line class="grid" x1="{x}" y1="{y}" x2="{x_end}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{_tick(value)}</text>')
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        x = place(share, low).split(",")[0]
        words_there = f"{share:.0%} of the pixels" if share == 0.5 else f"{share:.0%}"
        parts.append(f'<text x="{x}" y="{_HIGH - 6}" text-anchor="{anchor}">{words_there}</text>')
    keys = []
    for number, (title, shares, values) in enumerate(curves):
        look = _line_look(number, random=number == len(curves) - 1)
        points = " ".join(place(float(s), float(v)) for s, v in zip(shares, values, strict=True) if np.isfinite(v))
        parts.append(f'<polyline {look} points="{points}"><title>{html.escape(title)}</title></polyline>')
        sample = f'<svg viewBox="0 0 26 8" aria-hidden="true"><polyline {look} points="0,4 26,4"/></svg>'
        keys.append(f"<span>{sample}{html.escape(title)}</span>")
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{html.escape(words)}">{"".join(parts)}</svg>'
        f'<div class="key">{"".join(keys)}</div>'
    )


def _line_look(number: int, *, random: bool) -> str:
    if random:
        return 'class="curve random"'
    dash = _DASHES[number // len(_LINES) % len(_DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'class="curve" stroke="{_LINES[number % len(_LINES)]}"{dashes}'


def _tick(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
