"""A dream makes its layers answer more, keeps the picture's size, and stops when asked."""

import numpy as np
import pytest

from explorer.ascent import dream
from explorer.ascent.dream import dream_on, octave_sizes
from explorer.ascent.results import DreamPlan
from explorer.networks.activations import activations
from explorer.networks.work_context import NoContext, SentenceError
from tests.ascent.small_networks import nested, plain, sequential

pytestmark = pytest.mark.backends
PLAN = DreamPlan("small", layers=(("act_1", 1.0), ("act_2", 0.5)), octaves=2, steps=6, size=76, jitter=4)


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(60, 190, size=(40, 60, 3)).astype(np.uint8)


def answer(network, image):
    found = activations(network, image[None].astype(np.float32) / 255, ["act_1", "act_2"])
    return (found["act_1"] ** 2).mean() + 0.5 * (found["act_2"] ** 2).mean()


def test_the_mixed_layers_answer_more_and_the_proportions_stay(pixels):
    grown = dream_on(plain(shape=(None, None, 3)), PLAN, pixels)
    assert grown.images.shape == (1, 51, 76, 3) and grown.finished and grown.step == 12
    assert answer(plain(shape=(None, None, 3)), grown.images[0]) > 1.1 * answer(
        plain(shape=(None, None, 3)), grown.frames[0].images[0]
    )
    assert grown.quality[0].clean > grown.quality[0].start


def test_networks_of_one_size_dream_at_every_size(pixels):
    for network, layer in ((plain(), "act_2"), (sequential(), "conv_1"), (nested(), "base/act_1")):
        plan = DreamPlan("", layers=((layer, 1.0),), octaves=1, steps=2, size=48, jitter=2)
        assert dream_on(network, plan, pixels).images.shape == (1, 32, 48, 3)


def test_the_same_seed_dreams_the_same(pixels):
    network = plain()
    first, again = (dream_on(network, PLAN, pixels) for _ in range(2))
    np.testing.assert_array_equal(first.images, again.images)


def test_no_step_leaves_the_picture(pixels):
    plan = DreamPlan("", layers=(("act_1", 1.0),), octaves=2, steps=2, size=60, step_size=0.0)
    np.testing.assert_allclose(dream_on(plain(), plan, pixels).images[0].astype(int), pixels, atol=1)


def test_after_stop_no_other_step_is_done(pixels):
    class Stops(NoContext):
        asked = 0

        def stopped(self):
            self.asked += 1
            return self.asked > 8

        def should_yield(self):
            return True  # it cannot be gone on with, so it gives way to nobody

    grown = dream_on(plain(), PLAN, pixels, context=Stops())
    assert grown.step == 8 and not grown.finished and grown.quality[0].shaken is None
    assert grown.images.shape == (1, 51, 76, 3)


def test_the_steps_of_a_large_dream_are_kept_within_a_few_megabytes(pixels, monkeypatch):
    assert len(dream_on(plain(), PLAN, pixels).frames) == 13
    monkeypatch.setattr(dream, "FRAME_BYTES", 1)
    frames = dream_on(plain(), PLAN, pixels).frames
    assert [frames[0].step, frames[-1].step, len(frames)] == [0, 12, 5]


def test_octaves_grow_to_the_pictures_size_and_are_never_tiny():
    assert octave_sizes(200, 400, 3, 2.0) == ((50, 100), (100, 200), (200, 400))
    assert octave_sizes(64, 64, 4, 2.0) == ((32, 32), (64, 64))
    assert octave_sizes(20, 40, 3, 2.0) == ((20, 40),)


@pytest.mark.parametrize(
    "wrong", [{"layers": ()}, {"layers": (("nowhere", 1.0),)}, {"size": 10**6}, {"octaves": 0}, {"step_size": np.nan}]
)
def test_nonsense_is_a_sentence(pixels, wrong):
    with pytest.raises(SentenceError):
        dream_on(plain(), DreamPlan("", **{"layers": (("act_1", 1.0),), **wrong}), pixels)
