"""Names in a chart of discs: none lies over a disc, a line, another name or the border."""

from __future__ import annotations

import math
import random

import pytest

from explorer.interface.figures.name_places import Box, Disc, box_of, place_names

WIDTH, HEIGHT, SIZE = 300, 200, 11


def touches(box, disc):
    """Whether any of many points on the disc's rim, or its centre, lies in the box."""
    rim = [
        (disc.x + share * disc.radius * math.cos(turn / 50), disc.y + share * disc.radius * math.sin(turn / 50))
        for turn in range(315)
        for share in (0.0, 0.5, 0.98)
    ]
    return any(box.left <= x <= box.right and box.top <= y <= box.bottom for x, y in rim)


@pytest.mark.parametrize("seed", range(10))
def test_no_name_lies_over_a_disc_or_another_name(seed):
    random.seed(seed)
    discs = [Disc(random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(3, 20)) for _ in range(25)]
    names = [(at, f"Network {at}") for at in range(25)]
    found = place_names(names, discs, [], WIDTH, HEIGHT, SIZE)
    boxes = [box_of(names[at][1], discs[at], side, SIZE) for at, side in found.items()]
    assert boxes
    for number, box in enumerate(boxes):
        assert box.left >= 0 and box.right <= WIDTH
        assert not any(touches(box, disc) for disc in discs)
        for other in boxes[:number]:
            assert box.right < other.left or other.right < box.left or box.bottom < other.top or other.bottom < box.top


def test_a_lone_disc_has_its_name_above_to_the_left_where_there_is_room():
    assert place_names([(0, "one")], [Disc(150, 100, 5)], [], WIDTH, HEIGHT, SIZE) == {0: "top left"}
    assert place_names([(0, "one")], [Disc(4, 100, 3)], [], WIDTH, HEIGHT, SIZE) == {0: "top right"}


def test_the_more_important_name_takes_the_place():
    discs = [Disc(96, 8, 4), Disc(97, 8, 4)]  # at the right border of a flat plot: there is room for one name
    names = [(0, "the name of one"), (1, "that of another")]
    assert list(place_names(names, discs, [], 100, 16, SIZE)) == [0]
    assert list(place_names(names[::-1], discs, [], 100, 16, SIZE)) == [1]


def test_a_name_without_a_free_place_is_left_out():
    wall = [Box(0, 0, WIDTH, HEIGHT)]
    assert place_names([(0, "one")], [Disc(150, 100, 5)], wall, WIDTH, HEIGHT, SIZE) == {}
