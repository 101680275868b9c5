"""What the blocks share: settings that many have, layers that many repeat, and how a lesson prints numbers."""

from __future__ import annotations

from typing import Any

from explorer.architectures.blocks.block import Letter, Setting
from explorer.architectures.sketch import Sketch, Tensor

WIDTHS = (
    1, 2, 3, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 208, 256, 320, 384, 480, 512, 528, 640, 728, 832, 1024,
    1280, 1536, 2048,
)  # fmt: skip
SIDES = (4, 5, 6, 7, 8, 10, 12, 13, 14, 16, 17, 19, 20, 24, 27, 28, 32, 35, 48, 56, 64, 80, 112, 128, 160, 224)
KERNELS = (1, 3, 5, 7, 9, 11)


def width(name: str, label: str, default: int, high: int = 2048, **more: Any) -> Setting:
    """Return a setting for a number of channels or filters."""
    choices = tuple(number for number in WIDTHS if number <= high)
    return Setting(name, label, "count", default, low=1, high=high, choices=choices, **more)


def side(default: int, high: int = 224, label: str = "Height and width", **more: Any) -> Setting:
    """Return the setting for the side of a square map."""
    choices = tuple(number for number in SIDES if number <= high)
    return Setting("side", label, "count", default, low=4, high=high, choices=choices, **more)


def kernel(default: int = 3, low: int = 1, high: int = 11, **more: Any) -> Setting:
    """Return the setting for an odd kernel size."""
    choices = tuple(number for number in KERNELS if low <= number <= high)
    return Setting("kernel_size", "Kernel size", "count", default, low=low, high=high, choices=choices, **more)


def letters(**values: tuple[str, float]) -> tuple[Letter, ...]:
    """Return letters from symbol=(meaning, value); D_K is written D_{K} for LaTeX."""
    return tuple(
        Letter("_".join(part if index == 0 else f"{{{part}}}" for index, part in enumerate(symbol.split("_"))), *given)
        for symbol, given in values.items()
    )


def conv_norm(
    s: Sketch,
    x: Tensor,
    filters: int,
    kernel_size: int,
    *,
    norm: bool,
    activation: str | None = "relu",
    strides: int = 1,
    groups: int = 1,
) -> Tensor:
    """Put down a convolution with padding and without bias, batch normalisation if wanted, and an activation."""
    inner = None if norm else activation
    x = s.conv(x, filters, kernel_size, strides, "same", groups=groups, activation=inner, use_bias=False)
    return _normed(s, x, activation) if norm else x


def depthwise_norm(
    s: Sketch, x: Tensor, kernel_size: int, *, norm: bool, activation: str | None = "relu", strides: int = 1
) -> Tensor:
    """Put down a depthwise convolution likewise."""
    inner = None if norm else activation
    x = s.depthwise_conv(x, kernel_size, strides, "same", activation=inner, use_bias=False)
    return _normed(s, x, activation) if norm else x


def _normed(s: Sketch, x: Tensor, activation: str | None) -> Tensor:
    x = s.batch_norm(x)
    return x if activation is None else s.activation(x, activation)


# Two numbers that are closer than this are compared in percent.
_CLOSE = 0.8


def number(value: float) -> str:
    """Return a count as it is printed in a sentence: "346,816,512"."""
    return f"{value:,.0f}"


def ratio(large: float, small: float) -> str:
    """Return how many times as much: "3.5", "12", and "∞" beside nothing."""
    if not small:
        return "∞"
    times = large / small
    return f"{times:,.0f}" if times >= 99.5 else f"{times:.3g}"


def compared(what: str, first: float, second: float) -> str:
    """Return the second beside the first in words: "3.5 times fewer weights", "7 % more work", "the same work"."""
    several = what.endswith("s")
    less, more, as_much = ("fewer", "more", "as many") if several else ("less", "more", "as much")
    if first == second:
        return f"the same {'number of ' if several else ''}{what}"
    if min(first, second) > _CLOSE * max(first, second):
        return f"{share(abs(second - first) / first)} {less if second < first else more} {what}"
    if second < first:
        return f"{ratio(first, second)} times {less} {what}"
    return f"{ratio(second, first)} times {as_much} {what}"


def compared_with(what: str, first: float, second: float, other: str) -> str:
    """Return `compared` as a sentence goes on: "7 % more work than a plain stack", "the same work as a plain stack"."""
    words = compared(what, first, second)
    joined = "than" if {"less", "fewer", "more"} & set(words.split()) else "as"
    return f"{words} {joined} {other}"


def share(part: float) -> str:
    """Return a share as it is printed: "12 %", "0.25 %"."""
    return f"{100 * part:.2g} %" if part < 0.995 else f"{100 * part:.0f} %"
