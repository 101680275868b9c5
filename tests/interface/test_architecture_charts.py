"""The charts of networks: what nothing beats, what lies where, and the same in words."""

from __future__ import annotations

import random

import pytest

from explorer.architectures.cards import HUMAN_ERROR, ILSVRC, card
from explorer.architectures.tables import table_of, totals
from explorer.interface.figures import architecture_charts as charts
from explorer.interface.theme import DARK, LIGHT


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
    figure = charts.accuracy_against_cost(cards, sums, price, colours, marked=["VGG16"])
    assert len(figure.data[1].x) == sum(one.top1 is not None for one in cards)
    assert "VGG16" in figure.data[1].text
    assert "MobileNetV3" in charts.accuracy_words(cards, sums, price)


def test_the_contest_falls_from_28_2_to_2_3_percent_past_a_person():
    figure = charts.ilsvrc(ILSVRC, HUMAN_ERROR, LIGHT)
    assert list(figure.data[0].y)[0] == 28.2 and list(figure.data[0].y)[-1] == 2.3
    words = charts.ilsvrc_words(ILSVRC, HUMAN_ERROR)
    assert "2015 ResNet 3.6 % with 152 layers" in words and "a trained person 5.1 %" in words


@pytest.mark.parametrize("measure", ["parameters", "multiply_adds", "activations"])
@pytest.mark.parametrize("name", ["VGG16", "NASNetMobile", "dense_mnist"])
def test_the_bars_add_up_to_the_whole_network(name, measure):
    table = table_of(name)
    figure = charts.layer_bars(table, measure, LIGHT)
    assert sum(sum(trace.y) for trace in figure.data) == getattr(table, measure)


def test_vgg16s_weights_and_work_lie_in_different_layers():
    table = table_of("VGG16")
    assert charts.layer_bars_words(table, "parameters").split("largest: ")[1].startswith("fc1 102.8 M")
    assert "block1_conv2 1.8 G" in charts.layer_bars_words(table, "multiply_adds")


def test_the_field_grows_along_vgg16_to_212_pixels():
    # Araujo, Norris, Sim 2019, table of known networks.
    steps = charts.field_steps(table_of("VGG16"))
    sides = [side for _, side, _ in steps]
    assert sides == sorted(sides) and sides[-1] == 212
