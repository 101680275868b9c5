"""Sizes: what a kernel spans, how large an output is, and what a cell sees through a stack of layers.

Along one axis, with the field's letters: input n, kernel k, padding p, stride s, dilation d.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.convolution.padding import AxisPadding, Padding, axis_paddings, padding_amounts


class ConvolutionError(ValueError):
    """Settings that no layer can have; the text is one sentence for a student."""


def span(kernel_size: int, dilation_rate: int = 1) -> int:
    """Return the cells from a kernel's first weight to its last: d(k − 1) + 1."""
    return dilation_rate * (kernel_size - 1) + 1


def output_size(
    size: int, kernel_size: int, strides: int = 1, padding: AxisPadding = "valid", dilation_rate: int = 1
) -> int:
    """Return ⌊(n + p_before + p_after − d(k − 1) − 1) / s⌋ + 1.

    Raises:
        ConvolutionError: the kernel spans more cells than there are.
    """
    before, after = padding_amounts(padding, size, kernel_size, strides, dilation_rate)
    room = size + before + after - span(kernel_size, dilation_rate)
    if room < 0:
        raise ConvolutionError(_too_large((kernel_size,), (dilation_rate,), (size,), (before + after,), 0))
    return room // strides + 1


def transposed_output_size(
    size: int,
    kernel_size: int,
    strides: int = 1,
    padding: AxisPadding = "valid",
    dilation_rate: int = 1,
    output_padding: int | None = None,
) -> int:
    """Return the size that a transposed convolution makes of `size` cells.

    With a number p as padding: s(n − 1) + d(k − 1) + 1 − 2p (+ output_padding). "valid" and "same" follow Keras:
    without output_padding s·n + max(d(k − 1) + 1 − s, 0) and s·n.

    Raises:
        ConvolutionError: nothing is left, or the output_padding is not below the stride.
    """
    spanned = span(kernel_size, dilation_rate)
    if output_padding is not None and not 0 <= output_padding < strides:
        raise ConvolutionError(f"an output padding of {output_padding} is not below the stride of {strides}")
    if padding == "valid" and output_padding is None:
        return size * strides + max(spanned - strides, 0)
    if padding == "same" and output_padding is None:
        return size * strides
    if isinstance(padding, str):
        total = 2 * (spanned // 2) if padding == "same" else 0
    else:
        total = sum(padding_amounts(padding, size, kernel_size))
    made = strides * (size - 1) + spanned - total + (output_padding or 0)
    if made < 1:
        raise ConvolutionError(
            f"cutting {total} cells off an output of {strides * (size - 1) + spanned} leaves nothing"
        )
    return made


def transposed_crop(
    size: int,
    kernel_size: int,
    strides: int = 1,
    padding: AxisPadding = "valid",
    dilation_rate: int = 1,
    output_padding: int | None = None,
) -> tuple[int, int]:
    """Return (cells cut off before the output's first, size of the output) of a transposed convolution.

    It is the transpose of the convolution that makes `size` cells of the output; so what that one would pad in
    front is cut off here.
    """
    made = transposed_output_size(size, kernel_size, strides, padding, dilation_rate, output_padding)
    if padding == "valid":
        return 0, made
    if padding == "same":
        return max(strides * (size - 1) + span(kernel_size, dilation_rate) - made, 0) // 2, made
    return padding_amounts(padding, size, kernel_size)[0], made


def refusal(
    size: tuple[int, int],
    kernel_size: tuple[int, int],
    padding: Padding = "valid",
    strides: tuple[int, int] = (1, 1),
    dilation_rate: tuple[int, int] = (1, 1),
    *,
    transposed: bool = False,
    output_padding: int | tuple[int, int] | None = None,
    window: str = "kernel",
) -> str | None:
    """Return the sentence why a layer of these settings cannot be, or None where it can.

    Args:
        size: rows and columns of the input.
        kernel_size: rows and columns of the kernel.
        padding: as the operations take it.
        strides: of rows and columns.
        dilation_rate: of rows and columns.
        transposed: whether it is a transposed convolution.
        output_padding: of a transposed convolution.
        window: what the kernel is called: "window" for pooling.
    """
    for name, values in (("input", size), (window, kernel_size), ("stride", strides), ("dilation", dilation_rate)):
        if min(values) < 1:
            return f"{name} {min(values)}: it has to be 1 or more"
    try:
        if transposed:
            extra = output_padding if isinstance(output_padding, tuple) else (output_padding, output_padding)
            for n, k, s, p, d, o in zip(
                size, kernel_size, strides, axis_paddings(padding), dilation_rate, extra, strict=True
            ):
                transposed_output_size(n, k, s, p, d, o)
            return None
        added = [
            sum(padding_amounts(p, n, k, s, d))
            for p, n, k, s, d in zip(axis_paddings(padding), size, kernel_size, strides, dilation_rate, strict=True)
        ]
    except ValueError as error:
        return str(error)
    for axis in (0, 1):
        if size[axis] + added[axis] < span(kernel_size[axis], dilation_rate[axis]):
            return _too_large(kernel_size, dilation_rate, size, added, axis, window)
    return None


def _too_large(
    kernel_size: Sequence[int],
    dilation_rate: Sequence[int],
    size: Sequence[int],
    added: Sequence[int],
    axis: int,
    window: str = "kernel",
) -> str:
    """Return the sentence about a kernel that does not fit along one axis."""
    shown = "×".join(map(str, kernel_size)) if len(kernel_size) > 1 else f"{kernel_size[0]}-cell"
    spanned = span(kernel_size[axis], dilation_rate[axis])
    sides = "" if len(set(size)) == 1 else (" rows" if axis == 0 else " columns")
    has = f"the input has {size[axis]}{sides}"
    if added[axis]:
        has = f"the input has {size[axis] + added[axis]}{sides} with its padding"
    article = "an" if shown.startswith("8") else "a"
    if dilation_rate[axis] > 1:
        return f"{article} {shown} {window} with dilation {dilation_rate[axis]} spans {spanned} cells; {has}"
    return f"{article} {shown} {window} spans {spanned} cells; {has}"


@dataclass(frozen=True)
class LayerShape:
    """One layer of a stack, along one axis."""

    kernel_size: int
    strides: int = 1
    dilation_rate: int = 1
    padding: AxisPadding = "valid"
    kind: Literal["conv", "pool"] = "conv"


@dataclass(frozen=True)
class Growth:
    """What a stack has come to behind one of its layers, along one axis.

    Attributes:
        size: cells of the output.
        receptive_field: input cells that one output cell sees, were the input endless.
        jump: by how many input cells the fields of neighbouring outputs are apart.
        start: first input cell that output cell 0 sees; negative where padding lies there.
    """

    size: int
    receptive_field: int
    jump: int
    start: int


def growth(layers: Sequence[LayerShape], size: int) -> list[Growth]:
    """Return the stack's growth behind each layer; the input itself comes first.

    Each layer adds (span − 1) · jump to the receptive field and multiplies the jump by its stride (Araujo et al.,
    "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019).

    Raises:
        ConvolutionError: a kernel spans more cells than are left; the sentence names the layer.
    """
    here = Growth(size, 1, 1, 0)
    found = [here]
    for number, layer in enumerate(layers, start=1):
        before, _ = padding_amounts(layer.padding, here.size, layer.kernel_size, layer.strides, layer.dilation_rate)
        try:
            made = output_size(here.size, layer.kernel_size, layer.strides, layer.padding, layer.dilation_rate)
        except ConvolutionError as error:
            raise ConvolutionError(f"layer {number}: {error}") from error
        here = Growth(
            made,
            here.receptive_field + (span(layer.kernel_size, layer.dilation_rate) - 1) * here.jump,
            here.jump * layer.strides,
            here.start - before * here.jump,
        )
        found.append(here)
    return found
