"""A fit in a run does what `model.fit` does, and hears the page."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs.context import RunContext
from explorer.runs.fitting import fit
from explorer.runs.folder import METRICS, STOP, create, wish
from explorer.runs.metrics import read_metrics
from explorer.runs.record import new_config

X = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    run = create(tmp_path, new_config(task="transfer", owner="a" * 32))
    return RunContext(run.folder, run.config)


def line(rate: float = 0.1) -> keras.Model:
    """Return y = w · x from w = 0: a model whose descent can be written down."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def rows(context: RunContext, **wanted: Any) -> list[dict[str, Any]]:
    return [row for row in read_metrics(context.folder / METRICS).rows if wanted.items() <= row.items()]


def test_it_learns_what_gradient_descent_by_hand_learns(context: RunContext) -> None:
    model = line()
    fit(context, model, X, 3 * X, epochs=5, batch_size=64, shuffle=False)
    weight, mean_square = 0.0, float((X**2).mean())
    for _ in range(5):
        weight -= 0.1 * 2 * (weight - 3.0) * mean_square
    assert model.get_weights()[0].item() == pytest.approx(weight, rel=1e-5)


def test_every_epoch_has_a_row_with_its_validation_and_its_learning_rate(context: RunContext) -> None:
    fitted = fit(context, line(), X, 3 * X, validation=(X, 3 * X), epochs=3, variant="straight")
    ends = [row for row in rows(context, variant="straight") if "step" not in row]
    assert [row["epoch"] for row in ends] == [1, 2, 3]
    assert all(row["learning_rate"] == pytest.approx(0.1) for row in ends)
    assert [row["val_loss"] for row in ends] == [numbers["val_loss"] for numbers in fitted.epochs]


def test_a_wish_from_before_the_fit_holds_from_its_first_step(context: RunContext) -> None:
    wish(context.folder, learning_rate=0.0)
    model = line(0.1)
    fitted = fit(context, model, X, 3 * X, epochs=2)
    assert model.get_weights()[0].item() == 0.0
    assert fitted.last("learning_rate") == 0.0


def test_a_wish_holds_for_the_networks_that_follow(context: RunContext) -> None:
    fit(context, line(), X, 3 * X, epochs=1, on_epoch=lambda *_: wish(context.folder, learning_rate=0.025))
    assert fit(context, line(), X, 3 * X, epochs=1).last("learning_rate") == pytest.approx(0.025)


def test_a_stop_ends_the_epoch_that_it_comes_in(context: RunContext) -> None:
    fitted = fit(context, line(), X, 3 * X, epochs=50, on_epoch=lambda epoch, _: epoch == 2 and _stop(context))
    assert not fitted.complete
    assert len(fitted.epochs) == 2


def test_a_stop_while_an_epoch_is_judged_leaves_the_network_to_be_saved(context: RunContext) -> None:
    def judge(epoch: int, numbers: dict[str, float]) -> None:
        _stop(context)
        context.raise_if_stopped()

    model = line()
    fitted = fit(context, model, X, 3 * X, epochs=50, on_epoch=judge)
    assert not fitted.complete and len(fitted.epochs) == 1
    assert model.get_weights()[0].item() > 0.0


def test_a_stop_is_heard_while_a_library_works(context: RunContext) -> None:
    end = threading.Event()
    _stop(context)
    with pytest.raises(Stopped):
        context.wait_for(lambda: end.wait(60))
    end.set()


def test_what_a_library_returns_or_raises_comes_back(context: RunContext) -> None:
    assert context.wait_for(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        context.wait_for(lambda: 1 / 0)


def _stop(context: RunContext) -> None:
    (context.folder / STOP).touch()
    context._looked = float("-inf")


def test_a_loss_that_is_no_number_ends_in_a_sentence(context: RunContext) -> None:
    with pytest.raises(SentenceError, match="not a number"):
        fit(context, line(1e30), X, 3 * X, epochs=10, batch_size=4)


def test_a_new_part_says_nothing_of_the_part_before(context: RunContext) -> None:
    fit(context, line(), X, 3 * X, epochs=4)
    assert context.progress.epoch == 4
    context.plan(2, 10)
    assert (context.progress.epoch, context.progress.step, context.progress.seconds_left) == (None, None, None)


def test_a_repetition_without_curves_still_shows_how_far_it_is(context: RunContext) -> None:
    fit(context, line(), X, 3 * X, epochs=3, curves=False)
    assert rows(context) == []
    assert context.progress.epoch == 3
