"""LIME follows its authors' published convention, is repeatable, and falls back to a grid."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_distances

from explorer.explanations.explain import explain
from explorer.explanations.methods.lime import (
    draw_switches,
    fitted_copy,
    grid_segments,
    sample_weights,
    superpixels,
)
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
SHAPE = (16, 12, 3)


def published(model, picture, index, segments, samples, seed, hidden):
    """The convention of the lime package in scikit-learn's words: samples, distances, kernel, ridge."""
    count = segments.max() + 1
    on = np.random.RandomState(seed).randint(0, 2, samples * count).reshape((samples, count))
    on[0, :] = 1
    changed = np.stack([np.where(row[segments].astype(bool)[..., None], picture, hidden) for row in on])
    scores = logits(model, changed)[:, index]
    distance = cosine_distances(on, on[:1]).ravel()
    kernel = np.sqrt(np.exp(-(distance**2) / 0.25**2))
    ridge = Ridge(alpha=1, fit_intercept=True).fit(on, scores, sample_weight=kernel)
    return ridge.coef_, ridge.score(on, scores, sample_weight=kernel)


def test_ridge_follows_the_published_convention():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    found = explain(model, picture, 2, "lime", samples=200, segments=12, baseline="black", seed=7)
    segments = found.extra["segments"][0]
    weights, quality = published(model, picture[0], 2, segments, 200, 7, 0.0)
    np.testing.assert_allclose(found.extra["weights"][0], weights, atol=1e-5)
    np.testing.assert_allclose(found.maps[0], weights[segments], atol=1e-5)
    facts = {fact.name: fact.value for fact in found.facts[0]}
    assert facts["R²"] == pytest.approx(quality, abs=1e-5)
    assert facts["Superpixels"] == len(weights)


def test_a_sample_with_everything_off_has_distance_one():
    on = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]], np.float64)
    expected = np.sqrt(np.exp(-(cosine_distances(on, on[:1]).ravel() ** 2) / 0.25**2))
    np.testing.assert_allclose(sample_weights(on), expected, atol=1e-9)


@pytest.mark.parametrize("model_name", ["ridge", "lasso"])
def test_of_a_linear_network_it_finds_what_each_superpixel_adds(model_name):
    model, picture = linear(SHAPE), pictures(SHAPE)
    weights, _ = linear_weights(model)
    found = explain(model, picture, 0, "lime", samples=2000, segments=8, baseline="grey", model=model_name)
    segments = found.extra["segments"][0]
    each = ((picture[0] - 0.5) * weights[..., 0]).sum(axis=-1)
    expected = np.bincount(segments.ravel(), each.ravel())
    slack = {"ridge": 0.02, "lasso": 0.35}[model_name] * np.abs(expected).max()
    np.testing.assert_allclose(found.extra["weights"][0], expected, atol=slack)
    assert {fact.name: fact.value for fact in found.facts[0]}["R²"] > {"ridge": 0.999, "lasso": 0.9}[model_name]


def test_a_lasso_leaves_out_what_matters_least():
    on = draw_switches(0, 600, 20)
    scores = 5 * on[:, 3] - 2 * on[:, 11] + 0.01 * on[:, 5]
    found = fitted_copy(on, scores, "lasso").weights
    assert set(np.flatnonzero(found)) == {3, 11}
    assert found[3] > 3 and found[11] < -1


def test_a_forest_has_importances_without_sign_and_is_judged_on_what_it_has_not_seen():
    on = draw_switches(0, 400, 10)
    clear = fitted_copy(on, 4 * on[:, 2] * on[:, 7], "forest", seed=1)
    assert set(np.argsort(-clear.weights)[:2]) == {2, 7} and clear.weights.min() >= 0
    assert clear.weights.sum() == pytest.approx(1)
    noise = fitted_copy(on, np.random.default_rng(0).normal(size=400), "forest", seed=1)
    assert clear.quality > 0.95 and noise.quality < 0.2
    np.testing.assert_array_equal(clear.weights, fitted_copy(on, 4 * on[:, 2] * on[:, 7], "forest", seed=1).weights)


