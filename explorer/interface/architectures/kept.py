"""What the page shows of the catalogue's networks, made once and kept for all visitors.

It comes from the catalogue alone and so is nobody's own. Each kind is bounded by number: a figure is some ten to a
few hundred kilobytes, a drawing up to a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from explorer.architectures.cards import HUMAN_ERROR, ILSVRC
from explorer.architectures.compare import Comparison, compare
from explorer.architectures.results import Card, NetworkTable, Totals
from explorer.architectures.tables import table_of, totals
from explorer.interface.architectures import parts
from explorer.interface.architectures.page_state import by_name
from explorer.interface.components.network_diagram import Change, Measure, drawing_of
from explorer.interface.figures import architecture_charts as charts
from explorer.interface.figures.plain_figure import PlainFigure
from explorer.interface.numbers import count_text, shape_text
from explorer.interface.theme import Palette

_FIGURES = 64
_DRAWINGS = 32


# --- the catalogue ---


def listed(families: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all networks of some families that have been counted, in the catalogue's order."""
    counted = {total.name for total in totals()}
    return tuple(
        card.name for card in by_name().values() if card.name in counted and (not families or card.family in families)
    )


def cards_of(names: Sequence[str]) -> tuple[list[Card], list[Totals]]:
    """Return the cards and the sums of some networks."""
    known, sums = by_name(), {total.name: total for total in totals()}
    return [known[name] for name in names], [sums[name] for name in names]


@lru_cache(maxsize=_FIGURES)
def accuracy(names: tuple[str, ...], price: charts.Price, colours: Palette) -> PlainFigure | None:
    """Return the chart of accuracy against cost; None where no network has a published accuracy."""
    cards, sums = cards_of(names)
    return charts.accuracy_against_cost(cards, sums, price, colours) if charts.any_accuracy(cards) else None


@lru_cache(maxsize=_FIGURES)
def accuracy_words(names: tuple[str, ...], price: charts.Price) -> str:
    """Return the same in words."""
    return charts.accuracy_words(*cards_of(names), price)


@lru_cache(maxsize=4)
def contest(colours: Palette) -> PlainFigure:
    """Return the chart of ILSVRC's best entries."""
    return charts.ilsvrc(ILSVRC, HUMAN_ERROR, colours)


@lru_cache(maxsize=_FIGURES)
def catalogue_rows(names: tuple[str, ...]) -> pa.Table:
    """Return the catalogue as rows of a table for people."""
    cards, sums = cards_of(names)
    columns: dict[str, list[Any]] = {
        "Network": [card.title for card in cards],
        "Year": [card.year for card in cards],
        "Family": [card.family for card in cards],
        "Parameters": [total.parameters for total in sums],
        "Multiply-adds": [total.multiply_adds for total in sums],
        "Activations": [total.activations for total in sums],
        "Depth": [total.depth for total in sums],
        "Top-1": [card.top1 for card in cards],
        "Top-5": [card.top5 for card in cards],
        "What was new": [card.idea for card in cards],
    }
    return pa.table(columns)


# --- one network ---


@dataclass(frozen=True)
class Words:
    """What is said about a network.

    Attributes:
        lesson: Where its weights and its work are.
        shares: The same of its parts.
        field: How far its last maps see.
        has_field: Whether it has maps at all.
        bars: Its largest layers, by measure.
    """

    lesson: str
    shares: str
    field: str
    has_field: bool
    bars: Mapping[str, str]


@lru_cache(maxsize=128)
def words(name: str) -> Words:
    """Return what is said about a network."""
    table = table_of(name)
    return Words(
        parts.lesson(table),
        charts.weights_and_work_words(_shares(name)),
        charts.field_words([table], [by_name()[name].title]),
        bool(charts.field_steps(table)),
        {
            measure: charts.layer_bars_words(table, measure)
            for measure in ("parameters", "multiply_adds", "activations")
        },
    )


@lru_cache(maxsize=128)
def _shares(name: str) -> tuple[charts.Share, ...]:
    return tuple(parts.shares_of(table_of(name)))


@lru_cache(maxsize=_FIGURES)
def shares(name: str, colours: Palette, most: float | None = None) -> PlainFigure:
    """Return the chart of parameters and work in each part; `most` is where the axis ends."""
    return charts.weights_and_work(_shares(name), colours, most=most)


@lru_cache(maxsize=_FIGURES)
def bars(name: str, measure: Measure, colours: Palette) -> PlainFigure:
    """Return the chart of one measure, layer by layer."""
    return charts.layer_bars(table_of(name), measure, colours)


