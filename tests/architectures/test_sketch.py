"""Shapes, counts and fields of the sketch against hand-counted tables, brute force and Keras itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.architectures.layer_rules import Mismatch, window_places
from explorer.architectures.sketch import Clash, Sketch, Tensor
from explorer.interface.components.network_diagram import weights_formula, work_formula
from explorer.networks.structure import Block, paths_of
from tests.architectures.same_as_keras import assert_same

# --- what is counted ---


def test_a_bottleneck_on_256_maps_does_3_5_times_less() -> None:
    direct, squeezed = Sketch("direct"), Sketch("squeezed")
    direct.conv(direct.input((28, 28, 256)), 192, 3, padding="same")
    squeezed.conv(squeezed.conv(squeezed.input((28, 28, 256)), 64, 1), 192, 3, padding="same")
    assert direct.table().multiply_adds == 346_816_512
    assert squeezed.table().multiply_adds == 99_549_184


def test_the_layers_of_mobilenets_table_3() -> None:
    s = Sketch("mobilenet")
    x = s.input((14, 14, 512))
    s.conv(x, 512, 3, padding="same", use_bias=False, name="standard")
    s.separable_conv(x, 512, 3, padding="same", use_bias=False, name="separable")
    costs = s.table().costs
    assert (costs["standard"].multiply_adds, costs["standard"].parameters) == (462_422_016, 2_359_296)
    assert (costs["separable"].multiply_adds, costs["separable"].parameters) == (52_283_392, 266_752)


def test_the_dense_net_of_the_lectures_keeps_but_does_not_train_the_means_of_batch_norm() -> None:
    s = Sketch("dense")
    x = s.input((784,))
    for units in (500, 50):
        x = s.batch_norm(s.dense(x, units, activation="relu"))
    s.dense(x, 10, activation="softmax")
    assert [cost.parameters for cost in s.table().costs.values()] == [0, 392_500, 2_000, 25_050, 200, 510]
    assert (s.table().parameters, s.table().trainable, s.table().depth) == (420_260, 419_160, 3)


def test_a_group_of_filters_reads_only_its_share_of_the_maps() -> None:
    s = Sketch("alexnet")
    y = s.conv(s.input((27, 27, 96)), 256, 5, padding="same", groups=2)
    assert s.table().costs[y.path].parameters == 5 * 5 * 48 * 256 + 256


def test_a_transposed_convolution_spreads_every_input_cell() -> None:
    s = Sketch("decoder")
    y = s.conv_transpose(s.input((28, 28, 1024)), 512, 2, strides=2)
    assert y.shape == (56, 56, 512)
    assert s.table().costs[y.path].multiply_adds == 28 * 28 * (2 * 2 * 1024 * 512)


@given(
    side=st.integers(1, 40), window=st.integers(1, 9), stride=st.integers(1, 5), dilation=st.integers(1, 3)
)  # fmt: skip
def test_a_window_has_as_many_places_as_one_can_put_it_down(side: int, window: int, stride: int, dilation: int) -> None:
    span = dilation * (window - 1) + 1
    places = [start for start in range(0, side, stride) if start + span <= side]
    if not places:
        with pytest.raises(Mismatch, match="no place for it"):
            window_places((side, side), (span, span), (stride, stride), "valid", "The layer")
    else:
        found = window_places((side, side), (span, span), (stride, stride), "valid", "The layer")
        assert found == (len(places), len(places))
    assert window_places((side, 7), (span, span), (stride, 1), "same", "x") == (len(range(0, side, stride)), 7)


def test_every_printed_sum_comes_out_at_the_layers_count() -> None:
    table = _zoo().table()
    layers = table.structure.layers
    for path, cost in table.costs.items():
        for text, expected in (
            (weights_formula(layers[path], layers), cost.parameters),
            (work_formula(layers[path], layers, cost), cost.multiply_adds),
        ):
            assert bool(text) == bool(expected), path
            if text:
                terms, printed = text.split(" = ")
                assert _value(terms) == _value(printed) == expected, f"{path}: {text}"


def _value(text: str) -> float:
    assert re.fullmatch(r"[\d,()·+ ]+", text), text
    return eval(text.replace(",", "").replace("·", "*"))


# --- what a cell sees ---

_Step = tuple[str, int, int, int]  # kind, window, stride, dilation


def _seen(steps: list[_Step], size: int) -> int:
    """Follow the cell in the middle of the output back to the first and last pixel that it reads."""
    first = last = size
    for _, window, stride, dilation in reversed(steps):
        before = (dilation * (window - 1)) // 2
        first, last = first * stride - before, last * stride - before + dilation * (window - 1)
    return last - first + 1


@st.composite
def _steps(draw: st.DrawFn) -> list[_Step]:
    steps = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["conv", "depthwise", "pool"]))
        stride = draw(st.integers(1, 3))
        dilation = 1 if kind == "pool" or stride > 1 else draw(st.integers(1, 4))
        steps.append((kind, draw(st.integers(1, 7)), stride, dilation))
    return steps


@given(steps=_steps())
@settings(deadline=None)
def test_the_receptive_field_is_what_tracing_back_finds(steps: list[_Step]) -> None:
    s = Sketch("chain")
    x = s.input((1000, 1000, 2))
    for kind, window, stride, dilation in steps:
        if kind == "conv":
            x = s.conv(x, 2, window, stride, "same", dilation)
        elif kind == "depthwise":
            x = s.depthwise_conv(x, window, stride, "same", dilation_rate=dilation)
        else:
            x = s.max_pool(x, window, stride, "same")
    cost = s.table().costs[x.path]
    seen, jump = _seen(steps, 10), prod(step[2] for step in steps)
    assert (cost.field, cost.stride) == ((seen, seen), (jump, jump))


def test_of_two_branches_the_wider_one_gives_the_field() -> None:
    s = Sketch("residual")
    x = s.input((32, 32, 8))
    y = s.conv(s.conv(x, 8, 3, padding="same"), 8, 3, padding="same")
    last = s.add([y, x])
    assert s.table().costs[last.path].field == (5, 5)


def test_branches_that_look_to_different_sides_see_more_together_than_each() -> None:
    s = Sketch("sides")
    x = s.input((32, 32, 4))
    # The one has its zeros above and left and so looks there, the other below and right.
    first = s.conv(s.zero_padding(x, ((4, 0), (4, 0))), 2, 5)
    second = s.conv(s.zero_padding(x, ((0, 4), (0, 4))), 2, 5)
    last = s.concatenate([first, second])
    assert s.table().costs[first.path].field == s.table().costs[second.path].field == (5, 5)
    assert s.table().costs[last.path].field == (9, 9)
    assert_same(s)


def test_behind_global_pooling_a_value_sees_everything_and_has_no_field() -> None:
    for squeeze in (Sketch.global_average_pool, Sketch.global_max_pool):
        s = Sketch("head")
        y = squeeze(s, s.conv(s.input((8, 8, 3)), 4, 3))
        cost = s.table().costs[y.path]
        assert (cost.field, cost.stride, cost.sees_all) == (None, None, True)


def test_a_flattened_value_is_still_one_cell_and_what_mixes_them_sees_everything() -> None:
    s = Sketch("head")
    flat = s.flatten(s.conv(s.input((8, 8, 3)), 4, 3))
    last = s.dense(flat, 2)
    costs = s.table().costs
    assert (costs[flat.path].field, costs[flat.path].sees_all) == (None, False)
    assert (costs[last.path].field, costs[last.path].sees_all) == (None, True)


def test_the_layers_of_a_gate_do_not_add_to_the_depth() -> None:
    s = Sketch("gate")
    x = s.conv(s.input((8, 8, 3)), 4, 3, padding="same")
    gate = s.dense(s.dense(s.global_average_pool(x, keepdims=True), 2), 4)
    s.conv(s.multiply([x, gate]), 4, 1)
    assert s.table().depth == 2


def test_a_gate_sees_the_whole_picture_and_keeps_the_field_of_the_maps() -> None:
    s = Sketch("gate")
    x = s.conv(s.input((8, 8, 3)), 4, 3, padding="same")
    gate = s.dense(s.global_average_pool(x, keepdims=True), 4, activation="sigmoid")
    last = s.multiply([x, gate])
    cost = s.table().costs[last.path]
    assert (cost.field, cost.sees_all) == ((3, 3), True)


def test_a_map_that_grew_moves_by_less_than_a_pixel_and_says_so_by_no_stride() -> None:
    s = Sketch("up")
    x = s.conv_transpose(s.input((8, 8, 3)), 4, 4, strides=2, padding="same")
    assert (s.table().costs[x.path].field, s.table().costs[x.path].stride) == ((2, 2), None)


# --- the tree ---


def test_a_shortcut_and_the_activation_behind_it_are_one_residual_block() -> None:
    s = Sketch("block")
    x = s.input((32, 32, 8))
    y = s.conv(s.conv(x, 8, 3, padding="same"), 8, 3, padding="same")
    last = s.activation(s.add([y, x], title="Block 1"), "relu")
    _, block = s.table().structure.nodes
    assert isinstance(block, Block)
    assert (block.kind, block.title, block.merge, block.output) == ("residual", "Block 1", "add", last.path)
    assert [len(branch) for branch in block.branches] == [2, 0]


def test_branches_stand_in_the_order_in_which_they_are_joined() -> None:
    s = Sketch("inception")
    x = s.input((8, 8, 4))
    five, one = s.conv(x, 2, 5, padding="same"), s.conv(x, 2, 1)
    s.concatenate([one, five])
    block = s.table().structure.nodes[-1]
    assert isinstance(block, Block) and block.kind == "branches"
    assert [list(paths_of(branch)) for branch in block.branches] == [[one.path], [five.path]]


def test_every_layer_stands_in_the_tree_once() -> None:
    table = _zoo().table()
    assert sorted(paths_of(table.structure.nodes)) == sorted(table.structure.layers) == sorted(table.costs)


# --- what does not fit ---


def _on(shape: tuple[int, ...], draw: Callable[[Sketch, Tensor], object]) -> Callable[[], Sketch]:
    def make() -> Sketch:
        s = Sketch("broken")
        with pytest.raises(Clash) as caught:
            draw(s, s.input(shape))
        assert s.clash is caught.value
        return s

    return make


_CLASHES: dict[str, tuple[Callable[[], Sketch], str]] = {
    "a shortcut around a pooled block": (
        _on((32, 32, 32), lambda s, x: s.add([s.max_pool(s.conv(x, 64, 3, padding="same")), x])),
        "Add needs equal shapes: the block gives 16 × 16 × 64, the shortcut 32 × 32 × 32; a 1×1 convolution with 64"
        " filters and strides=2 on the shortcut would fit.",
    ),
    "a shortcut around more filters": (
        _on((32, 32, 32), lambda s, x: s.add([s.conv(x, 64, 3, padding="same"), x])),
        "the block gives 32 × 32 × 64, the shortcut 32 × 32 × 32; a 1×1 convolution with 64 filters on the shortcut",
    ),
    "a shortcut around a block without padding": (
        _on((32, 32, 8), lambda s, x: s.add([s.conv(x, 8, 3), x])), 'padding="same" in its layers',
    ),
    "a shortcut that shrinks": (
        _on((32, 32, 8), lambda s, x: s.add([x, s.max_pool(x)])), "the shortcut's map is the smaller one",
    ),
    "a vector on maps": (_on((8, 8, 4), lambda s, x: s.add([x, s.flatten(x)])), "no cells in common"),
    "vectors of two lengths": (_on((8,), lambda s, x: s.add([s.dense(x, 5), x])), "a dense layer with 5 units"),
    "a gate of the wrong width": (
        _on((8, 8, 4), lambda s, x: s.multiply([x, s.conv(x, 3, 1)])), "a 1×1 convolution with 4 filters on the gate",
    ),
    "branches of two sizes": (
        _on((28, 28, 8), lambda s, x: s.concatenate([s.conv(x, 4, 3), s.conv(x, 4, 5)])),
        'gets 26 × 26 × 4 and 24 × 24 × 4: zero padding of the smaller maps to 26 × 26, or padding="same" in every',
    ),
    "inputs of two sizes": (
        _on((28, 28, 8), lambda s, x: s.concatenate([x, s.input((26, 26, 8), name="other")])),
        "zero padding of the smaller maps to 28 × 28 would fit.",
    ),
    "a vector among maps": (
        _on((8, 8, 4), lambda s, x: s.concatenate([x, s.flatten(x)])), "needs all other axes equal",
    ),
    "a window larger than its map": (
        _on((4, 4, 3), lambda s, x: s.conv(x, 8, 5)), "a window of 5 × 5, but the map that comes in is only 4 × 4",
    ),
    "a dilated window larger than its map": (
        _on((6, 6, 3), lambda s, x: s.conv(x, 8, 3, dilation_rate=3)), "a window of 7 × 7",
    ),
    "pooling of a single cell": (_on((1, 1, 3), lambda s, x: s.max_pool(x)), "2 × 2 pooling has a window"),
    "a convolution behind Flatten": (
        _on((8, 8, 3), lambda s, x: s.conv(s.flatten(x), 8, 3)), "it fits before Flatten and global pooling",
    ),
    "global pooling of a vector": (_on((8,), lambda s, x: s.global_average_pool(x)), "slides over maps"),
    "groups that do not divide the maps": (
        _on((8, 8, 10), lambda s, x: s.conv(x, 9, 3, groups=3)), "the 10 channels that come in cannot be divided by 3",
    ),
    "groups that do not divide the filters": (
        _on((8, 8, 9), lambda s, x: s.conv(x, 10, 3, groups=3)), "the 10 filters cannot be divided by 3",
    ),
    "strides together with dilation": (
        _on((8, 8, 3), lambda s, x: s.conv(x, 4, 3, strides=2, dilation_rate=2)), "not both at once",
    ),
    "no filters": (_on((4, 4, 2), lambda s, x: s.conv(x, 0, 1)), "filters must be a whole number of at least 1"),
    "an activation that there is not": (_on((4,), lambda s, x: s.dense(x, 3, "reul")), "no activation 'reul'"),
    "a padding that there is not": (_on((4, 4, 2), lambda s, x: s.conv(x, 3, 1, padding="full")), '"valid" (none)'),
    "a rate above 1": (_on((4,), lambda s, x: s.dropout(x, 1.5)), "from 0 to 1"),
    "a single branch": (_on((4,), lambda s, x: s.add([x])), "at least two"),
}  # fmt: skip


@pytest.mark.parametrize("case", _CLASHES)
def test_a_clash_says_what_and_why_and_stays_in_the_sketch(case: str) -> None:
    make, words = _CLASHES[case]
    s = make()
    assert s.clash is not None
    assert words in s.clash.sentence
    assert s.clash.sentence.endswith(".")
    table = s.table()
    broken = table.structure.layers[s.clash.path]
    assert (broken.output_shape, broken.config) == ((), {"clash": s.clash.sentence})
    assert table.notes == (s.clash.sentence,)
    assert sorted(paths_of(table.structure.nodes)) == sorted(table.structure.layers)
    compile(s.code(), "program", "exec")
    assert "# This layer does not fit: " in s.code()


def test_nothing_follows_a_broken_layer() -> None:
    s = Sketch("broken")
    x = s.input((4, 4, 3))
    with pytest.raises(Clash):
        s.conv(x, 8, 5)
    with pytest.raises(ValueError, match="does not go on"):
        s.flatten(x)


@pytest.mark.parametrize("name", ["", "a/b", "input_layer"])
def test_a_name_must_be_free_and_without_slashes(name: str) -> None:
    s = Sketch("names")
    x = s.input((4,))
    with pytest.raises(ValueError, match="cannot be called"):
        s.dense(x, 3, name=name)


def test_a_tensor_of_another_sketch_is_refused() -> None:
    s, other = Sketch("one"), Sketch("other")
    s.input((4,))
    x = other.dense(other.input((4,)), 3)
    with pytest.raises(ValueError, match="another sketch"):
        s.dense(x, 3)


# --- the program ---


def test_the_program_reads_like_one_written_by_hand() -> None:
    s = Sketch("residual block")
    x = s.input((32, 32, 32))
    y = s.conv(x, 64, 3, padding="same", activation="relu")
    y = s.max_pool(y, 2, strides=1, padding="same")
    shortcut = s.conv(x, 64, 1, use_bias=False, name="shortcut")
    s.add([y, shortcut])
    assert s.code() == (
        "import keras\n"
        "from keras import layers\n"
        "\n"
        "inputs = keras.Input((32, 32, 32))\n"
        'x = layers.Conv2D(64, 3, padding="same", activation="relu")(inputs)\n'
        'max_pooling2d = layers.MaxPooling2D(2, strides=1, padding="same")(x)\n'
        'x = layers.Conv2D(64, 1, use_bias=False, name="shortcut")(inputs)\n'
        "outputs = layers.Add()([max_pooling2d, x])\n"
        'model = keras.Model(inputs, outputs, name="residual_block")\n'
    )


def test_inputs_keep_their_names_until_the_model_is_made() -> None:
    s = Sketch("two_inputs")
    one, two = s.input((4,), name="one"), s.input((6,), name="two")
    s.add([s.dense(two, 4), one])
    assert s.code().endswith('model = keras.Model([one, two], outputs, name="two_inputs")\n')
    assert "outputs = layers.Add()([x, one])" in s.code()


# --- Keras itself ---


def _zoo() -> Sketch:
    """Return one sketch with every layer, and with every argument away from its default somewhere."""
    s = Sketch("zoo")
    x = s.input((20, 24, 6))
    side = s.input((18, 22, 6), name="second")
    a = s.conv(x, 8, (3, 5), padding="same", dilation_rate=(2, 1), groups=2, activation="relu")
    a = s.batch_norm(a)
    b = s.depthwise_conv(a, 3, 2, "same", depth_multiplier=2, activation="tanh", use_bias=False)
    b = s.separable_conv(b, 8, 3, padding="valid", depth_multiplier=3, activation="elu")
    b = s.layer_norm(b)
    c = s.conv_transpose(b, 5, 3, strides=2, padding="same", use_bias=False)
    c = s.conv_transpose(c, 5, (2, 3), strides=3, activation="gelu", name="spread")
    c = s.average_pool(c, 4, strides=3)
    d = s.zero_padding(side, ((0, 2), (1, 1)), name="3x3")
    joined = s.concatenate([a, d, x], title="Joined")
    e = s.max_pool(joined, (2, 3), strides=(1, 2), padding="same")
    e = s.conv(e, 4, 3, strides=(2, 1), activation="silu")
    f = s.rescaling(s.activation(e, "sigmoid"), -1, offset=1)
    g = s.add([s.multiply([e, f]), e, f])
    gate = s.global_max_pool(g, keepdims=True)
    g = s.multiply([g, s.dense(gate, 4, activation="hard_sigmoid", use_bias=False)])
    g = s.dense(s.dropout(g, 0.25), 7)
    ends = [s.global_average_pool(c), s.flatten(g), s.flatten(s.global_average_pool(joined, keepdims=True))]
    s.dense(s.concatenate(ends, axis=1), 3, activation="softmax")
    return s


@pytest.mark.timeout(600)
def test_every_layer_is_as_keras_makes_it() -> None:
    assert_same(_zoo())
