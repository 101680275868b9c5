"""What the lesson on dense and convolutional networks declares."""

from __future__ import annotations

import pytest

from explorer.runs.data.sources import checked
from explorer.runs.lessons.dense_convolutional import (
    LESSON,
    NETWORKS,
    SENTENCES,
    TREATMENTS,
    plans,
    treatments,
    variant,
)
from explorer.runs.trained import TrainedModel, file_of


@pytest.mark.parametrize("preset", LESSON.presets, ids=lambda preset: preset.name)
def test_every_preset_is_a_run_that_can_be_started(preset):
    settings = LESSON.settings(preset.settings)
    data = checked({"source": LESSON.data[0], **preset.data})
    assert settings["compare"] in SENTENCES
    assert 0 < LESSON.estimate(settings, data) <= 120


def test_each_comparison_changes_one_thing_only():
    pixels = treatments(LESSON.settings({"compare": "pixels"}))
    assert [each.standardise for each in pixels.values()] == [False, True]
    assert len({(each.batch_norm, each.dropout, each.l1, each.l2) for each in pixels.values()}) == 1
    regularised = treatments(LESSON.settings({"compare": "regularisation", "dropout": 0.3}))
    assert {name: (each.dropout, each.batch_norm) for name, each in regularised.items()} == {
        "plain": (0.0, False), "dropout": (0.3, False), "batch_norm": (0.0, True), "both": (0.3, True),
    }  # fmt: skip
    augmented = treatments(LESSON.settings({"compare": "augmentation"}))
    assert not augmented["plain"].augmentation and augmented["augmented"].augmentation["augment_flip"] == "none"


def test_a_treatment_that_changes_nothing_in_a_network_is_left_out_for_it():
    both = plans(LESSON.settings({"compare": "regularisation"}))
    assert [name for network, name, _ in both if network == "dense"] == ["plain", "dropout", "batch_norm", "both"]
    assert [name for network, name, _ in both if network == "cnn1"] == ["plain", "dropout"]
    pixels = plans(LESSON.settings({"compare": "pixels"}))
    assert [(network, name) for network, name, _ in pixels] == [
        ("dense", "raw"), ("dense", "standardised"), ("cnn1", "raw"), ("cnn1", "standardised")
    ]  # fmt: skip


def test_a_penalty_joins_the_comparison_of_regularisation_when_it_is_set():
    found = treatments(LESSON.settings({"compare": "regularisation", "l2": 0.001}))
    assert (found["penalty"].l2, found["penalty"].dropout, found["plain"].l2) == (0.001, 0.0, 0.0)


def test_augmentation_that_a_visitor_sets_is_the_one_that_is_compared():
    found = treatments(LESSON.settings({"compare": "augmentation", "augment_shift": 0.3}))
    assert found["augmented"].augmentation["augment_shift"] == 0.3
    assert found["augmented"].augmentation["augment_rotation"] == 0.0


def test_every_variant_has_a_title_and_a_name_that_a_file_can_have():
    for network in NETWORKS:
        for name in TREATMENTS:
            assert LESSON.variants[variant(network, name)]
            TrainedModel(variant=variant(network, name), file=file_of(variant(network, name)), classes=("a", "b"),
                         input_size=(8, 8))  # fmt: skip
