"""The box of a map holds its largest strong region, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.explanations.box import above, box_of
from explorer.explanations.table import METHODS, has_box


def test_the_box_of_a_rectangle_is_the_rectangle():
    values = np.zeros((20, 30))
    values[4:9, 12:25] = 2.0
    assert box_of(values) == (4, 12, 9, 25)


def test_weak_places_and_smaller_regions_do_not_count():
    values = np.full((20, 20), 0.29)
    values[2:4, 2:4] = 1.0  # small, but highest
    values[10:16, 10:17] = 0.31
    assert box_of(values) == (10, 10, 16, 17)
    assert box_of(values, share=0.5) == (2, 2, 4, 4)


def test_places_that_touch_by_a_corner_belong_together():
    assert box_of(np.eye(5)) == (0, 0, 5, 5)


def test_of_two_regions_of_one_size_the_stronger_counts():
    values = np.zeros((4, 9))
    values[1, 1:3], values[1, 6:8] = 0.8, 1.0
    assert box_of(values) == (1, 6, 2, 8)


@pytest.mark.parametrize("values", [np.zeros((3, 3)), -np.ones((3, 3)), np.full((3, 3), np.nan)])
def test_a_map_without_positive_values_has_no_box(values):
    assert box_of(values) is None and not above(values).any()


def test_what_is_not_a_number_counts_as_nothing():
    values = np.array([[np.nan, 1.0], [np.nan, 0.1]])
    assert box_of(values) == (0, 1, 1, 2)


def test_a_constant_map_points_everywhere():
    assert box_of(np.ones((3, 5))) == (0, 0, 3, 5)


@pytest.mark.parametrize("share", [0, -1, 1.1])
def test_a_share_has_limits(share):
    with pytest.raises(ValueError, match="share"):
        box_of(np.ones((2, 2)), share)


def test_only_maps_of_regions_have_a_box_that_means_something() -> None:
    boxed = {name for name in METHODS if has_box(name)}
    assert {"grad_cam", "occlusion", "lime", "rise"} <= boxed
    assert not boxed & {"saliency", "smoothgrad", "guided_backprop", "guided_grad_cam"}
    with pytest.raises(KeyError, match="no method"):
        has_box("nothing")
