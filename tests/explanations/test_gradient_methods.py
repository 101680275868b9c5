"""Gradient maps agree with finite differences and closed forms, on every kind of network."""

import keras
import numpy as np
import pytest
from keras import layers

from explorer.explanations.explain import explain
from explorer.explanations.results import Target
from tests.explanations.networks_zoo import ZOO, kept

pytestmark = pytest.mark.backends
STEP = 2e-3
NAMES = sorted(ZOO)


def logits(name, x, output=0):
    """The network's logits with its softmax or sigmoid undone by hand, in double precision."""
    answer = kept(name)(keras.ops.convert_to_tensor(x))
    values = keras.ops.convert_to_numpy(keras.tree.flatten(answer)[output]).astype(np.float64)
    if name == "one_class":
        return np.log(values / (1 - values))
    if name in ("softmax_head", "softmax_layer", "softmax_operation", "several_outputs", "own_code"):
        return np.log(values)
    return values


def linear(weights, bias=0.3, channels=3):
    inputs = keras.Input((4, 5, channels))
    model = keras.Model(inputs, layers.Dense(weights.shape[1])(layers.Flatten()(inputs)))
    model.layers[-1].set_weights([weights, np.full(weights.shape[1], bias)])
    return model


def slope(function, x, direction):
    return (function(x + STEP * direction) - function(x - STEP * direction)) / (2 * STEP)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_how_a_logit_changes_with_the_picture(name):
    x = ZOO[name].pictures(2)
    # Logits undone from probabilities lack one constant, the same for all classes: a difference has none of it.
    paired = name != "one_class"
    target = Target(index=2, against=0) if paired else Target(index=0)
    found = explain(kept(name), x, target, "gradient_input")

    def of_share(picture, values):
        answer = logits(name, (values * picture)[None].astype(np.float32))[0]
        return answer[2] - answer[0] if paired else answer[0]

    for number, picture in enumerate(x):
        # The sum of x · dS/dx is the slope along x itself.
        expected = slope(lambda share, p=picture: of_share(p, share), 1.0, 1.0)
        total = found.maps[number].sum(dtype=np.float64)
        assert total == pytest.approx(expected, rel=0.03, abs=4e-3)
        expected_score = of_share(picture, 1.0)
        assert found.scores[number] == pytest.approx(expected_score, abs=1e-4)


@pytest.mark.parametrize("name", ["batch_norm", "transfer", "own_code", "one_channel", "non_square", "shared_layer"])
def test_saliency_at_one_pixel_is_the_largest_slope_of_its_channels(name):
    x = ZOO[name].pictures(1)
    target = Target(index=1, against=3)
    found = explain(kept(name), x, target, "saliency")
    assert found.maps.shape == (1, *ZOO[name].shape[:2])
    for row, column in ((0, 0), (3, 4), (5, 2)):
        slopes = []
        for channel in range(x.shape[-1]):
            direction = np.zeros_like(x)
            direction[0, row, column, channel] = 1
            both = logits(name, np.concatenate([x + STEP * direction, x - STEP * direction]))
            slopes.append(((both[0, 1] - both[0, 3]) - (both[1, 1] - both[1, 3])) / (2 * STEP))
        assert found.maps[0, row, column] == pytest.approx(max(map(abs, slopes)), rel=0.05, abs=2e-3)


def test_of_a_linear_network_the_maps_are_its_weights():
    random = np.random.default_rng(0)
    weights = random.normal(size=(60, 3)).astype(np.float32)
    x = random.normal(size=(2, 4, 5, 3)).astype(np.float32)
    model = linear(weights)
    places = weights[:, 1].reshape(4, 5, 3)
    saliency = explain(model, x, 1, "saliency")
    for number in range(2):
        np.testing.assert_allclose(saliency.maps[number], np.abs(places).max(-1), rtol=1e-5)
    np.testing.assert_allclose(saliency.scores, x.reshape(2, -1) @ weights[:, 1] + 0.3, rtol=1e-4)
    product = explain(model, x, 1, "gradient_input")
    np.testing.assert_allclose(product.maps, (x * places).sum(-1), rtol=1e-4, atol=1e-5)
    # Noise changes no linear network's gradient.
    smooth = explain(model, x, 1, "smoothgrad", samples=5, noise=0.4)
    np.testing.assert_allclose(smooth.maps[0], np.abs(places).max(-1), rtol=1e-5)
    shared_out = explain(model, x, 1, "integrated_gradients", steps=5, baseline=0.5)
    np.testing.assert_allclose(shared_out.maps, ((x - 0.5) * places).sum(-1), rtol=1e-4, atol=1e-5)


