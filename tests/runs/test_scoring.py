"""What a classifier answers, a few pictures at a time."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from explorer.networks.work_context import Stopped
from explorer.runs.scoring import probabilities

X = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])


def test_probabilities_are_those_of_a_softmax_however_they_are_batched(model: keras.Model) -> None:
    looks: list[int] = []
    found = probabilities(model, X, lambda: looks.append(1), batch_size=4)
    wanted = keras.ops.convert_to_numpy(keras.ops.softmax(model(X)))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert len(looks) == 3


def test_a_stop_is_heard_between_batches(model: keras.Model) -> None:
    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        probabilities(model, X, stop)
