"""Learning rates that change while a network is trained, and still do what the page asks for."""

from __future__ import annotations

import math
from typing import Any

import keras


class CosineDecay(keras.callbacks.Callback):
    """Lets the learning rate fall along half a cosine from what the model was compiled with to 0.

    The same numbers as `keras.optimizers.schedules.CosineDecay` (Loshchilov & Hutter 2017, section 3). Once somebody
    else sets the learning rate, as a wish of the page does, it stays at that.

    Args:
        steps: of the whole training.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = max(1, steps)
        self._done = 0
        self._first = self._last = math.nan
        self._follows = True

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start from the model's learning rate."""
        self._first = self._last = self._now()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the learning rate of this step."""
        if not self._follows:
            return
        if not math.isclose(self._now(), self._last, rel_tol=1e-4, abs_tol=1e-12):
            self._follows = False
            return
        share = min(1.0, self._done / self._steps)
        self._last = self._first * 0.5 * (1.0 + math.cos(math.pi * share))
        self.model.optimizer.learning_rate = self._last
        self._done += 1

    def _now(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
