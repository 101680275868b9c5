"""Pictures whose backgrounds give their classes away: which stand where, and that only the background is swapped."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.pictures.drawn_world import draw
from explorer.pictures.sources import DRAWN_SIDE, resolve
from explorer.runs.shortcut_pictures import addresses, drawn, of_all_kinds, without_objects

NAMES = ("boat", "mushroom")


@pytest.mark.parametrize(("bias", "own"), [(1.0, 20), (0.9, 18), (0.5, 10)])
def test_each_class_stands_before_its_own_background_as_often_as_asked(bias: float, own: int) -> None:
    given = addresses(NAMES, 3, 20, "training", bias)
    for label, background in enumerate(("sea", "meadow")):
        of_class = [each for each in given if each.label == label]
        assert len(of_class) == 20
        assert sum(each.backgrounds == background for each in of_class) == own


def test_exceptions_are_spread_and_both_classes_have_as_many() -> None:
    given = addresses(NAMES, 0, 100, "training", 0.9)
    odd = [
        number // 2 for number, each in enumerate(given) if each.swapped().backgrounds == ("sea", "meadow")[each.label]
    ]
    assert len(odd) == 20
    assert max(np.diff(sorted(set(odd)))) <= 10


def test_training_and_validation_are_of_different_worlds() -> None:
    training, validation = (addresses(NAMES, 7, 5, part) for part in ("training", "validation"))
    assert not {each.world for each in training} & {each.world for each in validation}
    assert {each.world for each in training} != {each.world for each in addresses(NAMES, 8, 5, "training")}


def test_swapping_changes_the_background_alone() -> None:
    given = addresses(NAMES, 1, 4, "validation")
    same, swapped = (drawn(each, NAMES, 48) for each in (given, [each.swapped() for each in given]))
    np.testing.assert_array_equal(same.labels, swapped.labels)
    assert [each.swapped().swapped() for each in given] == given
    for address, one, other in zip(given, same.pixels, swapped.pixels, strict=True):
        mask = draw(address.world, address.number, size=48, label=address.kind, backgrounds="sea").mask
        full = mask == 255
        # The camera's grain and light are the same in both, so where nothing shines through so is every pixel.
        np.testing.assert_array_equal(one[full], other[full])
        assert (one[mask == 0] != other[mask == 0]).mean() > 0.9


def test_the_background_alone_is_that_of_the_picture() -> None:
    given = addresses(NAMES, 2, 3, "validation")
    pictures, empty = drawn(given, NAMES, 48), without_objects(given, 48)
    for address, picture, bare in zip(given, pictures.pixels, empty, strict=True):
        mask = draw(address.world, address.number, size=48, label=address.kind, backgrounds="sea").mask
        corner_free = mask == 0
        # A shadow may darken what is beside the object, nothing else changes there.
        assert (picture[corner_free] <= bare[corner_free]).all()


def test_every_picture_opens_on_the_other_pages_by_its_name() -> None:
    given = addresses(NAMES, 5, 1, "validation")
    for address in (given[0], given[1].swapped(), of_all_kinds(given, "unseen")[0]):
        picture = resolve(address.name)
        truth = draw(
            address.world, address.number, size=DRAWN_SIDE, label=address.kind, backgrounds=address.backgrounds
        )
        np.testing.assert_array_equal(picture.pixels, truth.pixels)
