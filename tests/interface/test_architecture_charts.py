"""The charts of networks: what nothing beats, what lies where, and the same in words."""

from __future__ import annotations

import random

import plotly.graph_objects as go
import pytest

from explorer.architectures.cards import HUMAN_ERROR, ILSVRC, card
from explorer.architectures.tables import table_of, totals
from explorer.interface.figures import architecture_charts as charts
from explorer.interface.theme import DARK, LIGHT


def checked(figure):
    """Plotly's own figure of the same content: it refuses what its schema does not know."""
    return go.Figure(figure.to_dict())


def beaten(one: tuple[float, float], points: list[tuple[float, float]]) -> bool:
    return any(price <= one[0] and merit >= one[1] and (price, merit) != one for price, merit in points)


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_what_no_other_point_beats(seed):
    random.seed(seed)
    points = [(float(random.randint(1, 8)), float(random.randint(1, 8))) for _ in range(30)]
    assert sorted(charts.pareto(points)) == [at for at, one in enumerate(points) if not beaten(one, points)]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("price", ["multiply_adds", "parameters"])
def test_the_scatter_shows_every_network_with_a_published_accuracy(colours, price):
    sums = list(totals())
    cards = [card(one.name) for one in sums]
    figure = checked(charts.accuracy_against_cost(cards, sums, price, colours, marked=["VGG16"]))
    line, alike, others, narrow, wide = figure.data
    names = [row[4] for trace in (alike, others) for row in trace.customdata]
    assert sorted(names) == sorted(one.name for one in cards if one.top1 is not None and not one.twin)
    assert [row[4] for row in others.customdata] == ["ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"]
    assert max(line.y) == 85.7, "what saw more pictures is no part of the front"
    for trace, size in ((narrow, charts.NARROW_NAME_SIZE), (wide, charts.WIDE_NAME_SIZE)):
        assert trace.textfont.size == size and "VGG16" in trace.text and len(set(trace.text)) == len(trace.text)
    assert len(narrow.text) < len(wide.text)
    words = charts.accuracy_words(cards, sums, price)
    assert "MobileNetV3" in words and "written out" not in words
    assert words.endswith("not compared: ConvNeXt-Base, ConvNeXt-Large and ConvNeXt-XLarge")
    assert all(row[5] for trace in (alike, others) for row in trace.customdata)


def test_families_without_a_published_accuracy_are_said_to_have_none():
    sums = {one.name: one for one in totals()}
    digits = [one for one in (card(name) for name in sums) if one.family == "Digits"]
    counted = [sums[one.name] for one in digits]
    assert digits and charts.accuracy_words(digits, counted, "parameters") == (
        "None of these has a published ImageNet accuracy"
    )
    assert not charts.any_accuracy(digits) and charts.any_accuracy([card("VGG16")])


def test_the_contest_falls_from_28_2_to_2_3_percent_past_a_person():
    figure = checked(charts.ilsvrc(ILSVRC, HUMAN_ERROR, LIGHT))
    assert list(figure.data[0].y)[0] == 28.2 and list(figure.data[0].y)[-1] == 2.3
    numbers = figure.data[1]
    assert all(place > HUMAN_ERROR - 0.01 for place in numbers.y), "no number lies under the line"
    assert figure.data[2].name == "a trained person, 5.1 %" and figure.layout.showlegend
    words = charts.ilsvrc_words(ILSVRC, HUMAN_ERROR)
    assert "2015 ResNet 3.6 % with 152 layers" in words and "a trained person 5.1 %" in words
    assert "averages of several networks" in charts.ILSVRC_ENTRIES
    assert any("Six networks" in row[3] for row in figure.data[0].customdata)


@pytest.mark.parametrize("measure", ["parameters", "multiply_adds", "activations"])
@pytest.mark.parametrize("name", ["VGG16", "NASNetMobile", "dense_mnist"])
def test_the_bars_add_up_to_the_whole_network(name, measure):
    table = table_of(name)
    figure = checked(charts.layer_bars(table, measure, LIGHT))
    assert sum(sum(trace.y) for trace in figure.data) == getattr(table, measure)


def test_vgg16s_weights_and_work_lie_in_different_layers():
    table = table_of("VGG16")
    assert charts.layer_bars_words(table, "parameters").split("largest: ")[1].startswith("fc1 102.8 M")
    words = charts.layer_bars_words(table, "multiply_adds")
    assert "block1_conv2 1.8 G" in words and words.endswith(", and 3 more like block3_conv2")


