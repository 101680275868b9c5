"""How numbers are printed: as many digits as they deserve, big counts with a unit, shapes with ×."""

import math
from collections.abc import Sequence


def value_text(value: float) -> str:
    """Return a measured value with four significant digits, as the browser components print it."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    text = f"{value:.2e}" if size >= 1e5 or size < 1e-3 else f"{value:.4g}"
    return text.replace("-", "−")


def count_text(count: int) -> str:
    """Return a count as a student reads it: 960, 25.6 k, 138.4 M."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if count >= limit:
            return f"{count / (1000 if unit == 'k' else limit):.1f} {unit}"
    return f"{count:,}"


def shape_text(shape: Sequence[int | None]) -> str:
    """Return a shape without the batch: 112 × 112 × 64; an open size is printed as "any"."""
    return "\u00a0×\u00a0".join("any" if size is None else str(size) for size in shape)


def share_text(share: float) -> str:
    """Return a share as a percentage; less than half a percent, but not nothing, is printed as "< 1 %"."""
    percent = 100 * share
    if 0 < percent < 0.5:
        return "<\u00a01\u00a0%"
    if 99.5 < percent < 100:
        return ">\u00a099\u00a0%"
    return f"{percent:.0f}\u00a0%"


def seconds_text(seconds: float) -> str:
    """Return a duration: 85 ms, 1.4 s, 2 min 5 s."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
