"""Augmentation: off it changes nothing, on it changes each picture by chance, and masks follow the geometry alone."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from scipy import ndimage

from explorer.networks.work_context import SentenceError
from explorer.runs.data import augmentation
from explorer.runs.data.augmentation import Augmentation, examples
from explorer.runs.data.augmentation_knobs import GENTLE, GEOMETRY, KNOBS, augmentation_settings
from explorer.runs.data.loading import load

SCENES = load({"source": "drawn_scenes", "pictures": 20, "validation": 10, "target": "classes"}, seed=0).training
PIXELS, MASKS = SCENES.pixels[:8], SCENES.masks[:8]
ON = {
    "flip": "both",
    "rotation": 40.0,
    "shift": 0.2,
    "zoom": 0.3,
    "crop": 0.4,
    "brightness": 0.3,
    "contrast": 0.5,
    "saturation": 0.8,
    "hue": 0.3,
    "noise": 0.1,
    "cutout": 0.4,
    "mixup": 0.5,
}
COLOURS = sorted(set(ON) - set(GEOMETRY))


def settings(**values: object) -> dict[str, object]:
    return {f"augment_{name}": value for name, value in values.items()}


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return (first & second).sum() / (first | second).sum()


@pytest.fixture
def fully(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let chance always say: as much as the strength allows."""
    monkeypatch.setattr(augmentation._Chance, "signed", lambda self, name, shape: np.ones(shape))


def test_strength_nought_is_the_identity() -> None:
    off = Augmentation({}, seed=1)
    labels = np.arange(8)
    batch = off(PIXELS, labels=labels, masks=MASKS)
    assert not off.changes and not off.mixes
    assert np.array_equal(batch.inputs, SCENES.inputs()[:8]) and batch.inputs.dtype == np.float32
    assert batch.masks is not None and np.array_equal(batch.masks, MASKS) and np.array_equal(batch.labels, labels)


@pytest.mark.parametrize("name", ON)
def test_every_setting_changes_pictures_and_stays_within_black_and_white(name: str) -> None:
    changed = Augmentation(settings(**{name: ON[name]}), seed=1)(PIXELS)
    assert changed.inputs.shape == PIXELS.shape and changed.inputs.dtype == np.float32
    assert changed.inputs.min() >= 0 and changed.inputs.max() <= 1
    assert not np.array_equal(changed.inputs, SCENES.inputs()[:8])


@pytest.mark.parametrize("channels", [1, 3])
def test_seed_and_step_decide_everything(channels: int) -> None:
    pixels = PIXELS[..., :channels]
    first, again, later, other = (
        Augmentation(settings(**ON), seed)(pixels, step=step).inputs for seed, step in ((1, 5), (1, 5), (1, 6), (2, 5))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, later) and not np.array_equal(first, other)


@pytest.mark.parametrize("name", COLOURS)
def test_masks_do_not_follow_colours(name: str) -> None:
    masks = Augmentation(settings(**{name: ON[name]}), seed=3)(PIXELS, masks=MASKS).masks
    assert np.array_equal(masks, MASKS)


def test_flips_are_exact_and_masks_flip_with_them() -> None:
    batch = Augmentation(settings(flip="both"), seed=0)(PIXELS, masks=MASKS)
    pixels = np.rint(batch.inputs * 255).astype(np.uint8)
    seen = set()
    for number in range(8):
        for way, axes in (("as it was", ()), ("left", (1,)), ("top", (0,)), ("both", (0, 1))):
            if np.array_equal(pixels[number], np.flip(PIXELS[number], axes)):
                assert batch.masks is not None
                assert np.array_equal(batch.masks[number], np.flip(MASKS[number], axes))
                seen.add(way)
                break
        else:
            pytest.fail("neither as it was nor mirrored")
    assert len(seen) >= 3


