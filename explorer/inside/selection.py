"""Which channels are shown, in which order, on which page and on which scale; and one channel in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.inside.results import LayerMaps, LayerSummary

Order = Literal["index", "strength"]
Scope = Literal["map", "layer", "network"]

MOST_TILES = 64
# What one page may send to a browser, as float32 values.
PAGE_BYTES = 3_200_000


def order_channels(strength: np.ndarray, order: str) -> np.ndarray:
    """Return the channel numbers in the order in which they are shown.

    Args:
        strength: (channels,), see `LayerMaps.strength`: the largest value, or absolute value, of each.
        order: "index", or "strength": strongest first, equal ones by their number.

    Returns:
        int (channels,).

    Raises:
        ValueError: for another order.
    """
    if order == "index":
        return np.arange(len(strength))
    if order == "strength":
        # Not-a-number sorts last.
        return np.argsort(-np.asarray(strength, np.float64), kind="stable")
    raise ValueError(f'Channels are ordered by "index" or by "strength", not by {order!r}.')


def tiles_on_page(size: tuple[int, int]) -> int:
    """Return how many maps of a size (height, width) share a page: up to 64, a power of two, at most 3.2 MB.

    A single map larger than that has a page of its own.
    """
    fitting = PAGE_BYTES // (4 * max(1, size[0] * size[1]))
    tiles = MOST_TILES
    while tiles > max(1, fitting):
        tiles //= 2
    return tiles


def pages(channels: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
    """Cut ordered channel numbers into pages; at least one page, which may be empty.

    Args:
        channels: int (n,), in the order in which they are shown.
        size: (height, width) of the layer's maps.
    """
    tiles = tiles_on_page(size)
    return [channels[start : start + tiles] for start in range(0, len(channels), tiles)] or [channels]


@dataclass(frozen=True)
class ScaleRange:
    """The values that a colour scale spans.

    Attributes:
        low: Value at its lower end: 0, or `-high` where there are negative values.
        high: Value at its upper end, not negative.
        clipped_low: Whether values below `low` exist; they have its colour, and the legend must say "≤".
        clipped_high: Whether values above `high` exist.
    """

    low: float
    high: float
    clipped_low: bool = False
    clipped_high: bool = False

    @property
    def diverging(self) -> bool:
        """Whether the scale has 0 in its middle."""
        return self.low < 0


def scale_range(minimum: float, maximum: float, contrast: float = 1.0) -> ScaleRange:
    """Return the scale for values between two extremes.

    It starts at 0 where there are no negative values, and is symmetric about 0 where there are; it is never
    stretched between the extremes, so that a constant map looks constant and 0 always has the same colour.

    Args:
        minimum: Smallest value.
        maximum: Largest value.
        contrast: A gain, 1 or more. The scale ends at the largest size divided by it; all colours keep
            their distances, and what lies beyond has the colour of the end. The legend prints the ends, so it
            stays true (a gamma would bend the scale between them).

    Raises:
        ValueError: for a contrast below 1.
    """
    if contrast < 1:
        raise ValueError(f"Contrast is 1 or more, not {contrast}.")
    low, high = (float(v) if np.isfinite(v) else 0.0 for v in (minimum, maximum))
    end = max(abs(low), abs(high)) / contrast if low < 0 else max(high, 0.0) / contrast
    lower = -end if low < 0 else 0.0
    return ScaleRange(lower, end, clipped_low=low < lower, clipped_high=high > end)


def scope_range(
    scope: str,
    layers: Sequence[LayerMaps],
    summaries: Sequence[LayerSummary] = (),
    channel: int | None = None,
    contrast: float = 1.0,
) -> ScaleRange:
    """Return the scale that a scope of comparison asks for.

    Args:
        scope: "map" (one channel alone), "layer" (all its channels), or "network": all layers with maps,
            the network's input left out, because its numbers are pixels.
        layers: The layer, once for each picture that is compared: they share one scale.
        summaries: All layers of these pictures, for scope "network".
        channel: The channel, for scope "map".
        contrast: See `scale_range`.

    Raises:
        ValueError: for another scope, or scope "map" without a channel.
    """
    if scope == "map":
        if channel is None:
            raise ValueError('Scope "map" is asked for one channel.')
        low = min(float(maps.minimum[channel]) for maps in layers)
        high = max(float(maps.maximum[channel]) for maps in layers)
    elif scope == "layer":
        low = min(float(np.min(maps.minimum)) for maps in layers)
        high = max(float(np.max(maps.maximum)) for maps in layers)
    elif scope == "network":
        inner = [s for s in summaries if s.spatial and not s.is_input]
        low = min((s.minimum for s in inner), default=0.0)
        high = max((s.maximum for s in inner), default=0.0)
    else:
        raise ValueError(f'A scale is that of a "map", a "layer" or the "network", not of {scope!r}.')
    return scale_range(low, high, contrast)


@dataclass(frozen=True, eq=False)
class ChannelDetail:
    """One channel's values in numbers.

    Attributes:
        counts: int (bins,), how many places have a value in each bin.
        edges: float (bins + 1,), where the bins end; 0 is always an edge, or lies outside.
        share_zero: Share of places whose value is exactly 0.
        minimum: Smallest value.
        maximum: Largest value.
        mean: Mean.
        deviation: Standard deviation.
        constant: Whether all values are equal, but for rounding.
        unreal: How many values are infinite or not a number; they are in no bin.
    """

    counts: np.ndarray
    edges: np.ndarray
    share_zero: float
    minimum: float
    maximum: float
    mean: float
    deviation: float
    constant: bool
    unreal: int = 0


def channel_detail(values: np.ndarray, bins: int = 40) -> ChannelDetail:
    """Return the histogram of one channel with its figures.

    Args:
        values: One channel's values, any shape.
        bins: Roughly how many bins. A constant channel has a single one around its value.
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    real = flat[np.isfinite(flat)]
    unreal = len(flat) - len(real)
    if not len(real):
        return ChannelDetail(np.zeros(1, int), np.array([-0.5, 0.5]), 0.0, 0.0, 0.0, 0.0, 0.0, False, unreal)
    low, high = float(real.min()), float(real.max())
    constant = high - low <= 1e-6 * max(abs(low), abs(high))
    if constant:
        half = abs(high) / 20 or 0.5
        counts, edges = np.array([len(real)]), np.array([low - half, high + half])
    else:
        counts, edges = np.histogram(real, bins=_edges(low, high, bins))
    return ChannelDetail(
        counts=counts,
        edges=edges,
        share_zero=float(np.mean(flat == 0)),
        minimum=low,
        maximum=high,
        mean=float(real.mean()),
        deviation=float(real.std()),
        constant=constant,
        unreal=unreal,
    )


def _edges(low: float, high: float, bins: int) -> np.ndarray:
    """Return equal bins over the values, moved so that 0 is an edge and no bin mixes both signs."""
    if low >= 0 or high <= 0:
        return np.linspace(low, high, bins + 1)
    width = (high - low) / bins
    first, last = int(np.floor(low / width)), int(np.ceil(high / width))
    return width * np.arange(first, last + 1)
