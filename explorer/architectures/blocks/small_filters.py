"""One large filter against several small ones that see as far."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, kernel, letters, number, side, width
from explorer.architectures.sketch import Sketch


def _make(values: Values) -> list[Variant]:
    size, channels, k = values["side"], values["channels"], values["kernel_size"]
    layers = (k - 1) // 2
    known = letters(K=("channels in and out", channels), H=("height", size), W=("width", size))

    def stack(s: Sketch, kernels: Sequence[tuple[int, int]]) -> None:
        x = s.input((size, size, channels))
        for one in kernels:
            x = s.conv(x, channels, one, padding="same", activation="relu", use_bias=False)

    def variant(title: str, kernels: list[tuple[int, int]], weights: str, note: str) -> Variant:
        sketch = sketched("small_filters", lambda s: stack(s, kernels))
        return Variant(title, sketch, weights, rf"H \cdot W \cdot {weights}", known, note)

    return [
        variant(
            f"One {k}×{k}", [(k, k)], rf"{k * k} \cdot K^2",
            f"A cell sees {k} × {k} pixels, through one ReLU.",
        ),
        variant(
            f"{layers} of 3×3", [(3, 3)] * layers, rf"{9 * layers} \cdot K^2",
            f"A cell sees {k} × {k} pixels as well, through {layers} ReLU{'s' if layers > 1 else ''}.",
        ),
        variant(
            f"1×{k}, then {k}×1", [(1, k), (k, 1)], rf"{2 * k} \cdot K^2",
            f"A row, then a column: a cell sees all {k} × {k} pixels again, but each map in between adds only a kernel"
            " that is a row times a column, a separable one (Inception v3).",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    k, layers = values["kernel_size"], (values["kernel_size"] - 1) // 2
    large, small = variants[0].table, variants[1].table
    layered = "1 layer of 3×3 sees" if layers == 1 else f"{layers} layers of 3×3 see"
    several = "1 nonlinearity" if layers == 1 else f"{layers} nonlinearities instead of 1"
    return (
        f"{layered} the same {k} × {k} pixels as one {k}×{k}, with {9 * layers}K² instead of {k * k}K² weights:"
        f" {number(small.parameters)} instead of {number(large.parameters)},"
        f" {compared('weights', large.parameters, small.parameters)}, and {several}."
    )


BLOCK = Block(
    name="small_filters",
    title="Small filters",
    question="Why do networks since VGG use 3×3 filters only?",
    settings=(
        kernel(7, low=3),
        width("channels", "Channels K, in and out", 64, 512),
        side(56),
    ),
    presets=(
        Preset("lecture", "7×7 against three 3×3", {}),
        Preset("five", "5×5 against two 3×3", {"kernel_size": 5, "channels": 256, "side": 28}),
        Preset("vgg", "7×7 on VGG's last maps", {"channels": 512, "side": 14}),
        Preset("eleven", "AlexNet's 11×11 against five 3×3", {"kernel_size": 11, "channels": 96}),
    ),
    make=_make,
    lesson=_lesson,
    source="Simonyan & Zisserman, “Very Deep Convolutional Networks for Large-Scale Image Recognition”, 2014,"
    " section 2.3",
)
