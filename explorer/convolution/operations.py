"""What a layer computes, on one picture: convolutions of every kind, and pooling.

Pictures are `(h, w, c)`, channels last and without a batch axis; kernels and arguments are Keras'. A float32 picture
gives a float32 result, any other float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy import special

from explorer.convolution import geometry
from explorer.convolution.geometry import ConvolutionError
from explorer.convolution.padding import AxisPadding, Padding, axis_paddings, pad, padding_amounts

Pair = int | tuple[int, int]
PoolRule = Literal["max", "average", "min", "l2"]

# From so many output cells on, and up to so many channels × filters, banded matrices are faster.
_LARGE = 4_096
_FEW = 32
# Outputs of a row that one banded matrix makes, and rows that one product takes: measured.
_BLOCK = 16
_ROWS = 256

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda v: v,
    "relu": lambda v: np.maximum(v, 0),
    "leaky_relu": lambda v: np.where(v < 0, 0.2 * v, v),
    "relu6": lambda v: np.clip(v, 0, 6),
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "elu": lambda v: np.where(v < 0, np.expm1(np.minimum(v, 0)), v),
    "selu": lambda v: 1.0507009873554805 * np.where(v < 0, 1.6732632423543772 * np.expm1(np.minimum(v, 0)), v),
    "gelu": lambda v: v * special.ndtr(v),
    "silu": lambda v: v * special.expit(v),
    "softplus": lambda v: np.logaddexp(v, 0),
    "softsign": lambda v: v / (1 + np.abs(v)),
    "hard_sigmoid": lambda v: np.clip(v / 6 + 0.5, 0, 1),
    "hard_silu": lambda v: v * np.clip(v / 6 + 0.5, 0, 1),
    "mish": lambda v: v * np.tanh(np.logaddexp(v, 0)),
    "exponential": np.exp,
}
"""Keras' activations with its defaults (leaky_relu's slope is 0.2, gelu is the exact one)."""


def apply_activation(name: str, values: np.ndarray) -> np.ndarray:
    """Return the activation of that name of every value.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"no activation is called {name!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name](values)


def pair(value: Pair) -> tuple[int, int]:
    """Return a number for both axes, or the pair itself."""
    return (value, value) if isinstance(value, int | np.integer) else (int(value[0]), int(value[1]))  # type: ignore


def _float(array: Any) -> np.ndarray:
    values = np.asarray(array)
    return values if values.dtype == np.float32 else values.astype(np.float64, copy=False)


def padded_input(
    x: np.ndarray,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    padding: Padding,
    dilation_rate: tuple[int, int],
    padding_mode: str = "zeros",
) -> tuple[np.ndarray, tuple[tuple[int, int], tuple[int, int]]]:
    """Return the padded picture and its (before, after) amounts for rows and columns.

    Raises:
        ConvolutionError: the kernel spans more cells than there are.
    """
    rows, columns = (
        padding_amounts(p, n, k, s, d)
        for p, n, k, s, d in zip(axis_paddings(padding), x.shape[:2], kernel_size, strides, dilation_rate, strict=True)
    )
    refused = geometry.refusal(x.shape[:2], kernel_size, (rows, columns), strides, dilation_rate)  # type: ignore
    if refused:
        raise ConvolutionError(refused)
    return pad(x, (rows, columns), padding_mode), (rows, columns)


