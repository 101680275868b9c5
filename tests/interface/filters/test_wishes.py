"""What a link or a hand asks for becomes plans of gradient ascent, and nonsense becomes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.ascent.results import NO_TRANSFORMS, Plan, Regularisers
from explorer.interface.filters import wishes
from explorer.interface.filters.wishes import View
from explorer.networks import catalogue
from explorer.networks.structure import LayerInfo, LayerNode, Structure


def structure(*layers):
    infos = [
        LayerInfo(name, name, kind, shape, 0, True, shape[-1], (), {"activation": activation} if activation else {})
        for name, kind, shape, activation in layers
    ]
    return Structure("net", tuple(LayerNode(one.path) for one in infos), {one.path: one for one in infos})


@pytest.mark.parametrize(
    ("text", "picks"),
    [
        ("", []),
        ("3,1,3", [3, 1]),
        ("12,-1,1e3,0x4,<script>,99999999999999", []),
        (" 2 ,, 4", [2, 4]),
        (",".join(map(str, range(12))) * 3, list(range(11)) + [11]),
    ],
)
def test_a_link_picks_only_what_there_is_and_each_once(text, picks):
    assert sorted(wishes.picks_of(text, 12)) == sorted(picks)


def test_at_most_sixteen_are_picked():
    assert len(wishes.picks_of(",".join(map(str, range(100))), 1000)) == 16


def test_a_click_picks_a_second_opens_and_a_third_lets_go():
    picks = wishes.toggled(wishes.toggled([], 3), 5)
    assert picks == [3, 5]
    assert wishes.toggled(picks, 3) == [5, 3], "what is clicked stands large"
    assert wishes.toggled([5, 3], 3) == [5]


def test_channels_are_those_of_maps_behind_their_activation():
    net = structure(
        ("input", "InputLayer", (8, 8, 3), None),
        ("conv", "Conv2D", (8, 8, 4), None),
        ("relu", "ReLU", (8, 8, 4), None),
        ("both", "Conv2D", (4, 4, 6), "relu"),
        ("dense", "Dense", (10,), "relu"),
    )
    assert wishes.layers_with_channels(net) == ["relu", "both"]
    assert wishes.class_count(net) == 10


def test_without_activations_every_layer_with_maps_counts_and_one_without_maps_none():
    assert wishes.layers_with_channels(structure(("a", "Conv2D", (8, 8, 4), None))) == ["a"]
    assert wishes.layers_with_channels(structure(("a", "Dense", (4,), "relu"))) == []
    assert wishes.class_count(structure(("a", "Conv2D", (8, 8, 4), None))) == 0


def test_the_controls_at_rest_ask_for_the_plan_as_it_is_by_itself():
    assert wishes.plan_of(View("drawn_robust", "trained", ""), [4, 7]) == Plan("drawn_robust", targets=(4, 7))
    channel = wishes.plan_of(View("drawn_robust", "trained", "parts_1_relu"), [0])
    assert channel == Plan("drawn_robust", objective="channel", layer="parts_1_relu")


def test_every_number_at_rest_lies_within_its_limits_and_on_its_steps():
    for item in wishes.STATE.items.values():
        if item.low is not None and item.high is not None and item.step is not None:
            assert item.low <= item.default <= item.high, item.name
            steps = (item.default - item.low) / item.step
            assert abs(steps - round(steps)) < 1e-6, item.name
            assert len({type(item.low), type(item.high), type(item.step), type(item.default)}) == 1, item.name


@pytest.mark.parametrize("network", ["drawn_plain", "drawn_robust", "MobileNetV2"])
def test_each_rung_of_the_ladder_adds_one_thing(network):
    pixels, fourier, shaken, last = (rung.plan for rung in wishes.ladder(catalogue.entry(network), "trained", 3))
    assert {plan.targets for plan in (pixels, fourier, shaken, last)} == {(3,)}
    assert len({(plan.seed, plan.steps, plan.learning_rate) for plan in (pixels, fourier, shaken, last)}) == 1
    assert (pixels.parameterisation, fourier.parameterisation) == ("pixels", "fourier")
    assert pixels.transforms == fourier.transforms == NO_TRANSFORMS != shaken.transforms == last.transforms
    assert pixels.regularisers == fourier.regularisers == shaken.regularisers == wishes.NO_REGULARISERS
    if network == "MobileNetV2":
        only = replace(wishes.NO_REGULARISERS, variation=Regularisers().variation)
        assert last == replace(shaken, regularisers=only) != shaken
    else:
        assert last == replace(shaken, network="drawn_robust") != shaken


def test_the_colours_are_those_of_the_pictures_that_the_network_has_learned_from():
    assert wishes.plan_of(View("MobileNetV2", "trained", ""), [0]).colours == "imagenet"


def test_a_mix_of_layers_survives_the_link_and_nonsense_in_it_does_not():
    paths = ["a/b", "c", "d", "e", "f"]
    mix = {"a/b": 1.0, "c": 0.25}
    assert wishes.dream_layers_of(wishes.dream_text(mix), paths) == mix
    assert wishes.dream_layers_of("a/b=2,c=nan,x=1,d,=,e=-1", paths) == {}
    assert len(wishes.dream_layers_of(",".join(f"{path}=1" for path in paths), paths)) == 4


def test_a_layer_of_weight_nothing_does_not_dream():
    assert wishes.dream_plan("drawn_plain", "trained", {"a": 0.0, "b": 0.5}).layers == (("b", 0.5),)


def test_untrained_networks_are_not_said_to_be_trained():
    last = wishes.ladder(catalogue.entry("drawn_plain"), "random", 3)[-1]
    assert "neither was trained" in last.words and "trained not to be misled" not in last.words
