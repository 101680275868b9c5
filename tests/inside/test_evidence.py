"""The bank's evidence is what the network itself answers: peaks, patches and neighbours checked by brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.inside import bank_answers
from explorer.inside.bank import Bank, bank, thumbnail
from explorer.inside.bank_answers import feature_layer, peaks
from explorer.inside.layer_graph import layer_graph
from explorer.inside.neighbours import feature_distances, neighbours, pixel_distances
from explorer.inside.patches import top_patches
from explorer.networks import catalogue
from explorer.networks.activations import activations
from explorer.networks.loading import load
from explorer.networks.predictions import scores
from explorer.networks.preprocessing import fit, prepare
from explorer.networks.work_context import NO_CONTEXT, NoContext, SentenceError, Stopped
from explorer.pictures.drawn_world import draw
from explorer.pictures.samples import sample
from explorer.pictures.sources import resolve

NETWORK = "drawn_plain"
LAYER = "shapes_2_relu"


@pytest.fixture(scope="module", autouse=True)
def small_bank() -> Any:
    """A bank of 50 instead of 350 pictures."""
    from explorer.inside import bank as module

    before = dict(module._SIZES)
    module._SIZES["small"] = (2, 3)
    yield
    module._SIZES.update(before)


def pictures() -> Bank:
    return bank(catalogue.entry(NETWORK))


@pytest.mark.backends
def test_peaks_are_the_largest_values_of_the_maps() -> None:
    loaded, pixels = load(NETWORK), pictures().pixels[:5]
    found = peaks(loaded, LAYER, pixels, NO_CONTEXT)
    maps = activations(loaded, prepare(pixels, loaded.entry), [LAYER])[LAYER]
    flat = maps.reshape(len(pixels), -1, maps.shape[-1])
    np.testing.assert_allclose(found.values, flat.max(axis=1), rtol=1e-4, atol=1e-5)
    at_place = np.take_along_axis(flat, found.places[:, None, :], axis=1)[:, 0]
    np.testing.assert_allclose(at_place, found.values, rtol=1e-4, atol=1e-5)
    assert found.shape == maps.shape[1:3]


def test_patches_are_the_strongest_places_cut_from_the_pictures_themselves() -> None:
    loaded, whole = load(NETWORK), pictures()
    (evidence,) = top_patches(NO_CONTEXT, NETWORK, "trained", LAYER, (4,), count=6).channels
    maps = activations(loaded, prepare(whole.pixels, loaded.entry), [LAYER])[LAYER][..., 4]
    strongest = maps.reshape(len(whole), -1).max(axis=1)
    order = np.argsort(-strongest)[:6]
    assert [patch.source for patch in evidence.patches] == [whole.sources[number] for number in order]
    for patch, number in zip(evidence.patches, order, strict=True):
        top, left, bottom, right = patch.window
        np.testing.assert_array_equal(patch.pixels, whole.pixels[number][top:bottom, left:right])
        assert patch.cell == np.unravel_index(int(maps[number].argmax()), maps[number].shape)
        assert patch.value == pytest.approx(float(strongest[number]), rel=1e-4)
        # What is shown holds all that the cell depends on.
        assert top <= patch.field[0] and left <= patch.field[1] and bottom >= patch.field[2] and right >= patch.field[3]
    assert [patch.rank for patch in evidence.patches] == [1, 2, 3, 4, 5, 6]


def test_only_pixels_of_the_patch_change_the_value() -> None:
    loaded = load(NETWORK)
    (evidence,) = top_patches(NO_CONTEXT, NETWORK, "trained", LAYER, (7,), count=1).channels
    patch = evidence.patches[0]
    whole = pictures()
    inputs = prepare(whole.pixels[whole.sources.index(patch.source)], loaded.entry)
    other = np.random.default_rng(0).random(inputs.shape, dtype=np.float32)
    top, left, bottom, right = patch.field
    other[:, top:bottom, left:right] = inputs[:, top:bottom, left:right]
    assert patch.cell is not None
    value = activations(loaded, other, [LAYER])[LAYER][0, patch.cell[0], patch.cell[1], 7]
    assert value == pytest.approx(patch.value, rel=1e-3)


def test_all_patches_of_a_layer_have_one_size_and_lie_inside() -> None:
    found = top_patches(NO_CONTEXT, NETWORK, "trained", LAYER, (0, 1, 2))
    assert {patch.pixels.shape[:2] for one in found.channels for patch in one.patches} == {found.field_size}
    last = top_patches(NO_CONTEXT, NETWORK, "trained", "objects_2_relu", (0,))
    assert all(patch.pixels.shape[:2] == last.field_size for patch in last.channels[0].patches)


def test_classes_show_the_pictures_with_the_highest_logits() -> None:
    loaded, whole = load(NETWORK), pictures()
    (evidence,) = top_patches(NO_CONTEXT, NETWORK, "trained", "", (2,), count=3).channels
    logits = scores(loaded, prepare(whole.pixels, loaded.entry)).logits
    assert logits is not None
    order = np.argsort(-logits[:, 2])[:3]
    assert [patch.source for patch in evidence.patches] == [whole.sources[number] for number in order]
    assert all(patch.cell is None and patch.pixels.shape == (96, 96, 3) for patch in evidence.patches)


def test_the_visitors_picture_takes_part_and_is_not_kept() -> None:
    own = resolve("drawn:flower:3").pixels
    found = top_patches(NO_CONTEXT, NETWORK, "trained", "", (2,), own=(own,)).channels[0]
    assert len(found.own) == 1 and found.own[0].own and found.own[0].source == "own:0"
    assert found.own[0].rank <= 10 and any(patch.own for patch in found.patches)
    again = top_patches(NO_CONTEXT, NETWORK, "trained", "", (2,))
    assert again.channels[0].own == () and not any(patch.own for patch in again.channels[0].patches)
    kept = bank_answers._stores[load(NETWORK).model].kept.values()
    assert all(len(answer.values) == len(pictures()) for answer in kept)


def test_a_picture_of_the_bank_that_is_the_visitors_stands_there_once() -> None:
    loaded = load(NETWORK)
    photo = sample("chelsea").pixels
    found = top_patches(NO_CONTEXT, NETWORK, "trained", LAYER, (0,), own=(photo,), count=50)
    assert "sample:chelsea" not in [patch.source for patch in found.channels[0].patches]
    assert fit(photo, loaded.entry).pixels.shape == (96, 96, 3) and found.pictures == len(pictures())


def test_the_second_channel_of_a_layer_costs_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    top_patches(NO_CONTEXT, NETWORK, "trained", "parts_1_relu", (0,))
    monkeypatch.setattr(bank_answers, "_each_batch", lambda *a, **k: pytest.fail("the network ran again"))
    assert len(top_patches(NO_CONTEXT, NETWORK, "trained", "parts_1_relu", (1, 2)).channels) == 2


def test_a_channel_that_nothing_drives_is_said_to_be_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.inside import patches

    def silent(loaded: Any, layer: str, whole: Bank, context: Any) -> Any:
        found = peaks(loaded, layer, whole.pixels[:2], context)
        count = len(whole)
        return bank_answers.Peaks(
            np.zeros((count, found.values.shape[1]), np.float32),
            np.zeros((count, found.values.shape[1]), np.int32),
            found.shape,
        )

    monkeypatch.setattr(patches, "bank_peaks", silent)
    assert "silent" in top_patches(NO_CONTEXT, NETWORK, "trained", LAYER, (0,)).channels[0].note


@pytest.mark.parametrize(("layer", "channels"), [("nowhere", (0,)), (LAYER, (999,)), (LAYER, ()), ("", (-1,))])
def test_what_is_not_there_is_said_in_one_sentence(layer: str, channels: tuple[int, ...]) -> None:
    with pytest.raises(SentenceError):
        top_patches(NO_CONTEXT, NETWORK, "trained", layer, channels)


class Stops(NoContext):
    def __init__(self, reports: int) -> None:
        self.left = reports

    def report(self, *arguments: Any, **words: Any) -> None:
        self.left -= 1

    def raise_if_stopped(self) -> None:
        if self.left <= 0:
            raise Stopped


def test_after_stop_no_further_batch_is_computed() -> None:
    whole = pictures()
    many = Bank(np.repeat(whole.pixels, 3, axis=0), whole.sources * 3, whole.titles * 3)
    context = Stops(2)
    with pytest.raises(Stopped):
        peaks(load(NETWORK), LAYER, many.pixels, context)
    assert context.left == 0


def test_the_bank_can_be_chosen_from_and_repeats() -> None:
    whole = pictures()
    assert len(set(whole.sources)) == len(whole.sources) == len(whole.titles) == len(whole.pixels)
    for source in (whole.sources[0], whole.sources[33], whole.sources[-1]):
        chosen = fit(resolve(source).pixels, catalogue.entry(NETWORK)).pixels.astype(float)
        kept = whole.pixels[whole.sources.index(source)].astype(float)
        assert np.abs(chosen - kept).mean() < 12  # the same picture, drawn coarser
    assert bank(catalogue.entry(NETWORK)) is whole


@pytest.mark.backends
def test_neighbours_are_those_of_brute_force() -> None:
    loaded, whole = load(NETWORK), pictures()
    wanted = draw(99, 5, label=0).pixels
    found = neighbours(NO_CONTEXT, NETWORK, "trained", wanted, count=4)
    difference = (whole.pixels.astype(float) - wanted) / 255
    by_pixels = np.sqrt((difference**2).mean(axis=(1, 2, 3)))
    assert [one.source for one in found.pixels] == [whole.sources[n] for n in np.argsort(by_pixels)[:4]]
    assert found.pixels[0].distance == pytest.approx(by_pixels.min(), rel=1e-4)
    batch = prepare(np.concatenate([wanted[None], whole.pixels]), loaded.entry)
    vectors = activations(loaded, batch, ["average"])["average"]
    by_features = np.linalg.norm(vectors[1:] - vectors[0], axis=1)
    assert [one.source for one in found.features] == [whole.sources[n] for n in np.argsort(by_features)[:4]]
    assert (found.layer, found.size, found.among) == ("average", 128, len(whole))
    ranks = by_features.argsort().argsort() + 1
    assert found.pixels[0].other_rank == ranks[by_pixels.argmin()]
    assert found.predicted == scores(loaded, prepare(wanted, loaded.entry)).top(1)[0].index


def test_a_cat_is_nearer_to_cats_as_features_than_as_pixels() -> None:
    as_pixels, as_features = neighbours(NO_CONTEXT, NETWORK, "trained", resolve("drawn:cat:13").pixels).same_class()
    assert as_features > as_pixels


def test_a_picture_is_not_its_own_neighbour() -> None:
    photo = sample("coffee").pixels
    found = neighbours(NO_CONTEXT, NETWORK, "trained", photo, own=(photo, resolve("drawn:cat:1").pixels), count=50)
    assert found.left_out == 2 and found.among == len(pictures()) + 2 - 2
    assert min(one.distance for one in found.pixels) > 0
    assert "own:1" in [one.source for one in found.pixels] and found.pixels[0].picture.shape[2] == 3


def test_distances_by_hand() -> None:
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert pixel_distances(black, np.stack([black, white])).tolist() == [0.0, 1.0]
    found = feature_distances(np.array([3.0, 4.0]), np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 0.0]]))
    assert found[0] == 0 and found[1] == pytest.approx(5 / (10 / 3)) and np.isnan(found[2])


def test_the_penultimate_layer_is_what_the_last_weights_read() -> None:
    assert feature_layer(layer_graph(load(NETWORK))) == "average"
    assert feature_layer(layer_graph(load("MobileNet", "random"))) in ("dropout", "global_average_pooling2d")


def test_thumbnails_keep_their_shape() -> None:
    assert thumbnail(np.zeros((300, 150, 3), np.uint8)).shape == (96, 48, 3)
    assert thumbnail(np.zeros((20, 10, 3), np.uint8)).shape == (20, 10, 3)
