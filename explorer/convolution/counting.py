"""What a layer costs: parameters, and multiply-adds for one picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Cost:
    """Parameters and multiply-adds of a layer; biases are parameters, and their additions are not counted as work."""

    weights: int
    biases: int
    multiply_adds: int

    @property
    def parameters(self) -> int:
        """Return weights and biases together."""
        return self.weights + self.biases

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.weights + other.weights, self.biases + other.biases, self.multiply_adds + other.multiply_adds)


def conv2d(
    kernel_size: tuple[int, int],
    channels: int,
    filters: int,
    output_size: tuple[int, int],
    *,
    groups: int = 1,
    use_bias: bool = True,
) -> Cost:
    """Return the cost of a convolution: kh · kw · c / groups · filters weights, each used once for every output place.

    Args:
        kernel_size: rows and columns.
        channels: of the input; divisible by `groups`.
        filters: channels of the output.
        output_size: rows and columns of the output.
        groups: groups of channels.
        use_bias: one bias for each filter.
    """
    weights = prod(kernel_size) * (channels // groups) * filters
    return Cost(weights, filters if use_bias else 0, weights * prod(output_size))


def depthwise_conv2d(
    kernel_size: tuple[int, int],
    channels: int,
    output_size: tuple[int, int],
    *,
    depth_multiplier: int = 1,
    use_bias: bool = True,
) -> Cost:
    """Return the cost of a depthwise convolution: each channel has `depth_multiplier` filters of its own."""
    filters = channels * depth_multiplier
    return conv2d(kernel_size, channels, filters, output_size, groups=channels, use_bias=use_bias)


def separable_conv2d(
    kernel_size: tuple[int, int],
    channels: int,
    filters: int,
    output_size: tuple[int, int],
    *,
    depth_multiplier: int = 1,
    use_bias: bool = True,
) -> Cost:
    """Return the cost of a depthwise convolution without bias, followed by a 1×1 convolution.

    Beside a convolution of the same shape that is 1 / filters + 1 / (kh · kw) of the work (Howard et al.,
    "MobileNets", 2017, section 3.1).
    """
    return depthwise_conv2d(
        kernel_size, channels, output_size, depth_multiplier=depth_multiplier, use_bias=False
    ) + conv2d((1, 1), channels * depth_multiplier, filters, output_size, use_bias=use_bias)


def conv2d_transpose(
    kernel_size: tuple[int, int],
    channels: int,
    filters: int,
    input_size: tuple[int, int],
    *,
    use_bias: bool = True,
) -> Cost:
    """Return the cost of a transposed convolution: each weight is used once for every input place.

    What padding cuts off again is counted, because it is computed where the layer is not told to skip it.
    """
    weights = prod(kernel_size) * channels * filters
    return Cost(weights, filters if use_bias else 0, weights * prod(input_size))


def conv1d(
    kernel_size: int, channels: int, filters: int, output_size: int, *, groups: int = 1, use_bias: bool = True
) -> Cost:
    """Return the cost of a convolution over a sequence."""
    return conv2d((1, kernel_size), channels, filters, (1, output_size), groups=groups, use_bias=use_bias)


def dense(inputs: int, units: int, *, use_bias: bool = True) -> Cost:
    """Return the cost of a dense layer."""
    return Cost(inputs * units, units if use_bias else 0, inputs * units)


def dense_equivalent(input_shape: tuple[int, ...], output_shape: tuple[int, ...], *, use_bias: bool = True) -> Cost:
    """Return the cost of the dense layer that makes the same output out of the same input."""
    return dense(prod(input_shape), prod(output_shape), use_bias=use_bias)
