"""Forward and backward of the operations that small networks are made of, in plain NumPy.

Each backward takes the gradient of the loss at the operation's output and returns those at what went into it, so that
they can be chained from the loss to the first weight (Rumelhart, Hinton and Williams, "Learning representations by
back-propagating errors", 1986). Shapes are written with n for examples.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from explorer.gradient_flow.activations import softmax


def dense(x: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return x W + b: from (n, i), (i, o) and (o,) to (n, o); of a stack of networks with as many axes in front."""
    return x @ weights + bias


def dense_backward(
    gradient: np.ndarray, x: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients at x (n, i), the weights (i, o) and the bias (o,), from the one at the output (n, o).

    Arrays of a stack of networks have as many axes in front.
    """
    return gradient @ weights.swapaxes(-1, -2), x.swapaxes(-1, -2) @ gradient, gradient.sum(axis=-2)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of −log p of the true classes.

    Args:
        logits: (n, classes).
        labels: (n,), numbers of the true classes.
    """
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


def cross_entropy_backward(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient of `cross_entropy` at the logits, (p − y)/n, of shape (…, n, classes) as they are."""
    gradient = softmax(logits)
    gradient[..., np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


def convolve(x: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return the maps of a convolution without padding, stride 1, on one picture of one channel.

    Args:
        x: (h, w).
        kernels: (filters, k, k).
        bias: (filters,).

    Returns:
        (filters, h − k + 1, w − k + 1).
    """
    size = kernels.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size))
    return np.einsum("rcab,fab->frc", windows, kernels) + bias[:, None, None]


def convolve_backward(
    gradient: np.ndarray, x: np.ndarray, kernels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients at x, the kernels and the bias of `convolve`, from the one at its maps.

    A kernel's gradient is the convolution of the picture with the gradient of its map; the picture's is the full
    convolution of that with the flipped kernel.
    """
    rows, columns = gradient.shape[1:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns))
    at_kernels = np.einsum("abrc,frc->fab", windows, gradient)
    size = kernels.shape[-1]
    at_x = np.zeros_like(x, dtype=float)
    for row in range(size):
        for column in range(size):
            at_x[row : row + rows, column : column + columns] += np.einsum(
                "f,frc->rc", kernels[:, row, column], gradient
            )
    return at_x, at_kernels, gradient.sum(axis=(1, 2))


def max_pool(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value of each 2 × 2 window of (filters, h, w), and which it is.

    Where several are largest the first in reading order counts, as in TensorFlow.

    Args:
        x: h and w even.

    Returns:
        Two arrays (filters, h / 2, w / 2): the values, and 0 to 3, the place in the window.
    """
    filters, height, width = x.shape
    windows = x.reshape(filters, height // 2, 2, width // 2, 2).transpose(0, 1, 3, 2, 4)
    flat = windows.reshape(filters, height // 2, width // 2, 4)
    return flat.max(axis=-1), flat.argmax(axis=-1)


def max_pool_backward(gradient: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return the gradient at the input of `max_pool`: all of it goes to the value that was largest.

    Args:
        gradient: (filters, h / 2, w / 2).
        which: as `max_pool` returns it.
    """
    filters, height, width = gradient.shape
    flat = np.zeros((filters, height, width, 4))
    np.put_along_axis(flat, which[..., None], gradient[..., None], axis=-1)
    windows = flat.reshape(filters, height, width, 2, 2).transpose(0, 1, 3, 2, 4)
    return windows.reshape(filters, 2 * height, 2 * width)
