"""What the cards say: complete, telling apart, and held against what else is known."""

import re

import pytest

from explorer.architectures.cards import HUMAN_ERROR, ILSVRC, card, cards
from explorer.architectures.tables import table_of, totals
from explorer.networks import catalogue

# The table of the lectures, from keras.io/api/applications.
KERAS_TABLE = {
    "Xception": (79.0, 94.5), "VGG16": (71.3, 90.1), "VGG19": (71.3, 90.0), "ResNet50": (74.9, 92.1),
    "ResNet101": (76.4, 92.8), "ResNet152": (76.6, 93.1), "ResNet50V2": (76.0, 93.0), "ResNet101V2": (77.2, 93.8),
    "ResNet152V2": (78.0, 94.2), "InceptionV3": (77.9, 93.7), "InceptionResNetV2": (80.3, 95.3),
    "MobileNet": (70.4, 89.5), "MobileNetV2": (71.3, 90.1), "DenseNet121": (75.0, 92.3), "DenseNet169": (76.2, 93.2),
    "DenseNet201": (77.3, 93.6), "NASNetMobile": (74.4, 91.9), "NASNetLarge": (82.5, 96.0),
}  # fmt: skip


def test_every_network_of_keras_applications_has_a_card():
    applications = {one.name for one in catalogue.entries() if catalogue.is_application(one.name)}
    assert {one.name for one in cards() if one.origin == "keras"} == applications


def test_cards_know_the_weights_that_the_catalogue_knows():
    sums = {one.name: one for one in totals()}
    for entry in catalogue.entries():
        if catalogue.is_application(entry.name):
            assert sums[entry.name].parameters == entry.parameters
            assert card(entry.name).input_shape == (*entry.input_size, 3)


@pytest.mark.parametrize(("name", "accuracies"), KERAS_TABLE.items())
def test_accuracies_are_those_of_keras_table(name, accuracies):
    assert (card(name).top1, card(name).top5) == accuracies


def test_names_tell_apart_also_where_case_does_not_count():
    names = [one.name.lower() for one in cards()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.]+", one.name) for one in cards())


def test_every_card_is_complete_and_its_idea_one_sentence_of_its_own():
    for one in cards():
        assert one.title and one.family and one.paper
        assert one.year is None or (1998 <= one.year <= 2022 and str(one.year)[:3] in one.paper)
        assert one.url.startswith(("https://", "http://")) or (one.url == "" and one.year is None)
        assert re.fullmatch(r"[A-Z0-9][^.]*(\.\d[^.]*)*\.", one.idea), one.idea
        assert (one.top1 is None and one.top5 is None) == (one.accuracy_source == "")
        for value in (one.top1, one.top5):
            assert value is None or 40 < value < 100
        assert one.note == "" or one.note.endswith(".")
    assert len({one.idea for one in cards()}) == len(cards())
    assert len({one.title for one in cards()}) > 0.85 * len(cards())


def test_networks_before_the_digits_of_1998_there_are_none_and_they_stand_by_year():
    years = [one.year for one in cards()]
    known = [year for year in years if year is not None]
    assert known == sorted(known)
    # The lectures' own nets have no paper, and stand at the end.
    assert [one.name for one in cards()[len(known) :]] == ["dense_mnist", "conv_mnist", "cnn2"]


def test_a_network_written_twice_names_the_other_and_costs_as_much():
    sums = {one.name: one for one in totals()}
    twins = [one for one in cards() if one.twin]
    assert len(twins) == 11
    for one in twins:
        assert card(one.twin).origin == "keras"
        # The convolutions of Keras' residual networks have biases.
        assert sums[one.name].parameters == pytest.approx(sums[one.twin].parameters, rel=0.006)
        assert sums[one.name].multiply_adds == sums[one.twin].multiply_adds


def test_weights_that_saw_more_pictures_are_marked():
    assert [one.name for one in cards() if one.more_data] == ["ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"]
    assert all("ImageNet-21k" in one.accuracy_source for one in cards() if one.more_data)


def test_no_network_of_that_name():
    with pytest.raises(KeyError, match="no network called 'VGG17'"):
        card("VGG17")


def test_whoever_changes_a_card_changes_only_their_own():
    card("alexnet").arguments["groups"] = False
    assert card("alexnet").arguments == {"groups": True}


def test_the_contest_from_year_to_year():
    best = [min(one.error for one in ILSVRC if one.year == year) for year in range(2010, 2018)]
    assert best == [28.2, 25.8, 16.4, 11.7, 6.7, 3.6, 3.0, 2.3]
    assert [year for year, error in zip(range(2010, 2018), best, strict=True) if error < HUMAN_ERROR][0] == 2015
    for one in ILSVRC:
        assert one.note.endswith(".")
        if one.card is not None:
            assert table_of(one.card).depth == one.depth
        assert one.first or one.name == "VGG"
