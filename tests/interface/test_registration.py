"""What a browser component is made of: its own files, and those of the player where its page has the buttons."""

from __future__ import annotations

import pytest

from explorer.interface.components import registration


@pytest.fixture
def made(monkeypatch):
    """Register a component and return its html, css and script."""
    monkeypatch.setattr(registration, "component", lambda name, **files: files)
    return registration.register


@pytest.mark.parametrize("name", ["race", "walk", "stage"])
def test_what_is_played_has_the_buttons_and_their_script_before_its_own(made, name):
    files = made(name)
    for button in ("first", "back", "play", "forward"):
        assert files["html"].count(f'data-do="{button}"') == 1
    assert "<!--" not in files["html"]
    assert files["js"].index("class Player {") < files["js"].index(f"class {name.capitalize()} extends Player {{")
    assert ".buttons button" in files["css"]


def test_what_is_not_played_has_none_of_it(made):
    files = made("gallery")
    assert "class Player" not in files["js"]
    assert ".buttons button" not in files["css"]