def conv2d(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    strides: Pair = 1,
    padding: Padding = "valid",
    padding_mode: str = "zeros",
    dilation_rate: Pair = 1,
    groups: int = 1,
    activation: str = "linear",
    flip: bool = False,
) -> np.ndarray:
    """Return what `keras.layers.Conv2D` computes of one picture, `(oh, ow, filters)`.

    Args:
        x: `(h, w, c)`.
        kernel: `(kh, kw, c / groups, filters)`.
        bias: `(filters,)`.
        strides: step of the window along rows and columns.
        padding: "valid", "same" (TensorFlow's rule), a number, (rows, columns), or ((top, bottom), (left, right)).
        padding_mode: what stands in the padding, see `explorer.convolution.padding.pad`.
        dilation_rate: distance between neighbouring weights.
        groups: groups of channels, each with filters of its own.
        activation: Keras' name.
        flip: turn the kernel by 180° first, as mathematics' convolution does; layers do not.

    Raises:
        ConvolutionError: shapes that do not fit, in one sentence.
    """
    x = _float(x)
    kernel = np.asarray(kernel).astype(x.dtype, copy=False)
    strides, rates = pair(strides), pair(dilation_rate)
    _check_channels(x, kernel, groups)
    if flip:
        kernel = kernel[::-1, ::-1]
    source, _ = padded_input(x, kernel.shape[:2], strides, padding, rates, padding_mode)
    result = np.concatenate(
        [
            _correlate(part, weights, strides, rates)
            for part, weights in zip(
                np.split(source, groups, axis=2), np.split(kernel, groups, axis=3), strict=True
            )
        ],
        axis=2,
    ) if groups > 1 else _correlate(source, kernel, strides, rates)  # fmt: skip
    return _finish(result, bias, activation)


def _check_channels(x: np.ndarray, kernel: np.ndarray, groups: int) -> None:
    if x.ndim != 3 or kernel.ndim != 4:
        raise ConvolutionError(f"a picture has 3 axes and a kernel 4; these have {x.ndim} and {kernel.ndim}")
    if groups < 1 or x.shape[2] % groups or kernel.shape[3] % groups:
        raise ConvolutionError(
            f"{groups} groups have to divide the {x.shape[2]} channels and the {kernel.shape[3]} filters"
        )
    if kernel.shape[2] * groups != x.shape[2]:
        raise ConvolutionError(
            f"the kernel is for {kernel.shape[2]} channels in each of {groups} groups; the input has {x.shape[2]}"
        )


def _correlate(source: np.ndarray, kernel: np.ndarray, strides: tuple[int, int], rates: tuple[int, int]) -> np.ndarray:
    """Slide a kernel `(kh, kw, c, f)` over `(h, w, c)` that is padded already."""
    height, width, filters = *kernel.shape[:2], kernel.shape[3]
    rows = (source.shape[0] - geometry.span(height, rates[0])) // strides[0] + 1
    columns = (source.shape[1] - geometry.span(width, rates[1])) // strides[1] + 1
    if rows * columns >= _LARGE and kernel.shape[2] * filters <= _FEW:
        return _by_bands(source, kernel, strides, rates, (rows, columns))
    result = np.zeros((rows, columns, filters), source.dtype)
    # One pass over the picture for each weight keeps no copies of the windows.
    for i in range(height):
        for j in range(width):
            top, left = i * rates[0], j * rates[1]
            seen = source[
                top : top + (rows - 1) * strides[0] + 1 : strides[0],
                left : left + (columns - 1) * strides[1] + 1 : strides[1],
            ]
            if kernel.shape[2] == 1 and filters == 1:
                result += seen * kernel[i, j, 0, 0]
            else:
                result += seen @ kernel[i, j]
    return result


