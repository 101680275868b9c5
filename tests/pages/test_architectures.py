"""The architectures page as a script: every network, block and stack opens, and nonsense in a link does no harm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.architectures import stack as stacks
from explorer.architectures.blocks.table import BLOCKS
from explorer.architectures.cards import cards
from explorer.architectures.tables import table_of, totals
from explorer.interface import state
from explorer.interface.architectures import blocks_panel, compare_panel, parts
from explorer.interface.architectures.page_state import MODES, title_of
from explorer.interface.components.network_diagram import tree_of
from explorer.networks.structure import Block

PAGE = Path(__file__).parents[2] / "pages" / "architectures.py"


def opened(**parameters: Any) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in parameters.items():
        app.query_params[f"architectures_{name}"] = str(value)
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption, *app.error, *app.warning])


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_opens(mode):
    assert opened(mode=mode).title[0].value == "Architectures"


def test_vgg16_tells_where_its_138_million_weights_and_its_work_are():
    app = opened(mode="network", network="VGG16")
    text = said(app)
    assert "**fc1** (dense) holds the most weights of all layers: 74\u00a0%." in text
    assert (
        "Six 3×3 convolutions do the most work, 12\u00a0% each: **block1_conv2**, **block2_conv2**, **block3_conv2**, "
        "**block3_conv3**, **block4_conv2** and **block4_conv3**."
    ) in text
    assert "does most" not in text and "holds most" not in text
    assert [metric.value for metric in app.metric][0] == "138.4 M"
    assert "VGG16" in text or "Simonyan" in text


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "lenet5_1998", "unet", "NASNetMobile", "resnet_cifar_110"])
def test_networks_of_all_sorts_open(name):
    app = opened(mode="network", network=name)
    assert [metric.label for metric in app.metric][:2] == ["Parameters", "Multiply-adds"]


def test_a_layer_in_the_link_is_told_with_the_product_of_its_weights():
    text = said(opened(mode="network", network="VGG16", layer="fc1"))
    assert "102,764,544 parameters" in text and "25,088 · 4,096 + 4,096 = 102,764,544" in text


def test_googlenet_has_8_7_times_fewer_weights_than_alexnet():
    app = opened(mode="compare")
    text = said(app)
    assert "8.7" in text
    table = table_of("alexnet").parameters / table_of("googlenet").parameters
    assert round(table, 1) == 8.7


@pytest.mark.parametrize("pairing", compare_panel.PAIRINGS, ids=lambda one: one.title)
def test_every_pairing_holds_what_it_says(pairing):
    app = opened(mode="compare", compared=",".join(pairing.names))
    assert pairing.why in [element.value for element in app.markdown]
    first, *others = (table_of(name) for name in pairing.names)
    if pairing.names == ("VGG16", "MobileNet"):
        assert round(first.multiply_adds / others[0].multiply_adds) == 27
        assert round(first.parameters / others[0].parameters) == 33
    if pairing.names == ("VGG16", "ResNet50"):
        assert 3 < others[0].depth / first.depth < 3.3
        assert first.multiply_adds / others[0].multiply_adds == pytest.approx(4, abs=0.1)
        assert first.parameters / others[0].parameters == pytest.approx(5, abs=0.5)
    if pairing.names == ("VGG16", "VGG19"):
        assert others[0].multiply_adds / first.multiply_adds == pytest.approx(1.25, abs=0.03)
        assert others[0].parameters / first.parameters < 1.05
    if pairing.names == ("alexnet", "googlenet"):
        dense = sum(c.parameters for p, c in first.costs.items() if first.structure.layers[p].kind == "Dense")
        assert round(100 * dense / first.parameters) == 96
        assert sum(layer.kind == "Dense" for layer in others[0].structure.layers.values()) == 1
    if "resnet_50" in pairing.names:
        assert table_of("resnet_50").multiply_adds < 1.2 * table_of("resnet_34").multiply_adds


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: one.name)
def test_every_block_opens_with_every_example(block):
    for preset in block.presets:
        app = opened(mode="blocks", block=block.name, values=preset.name)
        assert block.lesson(block.values(preset.name), block.build(block.values(preset.name))) in said(app)


def test_a_shape_clash_in_a_block_says_what_clashes():
    app = opened(mode="blocks", block="residual", values="stride")
    assert any("16 × 16" in error.value or "add" in error.value.lower() for error in app.error)


def test_the_settings_of_a_block_travel_in_the_link():
    block = BLOCKS[0]
    values = {**block.values(), "kernel_size": 5} if block.setting("kernel_size").takes(5) else block.values()
    text = blocks_panel.text_of(block, block.presets[0].name, values)
    assert blocks_panel.values_of(block, text) == (block.presets[0].name, values)


@pytest.mark.parametrize(
    "text", ["x", "lecture;", "lecture;{", 'lecture;{"kernel_size":1e999}', "lecture;[1]", "[" * 5000]
)
def test_nonsense_for_settings_leaves_the_defaults(text):
    block = BLOCKS[0]
    assert blocks_panel.values_of(block, text) == (block.presets[0].name, block.values())


@pytest.mark.parametrize(("mode", "name"), [("catalogue", "price"), ("network", "measure")])
def test_an_old_links_weights_are_parameters(mode, name):
    app = opened(mode=mode, **{name: "weights"})
    assert app.session_state[f"architectures_{name}"] == "parameters"
    default = {"price": "multiply_adds", "measure": "parameters"}[name]
    written = app.query_params.get(f"architectures_{name}", [default])
    assert written in ("parameters", ["parameters"]), "the address says it as it is called now"
    assert not app.info and not app.warning
    shown = said(app)
    assert "Top-1 accuracy against parameters" in shown or "Parameters layer by layer" in shown


@pytest.mark.parametrize("written", ["Multiply-adds", "multiply-adds", "multiply_adds", "MULTIPLY ADDS"])
def test_a_choice_is_understood_however_it_is_written(written):
    assert opened(mode="One network", measure=written).session_state["architectures_measure"] == "multiply_adds"


@pytest.mark.parametrize("written", ["Compare", "compare", "COMPARE"])
def test_back_to_a_choice_that_is_written_otherwise_finds_it(monkeypatch, written):
    monkeypatch.setattr(state, "_came_back", lambda: True)
    app = opened(mode=written, compared="vgg_16,vgg19")
    assert any(element.value == "Layer beside layer" for element in app.subheader)
    assert app.query_params["architectures_mode"] in ("compare", ["compare"])


def test_a_choice_that_there_is_not_is_told():
    app = opened(mode="cake", price="shoes")
    told = [element.value for element in app.info]
    assert told == [
        "There is no view called “cake”; Catalogue is shown.",
        "There is no cost called “shoes”; multiply-adds is shown.",
    ]


def test_the_editor_begins_with_a_vector_too():
    app = opened(mode="build")
    app.button(key="architectures_begin_dense").click().run()
    assert not app.exception and not app.error
    assert "**420,260 parameters**" in said(app)
    assert [one.label for one in app.number_input if "Input" in one.label] == ["Input values"]
    assert [one.value for one in app.number_input if "Input" in one.label] == [784]


def test_a_stack_out_of_a_link_stands_with_its_counts():
    text = stacks.to_text(stacks.preset("lenet5"))
    app = opened(mode="build", stack=text)
    assert "**61,706 parameters**" in said(app)
    assert app.code and "Conv2D" in app.code[-1].value


@pytest.mark.slow
def test_layers_are_added_moved_copied_deleted_and_taken_back():
    app = opened(mode="build")

    def rows() -> int:
        return sum(1 for button in app.button if str(button.key).startswith("architectures_delete_"))

    before = rows()
    app.button(key="architectures_copy_0").click().run()
    assert not app.exception and rows() == before + 1
    app.button(key="architectures_delete_1").click().run()
    assert rows() == before
    app.button(key="architectures_move_down_0").click().run()
    assert not app.exception
    app.button(key="architectures_undo").click().run()
    app.button(key="architectures_undo").click().run()
    app.button(key="architectures_undo").click().run()
    assert rows() == before and "**36,314 parameters**" in said(app)
    app.button(key="architectures_add_layer").click().run()
    assert not app.exception and not app.error and rows() == before + 1


def test_a_clash_in_the_stack_says_which_layer_and_why():
    app = opened(mode="build", stack="28x28x1_flatten_conv-f8")
    assert re.search(r"Layer 2 does not fit: .+", app.error[0].value)
    assert app.get("download_button")[0].disabled


@pytest.mark.parametrize("text", ["<script>", "28x28x1_conv-f999999999", "_" * 9000, "0x0x0", "28x28x1_magic"])
def test_a_hostile_stack_gets_a_sentence_and_a_preset(text):
    app = opened(mode="build", stack=text)
    assert "stands here instead" in app.warning[0].value
    assert "**36,314 parameters**" in said(app)


def informed(app: AppTest) -> str:
    return " ".join(element.value for element in app.info)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("resnet152", "ResNet152"), ("RESNET-18", "resnet_18"), ("vgg-16", "VGG16"), ("LeNet-5 (1998)", "lenet5_1998")],
)
def test_a_network_is_found_however_its_name_is_written(written, meant):
    app = opened(mode="network", network=written)
    assert app.session_state["architectures_network"] == meant and not app.info
    assert f"{table_of(meant).parameters:,}" in app.metric[0].help


def test_a_network_that_there_is_not_is_told_and_leaves_the_address():
    app = opened(mode="network", network="resnet_1000")
    assert informed(app) == r"There is no network called “resnet\_1000”; VGG16 is shown."
    assert "architectures_network" not in app.query_params
    app.run()
    assert "VGG16 is shown" in informed(app), "until another one is chosen"
    app.selectbox(key="architectures_network_shown").select("alexnet").run()
    assert not app.info


@pytest.mark.slow
def test_what_a_link_names_and_there_is_not_is_said():
    assert "VGG16 has no layer called “fc9”." in informed(opened(mode="network", layer="fc9"))
    assert opened(mode="network", layer="Block1-Conv1").session_state["architectures_layer"] == "block1_conv1"
    app = opened(mode="compare", compared="vgg-16,nothing,resnet_18")
    assert "There is no network called “nothing”." in informed(app)
    assert app.query_params["architectures_compared"] in ("VGG16,resnet_18", ["VGG16,resnet_18"])
    assert "GoogLeNet against AlexNet is shown" in informed(opened(mode="compare", compared="nothing"))
    many = informed(opened(mode="compare", compared="VGG16,VGG19,alexnet,googlenet,resnet_18"))
    assert "At most 4 are shown: without ResNet-18." in many
    assert "There is no block called “x”; Small filters is shown." in informed(opened(mode="blocks", block="x"))
    assert opened(mode="blocks", block="Squeeze-Excitation").session_state["architectures_block"] == (
        "squeeze_excitation"
    )
    assert "has no example called “zz”" in informed(opened(mode="blocks", block="bottleneck", values="zz"))
    assert "cannot be read" in informed(opened(mode="blocks", block="bottleneck", values="lecture;["))
    wrong = opened(mode="blocks", block="bottleneck", values='lecture;{"side":9999}')
    assert "cannot have “side” as the link says" in informed(wrong)
    assert "There is no family called “zoo”; all of them are shown." in informed(opened(families="zoo"))


def test_what_a_link_names_is_printed_as_it_stands():
    app = opened(mode="network", network="<b>x[a](http://b)")
    assert r"called “\<b\>x\[a\]\(http\:\/\/b\)”" in informed(app)


def test_no_network_at_all_can_be_chosen_for_a_comparison():
    app = opened(mode="compare", compared="-")
    assert not app.multiselect[0].value and "Choose two to four networks" in informed(app)
    app.multiselect[0].set_value(["VGG16"]).run()
    assert "Choose a second network" in informed(app)
    app.multiselect[0].set_value([]).run()
    assert not app.exception and not app.multiselect[0].value


def test_an_example_is_lit_only_while_its_values_stand():
    block = next(one for one in BLOCKS if one.name == "bottleneck")
    app = opened(mode="blocks", block="bottleneck")

    def lit() -> Any:
        return app.session_state["architectures_preset_bottleneck"]

    assert lit() == "lecture"
    slider = next(one for one in app.select_slider if "_squeeze_" in str(one.key))
    slider.set_value(256).run()
    assert lit() == "too_wide", "another example has just these values"
    next(one for one in app.select_slider if "_squeeze_" in str(one.key)).set_value(128).run()
    assert lit() is None and blocks_panel.values_of(block, app.session_state["architectures_values"])[1][
        "squeeze"] == 128  # fmt: skip
    app.session_state["architectures_preset_bottleneck"] = "lecture"
    app.run()
    pills = [one for one in app.get("button_group") if "preset" in str(one.key)]
    pills[0].set_value("lecture").run()
    assert not app.exception


def test_readers_meet_titles_not_names_in_code():
    app = opened(mode="compare", compared="resnet_18,alexnet")
    text = said(app)
    assert "ResNet-18: a cell of its last maps" in text and "resnet_18" not in text and "alexnet" not in text


def test_nonsense_in_the_link_does_no_harm():
    for mode in MODES:
        opened(mode=mode, network="<b>", layer="../..", compared="a,b,,VGG16,VGG16", families="none,VGG", block="??")


def test_all_parts_of_a_network_are_all_of_its_layers():
    for name in ("VGG16", "ResNet50", "googlenet", "DenseNet121", "unet", "NASNetMobile", "lenet5"):
        table = table_of(name)
        paths = [path for _, inside in parts.parts_of(table) for path in inside]
        assert sorted(paths) == sorted(table.structure.layers)
        found = parts.shares_of(table)
        assert sum(part.total.parameters for part in found) == table.parameters
        assert sum(part.total.multiply_adds for part in found) == table.multiply_adds


@pytest.mark.parametrize("name", ["googlenet_auxiliary", "unet", "VGG16", "ResNet50", "InceptionV3", "NASNetMobile"])
def test_the_parts_are_the_stages_of_the_diagram(name):
    table = table_of(name)
    stages = [node.title for node in tree_of(table) if isinstance(node, Block)]
    assert [title for title, _ in parts.parts_of(table)] == stages
    assert all(part.title in stages for part in parts.shares_of(table))


def test_layers_that_are_level_share_the_first_place():
    paths, share = parts.most_of(table_of("VGG16"), "multiply_adds")
    assert len(paths) == 6 and {table_of("VGG16").costs[path].multiply_adds for path in paths} == {1_849_688_064}
    assert parts.most_of(table_of("VGG16"), "parameters") == (("fc1",), pytest.approx(102_764_544 / 138_357_544))
    assert share == pytest.approx(1_849_688_064 / table_of("VGG16").multiply_adds)


def test_digits_have_no_published_accuracy_and_no_year():
    text = said(opened(mode="catalogue", families="Digits"))
    assert "None of these has a published ImageNet accuracy." in text and "better than ." not in text
    assert "From the lectures" in said(opened(mode="network", network="cnn2"))
    assert title_of("cnn2") == "Small convolutional net for digits"


def test_the_contest_is_said_to_be_one_of_several_networks_at_once():
    assert "averages of several networks" in said(opened(mode="catalogue", chart="ilsvrc"))


def test_a_link_brings_back_that_only_differences_are_shown():
    plain, only = (
        opened(mode="compare", compared="VGG16,VGG19", **more).dataframe[-1].value
        for more in ({}, {"differing": "true"})
    )
    assert len(only) == 3 < len(plain)


def test_a_stack_on_a_vector_has_one_field_for_its_input():
    app = opened(mode="build", stack="784_dense")
    inputs = [field for field in app.number_input if str(field.key).startswith("architectures_input_")]
    assert [(field.key, field.value) for field in inputs] == [("architectures_input_values_stack_1", 784)]
    inputs[0].set_value(1_000_000).run()
    assert not app.exception and "**10,000,010 parameters**" in said(app)
    opened(mode="build", stack="1000000_dense")
    assert "not 1,000,001" in opened(mode="build", stack="1000001_dense").warning[0].value


def test_every_network_is_printed_differently():
    # A list tells its entries apart by what is printed: two of one name would be one.
    assert len({title_of(one.name) for one in cards()}) == len(cards())


def test_every_card_has_its_numbers():
    assert [one.name for one in totals()] == [one.name for one in cards()]


@pytest.mark.every
@pytest.mark.parametrize("name", [one.name for one in cards()])
def test_every_network_opens_and_is_compared(name):
    assert [metric.label for metric in opened(mode="network", network=name).metric][:2] == [
        "Parameters",
        "Multiply-adds",
    ]
    opened(mode="compare", compared=f"{name},VGG16" if name != "VGG16" else "VGG16,ResNet50")
