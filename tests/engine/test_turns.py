"""The line: fair to visitors, and its places are the order of service."""

import random

import pytest

from explorer.engine.turns import Turns


class Item:
    def __init__(self, visitor: str, number: int) -> None:
        self.visitor, self.number = visitor, number

    def __repr__(self) -> str:
        return f"{self.visitor}{self.number}"


def fill(turns: Turns, wanted: str) -> list[Item]:
    items = [Item(word[0], int(word[1:])) for word in wanted.split()]
    for item in items:
        turns.add(item.visitor, item)
    return items


def serve_all(turns: Turns) -> str:
    served = []
    while (item := turns.take()) is not None:
        served.append(repr(item))
        turns.release(item.visitor)
    return " ".join(served)


@pytest.mark.parametrize(
    ("arrivals", "service"),
    [
        ("a1 a2 a3", "a1 a2 a3"),
        ("a1 a2 a3 b1 c1 b2", "a1 b1 c1 a2 b2 a3"),
        ("a1 b1 a2 b2 c1 c2 c3", "a1 b1 c1 a2 b2 c2 c3"),
        ("b1 a1 a2 b2", "b1 a1 b2 a2"),
    ],
)
def test_visitors_take_turns_in_an_order_counted_by_hand(arrivals: str, service: str) -> None:
    turns: Turns[Item] = Turns()
    fill(turns, arrivals)
    assert [repr(item) for item in turns.order()] == service.split()
    assert serve_all(turns) == service


def test_a_newcomer_waits_for_one_call_and_not_for_a_whole_queue() -> None:
    turns: Turns[Item] = Turns()
    fill(turns, "a1 a2 a3 a4 a5")
    assert repr(turns.take()) == "a1"
    fill(turns, "b1 b2")
    turns.release("a")
    fill(turns, "c1")
    assert serve_all(turns) == "b1 a2 c1 b2 a3 a4 a5"


def test_turns_are_not_saved_up_while_away() -> None:
    turns: Turns[Item] = Turns()
    fill(turns, "b1")
    turns.take()
    turns.release("b")
    fill(turns, "a1 a2 a3 a4 a5 a6")
    for _ in range(4):
        item = turns.take()
        turns.release(item.visitor)
    fill(turns, "b2 b3 b4")
    assert serve_all(turns) == "a5 b2 a6 b3 b4"


def test_a_stream_of_newcomers_starves_nobody() -> None:
    turns: Turns[Item] = Turns()
    fill(turns, "a1 a2")
    served = []
    for number in range(5):
        turns.add(f"new {number}", Item("n", number))
        item = turns.take()
        served.append(repr(item))
        turns.release("a" if item.visitor == "a" else f"new {item.number}")
    assert served == ["a1", "n0", "a2", "n1", "n2"]


def test_a_visitor_has_one_call_in_flight() -> None:
    turns: Turns[Item] = Turns()
    fill(turns, "a1 a2 b1")
    assert repr(turns.take()) == "a1"
    assert repr(turns.take()) == "b1"
    assert turns.take() is None
    turns.release("a")
    assert repr(turns.take()) == "a2"


def test_whoever_leaves_the_line_makes_room() -> None:
    turns: Turns[Item] = Turns()
    items = fill(turns, "a1 a2 b1 c1")
    assert turns.remove("a", items[0])
    assert not turns.remove("a", items[0])
    assert not turns.remove("nobody", items[0])
    assert serve_all(turns) == "a2 b1 c1"
    assert len(turns) == 0


def test_places_hold_and_nobody_is_served_twice_before_a_waiting_visitor() -> None:
    chance = random.Random(7)
    for _ in range(200):
        turns: Turns[Item] = Turns()
        for number in range(chance.randint(1, 30)):
            visitor = chance.choice("abc")
            turns.add(visitor, Item(visitor, number))
        announced = turns.order()
        served: list[Item] = []
        while (item := turns.take()) is not None:
            served.append(item)
            turns.release(item.visitor)
        assert served == announced
        for visitor in "abc":
            own = [index for index, item in enumerate(served) if item.visitor == visitor]
            for earlier, later in zip([-1, *own], own, strict=False):
                between = [item.visitor for item in served[earlier + 1 : later]]
                assert len(between) == len(set(between))
            numbers = [served[index].number for index in own]
            assert numbers == sorted(numbers)


def test_visitors_who_left_are_forgotten() -> None:
    turns: Turns[Item] = Turns()
    for number in range(500):
        turns.add(f"visitor {number}", Item("v", number))
        turns.take()
        turns.release(f"visitor {number}")
    assert not turns._waiting
    assert not turns._served
    assert not turns._in_line
