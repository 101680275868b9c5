"""A falling learning rate that gives way to the page."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from explorer.runs.learning_rates import CosineDecay

pytestmark = pytest.mark.backends


class Heard(keras.callbacks.Callback):
    def __init__(self, change_at: int = -1) -> None:
        super().__init__()
        self.rates: list[float] = []
        self._change_at = change_at

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))
        if len(self.rates) == self._change_at:
            self.model.optimizer.learning_rate = 0.5


def rates(heard: Heard, epochs: int = 2, steps: int = 4) -> list[float]:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    inputs = np.zeros((4 * steps, 2), np.float32)
    callbacks = [CosineDecay(epochs * steps), heard]
    model.fit(inputs, inputs[:, :1], epochs=epochs, batch_size=4, verbose=0, callbacks=callbacks)
    return heard.rates


def test_it_falls_as_keras_own_schedule_does() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 8)
    wanted = [float(keras.ops.convert_to_numpy(schedule(step))) for step in range(8)]
    np.testing.assert_allclose(rates(Heard()), wanted, rtol=1e-5)


def test_what_the_page_asks_for_stays() -> None:
    found = rates(Heard(change_at=3))
    assert found[3:] == [0.5] * 5
