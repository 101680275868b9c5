"""The bundled pair: the files load, do what their cards say, and meet what was promised."""

import struct
import xml.etree.ElementTree as ElementTree

import keras
import numpy as np
import pytest
from scipy.stats import binomtest

from explorer.networks.drawn import model_card
from explorer.networks.drawn.evaluation import TestSet, grad_cam, pointing_game, predict, test_pictures
from explorer.networks.drawn.model import STEM_LAYER, build
from explorer.networks.drawn.recipe import RECIPES
from explorer.networks.drawn.stem import roughness
from explorer.networks.drawn.weights import load_weights, weights_path

FRESH_SEED = 31_337
PICTURES = 600
# Where each picture costs more than a look.
FEWER = 200
PROMISED_ACCURACY = {"plain": 0.95, "robust": 0.93}
PROMISED_POINTING = 0.92


@pytest.fixture(scope="module")
def fresh() -> TestSet:
    return test_pictures(PICTURES, seed=FRESH_SEED)


@pytest.fixture(scope="module", params=["plain", "robust"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(kind: str) -> keras.Model:
    model = build(f"drawn_{kind}")
    load_weights(model, f"drawn_{kind}")
    return model


@pytest.fixture(scope="module")
def answers(model: keras.Model, fresh: TestSet) -> np.ndarray:
    """The class that the network sees in each fresh picture."""
    return predict(model, fresh.pictures).argmax(-1)


def test_the_file_is_small_and_float16(kind: str) -> None:
    path = weights_path(f"drawn_{kind}")
    assert path.stat().st_size < 2e6
    with np.load(path, allow_pickle=False) as stored:
        assert {stored[key].dtype for key in stored.files} == {np.dtype(np.float16)}


@pytest.mark.slow
def test_a_fresh_sample_agrees_with_the_card(kind: str, answers: np.ndarray, fresh: TestSet) -> None:
    right = int((answers == fresh.labels).sum())
    said = model_card.read_card(kind)["figures"]["unseen_backgrounds"]["accuracy"]
    # A sample this unlikely would come once in ten thousand test runs if the card were right.
    assert binomtest(right, PICTURES, said).pvalue > 1e-4


@pytest.mark.slow
def test_rounding_to_float16_cost_nothing(kind: str, model: keras.Model, answers: np.ndarray, fresh: TestSet) -> None:
    card = model_card.read_card(kind)
    after = card["figures"]["unseen_backgrounds"]["accuracy"]
    assert abs(card["training"]["accuracy_before_rounding"] - after) <= 0.002
    # As much rounding once more, in random directions, changes hardly an answer.
    generator = np.random.default_rng(0)
    other = build(model.name)
    other.set_weights(
        [
            array * (1 + generator.uniform(-(2.0**-11), 2.0**-11, array.shape)).astype(np.float32)
            for array in model.get_weights()
        ]
    )
    assert (predict(other, fresh.pictures[:FEWER]).argmax(-1) == answers[:FEWER]).mean() > 0.99


def test_the_card_meets_what_was_promised(kind: str) -> None:
    figures = model_card.read_card(kind)["figures"]
    assert figures["unseen_backgrounds"]["pictures"] >= 2000
    assert figures["unseen_backgrounds"]["accuracy"] >= PROMISED_ACCURACY[kind]
    assert figures["pointing_game"]["grad_cam"] >= PROMISED_POINTING
    assert figures["pointing_game"]["grad_cam"] > figures["pointing_game"]["centre_pixel"]


@pytest.mark.slow
def test_grad_cam_points_at_the_object_on_a_fresh_sample(kind: str, model: keras.Model, fresh: TestSet) -> None:
    said = model_card.read_card(kind)["figures"]["pointing_game"]["grad_cam"]
    some = TestSet(fresh.pixels[:FEWER], fresh.labels[:FEWER], fresh.masks[:FEWER])
    hits = round(pointing_game(model, some)["grad_cam"] * FEWER)
    assert binomtest(hits, FEWER, said).pvalue > 1e-4
    assert grad_cam(model, fresh.pictures[:4], fresh.labels[:4]).shape == (4, 12, 12)


def test_the_stem_is_smooth(kind: str, model: keras.Model) -> None:
    kernel = np.asarray(model.get_layer(STEM_LAYER).kernel)
    measured = float(np.asarray(roughness(kernel)))
    noise = float(np.asarray(roughness(np.random.default_rng(0).normal(size=kernel.shape).astype(np.float32))))
    assert measured < noise / 3
    assert measured == pytest.approx(model_card.read_card(kind)["figures"]["stem_roughness"], abs=0.002)


@pytest.mark.slow
def test_no_filter_of_the_stem_is_dead(model: keras.Model, fresh: TestSet) -> None:
    first = keras.Model(model.input, model.get_layer("stem_relu").output)
    assert (first.predict_on_batch(fresh.pictures[:64]).max((0, 1, 2)) > 0).all()


def test_the_robust_one_withstands_more_than_the_plain_one() -> None:
    plain, robust = (model_card.read_card(kind)["figures"]["robust_accuracy"]["rows"] for kind in ("plain", "robust"))
    for row, stronger in zip(plain, robust, strict=True):
        assert row["radius"] == stronger["radius"]
        if row["radius"] >= 0.5:
            assert stronger["ten_steps"] > row["ten_steps"]
    for rows in (plain, robust):
        assert all(row["ten_steps"] <= row["one_step"] + 0.01 for row in rows)


def test_the_card_is_of_the_recipe_and_its_text_of_its_numbers(kind: str) -> None:
    card = model_card.read_card(kind)
    assert card["recipe"] == RECIPES[kind].as_dict()
    text = (model_card.CARDS_FOLDER / f"{kind}.md").read_text(encoding="utf-8")
    assert text == model_card.markdown(card)
    assert f"{100 * card['figures']['unseen_backgrounds']['accuracy']:.1f} %" in text
    assert len(card["figures"]["classes"]) == 12


def test_the_pictures_of_the_card_are_there_and_small(kind: str) -> None:
    ElementTree.parse(model_card.CARDS_FOLDER / f"{kind}_curves.svg")
    png = (model_card.CARDS_FOLDER / f"{kind}_stem.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(png) < 60_000
    assert struct.unpack(">II", png[16:24])[0] > 400
