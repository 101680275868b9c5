"""The scene of layers over a sequence."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.convolution import stacks
from explorer.convolution.scenes import growing, one_dimension, photo
from explorer.convolution.scenes.one_dimension import SCENE
from tests.convolution.lecture_presets_sequences import EXPECTED

SCENES = {scene.name: scene for scene in (SCENE, growing.SCENE, photo.SCENE)}


def own(board):
    values = board.values[..., 0]
    return values if board.own is None else values[board.own][None]


def fact(stage, label):
    return next(one for one in stage.facts if one.label == label)


@pytest.mark.parametrize(("name", "preset"), sorted(EXPECTED))
def test_an_example_shows_its_numbers(name, preset):
    assert preset in {one.name for one in SCENES[name].presets}
    stage = SCENES[name].build(SCENES[name].settings(preset))
    for board, rows in EXPECTED[name, preset].items():
        np.testing.assert_allclose(own(stage.board(board)), rows, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("preset", "back", "ahead", "sizes"), [
    ("four_undilated", "4 steps", "0 steps", [16, 16, 16, 16, 16]),
    ("dilated_1_2_4_8", "15 steps", "0 steps", [16, 16, 16, 16, 16]),
    ("causal_1d", "1 step", "0 steps", [3, 3]),
    ("shrinking_1d", "0 steps", "15 steps", [16, 11, 6, 1]),
    ("same_1d", "6 steps", "9 steps", [16, 16, 16, 16]),
    ("looks_ahead", "0 steps", "2 steps", [8, 6]),
])  # fmt: skip
def test_how_far_the_outputs_look(preset, back, ahead, sizes):
    stage = SCENE.build(SCENE.settings(preset))
    assert fact(stage, "Looks back").value == back
    assert fact(stage, "Looks ahead").value == ahead
    rows = [name for (name, *more) in stage.rows if not more and not name.startswith("kernel")]
    assert [own(stage.board(name)).size for name in rows] == sizes


def test_after_three_layers_of_width_6_no_more_fits():
    sentence = SCENE.impossible(SCENE.settings("shrinking_1d", layers=4))
    assert sentence is not None and sentence.startswith("layer 4") and "the input has 1" in sentence
    assert any("no further layer fits" in note.lower() for note in SCENE.build(SCENE.settings("shrinking_1d")).notes)


def test_same_puts_two_zeros_before_and_three_after_each_layer():
    stage = SCENE.build(SCENE.settings("same_1d"))
    for name in ("input", "layer_1", "layer_2"):
        board = stage.board(name)
        assert board.own[0].tolist() == [False] * 2 + [True] * 16 + [False] * 3
        assert board.first == (0, -2)


@pytest.mark.slow
def test_marks_are_exactly_the_future_that_an_output_sees():
    random = np.random.default_rng(4)
    tried = 0
    while tried < 80:
        settings = SCENE.settings(
            size=int(random.integers(1, 25)),
            layers=int(random.integers(1, 5)),
            kernel_size=int(random.integers(1, 5)),
            padding=str(random.choice(["valid", "same", "causal"])),
            dilation_rate=int(random.integers(1, 4)),
            doubling=bool(random.integers(2)),
            strides=int(random.integers(1, 3)),
        )
        if SCENE.impossible(settings):
            continue
        tried += 1
        watched = int(random.integers(0, 3))
        stage = SCENE.build({**settings, "cell": watched})
        output, source = stage.board("output"), stage.board("input")
        if watched >= output.values.size:
            watched = output.values.size // 2
        time = watched * settings["strides"] ** settings["layers"]
        # Which inputs change the watched output, found by changing them (kernels are ones, so each path counts).
        future = []
        for cell in range(settings["size"]):
            changed = one_dimension.default_sequence(settings["size"])
            changed[0, cell] += 100
            moved = SCENE.build({**settings, "input": changed}).board("output").values.flat[watched]
            if moved != output.values.flat[watched] and cell > time:
                future.append(cell)
        marked = [] if source.marked is None else (np.flatnonzero(source.marked) + source.first[1]).tolist()
        assert marked == future
        assert settings["padding"] != "causal" or not marked


def test_paths_count_what_a_chain_of_box_sums_gives():
    made = stacks.traces(np.ones(9), [stacks.Layer(one_dimension.LayerShape(3)) for _ in range(2)])
    assert stacks.paths(made, 2).reshape(-1).tolist() == [0, 0, 1, 2, 3, 2, 1, 0, 0]


def test_the_table_has_a_row_for_each_layer():
    rows = SCENE.table(SCENE.settings("dilated_1_2_4_8"))
    assert [row["Looks back"] for row in rows] == [1, 3, 7, 15]
    assert [row["Dilation"] for row in rows] == [1, 2, 4, 8]
    assert {row["Looks ahead"] for row in rows} == {0}


def test_padding_that_hides_a_weight_for_good_is_refused():
    sentence = SCENE.impossible(SCENE.settings("dilated_1_2_4_8", size=8))
    assert sentence is not None and "layer 4 would put 8 zeros" in sentence


@pytest.mark.parametrize(("changed", "words"), [
    ({"layers": 1, "kernel_size": 2}, "1 zero, 0 before and 1 after:"),
    ({"layers": 3, "kernel_size": 2}, "1 zero a layer, 0 before and 1 after:"),
    ({"layers": 3, "kernel_size": 6}, "5 zeros a layer, 2 before and 3 after:"),
    ({"layers": 2, "kernel_size": 3, "strides": 2, "size": 7},
     "Zeros before + after, from layer 1 to 2: 1 + 1, 0 + 1:"),
])  # fmt: skip
def test_zeros_are_named_as_each_layer_has_them(changed, words):
    settings = SCENE.settings("same_1d", **changed)
    assert words in " ".join(SCENE.build(settings).notes)


def test_outputs_are_counted_from_1_where_they_are_named():
    stage = SCENE.build({**SCENE.settings("looks_ahead"), "cell": 3})
    assert stage.board("output").marked[0, 3, 0]
    assert stage.board("output").mark_words == "output 4, which looks ahead"
    assert stage.board("input").mark_words == "later than output 4, and seen by it"
    # Output 2 of stride 2 and width 3 sees inputs 3, 4 and 5.
    stage = SCENE.build(SCENE.settings("looks_ahead", strides=2))
    assert any("up to 2·(t − 1) + 3 →" in note for note in stage.notes)
