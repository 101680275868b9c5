"""The measures: intervals, tables, Grad-CAM and the pointing game, each against a truth found another way."""

import keras
import numpy as np
import pytest
from scipy.stats import binomtest

from explorer.networks.drawn.evaluation import (
    TestSet,
    accuracy,
    class_table,
    grad_cam,
    pointing_game,
    robust_accuracy,
    test_pictures,
    wilson,
)
from explorer.networks.drawn.model import LAST_CONVOLUTION, LOGITS_LAYER, build


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build()


@pytest.mark.parametrize(("right", "count"), [(0, 10), (7, 12), (1900, 2000), (50, 50)])
def test_the_interval_is_wilsons(right: int, count: int) -> None:
    truth = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert wilson(right, count) == pytest.approx((truth.low, truth.high), abs=1e-4)


def test_accuracy_and_class_table_of_a_table_counted_by_hand() -> None:
    # Two cats (one called fish), two fish (both right), one heart called cat.
    labels, answers = np.array([0, 0, 1, 1, 11]), np.array([0, 1, 1, 1, 0])
    logits = np.eye(12)[answers]
    assert accuracy(logits, labels)["accuracy"] == 0.6
    rows = {row["class"]: row for row in class_table(logits, labels)}
    assert (rows["cat"]["recall"], rows["cat"]["precision"], rows["cat"]["taken_for"]) == (0.5, 0.5, "fish")
    assert (rows["fish"]["recall"], rows["fish"]["precision"]) == (1.0, pytest.approx(2 / 3, abs=1e-4))
    assert (rows["heart"]["recall"], rows["heart"]["precision"], rows["heart"]["taken_for"]) == (
        0.0,
        0.0,
        "cat",
    )


def test_grad_cam_in_closed_form_is_grad_cam_by_gradients(model: keras.Model) -> None:
    # Finite differences of the logit with respect to every position of the last maps.
    generator = np.random.default_rng(1)
    pictures, classes = generator.random((2, 96, 96, 3)).astype(np.float32), np.array([3, 8])
    maps = np.asarray(keras.Model(model.input, model.get_layer(LAST_CONVOLUTION).output).predict_on_batch(pictures))
    inputs = keras.Input(maps.shape[1:])
    head = keras.Model(inputs, model.get_layer(LOGITS_LAYER)(model.get_layer("average")(inputs)))
    heat = grad_cam(model, pictures, classes)
    for i in range(2):
        pushed = np.repeat(maps[i : i + 1], 128, 0)
        pushed[np.arange(128), :, :, np.arange(128)] += 1.0
        slopes = head.predict_on_batch(pushed)[:, classes[i]] - head.predict_on_batch(maps[i : i + 1])[0, classes[i]]
        # Moving all 144 positions of a channel by 1 changes the logit by the sum of their gradients.
        truth = np.maximum((maps[i] * slopes / 144).sum(-1), 0)
        np.testing.assert_allclose(heat[i], truth, atol=1e-4 * max(1, truth.max()))


def test_the_pointing_game_is_won_everywhere_on_a_full_mask_and_nowhere_on_an_empty_one(
    model: keras.Model,
) -> None:
    tests = test_pictures(12)
    for value, share in ((255, 1.0), (0, 0.0), (127, 0.0)):
        result = pointing_game(model, TestSet(tests.pixels, tests.labels, np.full_like(tests.masks, value)))
        assert [result[key] for key in ("grad_cam", "in_box", "centre_pixel", "random_pixel")] == [share] * 4


def test_a_ring_is_pointed_at_through_its_hole_only_in_its_box(model: keras.Model) -> None:
    tests = test_pictures(12)
    ring = np.zeros_like(tests.masks)
    ring[:, [0, -1]] = ring[:, :, [0, -1]] = 255
    result = pointing_game(model, TestSet(tests.pixels, tests.labels, ring))
    assert result["in_box"] == 1.0
    assert result["random_pixel"] == pytest.approx(4 * 95 / 96**2, abs=1e-4)


def test_the_test_pictures_are_the_twelve_classes_and_differ_in_background_only() -> None:
    unseen, familiar = test_pictures(40), test_pictures(40, backgrounds="training")
    assert set(unseen.labels) <= set(range(12))
    np.testing.assert_array_equal(unseen.labels, familiar.labels)
    assert unseen.pixels.shape == (40, 96, 96, 3)
    assert unseen.masks.shape == (40, 96, 96)
    assert (unseen.pixels != familiar.pixels).any((1, 2, 3)).all()


def test_more_radius_and_more_steps_leave_less_accuracy(model: keras.Model) -> None:
    # An untrained network, asked to keep its own answers.
    pictures = test_pictures(16).pictures
    own = model.predict_on_batch(pictures).argmax(-1)
    small, large = robust_accuracy(model, pictures, own, radii=(0.01, 3.0))
    assert small["one_step"] >= large["one_step"]
    assert small["ten_steps"] <= small["one_step"] + 1e-9
    assert large["ten_steps"] <= large["one_step"] + 1e-9
