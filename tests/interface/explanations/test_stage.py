"""The stage is drawn again and again while maps are under way: the picture is made ready for it once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer.explanations.results import Target
from explorer.interface import work
from explorer.interface.explanations import stage
from explorer.interface.explanations.page_state import Question, Row
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
