"""What a scene is: declared settings with limits that follow one another, presets, and a stage built from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from explorer.convolution.stage import Stage

Settings = Mapping[str, Any]
"""The value of each control by name: int, (int, int), float, str, bool, or float64 array (None: the scene's own)."""

Kind = Literal["count", "pair", "number", "choice", "switch", "grid", "text"]


@dataclass(frozen=True)
class Control:
    """One setting of a scene.

    Attributes:
        name: argument-like name, Keras' where it has one; the link's parameter is `convolution_<name>`.
        label: what a visitor calls it.
        kind: "count" (whole number), "pair" (rows × columns), "number", "choice", "switch", "grid" (numbers of a
            board; drawn on the stage, not among the controls), "text".
        default: value when neither link nor preset says otherwise; None for a grid that the scene fills itself.
        low: smallest number (of each of a pair), whatever the other settings.
        high: largest number, whatever the other settings.
        step: step of a "number".
        options: values of a choice with what is printed for them.
        main: whether it stands in the row above the stage; the others are folded under *More*.
        help: one sentence.
        shown: tells whether the control means anything with these settings; it is left out otherwise.
        most: for a grid, the largest shape that is taken.
    """

    name: str
    label: str
    kind: Kind
    default: Any
    low: float = 0
    high: float = 1
    step: float = 1
    options: Mapping[str, str] = field(default_factory=dict)
    main: bool = True
    help: str = ""
    shown: Callable[[Settings], bool] = lambda settings: True
    most: tuple[int, ...] = ()


@dataclass(frozen=True)
class Preset:
    """Named settings; what it does not name has the control's default."""

    name: str
    title: str
    settings: Settings


@dataclass(frozen=True)
class Code:
    """Programs that compute the stage's result board; each ends by assigning it to `result`.

    `keras` imports keras and numpy, `numpy` imports numpy and explorer.convolution only. `result` has the shape of
    the board's own array: `(h, w, c)`, or `(steps, c)` for a sequence.
    """

    keras: str
    numpy: str


@dataclass(frozen=True)
class Scene:
    """One scene of the convolution page.

    Attributes:
        name: in links: "convolution", "channels", "transposed", "pooling", "one_dimension", "photo", "growing".
        title: on its button, one or two words.
        question: the one-sentence question that it answers.
        controls: its settings.
        presets: the first is what a first visit shows.
        impossible: one sentence why settings cannot be, or None; a wrong shape of a grid is never a reason.
        build: the stage of possible settings.
        code: the programs of possible settings.
        background: Markdown with formulas and sources.
        table: rows for a table below the stage (column to value), where the scene has one.
    """

    name: str
    title: str
    question: str
    controls: tuple[Control, ...]
    presets: tuple[Preset, ...]
    impossible: Callable[[Settings], str | None]
    build: Callable[[Settings], Stage]
    code: Callable[[Settings], Code]
    background: str = ""
    table: Callable[[Settings], list[dict[str, Any]]] | None = None

    def control(self, name: str) -> Control:
        """Return the control of that name."""
        return next(control for control in self.controls if control.name == name)

    def settings(self, preset: str = "", **changed: Any) -> dict[str, Any]:
        """Return the settings of a preset (the first for "") with some changed."""
        chosen = next((one for one in self.presets if one.name == preset), self.presets[0])
        return {control.name: control.default for control in self.controls} | dict(chosen.settings) | changed
