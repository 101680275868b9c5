"""Tables to take along."""

import csv
import dataclasses
import io
import json
import re

import pytest

from explorer.architectures.cards import cards
from explorer.architectures.compare import compare
from explorer.architectures.export import (
    csv_file,
    csv_of,
    csv_of_catalogue,
    csv_of_comparison,
    escaped,
    latex_of,
    latex_of_catalogue,
    latex_of_ratios,
)
from explorer.architectures.tables import table_of, totals


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_csv_of_a_network_says_all_that_its_table_says():
    table = table_of("mobilenet_1.0")
    rows = rows_of(csv_of(table))
    assert [row["path"] for row in rows] == list(table.structure.layers)
    assert sum(int(row["parameters"]) for row in rows) == 4_253_864
    assert sum(int(row["multiply_adds"]) for row in rows) == 568_740_352
    for row in rows:
        layer, cost = table.structure.layers[row["path"]], table.costs[row["path"]]
        assert row["output_shape"] == " × ".join(map(str, layer.output_shape))
        assert (row["field_height"], row["stride_rows"]) == (
            ("", "") if cost.field is None else (str(cost.field[0]), str(cost.stride[0]))
        )
        assert row["sees_all"] == str(int(cost.sees_all))
        assert json.loads(row["config"] or "{}").keys() == layer.config.keys()


def test_the_csv_of_the_catalogue_has_every_network():
    rows = rows_of(csv_of_catalogue(cards(), totals()))
    assert [row["name"] for row in rows] == [one.name for one in cards()]
    assert {row["name"]: row["parameters"] for row in rows}["VGG16"] == "138357544"
    assert {row["name"]: row["top1"] for row in rows}["zfnet"] == ""


def test_the_csv_of_a_comparison_has_both_sides():
    tables = [table_of("VGG16"), table_of("VGG19")]
    rows = rows_of(csv_of_comparison(compare(tables), tables))
    assert sum(int(row["VGG16 parameters"] or 0) for row in rows) == 138_357_544
    assert sum(int(row["VGG19 parameters"] or 0) for row in rows) == 143_667_240
    assert sum(row["VGG16 layer"] == "" for row in rows) == 3


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("name", ["googlenet", "MobileNet", "ResNet50"])
def test_latex_has_as_many_cells_in_every_row_and_nothing_that_it_would_misread(name, whole):
    check(latex_of(table_of(name), whole=whole))


def test_latex_of_the_catalogue_and_of_ratios():
    check(latex_of_catalogue(cards(), totals()))
    check(latex_of_ratios(compare([table_of("alexnet"), table_of("googlenet"), table_of("VGG16")])))
    assert r"($\times$0.11)" in latex_of_ratios(compare([table_of("alexnet"), table_of("googlenet")]))


def check(text):
    assert text.isascii() or set(re.findall(r"[^\x00-\x7f]", text)) <= set("éäöüá")
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    columns = len(re.search(r"\\begin\{(?:tabular|longtable)\}\{([lr]+)\}", text)[1])
    assert all(len(re.findall(r"(?<!\\)&", row)) == columns - 1 for row in rows)
    assert not re.search(r"(?<!\\)[_%#^~]", body)
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    environments = ("longtable",) if "longtable}{" in text else ("table", "tabular")
    assert re.findall(r"\\begin\{(\w+)\}", text) == list(environments)
    assert re.findall(r"\\end\{(\w+)\}", text) == list(reversed(environments))


def test_long_tables_run_over_pages_and_short_ones_do_not():
    assert r"\begin{longtable}" in latex_of(table_of("ResNet50"))
    short = latex_of(table_of("lenet5"), "LeNet-5")
    assert r"\begin{tabular}" in short and r"\caption{LeNet-5:" in short


def test_no_cell_of_a_csv_is_a_formula_to_a_spreadsheet():
    table = table_of("lenet5")
    layers = {f"={path}": dataclasses.replace(layer, inputs=()) for path, layer in table.structure.layers.items()}
    structure = dataclasses.replace(table.structure, layers=layers)
    costs = {f"={path}": cost for path, cost in table.costs.items()}
    text = csv_of(dataclasses.replace(table, structure=structure, costs=costs))
    assert [row["path"][:2] for row in rows_of(text)] == ["'="] * len(layers)


def test_a_file_of_csv_says_that_it_is_in_utf_8():
    data = csv_file(csv_of(table_of("lenet5")))
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.decode("utf-8-sig") == csv_of(table_of("lenet5"))


def test_escaping():
    assert escaped(r"50% of a_b & {c} #1 $x ^~\ ×") == (
        r"50\% of a\_b \& \{c\} \#1 \$x \textasciicircum{}\textasciitilde{}\textbackslash{} $\times$"
    )


def test_compared_networks_are_called_by_their_titles_where_these_are_given():
    tables = [table_of("resnet_18"), table_of("alexnet")]
    titles = ["ResNet-18", "AlexNet"]
    both = compare(tables)
    assert csv_of_comparison(both, tables, titles).startswith("ResNet-18 layer,ResNet-18 shape,")
    text = latex_of_ratios(both, titles)
    assert "Ratios to ResNet-18." in text and "& ResNet-18 & AlexNet" in text and "resnet" not in text
