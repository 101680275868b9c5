"""The inception module: filters of several sizes side by side, naive and with reductions."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, letters, number, side, width
from explorer.architectures.sketch import Sketch, Tensor
from explorer.architectures.wording import counted

_SLIDE = {
    "side": 28, "channels": 256, "filters_1x1": 128, "reduce_3x3": 64, "filters_3x3": 192, "reduce_5x5": 64,
    "filters_5x5": 96, "pool_filters": 64,
}  # fmt: skip


def _make(values: Values) -> list[Variant]:
    size, channels = values["side"], values["channels"]
    n1, n3, n5 = values["filters_1x1"], values["filters_3x3"], values["filters_5x5"]
    r3, r5, pooled = values["reduce_3x3"], values["reduce_5x5"], values["pool_filters"]

    def conv(s: Sketch, x: Tensor, filters: int, k: int, name: str) -> Tensor:
        return s.conv(x, filters, k, padding="same", activation="relu", use_bias=False, name=name)

    def naive(s: Sketch) -> None:
        x = s.input((size, size, channels))
        branches = [
            conv(s, x, n1, 1, "conv_1x1"),
            conv(s, x, n3, 3, "conv_3x3"),
            conv(s, x, n5, 5, "conv_5x5"),
            s.max_pool(x, 3, strides=1, padding="same", name="pool"),
        ]
        s.concatenate(branches, title="Inception module")

    def reduced(s: Sketch, twice: bool) -> None:
        x = s.input((size, size, channels))
        one = conv(s, x, n1, 1, "conv_1x1")
        three = conv(s, conv(s, x, r3, 1, "reduce_3x3"), n3, 3, "conv_3x3")
        five = conv(s, x, r5, 1, "reduce_5x5")
        if twice:
            five = conv(s, conv(s, five, n5, 3, "conv_3x3_first"), n5, 3, "conv_3x3_second")
        else:
            five = conv(s, five, n5, 5, "conv_5x5")
        pool = s.max_pool(x, 3, strides=1, padding="same", name="pool")
        s.concatenate([one, three, five, conv(s, pool, pooled, 1, "pool_1x1")], title="Inception module")

    known = letters(
        M=("channels in", channels), N_1=("1×1 filters", n1), N_3=("3×3 filters", n3), N_5=("5×5 filters", n5),
        H=("height", size), W=("width", size),
    )  # fmt: skip
    more = letters(R_3=("1×1 before 3×3", r3), R_5=("1×1 before 5×5", r5), P=("1×1 after the pooling", pooled))
    side_by_side = r"M \cdot N_{1} + 9 \cdot M \cdot N_{3} + 25 \cdot M \cdot N_{5}"
    ends = r"M \cdot (N_{1} + R_{3} + R_{5} + P) + 9 \cdot R_{3} \cdot N_{3}"
    with_five = rf"{ends} + 25 \cdot R_{{5}} \cdot N_{{5}}"
    with_threes = rf"{ends} + 9 \cdot R_{{5}} \cdot N_{{5}} + 9 \cdot N_{{5}}^2"
    slide = ""
    if dict(values) == _SLIDE:
        slide = " A well-known slide prints 358M: it counts the 3×3 branch's 86,704,128 twice."
    return [
        Variant(
            "Naive", sketched("naive_inception", naive), side_by_side, rf"H \cdot W \cdot ({side_by_side})", known,
            f"The pooling hands on {'all ' if channels > 1 else ''}{counted(channels, 'maps')}, so the output"
            " only ever gets wider:"
            f" {counted(n1 + n3 + n5 + channels, 'maps')}.",
        ),
        Variant(
            "With 1×1 reductions", sketched("inception", lambda s: reduced(s, False)), with_five,
            rf"H \cdot W \cdot ({with_five})", known + more, f"{counted(n1 + n3 + n5 + pooled, 'maps')} come"
            f" out.{slide}",
        ),
        Variant(
            "5×5 as two 3×3", sketched("inception_v2", lambda s: reduced(s, True)), with_threes,
            rf"H \cdot W \cdot ({with_threes})", known + more, "The step to Inception v2 and v3.",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    naive, reduced = variants[0].table, variants[1].table
    return (
        f"The 1×1 reductions take the module from {number(naive.multiply_adds)} to {number(reduced.multiply_adds)}"
        f" multiply-adds: {compared('work', naive.multiply_adds, reduced.multiply_adds)}, and the weights go from"
        f" {number(naive.parameters)} to {number(reduced.parameters)}."
    )


def _module(title: str, size: int, channels: int, *widths: int) -> Preset:
    names = ("filters_1x1", "reduce_3x3", "filters_3x3", "reduce_5x5", "filters_5x5", "pool_filters")
    settings = {"side": size, "channels": channels} | dict(zip(names, widths, strict=True))
    return Preset(f"googlenet_{title}", f"GoogLeNet {title}", settings)


BLOCK = Block(
    name="inception",
    title="Inception module",
    question="How can filters of several sizes stand side by side without costing too much?",
    settings=(
        side(28),
        width("channels", "Channels in M", 256),
        width("filters_1x1", "1×1 filters", 128, 512),
        width("reduce_3x3", "1×1 before 3×3", 64, 512, main=False),
        width("filters_3x3", "3×3 filters", 192, 512),
        width("reduce_5x5", "1×1 before 5×5", 64, 512, main=False),
        width("filters_5x5", "5×5 filters", 96, 512),
        width("pool_filters", "1×1 after pooling", 64, 512, main=False),
    ),
    presets=(
        Preset("lecture", "28×28×256, reduced to 64", _SLIDE),
        _module("3a", 28, 192, 64, 96, 128, 16, 32, 32),
        _module("3b", 28, 256, 128, 128, 192, 32, 96, 64),
        _module("4a", 14, 480, 192, 96, 208, 16, 48, 64),
        _module("5b", 7, 832, 384, 192, 384, 48, 128, 128),
    ),
    make=_make,
    lesson=_lesson,
    source="Szegedy et al., “Going Deeper with Convolutions”, 2014, figure 2 and table 1; “Rethinking the Inception"
    " Architecture for Computer Vision”, 2015, figure 5",
)
