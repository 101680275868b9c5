"""Settings as a hand or a link gives them: read from text, checked against one another, printed again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.convolution import grids
from explorer.convolution.scene import Control, Scene, Settings

_PAIR = re.compile(r"\s*([+\-−]?\d{1,6})\s*(?:[x×,;\s]\s*([+\-−]?\d{1,6})\s*)?")
_COUNT = re.compile(r"\s*[+\-−]?\d{1,6}\s*")
_SWITCHES = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
_TEXT_LENGTH = 200


@dataclass(frozen=True)
class Chosen:
    """Settings that can be, and one sentence for each wish that could not be met."""

    settings: dict[str, Any]
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Neighbour:
    """The next possible value of a number in one direction.

    Attributes:
        value: that value, or None where there is none.
        why: the sentence why the very next value cannot be; empty where it can or where the range ends.
    """

    value: Any = None
    why: str = ""


def to_text(control: Control, value: Any) -> str:
    """Return a value as a link carries it and as a field shows it."""
    if value is None:
        return ""
    match control.kind:
        case "pair":
            rows, columns = value
            return str(rows) if rows == columns else f"{rows}x{columns}"
        case "switch":
            return "1" if value else "0"
        case "number":
            return f"{float(value):.6g}"
        case "grid":
            return grids.to_text(value)
    return str(value)


def from_text(control: Control, text: str) -> Any:
    """Read a value.

    Raises:
        ValueError: with one sentence that names the control and what it takes.
    """
    shown = text if len(text) <= 24 else text[:24] + "…"
    match control.kind:
        case "count":
            if not _COUNT.fullmatch(text):
                raise ValueError(f"“{shown}” is no whole number for {control.label}")
            return _inside(control, int(text.replace("−", "-")))
        case "pair":
            found = _PAIR.fullmatch(text)
            if not found:
                raise ValueError(f"“{shown}” is no size for {control.label}: give 3, or 3x5 for rows and columns")
            rows = int(found[1].replace("−", "-"))
            columns = int((found[2] or found[1]).replace("−", "-"))
            return _inside(control, rows), _inside(control, columns)
        case "number":
            try:
                number = float(text.replace("−", "-").replace(",", "."))
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise ValueError(f"“{shown}” is no number for {control.label}")
            return _inside(control, number)
        case "choice":
            by_title = {title.casefold(): name for name, title in control.options.items()}
            name = text if text in control.options else by_title.get(text.strip().casefold())
            if name is None:
                raise ValueError(f"“{shown}” is no choice for {control.label}: {', '.join(control.options)}")
            return name
        case "switch":
            if text.strip().lower() not in _SWITCHES:
                raise ValueError(f"“{shown}” is neither 1 nor 0 for {control.label}")
            return _SWITCHES[text.strip().lower()]
        case "grid":
            try:
                return grids.from_text(text, control.most)
            except ValueError as error:
                raise ValueError(f"The numbers of {control.label} cannot be read: {error}") from error
    if len(text) > _TEXT_LENGTH:
        raise ValueError(f"The text for {control.label} is longer than {_TEXT_LENGTH} letters")
    return text


def _inside(control: Control, number: float) -> Any:
    if not control.low <= number <= control.high:
        raise ValueError(f"{control.label} {number:g} is outside {control.low:g} to {control.high:g}")
    return number


def choose(scene: Scene, preset: str, texts: Mapping[str, str], **given: Any) -> Chosen:
    """Return the settings of a preset with what the texts change, as far as that is possible.

    Wishes that cannot be met, alone or beside the others, are left out, each with its sentence.

    Args:
        scene: whose settings they are.
        preset: name of a preset; "" for the first.
        texts: by control name; "" for the preset's own value.
        given: what is no control of the scene (the picture's pixels).
    """
    base = scene.settings(preset, **given)
    complaints: list[str] = []
    wishes: dict[str, Any] = {}
    for control in scene.controls:
        text = texts.get(control.name, "")
        if text:
            try:
                wishes[control.name] = from_text(control, text)
            except ValueError as error:
                complaints.append(_sentence(str(error)))
    if scene.impossible(base | wishes) is None:
        return Chosen(base | wishes, tuple(complaints))
    # Some wishes contradict: keep those that can be, in as many rounds as one may make room for another.
    kept: dict[str, Any] = {}
    waiting = dict(wishes)
    while waiting:
        possible = [name for name in waiting if scene.impossible(base | kept | {name: waiting[name]}) is None]
        if not possible:
            break
        kept[possible[0]] = waiting.pop(possible[0])
    for name, wish in waiting.items():
        why = scene.impossible(base | kept | {name: wish}) or ""
        complaints.append(_sentence(f"{scene.control(name).label}: {why}"))
    return Chosen(base | kept, tuple(complaints))


def made_possible(scene: Scene, settings: Settings) -> Chosen:
    """Return settings that can be, where an example does not fit what it is shown on (a picture of one pixel).

    First it is padded, then its kernel is a single cell; each with its sentence.

    Raises:
        ValueError: nothing helps; the text is the sentence.
    """
    here = dict(settings)
    why = scene.impossible(here)
    if why is None:
        return Chosen(here)
    ways: list[dict[str, Any]] = [
        {"padding": "same"},
        {"padding": "same", "kernel_size": (1, 1), "dilation_rate": (1, 1), "strides": (1, 1)},
    ]
    for way in ways:
        changed = here | {name: value for name, value in way.items() if name in here}
        if scene.impossible(changed) is None:
            return Chosen(changed, (_sentence(f"{why}: padded instead, and the kernel made to fit"),))
    raise ValueError(_sentence(why))


def refusal(scene: Scene, settings: Settings, name: str, text: str) -> str | None:
    """Return the sentence why a typed value cannot be, or None where it can."""
    try:
        value = from_text(scene.control(name), text)
    except ValueError as error:
        return _sentence(str(error))
    why = scene.impossible({**settings, name: value})
    return None if why is None else _sentence(why)


def neighbours(scene: Scene, settings: Settings, control: Control) -> tuple[Neighbour, Neighbour]:
    """Return the next possible values below and above the current one of a "count", "pair" or "number"."""
    return _next(scene, settings, control, -1), _next(scene, settings, control, +1)


def _next(scene: Scene, settings: Settings, control: Control, direction: int) -> Neighbour:
    value = settings[control.name]
    step = direction * (control.step if control.kind == "number" else 1)
    why = ""
    # A value may be impossible between two that are not (groups must divide the channels).
    for times in range(1, 17):
        if control.kind == "pair":
            moved: Any = tuple(part + times * direction for part in value)
            ends = moved
        else:
            moved = round(value + times * step, 9)
            ends = (moved,)
        if not all(control.low <= part <= control.high for part in ends):
            return Neighbour(None, why)
        reason = scene.impossible({**settings, control.name: moved})
        if reason is None:
            return Neighbour(moved, "")
        why = why or _sentence(reason)
        if control.kind == "number":
            break
    return Neighbour(None, why)


def _sentence(text: str) -> str:
    """Return `text` with a capital letter and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
