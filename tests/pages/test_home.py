"""The home page says what there is, shows a picture of each page, and opens the first."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.interface.home import HERO, PICTURES
from explorer.interface.page_table import PAGES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "explorer" / "shell.py"), default_timeout=30)


def test_home_names_every_page_and_its_question(app):
    app.run()
    assert not app.exception
    text = " ".join(element.value for element in [*app.markdown, *app.caption])
    links = [link.value for link in app.page_link]
    for entry in PAGES:
        if entry.address:
            assert f"**{entry.title}**" in links
            assert entry.question in text
            assert entry.description in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_home_draws_in_both_themes(app, theme):
    app.context = {"theme": theme}
    app.run()
    assert not app.exception
    assert app.title[0].value


PICTURE_FILES = [file for file, _, _ in HERO] + [
    f"{entry.address}-{theme}.jpg" for entry in PAGES if entry.address for theme in ("light", "dark")
]


@pytest.mark.parametrize("file", PICTURE_FILES)
def test_its_pictures_are_there_and_small(file):
    path = PICTURES / file
    assert path.stat().st_size <= 150_000
    with Image.open(path) as image:
        assert min(image.size) >= 300


def test_every_page_of_the_table_is_there_and_has_an_address_of_its_own():
    assert all(entry.path.is_file() for entry in PAGES)
    assert len({entry.address for entry in PAGES}) == len(PAGES)
    assert [entry.address for entry in PAGES].count("") == 1
    assert all(entry.question.endswith("?") for entry in PAGES)
    assert all(entry.description for entry in PAGES if entry.address)
