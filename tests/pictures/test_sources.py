"""The words of a link are checked before they become a picture."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.pictures.drawn_digits import draw_digit
from explorer.pictures.drawn_world import CLASSES, draw, draw_scene
from explorer.pictures.picture import PictureError
from explorer.pictures.sources import DEFAULT_SOURCE, DRAWN_SIDE, SHOW_SEED, mask_of, resolve


def test_the_first_picture_is_drawn():
    picture = resolve(DEFAULT_SOURCE)
    assert picture.is_drawn and picture.source == DEFAULT_SOURCE
    assert picture.pixels.shape == (DRAWN_SIDE, DRAWN_SIDE, 3)


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_the_drawn_world_has_an_address(name):
    first, again, other = (resolve(f"drawn:{name}:{index}") for index in (0, 0, 9999))
    assert first == again and first.source == f"drawn:{name}:0"
    assert not np.array_equal(first.pixels, other.pixels)


def test_scenes_have_addresses():
    picture = resolve("scene:12")
    assert picture.source == "scene:12" and picture.is_drawn
    assert picture.sha256 == resolve("scene:12").sha256 != resolve("scene:13").sha256


def test_samples_have_addresses():
    assert resolve("sample:astronaut").source == "sample:astronaut"


def test_an_index_has_one_canonical_address():
    assert resolve("scene:0007").source == "scene:7"


@pytest.mark.parametrize("source", ["upload:" + "ab" * 32, "upload:", "upload:nonsense"])
def test_an_upload_is_asked_for_again(source):
    with pytest.raises(PictureError, match="upload that file again"):
        resolve(source)


def test_a_webcam_picture_is_asked_for_again():
    with pytest.raises(PictureError, match="take the picture again"):
        resolve("webcam:" + "ab" * 32)


@pytest.mark.parametrize(
    "source",
    [
        *["", ":", "::", "drawn", "drawn:", "drawn:cat", "drawn:cat:", "drawn:Cat:3", "DRAWN:cat:3"],
        *[f"drawn:cat:{index}" for index in ("-1", "10000", "3.0", "3 ", "٣", "³", "0x3", "3:4", "\n3", "3\n")],
        *["drawn:dragon:3", "drawn:😀:3", "drawn:cat:" + "9" * 50, "x" * 10_000_000, "\ud800"],
        *["scene", "scene:", "scene:-1", "scene:1e3", "scene:12345"],
        *["sample:", "sample:nope", "sample:../camera", "sample:camera\0"],
        *["file:///etc/passwd", "http://example.org/cat.png", None, 3],
    ],
)
def test_nonsense_gets_one_sentence(source):
    with pytest.raises(PictureError) as caught:
        resolve(source)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "choose" in sentence and len(sentence) < 250


@pytest.mark.parametrize("name", ["cat", "bicycle", "key"])
def test_of_a_drawn_picture_the_true_mask_is_known(name):
    mask = mask_of(f"drawn:{name}:5")
    drawing = draw(SHOW_SEED, 5, size=DRAWN_SIDE, label=CLASSES.index(name))
    assert mask.shape == (DRAWN_SIDE, DRAWN_SIDE) and mask.dtype == bool
    np.testing.assert_array_equal(drawing.pixels, resolve(f"drawn:{name}:5").pixels)
    assert mask.sum() * 255 == pytest.approx(drawing.mask.sum(dtype=float), rel=0.02)
    top, left, bottom, right = drawing.box
    assert mask[top:bottom, left:right].sum() == mask.sum() > 0


@pytest.mark.parametrize("source", ["scene:3", "sample:astronaut", "upload:" + "ab" * 32, "nonsense", "", None])
def test_of_other_pictures_no_mask_is_known(source):
    assert mask_of(source) is None


@pytest.mark.parametrize("source", ["drawn:dragon:3", "drawn:cat:10000", "drawn:cat:"])
def test_a_picture_that_cannot_be_drawn_has_no_mask_but_a_sentence(source):
    with pytest.raises(PictureError, match="choose"):
        mask_of(source)


# --- pictures of training runs ---


def test_a_picture_of_a_run_has_an_address_that_says_its_world_and_backgrounds() -> None:
    picture = resolve("drawn:boat:0123:5000003:unseen")
    assert picture.source == "drawn:boat:123:5000003:unseen" and picture.is_drawn
    truth = draw(5000003, 123, size=DRAWN_SIDE, label=CLASSES.index("boat"), backgrounds="unseen")
    assert np.array_equal(picture.pixels, truth.pixels)
    assert np.array_equal(mask_of("drawn:boat:123:5000003:unseen"), truth.mask >= 128)


def test_a_scene_of_a_run_says_which_classes_it_may_show() -> None:
    picture = resolve("scene:7:5000000:plain:3")
    truth = draw_scene(5000000, 7, size=DRAWN_SIDE, classes=[0, 1], backgrounds="plain")
    assert picture.source == "scene:7:5000000:plain:3" and np.array_equal(picture.pixels, truth.pixels)


def test_a_digit_has_an_address() -> None:
    picture = resolve("digit:7:12:5000000:10")
    assert picture.source == "digit:7:12:5000000:10" and picture.pixels.shape == (28, 28, 3)
    assert np.array_equal(picture.pixels[..., 1], draw_digit(5000000, 12, 7, noise=0.1))


@pytest.mark.parametrize(
    "source",
    [
        *["drawn:cat:3:5000000", "drawn:cat:3:5000000:", "drawn:cat:3:5000000:snow", "drawn:cat:3:38401:unseen"],
        *["drawn:cat:3:5000000:unseen:1", "drawn:cat:123456:5000000:unseen", "drawn:cat:3:-5000000:unseen"],
        *["scene:3:5000000:unseen", "scene:3:5000000:unseen:0", "scene:3:5000000:unseen:FF", "scene:3:5000000:x:3"],
        *["digit:", "digit:10:1:5000000:10", "digit:3:1:5000000:", "digit:3:1:5000000:1000", "digit:3:1:1:10"],
    ],
)
def test_other_words_about_a_run_are_refused(source: str) -> None:
    with pytest.raises(PictureError, match="choose"):
        resolve(source)
