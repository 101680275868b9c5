"""DepthConcat: maps of different sizes are padded with zeros, then stacked."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import width
from explorer.architectures.layer_rules import shape_text
from explorer.architectures.sketch import Sketch, Tensor


def _make(values: Values) -> list[Variant]:
    shapes = [(values[f"side_{one}"], values[f"side_{one}"], values[f"channels_{one}"]) for one in "ab"]
    largest = max(shape[0] for shape in shapes)

    def inputs(s: Sketch) -> list[Tensor]:
        return [s.input(shape, name=f"input_{one}") for shape, one in zip(shapes, "ab", strict=True)]

    def padded(s: Sketch) -> None:
        tensors = []
        for x in inputs(s):
            missing = largest - x.shape[0]
            around = (missing // 2, missing - missing // 2)
            tensors.append(s.zero_padding(x, (around, around)) if missing else x)
        s.concatenate(tensors, title="DepthConcat")

    return [
        Variant("As they are", sketched("concatenate", lambda s: s.concatenate(inputs(s)))),
        Variant(
            "Padded to the largest", sketched("depth_concat", padded),
            note="Zeros stand around the smaller maps; where an odd number is missing, one more below and right.",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    table = variants[1].table
    last = list(table.structure.layers.values())[-1]
    shapes = [(values[f"side_{one}"], values[f"side_{one}"], values[f"channels_{one}"]) for one in "ab"]
    result = shape_text([side or 0 for side in last.output_shape])
    text = f"{shape_text(shapes[0])} and {shape_text(shapes[1])} give {result}: the channels add up"
    if variants[0].clash:
        return f"{text}, once the smaller maps are padded."
    return f"{text}, and nothing has to be padded."


def _size(name: str, label: str, default: int) -> Setting:
    return Setting(name, label, "count", default, low=1, high=64)


BLOCK = Block(
    name="depth_concat",
    title="DepthConcat",
    question="How do maps of different sizes get into one stack?",
    settings=(
        _size("side_a", "Side of the first maps", 14),
        width("channels_a", "Channels of the first", 2, 512),
        _size("side_b", "Side of the second maps", 16),
        width("channels_b", "Channels of the second", 3, 512),
    ),
    presets=(
        Preset("lecture", "14×14×2 and 16×16×3", {}),
        Preset("valid", "3×3 and 5×5 without padding on 28×28", {
            "side_a": 26, "channels_a": 128, "side_b": 24, "channels_b": 32,
        }),
        Preset("equal", "Equal sides", {"side_a": 28, "channels_a": 64, "side_b": 28, "channels_b": 128}),
    ),
    make=_make,
    lesson=_lesson,
    source="Szegedy et al., “Going Deeper with Convolutions”, 2014 (DepthConcat in figure 3; Torch's layer of that name"
    " pads with zeros)",
)  # fmt: skip
