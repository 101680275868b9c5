"""Pictures of the drawn world: the same everywhere and at every size, with masks that are exact."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.pictures.drawn_world import backgrounds, drawing, textures
from explorer.pictures.drawn_world.drawing import (
    CLASSES,
    KEPT_CLASSES,
    PRETRAINING_CLASSES,
    contact_sheet,
    draw,
    draw_batch,
    draw_class,
    draw_scene,
    draw_without_object,
)
from explorer.pictures.drawn_world.palette import Palette

ROOT = Path(__file__).parents[3]

FINGERPRINT = """
import hashlib, json
from explorer.pictures.drawn_world.drawing import draw, draw_class, draw_scene
prints = []
for index in range(12):
    for kind in ("training", "unseen"):
        drawing = draw(5, index, size=64, backgrounds=kind)
        scene = draw_scene(5, index, size=64, backgrounds=kind)
        for part in (drawing.pixels, drawing.mask, scene.pixels, scene.label_map, scene.masks):
            prints.append(hashlib.sha256(part.tobytes()).hexdigest())
        prints.append([drawing.label, *drawing.box, *scene.labels])
print(json.dumps(prints))
"""


def in_another_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def sha(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def shrink(array: np.ndarray, factor: int) -> np.ndarray:
    side = array.shape[0] // factor
    return array.reshape(side, factor, side, factor, -1).mean(axis=(1, 3)).squeeze()


def test_every_process_draws_the_same_pictures():
    first = in_another_process(FINGERPRINT, PYTHONHASHSEED="1")
    second = in_another_process(FINGERPRINT, PYTHONHASHSEED="2", OMP_NUM_THREADS="1")
    assert json.loads(first) == json.loads(second)
    assert json.loads(first)[0] == sha(draw(5, 0, size=64).pixels)


def test_a_picture_does_not_depend_on_what_was_drawn_before():
    alone = draw(1, 40)
    np.random.seed(3)
    pixels, labels, masks = draw_batch(1, range(38, 42))
    np.testing.assert_array_equal(pixels[2], alone.pixels)
    np.testing.assert_array_equal(masks[2], alone.mask)
    assert labels[2] == alone.label
    assert labels.dtype == np.int64


def test_drawing_leaves_numpys_global_chance_alone():
    np.random.seed(7)
    expected = np.random.random(3)
    np.random.seed(7)
    draw(1, 2)
    np.testing.assert_array_equal(np.random.random(3), expected)


def test_seeds_and_indices_all_give_different_pictures():
    prints = {sha(draw(seed, index, size=32).pixels) for seed in range(5) for index in range(40)}
    assert len(prints) == 200


# WORLD#


@pytest.mark.parametrize("kind", ["training", "unseen"])
@pytest.mark.parametrize("small,large", [(96, 384), (64, 128)])
def test_another_size_is_the_same_picture_only_finer(kind, small, large):
    factor = large // small
    differences = []
    for index in range(24):
        coarse = draw(3, index, size=small, backgrounds=kind)
        fine = draw(3, index, size=large, backgrounds=kind)
        assert fine.label == coarse.label
        mask_difference = np.abs(shrink(fine.mask, factor) - coarse.mask)
        assert mask_difference.mean() < 6
        differences.append(np.abs(shrink(fine.pixels, factor) - coarse.pixels.astype(float)).mean())
        np.testing.assert_allclose(np.array(fine.box) / factor, coarse.box, atol=2)
    assert max(differences) < 12
    assert np.mean(differences) < 4


def test_another_size_is_the_same_scene_only_finer():
    for index in range(12):
        coarse, fine = draw_scene(3, index, size=96), draw_scene(3, index, size=192)
        assert fine.labels == coarse.labels
        assert (fine.label_map[::2, ::2] == coarse.label_map).mean() > 0.94


@pytest.fixture
def no_shadow(monkeypatch):
    """Draw without shadows, everything else the same."""
    real = drawing._light

    def unshadowed(roll):
        light = real(roll)
        return drawing._Light(light.angle, light.slope, 0.0, light.reach, light.blur)

    monkeypatch.setattr(drawing, "_light", unshadowed)


def test_outside_the_mask_an_object_leaves_the_picture_alone(no_shadow):
    for index in range(30):
        one, other = draw(2, index, label=index % 16), draw(2, index, label=(index + 5) % 16)
        outside = (one.mask == 0) & (other.mask == 0)
        assert outside.sum() > 1000
        np.testing.assert_array_equal(one.pixels[outside], other.pixels[outside])


def test_a_shadow_only_darkens(request):
    with_shadow = [draw(2, index) for index in range(30)]
    request.getfixturevalue("no_shadow")
    darkened = 0
    for index, shaded in enumerate(with_shadow):
        plain = draw(2, index)
        np.testing.assert_array_equal(plain.mask, shaded.mask)
        assert (shaded.pixels <= plain.pixels).all()
        darkened += bool((shaded.pixels < plain.pixels).any())
    assert 5 < darkened < 25


def test_where_the_mask_is_full_no_background_shines_through():
    for index in range(30):
        one, other = draw(4, index), draw(4, index, backgrounds="unseen")
        np.testing.assert_array_equal(one.mask, other.mask)
        full = one.mask == 255
        assert full.sum() > 50
        np.testing.assert_array_equal(one.pixels[full], other.pixels[full])


def test_on_the_edge_the_mask_says_how_much_background_shines_through(monkeypatch, no_shadow):
    monkeypatch.setattr(drawing, "_finish", lambda picture, roll: picture)
    pictures = {}
    for level in (0, 200):
        monkeypatch.setattr(
            drawing,
            "background",
            lambda kind, roll, size, tone, level=level: np.full((size, size, 3), level, np.float32),
        )
        pictures[level] = [draw(6, index) for index in range(20)]
    for dark, light in zip(pictures[0], pictures[200], strict=True):
        share = 1 - dark.mask.astype(float) / 255
        shown = (light.pixels - dark.pixels)[..., 0] / 200
        np.testing.assert_allclose(shown, share, atol=1e-3)


@pytest.mark.parametrize("kind", ["training", "unseen", "plain", "sea", "meadow"])
def test_without_its_object_a_picture_is_the_same_where_the_object_was_not(no_shadow, kind):
    for index in range(12):
        drawn = draw(7, index, size=48, backgrounds=kind)
        empty = draw_without_object(7, index, size=48, backgrounds=kind)
        outside = drawn.mask == 0
        np.testing.assert_array_equal(empty[outside], drawn.pixels[outside])
        assert (empty[drawn.mask == 255] != drawn.pixels[drawn.mask == 255]).any()


def test_sea_and_meadow_differ_in_hue_at_any_brightness():
    brightness = {"sea": [], "meadow": []}
    for index in range(60):
        sea, meadow = (
            draw_without_object(15, index, size=32, backgrounds=kind).mean(axis=(0, 1)) for kind in ("sea", "meadow")
        )
        assert sea.argmax() == 2
        assert meadow.argmax() == 1
        brightness["sea"].append(sea @ (0.3, 0.59, 0.11))
        brightness["meadow"].append(meadow @ (0.3, 0.59, 0.11))
    # So neither a dark nor a light picture gives its background away.
    assert abs(np.mean(brightness["sea"]) - np.mean(brightness["meadow"])) < 15
    assert min(np.std(values) for values in brightness.values()) > 40


def test_before_sea_and_meadow_the_object_is_the_same(no_shadow):
    for index in range(12):
        sea, meadow = (draw(16, index, backgrounds=kind) for kind in ("sea", "meadow"))
        np.testing.assert_array_equal(sea.mask, meadow.mask)
        full = sea.mask == 255
        np.testing.assert_array_equal(sea.pixels[full], meadow.pixels[full])


def brute_force_box(mask):
    touched = [(row, column) for row in range(len(mask)) for column in range(len(mask)) if mask[row, column]]
    rows, columns = [row for row, _ in touched], [column for _, column in touched]
    return min(rows), min(columns), max(rows) + 1, max(columns) + 1


def test_a_box_holds_every_pixel_of_its_object_and_is_tight():
    for index in range(10):
        drawn = draw(8, index, size=48)
        assert drawn.box == brute_force_box(drawn.mask)
        scene = draw_scene(8, index, size=48)
        assert list(scene.boxes) == [brute_force_box(mask) for mask in scene.masks]


class FlatPalette(Palette):
    """A palette of a single colour, to see whose pixel is whose."""

    def shade(self, hue, saturation, value):
        return self.main


def test_the_label_map_names_what_is_seen(monkeypatch, no_shadow):
    real_choose = drawing.choose
    flat = [(255, 0, 0, False), (0, 255, 0, False), (0, 0, 255, False)]
    drawn = []

    def one_colour(roll, hues, tone):
        real = real_choose(roll, hues, tone)
        paint = flat[len(drawn)]
        drawn.append(paint)
        return FlatPalette(
            main=paint,
            second=paint,
            accent=paint,
            ink=paint,
            line=paint,
            pale=paint,
            dark=paint,
            edge=real.edge,
            pattern=None,
            hue=0.0,
        )

    monkeypatch.setattr(drawing, "choose", one_colour)
    monkeypatch.setattr(drawing, "_finish", lambda picture, roll: picture)
    real_light = drawing._light
    monkeypatch.setattr(drawing, "_light", lambda roll: drawing._Light(real_light(roll).angle, 0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(drawing, "background", lambda kind, roll, size, tone: np.zeros((size, size, 3), np.float32))
    overlapping = 0
    for index in range(25):
        drawn.clear()
        scene = draw_scene(9, index, objects=(3, 3))
        colours = scene.pixels.reshape(-1, 3)
        background = 255 - colours.sum(axis=1)
        seen = np.concatenate([background[:, None], colours], axis=1)
        np.testing.assert_allclose(scene.masks.reshape(3, -1).T, colours, atol=1)
        first, second = np.sort(seen, axis=1)[:, ::-1][:, :2].T
        sure = first - second > 2
        named = np.array([0, *(label + 1 for label in scene.labels)])[seen.argmax(axis=1)]
        np.testing.assert_array_equal(scene.label_map.ravel()[sure], named[sure])
        overlapping += bool((np.count_nonzero(colours > 40, axis=1) > 1).any())
    assert overlapping > 5


def test_a_nearer_object_hides_a_farther_one():
    far, near = np.full((2, 2), 255, np.uint8), np.array([[255, 128], [0, 0]], np.uint8)
    visible, rest = drawing._visible([far, near])
    np.testing.assert_allclose(visible[1], near / 255, atol=1e-6)
    np.testing.assert_allclose(visible[0], [[0, 127 / 255], [1, 1]], atol=1e-6)
    np.testing.assert_allclose(rest, 0, atol=1e-6)


def test_every_object_of_a_scene_can_be_seen():
    for index in range(80):
        scene = draw_scene(10, index, objects=(1, 3))
        assert 1 <= len(scene.labels) <= 3
        assert len(scene.masks) == len(scene.boxes) == len(scene.labels)
        assert scene.label_map.max() <= 16
        for mask in scene.masks:
            assert (mask > 127).sum() > 60


def test_a_scene_has_as_many_objects_as_asked_and_of_the_classes_asked():
    counts = set()
    for index in range(20):
        scene = draw_scene(11, index, size=32, objects=(2, 4), classes=(0, 13))
        counts.add(len(scene.labels))
        assert set(scene.labels) <= {0, 13}
        assert set(np.unique(scene.label_map)) <= {0, 1, 14}
    assert counts == {2, 3, 4}


def test_unseen_backgrounds_share_nothing_with_training():
    assert not set(textures.TRAINING_PHOTOS) & set(textures.UNSEEN_PHOTOS)
    assert not set(textures.TRAINING_PATTERNS) & set(textures.UNSEEN_PATTERNS)
    training, unseen = ({family for _, family in backgrounds.FAMILIES[kind]} for kind in ("training", "unseen"))
    assert not training & unseen
    assert not set(backgrounds._CLUTTER["training"]) & set(backgrounds._CLUTTER["unseen"])


@pytest.mark.parametrize(
    "kind,photos,patterns",
    [
        ("training", textures.TRAINING_PHOTOS, textures.TRAINING_PATTERNS),
        ("unseen", textures.UNSEEN_PHOTOS, textures.UNSEEN_PATTERNS),
    ],
)
def test_a_background_opens_only_the_photos_of_its_set(monkeypatch, kind, photos, patterns):
    opened: set[str] = set()
    used: set[str] = set()
    real_photo, real_pattern = textures.photo, textures.pattern
    monkeypatch.setattr(textures, "photo", lambda name: (opened.add(name), real_photo(name))[1])
    monkeypatch.setattr(textures, "pattern", lambda name, periods: (used.add(name), real_pattern(name, periods))[1])
    for index in range(400):
        backgrounds.background(kind, drawing.Roll(1, index), 24, 0.5)
    assert opened == set(photos)
    assert used == set(patterns)


@pytest.mark.parametrize("kind", ["training", "unseen"])
def test_families_are_drawn_as_often_as_their_weights_say(kind):
    assert sum(weight for weight, _ in backgrounds.FAMILIES[kind]) == pytest.approx(1.0)


def test_the_classes_are_twelve_to_train_on_and_four_kept():
    assert len(CLASSES) == 16
    assert PRETRAINING_CLASSES + KEPT_CLASSES == CLASSES
    assert KEPT_CLASSES == ("mushroom", "boat", "umbrella", "key")
    assert len(set(CLASSES)) == 16


def test_labels_are_picked_from_the_classes_asked_about_equally_often():
    labels = [draw(12, index, size=16, classes=(2, 5, 9)).label for index in range(300)]
    counts = [labels.count(label) for label in (2, 5, 9)]
    assert sum(counts) == 300
    assert min(counts) > 70


def test_asking_for_a_label_changes_the_object_and_nothing_else():
    picked = draw(13, 4)
    asked = draw(13, 4, label=picked.label)
    np.testing.assert_array_equal(picked.pixels, asked.pixels)
    assert draw(13, 4, label=(picked.label + 1) % 16).label == (picked.label + 1) % 16


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_can_be_drawn_in_many_ways(name):
    drawings = [draw_class(name, index) for index in range(12)]
    assert {drawn.label for drawn in drawings} == {CLASSES.index(name)}
    assert len({sha(drawn.mask) for drawn in drawings}) == 12
    for drawn in drawings:
        assert drawn.pixels.shape == (96, 96, 3)
        assert drawn.pixels.dtype == drawn.mask.dtype == np.uint8
        covered = (drawn.mask > 127).mean()
        assert 0.01 < covered < 0.65
        inside = drawn.pixels[drawn.mask > 127]
        assert inside.std() > 4


def test_most_of_an_object_lies_inside_the_picture():
    inside = []
    for index in range(40):
        large = draw(14, index, size=64)
        touching = sum(
            bool(edge.any()) for edge in (large.mask[0], large.mask[-1], large.mask[:, 0], large.mask[:, -1])
        )
        inside.append(touching == 0)
    assert np.mean(inside) > 0.5


def test_a_sheet_has_a_row_per_class():
    sheet = contact_sheet(3, columns=2, size=32, classes=(0, 4, 7), gap=1)
    assert sheet.shape == (3 * 33 - 1, 2 * 33 - 1, 3)
    assert (sheet[32] == 255).all()
    np.testing.assert_array_equal(sheet[33:65, 33:65], draw(3, 3, size=32, label=4).pixels)


def test_an_empty_batch_has_the_right_shapes():
    pixels, labels, masks = draw_batch(1, [], size=20)
    assert pixels.shape == (0, 20, 20, 3)
    assert labels.shape == (0,)
    assert masks.shape == (0, 20, 20)


@pytest.mark.parametrize(
    "call",
    [
        lambda: draw(1, 1, size=8),
        lambda: draw(1, 1, label=16),
        lambda: draw(1, 1, label=-1),
        lambda: draw(1, 1, classes=()),
        lambda: draw(-1, 1),
        lambda: draw(1, -1),
        lambda: draw(1, 1, backgrounds="other"),
        lambda: draw_without_object(1, 1, size=8),
        lambda: draw_without_object(1, 1, backgrounds="other"),
        lambda: draw_class("dragon", 1),
        lambda: draw_scene(1, 1, objects=(0, 2)),
        lambda: draw_scene(1, 1, objects=(3, 2)),
        lambda: draw_scene(1, 1, classes=(99,)),
    ],
)
def test_what_cannot_be_drawn_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_drawing_needs_neither_keras_nor_streamlit():
    code = (
        "import sys; from explorer.pictures import drawn_world; drawn_world.draw(1, 1);"
        "heavy = ('keras', 'tensorflow', 'streamlit', 'skimage.data');"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert in_another_process(code).strip() == "[]"


def test_the_package_offers_what_the_module_defines():
    from explorer.pictures import drawn_world

    for name in drawn_world.__all__:
        assert getattr(drawn_world, name) is getattr(drawing, name)
    with pytest.raises(AttributeError):
        _ = drawn_world.nothing
