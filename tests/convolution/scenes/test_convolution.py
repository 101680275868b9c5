"""The scene of one kernel on one input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from explorer.convolution import grids
from explorer.convolution.scenes.convolution import SCENE


def stage_of(preset="", **changed):
    settings = SCENE.settings(preset, **changed)
    assert SCENE.impossible(settings) is None
    return SCENE.build(settings)


def letter(stage, text):
    return next(one for one in stage.formula if one.text == text)


def cells(stage, text, board):
    return {cell for light in letter(stage, text).lights if light.board == board for cell in light.cells}


def test_random_settings_are_what_scipy_computes():
    random = np.random.default_rng(11)
    tried = 0
    while tried < 60:
        settings = SCENE.settings(
            "large",
            size=tuple(random.integers(1, 13, 2)),
            kernel_size=tuple(random.integers(1, 8, 2)),
            strides=tuple(random.integers(1, 4, 2)),
            dilation_rate=tuple(random.integers(1, 4, 2)),
            padding="explicit",
            pad=tuple(random.integers(0, 4, 2)),
            bias=float(random.integers(-3, 4)),
            flip=bool(random.integers(2)),
            input=random.integers(-9, 10, (16, 16)).astype(float),
            kernel=random.integers(-3, 4, (7, 7)).astype(float),
        )
        if SCENE.impossible(settings):
            continue
        tried += 1
        (height, width), (rows, columns) = settings["size"], settings["kernel_size"]
        kernel = settings["kernel"][:rows, :columns]
        dilated = np.zeros([d * (k - 1) + 1 for k, d in zip((rows, columns), settings["dilation_rate"], strict=True)])
        dilated[:: settings["dilation_rate"][0], :: settings["dilation_rate"][1]] = kernel
        padded = np.pad(settings["input"][:height, :width], [(p, p) for p in settings["pad"]])
        slide = signal.convolve2d if settings["flip"] else signal.correlate2d
        # SciPy swaps its arguments where the second is the larger one; here the picture always is.
        truth = slide(padded, dilated, mode="valid")[:: settings["strides"][0], :: settings["strides"][1]]
        output = SCENE.build(settings).board("output").values[..., 0]
        np.testing.assert_allclose(output, truth + settings["bias"])


def test_the_letters_light_what_they_stand_for():
    stage = stage_of("dilation_2", padding="explicit", pad=(1, 0), size=(7, 8), strides=(1, 2))
    board = stage.board("input")
    assert board.values.shape == (9, 8, 1)
    assert cells(stage, "n", "input") == set(range(8, 64))
    assert cells(stage, "p", "input") == {*range(8), *range(64, 72)}
    assert cells(stage, "k", "kernel") == set(range(9))
    # The first window spans 5 × 5; every second row and column of it is read.
    spanned = {row * 8 + column for row in range(5) for column in range(5)}
    read = {row * 8 + column for row in (0, 2, 4) for column in (0, 2, 4)}
    assert cells(stage, "d", "input") == spanned - read
    # The second window begins two columns later.
    assert cells(stage, "s", "input") == {row * 8 + column for row in range(5) for column in (0, 1)}
    assert cells(stage, "o", "output") == set(range(stage.board("output").values.size))
    assert "1 above and below, 0 left and right" in letter(stage, "p").meaning


def test_lopsided_padding_is_said():
    stage = stage_of("lopsided")
    assert "0 above, 1 below, 0 left, 1 right" in letter(stage, "p").meaning
    assert any("TensorFlow" in note for note in stage.notes)


@pytest.mark.parametrize(("changed", "words"), [
    ({"size": (8, 8), "kernel_size": (5, 5), "dilation_rate": (3, 3)}, "spans 13 cells; the input has 8"),
    ({"kernel_size": (7, 7)}, "the input has 6"),
    ({"padding": "explicit", "pad": (3, 3)}, "a kernel that spans 3 cells would see nothing but padding"),
    ({"padding": "same", "kernel_size": (7, 7), "size": (3, 3), "padding_mode": "reflect"}, "the input has 3"),
    ({"size": (16, 16), "kernel_size": (7, 7), "padding": "explicit", "pad": (6, 6)}, "products"),
])  # fmt: skip
def test_what_cannot_be_has_a_sentence(changed, words):
    assert words in SCENE.impossible(SCENE.settings(**changed))


def test_numbers_of_any_shape_are_taken():
    stage = stage_of(size=(2, 9), kernel_size=(1, 2), input=np.ones((16, 1)), kernel=np.full((7, 7), 2.0))
    assert stage.board("input").values.shape == (2, 9, 1)
    assert (stage.board("input").values[:, 0] == 1).all() and (stage.board("kernel").values == 2).all()


def test_flipping_keeps_the_kernel_as_it_was_typed():
    plain, flipped = stage_of("impulse"), stage_of("true_convolution")
    np.testing.assert_array_equal(plain.board("kernel").values, flipped.board("kernel").values)
    np.testing.assert_array_equal(flipped.board("flipped").values, plain.board("kernel").values[::-1, ::-1])
    assert flipped.board("kernel").editable and not flipped.board("flipped").editable
    assert flipped.links[0].weights == "flipped"
    np.testing.assert_array_equal(flipped.board("output").values, plain.board("output").values[::-1, ::-1])


def test_the_chain_ends_where_the_output_is_smaller_than_a_pooling_window():
    stage = stage_of(kernel_size=(6, 6))
    assert [board.name for board in stage.boards] == ["input", "kernel", "output", "activated"]
    assert any("Nothing is pooled" in note for note in stage.notes)


def test_the_cross_is_found_by_its_angle_and_not_by_its_brightness():
    stage = stage_of("template_search")
    cosine, output = stage.board("cosine").values[..., 0], stage.board("output").values[..., 0]
    assert np.unravel_index(np.nanargmax(cosine), cosine.shape) == (1, 1)
    np.testing.assert_allclose(np.nanmax(cosine), 1)
    assert output.argmax() != np.nanargmax(cosine) and output.max() == 45
    assert np.flatnonzero(stage.board("output").marked).tolist() == [7]
    np.testing.assert_array_equal(stage.board("products").values[..., 0], [[0, 5, 0], [5, 5, 5], [0, 5, 0]])
    brightest = stage_of("template_search", look_at="dot_product")
    np.testing.assert_array_equal(brightest.board("products").values.sum(), 45)
    # A window of zeros has no angle to anything.
    assert np.isnan(cosine[0, 5])


def test_products_of_a_window_know_where_they_come_from():
    stage = stage_of("stride_2", correlation=True)
    link = next(link for link in stage.links if link.target == "products")
    values = link.trace.source.reshape(-1)[link.trace.sources] * link.trace.weights.reshape(-1)[link.trace.weight_cells]
    np.testing.assert_array_equal(values, stage.board("products").values.reshape(-1))
    np.testing.assert_array_equal(values.sum(), stage.board("output").values.max())


def test_what_follows_from_the_output_is_hidden_with_it():
    assert set(stage_of().hidden_with_result()) == {"output", "activated", "pooled"}
    assert set(stage_of("curve_match").hidden_with_result()) == {"output", "cosine"}


def test_the_largest_stage_fits_its_limits_and_its_link():
    random = np.random.default_rng(2)
    stage = stage_of(
        "lecture_6x6",
        size=(16, 16),
        kernel_size=(7, 7),
        padding="same",
        input=random.normal(0, 100, (16, 16)).round(3),
        kernel=random.normal(0, 1, (7, 7)).round(5),
    )
    assert sum(link.trace.sources.size for link in stage.links) <= 16_000
    texts = [grids.to_text(stage.board(name).values[..., 0][3:19, 3:19] if name == "input" else
                           stage.board(name).values[..., 0]) for name in ("input", "kernel")]  # fmt: skip
    assert sum(map(len, texts)) < 3500


@pytest.mark.parametrize(("preset", "words", "changed"), [
    ("lecture_6x6", "36.5", {"strides": (1, 1)}),
    ("stride_2", "88 and 117", {"strides": (2, 2)}),
    ("curve_match", "6600", {"strides": (1, 1)}),
    ("curve_no_match", "every product is 0", {"strides": (1, 1)}),
    ("template_search", "is 1 on the cross alone", {"strides": (1, 1)}),
])  # fmt: skip
def test_notes_name_numbers_only_where_they_are_on_the_screen(preset, words, changed):
    assert words in " ".join(stage_of(preset, **changed).notes)
    for other in ({"flip": True}, {"bias": 1.0}, {"padding": "same"}, {"strides": (3, 3)}, {"strides": (1, 2)}):
        assert words not in " ".join(stage_of(preset, **other).notes), other
    assert words not in " ".join(stage_of(preset, kernel=np.ones((3, 3))).notes)


def test_the_turned_kernel_is_only_named_where_all_of_it_shows():
    turned, upright = "turned by 180°", "upright"
    assert turned in " ".join(stage_of("impulse").notes) and upright in " ".join(stage_of("true_convolution").notes)
    for changed in ({"strides": (2, 2)}, {"dilation_rate": (2, 2)}, {"kernel_size": (5, 5)},
                    {"padding": "same", "padding_mode": "circular", "kernel_size": (7, 7)}):  # fmt: skip
        for preset in ("impulse", "true_convolution"):
            notes = " ".join(stage_of(preset, **changed).notes)
            assert turned not in notes and upright not in notes


def test_the_padding_of_pytorch_begins_one_cell_earlier():
    random = np.random.default_rng(6)
    tried = 0
    while tried < 40:
        settings = SCENE.settings(
            "same_padding",
            size=tuple(random.integers(3, 12, 2)),
            kernel_size=tuple(random.integers(1, 7, 2)),
            strides=tuple(random.integers(1, 4, 2)),
        )
        if SCENE.impossible(settings):
            continue
        tried += 1
        stage = SCENE.build(settings)
        board, note = stage.board("input"), next((note for note in stage.notes if "PyTorch" in note), "")
        top, left = -board.first[0], -board.first[1]
        bottom, right = (
            board.values.shape[axis] - settings["size"][axis] - before for axis, before in ((0, top), (1, left))
        )
        assert bool(note) == (top != bottom or left != right)
        if note:
            both = str(bottom) if bottom == right else f"({bottom}, {right})"
            assert f"padding={both} " in note
            assert ("below" in note, "right" in note) == (bottom == top + 1, right == left + 1)
