"""Loss surfaces: their points are the losses of moved weights, their curvature is the Hessian's."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.gradient_flow.deep_networks import RESIDUAL, evaluated, statistics_of
from explorer.gradient_flow.depth_results import SurfacePlan, share_non_convex, slice_curvatures
from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.loss_surface import (
    Curvature,
    Growth,
    Plane,
    coordinates,
    flat,
    growing_order,
    loss_surfaces,
    path_directions,
    random_direction,
    shaped,
)
from explorer.gradient_flow.stacks import Stack, begun
from explorer.networks.gradients import as_array
from explorer.networks.work_context import SentenceError
from tests.gradient_flow.test_deep_networks import keras_model, shaken

DATA = digits(0)
STACK = Stack(3, "relu", batch_norm=True, width=6)


def test_a_direction_is_as_long_as_the_weights_neuron_by_neuron() -> None:
    weights = shaken(STACK)
    direction = random_direction(weights, 1)
    for name in ("stem", "kernel", "head"):
        np.testing.assert_allclose(
            np.linalg.norm(direction[name], axis=-2), np.linalg.norm(weights[name], axis=-2), rtol=1e-4
        )
    for name in ("bias", "stem_bias", "head_bias", "gamma", "beta"):
        assert not direction[name].any()
    assert not np.array_equal(direction["stem"], random_direction(weights, 2)["stem"])


def test_points_are_the_losses_that_evaluate_finds_with_moved_weights() -> None:
    weights = shaken(STACK)
    known = statistics_of(STACK, weights, np.float32(1), DATA.pictures)
    directions = random_direction(weights, 1), random_direction(weights, 2)
    pictures, labels = DATA.pictures[:200], DATA.labels[:200]
    points = np.array([[0, 0], [0.5, -0.25], [-1, 1], [0.1, 0.9]])
    ours = Plane(STACK, weights, known, RESIDUAL, directions, pictures, labels).losses(points)
    for (a, b), loss in zip(points, ours, strict=True):
        moved = {name: value + a * directions[0][name] + b * directions[1][name] for name, value in weights.items()}
        model = keras_model(STACK, moved, RESIDUAL, known)
        logits = as_array(model(pictures)).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        truth = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[range(200), labels])
        assert loss == pytest.approx(truth, rel=1e-3)


def test_the_middle_is_the_trained_network_itself() -> None:
    weights = shaken(STACK)
    known = statistics_of(STACK, weights, np.float32(0), DATA.pictures)
    directions = random_direction(weights, 1), random_direction(weights, 2)
    plane = Plane(STACK, weights, known, 0.0, directions, DATA.pictures[:99], DATA.labels[:99])
    loss, _ = evaluated(STACK, weights, np.float32(0), DATA.pictures[:99], DATA.labels[:99], statistics=known)
    assert plane.losses(np.zeros((1, 2)))[0] == pytest.approx(float(loss), rel=1e-5)


def test_weights_in_a_row_are_the_weights() -> None:
    weights = shaken(STACK)
    back = shaped(flat(weights), weights)
    for name, value in weights.items():
        np.testing.assert_array_equal(back[name], value)


def test_a_product_with_the_hessian_is_the_difference_of_gradients_and_symmetric() -> None:
    stack = Stack(3, "tanh", batch_norm=True, width=5)  # smooth: no unit changes sides
    weights = shaken(stack)
    known = statistics_of(stack, weights, np.float32(1), DATA.pictures)
    curve = Curvature(stack, weights, known, RESIDUAL, DATA.pictures[:64], DATA.labels[:64])
    random = np.random.default_rng(0)
    u, v = random.standard_normal((2, len(flat(weights))))
    assert u @ curve.product(v) == pytest.approx(v @ curve.product(u), rel=1e-3)
    step = 3e-2 / np.linalg.norm(v)

    def loss(t: float) -> float:
        moved = shaped(flat(weights) + t * v, weights)
        found, _ = evaluated(stack, moved, np.float32(1), DATA.pictures[:64], DATA.labels[:64], statistics=known)
        return float(found)

    bend = (loss(step) - 2 * loss(0.0) + loss(-step)) / step**2
    assert v @ curve.product(v) == pytest.approx(bend, rel=0.05)


def test_the_largest_eigenvalue_is_that_of_the_whole_hessian() -> None:
    stack = Stack(1, "tanh", width=2)
    weights = shaken(stack)
    curve = Curvature(stack, weights, None, RESIDUAL, DATA.pictures[:64], DATA.labels[:64])
    size = len(flat(weights))
    whole = np.stack([curve.product(row) for row in np.eye(size)])
    assert curve.largest() == pytest.approx(np.linalg.eigvalsh((whole + whole.T) / 2)[-1], rel=0.02)


def test_principal_directions_hold_a_path_that_lies_in_a_plane() -> None:
    weights = begun(STACK, "he_normal", 0)
    one, two = random_direction(weights, 1), random_direction(weights, 2)
    way = [
        {name: value + a * one[name] + b * two[name] for name, value in weights.items()}
        for a, b in [(1, 1), (0.6, -0.3), (0.2, 0.1), (0, 0)]
    ]
    found, explained = coordinates(way, path_directions(way))
    assert explained.sum() == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(found[-1], 0, atol=1e-6)
    length = np.linalg.norm(flat(way[0]) - flat(way[-1]))
    assert np.linalg.norm(found[0]) == pytest.approx(length, rel=1e-3)


def test_the_grid_grows_from_coarse_to_fine_and_misses_no_point() -> None:
    order = growing_order(17)
    assert len(order) == 17**2
    assert len(np.unique(order, axis=0)) == 17**2
    assert (order[:25] % 4 == 0).all()
    assert (order[: 9**2] % 2 == 0).all()


def test_curvatures_of_a_quadratic_are_its_own() -> None:
    a, b = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9), indexing="ij")
    smaller, larger = slice_curvatures(1.5 * a**2 - 0.5 * b**2 + 2 * a * b, 0.25)
    truth = np.linalg.eigvalsh([[3, 2], [2, -1]])
    np.testing.assert_allclose(smaller, truth[0], rtol=1e-6)
    np.testing.assert_allclose(larger, truth[1], rtol=1e-6)
    assert share_non_convex(a**2 + b**2) == 0
    assert share_non_convex(a**2 - b**2) == 1
    assert share_non_convex(a**2 - 0.1 * b**2) == 0  # less than an eighth of the other
    assert np.isnan(share_non_convex(np.full((5, 5), np.nan)))


@pytest.mark.slow
def test_skips_keep_a_deep_surface_smooth() -> None:
    result = loss_surfaces(SurfacePlan(depth=20, epochs=10, resolution=17))
    plain, residual = (share_non_convex(losses) for losses in result.losses)
    assert plain > 0.1
    assert residual < 0.1
    assert result.curvature[0] > 3 * result.curvature[1]


def test_the_path_of_training_ends_in_the_middle() -> None:
    growth = Growth(SurfacePlan(depth=2, epochs=3, directions="path", resolution=5))
    while not growth.done:
        growth.advance()
    result = growth.result()
    assert result.path.shape == (2, 4, 2)
    np.testing.assert_allclose(result.path[:, -1], 0, atol=1e-6)
    assert (result.explained.sum(axis=1) > 0.8).all()
    # The whole path lies in the picture.
    assert (np.abs(result.path).max(axis=(1, 2)) <= result.steps[:, -1]).all()
    assert np.isfinite(result.losses).all()


def test_training_that_has_diverged_is_told_in_a_sentence() -> None:
    growth = Growth(SurfacePlan(depth=2, epochs=0, resolution=5))
    growth._visited[-1]["stem"][0] = np.nan  # as a step that was too large leaves it
    with pytest.raises(SentenceError, match="plain network has diverged in training"):
        growth.advance()


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_path_of_fewer_than_two_epochs_is_refused(epochs) -> None:
    with pytest.raises(SentenceError, match="two epochs at least"):
        Growth(SurfacePlan(depth=2, epochs=epochs, directions="path", resolution=5))