def squares():
    inputs = keras.Input((3, 3, 1))
    return keras.Model(inputs, layers.Dense(1, use_bias=False, kernel_initializer="ones")(layers.Flatten()(inputs**2)))


def test_of_a_sum_of_squares_integrated_gradients_are_the_squares():
    x = np.random.default_rng(1).normal(size=(1, 3, 3, 1)).astype(np.float32)
    found = explain(squares(), x, 0, "integrated_gradients", steps=7, baseline=0.0)
    np.testing.assert_allclose(found.maps[0], x[0, ..., 0] ** 2, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(explain(squares(), x, 0, "gradient_input").maps[0], 2 * x[0, ..., 0] ** 2, rtol=1e-5)


def test_smoothgrad_of_a_square_is_the_mean_size_of_a_shifted_gaussian():
    x = np.full((1, 3, 3, 1), 0.2, np.float32)
    x[0, 0, 0, 0] = 1.2  # the range is 1, so the noise's deviation is 0.3
    found = explain(squares(), x, 0, "smoothgrad", samples=200, noise=0.3)
    draws = np.random.default_rng(5).normal(0.2, 0.3, 200_000)
    assert found.maps[0, 2].mean() == pytest.approx(2 * np.abs(draws).mean(), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_integrated_gradients_add_up_to_what_the_score_has_gained(name):
    target = Target(index=0) if name == "one_class" else Target(index=2, against=0)
    x = ZOO[name].pictures(1)
    found = explain(kept(name), x, target, "integrated_gradients", steps=60, baseline=0.1)
    ends = logits(name, np.concatenate([x, np.full_like(x, 0.1)]))
    scores = ends[:, 0] if name == "one_class" else ends[:, 2] - ends[:, 0]
    gained = scores[0] - scores[1]
    values = {fact.name: fact.value for fact in found.facts[0]}
    assert values["Score above the baseline"] == pytest.approx(gained, abs=1e-4)
    assert found.maps.sum() == pytest.approx(values["Sum of the map"], rel=1e-3, abs=1e-4)
    assert values["Completeness gap"] == pytest.approx(found.maps.sum() - gained, abs=1e-3)
    # Each ReLU's kink on the way costs the trapezoid rule something like one step.
    allowed = 0.08 if ZOO[name].rectifiers else 0.01
    assert abs(values["Completeness gap"]) < allowed * max(1.0, abs(gained))


def test_more_steps_leave_a_smaller_gap():
    x = ZOO["gelu"].pictures(1)

    def gap(steps):
        found = explain(kept("gelu"), x, 1, "integrated_gradients", steps=steps, baseline=-0.5)
        return abs(found.facts[0][3].value)

    assert gap(100) < gap(5) / 20


def test_the_batch_size_changes_no_number():
    x = ZOO["batch_norm"].pictures(3)
    for method, options in (
        ("saliency", {}),
        ("smoothgrad", {"samples": 5}),
        ("integrated_gradients", {"steps": 7, "baseline": 0.0}),
        ("grad_cam", {}),
        ("score_cam", {}),
        ("guided_backprop", {}),
    ):
        whole = explain(kept("batch_norm"), x, 1, method, **options)
        single = explain(kept("batch_norm"), x, 1, method, batch=2, **options)
        np.testing.assert_allclose(single.maps, whole.maps, rtol=1e-4, atol=1e-6)
        assert single.cost.batch <= 2
        assert (single.cost.forward, single.cost.backward) == (whole.cost.forward, whole.cost.backward)


def test_compiled_and_eager_passes_agree():
    x = ZOO["transfer"].pictures(1)
    model = ZOO["transfer"].made()
    for method in ("gradient_input", "grad_cam", "guided_backprop"):
        runs = [explain(model, x, 1, method).maps for _ in range(4)]  # compiled from the third on
        np.testing.assert_allclose(runs[3], runs[0], rtol=1e-4, atol=1e-6)


def test_a_seed_repeats_smoothgrad_and_another_does_not():
    x = ZOO["silu"].pictures(1)
    first, again, other = (explain(kept("silu"), x, 1, "smoothgrad", samples=4, seed=seed).maps for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_each_picture_is_explained_for_its_own_predicted_class():
    name = "functional"
    x = np.concatenate([ZOO[name].pictures(6, seed) * 3 for seed in (0, 1)])
    predicted = logits(name, x).argmax(-1)
    assert len(set(predicted)) > 1
    for method in ("saliency", "grad_cam"):
        together = explain(kept(name), x, None, method)
        np.testing.assert_array_equal(together.indices, predicted)
        assert together.target.index is None
        alone = explain(kept(name), x[:1], int(predicted[0]), method)
        np.testing.assert_allclose(together.maps[0], alone.maps[0], rtol=1e-4, atol=1e-6)
