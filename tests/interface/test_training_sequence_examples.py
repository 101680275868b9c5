"""How sequences are drawn before a run learns from them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from explorer.interface.training.sequence_examples import WIDTH, grid_html, outline, rows_table, wave_svg
from explorer.runs.data.sequence_overview import SequenceOverview
from explorer.runs.lessons.one_dimension import LESSON


def glance(preset):
    return LESSON.glance(LESSON.settings(LESSON.preset(preset).settings), 0)


def test_a_long_recording_keeps_its_extremes():
    values = np.zeros(5000)
    values[1234], values[3456] = 1.0, -1.0
    places, bounds = outline(values)
    assert len(bounds) == 2 * WIDTH and bounds.max() == 1.0 and bounds.min() == -1.0
    assert places[bounds.argmax()] == pytest.approx(1234, abs=5000 / WIDTH)


def test_stereo_is_two_lines_the_left_channel_above_the_right_one():
    drawing = wave_svg(np.zeros((100, 2)), 1.0)
    heights = [float(points.split()[0].split(",")[1]) for points in re.findall(r'points="([^"]+)"', drawing)]
    assert len(heights) == 2 and heights[0] < heights[1]


def test_every_class_has_its_name_its_examples_and_its_counts():
    page = grid_html(glance("heartbeats"))
    assert page.count("<img src=") == 10 and page.count('class="bar"') == 5
    assert "1,500 recordings to learn from" in page and "600 recordings to be judged by" in page
    texts = grid_html(glance("text"))
    assert texts.count("<p>") == 4 and 'class="bar"' not in texts


def test_a_text_is_no_html():
    found = SequenceOverview("texts", {"<b>": 1}, texts={"<b>": ("<script>alert(1)</script>",)})
    assert "<script" not in grid_html(found) and "<b>" not in grid_html(found)


def test_a_table_shows_its_first_columns_and_says_how_many_more_there_are():
    table = rows_table(glance("table"))
    assert table.title == "569 rows: 212 malignant, 357 benign"
    assert [len(row) for row in table.rows] == [7] * 6 and table.note == "And 24 more columns."
