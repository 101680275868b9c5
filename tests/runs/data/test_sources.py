"""What data are asked for is checked as strictly as a lesson's own settings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from explorer.networks.work_context import SentenceError
from explorer.pictures.drawn_world import CLASSES, KEPT_CLASSES
from explorer.runs.data.sources import SOURCES, checked, source


@pytest.mark.parametrize("each", SOURCES, ids=lambda each: each.name)
def test_every_source_has_defaults_that_it_takes_itself(each) -> None:  # noqa: ANN001
    settings = checked({"source": each.name})
    assert settings["source"] == each.name
    assert checked(settings) == settings
    assert each.kind == each.kinds[0] and each.note.endswith(".")


def test_values_are_checked() -> None:
    assert checked({"source": "drawn", "classes": ["key", "cat"]})["classes"] == ("cat", "key")
    assert checked({"source": "drawn"})["classes"] == KEPT_CLASSES and set(KEPT_CLASSES) < set(CLASSES)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"source": "imagenet"},
        {"source": "drawn", "classes": ["dragon"]},
        {"source": "drawn", "classes": []},
        {"source": "drawn", "side": 33},
        {"source": "drawn", "side": 4096},
        {"source": "drawn", "per_class": 10**9},
        {"source": "drawn", "per_class": 2.5},
        {"source": "drawn", "noise": 0.1},
        {"source": "mnist", "download": "yes"},
        {"source": "own", "id": 7},
        {"source": ["drawn"]},
    ],
)
def test_what_cannot_be_ends_in_a_sentence(data: dict) -> None:
    with pytest.raises(SentenceError) as refused:
        checked(data)
    assert str(refused.value).endswith(".")


def test_those_that_need_a_file_say_so_and_how_large_it_is() -> None:
    online = {each.name for each in SOURCES if not each.offline}
    assert online == {"mnist", "fashion_mnist", "cifar10", "imdb"}
    for name in online:
        (download,) = [knob for knob in source(name).knobs if knob.name == "download"]
        assert download.default is False and "MB" in download.label


def test_nothing_of_it_needs_keras() -> None:
    code = (
        "import sys; import explorer.runs.data.loading, explorer.runs.data.overview, explorer.runs.data.augmentation;"
        "sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=600).returncode == 0
