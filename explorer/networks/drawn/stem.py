"""What keeps the stem's filters readable: a penalty on rough kernels, and a blur."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from scipy.ndimage import gaussian_filter

BLUR_SIGMA = 0.8


def roughness(kernel: Any) -> Any:
    """Return ‖∇k‖² / ‖k‖², averaged over the filters: near 4 for white noise, well below 1 for smooth blobs.

    Args:
        kernel: backend tensor or array `(height, width, channels, filters)`.

    Returns:
        A scalar of the backend; neighbours along height and width are differenced, the border is not.
    """
    down = keras.ops.sum(keras.ops.square(kernel[1:] - kernel[:-1]), axis=(0, 1, 2))
    across = keras.ops.sum(keras.ops.square(kernel[:, 1:] - kernel[:, :-1]), axis=(0, 1, 2))
    size = keras.ops.sum(keras.ops.square(kernel), axis=(0, 1, 2))
    return keras.ops.mean((down + across) / (size + 1e-8))


@keras.saving.register_keras_serializable("explorer")
class SmoothKernels(keras.regularizers.Regularizer):
    """A penalty on the roughness of a kernel, whatever its size is.

    Args:
        strength: factor on the mean roughness of the filters.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def __call__(self, x: Any) -> Any:
        """Return the penalty of a kernel `(height, width, channels, filters)`."""
        return self.strength * roughness(x)

    def get_config(self) -> dict[str, float]:
        """Return the constructor's arguments."""
        return {"strength": self.strength}


def blurred(kernel: np.ndarray, sigma: float = BLUR_SIGMA) -> np.ndarray:
    """Return a kernel `(height, width, channels, filters)` blurred in the plane, each filter's norm kept."""
    smooth = gaussian_filter(kernel, (sigma, sigma, 0, 0), mode="constant")
    norms = np.sqrt((kernel**2).sum((0, 1, 2)) / np.maximum((smooth**2).sum((0, 1, 2)), 1e-12))
    return (smooth * norms).astype(np.float32)
