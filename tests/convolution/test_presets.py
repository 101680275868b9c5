"""Every example shows the numbers of the lectures, and says where a slide is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.convolution import presets
from explorer.convolution.scenes import channels, convolution, pooling, transposed
from tests.convolution.lecture_presets import EXPECTED

SCENES = {module.SCENE.name: module.SCENE for module in (convolution, channels, transposed, pooling)}
ALL = [(name, preset.name) for name, scene in SCENES.items() for preset in scene.presets]


def stage_of(name, preset, **changed):
    return SCENES[name].build(SCENES[name].settings(preset, **changed))


def all_text(stage):
    return " ".join([*(f"{f.label}: {f.value}, {f.exact}" for f in stage.facts), *stage.notes])


@pytest.mark.parametrize(("name", "preset"), sorted(EXPECTED))
def test_an_example_shows_its_numbers(name, preset):
    assert preset in {one.name for one in SCENES[name].presets}
    stage = stage_of(name, preset)
    for board, rows in EXPECTED[name, preset].items():
        np.testing.assert_allclose(stage.board(board).values[..., 0], rows, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("name", "preset"), ALL)
def test_an_example_is_possible_and_small(name, preset):
    settings = SCENES[name].settings(preset)
    assert SCENES[name].impossible(settings) is None
    for board in SCENES[name].build(settings).boards:
        finite = board.values[np.isfinite(board.values)]
        assert np.abs(finite).max() <= 6600


def test_names_and_titles_are_told_apart():
    for scene in SCENES.values():
        assert len({preset.name for preset in scene.presets}) == len(scene.presets)
        assert len({preset.title for preset in scene.presets}) == len(scene.presets)
        assert len({control.name for control in scene.controls}) == len(scene.controls)
        assert sum(control.main and control.kind != "grid" for control in scene.controls) <= 8


@pytest.mark.parametrize(("name", "preset", "words"), [
    ("convolution", "lecture_6x6", "37.5 instead of 36.5"),
    ("convolution", "stride_2", "prints 83 and 127"),
    ("convolution", "curve_match", "Dot product at the largest output: 6600"),
    ("convolution", "curve_no_match", "Cosine of the angle between them: 0,"),
    ("channels", "one_by_one", "28 × 28 × 192, 16 filters: 28 × 28 × 16, 192 · 16 + 16 = 3,088"),
    ("channels", "depth_concat", "(14, 14, 2) and (16, 16, 3) → (16, 16, 5)"),
    ("channels", "two_parameter_edge", "280 × 319, 2 weights"),
    ("channels", "two_parameter_edge", "8,003,072,000"),
    ("channels", "two_parameter_edge", "Weights: 2"),
    ("transposed", "stamps", "Stride of the ordinary convolution: s = 2"),
    ("transposed", "stamps", "Stride of the equivalent convolution: s′ = 1"),
    ("transposed", "stamps", "Zeros between two cells: z = 1, s − 1 = 2 − 1"),
    ("transposed", "stamps", "Padding of the equivalent convolution: p′ = 2, d(k − 1) − p = 2 − 0"),
    ("transposed", "checkerboard", "no multiple of the stride 2"),
    ("pooling", "shift", "Pooling changed: 0 of 16 cells"),
    ("pooling", "shift", "0 of the 30 cells away from the border differ"),
    ("pooling", "shift_unlucky", "Pooling changed: 6 of 16 cells"),
])  # fmt: skip
def test_what_is_said_beside_an_example(name, preset, words):
    assert words in all_text(stage_of(name, preset))


def test_a_sentence_about_a_slide_goes_when_its_numbers_do():
    moved = presets.STRIDE_INPUT.copy()
    moved[0, 0] += 1
    assert "slide" not in all_text(stage_of("convolution", "stride_2", input=moved))
    assert "slide" not in all_text(stage_of("convolution", "lecture_6x6", bias=1.0))


def test_the_frames_with_175_give_the_number_that_is_said():
    frame = presets.LECTURE_INPUT.copy()
    frame[-1, -1] = 175
    stage = stage_of("convolution", "lecture_6x6", input=frame)
    np.testing.assert_allclose(stage.board("output").values[-1, -1, 0], 37.5)


def test_the_default_numbers_are_small_whole_and_not_all_alike():
    for height in (1, 2, 5, 16):
        for width in (1, 3, 16):
            picture = presets.default_picture(height, width)
            assert picture.shape == (height, width)
            assert (picture == picture.round()).all() and picture.min() >= 0 and 0 < picture.max() <= 9
    kernels = presets.default_kernels(3, 3, 6, 6)
    assert np.isin(kernels, (-1, 0, 1)).all()
    assert all((kernels[..., number] != kernels[..., number + 1]).any() for number in range(5))
    assert (presets.default_kernels(1, 1, 6, 2) != 0).sum() >= 8
