"""The stack editor: edits, links, what clashes, and that its programs build in Keras what it counts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.architectures import stack as stacks
from explorer.architectures.build_sketch import build_stack
from explorer.architectures.sketch import Clash
from explorer.architectures.stack import (
    KINDS,
    MOST_LAYERS,
    PRESETS,
    Stack,
    StackError,
    StackLayer,
    from_text,
    layer,
    preset,
    report,
    to_text,
)
from tests.architectures.same_as_keras import assert_same


def _value(draw: st.DrawFn, argument: Any) -> Any:
    if argument.kind == "switch":
        return draw(st.booleans())
    if argument.kind == "choice":
        return draw(st.sampled_from(sorted(argument.options)))
    if argument.kind == "count":
        return draw(st.integers(int(argument.low), min(int(argument.high), 24)))
    return draw(st.integers(0, 19)) * 0.05


@st.composite
def _layers(draw: st.DrawFn) -> StackLayer:
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    return layer(kind.name, **{argument.name: _value(draw, argument) for argument in kind.arguments})


@st.composite
def _stacks(draw: st.DrawFn, most: int = 8) -> Stack:
    side = st.integers(1, 48)
    shape = draw(st.one_of(st.tuples(side, side, st.integers(1, 8)), st.tuples(st.integers(1, 500))))
    return stacks.checked(shape, draw(st.lists(_layers(), max_size=most)))


_quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


# --- counts ---


def test_the_presets_have_the_lectures_counts() -> None:
    totals = {one.name: report(one.stack).table.parameters for one in PRESETS}
    assert totals["cnn2"] == 36_314
    assert totals["lenet5"] == 61_706
    assert totals["dense"] == 392_500 + 2_000 + 25_050 + 200 + 510 == 420_260


def test_the_preset_from_a_vector_is_the_lectures_dense_net_layer_by_layer() -> None:
    rows = report(preset("dense")).rows
    assert preset("dense").input_shape == (784,)
    assert [row.shape for row in rows] == [(500,), (500,), (50,), (50,), (10,)]
    assert [row.parameters for row in rows] == [392_500, 2_000, 25_050, 200, 510]
    assert report(preset("dense")).table.trainable == 419_160


def test_lenet_layer_by_layer() -> None:
    rows = report(preset("lenet5")).rows
    assert [row.shape for row in rows] == [
        (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,), (120,), (84,), (10,)
    ]  # fmt: skip
    assert [row.parameters for row in rows] == [156, 0, 2_416, 0, 0, 48_120, 10_164, 850]


def test_the_dense_and_the_convolutional_net_of_the_lectures() -> None:
    dense = stacks.checked((784,), [
        layer("dense", units=500), layer("norm"), layer("dense", units=50), layer("norm"), layer("dense", units=10),
    ])  # fmt: skip
    assert (report(dense).table.parameters, report(dense).table.trainable) == (420_260, 419_160)
    conv = stacks.checked((28, 28, 1), [layer("conv", filters=32), layer("flatten"), layer("dense", units=10)])
    assert [row.parameters for row in report(conv).rows] == [320, 0, 250_890]


def test_a_residual_block_counts_as_one_row_of_several_layers() -> None:
    row = report(preset("small_resnet")).rows[5]
    assert row.kind == "residual" and len(row.paths) == 9
    # Two 3×3 convolutions without bias from 16 to 32 maps, the projection, and three normalisations.
    assert row.parameters == 9 * 16 * 32 + 9 * 32 * 32 + 16 * 32 + 3 * 4 * 32


@given(stack=_stacks())
@_quick
def test_the_rows_add_up_to_the_table_and_end_where_it_breaks(stack: Stack) -> None:
    found = report(stack)
    assert len(found.rows) == len(stack.layers)
    assert sum(row.parameters for row in found.rows) == found.table.parameters or found.broken is not None
    assert (found.broken is None) == (found.sentence == "")
    for row in found.rows:
        assert (row.shape is None) == (found.broken is not None and row.index >= found.broken)
        assert row.title
    if found.broken is not None:
        assert found.sentence.endswith(".")
        assert found.rows[found.broken].paths[-1] in found.table.structure.layers


def test_an_identity_shortcut_around_another_shape_says_what_would_fit() -> None:
    stack = stacks.checked((32, 32, 3), [
        layer("conv", filters=16), layer("residual", filters=32, strides=2, shortcut="identity"), layer("flatten"),
    ])  # fmt: skip
    found = report(stack)
    assert found.broken == 1
    assert "16 × 16 × 32, the shortcut 32 × 32 × 16; a 1×1 convolution with 32 filters and strides=2" in found.sentence
    mended = report(stacks.changed(stack, 1, shortcut="fitting"))
    assert mended.broken is None and mended.rows[2].shape == (16 * 16 * 32,)


def test_a_convolution_behind_flatten_is_the_broken_layer() -> None:
    found = report(stacks.checked((8, 8, 1), [layer("flatten"), layer("conv"), layer("dense")]))
    assert found.broken == 1 and "slides over maps" in found.sentence
    assert [row.shape for row in found.rows] == [(64,), None, None]


def test_a_dense_layer_on_maps_says_that_it_works_at_each_cell() -> None:
    on_maps, on_values = (
        report(stacks.checked((28, 28, 1), [*before, layer("dense")])).rows[-1] for before in ([], [layer("flatten")])
    )
    assert on_maps.shape == (28, 28, 10) and "put Flatten before it" in on_maps.hint
    assert on_values.shape == (10,) and on_values.hint == ""


def test_no_clash_in_a_stack_names_a_layer_that_the_editor_has_not() -> None:
    for kind in ("conv", "pool", "global_pool", "residual"):
        sentence = report(stacks.checked((784,), [layer(kind)])).sentence
        assert "an input that has height and width" in sentence and "Reshape" not in sentence


def test_a_vector_has_limits_of_its_own() -> None:
    assert stacks.checked((1_000_000,)).input_shape == (1_000_000,)
    with pytest.raises(StackError, match="A vector has from 1 to 1,000,000 values, not 1,000,001"):
        stacks.checked((1_000_001,))
    with pytest.raises(StackError, match="Height, width and channels of the input are from 1 to 1,024, not 1,025"):
        stacks.checked((1025, 8, 3))


# --- edits ---


@given(stack=_stacks(most=6), new=_layers(), data=st.data())
@_quick
def test_edits_do_to_the_layers_what_they_do_to_a_list(stack: Stack, new: StackLayer, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(stack.layers)))
    plain = list(stack.layers)
    plain.insert(index, new)
    added = stacks.add(stack, index, new)
    assert list(added.layers) == plain
    assert stacks.delete(added, index) == stack

    to = data.draw(st.integers(0, len(plain) - 1))
    moved = stacks.move(added, index, to)
    plain.insert(to, plain.pop(index))
    assert list(moved.layers) == plain
    assert stacks.move(moved, to, index) == added

    copied = stacks.copy(added, index)
    assert copied.layers[index] == copied.layers[index + 1] == new
    assert stacks.delete(copied, index) == added


@given(stack=_stacks(most=4).filter(lambda stack: stack.layers), data=st.data())
@_quick
def test_a_change_touches_one_argument_of_one_layer(stack: Stack, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(stack.layers) - 1))
    one = stack.layers[index]
    for argument in KINDS[one.kind].arguments:
        changed = stacks.changed(stack, index, **{argument.name: argument.default})
        assert changed.layers[index].arguments == dict(one.arguments) | {argument.name: argument.default}
        assert changed.layers[:index] == stack.layers[:index]
        assert changed.layers[index + 1 :] == stack.layers[index + 1 :]


def test_impossible_edits_are_one_sentence() -> None:
    full = stacks.checked((8,), [layer("dense")] * MOST_LAYERS)
    for edit in (
        lambda: stacks.add(full, 0, layer("dense")),
        lambda: stacks.copy(full, 3),
        lambda: stacks.delete(full, MOST_LAYERS),
        lambda: stacks.move(full, 0, -1),
        lambda: stacks.changed(full, 0, units=0),
        lambda: stacks.changed(full, 0, units=True),
        lambda: stacks.changed(full, 0, activation="reul"),
        lambda: stacks.changed(full, 0, filters=3),
        lambda: layer("transformer"),
        lambda: stacks.checked((8, 8), []),
        lambda: stacks.checked((0, 8, 8), []),
        lambda: stacks.checked((8,), [layer("dense")] * (MOST_LAYERS + 1)),
        lambda: stacks.with_input(full, (2**40,)),
    ):
        with pytest.raises(StackError) as caught:
            edit()
        assert re.fullmatch(r"[^\n]+\.", str(caught.value))


# --- links ---


@given(stack=_stacks())
@_quick
def test_a_link_brings_back_the_stack(stack: Stack) -> None:
    text = to_text(stack)
    assert re.fullmatch(r"[a-z0-9._-]*", text)
    assert from_text(text) == stack
    assert to_text(from_text(text)) == text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_letters_of_a_layers_arguments_differ(kind: str) -> None:
    letters = [stacks._letter(argument) for argument in KINDS[kind].arguments]
    assert len(set(letters)) == len(letters)


def test_a_links_text_can_be_read_by_people() -> None:
    assert to_text(preset("lenet5")).startswith("32x32x1_conv-f6-k5-pvalid-atanh_pool-oaverage_")
    assert len(to_text(preset("small_resnet"))) < 200


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "28x28", "28x28x1x1", "28x28x-1", "0x1x1", "99999999x1x1", "28x28x1_", "28x28x1_evil", "8_dense-u",
        "8_dense-u1-u2", "8_dense-u1e9", "8_dense-u99999999", "8_dense-u٣", "8_dense-z1", "8_dense-b2", "8_dropout-r2",
        "8_dropout-rnan", "8_dense-a__import__", "8_dense-asoftmax'", "8" + "_dense" * 61, "8" + "_dense" * 9999,
        "8x8x1_conv-f32\n", "28x28x1_conv-f0", "８_dense", "8_dense--", "8_flatten-a1",
    ],
)  # fmt: skip
def test_a_hostile_link_gives_one_sentence(text: str) -> None:
    with pytest.raises(StackError) as caught:
        from_text(text)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 300


@given(text=st.text(max_size=60))
@_quick
def test_any_text_is_a_stack_or_a_sentence(text: str) -> None:
    try:
        assert from_text(to_text(from_text(text))) == from_text(text)
    except StackError as error:
        assert str(error).endswith(".")


def test_hardly_readable_links_may_be_large_but_not_slow() -> None:
    deep = stacks.checked((64, 64, 3), [layer("residual", filters=8)] * MOST_LAYERS)
    assert report(from_text(to_text(deep))).table.depth == 2 * MOST_LAYERS


# --- Keras ---


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [one.name for one in PRESETS])
def test_the_presets_are_as_keras_makes_them(name: str) -> None:
    assert_same(stacks.sketch(preset(name)))


@pytest.mark.timeout(900)
@given(stack=_stacks(most=5).filter(lambda stack: report(stack).broken is None))
@settings(
    max_examples=15, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
def test_random_stacks_are_as_keras_makes_them(stack: Stack) -> None:
    assert_same(stacks.sketch(stack))


@pytest.mark.timeout(300)
def test_a_links_stack_becomes_a_model_and_a_broken_one_says_why() -> None:
    assert build_stack(to_text(preset("cnn2"))).count_params() == 36_314
    with pytest.raises(Clash, match="slides over maps"):
        build_stack("8x8x1_flatten_conv")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
@pytest.mark.parametrize("kind", ["conv", "pool", "residual", "norm", "dropout", "dense", "activation"])
def test_a_new_layer_is_put_where_it_fits_and_not_behind_the_head(preset, kind):
    place = stacks.usual_place(preset.stack, kind)
    grown = stacks.add(preset.stack, place, stacks.layer(kind))
    anywhere = any(
        stacks.report(stacks.add(preset.stack, at, stacks.layer(kind))).broken is None
        for at in range(len(preset.stack.layers) + 1)
    )  # what reads maps fits nowhere into a stack of vectors
    assert stacks.report(grown).broken is None or kind in ("dense",) or not anywhere
    if preset.stack.layers:
        assert grown.layers[-1] == preset.stack.layers[-1], "the last layer gives the classes"


def test_an_activation_behind_the_last_dense_layer_belongs_to_the_head():
    ends = stacks.from_text("784_dense-u20_dense-alinear_activation-asoftmax")
    assert stacks.usual_place(ends, "dropout") == 1
    assert stacks.usual_place(stacks.from_text("28x28x1_conv_pool"), "conv") == 2
