"""The time left of a whole run: what was expected, corrected by what was measured, without jumps between its parts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from explorer.runs.context import RunContext
from explorer.runs.data.sources import source
from explorer.runs.folder import create
from explorer.runs.lessons import lessons
from explorer.runs.record import Progress, new_config
from explorer.runs.time_left import Expected, expected_of, seconds_left, share_done, share_learnt

WHOLE = Expected(100.0, (10.0, 60.0, 20.0))
"""Ten seconds before the first of three parts that are not equally long."""


def at(part, done, parts=3):
    return Progress(part=part, parts=parts, part_done=done, epoch=1)


def moments(pace=1.0, expected=WHOLE):
    """Return (seconds since the start, progress) of a run that goes at a pace: 2.0 takes twice as long as expected."""
    first = expected.seconds - sum(expected.parts)
    found = [(pace * first * share / 10, Progress()) for share in range(11)]
    begun = first
    for number, length in enumerate(expected.parts, start=1):
        found += [(pace * (begun + length * s / 50), at(number, s / 50, len(expected.parts))) for s in range(51)]
        begun += length
    return found


def test_a_run_that_goes_as_expected_counts_down_from_the_estimate_to_zero():
    for elapsed, progress in moments():
        assert seconds_left(progress, WHOLE, elapsed) == pytest.approx(100.0 - elapsed)


@pytest.mark.parametrize("pace", [0.2, 0.5, 1.5, 4.0])
def test_nothing_jumps_where_a_part_ends_and_the_estimate_gets_right(pace):
    known = [seconds_left(progress, WHOLE, elapsed) for elapsed, progress in moments(pace)]
    assert known[0] == pytest.approx(100.0) and known[-1] == pytest.approx(0.0)
    # A moment of a part is 1.2 expected seconds at most, so that nothing moves by more than a few.
    assert max(abs(after - before) for before, after in pairwise(known[11:])) < 4 * max(1.0, pace)
    truth = [pace * 100.0 - elapsed for elapsed, _ in moments(pace)]
    wrong = [abs(said - true) for said, true in zip(known, truth, strict=True)]
    assert wrong[-20] < 0.1 * wrong[0]


def test_of_a_long_last_part_more_is_left_than_of_its_share_of_the_number_of_parts():
    assert share_done(at(3, 0.0), Expected(100.0, (5.0, 5.0, 90.0))) == pytest.approx(0.1)
    assert share_done(at(3, 0.0), None) == pytest.approx(2 / 3)


def test_the_bar_begins_with_the_training_however_long_its_data_took():
    long_set_up = Expected(12.0, (2.0, 2.0))
    assert share_done(at(1, 0.5, parts=2), long_set_up) == pytest.approx(9 / 12)
    assert share_learnt(at(1, 0.5, parts=2), long_set_up) == pytest.approx(1 / 4)


def test_parts_that_nobody_expected_are_equally_long():
    # One set of pictures more than the lesson counted: of its parts the sum is right, their number is not.
    assert share_done(at(2, 0.5, parts=4), Expected(50.0, (10.0, 30.0))) == pytest.approx((10 + 15) / 50)


def test_without_an_estimate_the_pace_so_far_tells():
    assert seconds_left(Progress(), None, 30.0) is None
    assert seconds_left(at(2, 0.5), None, 30.0) == pytest.approx(30.0)


def test_a_task_that_names_no_parts_says_its_own_time():
    assert seconds_left(Progress(epoch=2, seconds_left=31.0), WHOLE, 500.0) == 31.0


def test_a_part_in_several_fits_never_goes_back(tmp_path):
    config = new_config(task="transfer", owner="a" * 32)
    context = RunContext(create(tmp_path, config).folder, config)
    context.part(1, 2)
    shares = []
    for first, last in ((1, 4), (5, 8)):  # a head first, then all layers with it
        context.plan(last, 3)
        for epoch in range(first, last + 1):
            for step in (1, 2, 3):
                context.move_on(epoch, step)
                shares.append(context.progress.part_done)
    assert shares == sorted(shares) and shares[-1] == 1.0
    context.part(2, 2)
    assert context.progress.part_done == 0.0
    context.close()


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_parts_of_a_lesson_are_within_its_estimate(lesson):
    for preset in lesson.presets:
        chosen = source(str(preset.data.get("source", lesson.data[0]))) if lesson.data else None
        given = {name: value for name, value in preset.data.items() if name != "source"}
        data = {} if chosen is None or chosen.name == "own" else {"source": chosen.name, **chosen.settings(given)}
        expected = expected_of(lesson, preset.settings, data)
        assert expected is not None and len(expected.parts) and min(expected.parts) > 0
        assert 0 < sum(expected.parts) < expected.seconds
