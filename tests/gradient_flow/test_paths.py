"""Paths through residual networks: their number, their lengths, and that their gradients add up to the whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binom

from explorer.gradient_flow.deep_networks import RESIDUAL, forward, statistics_of
from explorer.gradient_flow.depth_results import PathsPlan, carrying, path_counts
from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.paths import Measured, gradient_along, paths
from explorer.gradient_flow.stacks import Stack, begun
from explorer.networks.gradients import as_array

DATA = digits(0)
FEW = 6


def every_path(blocks: int) -> list[np.ndarray]:
    """All 2ⁿ choices of branches, each for a few pictures."""
    return [np.repeat([choice], FEW, axis=0) for choice in itertools.product((0, 1), repeat=blocks)]


def along(stack: Stack, weights: dict, branches: np.ndarray, known: dict | None = None) -> np.ndarray:
    return gradient_along(stack, weights, known, DATA.pictures[:FEW], DATA.labels[:FEW], branches)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_gradient_of_a_linear_residual_network_is_the_sum_over_all_paths() -> None:
    stack = Stack(4, "linear", width=5)
    weights = begun(stack, "he_normal", 2)
    found = sum(along(stack, weights, branches).astype(np.float64) for branches in every_path(4))
    logits = as_array(forward(stack, weights, DATA.pictures[:FEW], RESIDUAL).logits).astype(np.float64)
    back = (softmax(logits) - np.eye(10)[DATA.labels[:FEW]]) @ weights["head"].T.astype(np.float64)
    for kernel in weights["kernel"][::-1].astype(np.float64):
        back = back @ (np.eye(5) + kernel).T  # the closed form: one factor 1 + W a block
    np.testing.assert_allclose(found, back, rtol=1e-3, atol=1e-6)


def test_one_path_of_a_linear_network_is_the_product_of_its_branches() -> None:
    stack = Stack(3, "linear", width=5)
    weights = begun(stack, "he_normal", 2)
    logits = as_array(forward(stack, weights, DATA.pictures[:FEW], RESIDUAL).logits).astype(np.float64)
    back = (softmax(logits) - np.eye(10)[DATA.labels[:FEW]]) @ weights["head"].T.astype(np.float64)
    back = back @ weights["kernel"][2].T @ weights["kernel"][0].T
    found = along(stack, weights, np.repeat([[1, 0, 1]], FEW, axis=0))
    np.testing.assert_allclose(found, back, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("convolutional", [False, True])
def test_so_it_is_in_any_residual_network_by_the_chain_rule(convolutional: bool) -> None:
    stack = Stack(5, "relu", batch_norm=True, width=6, convolutional=convolutional)
    weights = begun(stack, "he_normal", 4)
    known = statistics_of(stack, weights, np.float32(1), DATA.pictures)
    found = sum(along(stack, weights, branches, known).astype(np.float64) for branches in every_path(5))
    step, random = 1e-3, np.random.default_rng(0)
    direction = random.standard_normal((FEW * stack.positions, 6)).astype(np.float32)

    def losses(t: float) -> np.ndarray:
        moved = weights | {"stem_bias": (weights["stem_bias"] + t * direction).astype(np.float32)}
        logits = as_array(forward(stack, moved, DATA.pictures[:FEW], RESIDUAL, statistics=known).logits)
        return -np.log(softmax(logits.astype(np.float64))[range(FEW), DATA.labels[:FEW]])

    slopes = (losses(step) - losses(-step)) / (2 * step)
    # A unit that changes sides between both points spoils one picture's difference, not the others'.
    assert np.median(np.abs((found * direction.reshape(FEW, -1)).sum(axis=1) - slopes)) < 2e-3


@pytest.mark.parametrize("blocks", [1, 5, 16, 54])
def test_lengths_are_binomially_distributed(blocks: int) -> None:
    counts = path_counts(blocks)
    assert counts.sum() == 2**blocks
    np.testing.assert_allclose(counts / 2.0**blocks, binom.pmf(range(blocks + 1), blocks, 0.5), rtol=1e-9)


def test_the_fewest_neighbouring_lengths_that_carry_a_part() -> None:
    assert carrying(np.array([0.05, 0.5, 0.4, 0.05]), 0.9) == (1, 2)
    assert carrying(np.array([1.0, 0, 0])) == (0, 0)
    assert carrying(np.full(10, 0.1), 1.0) == (0, 9)


PLANS = [
    PathsPlan(blocks=10, epochs=12, network="dense"),
    pytest.param(PathsPlan(blocks=24, epochs=12), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=PLANS, ids=["dense", "convolutional"])
def measured(request):
    return paths(request.param)


def test_short_paths_carry_the_gradient(measured) -> None:
    share = measured.share()
    assert share.sum() == pytest.approx(1)
    blocks = measured.plan.blocks
    assert share @ np.arange(blocks + 1) < 0.9 * blocks / 2


def test_a_residual_network_bears_the_loss_of_a_block_and_a_plain_one_does_not(measured) -> None:
    assert measured.accuracy.min() > 0.9
    plain, residual, stochastic = measured.drop_one.mean(axis=1)
    assert plain < 0.4
    assert residual > 0.8
    assert stochastic > residual


@pytest.mark.slow
def test_without_any_block_all_that_is_left_is_stem_and_output(measured) -> None:
    assert measured.drop_counts[-1] == measured.plan.blocks
    assert measured.drop_many[1, -1] < measured.accuracy[1] - 0.3


def test_what_is_not_measured_yet_is_not_a_number() -> None:
    begun_only = Measured(PathsPlan(blocks=3, epochs=1))
    begun_only.advance()
    result = begun_only.result()
    assert not result.finished
    assert np.isnan(result.norm).all()
    assert np.isnan(result.share()).all()
