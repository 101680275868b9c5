"""The structure has every layer once, says what Keras says of it, and reads as its authors meant it."""

import math

import keras
import numpy as np
import pytest
from keras import layers

from explorer.networks.activations import activations
from explorer.networks.describe import describe, described, structure_of
from explorer.networks.loading import load
from explorer.networks.structure import Block, LayerNode, blocks_of, paths_of
from explorer.networks.work_context import NO_CONTEXT
from tests.networks.model_kinds import KINDS, SHAPE, Subclassed, made, picture


@pytest.fixture(scope="module")
def networks():
    return lambda name: load(name, "random")


def checked(structure):
    shown = list(paths_of(structure.nodes))
    assert len(shown) == len(set(shown))
    assert set(shown) == set(structure.layers)
    for block in blocks_of(structure.nodes):
        inside = list(paths_of([block]))
        assert block.output in inside
        assert block.output_shape == structure.layers[block.output].output_shape
        assert block.parameters == sum(structure.layers[path].parameters for path in inside)
        if block.kind not in ("residual", "branches"):
            assert block.branches == ()
    for layer in structure.layers.values():
        assert set(layer.inputs) <= set(structure.layers)
    return structure


def block(structure, title):
    return next(found for found in blocks_of(structure.nodes) if found.title == title)


def stages(structure):
    return [node.title for node in structure.nodes if isinstance(node, Block) and node.kind == "stage"]


@pytest.mark.backends
@pytest.mark.parametrize("kind", KINDS)
def test_layers_shapes_and_weights_are_those_of_the_running_model(kind):
    model = made(kind)
    structure = checked(describe(model, kind, SHAPE))
    found = activations(model, picture(1))
    containers = {path for path in found if path not in structure.layers}
    assert containers <= {"inner", "inner#2", "tail", "head"}
    assert set(structure.layers) <= set(found)
    for path, layer in structure.layers.items():
        assert layer.output_shape == found[path].shape[1:]
        assert layer.channels == found[path].shape[-1]
    assert structure.parameters == model.count_params()


@pytest.mark.backends
@pytest.mark.parametrize("kind", ["functional", "residual", "branches", "nested"])
def test_inputs_are_those_that_feed_the_layer(kind):
    model, x = made(kind), picture(1)
    structure = describe(model, kind)
    found = activations(model, x)
    for path, layer in structure.layers.items():
        if not layer.inputs:
            assert path == "picture"
            continue
        owner = model
        for name in path.split("/")[:-1]:
            owner = owner.get_layer(name)
        values = [keras.ops.convert_to_tensor(found[feed]) for feed in layer.inputs]
        keras_layer = owner.get_layer(layer.name)
        if layer.kind == "InputLayer":
            np.testing.assert_allclose(found[path], found[layer.inputs[0]])
            continue
        again = keras.ops.convert_to_numpy(keras_layer(values[0] if len(values) == 1 else values))
        np.testing.assert_allclose(again, found[path], rtol=1e-4, atol=1e-5)


def test_a_residual_block_has_its_path_its_shortcut_and_its_activation():
    structure = checked(describe(made("residual"), "residual"))
    first = block(structure, "Residual block block1")
    assert first.kind == "residual"
    assert [list(paths_of(branch)) for branch in first.branches] == [["block1_conv1", "block1_conv2"], []]
    assert first.merge == "block1_add"
    assert first.children == (LayerNode("block1_out"),)
    assert first.output == "block1_out"


def test_branches_stand_in_the_order_in_which_they_are_joined():
    structure = checked(describe(made("branches"), "branches"))
    module = block(structure, "Inception module mixed")
    assert [list(paths_of(branch)) for branch in module.branches] == [["one"], ["three"], ["smooth", "after"]]
    assert module.merge == "mixed"


def test_a_nested_model_is_a_block_with_its_own_layers():
    structure = checked(describe(made("nested"), "nested"))
    inner = block(structure, "Nested model inner")
    assert inner.kind == "nested"
    assert list(paths_of([inner])) == ["inner/inner_input", "inner/conv", "inner/conv_2"]
    assert inner.output == "inner/conv_2"
    assert structure.layers["inner/inner_input"].inputs == ("conv",)
    assert structure.layers["tail/flat"].inputs == ("inner/conv_2",)


