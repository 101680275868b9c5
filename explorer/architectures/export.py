"""Tables to take along: as CSV with every column, as LaTeX (booktabs) for a report."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from explorer.architectures.compare import Comparison
from explorer.architectures.results import Card, NetworkTable, Totals

_LAYER_COLUMNS = (
    "path", "kind", "inputs", "output_shape", "parameters", "trainable", "multiply_adds", "activations",
    "field_height", "field_width", "stride_rows", "stride_columns", "sees_all", "stage", "config",
)  # fmt: skip
_NETWORK_COLUMNS = (
    "name", "title", "family", "year", "origin", "input_shape", "parameters", "trainable", "multiply_adds",
    "activations", "depth", "layers", "top1", "top5", "accuracy_source", "paper", "url", "idea", "note",
)  # fmt: skip
_QUANTITIES = {
    "parameters": "Parameters",
    "trainable": "Trainable",
    "multiply_adds": "Multiply-adds",
    "activations": "Activations",
    "depth": "Depth",
    "layers": "Layers",
}
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "×": r"$\times$", "α": r"$\alpha$", "ρ": r"$\rho$", "·": r"$\cdot$", "−": "$-$", "→": r"$\to$", "…": r"\dots{}",
    "“": "``", "”": "''", "–": "--",
}  # fmt: skip


# More rows than fit on a page.
_LONG = 40
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(table: NetworkTable) -> str:
    """Return one network's layers as CSV, with every column that there is."""
    rows = []
    for path, layer in table.structure.layers.items():
        cost = table.costs[path]
        field, stride = cost.field or ("", ""), cost.stride or ("", "")
        rows.append((
            path, layer.kind, " ".join(layer.inputs), shape_words(layer.output_shape), cost.parameters,
            cost.trainable, cost.multiply_adds, cost.activations, *field, *stride, int(cost.sees_all), layer.stage,
            json.dumps(layer.config, ensure_ascii=False) if layer.config else "",
        ))  # fmt: skip
    return _csv(_LAYER_COLUMNS, rows)


def csv_of_catalogue(cards: Sequence[Card], totals: Sequence[Totals]) -> str:
    """Return the list of networks as CSV: those that have both a card and sums."""
    sums = {one.name: one for one in totals}
    rows = []
    for card in cards:
        if (one := sums.get(card.name)) is None:
            continue
        rows.append((
            card.name, card.title, card.family, "" if card.year is None else card.year, card.origin,
            shape_words(one.input_shape), one.parameters, one.trainable, one.multiply_adds, one.activations,
            one.depth, one.layers,
            "" if card.top1 is None else card.top1, "" if card.top5 is None else card.top5, card.accuracy_source,
            card.paper, card.url, card.idea, card.note,
        ))  # fmt: skip
    return _csv(_NETWORK_COLUMNS, rows)


def csv_of_comparison(
    comparison: Comparison, tables: Sequence[NetworkTable], titles: Sequence[str] | None = None
) -> str:
    """Return aligned networks as CSV: for each its layer, shape, parameters and multiply-adds, then what differs.

    Args:
        comparison: Of the networks.
        tables: The networks.
        titles: What the head calls them; by default their names.
    """
    names = titles or comparison.names
    columns = [f"{name} {what}" for name in names for what in ("layer", "shape", "parameters", "work")]
    rows = []
    for row in comparison.rows:
        cells: list[object] = []
        for table, path in zip(tables, row.paths, strict=True):
            if path is None:
                cells += [""] * 4
                continue
            cost = table.costs[path]
            shape = shape_words(table.structure.layers[path].output_shape)
            cells += [path, shape, cost.parameters, cost.multiply_adds]
        rows.append((*cells, " ".join(row.differs)))
    return _csv((*columns, "differs"), rows)


