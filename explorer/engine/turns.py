"""Whose turn it is: one line per lane in which visitors take turns, whatever the number of calls each has waiting.

Start-time fair queueing (Goyal, Vin and Cheng 1996, section 2) with calls of equal weight: each waiting call has a
turn; a visitor's calls have consecutive turns, and a visitor who comes new or after a pause joins in the turn that
is being served. Calls are served by turn, within a turn by arrival. So nobody waits for more than one call of each
other visitor per own call, and nobody saves up turns by being away.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """A line of items that belong to visitors; not thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[tuple[int, Item]]] = {}
        self._next_turn: dict[str, int] = {}
        self._turn = 0
        self._arrivals = 0
        self._served: set[str] = set()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def count(self, visitor: str) -> int:
        """Return how many items of one visitor wait."""
        return len(self._waiting.get(visitor, ()))

    def add(self, visitor: str, item: Item) -> None:
        """Put an item last among those of its visitor."""
        if visitor not in self._waiting:
            self._waiting[visitor] = deque()
            self._next_turn[visitor] = max(self._turn, self._next_turn.get(visitor, 0))
        self._arrivals += 1
        self._waiting[visitor].append((self._arrivals, item))

    def remove(self, visitor: str, item: Item) -> bool:
        """Take an item out of the line; return whether it was in it."""
        line = self._waiting.get(visitor, deque())
        for entry in line:
            if entry[1] is item:
                line.remove(entry)
                self._tidy(visitor)
                return True
        return False

    def take(self) -> Item | None:
        """Return the next item whose visitor is not being served, and count that visitor as served from now on."""
        idle = [visitor for visitor in self._waiting if visitor not in self._served]
        if not idle:
            return None
        visitor = min(idle, key=lambda each: (self._next_turn[each], self._waiting[each][0][0]))
        _, item = self._waiting[visitor].popleft()
        self._turn = max(self._turn, self._next_turn[visitor])
        self._next_turn[visitor] += 1
        self._served.add(visitor)
        self._tidy(visitor)
        return item

    def release(self, visitor: str) -> None:
        """Count a visitor as no longer served: the call in flight has ended."""
        self._served.discard(visitor)

    def order(self) -> list[Item]:
        """Return the waiting items in the order in which they will be served."""
        entries = [
            (self._next_turn[visitor] + index, arrival, item)
            for visitor, line in self._waiting.items()
            for index, (arrival, item) in enumerate(line)
        ]
        return [item for _, _, item in sorted(entries, key=lambda entry: entry[:2])]

    def _tidy(self, visitor: str) -> None:
        """Forget a visitor without waiting items, and turns that lie behind: the book stays small."""
        if not self._waiting.get(visitor, True):
            del self._waiting[visitor]
        past = [each for each, turn in self._next_turn.items() if each not in self._waiting and turn <= self._turn]
        for each in past:
            del self._next_turn[each]
