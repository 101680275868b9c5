"""A click on an image of the gallery counts once, however often Streamlit tells of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from explorer.interface.components import gallery


@pytest.fixture
def session(monkeypatch):
    values = {}
    monkeypatch.setattr(gallery, "st", SimpleNamespace(session_state=values))
    return values


def clicks(session, *events):
    """Return which of these events a page is told of."""
    told = []
    for event in events:
        session["board"] = SimpleNamespace(pick=event)
        gallery._once("board", lambda event=event: told.append(event))
    return told


def test_a_click_that_comes_twice_is_told_once(session):
    click = {"id": "2", "at": 1795}
    assert clicks(session, click, dict(click)) == [click]


def test_the_same_image_can_be_clicked_again(session):
    first, second = {"id": "2", "at": 1795}, {"id": "2", "at": 1990}
    assert clicks(session, first, second) == [first, second]


def test_galleries_do_not_hear_each_other(session):
    click = {"id": "2", "at": 1795}
    assert clicks(session, click) == [click]
    session["other"] = SimpleNamespace(pick=click)
    told = []
    gallery._once("other", lambda: told.append(click))
    assert told == [click]


@pytest.mark.parametrize("event", [None, "2", {"id": "2"}])
def test_what_is_no_click_with_a_time_is_the_pages_to_judge(session, event):
    assert clicks(session, event) == [event]
