"""What travels to the network diagram: every layer once, numbers that are the table's, formulas that add up."""

from __future__ import annotations

import re

import pytest

from explorer.architectures.results import Cost, NetworkTable
from explorer.architectures.sketch import Sketch
from explorer.architectures.tables import table_of
from explorer.interface.components.network_diagram import (
    MEASURES,
    block_title,
    drawing_of,
    has_stages,
    layers_in,
    map_of,
    message,
    tree_of,
    weights_formula,
    words_of,
    work_formula,
)
from explorer.interface.components.packing import unpack
from explorer.networks.structure import Block, LayerInfo, LayerNode, Structure, paths_of

NETWORKS = ("VGG16", "ResNet152", "DenseNet121", "InceptionV3", "MobileNetV2", "googlenet", "alexnet", "unet")


def sent(table, *, selected=None, selectable=False, hues=None, **options):
    return unpack(message(drawing_of(table, **options), selected=selected, selectable=selectable, hues=hues))[0]


def bottleneck():
    s = Sketch("bottleneck")
    x = s.input((28, 28, 256))
    y = s.conv(x, 64, 1, activation="relu", name="reduce")
    y = s.conv(y, 64, 3, padding="same", name="look")
    y = s.conv(y, 256, 1, name="widen")
    s.activation(s.add([x, y], name="add"), "relu")
    return s.table()


def u_net(side=64, depth=3):
    """A small U-Net: down `depth` times, and up again with what was handed across."""
    s = Sketch("u")
    x = s.input((side, side, 3))
    across = []
    for level in range(depth):
        x = s.conv(x, 8 * 2**level, 3, padding="same", name=f"down{level}")
        across.append(x)
        x = s.max_pool(x, 2)
    x = s.conv(x, 8 * 2**depth, 3, padding="same", name="bottom")
    for level in reversed(range(depth)):
        x = s.conv_transpose(x, 8 * 2**level, 2, strides=2, name=f"up{level}")
        x = s.concatenate([across[level], x], name=f"join{level}")
        x = s.conv(x, 8 * 2**level, 3, padding="same", name=f"back{level}")
    return s.table()


def blocks(records):
    """Every block of a message's tree, with the numbers of all layers inside."""
    for record in records:
        if isinstance(record, dict):
            inside = [*record["children"], *(one for branch in record.get("branches", []) for one in branch)]
            yield record, {*numbers([record])}
            yield from blocks(inside)


def numbers(records):
    for record in records:
        if isinstance(record, int):
            yield record
            continue
        yield from numbers(record["children"])
        for branch in record.get("branches", []):
            yield from numbers(branch)
        if "merge" in record:
            yield record["merge"]


@pytest.mark.parametrize("name", [*NETWORKS, "NASNetLarge"])
def test_every_layer_travels_once_with_the_numbers_of_the_table(name):
    table = table_of(name)
    header = sent(table)
    paths = list(table.structure.layers)
    assert sorted(numbers(header["tree"])) == list(range(len(paths)))
    columns = header["layers"]
    assert [header["paths"].get(str(i), title) for i, title in enumerate(columns["name"])] == paths
    for measure in MEASURES:
        assert sum(columns[measure]) == getattr(table, measure)
        assert columns[measure] == [getattr(table.costs[path], measure) for path in paths]
    assert [tuple(header["shapes"][i]) for i in columns["shape"]] == [
        layer.output_shape for layer in table.structure.layers.values()
    ]
    for given, layer in zip(columns["inputs"], table.structure.layers.values(), strict=True):
        assert [paths[i] for i in given] == list(layer.inputs)


def test_even_the_largest_networks_are_small_messages():
    assert len(message(drawing_of(table_of("NASNetLarge")))) < 100_000
    assert len(message(drawing_of(table_of("ResNet152")))) < 60_000


def value(formula):
    """Work out a printed formula."""
    told, result = formula.replace(",", "").rsplit(" = ", 1)
    assert re.fullmatch(r"[\d +·()]+", told)
    worked_out = eval(told.replace("·", "*"), {"__builtins__": {}})
    assert worked_out == int(result)
    return worked_out