def test_a_shared_layer_occurs_for_each_call_and_counts_its_weights_once():
    structure = checked(describe(made("shared_layer"), "shared_layer"))
    assert structure.layers["conv"].parameters == 3 * 3 * 3 * 3 + 3
    assert structure.layers["conv#2"].parameters == 0
    assert structure.layers["conv#2"].inputs == ("conv",)


def test_a_model_that_is_only_code_needs_an_input_shape():
    model = Subclassed()
    with pytest.raises(ValueError, match="input_shape"):
        describe(model, "code")
    structure = checked(describe(model, "code", SHAPE))
    assert list(structure.layers)[:3] == ["stem", "block/conv", "block/out"]
    assert block(structure, "Nested model block").output == "block"
    assert list(paths_of([block(structure, "Nested model head")])) == ["head/average", "head/logits"] or (
        "head/logits" in structure.layers
    )


def test_a_plain_chain_of_one_size_stays_flat():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    structure = checked(describe(model, "dense"))
    assert [node.path for node in structure.nodes][1:] == ["a", "b"]
    assert structure.layers["a"].config == {"units": 3}


def test_config_tells_what_is_special_about_a_layer():
    inputs = keras.Input((8, 8, 4), name="picture")
    x = layers.Conv2D(6, (3, 5), strides=2, padding="same", groups=2, activation="relu", use_bias=False, name="a")(
        inputs
    )
    x = layers.Conv2D(6, 3, dilation_rate=2, padding="same", name="b")(x)
    model = keras.Model(inputs, layers.Dropout(0.25, name="c")(x))
    told = {path: layer.config for path, layer in describe(model, "x").layers.items()}
    assert told["a"] == {
        "filters": 6, "kernel_size": (3, 5), "strides": (2, 2), "padding": "same", "groups": 2, "use_bias": False,
        "activation": "relu",
    }  # fmt: skip
    assert told["b"]["dilation_rate"] == (2, 2)
    assert "activation" not in told["b"]
    assert told["c"] == {"rate": 0.25}


def test_mobilenet_v2(networks):
    structure = checked(described(networks("MobileNetV2")))
    assert stages(structure) == [
        "Stage 1 · 112 × 112", "Stage 2 · 56 × 56", "Stage 3 · 28 × 28", "Stage 4 · 14 × 14", "Stage 5 · 7 × 7",
        "Classifier · 1000 outputs",
    ]  # fmt: skip
    # Sandler et al. 2018, table 2: with stride 1 and equal widths there is a shortcut, ten in all.
    shortcuts = [found for found in blocks_of(structure.nodes) if found.kind == "residual"]
    assert len(shortcuts) == 10
    assert block(structure, "Residual block block_2").merge == "block_2_add"
    assert structure.layers["block_1_expand"].stage == structure.layers["block_1_project_BN"].stage == 2
    assert structure.layers["input_layer"].stage == 0
    model = networks("MobileNetV2").model
    for layer in model.layers:
        told = structure.layers[layer.name]
        assert told.parameters == layer.count_params()
        assert told.kind == type(layer).__name__
        if hasattr(layer, "output"):
            assert told.output_shape == tuple(layer.output.shape[1:])
    assert structure.parameters == networks("MobileNetV2").entry.parameters
    assert described(networks("MobileNetV2")) is structure


def test_resnet50_has_sixteen_shortcuts_four_of_them_with_layers():
    structure = checked(structure_of(NO_CONTEXT, "ResNet50", "random"))
    # He et al. 2015, table 1: 3 + 4 + 6 + 3 blocks; the first of each stage projects.
    found = [found for found in blocks_of(structure.nodes) if found.kind == "residual"]
    assert len(found) == 16
    assert sum(len(found.branches[1]) > 0 for found in found) == 4
    assert found[0].title == "Residual block conv2_block1"
    assert list(paths_of(found[0].branches[1])) == ["conv2_block1_0_conv", "conv2_block1_0_bn"]
    assert [child.path for child in found[0].children] == ["conv2_block1_out"]
    per_stage = [
        sum(inner.kind == "residual" for inner in blocks_of([node]))
        for node in structure.nodes
        if isinstance(node, Block)
    ]
    assert per_stage == [0, 3, 4, 6, 3, 0]


