"""The message that a stage becomes: all that is drawn, nothing that is hidden, small enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.interface.components.packing import unpack
from explorer.interface.components.stage_message import NO_WEIGHT, stage_message
from tests.convolution.plain_stages import STAGES, conv_stage, conv_trace, large_stage, lecture_stage


def read(stage, hidden=(), **options):
    return unpack(stage_message(stage, hidden, options))


@pytest.mark.parametrize("name", STAGES)
def test_sums_can_be_computed_from_the_message_alone(name):
    stage = STAGES[name]()
    header, blobs = read(stage)
    boards = {board["name"]: number for number, board in enumerate(header["boards"])}
    for number, (link, about) in enumerate(zip(stage.links, header["links"], strict=True)):
        starts = np.frombuffer(blobs[f"starts{number}"], "<i4")
        sources = np.frombuffer(blobs[f"sources{number}"], "<u2")
        values = np.frombuffer(blobs[f"values{boards[about['source']]}"], "<f8")
        if f"factors{number}" in blobs:
            factors = np.frombuffer(blobs[f"factors{number}"], "<f8")
        else:
            cells = np.frombuffer(blobs[f"weights{number}"], "<u2")
            factors = np.frombuffer(blobs[f"values{boards[about['weights']]}"], "<f8")[cells]
        if about["rule"] != "sum":
            continue
        for cell in range(link.trace.before.size):
            here = slice(starts[cell], starts[cell + 1])
            bias = 0 if about["bias"] is None else about["bias"][cell % link.trace.before.shape[-1]]
            np.testing.assert_allclose(values[sources[here]] @ factors[here] + bias, link.trace.before.flat[cell])


def test_what_is_hidden_does_not_travel():
    stage = lecture_stage()
    hidden = stage.hidden_with_result()
    assert hidden == ("output", "activated", "pooled")
    header, blobs = read(stage, hidden)
    for number, board in enumerate(header["boards"]):
        values = np.frombuffer(blobs[f"values{number}"], "<f8")
        assert board["hidden"] == (board["name"] in hidden) == bool(np.isnan(values).all())
    assert not [name for name in blobs if name.startswith(("before", "decided"))]


def test_terms_without_a_weight_are_marked_as_such():
    stage = conv_stage(conv_trace(np.ones((4, 4, 1)), np.ones((2, 2, 1, 1))))
    trace = stage.links[0].trace
    cells = trace.weight_cells.copy()
    cells[0] = -1
    mixed = replace(stage, links=(replace(stage.links[0], trace=replace(trace, weight_cells=cells)),))
    _, blobs = read(mixed)
    assert np.frombuffer(blobs["weights0"], "<u2")[0] == NO_WEIGHT
    # Where a factor is no weight, factors travel themselves.
    assert "factors0" in blobs and "factors0" not in read(stage)[1]


def test_the_largest_stage_is_far_below_the_limit():
    size = len(stage_message(large_stage(), (), {}))
    assert size < 100_000


def test_numbers_change_the_digest_and_only_a_new_layout_the_structure():
    x, kernel = np.arange(16.0).reshape(4, 4, 1), np.ones((2, 2, 1, 1))
    one, _ = read(conv_stage(conv_trace(x, kernel)))
    again, _ = read(conv_stage(conv_trace(x, kernel)), pinned=3)
    other, _ = read(conv_stage(conv_trace(x + 1, kernel, bias=np.ones(1))))
    wider, _ = read(conv_stage(conv_trace(x, kernel, pad=1)))
    assert again["digest"] == one["digest"] and again["pinned"] == 3
    assert other["digest"] != one["digest"] and other["structure"] == one["structure"]
    assert wider["structure"] != one["structure"]
