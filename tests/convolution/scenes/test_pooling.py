"""The scene of pooling, and what a shift of the input changes."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.convolution.scenes.pooling import SCENE, moved

REDUCE = {
    "max": np.max,
    "min": np.min,
    "average": np.mean,
    "l2": lambda values: np.sqrt(np.sum(np.square(values))),
}


def stage_of(preset="", **changed):
    settings = SCENE.settings(preset, **changed)
    assert SCENE.impossible(settings) is None
    return SCENE.build(settings)


def fact(stage, label):
    return next(one for one in stage.facts if one.label == label)


@pytest.mark.parametrize("rule", sorted(REDUCE))
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_each_window_is_reduced_by_its_rule_and_padding_does_not_count(rule, padding):
    random = np.random.default_rng(3)
    for _ in range(10):
        size, window, strides = (tuple(random.integers(low, high, 2)) for low, high in ((3, 8), (1, 4), (1, 4)))
        x = random.integers(-20, 0, (*size, 2)).astype(float)  # below 0: a counted zero of the padding would show
        stage = stage_of(size=size, pool_size=window, strides=strides, padding=padding, rule=rule, channels=2, input=x)
        output = stage.board("output").values
        for row, column, channel in np.ndindex(output.shape):
            firsts = []
            for place, n, k, s in zip((row, column), size, window, strides, strict=True):
                before = 0 if padding == "valid" else max(0, (-(-n // s) - 1) * s + k - n) // 2
                firsts.append(place * s - before)
            rows = slice(max(0, firsts[0]), firsts[0] + window[0])
            columns = slice(max(0, firsts[1]), firsts[1] + window[1])
            np.testing.assert_allclose(output[row, column, channel], REDUCE[rule](x[rows, columns, channel]))


@pytest.mark.parametrize("rule", sorted(REDUCE))
def test_pooling_over_everything_and_across_channels(rule):
    x = np.random.default_rng(4).normal(size=(3, 5, 6))
    whole = stage_of(size=(3, 5), channels=6, over="global", rule=rule, input=x)
    np.testing.assert_allclose(whole.board("output").values[0, 0], [REDUCE[rule](x[..., c]) for c in range(6)])
    across = stage_of(size=(3, 5), channels=6, over="channels", pool_channels=3, rule=rule, input=x)
    output = across.board("output").values
    for row, column in np.ndindex(3, 5):
        np.testing.assert_allclose(
            output[row, column], [REDUCE[rule](x[row, column, :3]), REDUCE[rule](x[row, column, 3:])]
        )
    assert across.board("output").plane_names == ("of channels 1 to 3", "of channels 4 to 6")


def test_a_shift_moves_the_map_of_a_convolution_and_hardly_changes_the_pooled_one():
    stage = stage_of("shift")
    before, after = stage.board("convolved").values, stage.board("convolved_shifted").values
    np.testing.assert_array_equal(after[:, 1:], before[:, :-1])
    assert (after != before).any()
    for name, other, label in (
        ("input", "shifted", "Input changed"),
        ("convolved", "convolved_shifted", "Convolution changed"),
        ("output", "output_shifted", "Pooling changed"),
    ):
        board = stage.board(other)
        changed = board.values != stage.board(name).values
        np.testing.assert_array_equal(board.marked, changed)
        assert fact(stage, label).value == f"{changed.sum()} of {changed.size} cells"
    assert not stage.board("output_shifted").marked.any()


@pytest.mark.parametrize("down", [-2, 0, 3])
@pytest.mark.parametrize("right", [-1, 0, 2])
def test_a_convolution_is_equivariant_to_any_shift_away_from_the_border(down, right):
    x = np.random.default_rng(5).integers(0, 10, (9, 7)).astype(float)
    stage = stage_of("shift", size=(9, 7), input=x, shift_down=down, shift_right=right)
    assert ", 0 of the " in fact(stage, "Convolution changed").exact
    np.testing.assert_array_equal(stage.board("shifted").values, moved(x[..., None], down, right))
    if not (down or right):
        assert not any(board.marked.any() for board in stage.boards if board.marked is not None)


def test_moving_is_what_it_says():
    x = np.arange(6.0).reshape(2, 3, 1)
    np.testing.assert_array_equal(moved(x, 0, 1)[..., 0], [[0, 0, 1], [0, 3, 4]])
    np.testing.assert_array_equal(moved(x, -1, 0)[..., 0], [[3, 4, 5], [0, 0, 0]])
    np.testing.assert_array_equal(moved(x, 1, -2)[..., 0], [[0, 0, 0], [2, 0, 0]])


def test_every_link_of_a_compared_shift_is_between_its_boards():
    stage = stage_of("shift_unlucky", padding="same", pool_size=(3, 3), rule="average")
    for link in stage.links:
        np.testing.assert_array_equal(link.trace.source, stage.board(link.source).values)
        np.testing.assert_allclose(link.trace.target, stage.board(link.target).values)
        trace = link.trace
        sums = np.array([
            (trace.source.reshape(-1)[trace.sources[a:b]] * trace.factors[a:b]).sum()
            for a, b in zip(trace.starts[:-1], trace.starts[1:], strict=True)
        ])  # fmt: skip
        np.testing.assert_allclose(sums, trace.target.reshape(-1), atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_maximum_of_a_compared_shift_is_decided_by_one_of_its_terms(padding):
    stage = stage_of("shift", padding=padding, pool_size=(3, 3))
    trace = stage.links[0].trace
    assert ((trace.decided >= trace.starts[:-1]) & (trace.decided < trace.starts[1:])).all()
    np.testing.assert_array_equal(trace.source.reshape(-1)[trace.sources[trace.decided]], trace.target.reshape(-1))


@pytest.mark.parametrize(("changed", "words"), [
    ({"pool_size": (5, 5)}, "window"),
    ({"over": "channels", "channels": 3}, "3 channels cannot be pooled 2 at a time"),
    ({"over": "channels", "compare": True}, "one channel"),
    ({"compare": True, "size": (3, 3), "pool_size": (1, 1), "shift_right": 3}, "out of the picture"),
])  # fmt: skip
def test_what_cannot_be_has_a_sentence(changed, words):
    assert words in SCENE.impossible(SCENE.settings(**changed))


def test_pooling_has_nothing_to_learn():
    assert fact(stage_of(), "Weights to learn").answer == (0,)
    assert fact(stage_of("shift"), "Weights to learn").answer == (9,)
    assert fact(stage_of(), "Numbers kept").value == "4 of 16"


@pytest.mark.parametrize(("rule", "words"), [
    ("max", "be the maximum of several"), ("min", "be the minimum of several"),
    ("average", "count in several"), ("l2", "count in several"),
])  # fmt: skip
def test_notes_speak_of_the_rule_at_hand(rule, words):
    assert any(words in note for note in stage_of("overlapping", rule=rule).notes)
    still = " ".join(stage_of("shift", rule=rule, input=np.zeros((8, 8))).notes)
    kept = {"max": "maximum", "min": "minimum", "average": "average", "l2": "root of the sum of squares"}[rule]
    assert f"In every window the {kept} is the same number" in still


def test_channels_of_an_edited_input_are_not_thrown_away_by_a_shift():
    settings = SCENE.settings("across_channels", over="windows", compare=True)
    assert SCENE.impossible(settings) == "a shift is shown on one channel; the input has 4"
    assert SCENE.impossible({**settings, "channels": 1}) is None
