"""What the page shows of data before a run is what the run will learn from."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.networks.work_context import SentenceError
from explorer.pictures.drawn_world import CLASSES
from explorer.runs.data.loading import load
from explorer.runs.data.overview import MOST_PIXELS, overview
from tests.runs.data.test_loading import SMALL


@pytest.mark.parametrize("name", SMALL)
def test_the_examples_are_the_runs_own_pictures_and_the_counts_are_true(name: str) -> None:
    shown, divided = overview(SMALL[name], seed=2, n=2), load(SMALL[name], seed=2)
    of_run = dict(zip(divided.training.names, divided.training.pixels, strict=True))
    for picture, called in zip(shown.examples.pixels, shown.examples.names, strict=True):
        assert np.array_equal(picture, of_run[called])
    for counts, part in ((shown.training, divided.training), (shown.validation, divided.validation)):
        if part.labels is None:
            assert counts == {"pictures": len(part)}
        else:
            assert list(counts) == list(part.classes)
            assert list(counts.values()) == np.bincount(part.labels, minlength=len(part.classes)).tolist()
    if shown.examples.labels is not None:
        assert all(len(shown.of_class(label)) == 2 for label in range(len(shown.training)))


def test_masks_are_shown_where_the_lesson_needs_them() -> None:
    shown = overview(SMALL["drawn"], seed=2, kind="masks")
    assert shown.examples.masks is not None and shown.training == {"pictures": 12}


def test_an_overview_never_draws_too_much() -> None:
    everything = {"source": "drawn", "classes": CLASSES, "per_class": 2000, "side": 128}
    shown = overview(everything, seed=0, n=50)
    assert len(shown.examples) >= 16 and shown.examples.pixels[..., 0].size <= MOST_PIXELS
    assert shown.training == dict.fromkeys(CLASSES, 2000)


def test_what_cannot_be_shown_is_said() -> None:
    with pytest.raises(SentenceError):
        overview({"source": "imdb"}, seed=0)
    with pytest.raises(SentenceError):
        overview({"source": "own", "id": "nothing"}, seed=0, owner="anna")
