"""Attacks: along the true gradient, inside the ball, and worse with more steps."""

import keras
import numpy as np
import pytest

from explorer.networks.drawn.attack import fast_gradient, input_gradient, projected_gradient

pytestmark = pytest.mark.backends


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(4)
    inputs = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(5, 3, activation="tanh")(inputs)
    return keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Flatten()(x)))


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.uniform(0.3, 0.7, (5, 6, 6, 3)).astype(np.float32), np.array([0, 1, 2, 3, 0])


def _losses(model: keras.Model, pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    logits = np.asarray(model.predict_on_batch(pictures), np.float64)
    return np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(labels)), labels]


def test_the_gradient_is_that_of_finite_differences(model: keras.Model, batch: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, labels = batch
    gradient = input_gradient(model)(pictures, labels)
    assert gradient.shape == pictures.shape
    step = 1e-2
    for index in [(0, 0, 0, 0), (2, 3, 4, 1), (4, 5, 5, 2)]:
        up, down = pictures.copy(), pictures.copy()
        up[index] += step
        down[index] -= step
        slope = (_losses(model, up, labels)[index[0]] - _losses(model, down, labels)[index[0]]) / (2 * step)
        assert gradient[index] == pytest.approx(slope, abs=2e-3, rel=2e-2)


@pytest.mark.parametrize("attack", [fast_gradient, projected_gradient])
def test_an_attack_stays_in_the_ball_and_raises_every_loss(
    model: keras.Model, batch: tuple[np.ndarray, np.ndarray], attack: object
) -> None:
    pictures, labels = batch
    moved = attack(input_gradient(model), pictures, labels, 0.2)  # type: ignore[operator]
    away = np.sqrt(((moved - pictures) ** 2).sum((1, 2, 3)))
    assert moved.dtype == np.float32
    assert (away <= 0.2 + 1e-5).all()
    assert (away > 0.15).all()
    assert (_losses(model, moved, labels) > _losses(model, pictures, labels)).all()


def test_pictures_stay_between_0_and_1(model: keras.Model, batch: tuple[np.ndarray, np.ndarray]) -> None:
    for attack in (fast_gradient, projected_gradient):
        moved = attack(input_gradient(model), *batch, 30.0)
        assert moved.min() >= 0
        assert moved.max() <= 1


def test_radius_zero_is_the_picture_itself(model: keras.Model, batch: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(fast_gradient(input_gradient(model), *batch, 0.0), batch[0])


def test_the_gradient_follows_the_weights_when_they_change(batch: tuple[np.ndarray, np.ndarray]) -> None:
    inputs = keras.Input((6, 6, 3))
    model = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Flatten()(inputs)))
    gradient = input_gradient(model)
    before = gradient(*batch)
    model.set_weights([-array for array in model.get_weights()])
    assert np.abs(gradient(*batch) - before).max() > 1e-3
