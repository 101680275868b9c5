"""Scores of maps agree with curves drawn by hand, with SciPy, and with what a counted example says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.explanations.faithfulness import (
    agreement,
    area_under,
    curves,
    judged,
    overlap,
    pixel_ranks,
    points_at,
    random_map,
    rank_correlation,
)
from explorer.explanations.results import Target
from explorer.networks.work_context import SentenceError, Stopped
from tests.explanations.perturbed_networks import (
    Listening,
    convolutional,
    counting_batches,
    linear,
    linear_weights,
    logits,
    pictures,
)

SHAPE = (9, 7, 3)


def softmax(values):
    exponent = np.exp(values - values.max(axis=-1, keepdims=True))
    return exponent / exponent.sum(axis=-1, keepdims=True)


def maps_of(count=2, seed=0, size=SHAPE[:2]):
    return [np.random.default_rng([seed, number]).normal(size=size).astype(np.float32) for number in range(count)]


def by_hand(model, picture, values, index, start, end, steps):
    """Replace pixels one after the other in the order of the map, and ask the model at each step."""
    changed, probabilities, shares = start.copy(), [], []
    order = np.dstack(np.unravel_index(np.argsort(-values, axis=None), values.shape))[0]
    done = 0
    for step in range(steps + 1):
        until = round(step * len(order) / steps)
        for row, column in order[done:until]:
            changed[row, column] = end[row, column]
        done = until
        probabilities.append(softmax(logits(model, changed[None])[0])[index])
        shares.append(done / len(order))
    return np.array(shares), np.array(probabilities)


@pytest.mark.backends
def test_curves_are_what_replacing_pixel_after_pixel_gives():
    model, picture = convolutional(), pictures((16, 12, 3))
    maps = maps_of(size=(16, 12))
    dim = np.full_like(picture[0], 0.2)
    found = curves(model, picture, maps, 1, inserted_into=dim, deleted_to="black", steps=10)
    for values, both in zip(maps, found, strict=True):
        for curve, start, end in (
            (both.insertion, dim, picture[0]),
            (both.deletion, picture[0], np.zeros_like(dim)),
        ):
            shares, probabilities = by_hand(model, picture[0], values, 1, start, end, 10)
            np.testing.assert_allclose(curve.shares, shares, atol=1e-6)
            np.testing.assert_allclose(curve.scores, probabilities, atol=1e-5)
    assert found[0].insertion.baseline == "own" and found[0].deletion.baseline == "black"


@pytest.mark.backends
def test_on_a_linear_network_the_curves_have_a_closed_form():
    model, picture = linear(SHAPE, classes=2), pictures(SHAPE)
    weights, bias = linear_weights(model)
    each = (picture[0][..., None] * weights).sum(axis=2).reshape(-1, 2)
    values = each[:, 0] - each[:, 1]
    order = np.argsort(-values)
    gap = np.concatenate([[0], np.cumsum(values[order])]) + bias[0] - bias[1]
    found = curves(model, picture, [values.reshape(SHAPE[:2])], 0, inserted_into=0.0, deleted_to=0.0, steps=63)[0]
    np.testing.assert_allclose(found.insertion.scores, 1 / (1 + np.exp(-gap)), atol=1e-5)
    gone = gap[-1] - np.concatenate([[0], np.cumsum(values[order])])
    np.testing.assert_allclose(found.deletion.scores, 1 / (1 + np.exp(-gone)), atol=1e-5)
    # No order inserts faster or deletes faster than that of the pixels' own shares.
    random = curves(model, picture, maps_of(5), 0, inserted_into=0.0, deleted_to=0.0, steps=63)
    assert all(found.insertion.area > other.insertion.area for other in random)
    assert all(found.deletion.area < other.deletion.area for other in random)


@pytest.mark.backends
def test_of_a_channel_its_value_is_followed():
    model, picture = convolutional(), pictures((16, 12, 3))
    target = Target("channel", index=2, layer="relu_2")
    found = curves(model, picture, maps_of(1, size=(16, 12)), target, steps=4)[0]
    from explorer.networks.activations import activations

    value = activations(model, picture, ["relu_2"])["relu_2"][0, ..., 2].mean()
    assert found.insertion.scores[-1] == found.deletion.scores[0] == pytest.approx(value, abs=1e-5)


def test_the_area_is_by_the_trapezoid_rule():
    assert area_under(np.array([0, 0.5, 1]), np.array([0.0, 1.0, 0.5])) == pytest.approx(0.25 + 0.375)


def test_ranks_put_the_highest_first_and_shuffle_ties():
    ranks = pixel_ranks(np.array([[3.0, 9.0], [np.nan, 5.0]]))
    assert ranks.tolist() == [[2, 0], [3, 1]]
    flat = np.zeros((40, 40))
    flat[:2] = 1
    ranks = pixel_ranks(flat, seed=1)
    assert sorted(ranks.ravel()) == list(range(1600)) and ranks[:2].max() == 79
    assert abs(spearmanr(ranks[2:].ravel(), np.arange(38 * 40)).statistic) < 0.1
    np.testing.assert_array_equal(ranks, pixel_ranks(flat, seed=1))
    assert (ranks != pixel_ranks(flat, seed=2)).any()


def test_agreement_is_scipy_s_rank_correlation_also_with_ties():
    maps = [*maps_of(3), np.round(maps_of(1, seed=9)[0]), np.maximum(maps_of(1, seed=8)[0], 0)]
    expected = spearmanr(np.stack([values.ravel() for values in maps]), axis=1).statistic
    np.testing.assert_allclose(agreement(maps), expected, atol=1e-6)
    assert rank_correlation(maps[0], np.exp(maps[0])) == pytest.approx(1)


def test_a_constant_map_agrees_with_nothing_not_even_itself():
    found = agreement([maps_of(1)[0], np.ones(SHAPE[:2])])
    assert found[0, 0] == pytest.approx(1) and np.isnan(found[1]).all() and np.isnan(found[:, 1]).all()


def test_pointing_asks_for_the_highest_place_only():
    mask = np.zeros((4, 4), bool)
    mask[1, 1] = True
    values = np.zeros((4, 4))
    values[1, 1] = 0.1
    assert points_at(values, mask)
    values[3, 3] = 0.2
    assert not points_at(values, mask)
    values[1, 1] = 0.2  # a tie: half of the highest places lie on it
    assert points_at(values, mask)
    values[0, 0] = np.nan
    assert points_at(values, mask)
    assert not points_at(np.ones((4, 4)), mask)


def test_overlap_is_counted():
    mask = np.zeros((4, 4), bool)
    mask[:2] = True
    values = np.zeros((4, 4))
    values[1:3] = 1.0
    values[3] = 0.2
    assert overlap(values, mask) == pytest.approx(4 / 12)
    assert overlap(values, mask, share=0.1) == pytest.approx(4 / 16)
    assert overlap(-values, mask) == 0
    assert np.isnan(overlap(np.zeros((4, 4)), np.zeros((4, 4), bool)))


def test_the_random_map_knows_nothing_and_is_repeatable():
    one, again, other = random_map((50, 60), 3), random_map((50, 60), 3), random_map((50, 60), 4)
    np.testing.assert_array_equal(one, again)
    assert abs(rank_correlation(one, other)) < 0.06
    assert one.min() >= 0 and one.max() < 1


def test_the_random_row_is_always_there_and_last():
    model, picture = linear(SHAPE), pictures(SHAPE)
    mask = np.zeros(SHAPE[:2], bool)
    mask[2:5] = True
    maps = dict(zip(("saliency", "occlusion"), maps_of(), strict=True))
    found = judged(model, picture, 0, maps, mask, seed=3)
    assert [row.method for row in found.rows] == ["saliency", "occlusion", "random"]
    assert [row.method for row in judged(model, picture, 0, {}).rows] == ["random"]
    assert found.agreement.shape == (3, 3)
    expected = rank_correlation(maps["saliency"], random_map(SHAPE[:2], 3))
    assert found.agreement[0, 2] == pytest.approx(expected)
    for row, values in zip(found.rows, [*maps.values(), random_map(SHAPE[:2], 3)], strict=True):
        assert row.hit == points_at(values, mask) and row.overlap == overlap(values, mask)


def test_without_a_true_mask_there_is_no_pointing_and_no_overlap():
    row = judged(linear(SHAPE), pictures(SHAPE), None, {}).rows[0]
    assert row.hit is None and row.overlap is None
    assert row.insertion.baseline == "blur" and row.deletion.baseline == "black"


def test_a_map_of_another_size_gets_a_sentence():
    with pytest.raises(SentenceError, match="does not judge a picture of 7 × 9"):
        judged(linear(SHAPE), pictures(SHAPE), 0, {"lime": np.zeros((7, 9))})


def test_after_stop_at_most_one_more_batch_is_computed(monkeypatch):
    context = Listening(stop_after=3)
    counting_batches(monkeypatch, context)
    with pytest.raises(Stopped):
        judged(linear(SHAPE), pictures(SHAPE), 0, {"lime": maps_of()[0]}, batch=4, context=context)
    assert context.batches <= 4
