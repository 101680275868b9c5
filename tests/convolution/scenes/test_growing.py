"""The scene of layers behind each other."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.convolution.scenes.growing import LAYERS, SCENE, alternatives, skips


def fact(stage, start):
    return next(one for one in stage.facts if one.label.startswith(start))


@pytest.mark.parametrize(("preset", "field", "weights", "size"), [
    ("three_3x3", 7, 27, 7),
    ("one_7x7", 7, 49, 7),
    ("shrinking", 16, 108, 1),
    ("holding", 16, 108, 16),
    ("vgg_start", 16, 36, 4),
    ("causal_dilations", 16, 16, 16),
    ("three_dilated", 15, 27, 3),
    ("fewest_weights", 15, 63, 3),
])  # fmt: skip
def test_field_weights_and_size(preset, field, weights, size):
    stage = SCENE.build(SCENE.settings(preset))
    assert fact(stage, "Receptive field").value == f"{field} × {field}"
    assert fact(stage, "Weights for one").answer == (weights,)
    assert fact(stage, "Weights for K").answer == (weights * 64**2,)
    assert fact(stage, "Output").answer == (size,)


def test_the_lectures_slide_is_set_right():
    assert any("27·K² weights against 49·K²" in note for note in SCENE.build(SCENE.settings("three_3x3")).notes)


def test_a_fourth_layer_of_width_6_is_refused():
    sentence = SCENE.impossible(SCENE.settings("shrinking", layers=4))
    assert sentence is not None and sentence.startswith("layer 4")


def test_the_numbers_count_paths_one_by_one():
    random = np.random.default_rng(3)
    tried = 0
    while tried < 40:
        names = random.choice(list(LAYERS), 3)
        settings = SCENE.settings(
            size=int(random.integers(6, 20)),
            padding=str(random.choice(["valid", "same", "causal"])),
            **{f"layer_{number}": str(name) for number, name in enumerate(names, start=1)},
        )
        if SCENE.impossible(settings):
            continue
        tried += 1
        stage = SCENE.build(settings)
        cells = {cell: 1 for cell in np.flatnonzero(stage.links[0].trace.own)}
        for link in stage.links:
            made: dict[int, int] = {}
            for target in range(link.trace.target.size):
                for term in range(link.trace.starts[target], link.trace.starts[target + 1]):
                    made[target] = made.get(target, 0) + cells.get(int(link.trace.sources[term]), 0)
            cells = made
        output = stage.board("output").values.reshape(-1)
        assert [cells.get(cell, 0) for cell in range(output.size)] == output.tolist()
        # All paths to the middle output come from somewhere.
        paths = stage.board("paths").values[0, :, 0]
        own = stage.links[0].trace.own[0]
        assert paths.sum() == paths[own].sum() == output[output.size // 2]


@pytest.mark.parametrize("field", range(1, 40))
def test_alternatives_see_as_far_and_are_sorted(field):
    found = alternatives(field)
    assert all(one.field >= field for one in found)
    weights = [one.weights for one in found]
    assert weights == sorted(weights)
    for one in found:
        assert one.weights == sum(layer.kernel_size**2 for layer in one.layers)
        assert one.field == 1 + sum(layer.dilation_rate * (layer.kernel_size - 1) for layer in one.layers)
    assert len({one.text for one in found}) == len(found)


def test_for_a_field_of_7_three_dilated_2x2_are_cheapest():
    best = alternatives(7)[0]
    assert (best.weights, best.field) == (12, 8)
    assert {one.weights for one in alternatives(7)} >= {49, 27, 24}


def test_the_table_lists_layers_or_alternatives():
    rows = SCENE.table(SCENE.settings("vgg_start"))
    assert [row["Cells"] for row in rows] == [16, 16, 8, 8, 8, 4]
    assert [row["Weights for one channel"] for row in rows] == [9, 9, 0, 9, 9, 0]
    rows = SCENE.table(SCENE.settings("one_7x7"))
    assert ("this stack", 49) in {(row["Stack"], row["Weights for one channel"]) for row in rows}


@pytest.mark.parametrize("field", range(2, 40))
def test_alternatives_leave_no_gaps(field):
    assert not any(skips(one.layers) for one in alternatives(field))


def test_stacks_that_skip_inputs_are_called_so():
    random = np.random.default_rng(9)
    tried = 0
    while tried < 60:
        names = [str(name) for name in random.choice(list(LAYERS), int(random.integers(1, 4)))]
        layers = {f"layer_{number}": name for number, name in enumerate(names, start=1)}
        settings = SCENE.settings(size=32, layers=len(names), padding="valid", alternatives=True, **layers)
        if SCENE.impossible(settings):
            continue
        tried += 1
        stage = SCENE.build(settings)
        seen = np.flatnonzero(stage.board("paths").values)
        gaps = seen.size < seen[-1] - seen[0] + 1
        assert any(row["Stack"] == "this stack (skips inputs)" for row in SCENE.table(settings)) == gaps


def test_fewest_weights_are_said_to_be_those_without_gaps():
    notes = " ".join(SCENE.build(SCENE.settings("fewest_weights")).notes)
    assert "15 without gaps: 4 × 2×2" in notes and "one 3×3 with dilation 7 spans 15 × 15" in notes


def test_outputs_are_counted_from_1():
    assert SCENE.build(SCENE.settings("three_3x3")).board("paths").title.endswith("to output 4")
