"""Making maps smaller: by pooling, or by a stride of the convolution."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, kernel, letters, side, width
from explorer.architectures.sketch import Sketch, Tensor
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, filters, k = values["side"], values["channels"], values["filters"], values["kernel_size"]
    half = -(-size // 2)

    def conv(s: Sketch, x: Tensor, strides: int = 1) -> Tensor:
        return s.conv(x, filters, k, strides=strides, padding="same", activation="relu", use_bias=False)

    def pooled(s: Sketch) -> None:
        s.max_pool(conv(s, s.input((size, size, channels))), 2, padding="same")

    def strided(s: Sketch) -> None:
        conv(s, s.input((size, size, channels)), strides=2)

    def learnt(s: Sketch) -> None:
        conv(s, conv(s, s.input((size, size, channels))), strides=2)

    known = letters(
        D_K=("kernel size", k), M=("channels in", channels), N=("filters", filters), H_0=("height in", size),
        W_0=("width in", size),
    )  # fmt: skip
    out = letters(H=("height out", half), W=("width out", half))
    one, two = r"D_{K}^2 \cdot M \cdot N", r"D_{K}^2 \cdot N^2"
    return [
        Variant(
            "Convolution, then max pooling", sketched("conv_pool", pooled), one, rf"H_{{0}} \cdot W_{{0}} \cdot {one}",
            known, "Every place is computed; the largest of four stays.",
        ),
        Variant(
            "Convolution with stride 2", sketched("strided_conv", strided), one, rf"H \cdot W \cdot {one}", known + out,
            "Only the places that stay are computed.",
        ),
        Variant(
            "Convolution, then one with stride 2", sketched("all_conv", learnt), f"{one} + {two}",
            rf"H_{{0}} \cdot W_{{0}} \cdot {one} + H \cdot W \cdot {two}", known + out,
            "The pooling becomes a layer that is learnt (the all convolutional net).",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    pooled, strided = variants[0].table, variants[1].table
    sees = [list(variant.table.costs.values())[-1].field or (0, 0) for variant in variants[:2]]
    half = -(-values["side"] // 2)
    return (
        f"Both end with {half} × {half} × {values['filters']}; the stride takes"
        f" {compared('work', pooled.multiply_adds, strided.multiply_adds)} ("
        f"{counted(strided.multiply_adds, 'multiply-adds')}), but its cells see {sees[1][0]} × {sees[1][1]}"
        f" pixels instead of {sees[0][0]} × {sees[0][1]}."
    )


BLOCK = Block(
    name="stride_pooling",
    title="Stride or pooling",
    question="Why did strides replace pooling?",
    settings=(
        kernel(3),
        width("channels", "Channels in M", 64, 512),
        width("filters", "Filters N", 128, 512),
        side(56),
    ),
    presets=(
        Preset("middle", "56×56, 64 → 128", {}),
        Preset("first", "A first layer: 7×7 on 224×224×3", {
            "kernel_size": 7, "channels": 3, "filters": 64, "side": 224,
        }),
        Preset("mnist", "The lecture's 28×28", {"channels": 8, "filters": 16, "side": 28}),
    ),
    make=_make,
    lesson=_lesson,
    source="Springenberg, Dosovitskiy, Brox & Riedmiller, “Striving for Simplicity: The All Convolutional Net”, 2014",
)  # fmt: skip
