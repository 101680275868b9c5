"""Training by `model.fit` in a run: every batch is reported, a stop is heard, wishes of the page are followed.

Nothing else happens between two batches, so that a run is as fast as a bare `model.fit`.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs.context import NOT_A_NUMBER, RunContext

LOOK_SECONDS = 0.05
REPORTS_PER_SECOND = 20.0
"""More rows than that no curve can show; an epoch's end is always reported."""


@dataclass
class Fitted:
    """What came of a fit.

    Attributes:
        epochs: one dictionary of numbers for each epoch that was finished.
        seconds: wall-clock time.
        complete: whether all epochs were done; False after a stop.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    complete: bool = True

    def last(self, name: str, otherwise: float = math.nan) -> float:
        """Return a number of the last finished epoch."""
        return self.epochs[-1].get(name, otherwise) if self.epochs else otherwise


class _Reporter(keras.callbacks.Callback):
    """Tells the run what happens, and the model what the page wants."""

    def __init__(
        self,
        context: RunContext,
        variant: str,
        first_epoch: int,
        on_epoch: Callable[[int, dict[str, float]], None] | None,
        curves: bool,
    ) -> None:
        super().__init__()
        self.fitted = Fitted()
        self._context = context
        self._words: dict[str, Any] = {"variant": variant} if variant else {}
        self._first = first_epoch
        self._epoch = 0
        self._on_epoch = on_epoch
        self._curves = curves
        self._wished: float | None = None
        self._looked = self._reported = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._follow_wish()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = self._first + epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        if now - self._reported >= 1.0 / REPORTS_PER_SECOND:
            self._reported = now
            self._tell(batch + 1, _numbers(logs))
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._follow_wish()
            if self._context.stopped():
                self.model.stop_training = True
                self.fitted.complete = False

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._context.stopped():
            self.model.stop_evaluating = True
            self.fitted.complete = False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.fitted.complete:
            return  # an epoch that was cut short has no numbers of its own
        numbers = _numbers(logs)
        if "loss" in numbers and not math.isfinite(numbers["loss"]):
            raise SentenceError(NOT_A_NUMBER)
        numbers["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.fitted.epochs.append(numbers)
        self._tell(None, numbers)
        if self._on_epoch is not None:
            # What was learnt is saved behind the fit, also where the stop comes while an epoch is judged.
            with contextlib.suppress(Stopped):
                self._on_epoch(self._epoch, numbers)
        if self._context.stopped():
            self.model.stop_training = True
            self.fitted.complete = False

    def _tell(self, step: int | None, numbers: dict[str, Any]) -> None:
        if self._curves:
            self._context.report(self._epoch, step, **self._words, **numbers)
        else:
            self._context.move_on(self._epoch, step)

    def _follow_wish(self) -> None:
        wished = self._context.learning_rate()
        if wished is not None and wished != self._wished:
            self._wished = wished
            self.model.optimizer.learning_rate = wished


def fit(
    context: RunContext,
    model: keras.Model,
    inputs: Any,
    targets: Any = None,
    *,
    validation: tuple[Any, Any] | None = None,
    epochs: int,
    batch_size: int = 32,
    variant: str = "",
    first_epoch: int = 1,
    pictures: int | None = None,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
    curves: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> Fitted:
    """Train a compiled model, as `model.fit` does, and tell the run about it.

    A wish for another learning rate is followed within a batch, and holds for every later fit of the run. With a
    schedule as learning rate it cannot be: compile with a number, and hand schedules over as callbacks.

    Args:
        context: the run's.
        model: compiled; its metrics' names are those of the curves.
        inputs: arrays, or a `keras.utils.PyDataset` that knows its length.
        targets: arrays; None where `inputs` brings them.
        validation: (inputs, targets), or a PyDataset, after each epoch.
        epochs: how many.
        batch_size: of arrays.
        variant: which of several networks of the run this is; "" for the only one.
        first_epoch: number of the first epoch, where a network is trained in several parts.
        pictures: pictures of a step, for the rate; None: `batch_size`.
        on_epoch: called after each epoch with its number and its numbers; one that takes long raises `Stopped`.
        curves: whether its numbers go into the run's curves; False for a repetition that only its end counts of.
        callbacks: further ones.
        **options: handed to `model.fit`.

    Returns:
        The numbers of all finished epochs.

    Raises:
        SentenceError: if the loss is not a number any more.
    """
    began = time.monotonic()
    steps = len(inputs) if targets is None else math.ceil(_count(inputs) / batch_size)
    context.plan(first_epoch + epochs - 1, steps, pictures=batch_size if pictures is None else pictures)
    reporter = _Reporter(context, variant, first_epoch, on_epoch, curves)
    if targets is not None:
        options = {"batch_size": batch_size, **options}
    if context.stopped():
        reporter.fitted.complete = False
        return reporter.fitted
    model.fit(
        inputs,
        targets,
        validation_data=validation,
        epochs=epochs,
        verbose=0,
        callbacks=[*callbacks, reporter],
        **options,
    )
    reporter.fitted.seconds = time.monotonic() - began
    return reporter.fitted


def _count(inputs: Any) -> int:
    first = next(iter(inputs.values())) if isinstance(inputs, dict) else inputs
    return len(first[0]) if isinstance(first, list | tuple) else len(first)


def _numbers(logs: dict[str, Any] | None) -> dict[str, float]:
    return {name: float(np.asarray(value)) for name, value in (logs or {}).items()}
