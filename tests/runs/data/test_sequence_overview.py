"""What is shown of sequences before a run are those that it learns from."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.runs.data.sequences import (
    ECG_CLASSES,
    SOUND_CLASSES,
    heartbeats,
    periodic_series,
    reviews,
    stereo_sounds,
)
from explorer.runs.lessons.one_dimension import LESSON, series_steps

SEED = 7


def shown(preset, **changes):
    settings = LESSON.settings({**LESSON.preset(preset).settings, **changes})
    return LESSON.glance(settings, SEED), settings


def test_the_first_series_that_a_run_learns_from_are_shown():
    found, settings = shown("forecast")
    learnt = periodic_series(settings["examples"], series_steps(settings), settings["period"], settings["noise"], SEED)
    assert len(found.waves) == 4 and found.training == {"series": settings["examples"]}
    for one, series in zip(found.waves.values(), learnt, strict=False):
        np.testing.assert_array_equal(one[0, :, 0], series)


def test_texts_of_both_classes_are_among_those_that_a_run_learns_from():
    found, settings = shown("text")
    learnt = reviews(settings["examples"], settings["negated"], SEED)
    by_text = dict(zip(learnt.texts, learnt.labels.tolist(), strict=True))
    assert {name: len(texts) for name, texts in found.texts.items()} == {"negative": 2, "positive": 2}
    assert all(by_text[text] == label for label, texts in enumerate(found.texts.values()) for text in texts)


@pytest.mark.parametrize(
    ("preset", "make", "classes"), [("heartbeats", heartbeats, ECG_CLASSES), ("sounds", stereo_sounds, SOUND_CLASSES)]
)
def test_of_each_class_the_first_recordings_are_shown_and_counted(preset, make, classes):
    found, settings = shown(preset, examples=200)
    learnt = make(200, SEED, settings["noise"])
    assert found.training == dict(zip(classes, np.bincount(learnt.labels).tolist(), strict=True))
    for label, (name, waves) in enumerate(found.waves.items()):
        assert name == classes[label]
        np.testing.assert_array_equal(waves, learnt.values[learnt.labels == label][:2])


def test_rows_of_a_table_stand_by_their_classes():
    found, _ = shown("table")
    assert found.training == {"malignant": 212, "benign": 357} and len(found.columns) == 30
    assert found.columns[0] == "mean radius" and found.rows["malignant"][0][0] == pytest.approx(17.99)


def test_imdb_that_is_not_here_is_said_and_nothing_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    found, _ = shown("imdb")
    assert not found.texts and "IMDB" in found.notes[0]
