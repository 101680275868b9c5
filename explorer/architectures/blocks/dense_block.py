"""A dense block: every layer reads the maps of all layers before it."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared_with, letters, number, side, width
from explorer.architectures.sketch import Sketch, Tensor
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, growth, layers = values["side"], values["channels"], values["growth"], values["layers"]
    norm = values["norm"]
    end = channels + layers * growth

    def conv(s: Sketch, x: Tensor, filters: int, k: int) -> Tensor:
        """Normalisation and ReLU before the convolution, as in the paper."""
        x = s.batch_norm(x) if norm else x
        return s.conv(s.activation(x, "relu"), filters, k, padding="same", use_bias=False)

    def plain(s: Sketch) -> None:
        x = s.input((size, size, channels))
        for _ in range(layers):
            x = conv(s, x, end, 3)

    def dense(s: Sketch, bottleneck: bool) -> None:
        x = s.input((size, size, channels))
        for layer in range(1, layers + 1):
            y = conv(s, x, 4 * growth, 1) if bottleneck else x
            x = s.concatenate([x, conv(s, y, growth, 3)], title=f"Layer {layer}")

    known = letters(
        M=("channels in", channels), k=("growth rate", growth), L=("layers", layers), H=("height", size),
        W=("width", size),
    )  # fmt: skip
    wide = r"9 \cdot M \cdot (M + L \cdot k) + 9 \cdot (L - 1) \cdot (M + L \cdot k)^2"
    read = r"(L \cdot M + k \cdot \frac{L \cdot (L - 1)}{2})"
    norms = (
        r"4 \cdot M + 4 \cdot (L - 1) \cdot (M + L \cdot k)",
        rf"4 \cdot {read}",
        rf"4 \cdot {read} + 16 \cdot L \cdot k",
    )
    formulas = wide, rf"9 \cdot k \cdot {read}", rf"4 \cdot k \cdot {read} + 36 \cdot L \cdot k^2"
    sketches = (
        sketched("plain", plain),
        sketched("dense_block", lambda s: dense(s, False)),
        sketched("dense_block_b", lambda s: dense(s, True)),
    )
    titles = f"Plain, {end} wide", "Dense block", "With 1×1 bottlenecks"
    notes = (
        f"As many maps at the end, each of {counted(end, 'filters')} reads all maps before it.",
        f"{counted(layers * (layers + 1) // 2, 'connections')} instead of {layers}; a layer adds "
        f"{counted(growth, 'maps')} to all others.",
        f"Before each 3×3, a 1×1 convolution brings the maps to 4k = {4 * growth} (DenseNet-B).",
    )
    return [
        Variant(title, sketch, weights + (f" + {more}" if norm else ""), rf"H \cdot W \cdot ({weights})", known, note)
        for title, sketch, weights, more, note in zip(titles, sketches, formulas, norms, notes, strict=True)
    ]


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    plain, dense, squeezed = (variant.table.parameters for variant in variants)
    end = values["channels"] + values["layers"] * values["growth"]
    return (
        f"A dense block ends with the same {counted(end, 'maps')} with"
        f" {compared_with('weights', plain, dense, 'a plain stack')}: {number(dense)}, and {number(squeezed)} with"
        f" 1×1 bottlenecks, because each layer makes only {counted(values['growth'], 'new maps')}."
    )


BLOCK = Block(
    name="dense_block",
    title="Dense block",
    question="What if every layer reads all the maps before it?",
    settings=(
        Setting("layers", "Layers L", "count", 6, low=1, high=24),
        Setting("growth", "Growth rate k", "count", 32, low=1, high=64, choices=(1, 2, 4, 8, 12, 16, 24, 32, 48, 64)),
        width("channels", "Channels in M", 64, 1024),
        side(56),
        Setting("norm", "Batch normalisation", "switch", False, main=False),
    ),
    presets=(
        Preset("small", "The paper's figure 1: 5 layers, growth 4", {
            "layers": 5, "growth": 4, "channels": 8, "side": 32,
        }),
        Preset("densenet121", "DenseNet-121's first block", {"norm": True}),
        Preset("cifar", "DenseNet on CIFAR-10: 12 layers, growth 12", {
            "layers": 12, "growth": 12, "channels": 16, "side": 32, "norm": True,
        }),
    ),
    make=_make,
    lesson=_lesson,
    source="Huang, Liu, van der Maaten & Weinberger, “Densely Connected Convolutional Networks”, 2016, section 3",
)  # fmt: skip
