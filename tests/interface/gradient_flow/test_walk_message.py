"""What travels to the browser is the walk, number by number; an edit is a number for a cell that is put in."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.gradient_flow.conv_walk import conv_parameters, conv_walk
from explorer.gradient_flow.sigmoid_walk import sigmoid_parameters, sigmoid_walk
from explorer.interface.components.packing import unpack
from explorer.interface.components.walk import edit_of, message
from explorer.interface.gradient_flow.backpropagation import read_edits, text_of
from explorer.interface.theme import DARK, LIGHT


@pytest.mark.parametrize("walk", [sigmoid_walk(sigmoid_parameters(1)), conv_walk(conv_parameters(1))])
def test_every_number_and_every_step_travels(walk):
    header, blobs = unpack(message(walk, LIGHT))
    values = np.frombuffer(blobs["values"], "<f8")
    at = 0
    places = {}
    for board in header["boards"]:
        ours = walk.boards[board["name"]].values
        assert ours.shape == (board["rows"], board["columns"])
        np.testing.assert_array_equal(values[at : at + ours.size], ours.ravel())
        places.update({(board["name"], cell): at + cell for cell in range(ours.size)})
        at += ours.size
    assert at == len(values)
    assert len(header["steps"]) == len(walk.steps)
    for sent, step in zip(header["steps"], walk.steps, strict=True):
        assert sent["writes"] == places[step.writes]
        assert set(sent["reads"]) == {places[place] for place in step.reads}
        assert "".join(piece[1:] for piece in sent["pieces"]) == "".join(text for text, _ in step.pieces)
        assert header["phases"][sent["phase"]] == step.phase


def test_other_numbers_are_the_same_structure():
    first, second = (unpack(message(conv_walk(conv_parameters(seed)), LIGHT))[0] for seed in (1, 2))
    assert first["structure"] == second["structure"] and first["digest"] != second["digest"]
    other = unpack(message(sigmoid_walk(sigmoid_parameters()), LIGHT))[0]
    assert other["structure"] != first["structure"]
    dark = unpack(message(conv_walk(conv_parameters(1)), DARK))[0]
    assert dark["digest"] == first["digest"] and dark["hues"] != first["hues"]


def test_a_walk_of_285_steps_is_a_small_message():
    assert len(message(conv_walk(conv_parameters(3)), LIGHT)) < 120_000


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"board": "w", "cell": 3, "value": -1.5, "at": 1}, (("w", 3), -1.5)),
        ({"board": "w", "cell": 4, "value": 1}, None),
        ({"board": "z", "cell": 0, "value": 1}, None),
        ({"board": "w", "cell": 0, "value": 1e9}, None),
        ({"board": "w", "cell": 0, "value": float("nan")}, None),
        ({"board": "w", "cell": 0, "value": "1"}, None),
        ({"board": ["w"], "cell": 0, "value": 1}, None),
        ({"board": "w", "cell": "0", "value": 1}, None),
        (None, None),
    ],
)
def test_an_edit_is_checked(event, found):
    assert edit_of(event, sigmoid_walk(sigmoid_parameters())) == found


def test_changed_numbers_travel_in_a_link():
    edits = {("x", 1): -0.25, ("k0", 8): 2.0}
    assert read_edits(text_of(edits)) == edits
    assert read_edits("x.0=1,nonsense,=,w.a=1,w.1=b,.2=3") == {("x", 0): 1.0, ("", 2): 3.0}
