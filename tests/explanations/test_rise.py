"""RISE averages what its formula says, and is right on average where the truth is known."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from skimage.transform import resize

from explorer.explanations.explain import explain
from explorer.explanations.methods.rise import draw_masks, enlarged, enlarging
from explorer.networks.gradients import as_array
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
SHAPE = (9, 7, 3)


def masks_by_hand(seed, samples, grid, share, size):
    """Enlarge each grid with scikit-image and cut the window out, as the paper describes it."""
    drawn = draw_masks(seed, samples, grid, share, size)
    cell = [math.ceil(length / grid) for length in size]
    found = []
    for cells, (down, across) in zip(drawn.cells, drawn.shifts, strict=True):
        whole = resize(
            cells.astype(np.float64),
            [(grid + 1) * each for each in cell],
            order=1,
            mode="symmetric",
            anti_aliasing=False,
        )
        found.append(whole[down : down + size[0], across : across + size[1]])
    return np.stack(found)


@pytest.mark.parametrize(("grid", "size"), [(7, (96, 96)), (3, (9, 7)), (5, (16, 31))])
def test_masks_are_enlarged_as_scikit_image_does_it(grid, size):
    drawn = draw_masks(4, 12, grid, 0.5, size)
    found = as_array(enlarged(*(np.asarray(each) for each in drawn), size))
    np.testing.assert_allclose(found, masks_by_hand(4, 12, grid, 0.5, size), atol=1e-5)


def test_enlarging_keeps_what_is_constant():
    np.testing.assert_allclose(enlarging(40, 7).sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(enlarging(5, 1), 1)


@pytest.mark.parametrize("average", ["kept", "removed"])
def test_the_map_is_the_formula_on_the_same_masks(average):
    model, picture = convolutional(), pictures((16, 12, 3))
    found = explain(model, picture, 1, "rise", samples=150, grid=4, share=0.4, average=average, seed=5, batch=32)
    masks = masks_by_hand(5, 150, 4, 0.4, (16, 12))
    scores = logits(model, picture * masks[..., None])[:, 1].astype(np.float64)
    if average == "removed":
        scores -= scores.mean()
    expected = np.einsum("n,nhw->hw", scores, masks) / (150 * 0.4)
    np.testing.assert_allclose(found.maps[0], expected, atol=1e-4 * np.abs(expected).max())
    assert found.signed == (average == "removed")


def test_the_noise_told_is_the_spread_over_seeds():
    model, picture = convolutional(), pictures((16, 12, 3))
    runs = [explain(model, picture, 1, "rise", samples=100, grid=4, seed=seed) for seed in range(20)]
    noise = {fact.name: fact.value for fact in runs[0].facts[0]}["Noise"] * np.ptp(runs[0].maps[0])
    spread = np.median(np.std([run.maps[0] for run in runs], axis=0))
    assert noise == pytest.approx(spread, rel=0.3)


@pytest.mark.parametrize("average", ["kept", "removed"])
def test_on_a_linear_network_it_is_right_on_average(average):
    """E[S m] follows from E[m m'], summed over all grids and shifts that there are."""
    grid, share, size = 3, 0.5, SHAPE[:2]
    model, picture = linear(SHAPE), pictures(SHAPE)
    weights, bias = linear_weights(model)
    each = (picture[0] * weights[..., 0]).sum(axis=-1)
    cell = [math.ceil(length / grid) for length in size]
    rows, columns = (enlarging((grid + 1) * length, grid).astype(np.float64) for length in cell)
    mean, count = np.zeros(size), 0
    for shown in itertools.product((0.0, 1.0), repeat=grid * grid):
        whole = rows @ np.reshape(shown, (grid, grid)) @ columns.T
        for down, across in itertools.product(range(cell[0]), range(cell[1])):
            mask = whole[down : down + size[0], across : across + size[1]]
            score = (each * mask).sum() + bias[0]
            mean, count = mean + score * mask / share, count + 1
    expected = mean / count
    if average == "removed":
        expected = expected - (share * each.sum() + bias[0])
    found = explain(model, picture, 0, "rise", samples=8000, grid=grid, share=share, average=average)
    noise = {fact.name: fact.value for fact in found.facts[0]}["Noise"] * np.ptp(found.maps[0])
    assert np.abs(found.maps[0] - expected).max() < 5 * noise
    assert np.corrcoef(found.maps[0].ravel(), expected.ravel())[0, 1] > 0.99


def test_masks_are_never_in_memory_together():
    model = linear((48, 48, 1), classes=2)
    picture = pictures((48, 48, 1))
    explain(model, picture, 0, "rise", samples=64, batch=32)
    tracemalloc.start()
    explain(model, picture, 0, "rise", samples=4000, batch=32)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 0.2 * 4000 * 48 * 48 * 4


def test_more_masks_of_one_seed_begin_with_the_same_ones():
    few, many = (draw_masks(9, samples, 7, 0.5, (96, 96)) for samples in (10, 40))
    np.testing.assert_array_equal(few.cells, many.cells[:10])
    np.testing.assert_array_equal(few.shifts, many.shifts[:10])


def test_it_is_repeatable_and_the_batch_does_not_matter():
    model, picture = convolutional(), pictures((16, 12, 3))
    one, two, other = (
        explain(model, picture, 0, "rise", samples=130, seed=seed, batch=batch)
        for seed, batch in ((1, 16), (1, 64), (2, 16))
    )
    np.testing.assert_allclose(one.maps, two.maps, atol=1e-5)
    assert np.abs(one.maps - other.maps).max() > 1e-3


def test_a_constant_score_gives_a_zero_map_and_no_noise():
    model = linear(SHAPE)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    found = explain(model, pictures(SHAPE), 0, "rise", samples=60)
    assert not found.maps.any()
    assert any("zero everywhere" in note for note in found.notes)


def test_stop_keeps_the_masks_so_far_and_computes_no_further_batch(monkeypatch):
    model, picture = convolutional(), pictures((16, 12, 3))
    context = Listening(stop_after=4)
    counting_batches(monkeypatch, context)
    found = explain(model, picture, 0, "rise", samples=1000, batch=16, seed=2, context=context)
    assert context.batches <= 5
    done = int(found.facts[0][0].value)
    assert 0 < done < 100 and found.notes == (
        f"Stopped after {done} of 1000 masks: the map is noisier than it could be.",
    )
    monkeypatch.undo()
    masks = masks_by_hand(2, done, 7, 0.5, (16, 12))
    scores = logits(model, picture * masks[..., None])[:, 0].astype(np.float64)
    expected = np.einsum("n,nhw->hw", scores - scores.mean(), masks) / (done * 0.5)
    np.testing.assert_allclose(found.maps[0], expected, atol=1e-4)


def test_stop_before_the_first_mask_leaves_nothing_to_show(monkeypatch):
    context = Listening(stop_after=1)
    counting_batches(monkeypatch, context)
    with pytest.raises(Stopped):
        explain(convolutional(), pictures((16, 12, 3)), 0, "rise", context=context)
    assert context.batches <= 2
