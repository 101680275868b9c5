"""Networks beside each other."""

import itertools

import pytest

from explorer.architectures.compare import Comparison, compare, scale_of
from explorer.architectures.tables import table_of


def pairs(names):
    tables = [table_of(name) for name in names]
    return tables, compare(tables)


@pytest.mark.parametrize(
    "names",
    [
        ("VGG16", "VGG19"), ("alexnet", "VGG16", "googlenet"), ("resnet_18", "resnet_34", "ResNet50", "ResNet152"),
        ("unet", "cnn2"), ("NASNetLarge", "ResNet152"), ("lenet5", "lenet5"),
    ],
)  # fmt: skip
def test_each_layer_stands_in_one_row_and_in_its_order(names):
    tables, found = pairs(names)
    for column, table in enumerate(tables):
        path = [row.paths[column] for row in found.rows if row.paths[column] is not None]
        assert path == list(table.structure.layers)
    for row in found.rows:
        there = [(t, t.structure.layers[p]) for t, p in zip(tables, row.paths, strict=True) if p is not None]
        assert there
        assert {scale_of(table, layer) for table, layer in there} == {row.scale}


def test_a_network_agrees_with_itself():
    table = table_of("googlenet")
    found = compare([table, table])
    assert all(row.complete and row.paths[0] == row.paths[1] and row.differs == () for row in found.rows)
    assert all(one.ratios == (1.0, 1.0) for one in found.ratios)


def test_vgg19_has_three_convolutions_more_than_vgg16_and_differs_in_nothing_else():
    _, found = pairs(("VGG16", "VGG19"))
    alone = [row for row in found.rows if not row.complete]
    assert [row.paths[0] for row in alone] == [None] * 3
    assert all(row.paths[1].endswith(("conv1", "conv2", "conv3", "conv4")) for row in alone)
    assert [row.paths[1][:6] for row in alone] == ["block3", "block4", "block5"]
    assert all(row.differs == () for row in found.rows if row.complete)


def test_alexnets_groups_are_the_only_difference_between_its_two_forms():
    _, found = pairs(("alexnet", "alexnet_ungrouped"))
    assert all(row.complete for row in found.rows)
    differing = [row for row in found.rows if row.differs]
    assert {row.differs for row in differing} == {("groups", "parameters", "multiply_adds")}
    assert len(differing) == 3


def test_the_written_out_resnet_and_that_of_keras_differ_in_biases_alone():
    tables, found = pairs(("ResNet50", "resnet_50"))
    together = [row for row in found.rows if row.complete and tables[0].structure.layers[row.paths[0]].kind == "Conv2D"]
    assert len(together) == 53
    # How a 1 × 1 convolution is padded makes no difference.
    assert {tuple(what for what in row.differs if what != "padding") for row in together} == {
        ("use_bias", "parameters")
    }


def ratio(found: Comparison, quantity):
    return next(one for one in found.ratios if one.quantity == quantity)


def test_ratios_to_the_first():
    tables, found = pairs(("googlenet", "alexnet", "VGG16"))
    weights = ratio(found, "parameters")
    assert weights.values == tuple(table.parameters for table in tables)
    assert weights.ratios[0] == 1
    assert weights.ratios[1] == pytest.approx(8.71, abs=0.005)
    assert weights.ratios[2] == pytest.approx(19.77, abs=0.005)
    assert [one.quantity for one in found.ratios] == [
        "parameters", "trainable", "multiply_adds", "activations", "depth", "layers",
    ]  # fmt: skip


def test_fewer_than_two_and_more_than_four_are_refused():
    table = table_of("lenet5")
    for number in (0, 1, 5):
        with pytest.raises(ValueError, match="Two to 4"):
            compare([table] * number)


def test_no_alignment_of_small_networks_is_more_alike():
    """The pairs are the best among all that keep the order, tried one by one."""
    import numpy as np

    from explorer.architectures.compare import _best_pairs

    random = np.random.default_rng(0)
    for _ in range(30):
        likeness = np.where(random.random((4, 5)) < 0.5, random.random((4, 5)), 0.0)
        best = 0.0
        for size in range(5):
            for rows in itertools.combinations(range(4), size):
                for columns in itertools.combinations(range(5), size):
                    values = [likeness[r, c] for r, c in zip(rows, columns, strict=True)]
                    if all(values):
                        best = max(best, sum(values))
        assert sum(likeness[r, c] for r, c in _best_pairs(likeness)) == pytest.approx(best)
