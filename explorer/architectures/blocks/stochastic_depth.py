"""Stochastic depth: in training each residual block is left out at random, the late ones more often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.architectures.blocks.block import Block, Curve, Live, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import letters, number, share, side, width
from explorer.architectures.sketch import Sketch, Tensor
from explorer.architectures.wording import counted


def survival(blocks: int, last: float, rule: str = "linear") -> np.ndarray:
    """Return each block's probability to be kept, `(blocks,)`, from the first to the last.

    "linear" falls from nearly 1 to `last`: p_l = 1 − l / L · (1 − p_L) (Huang et al. 2016, equation 4); "uniform" is
    `last` everywhere.
    """
    if rule == "uniform":
        return np.full(blocks, float(last))
    return 1 - np.arange(1, blocks + 1) / blocks * (1 - last)


def drawn(probabilities: np.ndarray, seed: int) -> np.ndarray:
    """Return which blocks one draw keeps, a bool for each."""
    return np.random.default_rng(seed).random(len(probabilities)) < probabilities


def _chances(values: Values) -> np.ndarray:
    return survival(values["blocks"], values["last_survival"], values["rule"])


def _make(values: Values) -> list[Variant]:
    size, channels, blocks = values["side"], values["channels"], values["blocks"]
    chances = _chances(values)
    kept = drawn(chances, values["seed"])

    def block(s: Sketch, x: Tensor, number_: int, scale: float | None) -> Tensor:
        y = s.conv(x, channels, 3, padding="same", activation="relu", use_bias=False, name=f"block_{number_}_conv_1")
        y = s.conv(y, channels, 3, padding="same", use_bias=False, name=f"block_{number_}_conv_2")
        if scale is not None:
            y = s.rescaling(y, round(scale, 4), name=f"block_{number_}_scale")
        title = f"Block {number_} · p = {chances[number_ - 1]:.2f}"
        return s.activation(s.add([y, x], name=f"block_{number_}_add", title=title), "relu")

    def training(s: Sketch) -> None:
        x = s.input((size, size, channels))
        for index in np.flatnonzero(kept):
            x = block(s, x, int(index) + 1, None)

    def test(s: Sketch) -> None:
        x = s.input((size, size, channels))
        for index in range(blocks):
            x = block(s, x, index + 1, float(chances[index]))

    known = letters(K=("channels", channels), H=("height", size), W=("width", size))
    one = r"18 \cdot K^2"
    return [
        Variant(
            "Training, one draw", sketched("training_draw", training), rf"A \cdot {one}",
            rf"A \cdot H \cdot W \cdot {one}", (*known, *letters(A=("blocks kept in this draw", int(kept.sum())))),
            f"{int(kept.sum())} of {counted(blocks, 'blocks')} {'is' if kept.sum() == 1 else 'are'} kept; a"
            " block that is left out hands on its input.",
        ),
        Variant(
            "Test, all blocks", sketched("test_network", test), rf"L \cdot {one}", rf"L \cdot H \cdot W \cdot {one}",
            (*known, *letters(L=("blocks", blocks))),
            "All blocks run, each scaled by its probability p, so that the next ones see what they are used to.",
        ),
    ]  # fmt: skip


def _live(values: Values) -> Live:
    chances = _chances(values)
    kept = drawn(chances, values["seed"])
    expected = float(chances.sum())
    return Live(
        title="Which blocks are kept",
        x_title="block",
        y_title="probability to be kept",
        curves=(
            Curve("probability p", tuple(float(chance) for chance in chances)),
            Curve("kept in this draw", tuple(float(chance) for chance in np.where(kept, chances, 0.0))),
        ),
        numbers={
            "Blocks": str(values["blocks"]),
            "Expected depth in blocks": f"{expected:.4g}",
            "Kept in this draw": str(int(kept.sum())),
            "Expected share of the work": share(expected / values["blocks"]),
        },
        sentence=f"On average {expected:.4g} of {counted(values['blocks'], 'blocks')} are trained at a time.",
        bars=True,
    )


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    chances, full = _chances(values), variants[1].table.multiply_adds
    kept = float(chances.mean())
    return (
        f"Training runs {chances.sum():.4g} of {counted(values['blocks'], 'blocks')} on average: {number(full * kept)}"
        f" multiply-adds instead of {number(full)}, {share(1 - kept)} less; the test runs all of them, with the same"
        " weights."
    )


BLOCK = Block(
    name="stochastic_depth",
    title="Stochastic depth",
    question="How can a very deep network be trained as if it were shorter?",
    settings=(
        Setting("blocks", "Blocks L", "count", 6, low=1, high=54),
        Setting("last_survival", "Probability to keep the last", "number", 0.5, low=0.05, high=1, step=0.05),
        Setting("rule", "The others", "choice", "linear", options={"linear": "fall linearly", "uniform": "all alike"}),
        Setting("seed", "Draw", "count", 1, low=0, high=99),
        width("channels", "Channels K", 16, 256, main=False),
        side(32, main=False),
    ),
    presets=(
        Preset("small", "6 blocks", {}),
        Preset("resnet110", "ResNet-110's 54 blocks", {"blocks": 54}),
        Preset("uniform", "54 blocks, all alike", {"blocks": 54, "rule": "uniform"}),
    ),
    make=_make,
    lesson=_lesson,
    source="Huang, Sun, Liu, Sedra & Weinberger, “Deep Networks with Stochastic Depth”, 2016, section 3",
    live=_live,
)
