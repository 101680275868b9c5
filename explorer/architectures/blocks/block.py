"""What a building block is: settings with limits, presets, and variants of it side by side, standard and improved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from explorer.architectures.results import NetworkTable
from explorer.architectures.sketch import Clash, Sketch

Values = Mapping[str, Any]
"""The value of each setting by its name: int, float, str or bool."""

SettingKind = Literal["count", "number", "choice", "switch"]


@dataclass(frozen=True)
class Setting:
    """One setting of a block, or one argument of a layer.

    Attributes:
        name: Keras' name of the argument where it has one.
        label: What a visitor calls it.
        kind: "count" (a whole number), "number", "choice" (a text among the options), "switch".
        default: Its value when nothing else is said.
        low: Smallest number.
        high: Largest number.
        step: Step of a "number"; a "count" goes by 1.
        choices: For a "count", the numbers to choose from (a slider goes through these); none for all.
        options: Values of a choice with what is printed for them.
        main: Whether it stands in the first row.
        help: One sentence.
        shown: Tells whether it means anything with these values.
    """

    name: str
    label: str
    kind: SettingKind
    default: Any
    low: float = 0
    high: float = 1
    step: float = 1
    choices: tuple[int, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    main: bool = True
    help: str = ""
    shown: Callable[[Values], bool] = lambda values: True

    def takes(self, value: Any) -> bool:
        """Return whether a value may stand here: of the right type, and one of the choices or within the limits."""
        if self.kind == "switch":
            return isinstance(value, bool)
        if self.kind == "choice":
            return isinstance(value, str) and value in self.options
        if isinstance(value, bool):
            return False
        if self.choices:
            return isinstance(value, int) and value in self.choices
        if self.kind == "count":
            return isinstance(value, int) and self.low <= value <= self.high
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True)
class Preset:
    """Named settings; what it does not name has its default."""

    name: str
    title: str
    settings: Values


@dataclass(frozen=True)
class Letter:
    """A letter of a formula: what it stands for, and its value with the settings at hand."""

    symbol: str
    meaning: str
    value: float


@dataclass(frozen=True)
class Variant:
    """One way to build the block.

    Attributes:
        title: A few words.
        sketch: Its layers; a broken one, where shapes clash, is in it too.
        weights: LaTeX with letters: how many weights; "" where the sum says nothing.
        work: LaTeX likewise: how many multiply-adds.
        letters: The letters of both.
        note: One sentence about it; empty for nothing.
    """

    title: str
    sketch: Sketch
    weights: str = ""
    work: str = ""
    letters: tuple[Letter, ...] = ()
    note: str = ""

    @property
    def clash(self) -> Clash | None:
        """Return what does not fit, if anything."""
        return self.sketch.clash

    @cached_property
    def table(self) -> NetworkTable:
        """Return shapes, costs and tree."""
        return self.sketch.table()


@dataclass(frozen=True)
class Curve:
    """Values over the same x as those of the other curves of a `Live`."""

    title: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Live:
    """A small computation that goes with a block: curves over one axis.

    Attributes:
        title: What is shown.
        x_title: Of the axis.
        y_title: Of the values.
        curves: At most four.
        numbers: Names and values to print beside it.
        sentence: What can be seen.
        bars: Whether the values belong to separate things and are better drawn as bars.
    """

    title: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...]
    numbers: Mapping[str, str]
    sentence: str
    bars: bool = False


@dataclass(frozen=True)
class Block:
    """One building block of the lab.

    Attributes:
        name: In links.
        title: On its button.
        question: The one-sentence question that it answers.
        settings: What can be set.
        presets: The first is what a first visit shows.
        make: The variants, two to four, of values within the limits; see `build`.
        lesson: One sentence with the numbers at hand; see `told`.
        source: Where it comes from.
        live: A small computation beside the counts, for some blocks.
    """

    name: str
    title: str
    question: str
    settings: tuple[Setting, ...]
    presets: tuple[Preset, ...]
    make: Callable[[Values], Sequence[Variant]]
    lesson: Callable[[Values, Sequence[Variant]], str]
    source: str
    live: Callable[[Values], Live] | None = None

    def setting(self, name: str) -> Setting:
        """Return the setting of that name."""
        return next(setting for setting in self.settings if setting.name == name)

    def values(self, preset: str = "", **changed: Any) -> dict[str, Any]:
        """Return the settings of a preset (the first for "") with some changed."""
        chosen = next((one for one in self.presets if one.name == preset), self.presets[0])
        return {setting.name: setting.default for setting in self.settings} | dict(chosen.settings) | changed

    def build(self, values: Values) -> tuple[Variant, ...]:
        """Return the variants, side by side; a shape that clashes is inside its variant, not raised.

        Raises:
            ValueError: if a value is missing or outside its limits.
        """
        for setting in self.settings:
            if not setting.takes(values.get(setting.name)):
                raise ValueError(f"{setting.label} cannot be {values.get(setting.name)!r}.")
        return tuple(self.make(values))


def sketched(name: str, draw: Callable[[Sketch], object]) -> Sketch:
    """Return a sketch that a function draws, with the broken layer where it clashes."""
    sketch = Sketch(name)
    with suppress(Clash):  # It is in the sketch, where the page shows it.
        draw(sketch)
    return sketch
