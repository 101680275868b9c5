"""A 1×1 convolution that makes the maps fewer before an expensive layer reads them."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, kernel, letters, number, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, filters = values["side"], values["channels"], values["filters"]
    k, squeeze = values["kernel_size"], values["squeeze"]
    known = letters(
        D_K=("kernel size", k), M=("channels in", channels), N=("filters", filters), H=("height", size),
        W=("width", size),
    )  # fmt: skip

    def direct(s: Sketch) -> None:
        x = s.input((size, size, channels))
        s.conv(x, filters, k, padding="same", activation="relu", use_bias=False)

    def squeezed(s: Sketch) -> None:
        x = s.input((size, size, channels))
        x = s.conv(x, squeeze, 1, activation="relu", use_bias=False, name="squeeze")
        s.conv(x, filters, k, padding="same", activation="relu", use_bias=False)

    narrow = letters(B=("filters of the 1×1 convolution", squeeze))
    weights = r"M \cdot N \cdot D_{K}^2", r"M \cdot B + B \cdot N \cdot D_{K}^2"
    return [
        Variant(
            f"{k}×{k} on all {channels} maps" if channels > 1 else f"{k}×{k} on the map", sketched("direct", direct),
            weights[0], rf"H \cdot W \cdot {weights[0]}", known,
        ),
        Variant(
            f"1×1 to {squeeze}, then {k}×{k}", sketched("bottleneck", squeezed), weights[1],
            rf"H \cdot W \cdot ({weights[1]})", known + narrow,
            f"The 1×1 convolution mixes {counted(channels, 'maps')} into {squeeze} at each cell, without"
            " looking around.",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    direct, squeezed = (variant.table.multiply_adds for variant in variants)
    return (
        f"With a 1×1 convolution to {counted(values['squeeze'], 'maps')} first, the layer takes"
        f" {counted(squeezed, 'multiply-adds')}"
        f" instead of {number(direct)}: {compared('work', direct, squeezed)}, for the same"
        f" {values['side']} × {values['side']} × {counted(values['filters'], 'maps')}."
    )


BLOCK = Block(
    name="bottleneck",
    title="1×1 bottleneck",
    question="What does a 1×1 convolution save?",
    settings=(
        width("channels", "Channels in M", 256),
        width("squeeze", "1×1 filters B", 64, 1024),
        width("filters", "Filters N", 192, 1024),
        kernel(3),
        side(28),
    ),
    presets=(
        Preset("lecture", "256 → 192 by way of 64", {}),
        Preset("googlenet_5x5", "GoogLeNet's 5×5 in 3a: 192 → 16 → 32", {
            "channels": 192, "squeeze": 16, "filters": 32, "kernel_size": 5,
        }),
        Preset("resnet", "ResNet-50: 256 → 64 → 64", {"filters": 64, "side": 56}),
        Preset("too_wide", "No gain: as wide as before", {"squeeze": 256}),
    ),
    make=_make,
    lesson=_lesson,
    source="Lin, Chen & Yan, “Network In Network”, 2013; Szegedy et al., “Going Deeper with Convolutions”, 2014",
)  # fmt: skip