@pytest.mark.parametrize("name", NETWORKS)
def test_printed_formulas_give_what_the_layer_has(name):
    table = table_of(name)
    layers = table.structure.layers
    convolutions = 0
    for path, layer in layers.items():
        cost = table.costs[path]
        weights, work = weights_formula(layer, layers), work_formula(layer, layers, cost)
        assert not weights or value(weights) == layer.parameters
        assert not work or value(work) == cost.multiply_adds
        if layer.kind in ("Conv2D", "Dense", "DepthwiseConv2D", "SeparableConv2D") and layer.parameters:
            assert weights and work, path
            convolutions += 1
    assert convolutions >= 8


def test_formulas_read_as_on_the_blackboard():
    table = table_of("VGG16")
    layers = table.structure.layers
    assert weights_formula(layers["block1_conv1"], layers) == "3 · 3 · 3 · 64 + 64 = 1,792"
    assert weights_formula(layers["fc1"], layers) == "25,088 · 4,096 + 4,096 = 102,764,544"
    assert (
        work_formula(layers["block1_conv2"], layers, table.costs["block1_conv2"])
        == "224 · 224 · 3 · 3 · 64 · 64 = 1,849,688,064"
    )


def test_a_formula_that_would_not_give_the_layer_s_own_count_is_not_printed():
    table = table_of("VGG16")
    layers = table.structure.layers
    odd = LayerInfo("x", "x", "Conv2D", (4, 4, 8), 5, True, 8, ("block1_conv1",), {"kernel_size": (3, 3), "filters": 8})
    assert weights_formula(odd, layers) == ""
    assert work_formula(odd, layers, Cost(5, 5, 7, 128)) == ""


def layer(kind, **config):
    return LayerInfo("x", "x", kind, (8, 8, 4), 0, True, 4, (), config)


@pytest.mark.parametrize(("of", "words"), [
    (layer("Conv2D", kernel_size=(3, 3), filters=256, strides=(2, 2)), "3×3 conv, 256, /2"),
    (layer("Conv2D", kernel_size=(1, 7), filters=64), "1×7 conv, 64"),
    (layer("Conv2D", kernel_size=(3, 3), filters=64, dilation_rate=(2, 2)), "3×3 conv, 64, dilation 2×2"),
    (layer("Conv2D", kernel_size=(3, 3), filters=64, groups=32), "3×3 conv, 64, 32 groups"),
    (layer("DepthwiseConv2D", kernel_size=(3, 3), strides=(2, 2)), "3×3 depthwise, /2"),
    (layer("Conv2DTranspose", kernel_size=(2, 2), filters=64, strides=(2, 2)), "2×2 transposed, 64, /2"),
    (layer("MaxPooling2D", pool_size=(3, 3), strides=(2, 2)), "3×3 max pool, /2"),
    (layer("Dense", units=4096), "Dense, 4096"),
    (layer("Activation", activation="relu"), "ReLU"),
    (layer("GlobalAveragePooling2D"), "Global average pool"),
    (layer("MyOwnThing"), "My Own Thing"),
])  # fmt: skip
def test_layers_are_named_as_in_the_papers_figures(of, words):
    assert words_of(of) == words


def test_a_u_net_is_a_row_of_stages_down_and_up_with_nothing_lost():
    table = u_net()
    tree = tree_of(table)
    sides = [node.output_shape[0] for node in tree if isinstance(node, Block)]
    assert sides == [64, 32, 16, 8, 16, 32, 64]
    assert sorted(paths_of(tree)) == sorted(table.structure.layers)
    assert sum(block.parameters for block in tree if isinstance(block, Block)) == table.parameters
    joined = next(node for node in tree if isinstance(node, Block) and "join1" in paths_of([node]))
    assert next(iter(paths_of([joined]))) == "up1"


@pytest.mark.parametrize("name", ["VGG16", "ResNet50", "EfficientNetB0", "InceptionV3", "DenseNet121", "se_resnet_50"])
def test_other_networks_keep_the_tree_of_their_structure(name):
    table = table_of(name)
    assert tree_of(table) is table.structure.nodes


def test_a_network_that_takes_any_size_gets_its_stages_from_the_size_that_was_counted():
    table = table_of("MobileNetV3Large")
    tree = tree_of(table)
    sides = [map_of(node, table.structure.layers)[0] for node in tree if isinstance(node, Block)]
    assert sides[:6] == [224, 112, 56, 28, 14, 7]
    assert sorted(paths_of(tree)) == sorted(table.structure.layers)


