"""Graphs drawn by hand are read as a person would read them."""

import random

import pytest

from explorer.networks.decomposition import ENTRY, Parallel, Tangle, decompose


def items_of(parts):
    for part in parts:
        if isinstance(part, Parallel):
            for branch in part.branches:
                yield from items_of(branch)
            if part.merge is not None:
                yield part.merge
        elif isinstance(part, Tangle):
            yield from part.items
        else:
            yield part


def test_a_chain_is_a_chain():
    assert decompose([[ENTRY], [0], [1]]) == (0, 1, 2)
    assert decompose([]) == ()


def test_a_shortcut_is_an_empty_branch():
    # 0 → 1 → 2 → 3, and 0 → 3
    assert decompose([[ENTRY], [0], [1], [2, 0], [3]]) == (0, Parallel(((1, 2), ()), 3), 4)


def test_branches_end_in_their_merge():
    # Three branches of 1, 2 and 1 items from 0 into 5.
    assert decompose([[ENTRY], [0], [0], [2], [0], [1, 3, 4]]) == (0, Parallel(((1,), (2, 3), (4,)), 5))


def test_branches_may_have_branches():
    # 0 → (1 | 2 → (3 | 4) → 5) → 6
    graph = [[ENTRY], [0], [0], [2], [2], [3, 4], [1, 5]]
    assert decompose(graph) == (0, Parallel(((1,), (2, Parallel(((3,), (4,)), 5))), 6))


def test_a_branch_that_splits_into_the_outer_merge_has_no_merge_of_its_own():
    # 0 → (1 | 2 → (3 | 4)) → 5
    assert decompose([[ENTRY], [0], [0], [2], [2], [1, 3, 4]]) == (
        0,
        Parallel(((1,), (2, Parallel(((3,), (4,)), None))), 5),
    )


def test_shortcuts_one_after_another():
    graph = [[ENTRY], [0], [1, 0], [2], [3, 2]]
    assert decompose(graph) == (0, Parallel(((1,), ()), 2), Parallel(((3,), ()), 4))


def test_dense_connections_that_skip_several_blocks_are_a_tangle():
    # 3 and 4 both reach over 3: no branch can be told from another.
    graph = [[ENTRY], [0], [0], [1, 2], [3, 1], [4, 2]]
    parts = decompose(graph)
    assert parts[0] == 0
    assert list(items_of(parts)) == [0, 1, 2, 3, 4, 5]
    assert any(isinstance(part, Tangle) for part in parts)


def test_cells_that_read_the_two_cells_before_are_told_apart():
    # As in NASNet: each cell (two items and a merge) reads the two merges before it.
    graph, merges = [[ENTRY], [0]], [0, 1]
    for _ in range(3):
        first = len(graph)
        graph += [[merges[-1]], [merges[-2]], [first, first + 1]]
        merges.append(first + 2)
    graph.append([merges[-1]])
    parts = decompose(graph)
    assert [part.items for part in parts if isinstance(part, Tangle)][-2:] == [(5, 6, 7), (8, 9, 10)]
    assert list(items_of(parts)) == list(range(12))


def test_two_inputs_are_branches_of_nothing():
    assert decompose([[ENTRY], [ENTRY], [0, 1]]) == (Parallel(((0,), (1,)), 2),)


def test_an_output_on_the_way_is_jumped_by_nothing_but_leads_out():
    # 1 gives an output and feeds 2: what follows is beside that output.
    assert list(items_of(decompose([[ENTRY], [0], [1]], outputs=[1, 2]))) == [0, 1, 2]


def test_every_item_occurs_exactly_once_in_random_graphs():
    for seed in range(200):
        dice = random.Random(seed)
        size = dice.randint(1, 25)
        graph = [sorted({dice.randint(ENTRY, item - 1) for _ in range(dice.randint(1, 3))}) for item in range(size)]
        assert sorted(items_of(decompose(graph))) == list(range(size))


def test_edges_point_forwards():
    with pytest.raises(ValueError, match="item 0"):
        decompose([[1], [0]])
