"""A baseline is the colour that a visitor would call it, whatever the network's preprocessing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from explorer.explanations.baselines import BASELINES, as_seen, baseline
from explorer.explanations.table import METHODS
from explorer.networks import catalogue
from explorer.networks.preprocessing import prepare
from explorer.networks.work_context import SentenceError

MODES = ("zero_one", "tf", "torch", "caffe", "included")


def network(mode):
    return SimpleNamespace(entry=replace(catalogue.entry("drawn_plain"), preprocessing=mode))


def photo(count=2):
    return np.random.default_rng(1).integers(0, 256, (count, 12, 10, 3)).astype(np.uint8)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "value"), [("black", 0.0), ("grey", 127.5), ("white", 255.0)])
def test_a_colour_is_prepared_as_a_picture_of_that_colour_is(mode, name, value):
    net = network(mode)
    expected = prepare(np.full((2, 12, 10, 3), value, np.float32), net.entry)
    np.testing.assert_allclose(baseline(net, prepare(photo(), net.entry), name), expected, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_the_mean_is_each_picture_s_own(mode):
    net, pixels = network(mode), photo()
    mean = np.broadcast_to(pixels.mean(axis=(1, 2), keepdims=True), pixels.shape).astype(np.float32)
    found = baseline(net, prepare(pixels, net.entry), "mean")
    np.testing.assert_allclose(found, prepare(mean, net.entry), atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_a_prepared_picture_can_be_seen_again(mode):
    net, pixels = network(mode), photo()
    np.testing.assert_allclose(as_seen(net, prepare(pixels, net.entry)), pixels / 255, atol=1e-5)


def test_blur_is_a_gaussian_in_each_channel():
    pictures = np.random.default_rng(0).random((2, 40, 60, 3)).astype(np.float32)
    found = baseline(None, pictures, "blur")
    expected = gaussian_filter(pictures[1, :, :, 2].astype(np.float64), 2.0, mode="nearest")
    np.testing.assert_allclose(found[1, :, :, 2], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("low", "high", "black", "white"),
    [(0, 1, 0, 1), (0.2, 0.4, 0, 1), (-1, 1, -1, 1), (0, 200, 0, 255), (-3, 2, -3, 2)],
)
def test_a_bare_model_s_range_is_taken_from_the_pictures(low, high, black, white):
    pictures = np.linspace(low, high, 5 * 4 * 1, dtype=np.float32).reshape(1, 5, 4, 1)
    assert np.unique(baseline(None, pictures, "black")) == black
    assert np.unique(baseline(None, pictures, "white")) == white
    assert np.unique(baseline(None, pictures, "grey")) == (black + white) / 2


def test_own_numbers_are_taken_as_they_are():
    pictures = np.ones((2, 3, 4, 3), np.float32)
    assert (baseline(None, pictures, 0.25) == 0.25).all()
    assert (baseline(None, pictures, np.array([1.0, 2.0, 3.0]))[..., 1] == 2).all()
    with pytest.raises(SentenceError, match="does not fit"):
        baseline(None, pictures, np.zeros((7, 7)))


def test_an_unknown_name_gets_a_sentence():
    with pytest.raises(SentenceError, match="no baseline 'pink'"):
        baseline(None, np.zeros((1, 2, 2, 1), np.float32), "pink")


def test_every_baseline_that_is_offered_exists():
    offered = {word for each in METHODS.values() for option in each.options if option.name == "baseline"
               for word in option.options}  # fmt: skip
    assert offered == set(BASELINES)