def test_the_field_grows_along_vgg16_to_212_pixels():
    # Araujo, Norris, Sim 2019, table of known networks.
    steps = charts.field_steps(table_of("VGG16"))
    sides = [step.side for step in steps]
    assert sides == sorted(sides) and sides[-1] == 212
    assert [step.depth for step in steps] == list(range(1, 19)), "13 convolutions and 5 poolings, one after the other"


# Araujo, Norris, Sim 2019 for the first two.
@pytest.mark.parametrize(
    ("name", "side"), [("InceptionV3", 1311), ("ResNet50", 483), ("googlenet", 715), ("NASNetLarge", 3303)]
)
def test_the_field_never_falls_along_depth_and_ends_where_the_words_end(name, side):
    table = table_of(name)
    steps = charts.field_steps(table)
    sides = [step.side for step in steps]
    assert sides == sorted(sides) and sides[-1] == side
    assert f"sees {side:,} pixels a side" in charts.field_words([table])
    depths = [step.depth for step in steps]
    assert depths == sorted(set(depths))


def test_a_layer_of_1_by_1_reads_one_cell_and_is_no_step():
    # Seventeen 3 × 3 or 7 × 7 convolutions and one pooling stand on the longest way of ResNet-50.
    assert charts.field_steps(table_of("resnet_50"))[-1].depth == 18


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_size_of_each_picture_is_drawn_once_beside_the_fields(colours):
    tables = [table_of(name) for name in ("VGG16", "resnet_50", "NASNetLarge")]
    figure = checked(charts.field_along_depth(tables, colours, ["VGG16", "ResNet-50", "NASNet Large"]))
    assert [line.y0 for line in figure.layout.shapes] == [224, 331]
    assert [trace.name for trace in figure.data] == ["VGG16", "ResNet-50", "NASNet Large"]
    assert max(max(trace.y) for trace in figure.data) == 3303 < figure.layout.yaxis.range[1]
    assert "receptive field, pixels a side" in [one.text for one in figure.layout.annotations]
    assert figure.layout.yaxis.title.text is None, "the title stands above, not along the axis"


def test_the_bar_of_a_chosen_layer_is_drawn_again_in_strong():
    table = table_of("VGG16")
    plain = charts.layer_bars(table, "parameters", LIGHT)
    strong = checked(charts.with_layer(plain, table, "parameters", "fc1", LIGHT)).data[-1]
    assert list(strong.y) == [102_764_544] and strong.marker.color == LIGHT.highlight
    place = next(at for at, row in enumerate(checked(plain).data[1].customdata) if row[0] == "fc1")
    assert list(strong.x) == [checked(plain).data[1].x[place]]
    assert charts.with_layer(plain, table, "parameters", "flatten", LIGHT) is plain


def test_gates_are_said_to_see_the_whole_picture():
    assert "its gates look at the whole picture" in charts.field_words([table_of("se_resnet_50")])
    assert "gates" not in charts.field_words([table_of("resnet_50")])


def test_a_network_without_maps_has_no_field():
    assert charts.field_words([table_of("dense_mnist")]) == "Nothing here has maps, and so no receptive field"


def test_one_part_with_both_is_named_once():
    table = table_of("lenet5")
    words = charts.weights_and_work_words(charts.shares(table, [("all", list(table.costs)), ("one", ["conv1"])]))
    assert words == "Of all parts, all holds the most weights (100\u00a0%) and does the most work (100\u00a0%)"


def test_the_words_name_all_parts_that_are_level():
    table = table_of("lenet5")
    path = next(iter(table.costs))
    twice = charts.shares(table, [("one", ["conv1"]), ("two", ["conv1"]), ("three", [path])])
    words = charts.weights_and_work_words(twice)
    assert words.startswith("Of all parts, one and two hold the most weights (") and " each)" in words


def test_several_charts_of_parameters_and_work_have_one_scale():
    tables = [table_of("VGG16"), table_of("resnet_18")]
    found = [charts.shares(table, [(path, [path]) for path in charts.weighty(table)]) for table in tables]
    most = charts.largest_share([share for shares in found for share in shares])
    ranges = {tuple(checked(charts.weights_and_work(shares, LIGHT, most=most)).layout.xaxis.range) for shares in found}
    assert len(ranges) == 1 and max(ranges.pop()) > 100 * most
    assert checked(charts.weights_and_work(found[1], LIGHT)).layout.xaxis.range[1] < 100 * most * 1.5
