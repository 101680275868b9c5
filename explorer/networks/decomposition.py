"""A directed acyclic graph read as one thing after another, and things side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

ENTRY = -1


@dataclass(frozen=True)
class Parallel:
    """Branches that start from the same place and end in the same item.

    Attributes:
        branches: What each branch runs through; empty for a direct connection.
        merge: The item in which they end, or None where they end together with what is around them.
    """

    branches: tuple[tuple[Part, ...], ...]
    merge: int | None


@dataclass(frozen=True)
class Tangle:
    """Items, in order, that are neither one after the other nor side by side."""

    items: tuple[int, ...]


Part = int | Parallel | Tangle


def decompose(predecessors: Sequence[Collection[int]], outputs: Collection[int] = ()) -> tuple[Part, ...]:
    """Read a graph as a sequence of items, parallel branches and tangles.

    An item that no edge jumps over lies on every way through the graph; the items between two such points
    fall into branches, each of which is read in the same way (series-parallel decomposition).

    Args:
        predecessors: For each item, in an order in which edges point forwards, where its edges come from;
            `ENTRY`, or none at all, stands for what is before the graph.
        outputs: Items that also lead out of the graph although others follow; those that lead nowhere
            always do.

    Returns:
        Parts in which each item occurs exactly once.

    Raises:
        ValueError: if an edge points backwards.
    """
    for item, sources in enumerate(predecessors):
        if any(source >= item for source in sources):
            raise ValueError(f"The edges into item {item} must come from items before it.")
    graph = _Graph(predecessors, outputs)
    return graph.sequence(list(range(len(predecessors))))


class _Graph:
    def __init__(self, predecessors: Sequence[Collection[int]], outputs: Collection[int]) -> None:
        self.before = [frozenset(sources) or frozenset([ENTRY]) for sources in predecessors]
        self.after: list[set[int]] = [set() for _ in predecessors]
        for item, sources in enumerate(self.before):
            for source in sources:
                if source != ENTRY:
                    self.after[source].add(item)
        self.leaves = [not after or item in outputs for item, after in enumerate(self.after)]

    def edges(self, members: Sequence[int]) -> list[tuple[int, int]]:
        """Return edges as positions among members; -1 and len(members) stand for outside."""
        position = {member: index for index, member in enumerate(members)}
        found = []
        for index, member in enumerate(members):
            found += [(position.get(source, -1), index) for source in self.before[member]]
            if self.leaves[member] or any(target not in position for target in self.after[member]):
                found.append((index, len(members)))
        return found

    def sequence(self, members: list[int]) -> tuple[Part, ...]:
        size = len(members)
        edges = self.edges(members)
        opening = [0] * (size + 2)
        for start, end in edges:
            opening[start + 1] += 1
            opening[end] -= 1
        cuts, above = [], 0
        for index in range(size):
            above += opening[index]
            if above == 0:
                cuts.append(index)
        direct = {(start, end) for start, end in edges}
        parts: list[Part] = []
        previous = -1
        for cut in [*cuts, size]:
            inside = members[previous + 1 : cut]
            target = members[cut] if cut < size else None
            through = (previous, cut) in direct and not (previous == -1 and cut == size)
            parts += self.region(inside, target, through)
            previous = cut
        return tuple(parts)

    def region(self, inside: list[int], end: int | None, through: bool) -> list[Part]:
        """Read what lies between two cut points, and the second of them."""
        tail = [] if end is None else [end]
        if not inside:
            return [*tail]
        groups = self.components(inside)
        if len(groups) + through < 2:
            joins = end is not None and len(self.before[end]) > 1
            return self.cells([*inside, *tail]) if joins else [*self.cells(inside), *tail]
        branches = tuple(self.sequence(group) for group in groups)
        return [Parallel((*branches, ()) if through else branches, end)]

    def components(self, members: list[int]) -> list[list[int]]:
        """Return the weakly connected groups, each in order, by their first members."""
        belongs = set(members)
        group_of: dict[int, int] = {}
        groups: list[list[int]] = []
        for member in members:
            if member in group_of:
                continue
            group: list[int] = []
            waiting = [member]
            group_of[member] = len(groups)
            while waiting:
                item = waiting.pop()
                group.append(item)
                for other in (self.before[item] | self.after[item]) & belongs:
                    if other not in group_of:
                        group_of[other] = len(groups)
                        waiting.append(other)
            groups.append(sorted(group))
        return groups

    def cells(self, members: list[int]) -> list[Part]:
        """Split what cannot be read as branches after each merge where at most two results are still in use.

        In NASNet each cell reads the two cells before it; its last merge is such a place.
        """
        last_use = [0] * (len(members) + 1)
        for start, end in self.edges(members):
            last_use[start + 1] = max(last_use[start + 1], end)
        cells: list[Part] = []
        first = 0
        for index, member in enumerate(members):
            in_use = sum(1 for use in last_use[: index + 2] if use > index)
            if len(self.before[member]) > 1 and in_use <= 2 and index + 1 < len(members):
                cells.append(Tangle(tuple(members[first : index + 1])))
                first = index + 1
        cells.append(Tangle(tuple(members[first:])))
        return cells
