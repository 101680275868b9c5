"""A convolution taken apart: first each map for itself, then 1×1 across the maps; MobileNet's α and ρ."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, kernel, letters, number, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted

_RESOLUTIONS = {"1": "1 (224)", "0.857": "0.857 (192)", "0.714": "0.714 (160)", "0.571": "0.571 (128)"}


def _make(values: Values) -> list[Variant]:
    size, channels, filters, k = values["side"], values["channels"], values["filters"], values["kernel_size"]
    alpha, rho = values["alpha"], float(values["rho"])
    thin_in, thin_out = max(1, int(alpha * channels)), max(1, int(alpha * filters))
    small = max(1, round(rho * size))

    def standard(s: Sketch) -> None:
        x = s.input((size, size, channels))
        s.conv(x, filters, k, padding="same", use_bias=False)

    def separable(s: Sketch, side_: int, wide_in: int, wide_out: int) -> None:
        x = s.input((side_, side_, wide_in))
        x = s.depthwise_conv(x, k, padding="same", use_bias=False)
        s.conv(x, wide_out, 1, use_bias=False)

    def variant(title: str, side_: int, wide_in: int, wide_out: int, note: str) -> Variant:
        weights = r"D_{K}^2 \cdot M + M \cdot N"
        known = letters(
            D_K=("kernel size", k), M=("channels in", wide_in), N=("filters", wide_out), D_F=("side of the map", side_)
        )
        sketch = sketched("separable", lambda s: separable(s, side_, wide_in, wide_out))
        return Variant(title, sketch, weights, rf"D_{{F}}^2 \cdot ({weights})", known, note)

    known = letters(
        D_K=("kernel size", k), M=("channels in", channels), N=("filters", filters), D_F=("side of the map", size)
    )
    share = 1 / filters + 1 / k**2
    variants = [
        Variant(
            "Standard", sketched("standard", standard), r"D_{K}^2 \cdot M \cdot N",
            r"D_{F}^2 \cdot D_{K}^2 \cdot M \cdot N", known,
        ),
        variant(
            "Depthwise separable", size, channels, filters,
            f"1/N + 1/D_K² = {share:.4f} of the standard work. Keras' SeparableConv2D is these two layers in one.",
        ),
    ]  # fmt: skip
    if alpha < 1:
        title = f"α = {alpha:g}"
        left = f"{counted(thin_in, 'channels')} and {counted(thin_out, 'filters')} are left."
        variants.append(variant(title, size, thin_in, thin_out, left))
    if rho < 1:
        title = f"α = {alpha:g}, ρ = {rho:g}" if alpha < 1 else f"ρ = {rho:g}"
        places = "place" if small == 1 else "places"
        note = f"{small} × {small} {places}; the weights do not depend on the size of the map."
        variants.append(variant(title, small, thin_in, thin_out, note))
    return variants


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    standard, separable = variants[0].table, variants[1].table
    text = (
        f"Taken apart, the layer needs {counted(separable.multiply_adds, 'multiply-adds')} instead of"
        f" {number(standard.multiply_adds)}: {compared('work', standard.multiply_adds, separable.multiply_adds)}"
    )
    if len(variants) == 2:
        return f"{text}."
    last = variants[-1]
    return (
        f"{text}; with {last.title} it is {number(last.table.multiply_adds)},"
        f" {compared('work', standard.multiply_adds, last.table.multiply_adds)}."
    )


BLOCK = Block(
    name="separable",
    title="Depthwise separable",
    question="How does MobileNet do with a ninth of the work?",
    settings=(
        kernel(3),
        width("channels", "Channels in M", 512, 1024),
        width("filters", "Filters N", 512, 1024),
        side(14, label="Side of the map D_F"),
        Setting("alpha", "Width α", "number", 1.0, low=0.25, high=1.0, step=0.25,
                help="Share of the channels that are kept everywhere."),
        Setting("rho", "Resolution ρ", "choice", "1", options=_RESOLUTIONS,
                help="Share of the picture's side that is kept; in brackets the side of MobileNet's input."),
    ),
    presets=(
        Preset("mobilenet_thin", "MobileNet's inner layer, α = 0.75, ρ = 0.714", {"alpha": 0.75, "rho": "0.714"}),
        Preset("mobilenet", "MobileNet's inner layer", {}),
        Preset("early", "An early layer: 112×112, 32 → 64", {"channels": 32, "filters": 64, "side": 112}),
        Preset("xception", "Xception's middle flow", {"channels": 728, "filters": 728, "side": 19}),
    ),
    make=_make,
    lesson=_lesson,
    source="Howard et al., “MobileNets”, 2017, section 3 and table 3; Chollet, “Xception”, 2016",
)  # fmt: skip