def test_auxiliary_outputs_hang_on_the_stage_that_they_leave_and_the_trunk_goes_on():
    table = table_of("googlenet_auxiliary")
    stages = [node for node in tree_of(table) if isinstance(node, Block)]
    assert [stage.output_shape[0] for stage in stages] == [112, 56, 28, 14, 7, 1000]
    sides = [child.title for child in stages[3].children if isinstance(child, Block) and "Side" in child.title]
    assert len(sides) == 2
    assert sorted(paths_of(tree_of(table))) == sorted(table.structure.layers)


def test_a_stage_is_named_by_the_map_that_it_works_on():
    table = table_of("VGG16")
    first = tree_of(table)[1]
    assert isinstance(first, Block)
    assert first.output_shape == (112, 112, 64)
    assert map_of(first, table.structure.layers) == (224, 224, 64)


def test_small_networks_have_no_stages():
    assert not has_stages(bottleneck())
    assert has_stages(table_of("VGG16")) and has_stages(u_net())


@pytest.mark.parametrize("table", [table_of("InceptionV3"), table_of("ResNet50"), u_net(), bottleneck()])
def test_the_id_of_a_block_stands_for_the_layers_inside(table):
    paths = list(table.structure.layers)
    seen = 0
    for record, inside in blocks(sent(table)["tree"]):
        assert {paths.index(path) for path in layers_in(table, record["id"])} == inside
        assert block_title(table, record["id"]) == record["title"]
        seen += 1
    assert seen
    assert layers_in(table, paths[0]) == (paths[0],)


@pytest.mark.parametrize("nonsense", [None, 7, [], {}, "", "@", "@99", "@1.x", "no such layer", "run@1", "@-1"])
def test_what_the_network_does_not_have_stands_for_nothing(nonsense):
    assert layers_in(table_of("VGG16"), nonsense) == ()


def test_blocks_that_repeat_are_known_by_their_form():
    def of(name, stage):
        header = sent(table_of(name))
        members = next(one for one in header["tree"] if isinstance(one, dict) and stage in one["title"])["children"]
        return [one for one in members if isinstance(one, dict)]

    residual = of("ResNet152", "14 × 14")
    assert len(residual) == 36
    assert len({one["form"] for one in residual[1:]}) == len({one["exact"] for one in residual[1:]}) == 1
    assert residual[0]["form"] != residual[1]["form"]
    # Dense blocks are built alike, but each gets more channels than the one before.
    dense = [one for one in of("DenseNet121", "28 × 28") if one["title"].startswith("Dense")]
    assert len(dense) == 12
    assert len({one["form"] for one in dense}) == 1 and len({one["exact"] for one in dense}) == 12


def test_clashes_and_changes_are_given_by_number_and_strangers_left_out():
    table = bottleneck()
    at = list(table.structure.layers).index("look")
    header = sent(table, broken={"look": "It clashes.", "gone": "No."}, changes={"look": "changed", "gone": "only"})
    assert header["broken"] == {str(at): "It clashes."}
    assert header["changes"] == {str(at): "changed"}
    assert header["compared"] and not sent(table)["compared"]


def test_the_digest_changes_with_what_is_seen_and_not_with_the_selection():
    table = bottleneck()
    plain = sent(table)["digest"]
    assert sent(table, selected="look", hues={"input": "#000000"})["digest"] == plain
    others = [sent(table, **one)["digest"] for one in (
        {"measure": "activations"}, {"open_to": "layers"}, {"broken": {"look": "No."}}, {"changes": {"look": "only"}},
        {"title": "Bottleneck"}, {"height": 300}, {"tools": False},
    )]  # fmt: skip
    assert len({plain, *others}) == 8


def test_a_layer_whose_cost_is_unknown_and_an_open_size_can_be_sent():
    layers = {
        "a": LayerInfo("a", "a", "InputLayer", (None, None, 3), 0, False, 3, ()),
        "b": LayerInfo("b", "b", "Conv2D", (), 0, True, None, ("a",), {"kernel_size": (3, 3), "filters": 8}),
    }
    table = NetworkTable(Structure("odd", (LayerNode("a"), LayerNode("b")), layers), {}, (8, 8, 3), 0)
    header = sent(table)
    assert header["tree"] == [0, 1]
    assert header["layers"]["parameters"] == [0, 0]
