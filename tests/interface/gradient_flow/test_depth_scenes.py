"""The scenes about depth: their sentences follow from the numbers, their charts are valid, their code runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.gradient_flow.depth_results import (
    Degradation,
    DegradationPlan,
    Paths,
    PathsPlan,
    SurfacePlan,
    Surfaces,
    Vanishing,
    VanishingPlan,
)
from explorer.gradient_flow.stored_results import stored
from explorer.interface.figures import depth_charts
from explorer.interface.gradient_flow import degradation, loss_surface, paths, vanishing
from explorer.interface.theme import LIGHT


def made(plain: list[float], residual: list[float], **plan) -> Vanishing:
    """A result with these gradient norms, spreads of 1 and a loss of 2."""
    depth = len(plain)
    shape = (1, 2, depth + 1)
    return Vanishing(
        VanishingPlan(**{"depth": depth, **plan}), np.array([[plain, residual]], float), np.ones(shape),
        np.full((1, 2), 2.0),
    )  # fmt: skip


def test_a_vanished_gradient_beside_a_kept_one_bears_the_sentence_out() -> None:
    _, numbers, holds, _ = vanishing.decided(made([1e-6, 1e-3, 1], [0.9, 1, 1]), 0)
    assert holds is True
    assert "plain **1.00e−06** · residual **0.9**" in numbers


@pytest.mark.parametrize(
    ("plain", "residual", "holds"),
    [([0.5, 1], [0.9, 1], False), ([1e5, 1], [1, 1], False), ([1e-6, 1], [1e-9, 1], False), ([1.0], [1.0], None)],
)
def test_other_gradients_do_not(plain, residual, holds) -> None:
    assert vanishing.decided(made(plain, residual), 0)[2] is holds


def test_dead_configurations_are_told() -> None:
    assert "weights of 0" in vanishing.happenings(made([0, 0], [0, 0], initialiser="zeros"), 0)[0]
    assert "from layer 2 down" in vanishing.happenings(made([0, 0, 1], [1, 1, 1]), 0)[0]
    assert "identity" in vanishing.happenings(made([0, 0], [1, 1], initialiser="zeros"), 0)[-1]
    overflowing = made([1, 1], [np.nan, np.nan])
    spread = overflowing.spread.copy()
    spread[0, 1, 2] = np.inf
    assert "layer 2 hands on is beyond" in vanishing.happenings(replace(overflowing, spread=spread), 0)[0]
    back = made([np.inf, 1], [1, 1])
    assert "from layer 1 down" in vanishing.happenings(back, 0)[0]
    later = replace(back, gradient=np.ones((2, 2, 2)), spread=np.ones((2, 2, 3)), loss=np.array([[1, 1], [np.nan, 1]]))
    assert "before step 1 its loss" in vanishing.happenings(later, 1)[0]
    assert "Later in training the plain network diverges: before step 1" in vanishing.happenings(later, 0)[-1]


def test_stored_results_bear_the_lecture_out() -> None:
    assert vanishing.decided(stored(VanishingPlan()), 0)[2] is True
    assert [holds for _, _, holds, _ in paths.decided(stored(PathsPlan()))] == [True, True, True]
    deep = paths.decided(stored(PathsPlan(blocks=54, network="dense")))
    assert deep[0][2] is True
    assert deep[1][2] is None  # the plain network of 54 layers has nothing to lose
    assert [holds for _, _, holds, _ in degradation.decided(stored(DegradationPlan()))] == [True, True]
    for depth, holds in ((8, None), (20, True), (56, True)):
        result = stored(SurfacePlan(depth=depth))
        assert loss_surface.decided(result, loss_surface.whole_grid(result.losses))[2] is holds


def measured(**changed) -> Paths:
    """A result of four blocks in which everything has been learnt and measured, changed in these numbers."""
    known = Paths(
        PathsPlan(blocks=4), np.array([0.9, 0.95, 0.95]), np.array([1.0, 0.5, 0.2, 0.1, 0.05]),
        np.array([[0.2] * 4, [0.93, 0.94, 0.9, 0.95], [0.94] * 4]), np.array([1, 2]),
        np.array([[0.2, 0.1], [0.9, 0.6], [0.94, 0.9]]),
    )  # fmt: skip
    return replace(known, **changed)


def test_paths_are_judged_by_what_has_been_measured() -> None:
    assert [holds for _, _, holds, _ in paths.decided(measured())] == [True, True, True]
    longer = measured(norm=np.array([0.05, 0.1, 0.2, 0.5, 1.0]))
    assert paths.decided(longer)[0][2] is False
    assert "not measured yet" in paths.decided(measured(norm=np.full(5, np.nan), finished=False))[0][1]


def test_a_gradient_that_is_no_number_is_not_one_that_is_still_to_be_measured() -> None:
    _, numbers, holds, because = paths.decided(measured(norm=np.full(5, np.nan)))[0]
    assert holds is None
    assert "no finite number" in numbers and "diverged" in because


@pytest.mark.parametrize(
    ("accuracy", "who"),
    [([0.1, 0.1, 0.1], "The residual network has"), ([0.9, 0.1, 0.1], "The residual network has"),
     ([0.1, 0.95, 0.95], "The plain network has")],
)  # fmt: skip
def test_who_has_learnt_nothing_has_nothing_to_lose(accuracy, who) -> None:
    _, _, holds, because = paths.decided(measured(accuracy=np.array(accuracy)))[1]
    assert holds is None
    assert because.startswith(f"{who} hardly learnt anything")


def test_stochastic_depth_is_not_judged_by_networks_that_guess() -> None:
    guessing = measured(accuracy=np.array([0.1, 0.12, 0.1]), drop_many=np.array([[0.1, 0.1], [0.11, 0.1], [0.1, 0.1]]))
    assert paths.decided(guessing)[2][2] is None
    worse = measured(drop_many=np.array([[0.2, 0.1], [0.94, 0.6], [0.9, 0.9]]))
    assert paths.decided(worse)[2][2] is False


def test_a_network_that_has_diverged_decides_nothing() -> None:
    plan = DegradationPlan(rate=1e6)
    loss = np.full((2, 2, 2), np.nan)
    result = Degradation(plan, np.full((2, 2, 2), 0.9), loss, np.full((2, 2, 2), 0.9), np.zeros(2))
    sentence = degradation.decided(result)[0]
    assert sentence[2] is None
    assert "have diverged" in sentence[3]


def test_the_finest_whole_grid_is_drawn() -> None:
    losses = np.full((2, 9, 9), np.nan)
    assert len(loss_surface.whole_grid(losses)) == 0
    losses[:, ::2, ::2] = 1
    assert loss_surface.whole_grid(losses).tolist() == [0, 2, 4, 6, 8]
    losses[:] = 1
    losses[1, 3, 3] = np.nan
    assert len(loss_surface.whole_grid(losses)) == 5
    losses[1, 3, 3] = np.inf  # known, though no height
    assert len(loss_surface.whole_grid(losses)) == 9


def test_heights_are_cut_off_and_infinite_ones_are_high() -> None:
    shown, limits, _ = loss_surface.heights(np.array([0.5, 9, np.inf, np.nan]), "linear", 8.0)
    assert shown.tolist() == [0.5, 8, 8, 8]
    assert limits == (0, 8)
    shown, limits, _ = loss_surface.heights(np.array([0.1, 0.0, np.inf]), "log", 8.0)
    assert shown.tolist() == [-1, limits[0], limits[1]]


def test_charts_pass_plotlys_own_checks() -> None:
    result = stored(SurfacePlan())
    steps, losses = result.steps[0], np.clip(result.losses[0], 0, 8)
    x = np.arange(1, 4)
    figures = [
        depth_charts.both(np.array([[1e-9, 1e-4, 1], [1, 0, 1]]), x, LIGHT.gradient, LIGHT, x_title="layer",
                          y_title="norm", log=True, mark=2),
        depth_charts.both(np.array([[1, 2, 3], [1, np.nan, 1]]), x, LIGHT.text, LIGHT, x_title="x", y_title="y",
                          percent=True, y_range=(0, 1), x_range=(0, 3)),
        depth_charts.path_shares(np.array([0.25, 0.5, 0.25]), None, LIGHT),
        depth_charts.path_shares(np.array([0.25, 0.5, 0.25]), np.array([0.5, 0.4, 0.1]), LIGHT),
        depth_charts.surface(steps, steps, losses, (0, 8), "loss", LIGHT),
        depth_charts.contour(steps, steps, losses, (0, 8), "loss", LIGHT, path=result.path[0]),
    ]  # fmt: skip
    for figure in figures:
        go.Figure(figure.to_dict())


@pytest.mark.parametrize(
    ("scene", "plan"),
    [
        (vanishing, VanishingPlan(depth=2)),
        (degradation, DegradationPlan(shallow=1, deep=2, epochs=1)),
        (paths, PathsPlan(blocks=2, epochs=1)),
        (loss_surface, SurfacePlan(depth=1, epochs=1, resolution=5)),
    ],
)
def test_the_code_that_is_shown_runs(scene, plan, capsys) -> None:
    exec(scene.code(plan), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "gelu", "silu"])
def test_an_activation_that_does_not_saturate_on_both_sides_decides_nothing_about_saturation(activation) -> None:
    _, numbers, holds, because = vanishing.decided(made([1e-6, 1e-3, 1], [0.9, 1, 1], activation=activation), 0)
    assert holds is None
    assert "plain **1.00e−06**" in numbers
    assert "does not saturate on both sides" in because and "spread of the weights decides" in because


def test_tanh_saturates_on_both_sides_and_is_judged() -> None:
    assert vanishing.decided(made([1e-6, 1e-3, 1], [0.9, 1, 1], activation="tanh"), 0)[2] is True


@pytest.mark.parametrize(
    ("norms", "activation", "why"),
    [([0, 0, 1e-36], "relu", "smaller than the 1e−45"), ([0, 0, 1], "relu", "all units of a layer are off"),
     ([0, 0, 0], "relu", "all units of a layer are off"), ([0, 0, 1], "sigmoid", "its slope is 0 in 32 bits")],
)  # fmt: skip
def test_an_exact_zero_is_blamed_on_32_bits_only_beside_tiny_numbers(norms, activation, why) -> None:
    said = vanishing.happenings(made(norms, [1, 1, 1], activation=activation), 0)
    assert len(said) == 1 and why in said[0]
    assert ("1e−45" in said[0]) == ("1e−45" in why)


def test_all_zero_gradients_behind_activations_that_shrink_are_those_of_32_bits() -> None:
    result = made([0, 0, 0], [1, 1, 1], activation="tanh")
    spread = result.spread.copy()
    spread[0, 0] = [1, 1e-20, 1e-36, 0]
    assert "smaller than the 1e−45" in vanishing.happenings(replace(result, spread=spread), 0)[0]


def test_first_weights_of_zero_that_have_not_been_reached_yet_hand_nothing_back() -> None:
    rows = np.array([[[0, 0, 1], [1, 1, 1]], [[0, 0.1, 1], [1, 1, 1]]], float)
    result = replace(
        made([0, 0, 1], [1, 1, 1], initialiser="zeros"), gradient=rows, spread=np.ones((2, 2, 4)), loss=np.ones((2, 2))
    )
    assert "from layer 1 down: weights of 0 hand nothing back" in vanishing.happenings(result, 1)[0]


def test_a_layer_that_is_off_beside_a_shortcut_does_not_stop_those_below_it() -> None:
    said = vanishing.happenings(made([1, 1, 1], [1, 0, 1], activation="relu"), 0)[0]
    assert "in some layers, such as layer 2: all units" in said


@pytest.mark.parametrize("accuracy", [[0.9, 0.12, 0.95], [0.9, 0.95, 0.12]])
def test_stochastic_depth_is_judged_only_where_both_networks_have_learnt(accuracy) -> None:
    assert paths.decided(measured(accuracy=np.array(accuracy)))[2][2] is None


def test_accuracies_that_are_too_near_to_each_other_do_not_tell_which_network_bears_more() -> None:
    near = measured(drop_many=np.array([[0.2, 0.1], [0.93, 0.6], [0.94, 0.9]]))
    _, _, holds, because = paths.decided(near)[2]
    assert holds is None and "too near" in because


def surfaces(plain: float, residual: float) -> Surfaces:
    """A result that stands for surfaces of which these shares are non-convex."""
    return replace(stored(SurfacePlan()), losses=np.array([[[plain]], [[residual]]]))


@pytest.mark.parametrize(
    ("plain", "residual", "holds"),
    [(0.101, 0.099, None), (0.099, 0.101, None), (0.2, 0.09, True), (0.12, 0.01, True), (0.12, 0.11, False),
     (0.05, 0.3, False), (0.05, 0.02, None)],
)  # fmt: skip
def test_a_surface_is_rough_and_the_other_smooth_only_with_a_clear_gap(monkeypatch, plain, residual, holds) -> None:
    monkeypatch.setattr(loss_surface, "share_non_convex", lambda losses: float(losses[0, 0]))
    assert loss_surface.decided(surfaces(plain, residual), np.array([0]))[2] is holds


def test_networks_that_have_hardly_learnt_anything_decide_nothing_about_depth() -> None:
    error = np.array([[[0.9, 0.6], [0.9, 0.58]], [[0.9, 0.9], [0.9, 0.6]]])
    result = Degradation(DegradationPlan(), error, np.ones((2, 2, 2)), error, np.zeros(2))
    sentence = degradation.decided(result)[0]
    assert sentence[2] is None and "hardly learnt anything" in sentence[3]
    error[0, 1, 1] = 0.05  # now the shallow residual network has learnt
    assert degradation.decided(result)[0][2] is not None
