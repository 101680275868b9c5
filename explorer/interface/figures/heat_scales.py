"""Where the colour scale of a heat map ends, by named rules, and the words that say so.

The colours themselves are those of explorer/explanations/colouring.py, for the report has them, too. The browser
colours with the same table and the same arithmetic; tests hold that both agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from explorer.explanations.colouring import NOT_A_NUMBER, STEPS, table
from explorer.interface.numbers import value_text

Rule = Literal["highest", "clipped", "lowest", "shared"]
"""Where a scale ends: at the map's highest value; at its 99th percentile; from its lowest to its highest value; at
the highest value of all maps of the same method."""

RULES: tuple[Rule, ...] = get_args(Rule)

CLIPPED_SHARE = 0.01
"""Share of places that have the end colour under the rule "clipped"."""

# Gradients of single pixels have a few places that stand out so far that all others would look like nothing.
_CLIPPED = frozenset(
    {"saliency", "smoothgrad", "gradient_input", "integrated_gradients", "guided_backprop", "guided_grad_cam"}
)


def suited_rule(method: str) -> Rule:
    """Return the rule under which the maps of a method are best seen; the legend names it."""
    return "clipped" if method in _CLIPPED else "highest"


@dataclass(frozen=True)
class HeatScale:
    """Values from `low` to `high` over 255 colours; what lies outside takes the colour of the end.

    Attributes:
        low: value of the first colour.
        high: value of the last colour.
        diverging: whether it shows signed values around zero.
        words: what a legend says beside its ends.
    """

    low: float
    high: float
    diverging: bool
    words: str

    @property
    def legend(self) -> str:
        """The whole legend in words: "0 … 0.83, this map's scale"."""
        return f"{value_text(self.low)} … {value_text(self.high)}, {self.words}" if self.high > self.low else self.words

    def indices(self, values: np.ndarray) -> np.ndarray:
        """Return the colour number of each value, uint8, same shape.

        Where all values are zero they have the colour of zero. What is not a number has a colour of its own;
        infinity has that of the scale's end.
        """
        values = np.asarray(values, np.float64)
        unreal = np.isnan(values)
        span = self.high - self.low
        if span > 0:
            inside = np.clip(np.where(unreal, self.low, values), self.low, self.high)
            # Not rint: the browser rounds halves up.
            numbers = np.floor((inside - self.low) / span * (STEPS - 1) + 0.5).astype(np.uint8)
        else:
            numbers = np.full(values.shape, STEPS // 2 if self.diverging else 0, np.uint8)
        numbers[unreal] = NOT_A_NUMBER
        return numbers

    def colours(self, values: np.ndarray) -> np.ndarray:
        """Return the colour of each value, uint8 `(..., 3)`."""
        return table(self.diverging)[self.indices(values)]

    def css_gradient(self, steps: int = 17) -> str:
        """Return the scale as a CSS `linear-gradient`, low end on the left."""
        colours = table(self.diverging)
        stops = [colours[round(i * (STEPS - 1) / (steps - 1))] for i in range(steps)]
        return "linear-gradient(to right, " + ", ".join(f"rgb({r},{g},{b})" for r, g, b in stops) + ")"


def scale_of(values: np.ndarray, signed: bool, rule: Rule = "highest", others: Sequence[np.ndarray] = ()) -> HeatScale:
    """Return the scale of one map.

    Args:
        values: float `(h, w)`.
        signed: whether the sign means something: the scale is then centred on zero. A map that has values below
            zero is centred in any case, so that they are never hidden.
        rule: where the scale ends. "lowest" is for maps without a sign; signed ones stay centred on zero.
        others: the other maps that share the scale under the rule "shared".

    Returns:
        The scale with its words, which name the rule, say what has been clipped and how many places are not finite.
    """
    real = values[np.isfinite(values)]
    missing = values.size - real.size
    if not real.size:
        return HeatScale(0.0, 0.0, signed, "not a number anywhere")
    also = f"; {missing} of {values.size} places are not finite" if missing else ""
    least, most = float(real.min()), float(real.max())
    diverging = signed or least < 0
    top = max(abs(least), abs(most))
    if rule == "shared":
        together = [one[np.isfinite(one)] for one in (values, *others)]
        diverging = diverging or any(bool((one < 0).any()) for one in together)
        top = max((float(np.abs(one).max()) for one in together if one.size), default=top)
    if least == most and (rule != "shared" or top == 0):
        words = "zero everywhere" if top == 0 else f"a constant map: {value_text(least)} everywhere"
        return HeatScale(-top if diverging else 0.0, top, diverging, words + also)
    low, high, whose = -top if diverging else 0.0, top, "this map's scale"
    if rule == "shared":
        whose = "one scale for all maps of this method"
    elif rule == "clipped":
        end = float(np.quantile(np.abs(real), 1 - CLIPPED_SHARE))
        if 0 < end < top:
            low, high = (-end, end) if diverging else (0.0, end)
            whose = f"this map's scale, clipped: the top 1\u00a0% (up to {value_text(top)}) share its end"
    elif rule == "lowest" and not diverging:
        low, whose = least, "this map's scale, stretched from its lowest value"
    centred = "centred on 0, " if diverging else ""
    return HeatScale(low, high, diverging, f"{centred}{whose}{also}")


def coloured(
    values: np.ndarray, signed: bool, rule: Rule = "highest", *, others: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Return a map as a picture, in the very colours that the browser shows.

    Args:
        values: float `(h, w)`.
        signed: whether the sign means something.
        rule: where the scale ends.
        others: the other maps that share the scale under the rule "shared".

    Returns:
        uint8 `(h, w, 3)` sRGB, one place a pixel.
    """
    return scale_of(values, signed, rule, others).colours(values)


def over_picture(picture: np.ndarray, colours: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Return a coloured map lying over its picture.

    Args:
        picture: uint8 `(h, w, 3)`, as the network got it.
        colours: uint8 `(h, w, 3)`, from `coloured`.
        opacity: 0 shows the picture alone, 1 the map alone.

    Returns:
        uint8 `(h, w, 3)`.
    """
    return np.rint(picture * (1 - opacity) + colours * opacity).astype(np.uint8)
