"""Formulas whose letters know their values and light up the cells that they stand for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.convolution.stage import Letter, Lit
from explorer.convolution.tracing import Trace

LINE = Letter("\n")


def size_text(size: Sequence[int]) -> str:
    """Return a size or shape as it is printed: "6 × 6"."""
    return " × ".join(str(part) for part in size)


def pair_text(pair: Sequence[int]) -> str:
    """Return a setting of rows and columns: one number where they agree."""
    return str(pair[0]) if pair[0] == pair[-1] else size_text(pair)


def cells(mask: np.ndarray, planes: int = 1) -> tuple[int, ...]:
    """Return the flat numbers of the cells of a mask `(h, w)` in all planes, or of a mask `(h, w, planes)`."""
    mask = np.asarray(mask, dtype=bool)
    if mask.ndim == 2:
        mask = np.repeat(mask[..., None], planes, axis=2)
    return tuple(np.flatnonzero(mask).tolist())


def lit(board: str, mask: np.ndarray, planes: int = 1) -> tuple[Lit, ...]:
    """Return those cells of a board as a letter lights them; nothing where there are none."""
    found = cells(mask, planes)
    return (Lit(board, found),) if found else ()


def all_of(board: str, values: np.ndarray) -> tuple[Lit, ...]:
    """Return all cells of a board."""
    return (Lit(board, tuple(range(values.size))),)


def amounts(trace: Trace) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding of a trace without inserted zeros: rows before and after, columns before and after."""
    top, left = -trace.first[0], -trace.first[1]
    rows, columns = int(trace.own.any(axis=1).sum()), int(trace.own.any(axis=0).sum())
    height, width = trace.own.shape
    return (top, height - top - rows), (left, width - left - columns)


def padding_text(pads: tuple[tuple[int, int], tuple[int, int]]) -> str:
    """Return the padding in words: "1 on each side", or what stands where."""
    (top, bottom), (left, right) = pads
    if top == bottom == left == right:
        return f"{top} on each side"
    if top == bottom and left == right:
        return f"{top} above and below, {left} left and right"
    return f"{top} above, {bottom} below, {left} left, {right} right"


def _axis_lines(
    n: Sequence[int],
    pads: Sequence[tuple[int, int]],
    k: Sequence[int],
    s: Sequence[int],
    d: Sequence[int],
    o: Sequence[int],
    dilated: bool,
) -> list[str]:
    lines = []
    for axis, word in enumerate(("rows", "columns")):
        inside = f"{n[axis]} + {sum(pads[axis])} − {f'{d[axis]}·' if dilated else ''}({k[axis]} − 1) − 1"
        lines.append((word, f"⌊({inside})/{s[axis]}⌋ + 1 = {o[axis]}"))
    if lines[0][1] == lines[1][1]:
        return [lines[0][1]]
    return [f"{word}: {text}" for word, text in lines]


def size_calculation(
    trace: Trace, kernel_size: Sequence[int], strides: Sequence[int], dilation_rate: Sequence[int] = (1, 1)
) -> str:
    """Return the output size of an ordinary convolution or pooling with its numbers."""
    n = (int(trace.own.any(axis=1).sum()), int(trace.own.any(axis=0).sum()))
    o = trace.target.shape[:2]
    return "; ".join(_axis_lines(n, amounts(trace), kernel_size, strides, dilation_rate, o, max(dilation_rate) > 1))


def window_letters(
    trace: Trace,
    kernel_size: Sequence[int],
    strides: Sequence[int],
    dilation_rate: Sequence[int] = (1, 1),
    *,
    source: str,
    target: str,
    kernel: str | None,
) -> tuple[Letter, ...]:
    """Return o = ⌊(n + 2p − d(k − 1) − 1)/s⌋ + 1 of an ordinary convolution or pooling.

    Args:
        trace: the operation.
        kernel_size: rows × columns of the kernel or window.
        strides: rows × columns.
        dilation_rate: rows × columns.
        source: board that is read.
        target: board that is made.
        kernel: board of the weights; None for pooling, whose k lights the first window.
    """
    height, width, planes = trace.source.shape
    pads = amounts(trace)
    n = (int(trace.own.any(axis=1).sum()), int(trace.own.any(axis=0).sum()))
    o = trace.target.shape[:2]
    spans = [rate * (size - 1) + 1 for size, rate in zip(kernel_size, dilation_rate, strict=True)]
    spanned = np.zeros((height, width), dtype=bool)
    spanned[: spans[0], : spans[1]] = True
    taken = np.zeros_like(spanned)
    taken[: spans[0] : dilation_rate[0], : spans[1] : dilation_rate[1]] = True
    # What the second window has left behind is the stride, drawn.
    left_behind = np.zeros_like(spanned)
    if o[1] > 1:
        left_behind[: spans[0], : strides[1]] = True
    elif o[0] > 1:
        left_behind[: strides[0], : spans[1]] = True
    p_words = f"p: rows and columns of padding: {padding_text(pads)}"
    if any(before != after for before, after in pads):
        p_words += "; 2p stands for both sides together"
    window = "k: rows and columns of the kernel" if kernel else "k: rows and columns of the window"
    k_lights = (Lit(kernel, tuple(range(trace.weights.size))),) if kernel and trace.weights is not None else ()
    letters = [
        Letter("o", f"o: rows and columns of the output = {size_text(o)}", all_of(target, trace.target)),
        Letter(" = ⌊("),
        Letter("n", f"n: rows and columns of the input = {size_text(n)}", lit(source, trace.own, planes)),
        Letter(" + 2"),
        Letter("p", p_words, lit(source, ~trace.own, planes)),
        Letter(" − "),
    ]
    if kernel is not None:
        rates = f"d: dilation; neighbouring weights are d cells apart = {pair_text(dilation_rate)}"
        letters.append(Letter("d", rates, lit(source, spanned & ~taken, planes)))
        letters.append(Letter("("))
    else:
        letters.append(Letter("("))
    letters += [
        Letter("k", f"{window} = {size_text(kernel_size)}", k_lights or lit(source, taken, planes)),
        Letter(" − 1) − 1)/"),
        Letter(
            "s",
            f"s: stride, how many cells the window moves = {pair_text(strides)}",
            lit(source, left_behind, planes),
        ),
        Letter("⌋ + 1"),
    ]
    return tuple(letters)
