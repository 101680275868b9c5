"""What a lesson declares: the sentence it puts to the test, its knobs with their limits, its presets, its script.

A lesson is data. What it trains stands in `explorer.runs.tasks` under the same name; this side knows no Keras, so that
a page can show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from explorer.networks.work_context import SentenceError
from explorer.runs.record import Config

LONGEST_TEXT = 4000

KnobKind = Literal["choice", "choices", "integer", "number", "switch", "text"]
DataKind = Literal["classes", "masks", "pictures", "sequences"]


@dataclass(frozen=True)
class Knob:
    """One setting of a lesson.

    Attributes:
        name: in settings, links and scripts.
        label: what a visitor calls it.
        kind: "choice" is one of `options`, "choices" one or more of them (a tuple), "text" up to 4,000 characters.
        default: its value when nothing is said.
        options: value to printed text, for choices.
        low: smallest number.
        high: largest number.
        step: of a slider; whole numbers are `low` and so many steps, unless it goes by factors.
        logarithmic: whether a slider goes by factors, as for learning rates.
        main: whether it stands in the row of main controls; the others are folded under *more*.
        only_if: shown and used only while other knobs have one of these values.
        gpu: whether it is of use on a GPU only, and so not shown where there is none.
        help: one sentence behind the "i".
    """

    name: str
    label: str
    kind: KnobKind
    default: Any
    options: Mapping[Any, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    step: float | None = None
    logarithmic: bool = False
    main: bool = False
    only_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    gpu: bool = False
    help: str = ""

    def checked(self, value: Any) -> Any:
        """Return a value as the task wants it.

        Raises:
            SentenceError: if it is not one that this knob can have.
        """
        if self.kind == "switch":
            if isinstance(value, bool):
                return value
        elif self.kind == "choice":
            if value in self.options:
                return value
        elif self.kind == "choices":
            chosen = tuple(value) if isinstance(value, list | tuple) else ()
            if chosen and len(set(chosen)) == len(chosen) and all(each in self.options for each in chosen):
                return tuple(each for each in self.options if each in chosen)
        elif self.kind == "text":
            if isinstance(value, str) and len(value) <= LONGEST_TEXT:
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            whole = self.kind == "integer"
            if not (whole and (value != int(value) or not self._on_a_step(value))) and self._within(value):
                return int(value) if whole else float(value)
        raise SentenceError(f"{self.label}: {self._wanted()}.")

    def _within(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _on_a_step(self, value: float) -> bool:
        return not self.step or self.logarithmic or (value - (self.low or 0)) % self.step == 0

    def _wanted(self) -> str:
        if self.kind in ("choice", "choices"):
            least = "choose one of" if self.kind == "choice" else "choose at least one of"
            return f"{least} {', '.join(self.options.values())}"
        if self.kind == "switch":
            return "it is on or off"
        if self.kind == "text":
            return f"a text of at most {LONGEST_TEXT:,} characters"
        number = "a whole number" if self.kind == "integer" else "a number"
        steps = f" in steps of {self.step:g}" if self.kind == "integer" and (self.step or 1) != 1 else ""
        return f"{number} from {self.low:g} to {self.high:g}{steps}"


@dataclass(frozen=True)
class Preset:
    """Settings that go together.

    Attributes:
        name: in links.
        title: what a visitor reads.
        settings: what differs from the knobs' defaults.
        data: what differs from the lesson's first data.
        gpu: whether it is meant for a GPU, because it takes long without.
        note: one sentence about it.
    """

    name: str
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    gpu: bool = False
    note: str = ""


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        name: that of its task.
        order: place among the lessons, from 1.
        title: what a visitor calls it.
        icon: a Material symbol, ":material/…:".
        sentence: what the lecture says, which the run's own numbers decide.
        question: what a visitor finds out, as a question.
        knobs: its settings.
        presets: the first is what a visitor meets; it ends within two minutes on two cores.
        data: names in `explorer.runs.data.sources` that it takes, the first one being the default; empty for a
            lesson that makes its own.
        estimate: from all settings and the data's to seconds on two cores of a laptop, roughly.
        parts: from the same to the seconds of each part (`RunContext.part`), all of them within the estimate; None
            for a run of one part.
        script: from a config to a Python script that trains the same with Keras alone, where it can.
        variants: value to title of what a run trains side by side; empty for one network.
        pretrained: whether it starts from a network of the catalogue (`Config.network`).
        background: Markdown with formulas and sources, shown below.
        settled: by source the names of those settings of the data that the lesson's own settings decide, so that
            nobody is asked for them.
        loads: from the data that were asked for and all settings to the data that a run loads, where they differ.
        glance: for a lesson that makes its own data, from all settings and the seed to an `Overview` of pictures
            (`explorer.runs.data.overview`) or a `SequenceOverview`; raises `SentenceError` where there are none.
    """

    name: str
    order: int
    title: str
    icon: str
    sentence: str
    question: str
    knobs: tuple[Knob, ...]
    presets: tuple[Preset, ...]
    data: tuple[str, ...]
    estimate: Callable[[Mapping[str, Any], Mapping[str, Any]], float]
    script: Callable[[Config], str]
    variants: Mapping[str, str] = field(default_factory=dict)
    pretrained: bool = False
    background: str = ""
    settled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    loads: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]] | None = None
    glance: Callable[[Mapping[str, Any], int], Any] | None = None
    parts: Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[float]] | None = None

    def data_loaded(self, data: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data that a run loads of which these were asked for."""
        return dict(data) if self.loads is None else self.loads(data, settings)

    def is_settled(self, source: str, name: str) -> bool:
        """Tell whether the lesson's own settings decide a setting of a source."""
        return name in self.settled.get(source, ())

    def knob(self, name: str) -> Knob:
        """Return a knob.

        Raises:
            SentenceError: if there is none of that name.
        """
        for knob in self.knobs:
            if knob.name == name:
                return knob
        raise SentenceError(f"{self.title} has no setting called {name!r}.")

    def preset(self, name: str) -> Preset:
        """Return a preset, the first one for a name that there is not."""
        return next((each for each in self.presets if each.name == name), self.presets[0])

    def settings(self, given: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """Return a value for every knob: those given, checked, and the defaults.

        Raises:
            SentenceError: if a value cannot be, or its name is unknown.
        """
        for name in given:
            self.knob(name)
        return {knob.name: knob.checked(given.get(knob.name, knob.default)) for knob in self.knobs}

    def in_use(self, settings: Mapping[str, Any]) -> tuple[Knob, ...]:
        """Return the knobs that matter with these settings."""
        return tuple(
            knob
            for knob in self.knobs
            if all(self._has_one_of(settings.get(name), values) for name, values in knob.only_if.items())
        )

    @staticmethod
    def _has_one_of(value: Any, values: tuple[Any, ...]) -> bool:
        return any(each in values for each in value) if isinstance(value, tuple | list) else value in values
