"""Ascent climbs, repeats under a seed, goes on as if it had never stopped, and calls a flat image flat."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from explorer.ascent import render as rendering
from explorer.ascent.quality import high_frequency_share, rose
from explorer.ascent.render import ALTERED, Ascent, frame_steps, grow, render, smaller, thinned
from explorer.ascent.results import NO_TRANSFORMS, Growing, Grown, Plan, Regularisers, Transforms
from explorer.networks.gradients import as_array, value_and_gradient
from explorer.networks.work_context import NoContext, SentenceError
from tests.ascent.small_networks import SIDE, dead, linear, nested, plain, sequential

pytestmark = pytest.mark.backends
FREE = Regularisers(0.0, 0.0, 0.0, 0.0, 0.0)
PLAN = Plan("small", objective="channel", layer="act_2", targets=(0, 3), steps=8, spectrum=1.5, learning_rate=0.05)


@pytest.fixture(scope="module")
def network():
    return plain()


@pytest.mark.parametrize("kind", ["pixels", "fourier"])
def test_a_linear_classs_image_takes_the_weights_signs(kind):
    network, weights = linear()
    plan = Plan(
        "", objective="class", targets=(1,), parameterisation=kind, colours="none", start="grey", steps=40,
        transforms=NO_TRANSFORMS, regularisers=FREE, learning_rate=0.2, spectrum=0.0,
    )  # fmt: skip
    grown = grow(network, plan)
    wanted = weights[:, 1].reshape(SIDE, SIDE, 3)
    strong = np.abs(wanted) > 0.2
    assert ((grown.images[0] > 127)[strong] == (wanted > 0)[strong]).mean() > 0.98
    assert grown.quality[0].clean > grown.quality[0].start


def test_the_first_step_of_adam_is_the_learning_rate_along_the_gradients_sign():
    network, weights = linear()
    plan = Plan(
        "", objective="class", targets=(2,), parameterisation="pixels", colours="none", start="grey", steps=1,
        transforms=NO_TRANSFORMS, regularisers=FREE, learning_rate=0.3,
    )  # fmt: skip
    grown = grow(network, plan)
    expected = 1 / (1 + np.exp(-0.3 * np.sign(weights[:, 2]))).reshape(SIDE, SIDE, 3)
    np.testing.assert_allclose(grown.images[0] / 255, expected, atol=0.003)


def test_a_steps_gradient_is_that_of_the_plain_sum_that_it_stands_for(network):
    held = Regularisers(smoothness=0.3, l2=0.1, variation=0.2)
    ascent = Ascent(network, replace(PLAN, targets=(3,), regularisers=held))
    parameters = np.random.default_rng(0).normal(size=(1, *ascent.image.grey().shape)).astype(np.float32)
    moved = ascent._movement(0, 0, 0)
    weights = np.array([30.0, 10.0, 20.0, 0.0, 0.0], np.float32)
    until = keras.Model(network.input, network.get_layer("norm_2").output)

    def seen(parameters):
        pictures = ascent.image.pictures(parameters)
        flat = keras.ops.reshape(pictures, (SIDE * SIDE, 3))
        shares = keras.ops.convert_to_tensor(moved.weights[..., None])
        corners = [keras.ops.take(flat, moved.places[n], axis=0) * shares[n] for n in range(4)]
        return pictures, keras.ops.mean(until(keras.ops.reshape(sum(corners), (1, SIDE, SIDE, 3)))[..., 3])

    def plain(parameters):
        pictures, total = seen(parameters)
        for each in (pictures[:, 1:] - pictures[:, :-1], pictures[:, :, 1:] - pictures[:, :, :-1]):
            total = total - 30.0 * keras.ops.mean(each**2)
            total = total - 20.0 * keras.ops.mean(keras.ops.sqrt(each**2 + 0.01**2))
        return total - 10.0 * keras.ops.mean((pictures - 0.5) ** 2)

    _, expected = value_and_gradient(plain, parameters)
    _, (values, pictures), found = ascent._kernels.ascend(parameters, ascent.selection, weights, *moved)
    shown, reached = seen(keras.ops.convert_to_tensor(parameters))
    np.testing.assert_allclose(as_array(values), as_array(reached)[None], rtol=1e-4)
    np.testing.assert_allclose(as_array(pictures), as_array(shown), atol=1e-6)
    np.testing.assert_allclose(as_array(found), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_adam_is_kerass():
    random = np.random.default_rng(0)
    ours = [random.normal(size=(3, 4)).astype(np.float32), *np.zeros((2, 3, 4), np.float32)]
    variable, adam = keras.Variable(ours[0]), keras.optimizers.Adam(0.05, epsilon=1e-8)
    for number in range(1, 6):
        gradient = random.normal(scale=10.0**-number, size=(3, 4)).astype(np.float32)
        adam.apply([-keras.ops.convert_to_tensor(gradient)], [variable])
        settings = np.array([0.05, 0.0, number], np.float32)
        ours = rendering._adam(*map(keras.ops.convert_to_tensor, (*ours, gradient, settings)))
        np.testing.assert_allclose(as_array(ours[0]), keras.ops.convert_to_numpy(variable), atol=1e-5)


def test_going_on_gives_the_same_images_as_never_having_stopped(network):
    whole = grow(network, PLAN)
    half = grow(network, replace(PLAN, steps=3))
    rest = grow(network, PLAN, state=half.state)
    np.testing.assert_array_equal(rest.images, whole.images)
    np.testing.assert_allclose(rest.curve, whole.curve, rtol=1e-6)
    assert rest.step == whole.step == 8 and whole.finished and half.finished
    assert rest.quality[0].start == whole.quality[0].start


def test_a_seed_repeats_and_another_does_not(network):
    first, again = grow(network, PLAN), grow(network, PLAN)
    np.testing.assert_array_equal(first.images, again.images)
    assert (grow(network, replace(PLAN, seed=1)).images != first.images).any()


def test_an_image_does_not_depend_on_its_company(network):
    together = grow(network, PLAN)
    alone = grow(network, replace(PLAN, targets=(3,)))
    difference = np.abs(together.images[1].astype(int) - alone.images[0].astype(int))
    assert difference.max() <= 2


def test_images_in_parts_are_the_same_images(network, monkeypatch):
    together = grow(network, PLAN)
    monkeypatch.setattr(rendering, "STEP_BYTES", 1)
    assert len(Ascent(network, PLAN)._parts) == 2
    difference = np.abs(together.images.astype(int) - grow(network, PLAN).images.astype(int))
    assert difference.max() <= 2


def test_a_channel_that_cannot_start_is_flat_and_one_that_can_is_not():
    network = dead()
    plan = Plan("", objective="channel", layer="joined", targets=(0, 1), steps=20, regularisers=FREE)
    grown = grow(network, plan)
    # Its kernel is too weak to open the ReLU however the picture looks.
    assert [each.flat for each in grown.quality] == [True, False]
    assert grown.notes
    assert rose(0.0, 0.1) and not any(rose(*ends) for ends in ((0.0, 0.0), (12.0, 11.9), (0.0, float("nan"))))
    # There is something to see in a picture, however little came of it.
    plan = replace(plan, start="picture", steps=1, learning_rate=0.0)
    assert not grow(network, plan, pixels=np.zeros((SIDE, SIDE, 3), np.uint8)).quality[0].flat


@pytest.mark.parametrize(
    ("build", "layer"), [(nested, "base/act_2"), (nested, "base"), (sequential, "conv_1"), (sequential, "logits")]
)
def test_nested_and_sequential_networks_grow_too(build, layer):
    grown = grow(build(), replace(PLAN, layer=layer, steps=25, regularisers=FREE))
    assert grown.images.shape == (2, SIDE, SIDE, 3)
    assert all(each.clean > each.start for each in grown.quality)


def test_another_size_than_the_networks_own():
    grown = grow(plain(), replace(PLAN, size=20, steps=3))
    assert grown.images.shape == (2, 20, 20, 3)
    grown = grow(nested(), replace(PLAN, layer="base/act_1", size=16, steps=2))
    assert grown.images.shape == (2, 16, 16, 3)
    grown = grow(sequential(), replace(PLAN, layer="conv_1", size=20, steps=2))
    assert grown.images.shape == (2, 20, 20, 3)
    with pytest.raises(SentenceError, match="cannot take pictures of 20 × 20"):
        grow(sequential(), Plan("", objective="class", size=20, steps=2))


def test_one_channel_oblong_images_are_shown_in_grey():
    network = plain(shape=(10, 14, 1))
    grown = grow(network, replace(PLAN, steps=3))
    assert grown.images.shape == (2, 10, 14, 3)
    np.testing.assert_array_equal(grown.images[..., 0], grown.images[..., 2])


def test_a_start_from_the_visitors_picture_begins_with_it(network):
    pixels = np.random.default_rng(0).integers(5, 250, size=(SIDE, SIDE, 3)).astype(np.uint8)
    plan = replace(PLAN, start="picture", steps=1, learning_rate=0.0)
    np.testing.assert_allclose(grow(network, plan, pixels=pixels).images[0].astype(int), pixels, atol=2)
    with pytest.raises(SentenceError, match="choose one first"):
        grow(network, plan)


def test_diversity_holds_copies_apart(network):
    plan = replace(PLAN, targets=(0,), copies=2, steps=25, regularisers=FREE, learning_rate=0.2)
    alike, apart = grow(network, plan), grow(network, replace(plan, diversity=30.0))
    assert alike.targets == (0, 0)

    def distance(grown):
        return np.abs(grown.images[0].astype(float) - grown.images[1]).mean()

    assert distance(apart) > distance(alike)


def test_each_regulariser_keeps_small_what_it_is_named_after(network):
    plan = replace(PLAN, steps=20, regularisers=FREE, transforms=NO_TRANSFORMS, parameterisation="pixels")
    free = grow(network, plan).images / 255

    def held(**weights):
        return grow(network, replace(plan, regularisers=replace(FREE, **weights))).images / 255

    def differences(images):
        return np.abs(np.diff(images, axis=1)).mean() + np.abs(np.diff(images, axis=2)).mean()

    assert differences(held(smoothness=1.0)) < 0.9 * differences(free)
    assert differences(held(variation=1.0)) < 0.9 * differences(free)
    assert differences(held(blur=1.0)) < 0.9 * differences(free)
    assert np.abs(held(l2=10.0) - 0.5).mean() < 0.9 * np.abs(free - 0.5).mean()
    assert np.abs(held(decay=0.2) - 0.5).mean() < 0.9 * np.abs(free - 0.5).mean()


def test_render_tells_how_far_it_is_and_stops_when_asked(network):
    told = list(render(network, PLAN, every=0.0))
    assert [each.step for each in told[:-1]] == list(range(1, 9))
    assert all(isinstance(each, Growing) for each in told[:-1]) and isinstance(told[-1], Grown)
    assert told[-2].curve.shape == (8, 2)

    class Stops(NoContext):
        asked = 0

        def stopped(self):
            self.asked += 1
            return self.asked > 3

    *_, last = render(network, PLAN, context=Stops())
    assert last.step == 3 and not last.finished and last.state["step"] == 3


def test_frames_tell_the_growth_from_first_to_last(network):
    grown = grow(network, PLAN)
    assert [frame.step for frame in grown.frames] == list(range(9))
    np.testing.assert_array_equal(grown.frames[-1].images, grown.images)
    steps = sorted(frame_steps(200, 48))
    assert len(steps) <= 47 and steps[0] == 1 and steps[-1] == 200


def test_a_state_of_other_images_is_a_sentence(network):
    state = grow(network, replace(PLAN, steps=1)).state
    for plan, given in ((replace(PLAN, targets=(0,)), state), (PLAN, {}), (replace(PLAN, size=16), state)):
        with pytest.raises(SentenceError, match="grown with other settings|cannot be gone on with"):
            grow(network, plan, state=given)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0}, {"steps": 10**6}, {"learning_rate": float("nan")}, {"size": 5000}, {"seed": -1},
        {"copies": 0}, {"targets": ()}, {"transforms": Transforms(jitter=1e9)},
        {"regularisers": Regularisers(l2=float("inf"))}, {"copies": 16, "targets": tuple(range(8))},
    ],
)  # fmt: skip
def test_nonsense_out_of_a_link_is_a_sentence(network, wrong):
    with pytest.raises(SentenceError):
        Ascent(network, replace(PLAN, **wrong))


def test_high_frequencies_are_counted():
    rows = np.arange(16)[None, :, None, None]
    fine, coarse = np.cos(np.pi * rows), np.cos(np.pi * rows / 4)
    ones = np.ones((1, 16, 16, 3))
    assert high_frequency_share(fine * ones)[0] == pytest.approx(1.0)
    assert high_frequency_share(coarse * ones)[0] == pytest.approx(0.0, abs=1e-9)
    assert high_frequency_share(ones)[0] == 0.0
    white = np.random.default_rng(0).normal(size=(1, 64, 64, 3))
    assert high_frequency_share(white)[0] == pytest.approx(1 - np.pi / 16, abs=0.02)  # outside a circle of ¼


def test_what_is_told_is_thinned_not_cut():
    curve = np.arange(1000, dtype=np.float32)[:, None]
    assert thinned(curve, 200)[-1] == 999 and len(thinned(curve, 200)) == 200
    images = np.full((4, 20, 30, 3), 7, np.uint8)
    assert smaller(images, 10**6) is images
    assert smaller(images, 2000).shape == (4, 10, 15, 3)


def test_images_that_grew_with_another_rate_for_a_while_say_that_the_plan_alone_does_not_make_them(network):
    plan = replace(PLAN, steps=4)
    assert not grow(network, plan).notes
    ascent = Ascent(network, plan)
    ascent.learning_rate = 0.01
    ascent.advance()
    ascent.learning_rate = plan.learning_rate
    half = ascent.grown()
    assert ALTERED in half.notes
    assert ALTERED in grow(network, plan, state=half.state).notes
    slower = replace(plan, learning_rate=0.01, steps=6)
    assert ALTERED in grow(network, slower, state=grow(network, plan).state).notes
