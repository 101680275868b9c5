"""Charts of scores: every map is drawn, the random one apart, and the words say the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.explanations.table import METHODS
from explorer.interface.figures import score_charts
from explorer.interface.theme import DARK, LIGHT
from tests.interface import plain_scores
from tests.interface.plain_scores import title

SCORES = plain_scores.scores()
STEPS = plain_scores.with_maps(plain_scores.steps())


@pytest.mark.parametrize("kind", ["insertion", "deletion"])
def test_every_map_has_its_curve_and_only_the_random_one_is_dashed(kind):
    figure = score_charts.curves(SCORES, kind, LIGHT, title)
    assert len(figure.data) == len(SCORES.rows)
    for trace, row in zip(figure.data, SCORES.rows, strict=True):
        curve = getattr(row, kind)
        np.testing.assert_array_equal(trace.y, curve.scores)
        assert trace.name == f"{title(row.method)}, {curve.area:.2f}"
        assert (trace.line.dash == "dash") == (row.method == "random")
    words = score_charts.curves_words(SCORES, kind, title)
    assert words.index("Occlusion") < words.index("Saliency") < words.index("Random map")


def test_scores_that_are_no_probabilities_are_not_drawn_as_such():
    row = SCORES.rows[0]
    logits = replace(row, insertion=replace(row.insertion, scores=10 * row.insertion.scores - 2))
    figure = score_charts.curves(replace(SCORES, rows=(logits,)), "insertion", LIGHT, title)
    assert figure.layout.yaxis.title.text == "score of the target"
    assert figure.layout.yaxis.range is None


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_no_two_methods_have_the_same_line(palette):
    lines = {tuple(score_charts.line_of(name, palette).items()) for name in [*METHODS, "random"]}
    assert len(lines) == len(METHODS) + 1


def test_agreement_is_coloured_from_minus_one_to_one_and_says_where_there_is_none():
    figure = score_charts.agreement(SCORES, LIGHT, title)
    (matrix,) = figure.data
    assert (matrix.zmin, matrix.zmax) == (-1, 1)
    assert matrix.text[0][1] == "0.62" and matrix.text[2][3] == ""
    assert matrix.hovertext[2][3] == "Guided backprop and Occlusion: none, one map is constant"
    assert sum(note.text == "–" for note in figure.layout.annotations) == 2
    words = score_charts.agreement_words(SCORES, title)
    assert "−0.20 (Random map and Guided backprop) to 0.88 (Occlusion and Grad-CAM)" in words


def test_only_maps_with_a_true_mask_are_drawn_against_the_object():
    figure = score_charts.overlaps(SCORES, LIGHT, title)
    np.testing.assert_allclose(figure.data[0].x, [row.overlap for row in SCORES.rows])
    photo = replace(SCORES, rows=tuple(replace(row, hit=None, overlap=None) for row in SCORES.rows))
    assert len(score_charts.overlaps(photo, LIGHT, title).data[0].x) == 0
    assert "Grad-CAM 0.64 and hits it" in score_charts.overlaps_words(SCORES, title)


def test_forgetting_shows_every_step_also_negative_ones_and_the_first_alone():
    figure = score_charts.sanity(STEPS, LIGHT, title)
    assert [len(trace.y) for trace in figure.data] == [len(STEPS)] * 4
    low, high = figure.layout.yaxis.range
    drawn = np.array([trace.y for trace in figure.data], float)
    assert low < np.nanmin(drawn) and np.nanmax(drawn) < high
    assert "Guided backprop 0.65" in score_charts.sanity_words(STEPS, title)
    assert len(score_charts.sanity(STEPS[:1], LIGHT, title).data) == 4
    assert "nothing is forgotten yet" in score_charts.sanity_words(STEPS[:1], title)


def test_the_strongest_channels_stand_first_on_both_sides():
    effects = plain_scores.effects()
    (bars,) = score_charts.channel_effects(effects, "cat", LIGHT, most=5).data
    assert list(bars.x) == ["17", "4", "33", "61", "12"]
    np.testing.assert_allclose(bars.y, [2.1, 1.4, 0.9, -0.4, -0.8], atol=1e-5)
    words = score_charts.channel_effects_words(effects, "cat")
    assert "channel 17 (2.1), channel 4 (1.4), channel 33 (0.9); it gains 0.8 without channel 12" in words


def test_logits_before_and_after_stand_in_pairs():
    switched = plain_scores.switched()
    before, after = score_charts.switched_off(switched, [0, 3], ["cat", "bicycle"], DARK).data
    np.testing.assert_allclose([before.x, after.x], [[7.1, -0.7], [1.9, -0.6]], atol=1e-6)
    assert before.text == ("7.1", "−0.7")
    words = score_charts.switched_off_words(switched, [0], ["cat"])
    assert words.endswith("cat from 7.1 to 1.9")


def test_completeness_draws_both_sums_and_says_the_gap():
    (bars,) = score_charts.completeness(6.93, 7.0, LIGHT).data
    assert list(bars.x) == [6.93, 7.0]
    assert score_charts.completeness_words(6.93, 7.0).endswith("a gap of 1.0%")
    assert "gap" not in score_charts.completeness_words(0.0, 0.0)