@lru_cache(maxsize=_FIGURES)
def field(names: tuple[str, ...], titles: tuple[str, ...], colours: Palette) -> PlainFigure:
    """Return the chart of receptive fields."""
    return charts.field_along_depth([table_of(name) for name in names], colours, titles)


@lru_cache(maxsize=_DRAWINGS)
def drawing(name: str, measure: Measure) -> str:
    """Return what the diagram of one network shows, as the page that takes it apart has it."""
    return drawing_of(table_of(name), measure=measure, title=by_name()[name].title)


@lru_cache(maxsize=_DRAWINGS)
def layers(name: str) -> pa.Table:
    """Return the layers as rows of a table for people."""
    table = table_of(name)
    pairs = [(layer, table.costs[path]) for path, layer in table.structure.layers.items()]
    columns: dict[str, list[Any]] = {
        "Layer": list(table.structure.layers),
        "Kind": [layer.kind for layer, _ in pairs],
        "Output": [shape_text(layer.output_shape) for layer, _ in pairs],
        "Parameters": [cost.parameters for _, cost in pairs],
        "Trained": [cost.trainable for _, cost in pairs],
        "Multiply-adds": [cost.multiply_adds for _, cost in pairs],
        "Activations": [cost.activations for _, cost in pairs],
        "Sees": [
            "everything" if cost.sees_all else shape_text(cost.field) if cost.field else "" for _, cost in pairs
        ],
        "Stride": [shape_text(cost.stride) if cost.stride else "" for _, cost in pairs],
    }  # fmt: skip
    return pa.table(columns)


# --- several ---


@dataclass(frozen=True)
class Beside:
    """Some networks beside each other.

    Attributes:
        tables: Of the networks.
        comparison: Their layers aligned.
        changes: For each network: by path, whether the others have the layer too, and as it is.
        most: The largest share of parameters or work that a part of any of them has.
        field: How far they see, in words.
        held: For each network in few words: where its weights are.
    """

    tables: tuple[NetworkTable, ...]
    comparison: Comparison
    changes: tuple[dict[str, Change], ...]
    most: float
    field: str
    held: tuple[str, ...]


@lru_cache(maxsize=32)
def beside(names: tuple[str, ...], titles: tuple[str, ...]) -> Beside:
    """Return some networks beside each other: aligning four large ones takes most of a second."""
    tables = tuple(table_of(name) for name in names)
    comparison = compare(tables)
    return Beside(
        tables,
        comparison,
        tuple(changes_of(comparison, number) for number in range(len(names))),
        charts.largest_share([share for name in names for share in _shares(name)]),
        charts.field_words(tables, titles),
        tuple(map(parts.held_words, tables)),
    )


def changes_of(comparison: Comparison, number: int) -> dict[str, Change]:
    """Return for each layer of one network whether the others have it too, and as it is."""
    found: dict[str, Change] = {}
    for row in comparison.rows:
        path = row.paths[number]
        if path is not None:
            found[path] = "only" if not row.complete else "changed" if row.differs else "same"
    return found


@lru_cache(maxsize=_DRAWINGS)
def drawing_beside(names: tuple[str, ...], titles: tuple[str, ...], number: int, height: int) -> str:
    """Return what the diagram of one of several networks shows."""
    found = beside(names, titles)
    return drawing_of(found.tables[number], height=height, changes=found.changes[number], title=titles[number])


@lru_cache(maxsize=_DRAWINGS)
def layers_beside(names: tuple[str, ...], titles: tuple[str, ...], only_differing: bool) -> pa.Table:
    """Return the aligned layers as rows of a table, or those alone that differ."""
    found = beside(names, titles)
    rows = layer_rows(found.comparison, found.tables, titles)
    kept = [row for row in rows if row["What differs"]] if only_differing else rows
    return pa.table({column: [row[column] for row in kept] for column in (*titles, "What differs")})


def layer_rows(comparison: Comparison, tables: Sequence[NetworkTable], titles: Sequence[str]) -> list[dict[str, str]]:
    """Return the aligned layers as rows of a table."""
    rows = []
    for row in comparison.rows:
        cells: dict[str, str] = {}
        for title, table, path in zip(titles, tables, row.paths, strict=True):
            if path is None:
                cells[title] = ""
                continue
            layer, cost = table.structure.layers[path], table.costs[path]
            weights = f", {count_text(cost.parameters)}" if cost.parameters else ""
            cells[title] = f"{path}: {layer.kind} {shape_text(layer.output_shape)}{weights}"
        what = ", ".join(word.replace("_", " ") for word in row.differs)
        cells["What differs"] = what if row.complete else "not in all of them"
        rows.append(cells)
    return rows
