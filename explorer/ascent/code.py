"""The Python lines that make what the page shows; a test runs them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from explorer.ascent.results import DreamPlan, Plan, Regularisers, Transforms
from explorer.pictures.sources import DEFAULT_SOURCE


def code(plan: Plan, source: str = DEFAULT_SOURCE) -> str:
    """Return the lines that grow the images of a plan.

    Args:
        plan: What stands in it as by default is left out.
        source: Of the picture that a plan with `start="picture"` starts from.
    """
    names = ["Plan"]
    if plan.transforms != Transforms():
        names.append("Transforms")
    if plan.regularisers != Regularisers():
        names.append("Regularisers")
    lines = [
        "from explorer.ascent.render import grow",
        f"from explorer.ascent.results import {', '.join(sorted(names))}",
        "from explorer.networks.loading import load",
        *(_picture_lines(source) if plan.start == "picture" else ()),
        "",
        "plan = Plan(",
        *_arguments(plan, always=("network", "objective", "targets")),
        ")",
        f"network = load({plan.network!r}, {plan.weights!r})",
        f"grown = grow(network, plan{', pixels=pixels' if plan.start == 'picture' else ''})",
        "grown.images  # uint8 (n, height, width, 3)",
        "grown.quality  # one for each image",
    ]
    return "\n".join(lines) + "\n"


def dream_code(plan: DreamPlan, source: str = DEFAULT_SOURCE) -> str:
    """Return the lines that let a picture dream.

    Args:
        plan: What stands in it as by default is left out.
        source: Of the picture.
    """
    lines = [
        "from explorer.ascent.dream import dream_on",
        "from explorer.ascent.results import DreamPlan",
        "from explorer.networks.loading import load",
        *_picture_lines(source),
        "",
        "plan = DreamPlan(",
        *_arguments(plan, always=("network", "layers")),
        ")",
        f"grown = dream_on(load({plan.network!r}, {plan.weights!r}), plan, pixels)",
        "grown.images  # uint8 (1, height, width, 3)",
    ]
    return "\n".join(lines) + "\n"


def _picture_lines(source: str) -> list[str]:
    if source.startswith(("upload:", "webcam:")):  # which only the visitor has
        return [
            "from explorer.pictures.intake import decode",
            "",
            'pixels = decode(open("your picture", "rb").read()).pixels',
        ]
    return [
        "from explorer.pictures.sources import resolve",
        "",
        f"pixels = resolve({source!r}).pixels  # or your own, uint8 (height, width, 3)",
    ]


def _arguments(plan: Any, always: tuple[str, ...]) -> list[str]:
    lines = []
    for each in fields(plan):
        value = getattr(plan, each.name)
        if each.name in always or value != each.default:
            lines.append(f"    {each.name}={_literal(value)},")
    return lines


def _literal(value: Any) -> str:
    if isinstance(value, Transforms | Regularisers):
        inner = ", ".join(f"{each.name}={getattr(value, each.name)!r}" for each in fields(value))
        return f"{type(value).__name__}({inner})"
    return repr(value)
