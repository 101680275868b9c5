"""Local response normalisation: strong channels quieten their neighbours."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("explorer")
class LocalResponseNormalization(layers.Layer):
    """Divide each value by (k + α · Σ a²)^β, the sum running over the n channels around its own at the same place.

    Args:
        n: how many neighbouring channels the sum takes, its own in the middle; fewer at the first and last channels.
        k: see above.
        alpha: see above. Caffe's argument of that name is divided by n there; the paper's, as here, is not.
        beta: see above.
        kwargs: as for every Keras layer.

    Source: Krizhevsky, Sutskever & Hinton 2012, section 3.3; the defaults are the paper's.
    """

    def __init__(self, n: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n, self.k, self.alpha, self.beta = n, k, alpha, beta

    def call(self, inputs: Any) -> Any:
        """Return maps of the same shape."""
        channels, before = inputs.shape[-1], self.n // 2
        beside = [(0, 0)] * (len(inputs.shape) - 1) + [(before, self.n - 1 - before)]
        squares = ops.pad(ops.square(inputs), beside)
        total = sum(squares[..., shift : shift + channels] for shift in range(self.n))
        return inputs / ops.power(self.k + self.alpha * total, self.beta)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "n": self.n, "k": self.k, "alpha": self.alpha, "beta": self.beta}
