"""What Keras' own layers compute of one picture, as the truth for ours.

Where a layer refuses (stride and dilation both above 1, dilated transposed kernels on a CPU), the same kernel with
zeros between its weights and no dilation is given to it instead: that is what dilation means. Other paddings are
done by NumPy before a layer without padding.
"""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

# A long run, as before a release: CNN_EXPLORER_EXAMPLES=1000.
EXAMPLES = settings(max_examples=int(os.environ.get("CNN_EXPLORER_EXAMPLES", "40")), deadline=None)

NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "edge": "edge", "circular": "wrap"}
# TensorFlow keeps the constants of leaky_relu and gelu in float32; they are compared by themselves.
ACTIVATIONS = ("linear", "linear", "relu", "sigmoid", "tanh", "elu", "silu")

pairs = {name: st.tuples(*[st.integers(1, most)] * 2) for name, most in {"stride": 4, "dilation": 3}.items()}
sides = st.tuples(st.integers(1, 9), st.integers(1, 9))
kernel_sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))
seeds = st.integers(0, 2**32 - 1)


def result_of(layer: Any, x: np.ndarray, *weights: np.ndarray | None) -> np.ndarray:
    """Return what a layer of `dtype="float64"` with these weights makes of x, without batch axis."""
    layer.build((None, *x.shape))
    layer.set_weights([one for one in weights if one is not None])
    return np.asarray(layer(x[None]))[0]


def spread(kernel: np.ndarray, rates: tuple[int, ...]) -> np.ndarray:
    """Return a kernel with `rate − 1` zeros between its weights along its first axes."""
    for axis, rate in enumerate(rates):
        size = kernel.shape[axis]
        wide = np.zeros((*kernel.shape[:axis], (size - 1) * rate + 1, *kernel.shape[axis + 1 :]))
        wide[(slice(None),) * axis + (slice(None, None, rate),)] = kernel
        kernel = wide
    return kernel


def refuses(strides: tuple[int, ...], rates: tuple[int, ...]) -> bool:
    """Return whether Keras takes no such layer."""
    return max(strides) > 1 and max(rates) > 1


def padded_for(
    x: np.ndarray, padding: Any, mode: str, spans: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[np.ndarray, str]:
    """Return the picture, padded as far as Keras' layers do not, and the padding to give to the layer."""
    if padding == "valid" or (isinstance(padding, str) and mode == "zeros"):
        return x, padding
    amounts = []
    for axis, (size, span, stride) in enumerate(zip(x.shape, spans, strides, strict=False)):
        if padding == "same":
            # The rule as TensorFlow's documentation states it, by the remainder of the size.
            total = max(span - (stride if size % stride == 0 else size % stride), 0)
            amounts.append((total // 2, total - total // 2))
        elif padding == "causal":
            amounts.append((span - 1, 0))
        else:
            here = padding if isinstance(padding, int) else padding[axis]
            amounts.append((here, here) if isinstance(here, int) else here)
    return np.pad(x, [*amounts, *[(0, 0)] * (x.ndim - len(amounts))], mode=NUMPY_MODES[mode]), "valid"


@st.composite
def paddings(draw: st.DrawFn, most: int = 4) -> Any:
    """Return one of all forms that a padding of rows and columns can have."""
    cells = st.integers(0, most)
    return draw(
        st.one_of(
            st.sampled_from(["valid", "same"]),
            cells,
            st.tuples(cells, cells),
            st.tuples(st.tuples(cells, cells), st.tuples(cells, cells)),
        )
    )


def numbers(seed: int, *shape: int) -> np.ndarray:
    """Return standard normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    """Hold two results equal but for the rounding of float64."""
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11)


def pool_layer(rule: str, **settings: Any) -> Any:
    """Return Keras' maximum or average pooling."""
    return {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[rule](
        dtype="float64", **settings
    )
