"""The stage is drawn again and again while maps are under way: the picture is made ready for it once."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from explorer.explanations.results import Target
from explorer.interface import work
from explorer.interface.components.heat_maps import mask_code, paint_grid
from explorer.interface.explanations import stage, view
from explorer.interface.explanations.page_state import Question, Row
from explorer.networks import catalogue
from explorer.pictures.sources import mask_of, resolve

QUESTION = Question("drawn_plain", "trained", "pad", "", "logits", 0, 0, ())


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(work.st, "session_state", kept)
    return kept


def test_a_look_at_the_stage_makes_the_picture_ready_once(session, monkeypatch):
    fitted: list[str] = []
    real = stage.fit_picture

    def counting(pixels: np.ndarray, entry: Any, how: Any) -> Any:
        fitted.append(how)
        return real(pixels, entry, how)

    monkeypatch.setattr(stage, "fit_picture", counting)
    drawn: list[Any] = []
    monkeypatch.setattr(stage, "heat_maps", lambda rows, **_: drawn.append(rows))
    rows = [Row(resolve("drawn:cat:3"), Target("class", 0), "cat")]
    for _ in range(5):
        stage._draw(QUESTION, rows, [[]], None)
    assert fitted == ["pad"]
    assert all(row.picture == drawn[0][0].picture for (row,) in drawn)
    stage._draw(replace(QUESTION, fit="crop"), rows, [[]], None)
    stage._draw(replace(QUESTION, network="VGG16"), rows, [[]], None)
    stage._draw(QUESTION, [Row(resolve("drawn:cat:4"), Target("class", 0), "cat")], [[]], None)
    assert fitted == ["pad", "crop", "pad", "pad"]


def test_only_the_drawn_picture_itself_says_where_its_object_is(session):
    drawn = resolve("drawn:cat:3")
    uploaded = replace(drawn, source="upload:" + "0" * 64)
    assert stage.seen(QUESTION, uploaded).outline is None
    outline = stage.seen(QUESTION, drawn).outline
    mask = mask_of("drawn:cat:3")
    assert outline is not None and mask is not None
    assert outline.mean() == pytest.approx(mask.mean(), abs=0.02)


def test_a_class_as_predicted_is_named_for_each_picture_by_itself():
    cat, fish = resolve("drawn:cat:3"), resolve("drawn:fish:3")
    seen = [(cat, SimpleNamespace(predictions=[SimpleNamespace(index=0)]))]
    seen += [(fish, SimpleNamespace(predictions=[SimpleNamespace(index=1)]))]
    rows = view._rows([(Target("class", None, against=2), "cat rather than flower")], seen, "drawn_plain")
    assert [row.target.index for row in rows] == [0, 1]
    assert rows[0].label == f"cat rather than flower · {cat.title}"
    assert rows[1].label == f"fish rather than flower · {fish.title}"


def test_a_guess_counts_for_the_picture_and_the_class_that_it_was_painted_for(monkeypatch):
    painting = mask_code(np.ones(paint_grid(*catalogue.entry("drawn_plain").input_size), bool))
    kept = {"explanations_painted": painting}
    monkeypatch.setattr(stage.st, "session_state", kept)
    monkeypatch.setattr(stage.STATE, "linked", lambda name: kept[f"explanations_{name}"])
    cat = Row(resolve("drawn:cat:3"), Target("class", 0), "cat")
    for _ in range(2):
        assert stage.painted(QUESTION, cat) is not None
    assert stage.painted(QUESTION, replace(cat, target=Target("class", 1))) is None
    assert stage.painted(QUESTION, cat) is None, "it is asked for anew"
    kept["explanations_painted"] = painting
    assert stage.painted(QUESTION, cat) is not None
    assert stage.painted(QUESTION, replace(cat, picture=resolve("drawn:fish:3"))) is None
