"""The named work explains a picture of any size on a network of the catalogue."""

import pickle

import numpy as np
import pytest

from explorer.explanations.results import Explained, Target
from explorer.explanations.work import explain_work
from explorer.networks.loading import load
from explorer.networks.work_context import NO_CONTEXT, SentenceError


def test_the_picture_is_fitted_and_the_answer_travels():
    pixels = np.random.default_rng(0).integers(0, 255, (120, 80, 3), np.uint8)
    found = explain_work(NO_CONTEXT, "drawn_robust", "trained", pixels, "pad", Target(), "grad_cam", {})
    assert isinstance(found, Explained) and found.device
    assert found.explanation.maps.shape == (1, 96, 96) and found.explanation.raw.shape == (1, 12, 12)
    assert found.explanation.layer == "objects_2_relu" and found.fitted.pixels.shape == (96, 96, 3)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.explanation.maps, found.explanation.maps)


def test_before_its_average_the_bundled_networks_grad_cam_is_its_dense_layers_weights():
    from explorer.networks.activations import activations
    from explorer.networks.preprocessing import prepare

    network = load("drawn_plain")
    pixels = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    values = activations(network, prepare(pixels, network.entry), ["objects_2_relu"])["objects_2_relu"]
    kernel = network.model.get_layer("logits").get_weights()[0]
    for index in (0, 7):
        found = explain_work(NO_CONTEXT, "drawn_plain", "trained", pixels, "pad", Target(index=index), "grad_cam", {})
        expected = np.maximum(values @ kernel[:, index], 0) / 144
        np.testing.assert_allclose(found.explanation.raw, expected, rtol=1e-3, atol=1e-6)


def test_what_is_wrong_is_said_in_a_sentence():
    pixels = np.zeros((96, 96, 3), np.uint8)
    with pytest.raises(SentenceError, match="class of the network"):
        explain_work(NO_CONTEXT, "drawn_plain", "trained", pixels, "pad", Target(index=12), "saliency", {})
