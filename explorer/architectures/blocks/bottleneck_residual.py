"""Two 3×3 convolutions, or 1×1, 3×3, 1×1 around a narrow middle."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, compared_with, conv_norm, letters, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, norm = values["side"], values["channels"], values["norm"]
    narrow = max(1, channels // values["reduction"])

    def basic(s: Sketch, wide: int) -> None:
        x = s.input((size, size, wide))
        y = conv_norm(s, x, wide, 3, norm=norm)
        y = conv_norm(s, y, wide, 3, norm=norm, activation=None)
        s.activation(s.add([y, x], title="Residual block"), "relu")

    def bottleneck(s: Sketch) -> None:
        x = s.input((size, size, channels))
        y = conv_norm(s, x, narrow, 1, norm=norm)
        y = conv_norm(s, y, narrow, 3, norm=norm)
        y = conv_norm(s, y, channels, 1, norm=norm, activation=None)
        s.activation(s.add([y, x], title="Bottleneck residual block"), "relu")

    known = letters(
        C=("channels in and out", channels), B=("channels in the middle", narrow), H=("height", size), W=("width", size)
    )
    wide = r"18 \cdot C^2", r" + 8 \cdot C"
    thin = r"18 \cdot B^2", r" + 8 \cdot B"
    necked = r"2 \cdot C \cdot B + 9 \cdot B^2", r" + 8 \cdot B + 4 \cdot C"

    def variant(title: str, sketch: Sketch, formula: tuple[str, str], note: str) -> Variant:
        weights = formula[0] + formula[1] * norm
        return Variant(title, sketch, weights, rf"H \cdot W \cdot ({formula[0]})", known, note)

    return [
        variant(f"Basic, {channels} wide", sketched("basic", lambda s: basic(s, channels)), wide, ""),
        variant(
            f"Bottleneck, {channels} → {narrow} → {channels}", sketched("bottleneck", bottleneck), necked,
            "As wide outside; the 3×3 convolution works on the narrow middle.",
        ),
        variant(
            f"Basic, {narrow} wide", sketched("narrow", lambda s: basic(s, narrow)), thin,
            "The basic block that costs about as much where the middle has a quarter of the channels.",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    wide, necked, thin = (variant.table.multiply_adds for variant in variants)
    narrow = max(1, values["channels"] // values["reduction"])
    return (
        f"On {counted(values['channels'], 'channels')} the bottleneck takes {counted(necked, 'multiply-adds')},"
        f" {compared_with('work', wide, necked, 'two 3×3 convolutions that wide')}; beside the basic block on"
        f" {counted(narrow, 'channels')} it is {compared('work', thin, necked)}."
    )


BLOCK = Block(
    name="bottleneck_residual",
    title="Bottleneck residual",
    question="How does ResNet-50 get four times as many channels for the price of ResNet-34?",
    settings=(
        width("channels", "Channels in and out C", 256),
        Setting("reduction", "Middle: C divided by", "count", 4, low=1, high=8, choices=(1, 2, 4, 8)),
        side(56),
        Setting("norm", "Batch normalisation", "switch", False, main=False),
    ),
    presets=(
        Preset("conv2", "ResNet-50, 56×56", {}),
        Preset("conv3", "ResNet-50, 28×28", {"channels": 512, "side": 28}),
        Preset("conv4", "ResNet-50, 14×14", {"channels": 1024, "side": 14}),
        Preset("conv5", "ResNet-50, 7×7", {"channels": 2048, "side": 7}),
    ),
    make=_make,
    lesson=_lesson,
    source="He, Zhang, Ren & Sun, “Deep Residual Learning for Image Recognition”, 2015, figure 5",
)
