"""MobileNetV2's block: narrow outside, wide and depthwise inside, linear at the end."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, conv_norm, depthwise_norm, letters, number, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, filters = values["side"], values["channels"], values["filters"]
    expansion, strides, norm = values["expansion"], int(values["strides"]), values["norm"]
    wide_in, wide_out, out = expansion * channels, expansion * filters, -(-size // strides)
    keeps = strides == 1 and channels == filters

    def classic(s: Sketch) -> None:
        x = s.input((size, size, wide_in))
        y = conv_norm(s, x, channels, 1, norm=norm)
        y = conv_norm(s, y, channels, 3, norm=norm, strides=strides)
        y = conv_norm(s, y, wide_out, 1, norm=norm, activation=None)
        y = s.add([y, x], title="Residual block") if keeps else y
        s.activation(y, "relu")

    def separable(s: Sketch) -> None:
        x = s.input((size, size, channels))
        x = depthwise_norm(s, x, 3, norm=norm, strides=strides)
        conv_norm(s, x, filters, 1, norm=norm)

    def inverted(s: Sketch) -> None:
        x = s.input((size, size, channels))
        y = conv_norm(s, x, wide_in, 1, norm=norm, activation="relu6") if expansion > 1 else x
        y = depthwise_norm(s, y, 3, norm=norm, activation="relu6", strides=strides)
        y = conv_norm(s, y, filters, 1, norm=norm, activation=None)
        if keeps:
            s.add([y, x], title="Inverted residual block")

    known = letters(
        M=("channels in", channels), N=("channels out", filters), t=("expansion", expansion), H_0=("height in", size),
        W_0=("width in", size), H=("height out", out), W=("width out", out),
    )  # fmt: skip
    before, after = r"H_{0} \cdot W_{0} \cdot t \cdot M^2", r"H \cdot W"
    classic_rest, separable_rest = r"9 \cdot M^2 + t \cdot M \cdot N", r"9 \cdot M + M \cdot N"
    inverted_rest = r"9 \cdot t \cdot M + t \cdot M \cdot N"
    first = r"t \cdot M^2 + " if expansion > 1 else ""
    norms = (
        r" + 8 \cdot M + 4 \cdot t \cdot N",
        r" + 4 \cdot M + 4 \cdot N",
        (r" + 8 \cdot t \cdot M + 4 \cdot N" if expansion > 1 else r" + 4 \cdot M + 4 \cdot N"),
    )
    return [
        Variant(
            f"Bottleneck residual, {wide_in} → {channels} → {wide_out}", sketched("bottleneck", classic),
            rf"t \cdot M^2 + {classic_rest}{norms[0] * norm}", rf"{before} + {after} \cdot ({classic_rest})", known,
            (f"Wide outside: the shortcut hands on {counted(wide_in, 'maps')}." if keeps else
             "Wide outside; no shortcut, for the shape changes."),
        ),
        Variant(
            f"Depthwise separable, {channels} → {filters}", sketched("separable", separable),
            f"{separable_rest}{norms[1] * norm}", rf"{after} \cdot ({separable_rest})", known,
            "MobileNet v1: no expansion, no shortcut.",
        ),
        Variant(
            f"Inverted residual, {channels} → {wide_in} → {filters}", sketched("inverted_residual", inverted),
            f"{first}{inverted_rest}{norms[2] * norm}",
            (rf"{before} + " if expansion > 1 else "") + rf"{after} \cdot ({inverted_rest})", known,
            (f"Narrow outside: the shortcut hands on {counted(channels, 'maps')}; the last layer is"
            " linear." if keeps else
             "Narrow outside; no shortcut, for the shape changes; the last layer is linear."),
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    classic, _, inverted = (variant.table for variant in variants)
    return (
        f"With {counted(values['expansion'] * values['channels'], 'channels')} inside, the inverted block takes"
        f" {counted(inverted.multiply_adds, 'multiply-adds')} beside {number(classic.multiply_adds)} of the classic one"
        f" ({compared('work', classic.multiply_adds, inverted.multiply_adds)}), and hands on"
        f" {counted(values['filters'], 'maps')}"
        f" instead of {values['expansion'] * values['filters']}."
    )


BLOCK = Block(
    name="inverted_residual",
    title="Inverted residual",
    question="Why is MobileNetV2's block narrow outside and wide inside?",
    settings=(
        width("channels", "Channels in M", 24, 320),
        width("filters", "Channels out N", 24, 320),
        Setting("expansion", "Expansion t", "count", 6, low=1, high=10),
        Setting("strides", "Stride", "choice", "1", options={"1": "1", "2": "2"}),
        side(56),
        Setting("norm", "Batch normalisation", "switch", False, main=False),
    ),
    presets=(
        Preset("block_2", "MobileNetV2, 56×56×24", {}),
        Preset("block_1", "MobileNetV2, 112×112×16 with stride 2", {"channels": 16, "side": 112, "strides": "2"}),
        Preset("block_7", "MobileNetV2, 14×14×64", {"channels": 64, "filters": 64, "side": 14}),
        Preset("block_14", "MobileNetV2, 7×7×160", {"channels": 160, "filters": 160, "side": 7}),
    ),
    make=_make,
    lesson=_lesson,
    source="Sandler, Howard, Zhu, Zhmoginov & Chen, “MobileNetV2: Inverted Residuals and Linear Bottlenecks”, 2018,"
    " section 3.3 and table 1",
)
