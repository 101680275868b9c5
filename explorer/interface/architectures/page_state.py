"""What makes a view of the architectures page: its declared settings."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from explorer.architectures.cards import cards
from explorer.architectures.results import Card
from explorer.interface.figures.architecture_charts import TITLES
from explorer.interface.state import Item, PageState

MODES = {
    "catalogue": "Catalogue",
    "network": "One network",
    "compare": "Compare",
    "blocks": "Blocks lab",
    "build": "Build your own",
}
PRICES = {"multiply_adds": "multiply-adds", "parameters": "parameters"}
RENAMED = {"weights": "parameters"}
"""What the cost and the measure of a layer were called in older links."""

CHARTS = {"accuracy": "Accuracy against cost", "ilsvrc": "ILSVRC, year by year"}
FIRST_NETWORK = "VGG16"
MOST_COMPARED = 4

STATE = PageState(
    "architectures",
    [
        Item("mode", "catalogue", "What to look at", options=tuple(MODES)),
        Item("chart", "accuracy", "Chart", options=tuple(CHARTS)),
        Item("price", "multiply_adds", "Cost", options=tuple(PRICES)),
        Item("families", "", "Families", help="Show only these."),
        Item("network", FIRST_NETWORK, "Network", options=tuple(one.name for one in cards())),
        Item("measure", "parameters", "Show", options=tuple(TITLES)),
        Item("layer", "", "Layer"),
        Item("compared", "", "Networks", help="Two to four."),
        Item("differing", False, "Only what differs"),
        Item("block", "", "Block"),
        Item("values", "", "Settings of the block"),
        Item("stack", "", "Layers"),
    ],
)


def title_of(name: str) -> str:
    """Return how lists print a network: its title and year, and whose it is where two are called the same.

    Streamlit tells the entries of a list apart by what is printed.
    """
    return _titles()[name]


@lru_cache(maxsize=1)
def _titles() -> dict[str, str]:
    often = Counter((one.title, one.year) for one in cards())
    whose = {"keras": "Keras' own", "own": "written out"}
    return {
        one.name: (one.title if one.year is None else f"{one.title} ({one.year})")
        + (f", {whose[one.origin]}" if often[one.title, one.year] > 1 else "")
        for one in cards()
    }


def by_name() -> dict[str, Card]:
    """Return every card by its name, in the order of the catalogue."""
    return {one.name: one for one in cards()}
