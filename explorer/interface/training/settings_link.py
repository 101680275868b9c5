"""Settings of a lesson or of its data as the short text of a link, and back: "epochs:12;base:frozen+tuned"."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from explorer.networks.work_context import SentenceError
from explorer.runs.lessons.lesson import Knob

LONGEST_PLAIN = 160
"""A longer text is compressed."""

LARGEST = 40_000
"""Characters of a text that is read, after decompression."""

_PACKED = "~"


def text_of(knobs: Iterable[Knob], changes: Mapping[str, Any]) -> str:
    """Return changed settings as text, in the order of the knobs; names that no knob has are left out."""
    parts = [f"{knob.name}:{_value_text(knob, changes[knob.name])}" for knob in knobs if knob.name in changes]
    text = ";".join(parts)
    if len(text) <= LONGEST_PLAIN:
        return text
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    return text if len(text) <= len(packed) else _PACKED + packed


def changes_of(knobs: Sequence[Knob], text: str) -> tuple[dict[str, Any], list[str]]:
    """Read settings out of a link.

    Args:
        knobs: what can be set.
        text: of the link; anything.

    Returns:
        The settings that make sense, and a sentence for each that does not.
    """
    plain = _unpacked(text)
    if plain is None:
        return {}, ["The settings in this link cannot be read."]
    by_name = {knob.name: knob for knob in knobs}
    changes: dict[str, Any] = {}
    refused: list[str] = []
    for part in filter(None, plain.split(";")):
        name, _, said = part.partition(":")
        knob = by_name.get(name)
        if knob is None:
            continue  # of another lesson, or of another version of this one
        try:
            changes[name] = knob.checked(_value_of(knob, said))
        except SentenceError as failure:
            refused.append(f"This link asks for what cannot be. {failure}")
    return changes, refused


def _unpacked(text: str) -> str | None:
    if not text.startswith(_PACKED):
        return text[:LARGEST]
    packed = text.removeprefix(_PACKED)
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), LARGEST)
        return content.decode()
    except (binascii.Error, ValueError, zlib.error):
        return None


def _value_text(knob: Knob, value: Any) -> str:
    if knob.kind == "switch":
        return "on" if value else "off"
    if knob.kind == "choices":
        return "+".join(quote(str(each), safe="") for each in value)
    if knob.kind in ("integer", "number"):
        return f"{value:.10g}"
    return quote(str(value), safe=" ,.()")


def _value_of(knob: Knob, said: str) -> Any:
    if knob.kind == "switch":
        return {"on": True, "off": False}.get(said)
    if knob.kind in ("choice", "choices"):
        by_text = {str(option): option for option in knob.options}
        if knob.kind == "choices":
            return [by_text.get(unquote(each)) for each in said.split("+")]
        return by_text.get(unquote(said))
    if knob.kind == "text":
        return unquote(said)
    try:
        return float(said)
    except ValueError:
        return None
