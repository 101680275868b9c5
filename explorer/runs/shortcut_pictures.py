"""Pictures whose backgrounds give their classes away, the same pictures with backgrounds swapped, and their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.pictures.drawn_world import CLASSES, draw, draw_without_object
from explorer.runs.data.drawn import FIRST_WORLD
from explorer.runs.data.picture_set import PictureSet

SETS = ("sea", "meadow")
"""The background of each of the two classes, in their order."""

JUDGED_PER_CLASS = 100


@dataclass(frozen=True)
class Address:
    """What one picture is: enough to draw it again.

    Attributes:
        label: 0 for the class at sea, 1 for the one on a meadow.
        kind: its class in the drawn world.
        world: seed.
        number: which picture of that world.
        backgrounds: set of backgrounds that it stands before.
    """

    label: int
    kind: int
    world: int
    number: int
    backgrounds: str

    @property
    def name(self) -> str:
        """How links name it."""
        return f"drawn:{CLASSES[self.kind]}:{self.number}:{self.world}:{self.backgrounds}"

    def swapped(self) -> Address:
        """Return the same object before the other class's background."""
        other = SETS[1 - SETS.index(self.backgrounds)]
        return Address(self.label, self.kind, self.world, self.number, other)


def world_of(seed: int) -> int:
    """Return the world of a run's training pictures; the next one is that of its validation."""
    return FIRST_WORLD + 2 * (seed % 1_000_000)


def addresses(names: Sequence[str], seed: int, count: int, part: str, bias: float = 1.0) -> list[Address]:
    """Return the addresses of pictures, class by class in turn.

    Args:
        names: of the class at sea and the class on a meadow.
        seed: of the run.
        count: of each class.
        part: "training" or "validation": other worlds.
        bias: share of each class before its own background; the others stand before the other one's.
    """
    world = world_of(seed) + (part == "validation")
    kinds = [CLASSES.index(name) for name in names]
    own = round(bias * count)
    found = []
    for number in range(count):
        for label, kind in enumerate(kinds):
            # Spread evenly, so that the exceptions do not all come last.
            is_own = (number + 1) * own // count > number * own // count
            background = SETS[label] if is_own else SETS[1 - label]
            found.append(Address(label, kind, world, number * len(CLASSES) + kind, background))
    return found


def of_all_kinds(given: Sequence[Address], backgrounds: str = "training") -> list[Address]:
    """Return the same objects before backgrounds of all kinds."""
    return [Address(each.label, each.kind, each.world, each.number, backgrounds) for each in given]


def drawn(given: Sequence[Address], names: Sequence[str], side: int) -> PictureSet:
    """Draw pictures.

    Args:
        given: their addresses.
        names: of the two classes.
        side: pixels.
    """
    pixels = [_drawing(each, side) for each in given]
    labels = np.array([each.label for each in given], np.int64)
    return PictureSet(np.stack(pixels), tuple(names), labels, names=tuple(each.name for each in given))


def _drawing(address: Address, side: int) -> np.ndarray:
    backgrounds: Any = address.backgrounds
    return draw(address.world, address.number, size=side, label=address.kind, backgrounds=backgrounds).pixels


def without_objects(given: Sequence[Address], side: int) -> np.ndarray:
    """Draw the backgrounds of pictures alone, uint8 (n, side, side, 3)."""
    pictures = []
    for each in given:
        backgrounds: Any = each.backgrounds
        pictures.append(draw_without_object(each.world, each.number, size=side, backgrounds=backgrounds))
    return np.stack(pictures)
