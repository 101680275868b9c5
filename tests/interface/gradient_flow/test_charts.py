"""Charts of activations and optimisers pass Plotly's own checks and show the numbers that they are given."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.gradient_flow.activations import ACTIVATIONS, normal_batch, passed, softmax, softmax_jacobian
from explorer.gradient_flow.network_race import race_network
from explorer.gradient_flow.regularisers import REGULARISERS, compare
from explorer.interface.figures import gradient_flow_charts as charts
from explorer.interface.figures import optimiser_charts
from explorer.interface.theme import DARK, LIGHT

COLOURS = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
TITLES = {name: name for name in ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")}


def checked(figure) -> go.Figure:
    return go.Figure(figure.to_dict())


@COLOURS
@pytest.mark.parametrize("what", ["value", "slope"])
def test_a_curve_is_dotted_just_where_it_is_saturated(colours, what):
    one = ACTIVATIONS["tanh"]
    batch = normal_batch(0, 1, 0)
    figure = checked(charts.activation_curves([(one, "#000000")], what, colours, reach=6, below=0.05, batch=batch))
    solid = next(trace for trace in figure.data if trace.type == "scatter" and trace.line.dash is None)
    drawn = np.array(solid.y, float)
    z = np.linspace(-6, 6, charts.CURVE_POINTS)
    np.testing.assert_array_equal(np.isnan(drawn), one.saturated(z, 0.05))
    values = one.value(z) if what == "value" else one.derivative(z)
    np.testing.assert_allclose(drawn[~np.isnan(drawn)], values[~np.isnan(drawn)], rtol=1e-4)
    strips = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert len(strips) == 2 and strips[0].x1 == pytest.approx(-strips[1].x0)


@COLOURS
def test_other_charts_of_activations_are_figures(colours):
    batch = normal_batch(0, 2, 0)
    every = [(passed(one, batch), "#000000") for one in ACTIVATIONS.values()]
    checked(charts.batch_histogram(np.zeros(5), "#000000", colours, title="z"))
    left = checked(charts.products(every, 10, colours))
    assert left.data[0].y[10] == pytest.approx(every[0][0].mean_slope ** 10, rel=1e-4)
    logits = np.array([2.0, 0, -1])
    names = ["1", "2", "3"]
    heat = checked(charts.jacobian(softmax_jacobian(logits), names, colours)).data[0]
    assert heat.zmin == -heat.zmax
    bars = checked(charts.probabilities(logits, softmax(logits), names, colours)).data[0]
    np.testing.assert_allclose(bars.y, softmax(logits), rtol=1e-4)


@COLOURS
def test_curves_of_a_race_have_the_means_of_its_batches(colours):
    found = race_network(epochs=2)
    figure = checked(optimiser_charts.race_losses(found, ["sgd", "adam"], TITLES, colours))
    width = found.batches // 10
    np.testing.assert_allclose(figure.data[0].y[0], found.runners["sgd"].losses[:width].mean(), rtol=1e-4)
    accuracies = checked(optimiser_charts.race_accuracies(found, ["adam"], TITLES, colours)).data[0].y
    np.testing.assert_allclose(accuracies, 100 * found.runners["adam"].accuracies, rtol=1e-4)


@COLOURS
def test_a_race_that_has_overflowed_leaves_gaps(colours):
    found = race_network(rates={"sgd": 1e6, "adamw": 1e6}, epochs=2)
    figure = checked(optimiser_charts.race_losses(found, ["sgd", "adamw"], TITLES, colours))
    assert any(value is None for trace in figure.data for value in trace.y)
    assert figure.layout.yaxis.dtick >= 1


@COLOURS
def test_histograms_of_weights_count_all_of_them(colours):
    found = compare(epochs=2)
    one = found.networks["l1"]
    bars = checked(optimiser_charts.weight_histogram(one.weights, 0.5, 0.01, colours)).data[0]
    assert sum(bars.y) == one.weights.size
    curves = checked(optimiser_charts.gap_curves(found, REGULARISERS, colours)).data
    assert len(curves) == 2 * len(REGULARISERS)
