"""The scene of many channels and filters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from explorer.convolution.scenes.channels import SCENE


def stage_of(preset="", **changed):
    settings = SCENE.settings(preset, **changed)
    assert SCENE.impossible(settings) is None
    return SCENE.build(settings)


def fact(stage, label):
    return next(one for one in stage.facts if one.label == label)


def convolved(x, kernel, biases, groups):
    """The layer by its definition, one map at a time."""
    inside, filters = kernel.shape[2:]
    maps = []
    for number in range(filters):
        group = number // (filters // groups)
        parts = [
            signal.correlate2d(x[..., group * inside + channel], kernel[..., channel, number], mode="valid")
            for channel in range(inside)
        ]
        maps.append(np.sum(parts, axis=0) + biases[number])
    return np.stack(maps, axis=-1)


@pytest.mark.parametrize(("channels", "filters", "groups"), [
    (3, 2, 1), (1, 4, 1), (4, 4, 2), (4, 6, 2), (6, 3, 3), (3, 3, 3), (3, 6, 3), (6, 6, 6),
])  # fmt: skip
def test_every_map_adds_up_the_channels_of_its_group(channels, filters, groups):
    random = np.random.default_rng(channels * filters + groups)
    x = random.integers(-9, 10, (6, 5, channels)).astype(float)
    kernel = random.integers(-3, 4, (3, 2, channels // groups, filters)).astype(float)
    biases = random.integers(-5, 6, filters).astype(float)
    changed = {
        "size": (6, 5), "kernel_size": (3, 2), "channels": channels, "filters": filters, "groups": groups,
        "input": x, "kernel": kernel.reshape(3, 2, -1), "biases": biases[None],
    }  # fmt: skip
    truth = convolved(x, kernel, biases, groups)
    at_once, in_two = stage_of("rgb_sum", **changed), stage_of("rgb", **changed)
    np.testing.assert_allclose(at_once.board("output").values, truth)
    np.testing.assert_allclose(in_two.board("output").values, truth)
    # Plane i · filters + f of the parts is what the i-th channel of its group adds to map f.
    parts = in_two.board("parts").values.reshape(*truth.shape[:2], channels // groups, filters)
    np.testing.assert_allclose(parts.sum(axis=2) + biases, truth)
    for number in range(filters):
        first = number // (filters // groups) * (channels // groups)
        one = signal.correlate2d(x[..., first], kernel[..., 0, number], mode="valid")
        np.testing.assert_allclose(parts[..., 0, number], one)


def test_both_steps_of_channel_by_channel_are_traced():
    stage = stage_of("rgb", activation="relu", padding="same")
    second, first = stage.links
    for link in stage.links:
        trace = link.trace
        products = trace.source.reshape(-1)[trace.sources] * trace.factors
        sums = np.add.reduceat(products, trace.starts[:-1])
        if trace.bias is not None:
            sums = sums + np.tile(trace.bias, trace.target.size // trace.bias.size)
        np.testing.assert_allclose(sums, trace.before.reshape(-1), atol=1e-12)
    assert (np.diff(second.trace.starts) == 3).all()
    assert (np.diff(first.trace.starts) == 9).all()
    assert (second.trace.target >= 0).all()
    # Each part reads one channel, the one that its name says.
    names = stage.board("parts").plane_names
    planes = np.repeat(np.arange(first.trace.target.size), np.diff(first.trace.starts)) % len(names)
    for plane, name in enumerate(names):
        channel = np.unique(first.trace.sources[planes == plane] % 3)
        assert [("red", "green", "blue")[number] for number in channel] == [name.split(", ")[1]]


def test_a_separable_convolution_is_the_ordinary_one_of_outer_products():
    settings = SCENE.settings("separable", multiplier=2, filters=3, biases=np.array([[1.0, 2.0, 3.0]]))
    stage = SCENE.build(settings)
    deep = stage.board("kernel").values.reshape(3, 3, 3, 2)
    point = stage.board("pointwise").values.reshape(3, 2, 3)
    whole = np.einsum("ijcm,cmf->ijcf", deep, point)
    truth = convolved(stage.board("input").values, whole, [1, 2, 3], 1)
    np.testing.assert_allclose(stage.board("output").values, truth)
    assert stage.board("depthwise").plane_names[:2] == ("red, map 1", "red, map 2")


def test_the_counts_follow_the_settings():
    # MobileNets, section 3.1, in little: 1/N + 1/k² of the work.
    plain, separable = stage_of("rgb_sum", filters=4), stage_of("separable")
    share = fact(separable, "Multiply-adds").answer[0] / fact(plain, "Multiply-adds").answer[0]
    np.testing.assert_allclose(share, 1 / 4 + 1 / 9)
    assert fact(plain, "Weights and biases").answer == (3 * 3 * 3 * 4 + 4,)
    assert fact(plain, "Weights and biases").exact == "3 · 3 · 3 · 4 + 4 = 112"
    assert fact(stage_of("grouped"), "Weights and biases").answer == (3 * 3 * 2 * 4 + 4,)
    assert fact(plain, "A dense layer of these shapes").exact.startswith(f"{75 * 36 + 36:,}")
    assert fact(stage_of("grouped", padding="same"), "Output").answer == (4, 4, 4)


def test_the_table_compares_layers_of_the_same_shapes():
    rows = {row["layer"]: row for row in SCENE.table(SCENE.settings("grouped"))}
    assert rows["convolution 3 × 3"]["weights and biases"] == 148
    assert rows["convolution 3 × 3, 2 groups"]["weights and biases"] == 76
    assert rows["convolution 3 × 3, as many groups as channels (depthwise)"]["weights and biases"] == 40
    assert rows["depthwise separable"]["weights and biases"] == 36 + 16 + 4
    assert rows["convolution 1 × 1"]["weights and biases"] == 20
    assert rows["dense layer"]["weights and biases"] == 64 * 16 + 16
    assert SCENE.table(SCENE.settings("depth_concat")) == []


def test_concatenation_lays_maps_behind_each_other():
    stage = stage_of("depth_concat")
    output, board = stage.board("output").values, stage.board("input")
    assert output.shape == (6, 6, 5)
    np.testing.assert_array_equal(output, board.values)
    assert board.marked.sum() == 2 * 20 and not output[board.marked].any()
    assert board.marked[..., :2].any(axis=2).sum() == 20 and not board.marked[..., 2:].any()


@pytest.mark.parametrize(("changed", "words"), [
    ({"groups": 2}, "2 groups cannot share 3 channels evenly"),
    ({"groups": 3}, "3 groups cannot share 2 filters evenly"),
    ({"kernel_size": (5, 5), "size": (4, 4)}, "the input has 4"),
    ({"kind": "concat", "size": (2, 2)}, "nothing would be left"),
    ({"size": (12, 12), "channels": 6, "filters": 6, "kernel_size": (5, 5)}, "products"),
])  # fmt: skip
def test_what_cannot_be_has_a_sentence(changed, words):
    assert words in SCENE.impossible(SCENE.settings(**changed))


def kernels_of(**changed):
    """Kernels by absolute channel and filter, and the notes; NaN where a filter does not see a channel."""
    stage = stage_of(size=(4, 4), **changed)
    planes, groups = stage.board("kernel").values, changed.get("groups", 1)
    channels, filters = changed["channels"], changed["filters"]
    inside = channels // groups
    planes = planes.reshape(*planes.shape[:2], inside, filters)
    seen = np.full((*planes.shape[:2], channels, filters), np.nan)
    for number in range(filters):
        first = number // (filters // groups) * inside
        seen[:, :, first : first + inside, number] = planes[..., number]
    return seen, " ".join(stage.notes)


@pytest.mark.parametrize(("old", "new"), [
    ((3, 2, 1), (3, 3, 1)), ((3, 2, 1), (3, 1, 1)), ((3, 2, 1), (4, 2, 1)), ((3, 2, 1), (2, 2, 1)),
    ((3, 2, 1), (2, 4, 1)), ((2, 3, 1), (2, 4, 1)), ((1, 2, 1), (1, 3, 1)), ((6, 2, 1), (6, 4, 1)),
])  # fmt: skip
def test_an_edited_weight_stays_with_its_channel_and_filter(old, new):
    for channel in range(old[0]):
        for number in range(old[1]):
            planes = stage_of(size=(4, 4), channels=old[0], filters=old[1]).board("kernel").values.copy()
            planes[1, 2, channel * old[1] + number] = 77.0
            seen, notes = kernels_of(channels=new[0], filters=new[1], groups=new[2], kernel=planes)
            here = channel < new[0] and number < new[1]
            assert np.argwhere(seen == 77).tolist() == ([[1, 2, channel, number]] if here else [])
            assert "each weight stays with its channel" in notes


@pytest.mark.parametrize("typed", ["one", "all"])
def test_no_edited_weight_ever_moves_to_another_channel_or_filter(typed):
    shapes = [(c, f, g) for c in (1, 2, 3, 4) for f in (1, 2, 3, 4) for g in (1, 2) if not (c % g or f % g)]
    for old in shapes:
        inside = old[0] // old[2]
        planes = stage_of(size=(4, 4), channels=old[0], filters=old[1], groups=old[2]).board("kernel").values.copy()
        for plane in range(planes.shape[2]) if typed == "all" else [planes.shape[2] - 1]:
            planes[..., plane] = 100 + plane
        for new in shapes:
            if new[0] // new[2] * new[1] == planes.shape[2] or sum(a != b for a, b in zip(old, new, strict=True)) != 1:
                continue
            seen, _ = kernels_of(channels=new[0], filters=new[1], groups=new[2], kernel=planes)
            for _, _, channel, number in np.argwhere(seen >= 100):
                first = number // (old[1] // old[2]) * inside
                truth = 100 + (channel - first) * old[1] + number
                assert (seen[..., channel, number] == truth).all(), (old, new, channel, number)


def test_kernels_that_fit_nowhere_are_the_default_ones():
    odd = stage_of(filters=2, kernel=np.ones((5, 5, 7)))
    np.testing.assert_array_equal(odd.board("kernel").values, stage_of(filters=2).board("kernel").values)


def test_a_depth_multiplier_multiplies_the_share_of_the_work():
    stage, plain = stage_of("separable", multiplier=2), stage_of("rgb_sum", filters=4)
    share = fact(stage, "Multiply-adds").answer[0] / fact(plain, "Multiply-adds").answer[0]
    np.testing.assert_allclose(share, 2 * (1 / 4 + 1 / 9))
    assert any("2 · (1/4 + 1/9) = 0.7222 of" in note for note in stage.notes)
    assert "⌊m/2⌋]" in stage.formula[-1].text and stage_of("separable").formula[-1].text.endswith(", m]")


def test_without_biases_there_is_no_board_and_no_letter_for_them():
    stage = stage_of(use_bias=False)
    assert "biases" not in [board.name for board in stage.boards]
    assert "b" not in [letter.text for letter in stage.formula]
    assert fact(stage, "Weights").answer == (54,)