def test_a_forest_s_map_is_not_signed():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    found = explain(model, picture, 0, "lime", samples=60, segments=6, model="forest")
    assert not found.signed and found.maps.min() >= 0
    assert explain(model, picture, 0, "lime", samples=60, segments=6).signed


def test_a_score_that_never_changes_has_no_quality():
    found = fitted_copy(draw_switches(0, 50, 5), np.full(50, 3.0))
    assert found.quality is None and not found.weights.any() and found.intercept == 3


def test_a_seed_makes_it_repeatable():
    model, picture = convolutional(SHAPE), pictures(SHAPE)
    one, again, other = (explain(model, picture, 0, "lime", samples=100, seed=seed).maps for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-4


def test_each_of_several_pictures_is_explained_as_if_alone():
    model, several = convolutional(SHAPE), pictures(SHAPE, 2)
    together = explain(model, several, 0, "lime", samples=100)
    for number in range(2):
        alone = explain(model, several[number : number + 1], 0, "lime", samples=100)
        np.testing.assert_allclose(together.maps[number], alone.maps[0], atol=1e-5)


@pytest.mark.parametrize(("height", "width", "channels"), [(96, 96, 3), (32, 32, 3), (28, 28, 1), (24, 60, 3)])
def test_superpixels_do_not_collapse_to_one_region(height, width, channels):
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    plain = np.full((height, width, channels), 0.5, np.float32)
    soft = np.repeat((0.4 + 0.02 * rows + 0.02 * columns)[..., None], channels, axis=2).astype(np.float32)
    noisy = np.random.default_rng(0).random((height, width, channels)).astype(np.float32)
    disc = plain.copy()
    disc[(rows - 0.3) ** 2 + (columns - 0.3) ** 2 < 0.04] = 1
    for picture in (plain, soft, noisy, disc):
        found = superpixels(picture, 30)
        assert 10 <= found.total <= 60
        assert set(np.unique(found.numbers)) == set(range(found.total))
        assert np.bincount(found.numbers.ravel()).max() < 0.5 * height * width


def test_where_superpixels_degenerate_a_grid_takes_their_place(monkeypatch):
    monkeypatch.setattr(
        "explorer.explanations.methods.lime.slic", lambda picture, **more: np.zeros(picture.shape[:2], int)
    )
    found = explain(convolutional(SHAPE), pictures(SHAPE), 0, "lime", samples=60, segments=12)
    numbers = found.extra["segments"][0]
    assert numbers.max() + 1 == 12
    assert np.bincount(numbers.ravel()).tolist() == [16] * 12
    assert any("grid" in note for note in found.notes)


@pytest.mark.parametrize(("size", "count"), [((2, 2), 50), ((1, 8), 4), ((100, 10), 50), ((96, 96), 4)])
def test_a_grid_has_no_more_cells_than_pixels(size, count):
    found = grid_segments(size, count)
    assert found.total == found.numbers.max() + 1 <= size[0] * size[1]
    assert len(np.unique(found.numbers)) == found.total


def test_stop_uses_the_samples_so_far(monkeypatch):
    context = Listening(stop_after=5)
    counting_batches(monkeypatch, context)
    found = explain(
        convolutional(SHAPE), pictures(SHAPE), 0, "lime", samples=1000, segments=6, batch=16, context=context
    )
    assert context.batches <= 6
    assert any(note.startswith("Stopped after ") and note.endswith(" of 1000 samples.") for note in found.notes)


def test_stop_with_fewer_samples_than_superpixels_leaves_nothing_to_show(monkeypatch):
    context = Listening(stop_after=2)
    counting_batches(monkeypatch, context)
    with pytest.raises(Stopped):
        explain(convolutional(SHAPE), pictures(SHAPE), 0, "lime", segments=40, batch=4, context=context)
    assert context.batches <= 3
