"""Occlusion is what covering the picture by hand, window by window, gives."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.explanations.explain import explain
from explorer.explanations.methods.occlusion import mean_over_windows, starts
from explorer.networks.work_context import Stopped
from tests.explanations.perturbed_networks import (
    Listening,
    convolutional,
    counting_batches,
    linear,
    linear_weights,
    logits,
    pictures,
)

pytestmark = pytest.mark.backends


def by_hand(model, picture, index, side, step, cover):
    """Cover one window after the other with NumPy, ask the model, and average where windows overlap."""
    height, width = picture.shape[:2]
    base = logits(model, picture[None])[0, index]
    total, times = np.zeros((height, width)), np.zeros((height, width))
    top = 0
    while True:
        left = 0
        while True:
            changed = picture.copy()
            changed[top : top + side, left : left + side] = cover
            total[top : top + side, left : left + side] += base - logits(model, changed[None])[0, index]
            times[top : top + side, left : left + side] += 1
            if left + side >= width:
                break
            left += step
        if top + side >= height:
            break
        top += step
    assert times.min() >= 1
    return total / times


@pytest.mark.parametrize(("window", "stride"), [(0.25, 0.5), (0.3, 1.0), (0.5, 0.3)])
def test_occlusion_is_what_covering_by_hand_gives(window, stride):
    model, picture = convolutional(), pictures((16, 12, 3))
    found = explain(model, picture, 2, "occlusion", window=window, stride=stride, baseline="black")
    side = max(1, round(window * 12))
    expected = by_hand(model, picture[0], 2, side, max(1, round(stride * side)), 0.0)
    np.testing.assert_allclose(found.maps[0], expected, atol=1e-5 * np.abs(expected).max() + 1e-6)


def test_of_a_linear_network_every_pixel_has_its_own_share():
    model, picture = linear(), pictures((9, 7, 3))
    weights, _ = linear_weights(model)
    found = explain(model, picture, 1, "occlusion", window=0.05, stride=1.0, baseline="white")
    expected = ((picture[0] - 1) * weights[..., 1]).sum(axis=-1)
    np.testing.assert_allclose(found.maps[0], expected, atol=2e-5)


def test_each_of_several_pictures_is_explained_as_if_alone():
    model, several = convolutional(), pictures((16, 12, 3), 3)
    together = explain(model, several, None, "occlusion")
    for number in range(3):
        alone = explain(model, several[number : number + 1], None, "occlusion")
        assert alone.indices[0] == together.indices[number]
        np.testing.assert_allclose(together.maps[number], alone.maps[0], atol=1e-6)


def test_class_against_class_is_the_difference_of_their_maps():
    from explorer.explanations.results import Target

    model, picture = convolutional(), pictures((16, 12, 3))
    first, second = (explain(model, picture, index, "occlusion").maps for index in (0, 3))
    found = explain(model, picture, Target(index=0, against=3), "occlusion").maps
    np.testing.assert_allclose(found, first - second, atol=1e-5)


def test_the_batch_changes_nothing_but_the_cost():
    model, picture = convolutional(), pictures((16, 12, 3))
    small, large = (explain(model, picture, 0, "occlusion", batch=batch) for batch in (1, 64))
    np.testing.assert_allclose(small.maps, large.maps, atol=1e-6)
    assert small.cost.forward == large.cost.forward
    assert small.cost.batch == 1 < large.cost.batch <= 64


@pytest.mark.parametrize(("length", "side", "stride"), [(96, 14, 7), (5, 5, 2), (5, 9, 1), (7, 1, 1), (10, 3, 3)])
def test_windows_leave_no_place_uncovered(length, side, stride):
    begins = starts(length, side, stride)
    covered = np.zeros(length + side)
    for begin in begins:
        covered[begin : begin + side] += 1
    assert covered[:length].min() >= 1
    assert len(begins) == 1 or begins[-2] + side < length  # and none more than is needed


def test_overlapping_windows_are_averaged_not_summed():
    found = mean_over_windows(np.full((3, 2), 5.0), np.array([0, 2, 4]), np.array([0, 3]), (4, 4), (8, 7))
    np.testing.assert_allclose(found, 5.0)


def test_after_stop_at_most_one_more_batch_is_computed(monkeypatch):
    context = Listening(stop_after=3)
    counting_batches(monkeypatch, context)
    with pytest.raises(Stopped):
        explain(
            convolutional(), pictures((16, 12, 3)), 0, "occlusion", window=0.1, stride=1.0, batch=4, context=context
        )
    assert context.batches <= 4


def test_progress_counts_windows_to_the_end():
    context = Listening()
    found = explain(convolutional(), pictures((16, 12, 3), 2), 0, "occlusion", context=context)
    counted = [(done, total) for done, total, unit, _ in context.reports if unit == "windows"]
    windows = found.facts[0][0].value
    assert counted[0] == (0, 2 * windows) and counted[-1] == (2 * windows, 2 * windows)
    assert [done for done, _ in counted] == sorted(done for done, _ in counted)
