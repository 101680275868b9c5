"""Update rules make the steps that Keras' optimisers make; on a quadratic they diverge where the closed form says."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from explorer.gradient_flow.optimisers import (
    OPTIMISERS,
    SGD,
    Adam,
    AdamW,
    RMSprop,
    largest_stable_rate,
)

PAIRS = [
    (SGD(0.1), lambda: keras.optimizers.SGD(0.1)),
    (SGD(0.05, 0.9), lambda: keras.optimizers.SGD(0.05, momentum=0.9)),
    (SGD(0.05, 0.9, True), lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True)),
    (RMSprop(0.01), lambda: keras.optimizers.RMSprop(0.01)),
    (RMSprop(0.01, rho=0.5, epsilon=1e-3), lambda: keras.optimizers.RMSprop(0.01, rho=0.5, epsilon=1e-3)),
    (Adam(0.01), lambda: keras.optimizers.Adam(0.01)),
    (Adam(0.1, 0.8, 0.95, 1e-2), lambda: keras.optimizers.Adam(0.1, beta_1=0.8, beta_2=0.95, epsilon=1e-2)),
    (AdamW(0.01), lambda: keras.optimizers.AdamW(0.01)),
    (AdamW(0.1, weight_decay=0.3), lambda: keras.optimizers.AdamW(0.1, weight_decay=0.3)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda one: repr(one) if not callable(one) else "")
def test_every_step_is_that_of_keras(ours, theirs):
    random = np.random.default_rng(4)
    weights = random.normal(0, 1, (3, 5))
    variable = keras.Variable(weights, dtype="float64")
    optimiser = theirs()
    optimiser.build([variable])
    memory = ours.begin(weights)
    for step in range(1, 41):
        gradient = random.normal(0, 10.0 ** random.integers(-3, 3), weights.shape)
        optimiser.apply([keras.ops.convert_to_tensor(gradient, "float64")], [variable])
        weights = ours.update(weights, gradient, memory, step)
        # Keras keeps learning rates and other settings in float32.
        rounding = 5e-6 * max(1.0, np.abs(weights).max())
        np.testing.assert_allclose(weights, keras.ops.convert_to_numpy(variable.value), rtol=0, atol=rounding)


def test_the_page_offers_what_it_says():
    made = {name: eval(f"keras.optimizers.{entry.keras.format(rate=0.25)}") for name, entry in OPTIMISERS.items()}
    assert {name: type(one).__name__ for name, one in made.items()} == {
        "sgd": "SGD", "momentum": "SGD", "nesterov": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"
    }  # fmt: skip
    assert all(entry.make(0.25).learning_rate == 0.25 for entry in OPTIMISERS.values())
    assert made["momentum"].momentum == 0.9 and made["nesterov"].nesterov


def final_height(name: str, rate: float, curvature: float) -> float:
    rule = OPTIMISERS[name].make(rate)
    weights = np.array([1.0])
    memory = rule.begin(weights)
    for step in range(1, 4001):
        weights = rule.update(weights, curvature * weights, memory, step)
        if abs(weights[0]) > 1e8:
            break
    return float(abs(weights[0]))


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("curvature", [0.5, 20.0])
def test_a_quadratic_diverges_just_above_the_bound_and_not_below(name, curvature):
    bound = largest_stable_rate(name, curvature)
    assert final_height(name, 0.99 * bound, curvature) < 1e-6
    assert final_height(name, 1.01 * bound, curvature) > 1e6


def test_adaptive_rules_have_no_such_bound():
    for name in ("rmsprop", "adam", "adamw"):
        assert largest_stable_rate(name, 20.0) is None
        assert final_height(name, 1.0, 1e6) < 10


def test_a_flat_surface_has_no_bound():
    assert largest_stable_rate("sgd", 0.0) is None
    assert largest_stable_rate("sgd", -1.0) is None
