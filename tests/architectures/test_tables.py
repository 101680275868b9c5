"""The tables that lie ready: they are what counting gives, they are small and quick, and they need no Keras."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.architectures.cards import card, cards
from explorer.architectures.tables import FOLDER, packed, path_of, table_of, totals, totals_of, unpacked
from explorer.networks.structure import paths_of

SAMPLE = (
    "VGG16", "MobileNet", "ResNet50", "alexnet", "googlenet", "googlenet_auxiliary", "lenet5_1998", "squeezenet_1.1",
    "unet", "resnet_cifar_20", "se_resnet_50", "shufflenet_g3", "highway_19", "small_xception",
)  # fmt: skip


@pytest.mark.parametrize(
    "name", [*SAMPLE, *(pytest.param(n, marks=pytest.mark.every) for n in ("VGG19", "NASNetLarge"))]
)
def test_a_stored_table_is_what_counting_gives(name):
    from explorer.architectures.counting import counted

    assert counted(card(name)) == table_of(name)


@pytest.mark.every
@pytest.mark.parametrize("name", [one.name for one in cards()])
def test_every_stored_table_is_what_counting_gives(name):
    from explorer.architectures.counting import counted

    assert counted(card(name)) == unpacked(path_of(name).read_bytes())


def test_every_card_has_a_table_and_every_table_a_card():
    known = {path_of(one.name) for one in cards()}
    assert set(FOLDER.rglob("*.json.gz")) == known
    assert [one.name for one in totals()] == [one.name for one in cards()]


def test_the_list_has_the_sums_of_the_tables():
    for one in totals():
        table = unpacked(path_of(one.name).read_bytes())
        assert totals_of(table) == one
        assert table.name == one.name
        assert table.input_shape == card(one.name).input_shape


def test_every_layer_stands_once_in_the_tree_and_has_a_cost():
    for one in cards():
        table = unpacked(path_of(one.name).read_bytes())
        assert sorted(paths_of(table.structure.nodes)) == sorted(table.structure.layers) == sorted(table.costs)
        assert all(source in table.structure.layers for x in table.structure.layers.values() for source in x.inputs)
        assert table.parameters == sum(layer.parameters for layer in table.structure.layers.values())


def test_a_table_survives_its_file_and_the_same_table_gives_the_same_bytes():
    table = table_of("googlenet")
    data = packed(table)
    assert unpacked(data) == table
    assert packed(unpacked(data)) == data
    assert data == path_of("googlenet").read_bytes()
    assert dataclasses.replace(table, depth=3) != table


def test_all_tables_together_are_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 2_000_000


@pytest.mark.parametrize("name", ["../totals", "/etc/passwd", "keras/VGG16", "", "vgg16", "VGG16\x00", "."])
def test_a_name_that_is_no_card_opens_no_file(name):
    with pytest.raises(KeyError, match="There is no network called"):
        table_of(name)


@pytest.mark.parametrize("data", [b"", b"no", packed(table_of("lenet5"))[:-20], b"\x1f\x8b" + b"0" * 40])
def test_a_broken_file_is_said_to_be_none(data):
    with pytest.raises(ValueError, match="no table"):
        unpacked(data)


def test_no_keras_is_needed():
    code = (
        "import sys\n"
        "from explorer.architectures import compare, export, registration, tables\n"
        "registration.register_networks()\n"
        "two = [tables.table_of('VGG16'), tables.table_of('alexnet')]\n"
        "export.latex_of_ratios(compare.compare(two))\n"
        "tables.totals()\n"
        "assert not {'keras', 'tensorflow', 'streamlit', 'plotly'} & set(sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=120)