def _by_bands(
    source: np.ndarray,
    kernel: np.ndarray,
    strides: tuple[int, int],
    rates: tuple[int, int],
    size: tuple[int, int],
) -> np.ndarray:
    """Return the same sums by a few large matrix products.

    Some neighbouring outputs of a row are a banded (Toeplitz) matrix times the cells below them. Most of that matrix
    is zeros, and yet BLAS takes less time for it than NumPy for one weight after the other. It goes by as many rows
    at once as caches hold, and by no fewer, because each product may have to wait for BLAS' threads on a busy machine.
    """
    height, width, channels, filters = kernel.shape
    rows, columns = size
    block, at_once = min(columns, _BLOCK), min(rows, _ROWS)
    blocks = -(-columns // block)
    reach = (block - 1) * strides[1] + geometry.span(width, rates[1])
    bands = np.zeros((height, reach, channels, block, filters), source.dtype)
    for j in range(width):
        for place in range(block):
            bands[:, place * strides[1] + j * rates[1], :, place] = kernel[:, j]
    bands = bands.reshape(height, reach * channels, block * filters)
    below = (at_once - 1) * strides[0] + geometry.span(height, rates[0])
    # What each block reads, copied out since blocks overlap. What the last one has too much stays zero.
    seen = np.zeros((below, blocks, reach, channels), source.dtype)
    result = np.empty((rows, blocks, block * filters), source.dtype)
    product = np.empty((at_once * blocks, block * filters), source.dtype)
    for first in range(0, rows, at_once):
        count = min(at_once, rows - first)
        part = source[first * strides[0] :][:below]
        for number in range(blocks):
            window = part[:, number * block * strides[1] :][:, :reach]
            seen[: len(part), number, : window.shape[1]] = window
        here = result[first : first + count].reshape(count * blocks, -1)
        for i in range(height):
            top = i * rates[0]
            lines = seen[top : top + (count - 1) * strides[0] + 1 : strides[0]].reshape(count * blocks, -1)
            if i == 0:
                np.matmul(lines, bands[i], out=here)
            else:
                here += np.matmul(lines, bands[i], out=product[: count * blocks])
    return result.reshape(rows, blocks * block, filters)[:, :columns]


def _finish(result: np.ndarray, bias: np.ndarray | None, activation: str) -> np.ndarray:
    if bias is not None:
        result = result + np.asarray(bias, result.dtype)
    return apply_activation(activation, result)


def depthwise_conv2d(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    strides: Pair = 1,
    padding: Padding = "valid",
    padding_mode: str = "zeros",
    dilation_rate: Pair = 1,
    activation: str = "linear",
    flip: bool = False,
) -> np.ndarray:
    """Return what `keras.layers.DepthwiseConv2D` computes, `(oh, ow, c · multiplier)`.

    Args:
        x: `(h, w, c)`.
        kernel: `(kh, kw, c, multiplier)`; output channel c · multiplier + m is made of input channel c alone.
        bias: `(c · multiplier,)`.
        strides: see `conv2d`.
        padding: see `conv2d`.
        padding_mode: see `conv2d`.
        dilation_rate: see `conv2d`.
        activation: see `conv2d`.
        flip: see `conv2d`.

    Raises:
        ConvolutionError: shapes that do not fit.
    """
    kernel = _float(kernel)
    return conv2d(
        x,
        depthwise_as_grouped(kernel),
        bias,
        strides=strides,
        padding=padding,
        padding_mode=padding_mode,
        dilation_rate=dilation_rate,
        groups=kernel.shape[2],
        activation=activation,
        flip=flip,
    )


def depthwise_as_grouped(kernel: np.ndarray) -> np.ndarray:
    """Return a depthwise kernel `(kh, kw, c, m)` as that of a convolution with c groups, `(kh, kw, 1, c · m)`."""
    return kernel.reshape(*kernel.shape[:2], 1, -1)


def separable_conv2d(
    x: np.ndarray,
    depthwise_kernel: np.ndarray,
    pointwise_kernel: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    strides: Pair = 1,
    padding: Padding = "valid",
    padding_mode: str = "zeros",
    dilation_rate: Pair = 1,
    activation: str = "linear",
) -> np.ndarray:
    """Return what `keras.layers.SeparableConv2D` computes: a depthwise convolution, then a 1×1 one.

    Args:
        x: `(h, w, c)`.
        depthwise_kernel: `(kh, kw, c, multiplier)`.
        pointwise_kernel: `(1, 1, c · multiplier, filters)`.
        bias: `(filters,)`.
        strides: see `conv2d`.
        padding: see `conv2d`.
        padding_mode: see `conv2d`.
        dilation_rate: see `conv2d`.
        activation: see `conv2d`.

    Raises:
        ConvolutionError: shapes that do not fit.
    """
    between = depthwise_conv2d(
        x, depthwise_kernel, strides=strides, padding=padding, padding_mode=padding_mode, dilation_rate=dilation_rate
    )
    return conv2d(between, pointwise_kernel, bias, activation=activation)


def conv2d_transpose(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    strides: Pair = 1,
    padding: Padding = "valid",
    output_padding: Pair | None = None,
    dilation_rate: Pair = 1,
    activation: str = "linear",
) -> np.ndarray:
    """Return what `keras.layers.Conv2DTranspose` computes, `(oh, ow, filters)`.

    Every input cell stamps the kernel, times its value, onto the output; stamps are `strides` apart and add up.

    Args:
        x: `(h, w, c)`.
        kernel: `(kh, kw, filters, c)`, as Keras keeps it.
        bias: `(filters,)`.
        strides: distance of the stamps: the stride of the convolution that this one is the transpose of.
        padding: "valid" or "same" by Keras' rule, or the cells that are cut off each side.
        output_padding: cells added behind, below the stride.
        dilation_rate: distance between neighbouring weights.
        activation: see `conv2d`.

    Raises:
        ConvolutionError: shapes that do not fit.
    """
    x = _float(x)
    kernel = np.asarray(kernel).astype(x.dtype, copy=False)
    if kernel.ndim != 4 or kernel.shape[3] != x.shape[2]:
        raise ConvolutionError(f"the kernel is for {kernel.shape[-1]} channels; the input has {x.shape[2]}")
    strides, rates = pair(strides), pair(dilation_rate)
    (top, height), (left, width) = transposed_crops(
        x.shape[:2], kernel.shape[:2], strides, padding, rates, output_padding
    )
    spans = [geometry.span(k, d) for k, d in zip(kernel.shape[:2], rates, strict=True)]
    full = np.zeros(
        (
            max((x.shape[0] - 1) * strides[0] + spans[0], top + height),
            max((x.shape[1] - 1) * strides[1] + spans[1], left + width),
            kernel.shape[2],
        ),
        x.dtype,
    )
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            down, right = i * rates[0], j * rates[1]
            full[
                down : down + (x.shape[0] - 1) * strides[0] + 1 : strides[0],
                right : right + (x.shape[1] - 1) * strides[1] + 1 : strides[1],
            ] += x @ kernel[i, j].T
    return _finish(full[top : top + height, left : left + width], bias, activation)


def transposed_crops(
    size: tuple[int, ...],
    kernel_size: tuple[int, ...],
    strides: tuple[int, int],
    padding: Padding,
    dilation_rate: tuple[int, int],
    output_padding: Pair | None,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (cells cut off in front, size of the output) for rows and columns."""
    extra = (None, None) if output_padding is None else pair(output_padding)
    rows, columns = (
        geometry.transposed_crop(n, k, s, p, d, o)
        for n, k, s, p, d, o in zip(
            size, kernel_size, strides, axis_paddings(padding), dilation_rate, extra, strict=True
        )
    )
    return rows, columns


def conv1d(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    strides: int = 1,
    padding: AxisPadding = "valid",
    padding_mode: str = "zeros",
    dilation_rate: int = 1,
    groups: int = 1,
    activation: str = "linear",
    flip: bool = False,
) -> np.ndarray:
    """Return what `keras.layers.Conv1D` computes of one sequence, `(outputs, filters)`.

    Args:
        x: `(steps, c)`.
        kernel: `(k, c / groups, filters)`.
        bias: `(filters,)`.
        strides: step of the window.
        padding: "valid", "same", "causal" (all padding in front), a number, or (before, after).
        padding_mode: see `conv2d`.
        dilation_rate: see `conv2d`.
        groups: see `conv2d`.
        activation: see `conv2d`.
        flip: see `conv2d`.

    Raises:
        ConvolutionError: shapes that do not fit.
    """
    return conv2d(
        _float(x)[None],
        _float(kernel)[None],
        bias,
        strides=(1, strides),
        padding=("valid", padding),  # type: ignore[arg-type]
        padding_mode=padding_mode,
        dilation_rate=(1, dilation_rate),
        groups=groups,
        activation=activation,
        flip=flip,
    )[0]


def pool2d(
    x: np.ndarray,
    pool_size: Pair = 2,
    *,
    strides: Pair | None = None,
    padding: Padding = "valid",
    rule: PoolRule = "max",
    across_channels: bool = False,
) -> np.ndarray:
    """Return one number for each window: Keras' max and average pooling, and minimum and L2.

    Padding never counts: the largest, the smallest, the mean and the root of the sum of squares are those of the
    real cells of a window.

    Args:
        x: `(h, w, c)`.
        pool_size: rows and columns of the window; channels of the window with `across_channels`.
        strides: step of the window; `pool_size` for None.
        padding: see `conv2d`; a number or (before, after) with `across_channels`.
        rule: "max", "average", "min" or "l2" (root of the sum of squares).
        across_channels: pool over neighbouring channels in place of neighbouring cells; `(h, w, outputs)`.

    Raises:
        ConvolutionError: the window is larger than the picture.
        ValueError: for another rule.
    """
    x = _float(x)
    if across_channels:
        size, step = channel_window(pool_size, strides)
        turned = pool2d(
            x.reshape(-1, x.shape[2], 1),
            (1, size),
            strides=(1, step),
            padding=padding if isinstance(padding, str) else (0, padding),  # type: ignore[arg-type]
            rule=rule,
        )
        return turned.reshape(*x.shape[:2], -1)
    if rule not in ("max", "average", "min", "l2"):
        raise ValueError(f'a pool takes the "max", "average", "min" or "l2" of a window, not {rule!r}')
    window = pair(pool_size)
    steps = window if strides is None else pair(strides)
    amounts = pool_amounts(x.shape[:2], window, steps, padding)
    neutral = {"max": -np.inf, "min": np.inf}.get(rule, 0.0)
    source = np.pad(x, [*amounts, (0, 0)], constant_values=neutral) if any(map(any, amounts)) else x
    if rule in ("max", "min"):
        return _folded(source, window, steps, np.maximum if rule == "max" else np.minimum)
    if rule == "l2":
        return np.sqrt(_folded(source**2, window, steps, np.add))
    real = np.pad(np.ones((*x.shape[:2], 1), x.dtype), [*amounts, (0, 0)])
    return _folded(source, window, steps, np.add) / _folded(real, window, steps, np.add)


def pool_amounts(
    size: tuple[int, ...], window: tuple[int, int], strides: tuple[int, int], padding: Padding
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding of a pooling, (before, after) for rows and columns.

    Raises:
        ConvolutionError: the window is larger than the picture, or would hold nothing but padding.
    """
    refused = geometry.refusal((size[0], size[1]), window, padding, strides, window="window")
    if refused:
        raise ConvolutionError(refused)
    rows, columns = (
        padding_amounts(p, n, k, s) for p, n, k, s in zip(axis_paddings(padding), size, window, strides, strict=True)
    )
    for amounts, k in ((rows, window[0]), (columns, window[1])):
        if max(amounts) >= k:
            raise ConvolutionError(f"with {max(amounts)} cells of padding a window of {k} would hold nothing else")
    return rows, columns


def channel_window(pool_size: Pair, strides: Pair | None) -> tuple[int, int]:
    """Return window and step of a pooling across channels."""
    size = pair(pool_size)[0]
    return size, size if strides is None else pair(strides)[0]


def _folded(source: np.ndarray, window: tuple[int, int], steps: tuple[int, int], fold: np.ufunc) -> np.ndarray:
    """Return one number for each window, folded from all its cells."""
    rows, columns = ((n - k) // s + 1 for n, k, s in zip(source.shape, window, steps, strict=False))
    folded: np.ndarray | None = None
    for i in range(window[0]):
        for j in range(window[1]):
            seen = source[i : i + (rows - 1) * steps[0] + 1 : steps[0], j : j + (columns - 1) * steps[1] + 1 : steps[1]]
            folded = seen.copy() if folded is None else fold(folded, seen, out=folded)
    assert folded is not None
    return folded
