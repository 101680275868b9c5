"""How far a cell sees: against the published table, and against the trace that starts at the cell."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers

from explorer.architectures.cards import card
from explorer.architectures.counting import built, count, counted
from explorer.architectures.tables import table_of
from explorer.inside.layer_graph import read_graph
from explorer.inside.receptive_field import field_of


def last_map(table):
    return [path for path, cost in table.costs.items() if cost.field is not None][-1]


# Araujo, Norris and Sim, Distill 2019, the table of networks: field and stride at the last map.
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("alexnet", 195), ("VGG16", 212), ("MobileNet", 315), ("ResNet50", 483), ("ResNet101", 1027),
        ("ResNet152", 1507), ("InceptionV3", 1311), ("InceptionResNetV2", 3039),
    ],
)  # fmt: skip
def test_the_published_fields_come_out(name, size):
    table = table_of(name)
    cost = table.costs[last_map(table)]
    assert cost.field == (size, size)
    assert cost.stride == (32, 32)


def traced(model, input_shape, path, cells):
    """Return the largest field among some cells, from the trace that goes backwards, and its stride."""
    graph = read_graph(model, "traced", input_shape)
    noise = np.zeros((1, *input_shape), np.float32)
    fields = [field_of(model, graph, path, row, column, noise) for row, column in cells]
    assert all(field.method != "gradient" for field in fields)
    sizes = np.array([field.local_size for field in fields])
    return tuple(int(side) for side in sizes.max(axis=0)), fields[0].stride


def block(x, cells=4):
    """Return cells in the middle of a map, a square large enough for every phase of an enlarged map."""
    height, width = x[:2]
    rows = range(max(0, height // 2 - cells // 2), min(height, height // 2 + (cells + 1) // 2))
    columns = range(max(0, width // 2 - cells // 2), min(width, width // 2 + (cells + 1) // 2))
    return list(itertools.product(rows, columns))


def chain():
    x = image = keras.Input((61, 47, 3))
    x = layers.Conv2D(4, (5, 3), strides=(2, 1), padding="same")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2)(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.SeparableConv2D(4, 3, padding="same")(x)
    return keras.Model(image, layers.AveragePooling2D(2)(x))


def branches():
    x = image = keras.Input((40, 40, 3))
    wide = layers.Conv2D(4, 7, padding="same", dilation_rate=2)(x)
    shifted = layers.Cropping2D(((6, 0), (0, 6)))(layers.ZeroPadding2D(((0, 6), (6, 0)))(x))
    x = layers.Concatenate()([wide, layers.Conv2D(4, 1)(x), shifted])
    x = layers.MaxPooling2D(2)(x)
    return keras.Model(image, layers.Add()([layers.Conv2D(11, 3, padding="same")(x), x]))


def enlarging():
    x = image = keras.Input((48, 48, 3))
    bridge = x = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    x = layers.Concatenate()([bridge, x])
    x = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.MaxPooling2D(4)(x)
    return keras.Model(image, layers.UpSampling2D(2)(x))


def gated():
    x = image = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, padding="same")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Dense(8, "sigmoid")(gate)
    x = layers.Multiply()([x, gate])
    return keras.Model(image, layers.Conv2D(4, 3)(x))


@pytest.mark.parametrize("build", [chain, branches, enlarging, gated])
def test_forwards_and_backwards_agree_on_every_layer(build):
    model = build()
    shape = tuple(model.inputs[0].shape[1:])
    table = count(model)
    checked = 0
    for path, cost in table.costs.items():
        output = table.structure.layers[path].output_shape
        if cost.field is None or max(output[:2]) == 1:
            continue
        size, stride = traced(model, shape, path, block(output))
        assert cost.field == size, path
        if cost.stride is not None:
            assert cost.stride == stride, path
        checked += 1
    assert checked >= 4


@pytest.mark.every
@pytest.mark.parametrize("name", ["squeezenet_1.1", "unet_same", "mobilenet_v2", "small_xception", "se_resnet_50"])
def test_forwards_and_backwards_agree_on_whole_networks(name):
    one = card(name)
    with keras.StatelessScope(initialize_variables=False):
        model = built(one)
        table = count(model, name, one.input_shape)
        maps = [path for path, cost in table.costs.items() if cost.field is not None]
        graph = read_graph(model, name, one.input_shape)
        if not graph.complete:
            pytest.skip("no trace")
        for path in [*maps[1 :: max(1, len(maps) // 8)], maps[-1]]:
            output = table.structure.layers[path].output_shape
            size, _ = traced(model, one.input_shape, path, block(output, 16 if name == "unet_same" else 1))
            assert table.costs[path].field == size, path


def test_the_closed_form_of_a_stack():
    """Three 3 × 3 convolutions see as far as one of 7 × 7."""
    x = image = keras.Input((32, 32, 1))
    sizes = []
    for number in range(3):
        x = layers.Conv2D(2, 3, name=f"conv{number}")(x)
    table = count(keras.Model(image, x))
    sizes = [table.costs[f"conv{number}"].field for number in range(3)]
    assert sizes == [(3, 3), (5, 5), (7, 7)]


def test_behind_global_pooling_and_flatten_everything_is_seen():
    x = image = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, name="conv")(x)
    pooled = layers.GlobalMaxPooling2D(name="pooled")(x)
    flat = layers.Flatten(name="flat")(x)
    table = count(keras.Model(image, [layers.Dense(2, name="a")(pooled), layers.Dense(2, name="b")(flat)]))
    told = {path: (cost.field, cost.sees_all) for path, cost in table.costs.items()}
    assert told["conv"] == ((3, 3), False)
    assert told["pooled"] == (None, True)
    # One value of a flattened map is still one cell of it; what mixes them sees all.
    assert told["flat"] == (None, False)
    assert told["a"] == told["b"] == (None, True)


def test_a_gate_looks_everywhere_but_leaves_the_field_of_the_map():
    table = count(gated())
    cost = table.costs[last_map(table)]
    assert cost.field == (5, 5)
    assert cost.sees_all


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((5, 8, 8, 3), lambda: layers.ConvLSTM2D(4, 3, name="strange")),
        ((5, 8, 8, 3), lambda: layers.ConvLSTM2D(4, 3, return_sequences=True, name="strange")),
        ((5, 8, 8, 3), lambda: layers.TimeDistributed(layers.Conv2D(4, 3), name="strange")),
        ((5, 20, 3), lambda: layers.ConvLSTM1D(4, 3, name="strange")),
    ],
)  # fmt: skip
def test_a_window_over_some_axes_only_is_not_told_and_breaks_nothing(shape, layer):
    image = keras.Input(shape)
    table = count(keras.Model(image, layer()(image)))
    assert table.costs["strange"].field is None
    assert table.costs["strange"].multiply_adds > 0


def test_a_sequence_has_a_field_of_one_column():
    x = signal = keras.Input((100, 2))
    for rate in (1, 2, 4, 8):
        x = layers.Conv1D(4, 2, dilation_rate=rate, padding="causal", name=f"rate{rate}")(x)
    table = count(keras.Model(signal, x))
    assert table.costs["rate8"].field == (16, 1)


def test_a_map_that_grows_beyond_the_input_has_no_whole_stride():
    x = image = keras.Input((16, 16, 3))
    x = layers.Conv2DTranspose(4, 4, strides=2, padding="same", name="up")(x)
    cost = count(keras.Model(image, x)).costs["up"]
    assert cost.field == (2, 2)
    assert cost.stride is None


@pytest.mark.every
def test_the_se_networks_field_is_that_of_the_network_without_gates():
    with_gates, without = counted(card("se_resnet_50")), counted(card("resnet_50"))
    assert with_gates.costs[last_map(with_gates)].field == without.costs[last_map(without)].field == (483, 483)
