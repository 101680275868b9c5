"""Surfaces have the slopes and minima that they say; races diverge, arrive and repeat as the closed forms want."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.gradient_flow.optimisers import OPTIMISERS, largest_stable_rate
from explorer.gradient_flow.race import fate, race
from explorer.gradient_flow.surfaces import SURFACES, surface, valley

EVERY = pytest.mark.parametrize("ground", [*SURFACES.values(), valley(7.0)], ids=lambda one: one.name)


def points_on(ground, count=400):
    left, right, bottom, top = ground.window
    random = np.random.default_rng(2)
    return random.uniform(left, right, count), random.uniform(bottom, top, count)


@EVERY
def test_gradients_are_finite_differences(ground):
    x, y = points_on(ground)
    h = 1e-6
    slope_x, slope_y = ground.gradient(x, y)
    scale = 1e-6 * max(1.0, float(np.abs(ground.value(x, y)).max()))
    np.testing.assert_allclose(
        slope_x, (ground.value(x + h, y) - ground.value(x - h, y)) / (2 * h), rtol=1e-5, atol=scale
    )
    np.testing.assert_allclose(
        slope_y, (ground.value(x, y + h) - ground.value(x, y - h)) / (2 * h), rtol=1e-5, atol=scale
    )


@EVERY
def test_minima_are_minima(ground):
    x, y = points_on(ground)
    assert np.all(ground.value(x, y) >= ground.least)
    for at in ground.minima:
        assert ground.value(*map(np.float64, at)) == pytest.approx(ground.least, abs=1e-12)
        np.testing.assert_allclose(ground.slope(*at), 0, atol=1e-8)
        assert ground.curvatures(*at)[0] > 0
    assert ground.inside(np.array([ground.start, *ground.minima])).all()


def test_the_saddle_is_one():
    low, high = SURFACES["saddle"].curvatures(0.0, 0.0)
    assert low == pytest.approx(-1) and high == pytest.approx(1)


@pytest.mark.parametrize("name", ["valley", "noisy_bowl"])
def test_a_quadratic_says_its_largest_curvature(name):
    ground = SURFACES[name]
    assert ground.curvatures(0.3, -0.2)[1] == pytest.approx(ground.curvature, rel=1e-6)


@EVERY
def test_everybody_stays_in_the_picture_at_the_rates_that_a_surface_comes_with(ground):
    found = race(ground, ground.rates, steps=150)
    assert set(found.paths) == set(OPTIMISERS)
    for path in found.paths.values():
        assert path.gone_at is None and path.broken_at is None
        assert fate(path, found, path.name) == ""
        assert path.losses[-1] < path.losses[0]


def test_plain_descent_on_the_valley_is_the_closed_form():
    ground, rate = valley(20.0), 0.06
    path = race(ground, {"sgd": rate}, start=(-9.0, 2.0), steps=30).paths["sgd"]
    steps = np.arange(31)
    np.testing.assert_allclose(path.points[:, 0], -9 * (1 - rate) ** steps)
    np.testing.assert_allclose(path.points[:, 1], 2 * (1 - 20 * rate) ** steps)
    np.testing.assert_allclose(path.losses, 0.5 * (path.points[:, 0] ** 2 + 20 * path.points[:, 1] ** 2))


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
def test_above_the_bound_it_leaves_and_the_sentence_names_the_bound(name):
    ground = valley(50.0)
    bound = largest_stable_rate(name, 50.0)
    found = race(ground, {name: 1.1 * bound}, steps=200)
    path = found.paths[name]
    assert path.gone_at is not None and not ground.inside(path.points[path.gone_at])
    assert ground.inside(path.points[: path.gone_at]).all()
    said = fate(path, found, "It")
    assert f"left the picture at step {path.gone_at}" in said and f"= {bound:.4g}" in said and "exceeds" in said
    below = race(ground, {name: 0.9 * bound}, steps=200)
    assert below.paths[name].gone_at is None


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("ground", SURFACES.values(), ids=lambda one: one.name)
def test_a_learning_rate_of_a_million_is_told_and_breaks_nothing(name, ground):
    found = race(ground, {name: 1e6}, steps=40)
    path = found.paths[name]
    assert path.gone_at == 1
    said = fate(path, found, "It")
    assert said.startswith("It left the picture at step 1") and "1e+06" in said
    if path.broken_at is not None:
        assert np.isnan(path.points[path.broken_at :]).all() and np.isfinite(path.points[: path.broken_at]).all()


def test_nothing_moves_at_a_rate_of_zero():
    found = race(valley(), {"sgd": 0.0, "adam": 0.0}, steps=10)
    assert all((path.points == path.points[0]).all() for path in found.paths.values())
    assert found.paths["sgd"].arrived_at is None


@pytest.mark.parametrize("stretch", [50.0, 100.0, 200.0])
def test_momentum_gets_down_a_narrow_valley_sooner_than_plain_descent(stretch):
    # Both as fast as they may be: 0.8 of the largest stable rate for plain descent, 0.42 of it for momentum.
    found = race(valley(stretch), valley(stretch).rates, steps=500)
    plain, momentum = (found.paths[name].arrived_at for name in ("sgd", "momentum"))
    assert momentum < plain


def test_arrived_means_to_stay():
    path = race(valley(), {"momentum": 0.016}, steps=150).paths["momentum"]
    share = path.losses / path.losses[0]
    assert (share[path.arrived_at :] <= 0.01).all() and share[path.arrived_at - 1] > 0.01


@pytest.mark.parametrize("seed", range(5))
def test_noise_keeps_everybody_from_coming_to_rest(seed):
    found = race(SURFACES["noisy_bowl"], SURFACES["noisy_bowl"].rates, steps=150, seed=seed)
    for path in found.paths.values():
        assert path.arrived_at is None or (path.losses[path.arrived_at :] < 0.01 * path.losses[0]).all()
    assert found.paths["sgd"].arrived_at is None and found.paths["sgd"].losses[-1] < 0.1 * found.paths["sgd"].losses[0]


def test_noise_is_the_same_for_all_and_for_a_seed():
    ground = SURFACES["noisy_bowl"]
    one, again, other = (race(ground, ground.rates, steps=50, seed=seed) for seed in (3, 3, 4))
    for name in ground.rates:
        np.testing.assert_array_equal(one.paths[name].points, again.paths[name].points)
        assert not np.array_equal(one.paths[name].points, other.paths[name].points)
    two = race(ground, {"sgd": 0.1, "momentum": 0.1}, steps=1, seed=3).paths
    np.testing.assert_array_equal(two["sgd"].points[1], two["momentum"].points[1])


@pytest.mark.parametrize("steps", [0, 501])
def test_a_race_has_a_length(steps):
    with pytest.raises(ValueError, match="1 to 500 steps"):
        race(valley(), {"sgd": 0.1}, steps=steps)


def test_a_valley_is_narrow_or_round_but_not_wide():
    assert surface("valley", 1.0).curvature == 1.0
    with pytest.raises(ValueError, match="stretch"):
        valley(0.5)


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
def test_where_the_surface_curves_downwards_there_is_no_bound_and_steps_grow_with_the_slope(name):
    found = race(SURFACES["himmelblau"], {name: 1.0}, steps=20)
    said = fate(found.paths[name], found, "It")
    assert "left the picture at step 1" in said and "curves downwards at the start, so there is no bound" in said
    assert "however steep" not in said


@pytest.mark.parametrize("ground", [SURFACES["himmelblau"], valley()], ids=lambda one: one.name)
def test_the_steps_of_an_adaptive_rule_are_as_long_as_its_rate_on_every_surface(ground):
    found = race(ground, {"adam": 50.0}, steps=20)
    assert "however steep the surface is" in fate(found.paths["adam"], found, "It")
