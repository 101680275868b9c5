"""Python's door to the race: paths of optimisers over a surface, played back in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from explorer.gradient_flow.race import Race
from explorer.gradient_flow.surfaces import Surface, surface
from explorer.interface.components.packing import pack
from explorer.interface.components.registration import digest_of, register
from explorer.interface.theme import Palette, palette

_race = register("race")
_HEARD = "_race_clicks"

COLUMNS, ROWS = 161, 121
BANDS = 18
HEIGHT = 430
"""Height of the surface in pixels of the page, where there is room beside it."""

_LEAST_POWER, _MOST_POWER = -14.0, 8.0


@lru_cache(maxsize=32)
def heights(name: str, stretch: float) -> bytes:
    """Return a surface as the browser draws it: 16-bit numbers that go up with the logarithm of the height.

    Args:
        name: of the surface.
        stretch: of the valley.

    Returns:
        Little-endian uint16 (ROWS, COLUMNS), the top row first; 0 at the least value, 65535 at the largest.
    """
    ground: Surface = surface(name, stretch)
    left, right, bottom, top = ground.window
    x, y = np.meshgrid(np.linspace(left, right, COLUMNS), np.linspace(top, bottom, ROWS))
    above = np.maximum(ground.value(x, y) - ground.least, 0.0)
    largest = float(above.max())
    # Below a five hundredth of the largest height the bands are of equal height, above it each is a factor.
    height = np.log1p(above / (largest / 500)) / np.log1p(500.0)
    return np.rint(65535 * np.clip(height, 0, 1)).astype("<u2").tobytes()


def _powers(gaps: list[np.ndarray]) -> tuple[float, float]:
    """Return the powers of ten between which the losses are drawn: wide enough for all but what has diverged."""
    seen = np.concatenate([gap[np.isfinite(gap) & (gap > 0)] for gap in gaps]) if gaps else np.array([])
    if not seen.size:
        return -1.0, 1.0
    start = max((float(gap[0]) for gap in gaps), default=1.0)
    high = min(float(seen.max()), 1e3 * max(start, 1e-6))
    low = max(float(seen.min()), 10.0**_LEAST_POWER, 1e-9 * high)
    low_power, high_power = np.floor(np.log10(low)), np.ceil(np.log10(high))
    return float(max(_LEAST_POWER, low_power)), float(min(_MOST_POWER, max(high_power, low_power + 1)))


def message(shown: Race, titles: Mapping[str, str], colours: Palette, stretch: float) -> bytes:
    """Return what the browser needs to draw and play a race.

    Args:
        shown: the race.
        titles: what people call each optimiser, in the order of the colours.
        colours: of the theme.
        stretch: of the valley.
    """
    grid = heights(shown.surface.name, stretch)
    blobs: dict[str, bytes] = {"heights": grid}
    runners = []
    gaps = []
    for number, (name, path) in enumerate(shown.paths.items()):
        gap = path.losses - shown.surface.least
        gaps.append(gap)
        blobs[f"points{number}"] = path.points.astype("<f4").tobytes()
        with np.errstate(over="ignore"):
            blobs[f"gaps{number}"] = gap.astype("<f4").tobytes()
        runners.append(
            {
                "title": titles[name],
                "number": list(titles).index(name),
                "rate": f"{path.rate:g}",
                "gone": path.gone_at,
                "arrived": path.arrived_at,
            }
        )
    header: dict[str, Any] = {
        "digest": digest_of(repr((runners, shown.start, shown.surface.window)).encode(), *blobs.values()),
        "name": shown.surface.title,
        "axis": "Loss" if shown.surface.least == 0 else "Loss above the minimum",
        "window": list(shown.surface.window),
        "minima": [list(one) for one in shown.surface.minima],
        "least": shown.surface.least,
        "start": list(shown.start),
        "steps": shown.steps,
        "columns": COLUMNS,
        "rows": ROWS,
        "bands": BANDS,
        "height": HEIGHT,
        "powers": list(_powers(gaps)),
        "runners": runners,
        "hues": {
            "runners": list(colours.lines),
            "text": colours.text,
            "muted": colours.muted,
            "border": colours.border,
            "background": colours.background,
            "highlight": colours.highlight,
        },
    }
    return pack(header, blobs)


def start_of(event: Any, window: tuple[float, float, float, float]) -> tuple[float, float] | None:
    """Return the point of a click that the browser tells of; None where it is no point of the window."""
    if not isinstance(event, dict):
        return None
    x, y = event.get("x"), event.get("y")
    if not (isinstance(x, int | float) and isinstance(y, int | float)):
        return None
    left, right, bottom, top = window
    return (float(x), float(y)) if left <= x <= right and bottom <= y <= top else None


def race(
    shown: Race,
    titles: Mapping[str, str],
    *,
    stretch: float,
    key: str,
    on_start: Callable[[float, float], None],
) -> Any:
    """Show a race; playing, stepping and scrubbing happen in the browser, a click asks for another start.

    Args:
        shown: the race.
        titles: of all optimisers, in the order of the colours.
        stretch: of the valley.
        key: Streamlit key of the element.
        on_start: called with x and y of a click on the surface.
    """

    def heard() -> None:
        event = st.session_state[key].start
        point = start_of(event, shown.surface.window)
        known = st.session_state.setdefault(_HEARD, {})
        if point is not None and known.get(key) != event.get("at"):
            known[key] = event.get("at")
            on_start(*point)

    return _race(key=key, data=message(shown, titles, palette(), stretch), on_start_change=heard)
