"""The scene of the transposed convolution: both views, overlaps, matrices, and whose each number is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import signal

from explorer.convolution import geometry
from explorer.convolution.scenes import transposed
from explorer.convolution.scenes.transposed import SCENE


def stage_of(preset="", **changed):
    settings = SCENE.settings(preset, **changed)
    assert SCENE.impossible(settings) is None
    return SCENE.build(settings)


def random_settings(count):
    random = np.random.default_rng(23)
    found = 0
    while found < count:
        settings = SCENE.settings(
            size=tuple(random.integers(1, 6, 2)),
            kernel_size=tuple(random.integers(1, 6, 2)),
            strides=tuple(random.integers(1, 5, 2)),
            dilation_rate=tuple(random.integers(1, 3, 2)),
            padding=str(random.choice(["valid", "same", "explicit"])),
            pad=tuple(random.integers(0, 5, 2)),
            output_padding=tuple(random.integers(0, 4, 2)),
            bias=float(random.integers(-3, 4)),
            input=random.integers(-9, 10, (8, 8)).astype(float),
            kernel=random.integers(-3, 4, (5, 5)).astype(float),
        )
        if SCENE.impossible(settings) is None and SCENE.impossible({**settings, "view": "zeros"}) is None:
            found += 1
            yield settings


def test_both_views_are_the_same_numbers_and_those_of_a_plain_definition():
    for settings in random_settings(60):
        stamps, zeros = SCENE.build(settings), SCENE.build({**settings, "view": "zeros"})
        output = stamps.board("output").values
        np.testing.assert_allclose(zeros.board("output").values, output)
        # SciPy's full convolution of the zero-stuffed input with the dilated kernel, then cut and filled up.
        stuffed = np.zeros([s * (n - 1) + 1 for s, n in zip(settings["strides"], settings["size"], strict=True)])
        rows, columns = settings["size"]
        stuffed[:: settings["strides"][0], :: settings["strides"][1]] = settings["input"][:rows, :columns]
        spans = [d * (k - 1) + 1 for d, k in zip(settings["dilation_rate"], settings["kernel_size"], strict=True)]
        dilated = np.zeros(spans)
        rows, columns = settings["kernel_size"]
        dilated[:: settings["dilation_rate"][0], :: settings["dilation_rate"][1]] = settings["kernel"][:rows, :columns]
        whole = np.pad(signal.convolve(stuffed, dilated, mode="full", method="direct"), (0, 9))
        top, left = (transposed._axis(settings, axis)[1] for axis in (0, 1))
        truth = whole[top : top + output.shape[0], left : left + output.shape[1]]
        np.testing.assert_allclose(output[..., 0], truth + settings["bias"])


def test_sizes_are_those_of_the_geometry():
    for settings in random_settings(60):
        arguments = transposed._arguments(settings)
        for axis in (0, 1):
            padding = arguments["padding"]
            more = arguments["output_padding"]
            truth = geometry.transposed_output_size(
                settings["size"][axis],
                settings["kernel_size"][axis],
                settings["strides"][axis],
                padding if isinstance(padding, str) else padding[axis],
                settings["dilation_rate"][axis],
                None if more is None else more[axis],
            )
            assert transposed._axis(settings, axis)[0] == truth


def test_the_zero_stuffed_input_is_what_the_facts_say():
    for settings in random_settings(40):
        stage = SCENE.build({**settings, "view": "zeros"})
        board = stage.board("stuffed")
        (top, bottom), (left, right) = transposed._equivalent(settings)
        assert min(top, bottom, left, right) >= 0
        own = board.own if board.own is not None else np.ones(board.values.shape[:2], dtype=bool)
        rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
        assert (rows[0], own.shape[0] - 1 - rows[-1]) == (top, bottom)
        assert (columns[0], own.shape[1] - 1 - columns[-1]) == (left, right)
        assert set(np.diff(rows)) <= {settings["strides"][0]} and set(np.diff(columns)) <= {settings["strides"][1]}
        # The small input stands on the stage as well, and each of its cells knows where it went.
        link = stage.links[1]
        assert (link.source, link.target) == ("input", "stuffed")
        np.testing.assert_array_equal(link.trace.target, board.values)
        assert link.trace.sources.tolist() == list(range(stage.board("input").values.size))


def test_overlaps_are_products_of_counts_along_rows_and_columns():
    for k, s, n in itertools.product((1, 2, 3, 4, 5), (1, 2, 3), (2, 4)):
        stage = stage_of(size=(n, 2), kernel_size=(k, 3), strides=(s, 2), padding="explicit", pad=(0, 0))
        along = np.zeros(s * (n - 1) + k)
        for stamp in range(n):
            along[stamp * s : stamp * s + k] += 1
        np.testing.assert_array_equal(stage.board("overlap").values[..., 0], np.outer(along, [1, 1, 2, 1, 1]))
        assert stage.board("overlap").stands_for == "output"


@pytest.mark.parametrize(("kernel", "stride", "even"), [(3, 2, False), (4, 2, True), (5, 2, False), (3, 3, True),
                                                        (3, 1, True), (2, 4, False), (4, 4, True)])  # fmt: skip
def test_a_checkerboard_comes_where_the_stride_does_not_divide_the_kernel(kernel, stride, even):
    settings = SCENE.settings("checkerboard", kernel_size=(kernel, kernel), strides=(stride, stride), size=(4, 4))
    stage = SCENE.build(settings)
    assert transposed._even(settings) is even
    assert any("checkerboard" in note for note in stage.notes) is not even
    if even and kernel > stride:
        middle = stage.board("overlap").values[kernel:-kernel, kernel:-kernel]
        assert np.unique(middle).size <= 1


def test_the_matrices_are_the_ordinary_convolution_and_its_transpose():
    stage = stage_of("stamps")
    ordinary, transpose = (stage.board(name).values[..., 0] for name in ("matrix", "transpose"))
    np.testing.assert_array_equal(ordinary, transpose.T)
    small, output = stage.board("input").values.reshape(-1), stage.board("output").values.reshape(-1)
    np.testing.assert_allclose(transpose @ small, output)
    picture = np.random.default_rng(1).normal(size=(5, 5))
    truth = signal.correlate2d(picture, stage.board("kernel").values[..., 0], mode="valid")[::2, ::2]
    np.testing.assert_allclose(ordinary @ picture.reshape(-1), truth.reshape(-1))
    assert [(m.board, m.transposed) for m in stage.matrices] == [("matrix", True), ("transpose", False)]
    assert "4 × 25" in stage.board("matrix").title and "25 × 4" in stage.board("transpose").title


def test_matrices_that_are_too_large_are_said_instead_of_drawn():
    stage = stage_of("stamps", size=(5, 5))
    assert not stage.matrices
    assert any("3,025 cells" in note for note in stage.notes)


@pytest.mark.parametrize(("changed", "words"), [
    ({"size": (4, 4), "padding": "explicit", "pad": (3, 3)}, "p′ = d(k − 1) − p = 2 − 3"),
    ({"padding": "explicit", "pad": (0, 0), "output_padding": (2, 2)}, "2"),
    ({"size": (1, 1), "padding": "explicit", "pad": (2, 2)}, "leaves nothing"),
    ({"size": (8, 8), "strides": (4, 4)}, "at most"),
])  # fmt: skip
def test_what_cannot_be_has_a_sentence(changed, words):
    why = SCENE.impossible(SCENE.settings(**changed))
    assert why is not None and words in why


def test_steps_go_through_stamps_or_windows():
    assert stage_of("stamps").steps.by == "source"
    stage = stage_of("stamps_zeros")
    assert (stage.steps.by, stage.links[stage.steps.link].source) == ("target", "stuffed")


def test_the_letters_light_what_they_stand_for():
    stage = stage_of("stamps_zeros")
    lights = {letter.text: letter.lights for letter in stage.formula if letter.lights}
    own = stage.board("stuffed").own
    rows, columns = np.nonzero(own)
    assert set(lights["n"][0].cells) == set((rows * 7 + columns).tolist())
    inside = {row * 7 + column for row in range(2, 5) for column in range(2, 5)}
    assert set(lights["z"][0].cells) == inside - set(lights["n"][0].cells)
    assert set(lights["p′"][0].cells) == set(range(49)) - inside
    stamps = stage_of("stamps")
    assert next(letter for letter in stamps.formula if letter.text == "s").lights[0].cells == (0, 1, 5, 6, 10, 11)
