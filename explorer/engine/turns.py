"""Whose turn it is: one line per lane in which visitors take turns, whatever the number of calls each has waiting.

Round robin over visitors, as Nagle proposed for packets of many hosts (RFC 970, 1985): a visitor gets in line when
a call of theirs may start, that is when they have one waiting and none in flight; served is who stands first. So
nobody waits for more than one call of each other visitor per own call, nobody can be overtaken for ever, and turns
are not saved up by being away.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """A line of items that belong to visitors; not thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Item]] = {}
        self._in_line: deque[str] = deque()
        self._served: dict[str, None] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def count(self, visitor: str) -> int:
        """Return how many items of one visitor wait."""
        return len(self._waiting.get(visitor, ()))

    def add(self, visitor: str, item: Item) -> None:
        """Put an item last among those of its visitor."""
        if visitor not in self._waiting:
            self._waiting[visitor] = deque()
            if visitor not in self._served:
                self._in_line.append(visitor)
        self._waiting[visitor].append(item)

    def remove(self, visitor: str, item: Item) -> bool:
        """Take an item out of the line; return whether it was in it."""
        items = self._waiting.get(visitor, deque())
        if item not in items:
            return False
        items.remove(item)
        if not items:
            del self._waiting[visitor]
            if visitor not in self._served:
                self._in_line.remove(visitor)
        return True

    def take(self) -> Item | None:
        """Return the next item, and count its visitor as served until `release`; None if nobody may be served."""
        if not self._in_line:
            return None
        visitor = self._in_line.popleft()
        self._served[visitor] = None
        item = self._waiting[visitor].popleft()
        if not self._waiting[visitor]:
            del self._waiting[visitor]
        return item

    def release(self, visitor: str) -> None:
        """Count a visitor as no longer served: the call in flight has ended."""
        self._served.pop(visitor, None)
        if visitor in self._waiting:
            self._in_line.append(visitor)

    def order(self) -> list[Item]:
        """Return the waiting items in the order in which they will be served if nobody else comes.

        Exact where one worker serves the line; where several do, calls of different visitors may change places.
        """
        visitors = [*self._in_line, *(visitor for visitor in self._served if visitor in self._waiting)]
        rounds = max((len(self._waiting[visitor]) for visitor in visitors), default=0)
        return [
            self._waiting[visitor][index]
            for index in range(rounds)
            for visitor in visitors
            if index < len(self._waiting[visitor])
        ]
