"""From a full convolution over groups to the depthwise one."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, kernel, letters, number, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, filters = values["side"], values["channels"], values["filters"]
    k, groups = values["kernel_size"], values["groups"]
    known = letters(
        D_K=("kernel size", k), M=("channels in", channels), N=("filters", filters), H=("height", size),
        W=("width", size),
    )  # fmt: skip

    def conv(s: Sketch, share: int) -> None:
        x = s.input((size, size, channels))
        s.conv(x, filters, k, padding="same", groups=share, activation="relu", use_bias=False)

    def depthwise(s: Sketch) -> None:
        x = s.input((size, size, channels))
        s.depthwise_conv(x, k, padding="same", activation="relu", use_bias=False)

    full, own = r"D_{K}^2 \cdot M \cdot N", r"D_{K}^2 \cdot M"
    shared = r"D_{K}^2 \cdot \frac{M}{G} \cdot N"
    return [
        Variant(
            "All maps", sketched("full_conv", lambda s: conv(s, 1)), full, rf"H \cdot W \cdot {full}", known,
            f"Every filter reads all {channels} maps." if channels > 1 else "Every filter reads the one map.",
        ),
        Variant(
            counted(groups, 'groups'), sketched("grouped_conv", lambda s: conv(s, groups)), shared,
            rf"H \cdot W \cdot {shared}", (*known, *letters(G=("groups", groups))),
            f"A filter reads {channels // groups} of {counted(channels, 'maps')}; the groups learn nothing of"
            " one another here."
            if channels % groups == 0 else "",
        ),
        Variant(
            f"{counted(channels, 'groups')}: depthwise", sketched("depthwise_conv", depthwise), own,
            rf"H \cdot W \cdot {own}", known,
            f"One filter for each map: {counted(channels, 'maps')} {'comes' if channels == 1 else 'come'} out,"
            " and a 1×1 convolution has to mix them.",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    full, depthwise = variants[0].table.parameters, variants[2].table.parameters
    text = f"One filter for each map needs {counted(depthwise, 'weights')} instead of {number(full)}"
    if variants[1].clash:
        return (
            f"{text}; {counted(values['groups'], 'groups')} cannot share {counted(values['channels'], 'maps')} and"
            f" {counted(values['filters'], 'filters')}."
        )
    shared = variants[1].table.parameters
    need = "needs" if values["groups"] == 1 else "need"
    groups = counted(values["groups"], "groups")
    return f"{groups} {need} {compared('weights', full, shared)} ({number(shared)}). {text}."


BLOCK = Block(
    name="grouped",
    title="Grouped → depthwise",
    question="What if a filter reads only some of the maps?",
    settings=(
        Setting("groups", "Groups G", "count", 2, low=1, high=64, choices=(1, 2, 3, 4, 8, 16, 32, 64)),
        width("channels", "Channels in M", 96, 1024),
        width("filters", "Filters N", 256, 1024),
        kernel(5),
        side(27),
    ),
    presets=(
        Preset("alexnet", "AlexNet's second layer on two GPUs", {}),
        Preset("resnext", "ResNeXt's 32 groups", {
            "groups": 32, "channels": 128, "filters": 128, "kernel_size": 3, "side": 56,
        }),
        Preset("uneven", "3 groups of 256 maps: does not fit", {"groups": 3, "channels": 256}),
    ),
    make=_make,
    lesson=_lesson,
    source="Krizhevsky, Sutskever & Hinton, “ImageNet Classification with Deep Convolutional Neural Networks”, 2012,"
    " section 3.5; Chollet, “Xception”, 2016, section 1.2",
)  # fmt: skip
