"""What travels to the browser is the race: every point, the surface, and clicks that are points of it."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.gradient_flow.race import race
from explorer.gradient_flow.surfaces import SURFACES
from explorer.interface.components.packing import unpack
from explorer.interface.components.race import COLUMNS, ROWS, heights, message, start_of
from explorer.interface.theme import DARK, LIGHT

TITLES = {name: name.upper() for name in SURFACES["valley"].rates}


@pytest.mark.parametrize("name", SURFACES)
def test_every_point_of_every_path_travels(name):
    ground = SURFACES[name]
    found = race(ground, ground.rates, steps=60)
    header, blobs = unpack(message(found, TITLES, LIGHT, 50.0))
    assert header["steps"] == 60 and header["window"] == list(ground.window)
    assert [one["title"] for one in header["runners"]] == list(TITLES.values())
    for number, path in enumerate(found.paths.values()):
        points = np.frombuffer(blobs[f"points{number}"], "<f4").reshape(-1, 2)
        np.testing.assert_allclose(points, path.points, rtol=1e-6, atol=1e-30)
        gaps = np.frombuffer(blobs[f"gaps{number}"], "<f4")
        np.testing.assert_allclose(gaps, path.losses - ground.least, rtol=1e-5, atol=1e-12)
    low, high = header["powers"]
    assert low < high


@pytest.mark.parametrize("name", SURFACES)
def test_the_drawn_heights_go_up_with_the_surface(name):
    ground = SURFACES[name]
    drawn = np.frombuffer(heights(name, 50.0), "<u2").reshape(ROWS, COLUMNS)
    left, right, bottom, top = ground.window
    x, y = np.meshgrid(np.linspace(left, right, COLUMNS), np.linspace(top, bottom, ROWS))
    order = np.argsort(ground.value(x, y).ravel())
    assert np.all(np.diff(drawn.ravel()[order].astype(int)) >= -1)
    assert drawn.max() == 65535 and drawn.min() < 3000


def test_a_race_of_500_steps_is_a_small_message():
    found = race(SURFACES["valley"], SURFACES["valley"].rates, steps=500)
    assert len(message(found, TITLES, LIGHT, 50.0)) < 90_000


def test_what_has_diverged_travels_too():
    found = race(SURFACES["rosenbrock"], dict.fromkeys(TITLES, 1e6), steps=100)
    header, blobs = unpack(message(found, TITLES, LIGHT, 50.0))
    assert all(one["gone"] == 1 for one in header["runners"])
    assert np.isnan(np.frombuffer(blobs["points0"], "<f4")[-1])
    assert header["powers"][1] <= 8


def test_the_theme_changes_colours_and_not_the_race():
    found = race(SURFACES["beale"], SURFACES["beale"].rates, steps=20)
    light, dark = (unpack(message(found, TITLES, colours, 50.0))[0] for colours in (LIGHT, DARK))
    assert light["digest"] == dark["digest"] and light["hues"] != dark["hues"]


@pytest.mark.parametrize(
    ("event", "point"),
    [
        ({"x": 1, "y": -0.5, "at": 1}, (1.0, -0.5)),
        ({"x": 11, "y": 0}, None),
        ({"x": "1", "y": 0}, None),
        ({"x": float("nan"), "y": 0}, None),
        ({"y": 0}, None),
        (None, None),
        ([1, 2], None),
    ],
)
def test_a_click_is_checked(event, point):
    assert start_of(event, SURFACES["valley"].window) == point
