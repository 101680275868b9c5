"""Judging as named work: the picture, its mask and its maps come in as the page has them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from explorer.explanations import judge_work
from explorer.explanations.results import Target
from explorer.networks.loading import load
from explorer.networks.preprocessing import fit
from explorer.networks.work_context import SentenceError
from explorer.pictures.sources import mask_of, resolve
from tests.explanations.perturbed_networks import Listening

SOURCE = "drawn:fish:7"
NETWORK = "drawn_plain"


@pytest.fixture(scope="module")
def pixels():
    return resolve(SOURCE).pixels


def test_the_true_mask_as_a_map_hits_and_overlaps_fully(pixels):
    loaded = load(NETWORK)
    mask = mask_of(SOURCE)
    at_input = judge_work.fitted_mask(mask, fit(pixels, loaded.entry, "pad"), loaded, "pad")
    maps = {"grad_cam": at_input.astype(np.float32), "saliency": 1 - at_input.astype(np.float32)}
    context = Listening()
    found = judge_work.judge(context, NETWORK, "trained", pixels, "pad", Target(), maps, mask)
    right, wrong, random = found.rows
    assert right.hit and right.overlap == 1
    assert not wrong.hit and wrong.overlap == 0
    assert random.method == "random"
    assert right.insertion.area > wrong.insertion.area
    assert found.agreement[0, 1] == pytest.approx(-1)
    assert pickle.loads(pickle.dumps(found)).rows[0].box == right.box
    assert context.reports[-1][0] == context.reports[-1][1]


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
def test_a_mask_is_fitted_as_its_picture_is(how):
    loaded = load(NETWORK)
    mask = np.zeros((60, 120), bool)
    mask[20:50, 30:90] = True
    picture = np.where(mask[..., None], 255, 0).astype(np.uint8).repeat(3, axis=2)
    fitted = fit(picture, loaded.entry, how)
    found = judge_work.fitted_mask(mask, fitted, loaded, how)
    top, left, bottom, right = fitted.to_network((20, 30, 50, 90))
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) == pytest.approx((top, left, bottom, right), abs=1)
    assert found.sum() == pytest.approx((bottom - top) * (right - left), rel=0.1)


def test_bars_beside_a_picture_are_never_the_object():
    loaded = load(NETWORK)
    everything = np.ones((50, 100), bool)
    fitted = fit(np.zeros((50, 100, 3), np.uint8), loaded.entry, "pad")
    assert judge_work.fitted_mask(everything, fitted, loaded, "pad").sum() == 48 * 96


def test_a_mask_of_another_size_gets_a_sentence(pixels):
    with pytest.raises(SentenceError, match="mask has the size"):
        judge_work.judge(Listening(), NETWORK, "trained", pixels, "pad", Target(), {}, np.ones((3, 3), bool))


def test_the_sanity_check_hands_over_its_steps_as_they_come(pixels):
    context = Listening()
    found = judge_work.sanity(context, NETWORK, "trained", pixels, "pad", Target(), ("saliency",))
    assert context.parts == list(range(len(found.steps)))
    assert [step.layer for (step,) in context.payloads] == [step.layer for step in found.steps]
    assert found.steps[1].layer == "logits" and found.steps[-1].layer == "stem_conv"
    assert found.steps[-1].correlation["saliency"] < 0.7


def test_the_sanity_check_follows_the_score_that_is_shown(pixels):
    arguments = (Listening(), NETWORK, "trained", pixels, "pad", Target(), ("saliency",))
    logits, softmax = (judge_work.sanity(*arguments, score=score) for score in ("logits", "softmax"))
    assert np.abs(logits.steps[0].maps["saliency"] - softmax.steps[0].maps["saliency"]).max() > 0


def test_switching_off_the_channels_that_matter_most_lowers_the_class(pixels):
    effects = judge_work.channel_effects(Listening(), NETWORK, "trained", pixels, "pad", "objects_2_relu")
    found = judge_work.switch_off(
        Listening(), NETWORK, "trained", pixels, "pad", "objects_2_relu", effects.channels[:20]
    )
    index = effects.classes[0]
    assert effects.total == 128 and not effects.estimated
    assert found.before[index] == pytest.approx(effects.base[0], abs=1e-4)
    # After the last layer the losses add up.
    lost = (effects.base[0] - effects.logits[:20, 0]).sum()
    assert found.before[index] - found.after[index] == pytest.approx(lost, abs=1e-3)
