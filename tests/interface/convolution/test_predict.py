"""Predict first: what is asked for stands nowhere on the screen before the answer."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.convolution import questions
from explorer.convolution.scenes.table import SCENES
from explorer.interface.components.packing import unpack
from explorer.interface.components.stage_message import stage_message
from explorer.interface.convolution import predict

EXAMPLES = [(one, preset.name) for one in SCENES for preset in one.presets]
PIXELS = np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def asked(one, preset, kind, number=0):
    stage = one.build(one.settings(preset, pixels=PIXELS, cell=None))
    question = questions.question(stage, kind, number)
    return stage, predict.Asked((), question)


@pytest.mark.parametrize(("one", "preset"), EXAMPLES, ids=lambda part: getattr(part, "name", part))
def test_a_number_that_is_asked_for_does_not_travel_to_the_browser(one, preset):
    stage, question = asked(one, preset, "value")
    shown, hidden = predict.withhold(stage, question)
    assert stage.result in hidden
    header, blobs = unpack(stage_message(shown, hidden, {}))
    for number, board in enumerate(header["boards"]):
        if board["name"] in hidden:
            assert np.isnan(np.frombuffer(blobs[f"values{number}"], "<f8")).all()


@pytest.mark.parametrize(("one", "preset"), EXAMPLES, ids=lambda part: getattr(part, "name", part))
def test_a_size_that_is_asked_for_shows_in_no_grid_and_in_no_title(one, preset):
    stage, question = asked(one, preset, "size")
    shown, hidden = predict.withhold(stage, question)
    for name in hidden:
        if any(board.name == name for board in shown.boards):
            board = shown.board(name)
            assert board.values.shape == (1, 1, 1)
            assert not any(letter.isdigit() for letter in board.title.removeprefix("L2"))
    assert not shown.formula and not shown.notes and not shown.links


def test_what_follows_from_the_result_or_stands_beside_it_is_hidden_with_it():
    stage = next(one for one in SCENES if one.name == "pooling").build(
        next(one for one in SCENES if one.name == "pooling").settings("shift")
    )
    hidden = predict.hidden_boards(stage)
    assert {"output", "output_shifted"} <= set(hidden)
    assert "input" not in hidden


def test_what_the_result_is_computed_from_stays():
    chain = next(one for one in SCENES if one.name == "one_dimension")
    stage = chain.build(chain.settings())
    hidden = predict.hidden_boards(stage)
    assert hidden == (stage.result,)
