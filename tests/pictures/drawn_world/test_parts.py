"""The drawing's parts: chance, shapes, coverage, textures; each against a truth found another way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explorer.pictures.drawn_world import shapes, textures
from explorer.pictures.drawn_world.chance import Roll
from explorer.pictures.drawn_world.palette import choose, colour
from explorer.pictures.drawn_world.pen import Pen, Pose, rasterise

STILL = (0.0, 1.0, 0.0, 0.0)


def pen(edge: float = 0.0) -> Pen:
    palette = choose(Roll(0), (), 0.5)
    palette.edge, palette.pattern = edge, None
    return Pen(palette)


def test_chance_is_numpys_own_stream_in_order():
    roll = Roll(4, 5, 6)
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence((4, 5, 6)))).random(600)
    np.testing.assert_array_equal([roll.unit() for _ in range(600)], expected)


def test_chance_keeps_to_its_limits():
    roll = Roll(1)
    whole = [roll.whole(2, 5) for _ in range(400)]
    assert set(whole) == {2, 3, 4, 5}
    near = np.array([roll.around(3.0, 0.5) for _ in range(2000)])
    assert near.min() >= 2.5 and near.max() <= 3.5
    assert abs(near.mean() - 3) < 0.02
    assert np.mean([roll.happens(0.2) for _ in range(4000)]) == pytest.approx(0.2, abs=0.03)


def test_streams_with_different_keys_differ():
    assert Roll(1, 2).unit() != Roll(2, 1).unit()
    assert Roll(1).unit() != Roll(1, 1).unit()


def test_a_smooth_curve_runs_through_its_control_points():
    controls = [0.0, 0.0, 1.0, 0.3, 0.7, 1.0, -0.2, 0.6]
    closed = shapes.smooth(*controls, steps=5)
    assert closed.shape == (20, 2)
    np.testing.assert_allclose(closed[::5], np.reshape(controls, (-1, 2)), atol=1e-12)
    opened = shapes.smooth(*controls, closed=False, steps=5)
    assert opened.shape == (16, 2)
    np.testing.assert_allclose(opened[::5], np.reshape(controls, (-1, 2)), atol=1e-12)


def test_circles_and_stars_have_their_radii():
    np.testing.assert_allclose(np.hypot(*(shapes.circle(2, 3, 0.5) - (2, 3)).T), 0.5)
    np.testing.assert_allclose(np.hypot(*shapes.star(5, 1.0, 0.4).T), [1.0, 0.4] * 5)
    x, y = (shapes.ellipse(0, 0, 3, 1, turn=0.7)).T
    along, across = x * math.cos(0.7) + y * math.sin(0.7), -x * math.sin(0.7) + y * math.cos(0.7)
    np.testing.assert_allclose((along / 3) ** 2 + across**2, 1)


@pytest.mark.parametrize("radius", [0.1, 0.25, 0.4])
def test_the_coverage_of_a_disc_is_its_area(radius):
    drawn = pen()
    drawn.fill(shapes.circle(0, 0, 1, points=96), drawn.palette.dark)
    sprite = rasterise(drawn, Pose(0.5, 0.5, (radius, 0, 0, radius), STILL), 128)
    assert sprite.coverage.sum() / 255 == pytest.approx(math.pi * (radius * 128) ** 2, rel=0.02)


def test_the_coverage_of_a_box_is_exact_up_to_one_sample():
    drawn = pen()
    drawn.fill(shapes.box(-1, -1, 1, 1), drawn.palette.dark)
    sprite = rasterise(drawn, Pose(0.5, 0.5, (0.2, 0, 0, 0.2), STILL), 100)
    full = sprite.coverage == 255
    assert 39 * 39 <= full.sum() <= 41 * 41
    assert sprite.top in (28, 29) and sprite.left in (28, 29)


def test_what_lies_outside_the_picture_is_cut_off():
    drawn = pen()
    drawn.fill(shapes.circle(0, 0, 1, points=96), drawn.palette.dark)
    sprite = rasterise(drawn, Pose(0.0, 0.0, (0.3, 0, 0, 0.3), STILL), 100)
    assert (sprite.top, sprite.left) == (0, 0)
    assert sprite.coverage.sum() / 255 == pytest.approx(math.pi * 30**2 / 4, rel=0.03)


def test_a_stroke_is_as_wide_as_asked():
    drawn = pen()
    drawn.stroke(shapes.polygon(-1, 0, 1, 0), drawn.palette.dark, 0.2)
    sprite = rasterise(drawn, Pose(0.5, 0.5, (0.4, 0, 0, 0.4), STILL), 200)
    middle = sprite.coverage[:, sprite.coverage.shape[1] // 2]
    assert middle.sum() / 255 == pytest.approx(0.2 * 0.4 * 200, abs=0.6)


def test_a_stroke_around_a_circle_has_no_gaps():
    drawn = pen()
    drawn.stroke(shapes.circle(0, 0, 0.9, 24), drawn.palette.dark, 0.2, closed=True)
    size = 384
    sprite = rasterise(drawn, Pose(0.5, 0.5, (0.45, 0, 0, 0.45), STILL), size)
    angles = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    for radius in (0.84, 0.96):
        x = size / 2 + radius * 0.45 * size * np.cos(angles) - sprite.left
        y = size / 2 + radius * 0.45 * size * np.sin(angles) - sprite.top
        assert (sprite.coverage[y.astype(int), x.astype(int)] == 255).all()


def test_the_objects_matrix_is_applied_before_its_place():
    pose = Pose(0.2, 0.7, (0.0, -0.1, 0.1, 0.0), STILL)
    np.testing.assert_allclose(pose.place(np.array([[1.0, 0.0], [0.0, 2.0]])), [[0.2, 0.8], [0.0, 0.7]])
    assert pose.scale == pytest.approx(0.1)


@pytest.mark.parametrize("slope", [0.7, 1.4])
def test_noise_falls_with_frequency_as_it_says(slope):
    plane = np.asarray(textures.noise(slope, 0)[0]).astype(float)[..., 1]
    assert plane.mean() == pytest.approx(128, abs=2)
    power = np.abs(np.fft.fft2(plane - plane.mean()))
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(textures.SIDE) * textures.SIDE] * 2))
    chosen = (frequency > 4) & (frequency < 60)
    fitted = np.polyfit(np.log(frequency[chosen]), np.log(power[chosen]), 1)[0]
    assert fitted == pytest.approx(-slope, abs=0.1)


def test_stripes_have_as_many_periods_as_asked():
    row = np.asarray(textures.pattern("stripes", 8)[0])[100].astype(float) - 127.5
    crossings = np.count_nonzero(np.diff(np.sign(row)) != 0)
    assert crossings in (15, 16)


@pytest.mark.parametrize("name", textures.TRAINING_PATTERNS + textures.UNSEEN_PATTERNS)
def test_every_pattern_has_both_its_colours(name):
    values = np.asarray(textures.pattern(name, 14)[0])
    assert (values < 30).mean() > 0.05
    assert (values > 150).mean() > 0.05


def test_a_window_of_all_of_a_texture_is_the_texture():
    texture = textures.photo("coffee.png")[0]
    np.testing.assert_array_equal(np.asarray(textures.window(texture, 512, 0, 0, 1)), np.asarray(texture[0]))


def test_a_turned_view_is_centred_and_turns_clockwise_seen_from_the_texture():
    ramp = np.tile(np.arange(512) // 2, (512, 1)).astype(np.uint8)
    texture = textures._finenesses(textures.Image.fromarray(ramp))
    flat = np.asarray(textures.turned(texture, 64, 0, 0, 64, 64, 0.5, 0.0)).astype(float)
    assert flat[:, 31:33].mean() == pytest.approx(127.5, abs=2)
    assert flat[:, -1].mean() - flat[:, 0].mean() == pytest.approx(127, abs=4)
    quarter = np.asarray(textures.turned(texture, 64, 0, 0, 64, 64, 0.5, math.pi / 2)).astype(float)
    assert np.ptp(quarter[0]) <= 2
    part = np.asarray(textures.turned(texture, 64, 10, 20, 30, 12, 0.5, 0.4))
    whole = np.asarray(textures.turned(texture, 64, 0, 0, 64, 64, 0.5, 0.4))
    np.testing.assert_array_equal(part, whole[20:32, 10:40])


def test_colours_are_those_of_the_colour_circle():
    assert colour(0.0, 1.0, 1.0)[:3] == (255, 0, 0)
    assert colour(1 / 3, 1.0, 1.0)[:3] == (0, 255, 0)
    assert colour(-1 / 3, 1.0, 1.0)[:3] == (0, 0, 255)
    assert colour(0.3, 0.0, 2.0)[:3] == (255, 255, 255)


def test_objects_are_usually_lighter_than_dark_backgrounds_and_darker_than_light_ones():
    def brightness(tone):
        paints = [choose(Roll(1, k), (), tone).main for k in range(300)]
        return np.mean([max(paint[:3]) for paint in paints])

    assert brightness(0.2) > 200
    assert brightness(0.8) < 175
