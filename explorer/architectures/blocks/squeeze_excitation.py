"""Squeeze and excitation: the whole picture decides how much each channel counts."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import letters, share, side, width
from explorer.architectures.sketch import Sketch, Tensor
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, biased = values["side"], values["channels"], values["use_bias"]
    narrow, squeezed = max(1, channels // 4), max(1, channels // values["ratio"])

    def bottleneck(s: Sketch, x: Tensor) -> Tensor:
        y = s.conv(x, narrow, 1, activation="relu", use_bias=False)
        y = s.conv(y, narrow, 3, padding="same", activation="relu", use_bias=False)
        return s.conv(y, channels, 1, use_bias=False)

    def gate(s: Sketch, y: Tensor) -> Tensor:
        g = s.global_average_pool(y, keepdims=True, name="squeeze")
        g = s.dense(g, squeezed, activation="relu", use_bias=biased, name="reduce")
        g = s.dense(g, channels, activation="sigmoid", use_bias=biased, name="excite")
        return s.multiply([y, g], title="Squeeze and excitation")

    def block(s: Sketch, gated: bool) -> None:
        x = s.input((size, size, channels))
        y = bottleneck(s, x)
        y = gate(s, y) if gated else y
        s.activation(s.add([y, x], title="Residual block"), "relu")

    known = letters(
        C=("channels", channels), B=("channels in the middle", narrow), H=("height", size), W=("width", size)
    )
    more = letters(R=("C divided by r: width of the gate", squeezed))
    convs, gates = r"2 \cdot C \cdot B + 9 \cdot B^2", r"2 \cdot C \cdot R"
    return [
        Variant(
            "Residual block", sketched("residual", lambda s: block(s, False)), convs, rf"H \cdot W \cdot ({convs})",
            known, "Every channel counts the same for every picture.",
        ),
        Variant(
            "With squeeze and excitation", sketched("se_residual", lambda s: block(s, True)),
            f"{convs} + {gates}" + (" + R + C" if biased else ""), rf"H \cdot W \cdot ({convs}) + {gates}",
            known + more, f"Each of {counted(channels, 'channels')} is multiplied by a number from 0 to 1,"
            " which depends on the"
            " averages of all channels.",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    plain, gated = variants[0].table, variants[1].table
    weights, work = gated.parameters - plain.parameters, gated.multiply_adds - plain.multiply_adds
    return (
        f"The gate adds {counted(weights, 'weights')} ({share(weights / plain.parameters)}) but only"
        f" {counted(work, 'multiply-adds')} ({share(work / plain.multiply_adds)}), for it works on"
        f" {counted(values['channels'], 'averages')}, not on"
        f" {values['side']} × {values['side']} cells."
    )


BLOCK = Block(
    name="squeeze_excitation",
    title="Squeeze & excitation",
    question="What does it cost to let the whole picture weigh the channels?",
    settings=(
        width("channels", "Channels C", 256),
        Setting("ratio", "Reduction r", "count", 16, low=1, high=32, choices=(1, 2, 4, 8, 16, 32)),
        side(56),
        Setting("use_bias", "Biases in the gate", "switch", False, main=False),
    ),
    presets=(
        Preset("stage2", "SE-ResNet-50, 56×56", {}),
        Preset("stage3", "SE-ResNet-50, 28×28", {"channels": 512, "side": 28}),
        Preset("stage4", "SE-ResNet-50, 14×14", {"channels": 1024, "side": 14}),
        Preset("stage5", "SE-ResNet-50, 7×7", {"channels": 2048, "side": 7}),
    ),
    make=_make,
    lesson=_lesson,
    source="Hu, Shen, Albanie, Sun & Wu, “Squeeze-and-Excitation Networks”, 2017, section 3 and equation 5",
)
