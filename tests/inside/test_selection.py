"""Order, pages, scales and figures of channels."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from explorer.inside import selection
from explorer.inside.feature_maps import maps_of
from explorer.inside.results import LayerSummary

RANDOM = np.random.default_rng(0)


def layer(values, *, signed=False):
    return maps_of("layer", np.asarray(values, np.float32), kind="maps", signed=signed)


def summary(low, high, **more):
    return LayerSummary("layer", low, high, 4, 0, 0.0, True, **more)


def test_by_strength_the_strongest_come_first_and_equal_ones_by_number():
    strength = np.array([1, 3, 0, 3, np.nan], np.float32)
    assert selection.order_channels(strength, "strength").tolist() == [1, 3, 0, 2, 4]
    assert selection.order_channels(strength, "index").tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="not by 'weight'"):
        selection.order_channels(strength, "weight")


@pytest.mark.parametrize(
    ("size", "tiles"),
    [
        ((7, 7), 64),
        ((1, 1), 64),
        ((111, 112), 64),
        ((112, 112), 32),
        ((150, 150), 32),
        ((300, 300), 8),
        ((600, 600), 2),
    ],
)
def test_a_page_holds_64_tiles_or_three_megabytes(size, tiles):
    assert selection.tiles_on_page(size) == tiles
    assert tiles * size[0] * size[1] * 4 <= 3.2e6
    assert tiles == 64 or 2 * tiles * size[0] * size[1] * 4 > 3.2e6


def test_pages_hold_every_channel_once():
    order = RANDOM.permutation(2048)
    pages = selection.pages(order, (7, 7))
    assert len(pages) == 32
    assert np.concatenate(pages).tolist() == order.tolist()
    assert len(selection.pages(np.arange(65), (7, 7))[1]) == 1
    assert [len(page) for page in selection.pages(np.arange(0), (7, 7))] == [0]


def test_a_map_larger_than_a_page_has_its_own():
    assert selection.tiles_on_page((2000, 2000)) == 1


def test_a_scale_starts_at_zero_or_is_symmetric_about_it():
    assert selection.scale_range(0.5, 4) == selection.ScaleRange(0.0, 4.0)
    signed = selection.scale_range(-1, 4)
    assert (signed.low, signed.high, signed.diverging) == (-4, 4, True)


def test_negative_values_alone_keep_zero_in_the_middle():
    assert selection.scale_range(-3, -1) == selection.ScaleRange(-3.0, 3.0)


def test_contrast_ends_the_scale_earlier_and_says_what_is_cut():
    boosted = selection.scale_range(0, 10, contrast=4)
    assert (boosted.high, boosted.clipped_high, boosted.clipped_low) == (2.5, True, False)
    both = selection.scale_range(-10, 1, contrast=2)
    assert (both.low, both.high, both.clipped_low, both.clipped_high) == (-5, 5, True, False)
    with pytest.raises(ValueError, match="1 or more"):
        selection.scale_range(0, 1, contrast=0.5)


def test_an_endless_value_ends_no_scale():
    assert selection.scale_range(0, np.inf).high == 0


def test_scopes_cover_the_map_the_layer_or_the_network():
    one = layer(np.stack([np.full((2, 2), 3), np.full((2, 2), 7)], -1))
    other = layer(np.stack([np.full((2, 2), 4), np.full((2, 2), 6)], -1))
    assert selection.scope_range("map", [one], channel=0).high == 3
    assert selection.scope_range("map", [one, other], channel=0).high == 4
    assert selection.scope_range("layer", [one, other]).high == 7
    summaries = [summary(0, 255, is_input=True), summary(-2, 9), summary(0, 20)]
    assert selection.scope_range("network", [one], summaries).low == -20
    with pytest.raises(ValueError, match="asked for one channel"):
        selection.scope_range("map", [one])
    with pytest.raises(ValueError, match="not of 'page'"):
        selection.scope_range("page", [one])


def test_a_histogram_counts_every_place_and_never_mixes_signs():
    values = RANDOM.normal(size=(20, 30)).astype(np.float32)
    detail = selection.channel_detail(values, bins=21)
    assert detail.counts.sum() == 600
    assert np.isclose(detail.edges, 0, atol=1e-12).any()
    negative = detail.counts[detail.edges[1:] <= 1e-12].sum()
    assert negative == (values < 0).sum()
    assert detail.mean == pytest.approx(values.mean(), rel=1e-5)
    assert detail.deviation == pytest.approx(values.std(), rel=1e-5)


def test_a_histogram_counts_zeros_exactly():
    values = np.maximum(RANDOM.normal(size=(20, 30)), 0)
    detail = selection.channel_detail(values)
    assert detail.share_zero == (values == 0).mean()
    assert detail.edges[0] == 0
    assert detail.counts.sum() == 600


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-20, 4.5e8])
def test_a_constant_channel_has_one_bin_around_its_value(value):
    detail = selection.channel_detail(np.full((4, 4), value))
    assert detail.counts.tolist() == [16]
    assert detail.edges[0] < value < detail.edges[1]
    assert detail.constant
    assert detail.share_zero == (value == 0)


def test_values_that_are_no_numbers_are_counted_apart():
    detail = selection.channel_detail(np.array([1, 2, np.nan, np.inf]))
    assert (detail.counts.sum(), detail.unreal) == (2, 2)
    assert selection.channel_detail(np.array([np.nan])).counts.tolist() == [0]


def test_pages_may_import_this_without_keras():
    code = (
        "import sys, explorer.inside.selection, explorer.inside.silence, explorer.inside.results\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