def latex_of(table: NetworkTable, title: str | None = None, *, whole: bool = False) -> str:
    """Return one network's layers as a LaTeX table.

    Args:
        table: The network.
        title: What the caption says; by default its name.
        whole: Whether layers without weights stand in it too, except dropout and what only prepares the input.
    """
    rows = []
    for path, layer in table.structure.layers.items():
        cost = table.costs[path]
        idle = not cost.parameters and not cost.multiply_adds
        if layer.kind == "InputLayer" or "Dropout" in layer.kind or (idle and not whole):
            continue
        field = "" if cost.field is None else f"{cost.field[0]} × {cost.field[1]}"
        rows.append((
            escaped(path), escaped(layer.kind), escaped(shape_words(layer.output_shape)), grouped(cost.parameters),
            grouped(cost.multiply_adds), escaped(field),
        ))  # fmt: skip
    total = ("Total", "", "", grouped(table.parameters), grouped(table.multiply_adds), "")
    caption = f"{title or table.name}: parameters and multiply-adds for one input of {shape_words(table.input_shape)}."
    heads = ("Layer", "Kind", "Output", "Parameters", "Multiply-adds", "Field")
    return _latex("lllrrr", heads, rows, caption, total)


def latex_of_catalogue(cards: Sequence[Card], totals: Sequence[Totals]) -> str:
    """Return the list of networks as a LaTeX table."""
    sums = {one.name: one for one in totals}
    rows = []
    for card in cards:
        if (one := sums.get(card.name)) is None:
            continue
        rows.append((
            escaped(card.title), str(card.year or ""), grouped(one.parameters), grouped(one.multiply_adds),
            str(one.depth), "" if card.top1 is None else f"{card.top1:.1f}",
            "" if card.top5 is None else f"{card.top5:.1f}",
        ))  # fmt: skip
    heads = ("Network", "Year", "Parameters", "Multiply-adds", "Depth", "Top-1", "Top-5")
    return _latex("lrrrrrr", heads, rows, "Networks: sums for one picture, accuracy on ImageNet in percent (one crop).")


def latex_of_ratios(comparison: Comparison, titles: Sequence[str] | None = None) -> str:
    """Return the sums of compared networks, with their ratios to the first, as a LaTeX table.

    Args:
        comparison: Of the networks.
        titles: What the table calls them; by default their names.
    """
    names = titles or comparison.names
    rows = []
    for one in comparison.ratios:
        cells = [grouped(one.values[0])]
        for value, ratio in zip(one.values[1:], one.ratios[1:], strict=True):
            cells.append(grouped(value) + ("" if ratio is None else rf" ($\times${ratio:.2f})"))
        rows.append((_QUANTITIES[one.quantity], *cells))
    heads = ("", *map(escaped, names))
    caption = f"Ratios to {names[0]}."
    return _latex("l" + "r" * len(names), heads, rows, caption)


def shape_words(shape: Sequence[int | None]) -> str:
    """Return a shape as printed, "28 × 28 × 192"."""
    return " × ".join("?" if side is None else str(side) for side in shape)


def escaped(text: str) -> str:
    """Return text that LaTeX prints as it stands."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def grouped(number: int) -> str:
    """Return a count with thin spaces between groups of three digits, for LaTeX."""
    return f"{number:,}".replace(",", r"\,")


def csv_file(text: str) -> bytes:
    """Return CSV as the bytes of a file; a mark in front tells spreadsheets that "×" is written in UTF-8."""
    return text.encode("utf-8-sig")


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([_harmless(cell) for cell in columns])
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return target.getvalue()


def _harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: a name that looks like one gets an apostrophe."""
    if not isinstance(cell, str) or not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _latex(
    alignment: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str,
    total: Sequence[str] | None = None,
) -> str:
    head = f"{' & '.join(heads)} \\\\"
    body = [f"{' & '.join(row)} \\\\" for row in rows]
    if total is not None:
        body += [r"\midrule", f"{' & '.join(total)} \\\\"]
    if len(rows) >= _LONG:
        # A table that runs over pages prints its head on each.
        lines = [
            "% needs \\usepackage{booktabs,longtable}",
            rf"\begin{{longtable}}{{{alignment}}}",
            rf"  \caption{{{escaped(caption)}}} \\",
            *(f"  {line}" for line in (r"\toprule", head, r"\midrule", r"\endfirsthead")),
            *(f"  {line}" for line in (r"\toprule", head, r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot")),
            *(f"  {line}" for line in body),
            r"\end{longtable}",
        ]
        return "\n".join([*lines, ""])
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escaped(caption)}}}",
        rf"  \begin{{tabular}}{{{alignment}}}",
        *(f"    {line}" for line in (r"\toprule", head, r"\midrule", *body, r"\bottomrule")),
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join([*lines, ""])