def test_inception_v3_has_eleven_modules():
    structure = checked(structure_of(NO_CONTEXT, "InceptionV3", "random"))
    found = [found for found in blocks_of(structure.nodes) if found.title.startswith("Inception module")]
    assert [found.merge for found in found] == [f"mixed{number}" for number in range(11)]
    # Szegedy et al. 2015, figures 5 to 7: four branches, three where the map shrinks.
    assert [len(found.branches) for found in found] == [4, 4, 4, 3, 4, 4, 4, 4, 3, 4, 4]
    split = [inner for inner in blocks_of(found[9].branches[1]) if inner.kind == "branches"]
    assert [inner.merge for inner in split] == ["mixed9_0"]
    assert [title.rsplit(" · ")[-1] for title in stages(structure)[:-1]] == [
        "149 × 149", "73 × 73", "35 × 35", "17 × 17", "8 × 8"
    ]  # fmt: skip


def test_vgg_stages_end_with_their_pooling():
    inputs = keras.Input((32, 32, 3), name="picture")
    x = inputs
    for number in (1, 2):
        x = layers.Conv2D(4, 3, padding="same", name=f"block{number}_conv1")(x)
        x = layers.Conv2D(4, 3, padding="same", name=f"block{number}_conv2")(x)
        x = layers.MaxPooling2D(2, name=f"block{number}_pool")(x)
    x = layers.Dense(10, name="predictions")(layers.Flatten(name="flatten")(x))
    structure = checked(describe(keras.Model(inputs, x), "vgg"))
    assert stages(structure) == ["Stage 1 · 32 × 32", "Stage 2 · 16 × 16", "Classifier · 10 outputs"]
    assert list(paths_of(structure.nodes[2:3])) == ["block2_conv1", "block2_conv2", "block2_pool"]


def test_squeeze_and_excite_is_called_so():
    inputs = keras.Input((16, 16, 4), name="picture")
    x = layers.Conv2D(4, 3, padding="same", name="block2a_conv")(inputs)
    s = layers.GlobalAveragePooling2D(keepdims=True, name="block2a_se_squeeze")(x)
    s = layers.Conv2D(2, 1, activation="relu", name="block2a_se_reduce")(s)
    s = layers.Conv2D(4, 1, activation="sigmoid", name="block2a_se_expand")(s)
    x = layers.Multiply(name="block2a_se_excite")([x, s])
    structure = checked(describe(keras.Model(inputs, x), "se"))
    found = block(structure, "Squeeze and excite block2a_se")
    assert found.kind == "branches"
    assert found.branches[0] == () or found.branches[1] == ()


def test_backbone_in_a_model_keeps_its_stages():
    backbone_input = keras.Input((64, 64, 3), name="inner_input")
    x = backbone_input
    for number, filters in enumerate((4, 6, 8)):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", name=f"conv{number}")(x)
    backbone = keras.Model(backbone_input, x, name="backbone")
    inputs = keras.Input((64, 64, 3), name="picture")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    x = layers.Dense(3, name="head")(layers.GlobalAveragePooling2D(name="average")(backbone(x)))
    structure = checked(describe(keras.Model(inputs, x), "transfer"))
    nested = block(structure, "Nested model backbone")
    assert [child.title for child in nested.children if isinstance(child, Block)] == [
        "Stage 1 · 32 × 32", "Stage 2 · 16 × 16", "Stage 3 · 8 × 8"
    ]  # fmt: skip
    assert structure.layers["backbone/conv2"].stage == 3


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "name", [pytest.param("NASNetMobile", marks=SLOW), "ConvNeXtTiny", pytest.param("DenseNet121", marks=SLOW)]
)
def test_other_ways_to_build(name):
    if name == "NASNetMobile" and keras.backend.backend() == "torch":
        pytest.skip("Keras does not build it on PyTorch")
    structure = checked(structure_of(NO_CONTEXT, name, "random"))
    loaded = load(name, "random")
    assert structure.parameters == loaded.entry.parameters
    assert len(stages(structure)) >= 4
    titles = [found.title for found in blocks_of(structure.nodes)]
    if name == "NASNetMobile":
        assert sum(title.startswith("Cell up to normal_concat") for title in titles) >= 12
    if name == "ConvNeXtTiny":
        # Liu et al. 2022: 3 + 3 + 9 + 3 blocks.
        assert sum(title.startswith("Residual block stage_") for title in titles) == 18
        assert "Nested model stem" in titles
    if name == "DenseNet121":
        # Huang et al. 2016, table 1: 6 + 12 + 24 + 16.
        assert sum(title.startswith("Dense connection") for title in titles) == 58
    assert math.isclose(loaded.nbytes, 4 * loaded.entry.parameters, rel_tol=1e-3)