@pytest.mark.usefixtures("fully")
@pytest.mark.parametrize("degrees", [30.0, 90.0, 137.0])
def test_a_turned_mask_is_the_turned_shape(degrees: float) -> None:
    yy, xx = np.mgrid[:96, :96] + 0.5

    def bar(turn: float) -> np.ndarray:
        """Return a rectangle of 60 × 20 around (40, 52), turned about the middle of the picture."""
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        x, y = cos * (xx - 48) - sin * (yy - 48) + 48, sin * (xx - 48) + cos * (yy - 48) + 48
        return (np.abs(x - 40) < 30) & (np.abs(y - 52) < 10)

    mask = bar(0.0).astype(np.uint8)
    turned = Augmentation(settings(rotation=degrees, border="black"), 0)(mask[None, ..., None] * 255, masks=mask[None])
    assert turned.masks is not None
    assert iou(turned.masks[0] > 0, bar(degrees)) > 0.96
    assert iou(turned.inputs[0, ..., 0] > 0.5, bar(degrees)) > 0.96
    assert set(np.unique(turned.masks)) == {0, 1}


@pytest.mark.usefixtures("fully")
def test_shift_and_zoom_are_those_of_scipy() -> None:
    shifted = Augmentation(settings(shift=0.25, border="black"), 0)(PIXELS, masks=MASKS)
    truth = np.zeros_like(MASKS)
    truth[:, :48, :48] = MASKS[:, 16:, 16:]
    assert shifted.masks is not None and np.array_equal(shifted.masks, truth)
    zoomed = Augmentation(settings(zoom=0.5), 0)(PIXELS[:1])
    plane = PIXELS[0, ..., 0] / 255.0
    # Pixel i has its middle at i + 1/2; the middle of the picture stays where it is.
    theirs = ndimage.affine_transform(plane, np.eye(2) / 1.5, offset=32 - 0.5 - (32 - 0.5) / 1.5, order=1)
    inner = slice(2, -2)
    assert np.abs(zoomed.inputs[0, inner, inner, 0] - theirs[inner, inner]).max() < 0.02


def test_picture_and_mask_go_the_same_way_whatever_happens() -> None:
    yy, xx = np.mgrid[:64, :80]
    blob = ((xx - 30) ** 2 / 400 + (yy - 36) ** 2 / 150 < 1).astype(np.uint8)
    pictures = np.repeat(blob[None, ..., None] * 255, 12, axis=0)
    masks = np.repeat(blob[None], 12, axis=0)
    every = settings(flip="both", rotation=180.0, shift=0.2, zoom=0.4, crop=0.4)
    batch = Augmentation(every, 4)(pictures, masks=masks)
    assert batch.masks is not None
    for picture, mask in zip(batch.inputs[..., 0] > 0.5, batch.masks > 0, strict=True):
        assert iou(picture, mask) > 0.93


@pytest.mark.usefixtures("fully")
@pytest.mark.parametrize(("border", "value"), [("mirror", 200), ("repeat", 10), ("black", 0)])
def test_what_comes_in_from_beyond_the_edge(border: str, value: int) -> None:
    picture = np.full((1, 16, 16, 1), 200, np.uint8)
    picture[:, :, -1] = 10
    moved = Augmentation(settings(shift=0.25, border=border), 0)(picture).inputs[0, :, :, 0] * 255
    assert moved[2, -1] == pytest.approx(value) and moved[2, 11] == pytest.approx(10)


def test_a_crop_shows_a_part_of_the_picture_and_nothing_else() -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))[None, ..., None].repeat(30, axis=0)
    rows = Augmentation(settings(crop=0.5), 0)(ramp).inputs[:, 32, :, 0] * 255
    assert np.all(np.diff(rows, axis=1) >= -1.01)  # no mirrored border comes in
    kept = (rows[:, -2] - rows[:, 1]) / (4 * 61)
    assert kept.min() > 0.45 and kept.max() <= 1.02 and kept.std() > 0.05


@pytest.mark.usefixtures("fully")
def test_brightness_contrast_and_saturation_follow_their_formulas() -> None:
    plane = np.array([[[[100, 50, 20], [40, 90, 60]]]], np.uint8)
    values = plane / 255
    grey = values @ [0.299, 0.587, 0.114]
    brighter = Augmentation(settings(brightness=0.2), 0)(plane).inputs
    assert np.allclose(brighter, values + 0.2, atol=1e-6)
    stronger = Augmentation(settings(contrast=0.3), 0)(plane).inputs
    assert np.allclose(stronger, grey.mean() + 1.3 * (values - grey.mean()), atol=1e-6)
    fuller = Augmentation(settings(saturation=0.4), 0)(plane).inputs
    assert np.allclose(fuller, grey[..., None] + 1.4 * (values - grey[..., None]), atol=1e-6)


