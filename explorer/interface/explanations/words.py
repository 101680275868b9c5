"""What the page says about a map: a line of numbers, its formula, its limits."""

from __future__ import annotations

import numpy as np

from explorer.explanations.results import Explanation, Fact
from explorer.explanations.table import Method
from explorer.interface.numbers import seconds_text


def fact_text(fact: Fact) -> str:
    """Return a fact in few words."""
    if fact.value is None or not np.isfinite(fact.value):
        return f"{fact.name}: none"
    if fact.name.endswith(", relative"):
        return f"{fact.name.removesuffix(', relative')}: {_percent(100 * fact.value)} %"
    number = f"{fact.value:,.0f}" if float(fact.value).is_integer() and abs(fact.value) < 1e7 else f"{fact.value:.3g}"
    return f"{fact.name}: {number}{' ' + fact.unit if fact.unit else ''}"


def _percent(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


FIRST = ("Completeness gap, relative", "R²", "Superpixels", "Windows", "Masks", "Noise", "Samples")
"""Facts that stand under a map itself; all of them stand in the table below."""


def caption(explanation: Explanation) -> str:
    """Return the line under a map."""
    facts = explanation.facts[0] if explanation.facts else ()
    shown = [fact_text(fact) for name in FIRST for fact in facts if fact.name == name]
    return " · ".join([*shown[:2], seconds_text(explanation.cost.seconds)])


def numbers(method: Method, row: str, explanation: Explanation) -> dict[str, str]:
    """Return a line of the table of all numbers."""
    cost = explanation.cost
    return {
        "Map": method.title,
        "Explains": row,
        "Score": f"{float(explanation.scores[0]):.4g}",
        "Layer": explanation.layer or "the input",
        "Lowest … highest": f"{float(explanation.maps[0].min()):.3g} … {float(explanation.maps[0].max()):.3g}",
        "Forward": f"{cost.forward:,}",
        "Backward": f"{cost.backward:,}",
        "At a time": str(cost.batch),
        "Seconds": f"{cost.seconds:.2f}",
        "Also": "; ".join(fact_text(fact) for fact in (explanation.facts[0] if explanation.facts else ())),
    }


def background(method: Method) -> str:
    """Return a paragraph on a method, in Markdown."""
    return (
        f"**{method.title}.** {method.question} {method.definition}. *{method.limit}* <small>{method.source}.</small>"
    )
