"""Which image stands at which place: what grows over what was grown over what comes with the app."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageSequence

from explorer.ascent.results import DreamPlan, Frame, Growing, Grown, Plan, Quality, Sheet
from explorer.interface.components import gallery as components
from explorer.interface.components.gallery import sheet_bytes
from explorer.interface.filters import album, close_up, growing, take_along, view
from explorer.interface.filters.curves import climb
from explorer.interface.filters.wishes import View
from explorer.interface.theme import LIGHT

VIEW = View("drawn_robust", "trained", "")
GOOD = Quality(1.0, 10.0, 9.0, 0.05, False)
PLAN = Plan("drawn_robust", targets=(2, 0))


def plain(*values, side=8):
    return np.stack([np.full((side, side, 3), value, np.uint8) for value in values])


def sheet():
    return Sheet("drawn_robust", "", replace(PLAN, targets=(0, 1, 2)), plain(10, 11, 12), (0, 1, 2), (GOOD,) * 3)


def grown(**changes):
    frames = tuple(Frame(step, plain(100 + step, step)) for step in (0, 5, 10))
    made = Grown(
        PLAN, plain(110, 10), (2, 0), (GOOD, GOOD), np.ones((10, 2), np.float32), 10, frames, {}, 1.5, "CPU", True
    )
    return replace(made, **changes)


def values(board):
    return [None if one.image is None else int(one.image[0, 0, 0]) for one in board]


def test_what_grows_covers_what_was_grown_and_that_the_ready_images():
    now = Growing(0, 3, 10, plain(200), np.array([[1.0], [2.5]]), 4.0, 0.02)
    board = album.board_of(
        [0, 1, 2, 3],
        album.from_sheet(sheet()),
        album.from_grown(grown()),
        album.from_growing(now, replace(PLAN, targets=(2,))),
    )
    assert values(board) == [10, 11, 200, None]
    assert [one.source for one in board] == ["grown", "sheet", "growing", "empty"]
    assert board[2].value == 2.5


def test_copies_of_one_target_stand_beside_each_other():
    plan = replace(PLAN, targets=(5, 3), copies=2)
    now = Growing(0, 1, 10, plain(1, 2, 3, 4), np.zeros((0, 4)), 4.0, 0.02)
    board = album.board_of([3, 5], album.from_growing(now, plan))
    assert values(board) == [3, 4, 1, 2]
    assert [one.id for one in board] == ["3", "3:1", "5", "5:1"]
    assert [one.id for one in album.board_of([3, 5], album.waiting(plan))] == ["3", "3:1", "5", "5:1"]


def test_images_of_two_sizes_are_shown_at_the_larger():
    board = album.board_of(
        [0, 1],
        album.from_sheet(replace(sheet(), images=plain(9, 9, 9, side=4))),
        {1: [album.Shown(1, image=plain(7)[0])]},
    )
    pixels = album.pixels_of(board)
    assert pixels.shape == (2, 8, 8, 3)
    assert pixels[0].max() == 9


def test_a_flat_image_says_so_and_a_growing_one_how_far_it_is():
    flat = replace(GOOD, clean=0.9, flat=True)
    tile = album.tile_of(
        album.Shown(0, image=plain(1)[0], quality=flat, source="grown"), VIEW, ["cat"], guess=False, picked=False
    )
    assert (tile.state, tile.line) == ("flat", "flat: never started")
    now = Growing(0, 3, 12, plain(200), np.array([[1.0]]), 4.0, 0.02)
    tile = album.tile_of(
        album.from_growing(now, PLAN)[2][0], VIEW, ["cat", "fish", "flower"], guess=False, picked=False
    )
    assert (tile.state, tile.share, tile.title) == ("growing", 0.25, "flower")


def test_who_guesses_first_sees_no_name_before_the_click_and_no_number():
    one = album.Shown(0, image=plain(1)[0], quality=GOOD, source="sheet")
    hidden = album.tile_of(one, VIEW, ["cat"], guess=True, picked=False)
    assert (hidden.title, hidden.line, hidden.tip) == ("?", "", "")
    assert "cat" not in hidden.alt and "?" in hidden.alt
    assert album.tile_of(one, VIEW, ["cat"], guess=True, picked=True).title == "cat"


def test_quality_says_what_stays_under_shaking():
    line, tip, flat = album.quality_words(GOOD)
    assert (line, flat) == ("10", "")
    assert "90" in tip and "16 random shakes" in tip
    # Below zero a share of it would mean nothing.
    assert "%" not in album.quality_words(replace(GOOD, clean=-2.0, shaken=-3.0))[1].splitlines()[1]


def test_work_that_gave_way_goes_on_from_its_states_and_finished_work_does_not():
    half = grown(finished=False, state={"a": 1})
    assert growing.unfinished([half], {}) == {"plans": (PLAN,), "states": ({"a": 1},)}
    assert growing.unfinished([grown()], {}) is None
    assert growing.unfinished([grown(finished=False, state=None)], {}) is None


def test_the_kept_steps_have_the_first_and_the_last_among_them():
    frames = tuple(Frame(step, plain(step, 0)) for step in range(100))
    chosen = close_up.frames_of(grown(frames=frames), [0], most=10)
    assert len(chosen) == 10
    assert [chosen[0][0], chosen[-1][0]] == [0, 99]
    assert chosen[-1][1].shape == (1, 8, 8, 3)


def test_the_numbers_beside_an_image_say_nothing_of_what_was_not_looked_at():
    assert "90" in close_up.facts_html(GOOD)
    unshaken = replace(GOOD, shaken=None)
    assert "shakes" not in close_up.facts_html(unshaken) + album.quality_words(unshaken)[1]
    assert album.quality_words(unshaken)[0] == "10"


def test_an_image_that_began_with_something_is_no_higher_not_flat():
    line, tip, flat = album.quality_words(replace(GOOD, start=12.0, clean=11.9))
    assert (line, flat) == ("11.9", "") and tip.startswith("It is no higher than where it started")


def test_images_know_what_they_were_grown_with():
    stopped = album.from_grown(grown(finished=False, step=7))[2][0]
    assert stopped.plan == replace(PLAN, steps=7)
    board = album.board_of([0, 1, 2, 3], album.from_sheet(sheet()), {2: [stopped]})
    assert view.made_with(board, []) == (replace(PLAN, targets=(0, 1)), "")
    assert view.made_with(board, [0, 2]) == (replace(PLAN, steps=7, targets=(2,)), "")
    assert view.made_with(board, [3]) is None


def test_images_of_one_plan_that_began_as_two_pictures_are_not_made_by_one_call():
    plan = replace(PLAN, start="picture")
    cat, fish = (album.from_grown(grown(plan=plan), source) for source in ("drawn:cat:3", "drawn:fish:3"))
    board = album.board_of([0, 2], cat, {2: fish[2]})
    assert view.made_with(board, []) == (replace(plan, steps=10, targets=(0,)), "drawn:cat:3")
    assert view.made_with(board, [0, 2]) == (replace(plan, steps=10, targets=(2,)), "drawn:fish:3")


def test_a_stopped_dream_counts_the_steps_of_all_its_octaves():
    class Ended:
        running = False
        state = "stopped"
        identity = ("", 1)

    plan = DreamPlan("drawn_plain", octaves=6, octave_scale=2.0, steps=20)
    # Of six octaves four are not below 32 pixels.
    Ended.result = grown(plan=plan, images=np.zeros((1, 256, 300, 3), np.uint8), finished=False, step=70)
    assert "stopped at step 70 of 80" in growing.outcome_words(Ended())


def test_what_does_not_change_is_encoded_once(monkeypatch):
    session, encoded = {}, []
    real = components.sheet_bytes
    monkeypatch.setattr(components.st, "session_state", session)
    monkeypatch.setattr(components, "sheet_bytes", lambda *given: (encoded.append(1), real(*given))[1])
    films = [plain(0, 1), plain(2, 3)]
    first = components._encoded("a", films[1], films, [0, 9])
    assert components._encoded("a", films[1].copy(), [one.copy() for one in films], [0, 9]) == first
    assert len(encoded) == 2 and set(first[2]) == {"frame0", "frame1"}
    assert components._encoded("a", films[0], [], [])[0] != first[0]
    assert len(session[components._KEPT]) == 1


def test_a_sheet_for_the_browser_holds_every_image_row_by_row():
    data, columns = sheet_bytes(plain(0, 60, 120, 180, 240), 100)
    assert columns == 3
    with Image.open(io.BytesIO(data)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    assert pixels.shape == (16, 24, 3)
    found = [int(pixels[4 + 8 * (i // 3), 4 + 8 * (i % 3), 0]) for i in range(5)]
    np.testing.assert_allclose(found, [0, 60, 120, 180, 240], atol=3)


def test_the_png_holds_every_image_and_its_name():
    board = album.board_of([0, 1, 2, 7], album.from_sheet(sheet()))
    data = take_along.board_png(board, ["cat", "fish", "flower", "none"], "Drawn world · robust", "how")
    with Image.open(io.BytesIO(data)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    for value in (10, 11, 12):
        assert (pixels == value).all(axis=2).sum() > 100 * 100


def test_the_gif_grows_from_the_first_to_the_last_step_and_waits_there():
    data = take_along.gif([(frame.step, frame.images) for frame in grown().frames])
    with Image.open(io.BytesIO(data)) as opened:
        frames = [(np.asarray(one.convert("RGB")), one.info["duration"]) for one in ImageSequence.Iterator(opened)]
    assert len(frames) == 3
    assert [int(pixels[2, 2, 0]) for pixels, _ in frames] == pytest.approx([100, 105, 110], abs=3)
    assert [duration for _, duration in frames] == [120, 120, 2000]


@pytest.mark.parametrize(
    "plan", [PLAN, replace(PLAN, objective="channel", layer="a"), DreamPlan("drawn_plain", layers=(("a", 1.0),))]
)
def test_the_small_print_says_how_images_were_made(plan):
    words = take_along.plan_words(plan)
    assert "steps" in words


def test_the_climb_shows_the_picked_image_strong_and_ends_at_the_planned_steps():
    figure = climb(np.arange(20.0).reshape(10, 2), 200, [1], ["cat", "fish"], LIGHT, done=50)
    assert [len(trace.x) for trace in figure.data] == [10, 10]
    assert figure.data[-1].line.color == LIGHT.gradient
    assert figure.data[-1].x[-1] == 50
    assert figure.layout.xaxis.range == (0, 200)