@pytest.mark.usefixtures("fully")
def test_a_third_of_a_turn_of_hue_swaps_the_channels() -> None:
    plane = np.array([[[[200, 50, 20]]]], np.uint8)
    turned = Augmentation(settings(hue=1 / 3), 0)(plane).inputs[0, 0, 0]
    assert np.allclose(turned, np.array([20, 200, 50]) / 255, atol=1e-6)
    before, after = colorsys.rgb_to_hsv(*plane[0, 0, 0] / 255)[0], colorsys.rgb_to_hsv(*turned)[0]
    assert (after - before) % 1 == pytest.approx(1 / 3, abs=1e-3)


def test_grey_pictures_stay_grey_whatever_the_hue() -> None:
    grey = np.repeat(np.arange(0, 256, 4, dtype=np.uint8).reshape(1, 8, 8, 1), 3, axis=-1)
    changed = Augmentation(settings(hue=0.5, saturation=1.0), 0)(grey).inputs
    assert np.allclose(changed, grey / 255, atol=1e-5)


def test_noise_has_its_deviation_and_cutout_its_share() -> None:
    grey = np.full((20, 64, 64, 1), 128, np.uint8)
    noisy = Augmentation(settings(noise=0.1), 0)(grey).inputs
    assert noisy.std() == pytest.approx(0.1, rel=0.03)
    cut = Augmentation(settings(cutout=0.5), 0)(np.zeros_like(grey)).inputs == 0.5
    shares = cut.mean(axis=(1, 2, 3))
    assert shares.max() <= 0.25 + 0.02 and shares.min() > 0 and shares.mean() > 0.05


def test_mixup_mixes_labels_as_it_mixes_pictures() -> None:
    plane = np.zeros((10, 4, 4, 1), np.uint8)
    plane[5:] = 255
    labels = np.eye(2, dtype=np.float32)[[0] * 5 + [1] * 5]
    mixed = Augmentation(settings(mixup=1.0), 2)(plane, labels=labels)
    assert mixed.labels is not None and mixed.labels.shape == (10, 2)
    assert np.allclose(mixed.inputs.mean(axis=(1, 2, 3)), mixed.labels[:, 1], atol=1e-6)
    assert np.allclose(mixed.labels.sum(axis=1), 1) and np.any((mixed.labels > 0.05) & (mixed.labels < 0.95))
    assert np.array_equal(mixed.labels.argmax(axis=1), labels.argmax(axis=1))
    with pytest.raises(ValueError, match="one-hot"):
        Augmentation(settings(mixup=1.0), 2)(plane, labels=np.zeros(10))


def test_a_slider_changes_nothing_but_what_it_is_for() -> None:
    few, more = (
        Augmentation(settings(flip="horizontal", rotation=turn), 7)(PIXELS, masks=MASKS).masks for turn in (1.0, 4.0)
    )
    assert few is not None and more is not None
    # The same pictures are mirrored, and those turned by a little more are nearly the same.
    assert min(iou(one > 0, two > 0) for one, two in zip(few, more, strict=True)) > 0.75


def test_examples_are_for_looking_at() -> None:
    shown, masks = examples(PIXELS[:3], MASKS[:3], dict(GENTLE), seed=0, n=5)
    assert shown.shape == (3, 5, 64, 64, 3) and shown.dtype == np.uint8
    assert masks is not None and masks.shape == (3, 5, 64, 64)
    assert not np.array_equal(shown[:, 0], shown[:, 1])
    same, none = examples(PIXELS[:3], None, {}, seed=0, n=2)
    assert none is None and np.array_equal(same[:, 1], PIXELS[:3])


def test_settings_are_checked_and_what_is_missing_is_off() -> None:
    assert set(augmentation_settings({})) == {knob.name for knob in KNOBS}
    assert augmentation_settings({"epochs": 3, "augment_zoom": 0.2})["augment_zoom"] == 0.2
    assert set(GENTLE) <= {knob.name for knob in KNOBS}
    with pytest.raises(SentenceError, match="Rotation"):
        Augmentation(settings(rotation=1000.0), 0)
