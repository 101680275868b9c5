"""A highway block: a gate decides, value by value, how much is transformed and how much is handed on."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log

import numpy as np

from explorer.architectures.blocks.block import Block, Curve, Live, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, letters, number, share, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted

_CELLS = 24


def pattern() -> tuple[np.ndarray, np.ndarray]:
    """Return the fixed input x of the live computation and H(x), both `(24,)`.

    H is a layer with fixed weights: the difference of the two neighbours of each cell, then ReLU.
    """
    cells = np.arange(_CELLS)
    x = 1 + np.sin(2 * np.pi * cells / 12) * 0.6 + np.where((cells >= 15) & (cells < 19), 0.8, 0.0)
    around = np.pad(x, 1, mode="edge")
    return x, np.maximum(around[2:] - around[:-2], 0)


def gated(transform: float) -> np.ndarray:
    """Return y = T · H(x) + (1 − T) · x of the fixed pattern, `(24,)`."""
    x, transformed = pattern()
    return transform * transformed + (1 - transform) * x


def _make(values: Values) -> list[Variant]:
    size, channels = values["side"], values["channels"]

    def plain(s: Sketch) -> None:
        x = s.input((size, size, channels))
        s.conv(x, channels, 3, padding="same", activation="relu")

    def residual(s: Sketch) -> None:
        x = s.input((size, size, channels))
        y = s.conv(x, channels, 3, padding="same", activation="relu")
        s.add([y, x], title="Residual block")

    def highway(s: Sketch) -> None:
        x = s.input((size, size, channels))
        transformed = s.conv(x, channels, 3, padding="same", activation="relu", name="transform")
        gate = s.conv(x, channels, 3, padding="same", activation="sigmoid", name="gate")
        carry = s.rescaling(gate, -1, offset=1, name="carry")
        new = s.multiply([transformed, gate], name="transformed")
        old = s.multiply([x, carry], name="carried")
        s.add([new, old], title="Highway block")

    known = letters(K=("channels", channels), H=("height", size), W=("width", size))
    one = r"9 \cdot K^2"
    return [
        Variant("Plain layer", sketched("plain", plain), rf"{one} + K", rf"H \cdot W \cdot {one}", known, "y = H(x)"),
        Variant(
            "Highway block", sketched("highway", highway), rf"2 \cdot ({one} + K)", rf"2 \cdot H \cdot W \cdot {one}",
            known, "y = T(x) · H(x) + (1 − T(x)) · x: the gate T is a layer of its own, with a sigmoid.",
        ),
        Variant(
            "Residual block", sketched("residual", residual), rf"{one} + K", rf"H \cdot W \cdot {one}", known,
            "y = H(x) + x: both always open, and no gate to learn.",
        ),
    ]  # fmt: skip


def _live(values: Values) -> Live:
    transform = values["gate"]
    x, transformed = pattern()
    bias = -inf if transform == 0 else inf if transform == 1 else log(transform / (1 - transform))
    if transform == 0:
        sentence = "T = 0: the block copies its input, whatever its weights."
    elif transform == 1:
        sentence = "T = 1: the block is a plain layer, and nothing of the input is handed on."
    else:
        sentence = f"T = {transform:g}: y has {share(transform)} of H(x) and {share(1 - transform)} of x."
    return Live(
        title="One row of a map through the block, with the same gate T everywhere",
        x_title="cell",
        y_title="value",
        curves=tuple(
            Curve(title, tuple(float(value) for value in line))
            for title, line in (("x", x), ("H(x)", transformed), ("y", gated(transform)))
        ),
        numbers={
            "Gate's bias for this T": "−∞"
            if bias == -inf
            else "∞"
            if bias == inf
            else f"{bias:+.2f}".replace("-", "−"),
            "Share of x behind 10 such blocks": f"{(1 - transform) ** 10:.3g}",
        },
        sentence=sentence,
    )


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    plain, highway = variants[0].table.parameters, variants[1].table.parameters
    return (
        f"{_live(values).sentence} The gate is a second layer: {counted(highway, 'weights')} instead of"
        f" {number(plain)},"
        f" {compared('weights', plain, highway)}; the residual block leaves the gate out."
    )


BLOCK = Block(
    name="highway",
    title="Highway gate",
    question="What if a layer could decide how much of its input it lets pass?",
    settings=(
        Setting("gate", "Gate T", "number", 0.1, low=0, high=1, step=0.05, help="0 copies, 1 transforms."),
        width("channels", "Channels K", 32, 512),
        side(32),
    ),
    presets=(
        Preset("start", "As training starts: bias −2, T ≈ 0.1", {}),
        Preset("copy", "T = 0: copies", {"gate": 0.0}),
        Preset("half", "T = 0.5", {"gate": 0.5}),
        Preset("transform", "T = 1: transforms", {"gate": 1.0}),
    ),
    make=_make,
    lesson=_lesson,
    source="Srivastava, Greff & Schmidhuber, “Highway Networks”, 2015, equations 1 to 4",
    live=_live,
)
